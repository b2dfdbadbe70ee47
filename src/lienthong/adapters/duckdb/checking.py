"""Rules on DuckDB: tables larger than memory, on one machine."""

# ruff: noqa: S608 - the queries are put together from names and texts of the dictionary, quoted where they are made

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from lienthong.check.engines import EngineFailed, Examined, Found, Judged, judged_by_letters, must_be_whole
from lienthong.check.program import JUDGEMENT, RECORD_ID, ROWS, RuleProgram
from lienthong.check.program_sql import DUCKDB, SqlProgram, compile_sql

EXAMINED: Final = "lienthong_examined"
JUDGED: Final = "lienthong_judged"
MEMORY_BYTES_DEFAULT: Final = 1_000_000_000
BATCH_ROWS: Final = 100_000

# What is the machine's fault and not a rule's.
_NOT_A_RULE: Final = (
    duckdb.OutOfMemoryException,
    duckdb.IOException,
    duckdb.InterruptException,
    duckdb.FatalException,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DuckDBEngine:
    """Run the rules in a DuckDB of their own; what does not fit the memory goes to ``folder``."""

    memory_bytes: int = MEMORY_BYTES_DEFAULT
    threads: int | None = None
    folder: Path | None = None  # for what does not fit; None: the system's place for temporary files

    @property
    def name(self) -> str:
        """Return the name by which people choose it."""
        return "duckdb"

    def run(self, source: Examined, program: RuleProgram, *, found: Found, every: bool = False) -> Judged:
        """Judge every row; see ``RuleEngine``."""
        sql = compile_sql(program)
        with tempfile.TemporaryDirectory(prefix="lienthong-duckdb-", dir=self.folder) as place:
            try:
                # On disk, since tables of a file are compressed and those in memory are not.
                with duckdb.connect(str(Path(place) / "work.duckdb"), config=self._settings(place)) as connection:
                    return must_be_whole(_run(connection, source, sql, found=found, every=every), source)
            except duckdb.Error as cause:
                raise EngineFailed(
                    engine=self.name, reason=type(cause).__name__, fix="allow more with --limit-memory, or free disk"
                ) from cause

    def _settings(self, place: str) -> dict[str, str | bool | int | float | list[str]]:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{self.memory_bytes // 1_000_000}MB",
            "temp_directory": place,
            "preserve_insertion_order": False,
            "enable_external_file_cache": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if self.threads is not None:
            settings["threads"] = self.threads
        return settings


def _run(
    connection: duckdb.DuckDBPyConnection, source: Examined, sql: SqlProgram, *, found: Found, every: bool
) -> Judged:
    for name, table in sql.tables.items():
        connection.register(f"{name}_given", table.to_arrow(compat_level=pl.CompatLevel.oldest()))
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {name}_given")
        connection.unregister(f"{name}_given")
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in source.paths)
    connection.execute(f"CREATE VIEW {EXAMINED} AS SELECT * FROM read_parquet([{files}])")
    broken = _judge(connection, sql, source.shown(sql.program), every=every)
    patterns = pl.DataFrame(
        connection.sql(f'SELECT "{JUDGEMENT}", COUNT(*) AS {ROWS} FROM {JUDGED} GROUP BY 1').to_arrow_table()
    )
    rows = connection.sql(f'SELECT * FROM {JUDGED} WHERE "{RECORD_ID}" IS NOT NULL')
    for batch in rows.to_arrow_reader(BATCH_ROWS):
        if batch.num_rows:
            found(_as_declared(pl.DataFrame(batch), sql.program))
    return judged_by_letters(DUCKDB, sql.program, patterns, broken)


def _judge(
    connection: duckdb.DuckDBPyConnection, sql: SqlProgram, shown: tuple[str, ...], *, every: bool
) -> Mapping[str, str]:
    """Make the table of judgements in one pass; where that fails, look for the rules that cannot run."""
    try:
        connection.execute(_judged(sql, shown, broken={}, every=every))
    except _NOT_A_RULE:
        raise
    except duckdb.Error:
        broken = _broken(connection, sql)
        connection.execute(_judged(sql, shown, broken=broken, every=every))
        return {sql.program.bound[place].rule.name: why for place, why in broken.items()}
    return {}


def _judged(sql: SqlProgram, shown: tuple[str, ...], *, broken: Mapping[int, str], every: bool) -> str:
    query = sql.query(dialect=DUCKDB, examined=EXAMINED, broken=tuple(broken), also=shown)
    condition = "TRUE" if every else sql.found(dialect=DUCKDB)
    # A row without findings leaves nothing but its judgement.
    kept = ", ".join(f'CASE WHEN {condition} THEN "{name}" END AS "{name}"' for name in (RECORD_ID, *shown))
    return f'CREATE TABLE {JUDGED} AS SELECT "{JUDGEMENT}", {kept} FROM ({query}) q'


def _broken(connection: duckdb.DuckDBPyConnection, sql: SqlProgram) -> dict[int, str]:
    found: dict[int, str] = {}
    for place in range(len(sql.program.bound)):
        try:
            connection.execute(sql.probe(place, dialect=DUCKDB, examined=EXAMINED)).fetchall()
        except _NOT_A_RULE:
            raise
        except duckdb.Error as error:
            found[place] = type(error).__name__
    return found


def _as_declared(rows: pl.DataFrame, program: RuleProgram) -> pl.DataFrame:
    """Bring moments into the time zone and decimals into the size they were written with."""
    schema = program.schema
    kinds = (pl.Datetime, pl.Decimal)
    return rows.with_columns(
        pl.col(name).cast(schema[name]) for name in rows.columns if isinstance(schema.get(name), kinds)
    )
