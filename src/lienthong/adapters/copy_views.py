"""How the files of an analytical copy are read: one query for every engine, and DuckDB's statements for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from psycopg import sql

# The records as they are, where the view ``versions`` holds all segments; DuckDB and Spark read it alike.
CURRENT: Final = (
    "SELECT o.* FROM versions o WHERE o._ended_batch IS NULL AND NOT EXISTS (SELECT 1 FROM versions c"
    " WHERE c._record_id = o._record_id AND c._ended_batch > o._batch)"
)


def duckdb_views(name: str, paths: Sequence[str]) -> str:
    """Return the statements that make a view of all versions and one of the records as they are."""
    versions = sql.Identifier(f"{name}_versions")
    made = (
        sql.SQL("CREATE VIEW {} AS FROM read_parquet([{}]);").format(
            versions, sql.SQL(", ").join(sql.Literal(path) for path in paths)
        ),
        sql.SQL("CREATE VIEW {} AS WITH versions AS (FROM {}) {};").format(
            sql.Identifier(name), versions, sql.SQL(CURRENT)
        ),
    )
    return "\n".join(each.as_string(None) for each in made) + "\n"
