"""The unit of effect: one transaction at the centre, and the equation it must satisfy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lienthong.check.verdict import JudgedBatch
from lienthong.dictionary.model import Dataset
from lienthong.errors import Actor, LienthongError
from lienthong.sources.change import Epoch, Position, SourceId, TableName


@dataclass(frozen=True, kw_only=True, slots=True)
class Truncation:
    """The source emptied a table: every record that came from it is cancelled."""

    dataset: Dataset
    table: TableName
    version: int
    number: int
    source_time: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Everything one delivery does to the centre; applied whole or not at all (lô đồng bộ)."""

    source: SourceId
    epoch: Epoch
    end: Position
    snapshot: bool
    read: int
    filtered: int  # changes of tables that no mapping takes
    parts: tuple[JudgedBatch | Truncation, ...]  # in order
    dictionary_version: str


class BatchOutOfBalance(LienthongError, code="CEN-001", actor=Actor.DEVELOPER):
    """A batch whose counts do not add up is rolled back."""

    message = (
        "batch of {source} does not balance: read {read}, applied {applied}, quarantined {quarantined}, "
        "superseded {superseded}, filtered {filtered}"
    )
    hint = "nothing was stored; report this with the batch's position {position}"


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReceipt:
    """What a batch did, as counted by the transaction itself."""

    batch_id: int
    source: SourceId
    end: Position
    read: int
    applied: int
    quarantined: int
    superseded: int
    filtered: int
    findings_opened: int
    findings_closed: int
    applied_at: datetime

    def __post_init__(self) -> None:
        if self.read != self.applied + self.quarantined + self.superseded + self.filtered:
            raise BatchOutOfBalance(
                source=self.source,
                read=self.read,
                applied=self.applied,
                quarantined=self.quarantined,
                superseded=self.superseded,
                filtered=self.filtered,
                position=self.end,
            )
