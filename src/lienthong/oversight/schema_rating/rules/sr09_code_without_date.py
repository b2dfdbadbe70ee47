"""A commune code means nothing without a day (mã đơn vị hành chính không có ngày)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR09"
WEIGHT: Final = Weight.MIDDLING
SENTENCE: Final = Text(
    vi="Mã có thời kỳ (như mã xã, mã tỉnh) phải đi cùng ngày: 3.316 trên 3.321 mã xã mới dùng lại một mã cũ",
    en=(
        "A code that has periods (such as a commune's) needs a day beside it: 3,316 of 3,321 new commune "
        "codes re-use an old one"
    ),
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield codes with periods in tables that hold no day at all."""
    for table in schema.tables:
        if table.stamped or any(column.kind in {Kind.DATE, Kind.TIMESTAMP} for column in table.columns):
            continue
        dated = tuple(
            column.name
            for column in table.columns
            if names.is_about(column.name, "commune or province")
            or (column.meaning is not None and column.meaning.codes_have_dates)
        )
        if dated:
            yield Place(table=table.name, columns=dated, seen="no date or time in the whole table")
