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
    """One rule's part of a score; ``percent`` is None when nothing was applicable or there is no result in force.

    ``counted`` is what enters the mean: the percentage, 0 where a result is missing or too old, None where the rule
    takes no part because it applies to nothing or only shows.
    """

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
    not_applicable: int = 0
    state: str = "measured"  # "measured" | "nothing-to-measure" | "no-result" | "stale"
    counted: float | None = None
    scored: bool = True  # False: a local rule, which only shows
    over: str | None = None  # Rule.over
    version: int = 1
    measurement: int | None = None  # the run, or the sample, that the numbers come from
    measured_at: datetime | None = None
    age_days: float | None = None

    @property
    def known(self) -> bool:
        """Return whether there is a result in force."""
        return self.percent is not None


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
    passed: int = 0  # numerator: judgements of scored rules that passed
    applicable: int = 0  # denominator
    without_result: int = 0  # scored rules that count 0 because their result is missing or too old


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementWord:
    """One word of one element: of those words only that some scored rule asks of it."""

    criterion: str
    title_vi: str
    percent: float
    known: bool
    colour: str
    passed: int
    applicable: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementScore:
    """An element of a dataset, or the record as a whole where ``element`` is None (điểm của trường)."""

    element: str | None  # technical name
    title_vi: str
    identifier: bool
    weight: float
    words: tuple[ElementWord, ...]
    total: float
    minimum: float
    colour: str
    severe: bool
    failed: int  # judgements of scored rules that failed


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
    elements: tuple[ElementScore, ...] = ()  # the worst first
    elements_below: int = 0  # elements under the threshold
    elements_mean: float | None = None  # the mean of the elements, the other way to add up
    threshold_percent: float = 90.0  # from which an element is green
    rule_set: str = ""  # RuleSet.digest
    dictionary_version: str = ""
    scoring: str = ""  # Scoring.digest

    @property
    def unknown_words(self) -> int:
        """Return how many of the six words could not be measured."""
        return sum(not word.known for word in self.criteria)


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
