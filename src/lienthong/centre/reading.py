"""What the faces may ask of the centre; plain values only."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from lienthong.centre.ports import LinkState
from lienthong.dictionary.model import DatasetId


class LookupOutcome(enum.Enum):
    """The four answers to a question about a record, and one for records that were withdrawn."""

    FOUND = "found"
    NOT_FOUND = "not-found"
    INCOMPLETE = "incomplete"  # the record is held in quarantine
    DISPUTED = "disputed"  # several records claim the key
    CANCELLED = "cancelled"  # the source withdrew it


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where a record comes from."""

    record_id: str  # IdBanGhi
    event: str  # SuKien
    version: int  # PhienBan
    source: str
    table: str
    position: str
    source_time: datetime
    batch_id: int
    applied_at: datetime
    dictionary_version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFinding:
    """One open finding of a record."""

    rule: str
    element: str | None
    severity: str
    observed: str | None  # masked
    opened_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRecord:
    """A record as the centre keeps it; ``values`` by technical name, plain JSON types, dates as ISO text."""

    values: Mapping[str, object]
    provenance: Provenance
    findings: tuple[RecordFinding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupResult:
    """The answer to a look-up by business key."""

    outcome: LookupOutcome
    records: tuple[StoredRecord, ...]  # one when FOUND, several when DISPUTED, none otherwise
    reasons: tuple[RecordFinding, ...] = ()  # why it is INCOMPLETE


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleCount:
    """How one rule stands over all records of a dataset (kept and quarantined)."""

    rule: str  # Rule.name
    passed: int
    failed: int
    not_applicable: int
    not_evaluated: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetCount:
    """How much a dataset holds."""

    dataset: DatasetId
    rows: int  # accepted, current
    quarantined: int  # open cases
    history: int  # earlier versions
    findings: int  # open


@dataclass(frozen=True, kw_only=True, slots=True)
class FailingRow:
    """One failing row, masked."""

    record_id: str
    label: str  # a masked value that lets its owner recognise the record
    observed: str | None
    quarantined: bool
    opened_at: datetime
    batch_id: int  # that opened it; where a measurement did, that brought the record
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchLine:
    """One line of the batch journal."""

    batch_id: int
    source: str
    position: str
    snapshot: bool
    read: int
    applied: int
    quarantined: int
    superseded: int
    filtered: int
    source_time: datetime | None
    applied_at: datetime


class CentreReader(Protocol):
    """Answer questions of the faces with a role that can only read."""

    def links(self) -> tuple[LinkState, ...]:
        """Return all links."""
        ...

    def counts(self) -> Mapping[DatasetId, DatasetCount]:
        """Return how much each dataset holds."""
        ...

    def rule_counts(self, dataset: DatasetId) -> tuple[RuleCount, ...]:
        """Return how each rule stands, from counters kept by the batches."""
        ...

    def lag_share(self, dataset: DatasetId, *, since: datetime, allowed_lag_s: int) -> tuple[int, int]:
        """Return (changes visible within the promise, changes) of streamed batches applied since then."""
        ...

    def readers(self, dataset: DatasetId, *, since: datetime) -> int:
        """Return how many distinct agencies read records since then."""
        ...

    def grantees(self, dataset: DatasetId, *, on: date) -> int:
        """Return how many distinct agencies hold a grant in force on a day."""
        ...

    def failing_rows(self, dataset: DatasetId, rule: str, *, limit: int) -> tuple[FailingRow, ...]:
        """Return open findings of a rule, newest first."""
        ...

    def batches(self, *, limit: int) -> tuple[BatchLine, ...]:
        """Return the newest batches."""
        ...

    def lookup(self, dataset: DatasetId, key: Sequence[str]) -> LookupResult:
        """Return the record with this business key, given as the texts of its parts."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...
