"""``lienthong check``: a file becomes the table that every engine examines, and an engine is chosen for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
from pyarrow import parquet

from lienthong.adapters.duckdb.checking import DuckDBEngine
from lienthong.adapters.files.checking import PolarsEngine
from lienthong.adapters.files.opening import Fingerprint
from lienthong.adapters.files.output import COMPRESSION, Outputs, arrow_schema, must_be_free, to_arrow
from lienthong.adapters.files.standard_table import DATASET, DAY, DICTIONARY, SOURCE, StandardTable
from lienthong.adapters.postgres.checking import PostgresEngine
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.adapters.spark.checking import SparkEngine
from lienthong.adapters.spark.session import sail_session, spark_session
from lienthong.check.engines import Examined, RuleEngine
from lienthong.check.program import RuleProgram, compile_program
from lienthong.check.rule_set import derive_rules
from lienthong.clock import SystemClock
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.pipeline.file_check import (
    FINDING_COLUMNS,
    CheckReport,
    examine_block,
    examine_standard,
    must_fit,
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
_READING_OPTIONS: Final = ("sheet", "encoding", "delimiter", "header_row")
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

    program: RuleProgram
    on: date
    source: Examined
    unreadable: int = 0
    blank: int = 0


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
    with tempfile.TemporaryDirectory(prefix="lienthong-check-") as place:
        folder = Path(place)
        standard = StandardTable.recognise(request.file.path)
        if standard is not None:
            stage("read")
            prepared = _take(standard, request.file, folder / "examined.parquet", progress)
        else:
            stage("standardise")
            with opened(request.file) as file:
                prepared = _prepare(file, folder / "examined.parquet", progress)
                file.must_be_unchanged()
        program = prepared.program
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
            on=prepared.on,
            measured_at=SystemClock().now(),
            unreadable=prepared.unreadable,
            blank=prepared.blank,
        )


def is_dataset(name: str) -> bool:
    """Return whether the dictionary has a dataset of this name."""
    return DatasetId(name) in working_dictionary().datasets


def must_name_a_format(findings: Path) -> None:
    """Refuse a file for findings whose name says no format."""
    if findings.suffix not in {".parquet", ".csv"}:
        raise OptionNotValid(
            option="--findings", reason="the name says no format", fix="end it with .parquet or .csv"
        )


def safe_cell(name: str) -> pl.Expr:
    """Return a column of texts for a spreadsheet: a cell that begins like a formula would be run by it."""
    shown = pl.col(name)
    begins = shown.str.contains(r"^[=+\-@\t\r]")
    return pl.when(begins).then(pl.lit("'") + shown).otherwise(shown).alias(name)


def _must_be_possible(request: CheckRequest) -> None:
    if request.engine not in {AUTO, *ENGINES}:
        raise OptionNotValid(
            option="--engine", reason=f"there is no engine {request.engine}", fix=f"use one of: {', '.join(ENGINES)}"
        )
    if request.findings is not None:
        must_name_a_format(request.findings)
        must_be_free(request.findings, force=request.file.force, inputs=(request.file.path,))


def _prepare(file: OpenedFile, path: Path, progress: Progress) -> _Prepared:
    """Write the examined table block after block; rows that cannot be taken apart are counted."""
    program = file.way.checker.program
    schema = arrow_schema(program.schema)
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
    return _Prepared(
        program=program,
        on=file.way.moment.date(),
        source=Examined(paths=(str(path),), rows=rows),
        unreadable=unreadable,
        blank=blank,
    )


def _take(table: StandardTable, request: Request, path: Path, progress: Progress) -> _Prepared:
    """Write the examined table of values that are standardised already; nothing is standardised twice."""
    asked = {
        "--mapping": request.mapping,
        **{f"--{name.replace('_', '-')}": getattr(request.reading, name) for name in _READING_OPTIONS},
    }
    name = table.facts[DATASET]
    for option, value in asked.items():
        if value is not None:
            reason = "the file is standardised already and is checked as it stands"
            raise OptionNotValid(option=option, reason=reason, fix=f"leave it out, or check {table.facts[SOURCE]}")
    if request.dataset not in {None, name}:
        raise OptionNotValid(option="--dataset", reason=f"the file has rows of {name}", fix="leave it out")
    dictionary = working_dictionary()
    dataset = dictionary.datasets.get(DatasetId(name))
    if dataset is None:
        raise DatasetUnknown(wanted=name, known=", ".join(dictionary.datasets))
    program = compile_program(dictionary, derive_rules(dictionary, dataset))
    must_fit(request.path, table.columns, program, made_with=table.facts[DICTIONARY].split(" ")[0])
    on = request.on or date.fromisoformat(table.facts[DAY])
    schema, rows, before = arrow_schema(program.schema), 0, Fingerprint.of(request.path)
    try:
        with parquet.ParquetWriter(path, schema, compression=COMPRESSION) as writer:
            for block in table.blocks():
                writer.write_table(to_arrow(examine_standard(block, program, on=on), schema))
                rows += block.height
                progress(rows, table.total, rows)
    except OSError as cause:
        raise OutputNotWritten(path=path.parent, reason=os.strerror(cause.errno or 0)) from cause
    before.must_be(request.path)
    if not rows:
        raise FileEmpty(path=request.path, reason="has no rows: all of them were held back")
    return _Prepared(program=program, on=on, source=Examined(paths=(str(path),), rows=rows))


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
    found.with_columns(safe_cell("observed")).sink_csv(path, include_bom=True)
