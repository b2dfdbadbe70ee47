"""A column shorter than the element cuts values (cột ngắn hơn từ điển)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating.schema import Place, Schema, Weight

CODE: Final = "SR12"
WEIGHT: Final = Weight.GRAVE
SENTENCE: Final = Text(
    vi="Cột không được ngắn hơn độ dài từ điển quy định: giá trị dài sẽ bị cắt hoặc bị từ chối",
    en="A column must not be shorter than the dictionary says: long values are cut or refused",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield texts shorter than what their element may be."""
    for table in schema.tables:
        for column in table.columns:
            asked = column.meaning
            if asked is None or asked.max_length is None or column.max_length is None or asked.code_list is not None:
                continue
            if column.max_length < asked.max_length:
                yield Place(
                    table=table.name,
                    columns=(column.name,),
                    seen=f"{column.max_length} characters; {asked.element} has up to {asked.max_length}",
                )
