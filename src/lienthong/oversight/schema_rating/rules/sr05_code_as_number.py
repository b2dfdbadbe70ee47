"""A code is a text: a number loses its zeros (mã lưu dạng số)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR05"
WEIGHT: Final = Weight.GRAVE
SENTENCE: Final = Text(
    vi="Mã và số định danh phải lưu bằng văn bản: kiểu số làm mất số 0 ở đầu",
    en="Codes and identifying numbers must be texts: a number loses the zeros in front",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield numeric columns whose name or meaning is a code."""
    for table in schema.tables:
        for column in table.columns:
            coded = column.meaning is not None and column.meaning.code_list is not None
            if column.kind in {Kind.INTEGER, Kind.NUMBER} and (coded or names.is_code(column.name)):
                yield Place(table=table.name, columns=(column.name,), seen=column.type_name)
