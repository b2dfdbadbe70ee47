"""A record says when it was last changed (thiếu thời điểm cập nhật)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR08"
WEIGHT: Final = Weight.MIDDLING
SENTENCE: Final = Text(
    vi="Mỗi bảng phải có thời điểm cập nhật của bản ghi: không có thì không chứng minh được dữ liệu “sống”",
    en="Every table needs the time a record was changed: without it nothing proves that data is live",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield tables without a column for the time of the last change."""
    for table in schema.tables:
        times = [
            column
            for column in table.columns
            if names.is_about(column.name, "update time") and column.kind in {Kind.TIMESTAMP, Kind.DATE}
        ]
        if not times and not table.stamped:
            yield Place(table=table.name, columns=(), seen="no column for the time of the last change")
