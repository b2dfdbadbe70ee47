"""Has the table changed under the mapping? (trôi cấu trúc bảng nguồn)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lienthong.errors import LienthongError
from lienthong.sources.change import SourceId, SourceTable
from lienthong.sources.mapping import Mapping
from lienthong.sources.refusals import KeyChanged, MappedColumnGone, MappedColumnTypeChanged

_SHORT_TYPES = {  # how people write a type → how the catalogue writes it; {} stands for "(14,2)" or nothing
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "decimal": "numeric{}",
    "varchar": "character varying{}",
    "char": "character{}",
    "bpchar": "character{}",
    "varbit": "bit varying{}",
    "timestamp": "timestamp{} without time zone",
    "timestamptz": "timestamp{} with time zone",
    "time": "time{} without time zone",
    "timetz": "time{} with time zone",
}


def full_type(written: str) -> str:
    """Return a type as the catalogue writes it: ``varchar(30)`` → ``character varying(30)``."""
    found = re.fullmatch(r"([a-z0-9]+)\s*(\([0-9, ]+\))?((?:\[\])*)", written.strip().lower())
    if found is None:
        return written
    name, arguments, array = found[1], (found[2] or "").replace(" ", ""), found[3]
    pattern = _SHORT_TYPES.get(name)
    return written if pattern is None else pattern.format(arguments) + array


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeChange:
    """A column whose type is not the one the mapping was decided for."""

    column: str
    expected: str
    observed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """How a table differs from its mapping; ``added`` columns are noted and kept in the raw image."""

    gone: tuple[str, ...] = ()
    retyped: tuple[TypeChange, ...] = ()
    key_before: tuple[str, ...] | None = None  # None: the key is as expected
    added: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Return whether the link must wait for a decision."""
        return bool(self.gone or self.retyped or self.key_before is not None)


def compare(mapping: Mapping, table: SourceTable) -> Drift:
    """Compare a mapping with the table as it is now, by column name."""
    present = {column.name: column.type_name for column in table.columns}
    mapped = {column.column for column in mapping.columns}
    used = [column for column in mapping.columns if column.element is not None]
    return Drift(
        gone=tuple(column.column for column in used if column.column not in present),
        retyped=tuple(
            TypeChange(column=column.column, expected=column.native_type, observed=present[column.column])
            for column in used
            if column.native_type is not None
            and column.column in present
            and present[column.column] != full_type(column.native_type)
        ),
        key_before=mapping.key if mapping.key and set(mapping.key) != set(table.key) else None,
        added=tuple(name for name in present if name not in mapped),
    )


def refusal(drift: Drift, *, source: SourceId, table: SourceTable) -> LienthongError | None:
    """Return the refusal a drift asks for, the gravest first; None when the link may go on."""
    if drift.gone:
        return MappedColumnGone(source=source, table=table.name, columns=", ".join(drift.gone))
    if drift.key_before is not None:
        return KeyChanged(
            source=source, table=table.name, observed=", ".join(table.key), expected=", ".join(drift.key_before)
        )
    if drift.retyped:
        changes = "; ".join(f"{each.column} was {each.expected}, is {each.observed}" for each in drift.retyped)
        return MappedColumnTypeChanged(source=source, table=table.name, changes=changes)
    return None
