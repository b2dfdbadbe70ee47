"""Look-ups that got no good answer feed the repair loop (Nghị quyết 66.7/2025/NQ-CP, Điều 8).

Who asked needs the paper instead, within eight working hours, and the owner has a record to mend. The key that was
asked for is never kept: a case holds a digest of it, made with a secret that only the centre's own role reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from lienthong.dictionary.model import DatasetId
from lienthong.oversight.repair import CaseState


@dataclass(frozen=True, kw_only=True, slots=True)
class LookUpCase:
    """What the agency that asked may know of its case."""

    number: int
    dataset: DatasetId
    outcome: str  # "not-found", "incomplete", "disputed"
    state: CaseState
    owner: str
    opened_at: datetime
    answer_by: datetime | None  # by when the agency that asked needs the paper instead
    planned_on: date | None
    closed_at: datetime | None


class LookUpCases(Protocol):
    """Note look-ups without a good answer, and say what became of them."""

    def note(
        self,
        *,
        dataset: DatasetId,
        key: Sequence[str],
        outcome: str,
        requester: str,
        purpose: str,
        records: Sequence[str],
        at: datetime,
    ) -> int:
        """Open a case, or add to the one open for the same key, and return its number."""
        ...

    def state(self, number: int, *, requester: str) -> LookUpCase | None:
        """Return a case the agency brought about; None for every other number."""
        ...
