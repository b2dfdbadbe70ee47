"""A column nobody can explain is kept by nobody (cột chưa rõ nghĩa)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Place, Schema, Weight

CODE: Final = "SR10"
WEIGHT: Final = Weight.LIGHT
SENTENCE: Final = Text(
    vi="Mỗi cột cần được ánh xạ vào từ điển hoặc có quyết định “không”",
    en="Every column should be mapped to the dictionary, or decided to mean nothing",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield columns for which no element of the dictionary was found."""
    for table in schema.tables:
        for column in table.columns:
            if column.undecided and not names.is_about(column.name, "update time") and column.name not in table.key:
                yield Place(table=table.name, columns=(column.name,), seen="no element found")
