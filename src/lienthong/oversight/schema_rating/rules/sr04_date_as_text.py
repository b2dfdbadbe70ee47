"""A day is a date, not a text (ngày lưu dạng văn bản)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR04"
WEIGHT: Final = Weight.MIDDLING
SENTENCE: Final = Text(
    vi="Ngày phải lưu bằng kiểu ngày: văn bản nhận cả 31/02 và hai cách ghi cho một ngày",
    en="A day must be stored as a date: a text takes 31/02 and two spellings of one day",
)

SHARE_FROM: Final = 0.6  # so many values must look like days
_SHAPES: Final = ("iso date", "day-first date", "timestamp")


def find(schema: Schema) -> Iterator[Place]:
    """Yield texts and numbers that hold days, by their name or by what the sample looks like."""
    for table in schema.tables:
        for column in table.columns:
            if column.kind not in {Kind.TEXT, Kind.INTEGER}:
                continue
            shape = max(_SHAPES, key=lambda each: column.shapes.get(each, 0.0))
            looks = column.kind is Kind.TEXT and column.shapes.get(shape, 0.0) >= SHARE_FROM
            # A birth date may be a year or a month: the dictionary keeps those as text by design.
            if looks or names.is_date(column.name):
                seen = f"{column.type_name}, values look like: {shape}" if looks else column.type_name
                yield Place(table=table.name, columns=(column.name,), seen=seen)
