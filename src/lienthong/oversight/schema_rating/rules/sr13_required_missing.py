"""What every record must have needs a place (thiếu trường bắt buộc)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating.schema import Place, Schema, Weight

CODE: Final = "SR13"
WEIGHT: Final = Weight.GRAVE
SENTENCE: Final = Text(
    vi="Bảng phải có chỗ cho mọi trường bắt buộc của bộ dữ liệu mà nó cung cấp",
    en="A table needs a place for every required element of the dataset it feeds",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield tables like a dataset that lack some of its required elements."""
    for table in schema.tables:
        if table.missing:
            yield Place(table=table.name, columns=(), seen=f"not found: {', '.join(table.missing)}")
