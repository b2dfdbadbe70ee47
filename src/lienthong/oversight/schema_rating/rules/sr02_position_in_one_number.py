"""A position on the map is two numbers (tọa độ trong một số)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR02"
WEIGHT: Final = Weight.GRAVE
SENTENCE: Final = Text(
    vi="Vị trí bản đồ cần hai số, vĩ độ và kinh độ: một cột số không chứa được tọa độ",
    en="A position on the map needs two numbers, latitude and longitude: one numeric column cannot hold it",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield numeric columns named after a position that is not one half of it."""
    for table in schema.tables:
        for column in table.columns:
            half = names.is_about(column.name, "latitude") != names.is_about(column.name, "longitude")
            both = names.is_about(column.name, "map position") or (
                names.is_about(column.name, "latitude") and names.is_about(column.name, "longitude")
            )
            if both and not half and column.kind in {Kind.NUMBER, Kind.INTEGER}:
                yield Place(table=table.name, columns=(column.name,), seen=f"position as one {column.type_name}")
