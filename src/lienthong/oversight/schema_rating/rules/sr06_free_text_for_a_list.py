"""Where a shared list exists, nobody should type freely (gõ tự do thay vì chọn từ danh mục)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR06"
WEIGHT: Final = Weight.MIDDLING
SENTENCE: Final = Text(
    vi="Trường đã có danh mục dùng chung thì phải lưu mã của danh mục, không lưu văn bản tự do",
    en="Where a shared code list exists, its code must be stored, not free text",
)

TIMES_LONGER: Final = 3  # longer than so many codes is room for sentences


def find(schema: Schema) -> Iterator[Place]:
    """Yield texts far longer than the codes of their list, without a reference to it."""
    for table in schema.tables:
        for column in table.columns:
            asked = column.meaning
            if asked is None or asked.code_length is None or column.listed or column.kind is not Kind.TEXT:
                continue
            if column.max_length is None or column.max_length > TIMES_LONGER * asked.code_length:
                yield Place(
                    table=table.name,
                    columns=(column.name,),
                    seen=f"{column.type_name}; codes of {asked.code_list} have up to {asked.code_length} characters",
                )
