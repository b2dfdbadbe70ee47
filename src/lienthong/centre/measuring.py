"""Measurements of a dataset: runs over records as they stand at the centre, and what each rule came to.

A batch judges the rows it carries. What needs other records (references, agreement, near-duplicates), and the proof
that the counters of the batches are right, is measured by runs. How a run went and what it found are two facts: a run
that failed has no result, and no result is never a pass.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lienthong.centre.reading import RuleCount
from lienthong.dictionary.model import DatasetId


class RunState(enum.Enum):
    """How a run went."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"  # it could not be carried out; there is no result


class ResultState(enum.Enum):
    """What a completed run found."""

    PASSED = "passed"  # no rule failed
    FOUND = "found"  # at least one rule failed on at least one record
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


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredRule:
    """How a rule of a measurement stands after it, over all records of the dataset."""

    count: RuleCount
    measurement: int
    measured_at: datetime


class MeasurementReader(Protocol):
    """Answer questions about measurements with a role that can only read."""

    def measurements(self, dataset: DatasetId, *, limit: int) -> Sequence[Measurement]:
        """Return the newest runs of a dataset, newest first."""
        ...

    def measured_rules(self, dataset: DatasetId) -> Sequence[MeasuredRule]:
        """Return how each rule of a measurement stood after its last completed, not void run."""
        ...
