"""``lienthong codes … --file``: a column of codes in a file of any size, answered block after block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from lienthong.adapters.files.opening import FileTable, Fingerprint, Reading, open_table
from lienthong.adapters.files.output import Outputs, must_be_free
from lienthong.dictionary.code_columns import CodeColumns
from lienthong.sources.file_block import FLAWS, FileBlock, Flaw
from lienthong.sources.file_refusals import FileDamaged, FileEmpty, OptionNotValid

NAMES: Final = {"kind": "outcome", "code": "answer", "label": "answer"}  # as the output calls them
CSV: Final = ".csv"
BETWEEN: Final = "|"  # candidates in one CSV field
DAY_FORM: Final = r"^\d{4}-\d{2}-\d{2}$"

Progress = Callable[[int, int, int], None]  # position, total, rows


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeFile:
    """A file with a column of codes, and where the answers go."""

    path: Path
    column: str
    output: Path  # .csv, else Parquet
    day: date | None = None  # the day on which all codes were written
    day_column: str | None = None  # or the column that says it for each row, as YYYY-MM-DD
    force: bool = False
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """How many rows got which answer; rows = one + several + unknown + without a code."""

    rows: int
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    empty: int
    blank: int  # lines without any value, left out


def answer_file(asked: CodeFile, columns: CodeColumns, *, progress: Progress) -> Answered:
    """Write every row of a file with what its code means or became; the output appears whole or not at all.

    Raises:
        LienthongError: the file or the place for the output cannot be used, or a row cannot be taken apart.
    """
    if (asked.day is None) is (asked.day_column is None):
        raise OptionNotValid(
            option="--file",
            reason="a code means nothing without the day it was written on",
            fix="give one day for all rows or the column that says it, not both: see --help",
        )
    must_be_free(asked.output, force=asked.force, inputs=(asked.path,))
    before = Fingerprint.of(asked.path) if asked.path.is_file() else None
    table = open_table(asked.path, asked.reading)
    outcomes: Counter[str | None] = Counter()
    reasons: Counter[str | None] = Counter()
    blank = 0
    try:
        schema = _schema(asked, table, columns)
        with Outputs() as outputs:
            write = _writer(asked.output, outputs, schema)
            for block in table.blocks():
                _must_be_whole(asked.path, block)
                told = _answers(asked, block.rows, columns)
                write(pl.concat([block.rows, told], how="horizontal"))
                outcomes.update(dict(told["outcome"].value_counts().iter_rows()))
                reasons.update(dict(told["reason"].drop_nulls().value_counts().iter_rows()))
                blank += block.blank
                progress(block.position, table.total, outcomes.total())
            if not outcomes:
                raise FileEmpty(path=asked.path, reason="has a header and no rows")
            if before is not None:
                before.must_be(asked.path)
            outputs.commit()
    finally:
        table.close()
    return Answered(
        rows=outcomes.total(),
        outcomes={name: outcomes[name] for name in ("one", "several", "unknown")},
        reasons={name: count for name, count in sorted(reasons.items()) if name is not None},
        empty=outcomes[None],
        blank=blank,
    )


def _schema(asked: CodeFile, table: FileTable, columns: CodeColumns) -> dict[str, Any]:
    """Return the columns of the output, after looking whether the file has those that are asked for."""
    names = [column.name for column in table.columns]
    for option, wanted in (("--column", asked.column), ("--from-column", asked.day_column)):
        if wanted is not None and wanted not in names:
            reason = f"the file has no column {wanted}"
            raise OptionNotValid(option=option, reason=reason, fix=f"its columns are: {', '.join(names)}")
    added = {NAMES.get(name, name): dtype for name, dtype in columns.schema.items()}
    taken = sorted(added.keys() & set(names))
    if taken:
        reason = f"the file has a column {taken[0]} already, and the answers are to stand there"
        raise OptionNotValid(option="--file", reason=reason, fix=f"rename {taken[0]} in the file")
    return {**dict.fromkeys(names, pl.String()), **{name: _type(dtype) for name, dtype in added.items()}}


def _type(dtype: Any) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def _writer(path: Path, outputs: Outputs, schema: Mapping[str, pl.DataType]) -> Callable[[pl.DataFrame], None]:
    if path.suffix.lower() != CSV:
        return outputs.table(path, schema, {})
    add = outputs.lines(path, list(schema))
    return lambda frame: add(frame.with_columns(pl.col("candidates").list.join(BETWEEN)))


def _must_be_whole(path: Path, block: FileBlock) -> None:
    """Refuse a file with rows that cannot be taken apart: an answer beside the wrong column would mislead."""
    if block.flawed.height:
        line, flaw = block.flawed.sort("line").select("line", "flaw").row(0)
        reason = (
            f"line {line}: {FLAWS[Flaw(flaw)].en}; {block.flawed.height} such row(s) in this part; nothing written"
        )
        raise FileDamaged(path=path, reason=reason)


def _answers(asked: CodeFile, rows: pl.DataFrame, columns: CodeColumns) -> pl.DataFrame:
    codes = rows.select(pl.when(pl.col(asked.column) != "").then(pl.col(asked.column))).to_series()
    days: pl.Series | date | None = asked.day
    if days is None:
        day = pl.col(str(asked.day_column))
        read = pl.when(day.str.contains(DAY_FORM)).then(day.str.to_date("%Y-%m-%d", strict=False))
        days = rows.select(read).to_series()
    return columns.answer(codes, days).rename(NAMES, strict=False)
