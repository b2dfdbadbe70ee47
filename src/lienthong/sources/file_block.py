"""Rows of a file as they stand there: texts, line numbers, and what could not be taken apart (tệp dữ liệu nguồn)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from lienthong.dictionary.model import Text


class Flaw(enum.Enum):
    """Why a row could not be taken apart into its columns."""

    RAGGED = "ragged"
    BROKEN_QUOTE = "broken-quote"


FLAWS: Final[Mapping[Flaw, Text]] = {
    Flaw.RAGGED: Text(
        vi="Số ô của dòng khác số cột của tiêu đề", en="The row has more or fewer cells than the header"
    ),
    Flaw.BROKEN_QUOTE: Text(
        vi="Dấu nháy kép mở ở dòng này không được đóng đúng chỗ",
        en="A quote opened in this row is not closed properly",
    ),
}

FLAWED_SCHEMA: Final[Mapping[str, type[pl.DataType]]] = {"line": pl.Int64, "flaw": pl.String, "text": pl.String}


class FileKind(enum.Enum):
    """What a file is by its content."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileColumn:
    """A column of the file, in order."""

    name: str
    type_name: str  # "text" for CSV and XLSX, the Arrow type for Parquet


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """Something about the file that whoever uses the result should know; holds no value of a record."""

    kind: str  # "formulas", "merged", "numbers", "encoding" …
    text: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class FileBlock:
    r"""Consecutive rows of a file.

    ``rows`` has one String column per column of the file, ``lines`` the line each row begins on (the row of the
    sheet, the place in the Parquet file), ``damaged`` the names of columns whose bytes are not text; their text is
    escaped with ``\xNN``. ``flawed`` has ``FLAWED_SCHEMA``: rows that could not be taken apart, as they stand in the
    file.
    """

    rows: pl.DataFrame
    lines: pl.Series
    damaged: pl.Series
    flawed: pl.DataFrame
    blank: int  # rows without any value, which are left out
    position: int  # how far the file is read: bytes, rows of a sheet

    def __post_init__(self) -> None:
        assert self.rows.height == self.lines.len() == self.damaged.len(), "rows, lines and damage must align"

    @property
    def read(self) -> int:
        """Return the number of rows that hold something."""
        return self.rows.height + self.flawed.height


def no_flaws() -> pl.DataFrame:
    """Return a table of no flawed rows."""
    return pl.DataFrame(schema=dict(FLAWED_SCHEMA))


def undamaged(height: int) -> pl.Series:
    """Return the mark of rows whose bytes are all text."""
    return pl.repeat(None, height, dtype=pl.List(pl.String), eager=True).alias("damaged")


def block_of(
    rows: pl.DataFrame,
    lines: pl.Series,
    *,
    position: int,
    damaged: pl.Series | None = None,
    flawed: pl.DataFrame | None = None,
    blank: int = 0,
) -> FileBlock:
    """Return a block without the rows that hold nothing, which are counted."""
    marks = undamaged(rows.height) if damaged is None else damaged
    empty = rows.select(
        pl.all_horizontal(pl.col(name).is_null() | (pl.col(name) == "") for name in rows.columns)
    ).to_series()
    found = int(empty.sum())
    if found:
        rows, lines, marks = rows.filter(~empty), lines.filter(~empty), marks.filter(~empty)
    return FileBlock(
        rows=rows,
        lines=lines,
        damaged=marks,
        flawed=no_flaws() if flawed is None else flawed,
        blank=blank + found,
        position=position,
    )
