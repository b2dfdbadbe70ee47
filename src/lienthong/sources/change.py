"""What arrived, exactly: columnar rows of one source table, with operation and position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

import polars as pl

SourceId = NewType("SourceId", str)  # name of a link, ASCII: "ca-mau"

INSERT = "insert"
UPDATE = "update"
DELETE = "delete"
TRUNCATE = "truncate"
READ = "read"  # a row of the snapshot
OPERATIONS = (INSERT, UPDATE, DELETE, TRUNCATE, READ)

META_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "operation": pl.String,
    "commit": pl.Int64,  # LSN of the commit; the snapshot's consistent point for READ
    "number": pl.Int32,  # place inside the transaction, from 0; 0 for READ
    "time": pl.Datetime("us", "UTC"),  # commit time at the source
    "unchanged": pl.List(pl.String),  # columns whose value was not sent because it did not change (TOAST)
    "damaged": pl.List(pl.String),  # columns whose bytes are not valid UTF-8; their text is escaped with \xNN
    "old_key": pl.List(pl.String),  # values of the key columns before a key change, else null
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """Identify the history that positions belong to; positions of two epochs never compare."""

    system: str  # system identifier of the source cluster
    timeline: int
    database: str
    slot: str

    def __str__(self) -> str:
        return f"{self.system}/{self.timeline}/{self.database}/{self.slot}"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Position:
    """End of the last commit taken (LSN as an integer)."""

    commit: int

    def __str__(self) -> str:
        return f"{self.commit >> 32:X}/{self.commit & 0xFFFFFFFF:X}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TableName:
    """Name a table of the source."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceColumn:
    """A column as the source declares it."""

    name: str
    type_name: str  # native type: "text", "numeric(14,2)"
    nullable: bool = True
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTable:
    """A table as the source declares it, with the columns that identify a row."""

    name: TableName
    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of all columns, in order."""
        return tuple(c.name for c in self.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeBatch:
    """Changes of one source table, in order, values as the text the source sent.

    ``rows`` has one String column per source column; ``meta`` has the columns of ``META_SCHEMA`` and the same
    height. A DELETE carries its key columns (all columns under REPLICA IDENTITY FULL), the rest is null.
    A TRUNCATE stands alone in its batch, one row, all values null.
    """

    source: SourceId
    table: SourceTable
    rows: pl.DataFrame
    meta: pl.DataFrame

    def __post_init__(self) -> None:
        assert self.rows.height == self.meta.height, "rows and meta must align"

    @property
    def height(self) -> int:
        """Return the number of changes."""
        return self.meta.height


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What a source hands over at once: whole transactions, in order, and where they end."""

    source: SourceId
    batches: tuple[ChangeBatch, ...]
    end: Position

    @property
    def read(self) -> int:
        """Return the number of changes handed over."""
        return sum(batch.height for batch in self.batches)


@dataclass(frozen=True, kw_only=True, slots=True)
class Idle:
    """The source has nothing new; everything it committed before ``end`` has been handed over."""

    source: SourceId
    end: Position
