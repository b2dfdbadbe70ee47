"""A table without a key cannot be followed or corrected (bảng không có khóa)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating.schema import Place, Schema, Weight

CODE: Final = "SR07"
WEIGHT: Final = Weight.GRAVE
SENTENCE: Final = Text(
    vi="Mỗi bảng phải có khóa: không có khóa thì không theo dõi và không sửa được từng bản ghi",
    en="Every table needs a key: without one no record can be followed or corrected",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield tables without a key."""
    for table in schema.tables:
        if not table.key:
            yield Place(table=table.name, columns=(), seen="no primary key")
