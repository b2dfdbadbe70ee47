"""Names that must work everywhere: column, table, API field, grant."""

from __future__ import annotations

import re
from typing import Final

TECHNICAL_NAME_BYTES_MAX: Final = 48  # PostgreSQL cuts at 63: 15 are left for suffixes such as __outcome
TABLE_NAME_BYTES_MAX: Final = 40

_SNAKE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

SQL_RESERVED: Final = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between binary both by case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role current_schema
    current_time current_timestamp current_user default deferrable delete desc distinct do drop else end except
    exists false fetch for foreign freeze from full grant group having ilike in initially inner insert intersect
    into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset
    on only or order outer overlaps placing primary references returning right select session_user set similar some
    symmetric system_user table tablesample then to trailing true union unique update user using values variadic
    verbose when where window with
    """.split()  # noqa: SIM905 - a list of words reads better than a hundred quoted ones
)
RESERVED_HERE: Final = frozenset(  # columns that the checks add beside the elements
    {"record_day", "source_day", "damaged", "oversized"}
)


def name_fault(name: str, *, bytes_max: int) -> str | None:
    """Return why a physical name is refused, or None."""
    if name.startswith("_"):
        return "begins with an underscore, which is kept for the platform's own columns"
    if not _SNAKE.fullmatch(name):
        return "is not ASCII snake_case"
    if len(name.encode()) > bytes_max:
        return f"is longer than {bytes_max} bytes"
    if name in SQL_RESERVED:
        return "is a reserved word of SQL"
    if name in RESERVED_HERE:
        return "is a name the platform itself uses"
    return None
