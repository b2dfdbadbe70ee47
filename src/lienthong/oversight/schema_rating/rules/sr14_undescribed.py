"""A column says what it means (cột không có mô tả)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating.schema import Place, Schema, Weight

CODE: Final = "SR14"
WEIGHT: Final = Weight.LIGHT
SENTENCE: Final = Text(
    vi="Mỗi cột cần có mô tả (COMMENT) bằng tiếng Việt",
    en="Every column should say what it means (COMMENT)",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield tables most columns of which say nothing."""
    for table in schema.tables:
        silent = [column for column in table.columns if not (column.comment or "").strip()]
        if len(silent) * 2 > len(table.columns):
            yield Place(
                table=table.name, columns=(), seen=f"{len(silent)} of {len(table.columns)} columns undescribed"
            )
