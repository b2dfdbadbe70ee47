"""What a leader sees at a glance; plain values for the faces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lienthong.centre.reading import BatchLine


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
    applied_at: datetime | None = None  # when the centre last changed because of this source
    allowed_lag_s: int | None = None  # promised; None when the dictionary does not know the dataset


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
    severe: bool = False  # an identifier is under the percentage asked of identifiers


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


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskLine:
    """One task of the action plan, with how it stands today; None means the sources do not say."""

    id: str
    section: str
    text: str
    lead: tuple[str, ...]
    cooperate: tuple[str, ...]
    guidance_from: tuple[str, ...]
    excluded: tuple[str, ...]
    due_vi: str
    last_day: date | None
    standing: str  # StandingKind.value
    slip_days: int | None
    days_left: int | None
    outcome: str | None  # the document that fulfils it
    outcome_on: date | None
    outcome_source: str | None
    outcome_from: str | None  # the task of which this one is a word-for-word repetition
    related: str | None
    related_on: date | None
    related_note: str | None
    notes: tuple[str, ...]
    parent: str | None
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Everything the overview page shows, as of one moment."""

    made_at: datetime
    databases: tuple[DatabaseLine, ...]
    scores: tuple[DatasetScore, ...]
    batches: tuple[BatchLine, ...]  # newest first
    tasks: tuple[TaskLine, ...]  # in the order of the plan
