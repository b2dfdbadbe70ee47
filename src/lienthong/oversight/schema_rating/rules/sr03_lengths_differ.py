"""The same thing has one length everywhere (độ dài khác nhau cho cùng một trường)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import names
from lienthong.oversight.schema_rating.schema import Kind, Place, Schema, Weight

CODE: Final = "SR03"
WEIGHT: Final = Weight.MIDDLING
SENTENCE: Final = Text(
    vi="Cùng một trường dữ liệu phải có một độ dài trong mọi bảng: bảng ngắn hơn sẽ cắt mất giá trị",
    en="The same thing must have one length in every table: the shorter one cuts values",
)


def find(schema: Schema) -> Iterator[Place]:
    """Yield things that have several lengths, in tables of the schema or in the sources of a dataset."""
    lengths: dict[str, dict[int, list[str]]] = {}
    for table in schema.tables:
        for column in table.columns:
            if column.other_lengths:
                seen = ", ".join((*([str(column.max_length)] if column.max_length else []), *column.other_lengths))
                yield Place(table=table.name, columns=(column.name,), seen=f"sources say {seen} characters")
            if column.max_length is not None and column.kind is Kind.TEXT:
                thing = names.together(column.name) if column.meaning is None else column.meaning.element
                lengths.setdefault(thing, {}).setdefault(column.max_length, []).append(f"{table.name}.{column.name}")
    for found in lengths.values():
        if len(found) > 1:
            where = [place for length in sorted(found) for place in found[length]]
            shortest, _, _ = where[0].partition(".")
            yield Place(
                table=shortest,
                columns=tuple(dict.fromkeys(place.partition(".")[2] for place in where)),
                seen="; ".join(f"{', '.join(found[length])}: {length}" for length in sorted(found)),
            )
