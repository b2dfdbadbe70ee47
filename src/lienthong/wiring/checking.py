"""``lienthong check``: a file becomes the table that every engine examines, and an engine is chosen for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
from pyarrow import parquet

from lienthong.adapters.duckdb.checking import DuckDBEngine
from lienthong.adapters.files.checking import PolarsEngine
from lienthong.adapters.files.output import COMPRESSION, Outputs, arrow_schema, must_be_free, to_arrow
from lienthong.adapters.postgres.checking import PostgresEngine
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.adapters.spark.checking import SparkEngine
from lienthong.adapters.spark.session import sail_session, spark_session
from lienthong.check.engines import Examined, RuleEngine
from lienthong.check.program import RuleProgram
from lienthong.clock import SystemClock
from lienthong.dictionary.model import DatasetId
from lienthong.pipeline.file_check import (
    FINDING_COLUMNS,
    CheckReport,
    examine_block,
    report,
    sampled,
    spelled_out,
)
from lienthong.sources.file_refusals import FileEmpty, OptionNotValid, OutputNotWritten
from lienthong.wiring.files import OpenedFile, Progress, Request, opened
from lienthong.wiring.sources import working_dictionary

AUTO: Final = "auto"
ENGINES: Final = ("polars", "duckdb", "postgres", "sail", "spark")
REMOTE: Final = "LIENTHONG_SPARK_REMOTE"  # sc://host:port of a cluster; without it Spark runs on this machine
BYTES_PER_ROW_AND_KEY: Final = 32  # what Polars keeps to find out which values are shared, while it sorts
_FINDING_SCHEMA: Final = {name: pl.Int64() if name == "row" else pl.String() for name in FINDING_COLUMNS}


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRequest:
    """What somebody wants to be checked, and where the findings go."""

    file: Request
    engine: str = AUTO
    findings: Path | None = None  # .parquet or .csv
    memory_bytes: int = 1_000_000_000


@dataclass(kw_only=True, slots=True)
class _Prepared:
    """The examined table of a file."""

    source: Examined
    unreadable: int
    blank: int


@dataclass(kw_only=True, slots=True)
class _Kept:
    """Findings as an engine tells them: all of them in a file, a few of them for people."""

    program: RuleProgram
    path: Path
    sample: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_FINDING_SCHEMA))
    _writer: parquet.ParquetWriter | None = None

    def __call__(self, rows: pl.DataFrame) -> None:
        found = spelled_out(self.program.findings(rows), self.program)
        self.sample = sampled(self.sample, found)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self.path, arrow_schema(_FINDING_SCHEMA), compression=COMPRESSION)
        self._writer.write_table(to_arrow(found, arrow_schema(_FINDING_SCHEMA)))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def check_file(request: CheckRequest, *, progress: Progress, stage: Callable[[str], None]) -> CheckReport:
    """Standardise a file and judge every row by every rule; nothing is written but the findings asked for.

    Raises:
        LienthongError: the file, the mapping, the engine or the place for the findings cannot be used.
    """
    _must_be_possible(request)
    with opened(request.file) as file, tempfile.TemporaryDirectory(prefix="lienthong-check-") as place:
        folder = Path(place)
        stage("standardise")
        prepared = _prepare(file, folder / "examined.parquet", progress)
        file.must_be_unchanged()
        program = file.way.checker.program
        kept = _Kept(program=program, path=folder / "findings.parquet")
        with _engine(request, prepared.source, program, folder) as engine:
            stage(engine.name)
            try:
                judged = engine.run(prepared.source, program, found=kept)
            finally:
                kept.close()
        if request.findings is not None:
            _write(kept, request.findings)
        return report(
            file=request.file.path.name,
            program=program,
            judged=judged,
            sample=kept.sample,
            on=file.way.moment.date(),
            measured_at=SystemClock().now(),
            unreadable=prepared.unreadable,
            blank=prepared.blank,
        )


def is_dataset(name: str) -> bool:
    """Return whether the dictionary has a dataset of this name."""
    return DatasetId(name) in working_dictionary().datasets


def _must_be_possible(request: CheckRequest) -> None:
    if request.engine not in {AUTO, *ENGINES}:
        raise OptionNotValid(
            option="--engine", reason=f"there is no engine {request.engine}", fix=f"use one of: {', '.join(ENGINES)}"
        )
    if request.findings is not None:
        if request.findings.suffix not in {".parquet", ".csv"}:
            raise OptionNotValid(
                option="--findings", reason="the name says no format", fix="end it with .parquet or .csv"
            )
        must_be_free(request.findings, force=request.file.force, inputs=(request.file.path,))


def _prepare(file: OpenedFile, path: Path, progress: Progress) -> _Prepared:
    """Write the examined table block after block; rows that cannot be taken apart are counted."""
    schema = arrow_schema(file.way.checker.program.schema)
    rows = unreadable = blank = 0
    try:
        with parquet.ParquetWriter(path, schema, compression=COMPRESSION) as writer:
            for block in file.blocks:
                if block.rows.height:
                    writer.write_table(to_arrow(examine_block(block, file.way), schema))
                rows += block.rows.height
                unreadable += block.flawed.height
                blank += block.blank
                progress(block.position, file.table.total, rows + unreadable)
    except OSError as cause:
        raise OutputNotWritten(path=path.parent, reason=os.strerror(cause.errno or 0)) from cause
    if not rows + unreadable:
        raise FileEmpty(path=file.path, reason="has a header and no rows")
    return _Prepared(source=Examined(paths=(str(path),), rows=rows), unreadable=unreadable, blank=blank)


@contextmanager
def _engine(request: CheckRequest, source: Examined, program: RuleProgram, folder: Path) -> Iterator[RuleEngine]:
    name = _chosen(request, source, program) if request.engine == AUTO else request.engine
    if name == "polars":
        yield PolarsEngine()
    elif name == "duckdb":
        yield DuckDBEngine(memory_bytes=request.memory_bytes, folder=folder)
    elif name == "postgres":
        with _server(folder) as url:
            yield PostgresEngine(url=url)
    elif name == "sail":
        with sail_session() as session:
            yield SparkEngine(session=session, label="sail")
    else:
        with spark_session(os.environ.get(REMOTE)) as session:
            yield SparkEngine(session=session)


def _chosen(request: CheckRequest, source: Examined, program: RuleProgram) -> str:
    """Choose Polars while what it keeps for each row fits in half of the memory allowed, DuckDB above."""
    keys = len({each.key for each in program.bound if each.key})
    return "polars" if source.rows * keys * BYTES_PER_ROW_AND_KEY < request.memory_bytes // 2 else "duckdb"


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Start a PostgreSQL of its own for one check."""
    folder.chmod(0o711)  # as root the server runs as another account and has to pass through
    home = folder / "postgresql"
    server = PostgresServer.start(ServerConfig(folder=home))
    try:
        yield server.url("postgres", server.superuser, server.password)
    finally:
        server.stop()
        remove(home)


def _write(kept: _Kept, target: Path) -> None:
    """Write all findings in order of rows and rules, the same whatever engine found them."""
    found = pl.scan_parquet(kept.path) if kept.path.exists() else pl.LazyFrame(schema=_FINDING_SCHEMA)
    with Outputs() as outputs:
        outputs.made(target, lambda fresh: _sink(found.sort("row", "rule"), fresh, csv=target.suffix == ".csv"))
        outputs.commit()


def _sink(found: pl.LazyFrame, path: Path, *, csv: bool) -> None:
    if not csv:
        found.sink_parquet(path, compression=COMPRESSION)
        return
    # A cell that begins like a formula would be run by a spreadsheet.
    shown = pl.col("observed")
    safe = pl.when(shown.str.contains(r"^[=+\-@\t\r]")).then(pl.lit("'") + shown).otherwise(shown)
    found.with_columns(safe.alias("observed")).sink_csv(path, include_bom=True)
