"""Rules on a Spark session: an Apache Spark cluster, Spark Connect, or Sail, which speaks the same protocol."""

# ruff: noqa: S608 - the queries are put together from names and texts of the dictionary, quoted where they are made

from __future__ import annotations

import importlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from lienthong.check.engines import (
    EngineFailed,
    EngineMissing,
    Examined,
    Found,
    Judged,
    judged_by_letters,
    must_be_whole,
)
from lienthong.check.program import JUDGEMENT, RECORD_ID, ROWS, RuleProgram
from lienthong.check.program_sql import SPARK, SqlProgram, compile_sql

Session = Any  # pyspark.sql.SparkSession, classic or Connect: an extra that one machine never needs
INSTALL: Final = "pip install 'pyspark[connect]==4.2.1' 'pandas<3' (and pysail==0.7.2 for Sail)"


@dataclass(frozen=True, kw_only=True, slots=True)
class SparkEngine:
    """Run the rules on a session; its workers read the files themselves, so they must reach the paths."""

    session: Session
    label: str = "spark"  # "sail" says who answers; the queries are the same

    @property
    def name(self) -> str:
        """Return the name by which people choose it."""
        return self.label

    def run(self, source: Examined, program: RuleProgram, *, found: Found, every: bool = False) -> Judged:
        """Judge every row; see ``RuleEngine``."""
        refused = spark_errors()
        run = _Run(session=self.session, sql=compile_sql(program), prefix=f"lienthong_{secrets.token_hex(4)}_")
        try:
            run.open(source)
            broken, answer = run.judged(source.shown(program), refused, every=every)
        except refused as cause:
            raise EngineFailed(
                engine=self.label,
                reason=type(cause).__name__,
                fix="look into the cluster's log, or use another engine",
            ) from cause
        finally:
            run.close()
        patterns = answer.group_by(JUDGEMENT).agg(pl.col(ROWS).cast(pl.Int64).sum())
        judged = must_be_whole(judged_by_letters(self.label, program, patterns, broken), source)
        rows = answer.drop(ROWS).filter(pl.col(RECORD_ID).is_not_null())
        if rows.height:
            found(_as_declared(rows, program))
        return judged


def spark_errors() -> tuple[type[Exception], ...]:
    """Return what a session raises; says what is missing where there is no pyspark."""
    try:
        errors = importlib.import_module("pyspark.errors")
    except ImportError as cause:
        raise EngineMissing(engine="spark", missing="pyspark is not installed", install=INSTALL) from cause
    return (errors.PySparkException,)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    session: Session
    sql: SqlProgram
    prefix: str  # several runs may share a session

    @property
    def examined(self) -> str:
        return f"{self.prefix}examined"

    @property
    def names(self) -> dict[str, str]:
        return {name: self.prefix + name for name in self.sql.tables}

    def open(self, source: Examined) -> None:
        """Give the session the tables the queries read."""
        self.session.read.parquet(*source.paths).createOrReplaceTempView(self.examined)
        for name, table in self.sql.tables.items():
            given: Any = table.to_arrow(compat_level=pl.CompatLevel.oldest())
            self.session.createDataFrame(given).createOrReplaceTempView(self.names[name])

    def close(self) -> None:
        """Take them away again."""
        for name in (self.examined, *self.names.values()):
            self.session.catalog.dropTempView(name)

    def judged(
        self, shown: tuple[str, ...], refused: tuple[type[Exception], ...], *, every: bool
    ) -> tuple[Mapping[str, str], pl.DataFrame]:
        """Return the rules that cannot run and the answer to the one query that judges every row."""
        try:
            return {}, self._answer(shown, {}, every=every)
        except refused:
            broken = self._broken(refused)
            if not broken:
                raise
        answer = self._answer(shown, broken, every=every)
        return {self.sql.program.bound[place].rule.name: why for place, why in broken.items()}, answer

    def _answer(self, shown: tuple[str, ...], broken: Mapping[int, str], *, every: bool) -> pl.DataFrame:
        """Bring together rows without findings by their judgement; the others come as they are, in the same job."""
        query = self.sql.query(
            dialect=SPARK, examined=self.examined, broken=tuple(broken), also=shown, names=self.names
        )
        condition = "TRUE" if every else self.sql.found(dialect=SPARK)
        kept = "".join(f", FIRST(CASE WHEN {condition} THEN `{name}` END) AS `{name}`" for name in shown)
        answer = self.session.sql(
            f"SELECT `{JUDGEMENT}`, id AS `{RECORD_ID}`, COUNT(*) AS `{ROWS}`{kept} FROM "
            f"(SELECT q.*, CASE WHEN {condition} THEN `{RECORD_ID}` END AS id FROM ({query}) q) g "
            f"GROUP BY `{JUDGEMENT}`, id"
        )
        return pl.DataFrame(answer.toArrow())

    def _broken(self, refused: tuple[type[Exception], ...]) -> dict[int, str]:
        found: dict[int, str] = {}
        for place in range(len(self.sql.program.bound)):
            try:
                self.session.sql(
                    self.sql.probe(place, dialect=SPARK, examined=self.examined, names=self.names)
                ).collect()
            except refused as error:
                found[place] = type(error).__name__
        return found


def _as_declared(rows: pl.DataFrame, program: RuleProgram) -> pl.DataFrame:
    """Bring moments into the time zone and decimals into the size they were written with."""
    schema = program.schema
    kinds = (pl.Datetime, pl.Decimal)
    return rows.with_columns(
        pl.col(name).cast(schema[name]) for name in rows.columns if isinstance(schema.get(name), kinds)
    )
