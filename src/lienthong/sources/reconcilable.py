"""What the platform asks of a source so that it can be compared with the centre at one position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lienthong.sources.change import Delivery, Epoch, Position, SourceId, SourceTable, TableName


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A state of the source: exactly what the transactions committed before ``position`` made of it."""

    epoch: Epoch
    position: Position
    time: datetime  # when the source stood so, by its own clock; shown, never compared
    tables: tuple[SourceTable, ...]


class Reconcilable(Protocol):
    """Read the rows of a source as they were at one position, in the text the stream gives, as often as needed.

    The contract: a change is in the rows if and only if the stream would not yield it after ``Moment.position``; the
    source is only read, on one connection that takes no lock a writer could wait for.
    """

    @property
    def source(self) -> SourceId:
        """Return the name of the link."""
        ...

    def fix(self) -> Moment:
        """Enter a new moment and give up the one before.

        Raises:
            LienthongError: of the SRC family.
        """
        ...

    def rows(self, table: TableName) -> Iterator[Delivery]:
        """Yield all rows of a table as of the moment; only after ``fix``, and again as often as asked."""
        ...

    def close(self) -> None:
        """Leave the moment and give back connections."""
        ...
