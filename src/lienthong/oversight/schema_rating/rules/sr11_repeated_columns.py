"""Numbered columns are rows in disguise (cột lặp đánh số)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR11"
WEIGHT: Final = Weight.MIDDLING
SENTENCE: Final = Text(
    vi="Không tạo nhiều cột gần giống nhau cho một trường (dien_thoai_1, dien_thoai_2): hãy tách thành nhiều dòng",
    en="Several nearly identical columns for one thing (phone_1, phone_2) should be rows of their own",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield columns of one table whose names differ by a number only."""
    for table in schema.tables:
        alike: dict[tuple[str, Kind], list[str]] = {}
        for column in table.columns:
            alike.setdefault((names.together(column.name), column.kind), []).append(column.name)
        for (name, _), found in alike.items():
            if name and len(found) > 1:
                yield Place(table=table.name, columns=tuple(found), seen=f"{len(found)} columns")
