"""What the platform asks of every way to read an agency's system."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from lienthong.sources.change import Delivery, Epoch, Idle, Position, SourceId, SourceTable


class Grade(enum.Enum):
    """How a finding of the readiness check counts."""

    OK = "ok"
    WARNING = "warning"
    BLOCKING = "blocking"


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """One line of the readiness check: what was looked at, what was found, how to repair it."""

    item: str  # "wal_level", "replication right", "key of public.doanh_nghiep"
    grade: Grade
    observed: str
    code: str | None = None  # error code that would be raised
    repair: str | None = None  # SQL or setting that repairs it, shown and never run by us


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotStart:
    """Where a snapshot stands: its rows are the state at ``position``; the stream goes on from there."""

    epoch: Epoch
    position: Position
    tables: tuple[SourceTable, ...]
    rows_estimated: int


class ChangeSource(Protocol):
    """Read one agency's database: a snapshot, then every change after it, in commit order.

    The contract (``lienthong.testing.source_contract``): deliveries end on transaction boundaries; resuming after
    a position yields every later change at least once and none before it is lost; nothing is confirmed to the
    source before ``confirm`` is called; values are the source's text, never altered.
    """

    @property
    def source(self) -> SourceId:
        """Return the name of the link."""
        ...

    def readiness(self) -> tuple[Readiness, ...]:
        """Look at everything that could stop the link, without changing anything at the source."""
        ...

    def tables(self) -> tuple[SourceTable, ...]:
        """Return the tables of the link as they are now; raise if one cannot be followed."""
        ...

    def begin_snapshot(self) -> SnapshotStart:
        """Give up whatever an unfinished snapshot left behind and fix a new starting point."""
        ...

    def snapshot(self) -> Iterator[Delivery]:
        """Yield all rows as of the starting point; only after ``begin_snapshot`` on the same object."""
        ...

    def stream(self, *, epoch: Epoch, after: Position) -> Iterator[Delivery | Idle]:
        """Yield changes committed at or after ``after``; ``Idle`` when there are none; never ends by itself.

        Raises an error of the ``SRC`` family when ``epoch`` is not the source's or the position is gone.
        """
        ...

    def confirm(self, position: Position) -> None:
        """Tell the source that everything up to ``position`` is kept at the centre."""
        ...

    def close(self) -> None:
        """Give back connections; the position at the source stays."""
        ...
