"""Rules on PostgreSQL: a table copied into temporary tables of one session, judged by one query."""

# ruff: noqa: S608 - the queries are put together from names and texts of the dictionary, quoted where they are made

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import psycopg
from psycopg import sql as composing
from pyarrow import parquet

from lienthong.adapters.postgres.centre_copy import copy_frame
from lienthong.adapters.postgres.connection import TEXT_FORM
from lienthong.check.engines import EngineFailed, Examined, Found, Judged, judged_by_letters, must_be_whole
from lienthong.check.program import JUDGEMENT, RECORD_ID, ROWS, RuleProgram
from lienthong.check.program_sql import POSTGRES, SqlProgram, compile_sql

EXAMINED: Final = "lienthong_examined"
JUDGED: Final = "lienthong_judged"
COPY_ROWS: Final = 50_000
FOUND_ROWS: Final = 50_000

# What is the server's fault, or the line's, and not a rule's.
_NOT_A_RULE: Final = (
    psycopg.OperationalError,
    psycopg.errors.InsufficientResources,
    psycopg.errors.InsufficientPrivilege,
)
_TYPES: Final[Mapping[type[pl.DataType], str]] = {
    pl.String: 'text COLLATE "C"',  # texts are compared by their letters' numbers, as every other engine does
    pl.Int64: "bigint",
    pl.UInt8: "smallint",
    pl.Date: "date",
    pl.Boolean: "boolean",
    pl.Datetime: "timestamptz",
    pl.List: 'text[] COLLATE "C"',
}


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PostgresEngine:
    """Run the rules in a session of a server; nothing of it stays there."""

    url: str
    password: str | None = None

    @property
    def name(self) -> str:
        """Return the name by which people choose it."""
        return "postgres"

    def run(self, source: Examined, program: RuleProgram, *, found: Found, every: bool = False) -> Judged:
        """Judge every row; see ``RuleEngine``."""
        sql = compile_sql(program)
        options = " ".join(f"-c {name}={value}" for name, value in TEXT_FORM.items())
        try:
            with psycopg.connect(self.url, password=self.password, options=options, autocommit=True) as connection:
                _load(connection, source, sql)
                broken = _judge(connection, sql)
                patterns = _read(
                    connection,
                    f'SELECT "{JUDGEMENT}", COUNT(*) FROM pg_temp.{JUDGED} GROUP BY 1',
                    {JUDGEMENT: pl.String, ROWS: pl.Int64},
                )
                judged = must_be_whole(judged_by_letters(self.name, program, patterns, broken), source)
                condition = "TRUE" if every else sql.found(dialect=POSTGRES)
                marked = _read(
                    connection,
                    f'SELECT "{RECORD_ID}", "{JUDGEMENT}" FROM pg_temp.{JUDGED} WHERE {condition}',
                    {RECORD_ID: pl.String, JUDGEMENT: pl.String},
                )
        except psycopg.Error as cause:
            raise EngineFailed(
                engine=self.name, reason=type(cause).__name__, fix="look into the server's log, or use another engine"
            ) from cause
        _hand_over(marked, source, program, found)
        return judged


def _load(connection: psycopg.Connection[Any], source: Examined, sql: SqlProgram) -> None:
    """Copy what judging reads; what is shown is read from the file, for the rows that show it."""
    schema = pl.read_parquet_schema(source.paths[0])
    columns = {name: schema[name] for name in (RECORD_ID, *sql.program.reads)}
    _create(connection, EXAMINED, columns)
    for path in source.paths:
        total = parquet.read_metadata(path).num_rows
        for start in range(0, total, COPY_ROWS):
            piece = pl.scan_parquet(path, glob=False).select(list(columns)).slice(start, COPY_ROWS).collect()
            _copy(connection, EXAMINED, piece)
    for name, table in sql.tables.items():
        _create(connection, name, dict(table.schema))
        _copy(connection, name, table)
        connection.execute(_text(f"CREATE INDEX ON pg_temp.{name} (code)"))
        connection.execute(_text(f"ANALYZE pg_temp.{name}"))
    connection.execute(_text(f"ANALYZE pg_temp.{EXAMINED}"))


def _create(connection: psycopg.Connection[Any], name: str, columns: Mapping[str, pl.DataType]) -> None:
    written = ", ".join(f'"{column}" {_type(dtype)}' for column, dtype in columns.items())
    connection.execute(_text(f"CREATE TEMPORARY TABLE {name} ({written})"))


def _type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision},{dtype.scale})"
    return _TYPES[dtype.base_type()]


def _copy(connection: psycopg.Connection[Any], name: str, frame: pl.DataFrame) -> None:
    with connection.cursor() as cursor:
        copy_frame(cursor, composing.Identifier("pg_temp", name), frame)


def _judge(connection: psycopg.Connection[Any], sql: SqlProgram) -> dict[str, str]:
    """Make the table of judgements; where that fails, look for the rules that cannot run."""
    try:
        connection.execute(_judged(sql, {}))
    except _NOT_A_RULE:
        raise
    except psycopg.Error:
        broken = _broken(connection, sql)
        connection.execute(_judged(sql, broken))
        return {sql.program.bound[place].rule.name: why for place, why in broken.items()}
    return {}


def _judged(sql: SqlProgram, broken: Mapping[int, str]) -> bytes:
    query = sql.query(dialect=POSTGRES, examined=f"pg_temp.{EXAMINED}", broken=tuple(broken), names=_names(sql))
    return _text(f"CREATE TEMPORARY TABLE {JUDGED} AS {query}")


def _broken(connection: psycopg.Connection[Any], sql: SqlProgram) -> dict[int, str]:
    found: dict[int, str] = {}
    for place in range(len(sql.program.bound)):
        query = sql.probe(place, dialect=POSTGRES, examined=f"pg_temp.{EXAMINED}", names=_names(sql))
        try:
            connection.execute(_text(query))
        except _NOT_A_RULE:
            raise
        except psycopg.Error as error:
            found[place] = type(error).__name__
    return found


def _names(sql: SqlProgram) -> dict[str, str]:
    return {name: f"pg_temp.{name}" for name in sql.tables}


def _read(connection: psycopg.Connection[Any], query: str, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """Return the answer to a query whose texts hold neither quotes nor line ends that COPY would not quote."""
    buffer = io.BytesIO()
    with connection.cursor() as cursor, cursor.copy(_text(f"COPY ({query}) TO STDOUT (FORMAT csv)")) as copy:
        for data in copy:
            buffer.write(data)
    if not buffer.tell():
        return pl.DataFrame(schema=dict(schema))
    buffer.seek(0)
    return pl.read_csv(buffer, has_header=False, schema=dict(schema))


def _hand_over(marked: pl.DataFrame, source: Examined, program: RuleProgram, found: Found) -> None:
    columns = [RECORD_ID, *source.shown(program)]
    rows = pl.scan_parquet(list(source.paths), glob=False).select(columns)
    for start in range(0, marked.height, FOUND_ROWS):
        part = marked.slice(start, FOUND_ROWS)
        found(rows.join(part.lazy(), on=RECORD_ID, how="inner").collect())


def _text(statement: str) -> bytes:
    return statement.encode()  # bytes are what a query put together by a program is passed as
