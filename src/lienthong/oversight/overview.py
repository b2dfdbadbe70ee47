"""What a leader sees at a glance; plain values for the faces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How far the centre is behind a source; an idle source is not lagging."""

    state: str  # "idle" | "moving" | "snapshot" | "silent" | "stopped"
    seconds: float | None  # commit at the source → visible at the centre, of the newest batch; None when unknown
    heartbeat_age_s: float | None
    progress: float | None = None  # 0..1 while a snapshot runs


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseLine:
    """One database of the overview."""

    source: str
    dataset: str
    title_vi: str
    owner: str
    rows: int
    quarantined: int
    history: int
    status: str  # LinkStatus.value
    reason: str | None
    next_action: str | None
    lag: Lag
    position: str | None
    source_time: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleScore:
    """One rule's part of a score; ``percent`` is None when nothing was applicable."""

    rule: str
    code: str
    element: str | None
    element_vi: str | None
    sentence_vi: str
    severity: str
    weight: float
    passed: int
    applicable: int
    failed: int
    not_evaluated: int
    percent: float | None
    basis: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CriterionScore:
    """One of the six words; ``percent`` 0 and ``known`` False when it could not be measured."""

    criterion: str  # Criterion.value
    title_vi: str
    percent: float
    known: bool
    colour: str  # "green" | "yellow" | "red" | "unknown"
    rests_on_vi: str  # what the figure rests on, in words
    rules: tuple[RuleScore, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetScore:
    """The six words of a dataset."""

    dataset: str
    title_vi: str
    measured_at: datetime
    rows: int
    criteria: tuple[CriterionScore, ...]
    total: float  # DQI
    minimum: float
    colour: str
