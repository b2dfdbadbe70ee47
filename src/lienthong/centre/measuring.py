"""Measurements of a dataset: runs over records as they stand at the centre, and what each rule came to.

A batch judges the rows it carries. What needs other records (references, agreement, near-duplicates), and the proof
that the counters of the batches are right, is measured by runs. How a run went and what it found are two facts: a run
that failed has no result, and no result is never a pass.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from lienthong.centre.reading import RuleCount
from lienthong.check.columns import AGE_DAYS, MEASURED_DAY
from lienthong.check.verdict import Rule
from lienthong.dictionary.model import DatasetId

REFERENCE: Final = "reference"  # the compared record exists
AGREEMENT: Final = "agreement"  # its values are the same
NEAR_DUPLICATE: Final = "near-duplicate"  # another record of the dataset resembles it
FRESHNESS: Final = "freshness"  # a rule about one row that asks how old it is: not written in a rule, found in it
MEASURED: Final = frozenset({REFERENCE, AGREEMENT, NEAR_DUPLICATE})  # what only a measurement evaluates
BLOCK_RECORDS_MAX: Final = 100  # records compared each with each; in a larger block none could be evaluated

_TELLS_TIME: Final = re.compile(rf"\b({MEASURED_DAY}|{AGE_DAYS})\b")


def measured_kind(rule: Rule) -> str | None:
    """Return what a measurement evaluates a rule as; None where batches evaluate it.

    A rule that asks for the day of the measurement says nothing about a row that arrives, and another thing tomorrow.
    """
    if rule.over in MEASURED:
        return rule.over
    tells_time = rule.over is None and _TELLS_TIME.search(f"{rule.when} {rule.check}") is not None
    return FRESHNESS if tells_time else None


class RunState(enum.Enum):
    """How a run went."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"  # it could not be carried out; there is no result


class ResultState(enum.Enum):
    """What a completed run found."""

    PASSED = "passed"  # no rule failed
    FOUND = "found"  # at least one rule failed on at least one record
    PARTIAL = "partial"  # none failed, but at least one rule could not be carried out at all
    VOID = "void"  # rows examined are not rows present, or the run did not complete


class Extent(enum.Enum):
    """How much a run looked at."""

    WHOLE = "whole"  # every record
    CHANGED = "changed"  # records touched since the run before it, on either side of a comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One run over one dataset (lần đo)."""

    id: int
    dataset: DatasetId
    extent: Extent
    engine: str  # "postgres", "duckdb", "polars", "spark", "sail"
    rule_set: str  # RuleSet.digest
    dictionary_version: str
    began_at: datetime
    ended_at: datetime | None
    run_state: RunState
    result_state: ResultState | None  # None while it runs
    error: str | None  # code of the refusal that ended a failed run; no values of records
    rows_present: int | None
    rows_examined: int | None
    up_to_batch: int | None  # newest batch whose effect it saw
    opened: int = 0  # findings it opened
    closed: int = 0  # findings it closed
    rows_touched: int | None = None  # records it looked at itself; the others stand as the run before it found them


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredRule:
    """How a rule of a measurement stands after it, over all records of the dataset."""

    count: RuleCount
    measurement: int
    measured_at: datetime
    error: str | None = None  # why the rule could not be carried out on any record


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorePoint:
    """A score as it stood at one moment, with what it was made of (điểm tại một thời điểm)."""

    dataset: DatasetId
    measured_at: datetime
    criterion: str  # Criterion.value, or "total"
    percent: float  # 0 where nothing could be measured
    known: bool
    passed: int
    applicable: int
    rule_set: str  # RuleSet.digest
    scoring: str  # digest of weights and thresholds
    baseline: bool = False  # the first one of its dataset and criterion, kept for ever


class MeasurementReader(Protocol):
    """Answer questions about measurements with a role that can only read."""

    def measurements(self, dataset: DatasetId, *, limit: int) -> Sequence[Measurement]:
        """Return the newest runs of a dataset, newest first."""
        ...

    def measured_rules(self, dataset: DatasetId) -> Sequence[MeasuredRule]:
        """Return how each rule of a measurement stood after its last completed, not void run."""
        ...

    def score_history(self, dataset: DatasetId, *, since: datetime) -> Sequence[ScorePoint]:
        """Return the scores since a moment, oldest first, and before them the baselines, however old."""
        ...


class ScoreKeeper(Protocol):
    """Keep scores over time; what is kept is never changed."""

    def record_scores(self, points: Sequence[ScorePoint]) -> int:
        """Keep scores and return how many are new; the first of a dataset and criterion becomes its baseline."""
        ...
