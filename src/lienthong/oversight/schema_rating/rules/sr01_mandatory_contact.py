"""A mandatory field that many do not have is filled with junk (trường bắt buộc mà nhiều nơi không có)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Place, Schema, Weight

CODE: Final = "SR01"
WEIGHT: Final = Weight.GRAVE
SENTENCE: Final = Text(
    vi=(
        "Không bắt buộc trường mà nhiều đối tượng không có (fax, trang web, thư điện tử): người nhập sẽ điền "
        "dữ liệu giả"
    ),
    en="A field many do not have (fax, website, e-mail) must not be mandatory: people will fill in junk",
)

_NOT_EVERYBODY: Final = ("fax", "website", "e-mail")


def find(schema: Schema) -> Iterator[Place]:
    """Yield mandatory columns for a fax, a website or an e-mail address."""
    for table in schema.tables:
        for column in table.columns:
            what = next((each for each in _NOT_EVERYBODY if names.is_about(column.name, each)), None)
            if what is not None and column.required:
                yield Place(table=table.name, columns=(column.name,), seen=f"{what}, mandatory")
