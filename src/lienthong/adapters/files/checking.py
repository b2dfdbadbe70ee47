"""Rules on Polars: a Parquet table judged a piece at a time, so that memory follows the piece and not the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
from pyarrow import parquet

from lienthong.check.engine import Checker
from lienthong.check.engines import EngineFailed, Examined, Found, Judged, must_be_whole
from lienthong.check.program import JUDGEMENT, RECORD_ID, ROWS, RuleProgram, added

BATCH_ROWS: Final = 262_144
FOUND_ROWS: Final = 50_000  # rows with findings that are handed over together: each time has its price
PATTERNS_KEPT: Final = 100_000  # judgements counted apart before they are put together


@dataclass(frozen=True, kw_only=True, slots=True)
class PolarsEngine:
    """Run the rules as expressions; for each key that is to be unique sixteen bytes a row are kept."""

    batch_rows: int = BATCH_ROWS

    @property
    def name(self) -> str:
        """Return the name by which people choose it."""
        return "polars"

    def run(self, source: Examined, program: RuleProgram, *, found: Found, every: bool = False) -> Judged:
        """Judge every row; see ``RuleEngine``."""
        try:
            return must_be_whole(self._run(source, program, found=found, every=every), source)
        except (OSError, MemoryError, pl.exceptions.ComputeError) as cause:
            raise EngineFailed(
                engine=self.name, reason=type(cause).__name__, fix="use --engine duckdb, or free memory and disk"
            ) from cause

    def _run(self, source: Examined, program: RuleProgram, *, found: Found, every: bool) -> Judged:
        checker = Checker(program.dictionary, program.rules)
        shared = self._shared(source, program)
        shown = source.shown(program)
        columns = list(dict.fromkeys((RECORD_ID, *program.reads, *shown)))
        suspects: list[pl.DataFrame] = []
        outcomes = checker.examine(_no_rows(program, columns)).outcomes
        broken: dict[str, str] = {}
        judged = 0
        waiting: list[pl.DataFrame] = []
        for start, rows in self._pieces(source, columns):
            marks = {place: series.slice(start, rows.height) for place, series in shared.items()}
            done = checker.examine(rows, shared=marks, every=every)
            broken |= {program.bound[place].rule.name: why for place, why in done.broken.items()}
            outcomes = added((outcomes, done.outcomes))
            judged += rows.height
            suspects.append(done.judgement.value_counts(name=ROWS))
            if sum(part.height for part in suspects) > PATTERNS_KEPT:
                suspects = [_together(suspects)]
            told = (rows if every else rows.filter(done.suspect)).select(RECORD_ID, *shown)
            if told.height:
                waiting.append(told.with_columns(done.judgement))
            if sum(part.height for part in waiting) >= FOUND_ROWS:
                found(pl.concat(waiting))
                waiting.clear()
        if waiting:
            found(pl.concat(waiting))
        return Judged(engine=self.name, rows=judged, outcomes=outcomes, suspects=_together(suspects), broken=broken)

    def _pieces(self, source: Examined, columns: list[str]) -> Iterator[tuple[int, pl.DataFrame]]:
        """Return the rows from the first to the last, each piece with the number of rows before it."""
        before = 0
        for path in source.paths:
            total = parquet.read_metadata(path).num_rows
            table = pl.scan_parquet(path, glob=False).select(columns)
            for start in range(0, total, self.batch_rows):
                piece = table.slice(start, self.batch_rows).collect(engine="in-memory")
                yield before, piece
                before += piece.height

    def _shared(self, source: Examined, program: RuleProgram) -> Mapping[int, pl.Series]:
        """Return, by place of each rule on unique values, which rows share theirs with another row."""
        keys = {each.key for each in program.bound if each.key}
        if not keys:
            return {}
        columns = sorted({name for key in keys for name in key})
        prints: dict[tuple[str, ...], list[pl.DataFrame]] = {key: [] for key in keys}
        for _, rows in self._pieces(source, columns):
            for key, seen in prints.items():
                seen.append(_fingerprints(rows, key))
        marks = {key: _twice(pl.concat(seen)) for key, seen in prints.items() if seen}
        return {place: marks[each.key] for place, each in enumerate(program.bound) if each.key in marks}


def _twice(prints: pl.DataFrame) -> pl.Series:
    """Say which rows share both fingerprints with another; sorting one finds the few to be looked at closely."""
    ordered = prints["first"].drop_nulls().sort()
    twice = ordered.filter(ordered == ordered.shift(1)).unique()
    suspect = prints["first"].is_in(twice.implode()).fill_null(value=False)
    at = suspect.arg_true()
    close = prints[at]
    sure = at.filter(close.is_duplicated())
    return pl.repeat(value=False, n=prints.height, eager=True).scatter(sure, True)


def _no_rows(program: RuleProgram, columns: list[str]) -> pl.DataFrame:
    schema = program.schema
    return pl.DataFrame(schema={name: schema[name] for name in columns})


def _fingerprints(rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Return two numbers a row, null where a part of the key is missing; two keys share both once in 10^38."""
    filled = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
    value = pl.col(key[0]) if len(key) == 1 else pl.struct(key)
    return rows.select(
        pl.when(filled).then(value.hash(seed=seed)).alias(name) for name, seed in (("first", 214), ("second", 2026))
    )


def _together(patterns: list[pl.DataFrame]) -> pl.DataFrame:
    if not patterns:
        return pl.DataFrame(schema={JUDGEMENT: pl.String, ROWS: pl.UInt32})
    return pl.concat(patterns).group_by(JUDGEMENT).agg(pl.col(ROWS).cast(pl.Int64).sum())
