"""What questions to the centre have in common: a key as texts, values as plain types, a text that is no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import psycopg
from psycopg import sql

from lienthong.centre.tables import TableSpec

KEY_CHARACTERS_MAX: Final = 1_000  # a longer key exists nowhere
# JSON has these types itself; every other value is given as its exact text.
_PLAIN_TYPES: Final = frozenset({"boolean", "bigint", "text", "text[]"})
_MOMENT: Final = "timestamp with time zone"

Row = tuple[object, ...]
Connection = psycopg.Connection[Row]


class NotAValue(Exception):
    """A text is no value of the type it was compared with."""


def ask(connection: Connection, question: str | sql.Composed, facts: Mapping[str, object]) -> list[Row]:
    """Return the rows of an answer.

    Raises:
        NotAValue: a text of the question cannot be a value of its type.
    """
    # A question that is a plain text is a constant of a module.
    text = sql.SQL(question) if isinstance(question, str) else question
    try:
        return connection.execute(text, facts).fetchall()
    except psycopg.DataError as cause:
        raise NotAValue from cause


def key_is(spec: TableSpec, alias: str) -> sql.Composed:
    """Return the condition that a row has the key whose parts are the parameters ``key_0`` and onwards."""
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}::{}").format(
            sql.Identifier(alias, name),
            sql.Placeholder(f"key_{place}"),
            sql.SQL(spec.column(name).type),
        )
        for place, name in enumerate(spec.key)
    )


def key_facts(key: Sequence[str]) -> dict[str, object]:
    """Return the parameters of ``key_is``."""
    return {f"key_{place}": part for place, part in enumerate(key)}


def impossible(key: Sequence[str], spec: TableSpec) -> bool:
    """Return whether no record can have a key."""
    return (
        not key
        or len(key) != len(spec.key)
        or any(not part or len(part) > KEY_CHARACTERS_MAX or "\x00" in part for part in key)
    )


def shown(name: str, type_: str) -> sql.Composed:
    """Return a column of the table ``t`` as a plain value or its exact text."""
    column = sql.Identifier("t", name)
    if type_ in _PLAIN_TYPES:
        return sql.SQL("{}").format(column)
    if type_ == _MOMENT:  # as JSON it is ISO 8601, as text it is not
        return sql.SQL("to_json({}) #>> '{{}}'").format(column)
    return sql.SQL("{}::text").format(column)
