"""What the platform asks of the store that keeps the centre's state, for writing and for reading."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lienthong.centre.batch import Batch, BatchReceipt
from lienthong.check.verdict import RuleSet
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.sources.change import Epoch, Position, SourceId, TableName


class Phase(enum.Enum):
    """How far a link has come."""

    NEW = "new"
    SNAPSHOT = "snapshot"
    STREAM = "stream"


class LinkStatus(enum.Enum):
    """The five states a link can be in."""

    HEALTHY = "healthy"
    CATCHING_UP = "catching-up"
    WAITING_FOR_SOURCE = "waiting-for-source"
    WAITING_FOR_DECISION = "waiting-for-decision"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkState:
    """What the centre remembers of a link."""

    source: SourceId
    phase: Phase
    epoch: Epoch | None
    position: Position | None  # end of the last commit applied
    plan_digest: str  # mappings + dictionary + rules the stored rows were made with
    status: LinkStatus
    reason: str | None  # error code and message when it is not healthy, no personal data
    next_action: str | None
    heartbeat_at: datetime | None  # last moment the source answered
    source_time: datetime | None  # commit time of the newest change applied
    applied_at: datetime | None
    rows_done: int  # during a snapshot
    rows_estimated: int


class CentreStore(Protocol):
    """Keep records, history, quarantine, findings, counters and positions; one transaction a batch."""

    def prepare(self, dictionary: Dictionary, rule_sets: Mapping[DatasetId, RuleSet]) -> None:
        """Create or extend the derived tables; raise when an existing table has another shape."""
        ...

    def link(self, source: SourceId) -> LinkState | None:
        """Return what is remembered of a link."""
        ...

    def begin_snapshot(
        self,
        source: SourceId,
        *,
        epoch: Epoch,
        position: Position,
        plan_digest: str,
        rows_estimated: int,
        at: datetime,
    ) -> None:
        """Note that a snapshot starts; rows stored before it stay until it ends."""
        ...

    def finish_snapshot(
        self, source: SourceId, *, tables: Sequence[tuple[TableName, DatasetId]], position: Position, at: datetime
    ) -> int:
        """Cancel the records the snapshot did not see, go over to streaming; return how many were cancelled."""
        ...

    def images(self, dataset: DatasetId, record_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the raw images (JSON) of records that are kept or in open quarantine, by record id."""
        ...

    def apply(self, batch: Batch, *, at: datetime) -> BatchReceipt:
        """Apply a batch in one transaction with its position; apply nothing if it was applied before."""
        ...

    def heartbeat(self, source: SourceId, *, position: Position, at: datetime) -> None:
        """Note that the source answered and has nothing new before ``position``."""
        ...

    def report(
        self, source: SourceId, *, status: LinkStatus, reason: str | None, next_action: str | None, at: datetime
    ) -> None:
        """Note the state of a link."""
        ...

    def ask_snapshot(self, source: SourceId) -> bool:
        """Have the next start of a link take a new snapshot; return whether the link is known."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...
