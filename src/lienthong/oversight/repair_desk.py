"""What the faces may ask of the repair loop, and what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from lienthong.dictionary.model import DatasetId
from lienthong.oversight.officers import Officer
from lienthong.oversight.repair import CaseEvent, CaseKind, CaseState, Claim, RepairCase, Step

CASES_MAX = 5_000  # of one question
MEMBERS_MAX = 10_000  # of one question; an export asks again from where it stopped


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFilter:
    """Which cases are wanted; None leaves a part open."""

    agency: str | None = None
    dataset: DatasetId | None = None
    kind: CaseKind | None = None
    state: CaseState | None = None
    only_open: bool = True
    opened_since: datetime | None = None
    ended_since: datetime | None = None  # with ``only_open`` False: open ones and those that ended since


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseMember:
    """One record of a case; what was observed is masked."""

    finding: int
    record_id: str
    observed: str | None
    opened_at: datetime
    ended_at: datetime | None
    ended: str | None  # "passed", "withdrawn", "rule-gone", "again"
    unproven: bool  # its finding is closed, but the rule could not be evaluated
    claimed: bool
    excepted: bool
    quarantined: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One agency that asked and got no good answer."""

    at: datetime
    requester: str
    purpose: str
    outcome: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseView:
    """A case with its record."""

    case: RepairCase
    events: tuple[CaseEvent, ...]  # oldest first
    claims: tuple[Claim, ...]
    looks: tuple[Look, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What an officer wants done with a case."""

    step: Step
    by: Officer
    reason: str | None = None
    planned_on: date | None = None
    records: tuple[str, ...] = ()  # of a claim; none: all that are open
    rule_version: int = 1  # of a claim


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncResult:
    """What one pass over a dataset did."""

    dataset: DatasetId
    opened: int  # cases
    closed: int
    reopened: int
    joined: int  # records
    ended: int
    reconciled: bool  # everything was compared


class RepairDesk(Protocol):
    """Keep cases, their records and what was done about them."""

    def cases(self, wanted: CaseFilter) -> Sequence[RepairCase]:
        """Return cases, newest first, at most ``CASES_MAX``."""
        ...

    def case(self, number: int) -> CaseView:
        """Return a case with its record.

        Raises:
            CaseUnknown: there is none.
        """
        ...

    def members(self, number: int, *, after: int = 0, limit: int, only_open: bool = True) -> Sequence[CaseMember]:
        """Return records of a case in the order of their findings, from behind one of them."""
        ...

    def take(self, number: int, wish: Wish, *, at: datetime) -> RepairCase:
        """Take a step and return the case after it; all of it is kept or none.

        Raises:
            LienthongError: the step is refused, or the store does not answer.
        """
        ...
