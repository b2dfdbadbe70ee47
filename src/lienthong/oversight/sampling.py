"""Records drawn by lot and judged by people against the original papers (đánh giá mẫu).

Nobody may choose the clean part. First the dataset is committed: a hash over every record as it stands is published.
Only then a seed is published. The sample are the records with the smallest SHA-256 over seed, record id and the
committed hash, so anybody can draw it again. Assessors judge the committed version; what they cannot decide counts
as not right, and a sample left unjudged counts as nothing.
"""

from __future__ import annotations

import enum
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from lienthong.check.dqi import SampleScoring, Scoring, wilson_interval
from lienthong.dictionary.model import DatasetId
from lienthong.errors import Actor, LienthongError

RECORDS_MAX: Final = 10_000  # of one sample: people judge them
SEED_CHARACTERS_MIN: Final = 8
SEED_CHARACTERS_MAX: Final = 1_000
_BETWEEN: Final = "\n"  # stands in no seed and no hash


class SampleUnknown(LienthongError, code="OVS-201", actor=Actor.OPERATOR):
    """There is no sample of this number."""

    message = "there is no sample {sample}"
    hint = "list the samples of a dataset: lienthong sample result <dataset>"


class SampleOutOfOrder(LienthongError, code="OVS-202", actor=Actor.OPERATOR):
    """A step of a sample came before the one it rests on, or a second time."""

    message = "sample {sample} is {state}: {reason}"
    hint = (
        "the order is commit, seed, draw, judge, and no step is taken twice; begin a new sample if this one is lost"
    )


class SeedNotValid(LienthongError, code="OVS-203", actor=Actor.OPERATOR):
    """The seed cannot be drawn with."""

    message = "the seed cannot be used: {reason}"
    hint = "give a public random text made after the commitment, on one line, or let one be generated"


class SnapshotDiffers(LienthongError, code="OVS-204", actor=Actor.OPERATOR):
    """The records are not those that were committed."""

    message = "sample {sample} of {dataset} cannot be drawn: the committed records cannot be found again as they were"
    hint = "history at the centre was rewritten past the product: find out who did, and commit a new sample"


class JudgementNotValid(LienthongError, code="OVS-205", actor=Actor.STEWARD):
    """A judgement says two things at once, or is about something that was not drawn."""

    message = "the judgement cannot be kept: {reason}"
    hint = "say right, wrong with the wrong elements, or undecided; only of drawn records, once by each assessor"


class SampleSizeNotValid(LienthongError, code="OVS-206", actor=Actor.OPERATOR):
    """A sample of this size says nothing, or is more than people judge."""

    message = "a sample of {wanted} records with {assessors} assessors cannot be committed: {reason}"
    hint = "draw between 1 and {most} records, judged by 1 or 2 people each"


def check_seed(seed: str) -> str:
    """Return a seed that can be drawn with.

    Raises:
        SeedNotValid: it is too short, too long or not one line.
    """
    text = seed.strip()
    if not SEED_CHARACTERS_MIN <= len(text) <= SEED_CHARACTERS_MAX:
        raise SeedNotValid(reason=f"must have {SEED_CHARACTERS_MIN} to {SEED_CHARACTERS_MAX} characters")
    if any(not letter.isprintable() for letter in text):
        raise SeedNotValid(reason="must be one line of printable characters")
    return text


class Opinion(enum.Enum):
    """What an assessor says of a value or a record."""

    RIGHT = "right"  # đúng với giấy tờ, hồ sơ gốc
    WRONG = "wrong"  # sai
    UNDECIDED = "undecided"  # không xác định được


class SampleState(enum.Enum):
    """How far a sample has come."""

    COMMITTED = "committed"  # the hash is published, the seed is not
    SEEDED = "seeded"  # the seed is published, nothing is drawn
    DRAWN = "drawn"
    JUDGED = "judged"  # every record has all the opinions it needs


@dataclass(frozen=True, kw_only=True, slots=True)
class Commitment:
    """What is published before the lot is drawn (cam kết)."""

    number: int
    dataset: DatasetId
    snapshot: str  # SHA-256 over all records, hex
    records: int  # in the dataset
    up_to_batch: int  # the newest batch whose effect it holds
    wanted: int  # records to draw, decided before the seed is known
    assessors: int  # opinions each record needs, by different people
    committed_at: datetime
    committed_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What one assessor says of one drawn record; elements not named are right when the record was decided."""

    record_id: str
    assessor: str
    opinion: Opinion
    judged_at: datetime
    wrong: frozenset[str] = frozenset()  # technical names
    undecided: frozenset[str] = frozenset()
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Opinions that were counted."""

    right: int = 0
    wrong: int = 0
    undecided: int = 0

    @property
    def judged(self) -> int:
        """Return how many there are."""
        return self.right + self.wrong + self.undecided

    @property
    def interval(self) -> tuple[float, float]:
        """Return between which percentages the share that is right lies, with 95 % confidence."""
        return wilson_interval(successes=self.right, trials=self.judged)

    def __add__(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(
            right=self.right + other.right, wrong=self.wrong + other.wrong, undecided=self.undecided + other.undecided
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A sample as far as it has come."""

    commitment: Commitment
    seed: str | None = None
    seed_origin: str | None = None
    seeded_at: datetime | None = None
    drawn_at: datetime | None = None
    drawn: tuple[str, ...] = ()  # record ids, in the order of the lot
    settled: int = 0  # records that have all their opinions
    finished_at: datetime | None = None
    records: Tally = field(default_factory=Tally)
    elements: Mapping[str, Tally] = field(default_factory=dict)  # by technical name

    @property
    def state(self) -> SampleState:
        """Return how far it has come."""
        if self.seed is None:
            return SampleState.COMMITTED
        if self.drawn_at is None:
            return SampleState.SEEDED
        return SampleState.DRAWN if self.finished_at is None else SampleState.JUDGED


class SampleReader(Protocol):
    """Answer questions about samples."""

    def samples(self, dataset: DatasetId, *, limit: int) -> Sequence[Sample]:
        """Return the newest samples of a dataset, newest first."""
        ...


def lot(seed: str, record_id: str, snapshot: str) -> bytes:
    """Return the place of a record in the lot: the smallest are drawn. Anybody can compute it.

    SHA-256 over the UTF-8 of the seed, a line feed, the record id, a line feed, and the committed hash in hex.
    """
    return hashlib.sha256(_BETWEEN.join((seed, record_id, snapshot)).encode()).digest()


def draw(record_ids: Iterable[str], *, seed: str, snapshot: str, wanted: int) -> tuple[str, ...]:
    """Return the records that a seed draws, in the order of the lot; the same whatever order they come in."""
    return tuple(sorted(record_ids, key=lambda record_id: (lot(seed, record_id, snapshot), record_id))[:wanted])


def snapshot_hash(leaves: Iterable[bytes]) -> str:
    """Return the hash over the hashes of all records, whatever order they come in.

    Leaves are put in 256 buckets by their first byte and sorted within; the hash is over the buckets' hashes.
    Sorting, not adding, makes it independent of order: sums of hashes can be forged.
    """
    buckets: dict[int, list[bytes]] = {}
    for leaf in leaves:
        buckets.setdefault(leaf[0], []).append(leaf)
    whole = b"".join(hashlib.sha256(b"".join(sorted(buckets[first]))).digest() for first in sorted(buckets))
    return hashlib.sha256(whole).hexdigest()


def settle(judgements: Sequence[Judgement], *, assessors: int) -> Judgement | None:
    """Return the opinion of all assessors of one record, or None while some are missing.

    Where two people differ, nothing is decided: an element is wrong only if all say so and right only if all say so.
    """
    if len({each.assessor for each in judgements}) < assessors:
        return None
    last = max(judgements, key=lambda each: each.judged_at)
    wrong = frozenset.intersection(*(each.wrong for each in judgements))
    doubted = frozenset[str]().union(*(each.wrong | each.undecided for each in judgements)) - wrong
    opinions = {each.opinion for each in judgements}
    return Judgement(
        record_id=last.record_id,
        assessor=", ".join(sorted({each.assessor for each in judgements})),
        opinion=next(iter(opinions)) if len(opinions) == 1 else Opinion.UNDECIDED,
        judged_at=last.judged_at,
        wrong=wrong,
        undecided=doubted,
    )


def tally(settled: Sequence[Judgement], *, elements: Sequence[str]) -> tuple[Tally, Mapping[str, Tally]]:
    """Count records and elements: what nobody called wrong or undecided in a settled record is right."""
    opinions = Counter(each.opinion for each in settled)
    records = Tally(
        right=opinions[Opinion.RIGHT], wrong=opinions[Opinion.WRONG], undecided=opinions[Opinion.UNDECIDED]
    )
    counted: dict[str, Tally] = {}
    for name in elements:
        wrong = sum(name in each.wrong for each in settled)
        undecided = sum(name in each.undecided and name not in each.wrong for each in settled)
        counted[name] = Tally(right=len(settled) - wrong - undecided, wrong=wrong, undecided=undecided)
    return records, counted


def complete(judgement: Judgement, *, elements: Sequence[str]) -> Judgement:
    """Return a judgement that says of every element what it says of the record.

    Raises:
        JudgementNotValid: opinion and elements do not fit each other, or an element is not in the dataset.
    """
    unknown = sorted((judgement.wrong | judgement.undecided) - set(elements))
    if unknown:
        raise JudgementNotValid(reason=f"{unknown[0]} is no element of the dataset")
    if judgement.wrong & judgement.undecided:
        raise JudgementNotValid(reason="an element is both wrong and undecided")
    if judgement.opinion is Opinion.RIGHT and (judgement.wrong or judgement.undecided):
        raise JudgementNotValid(reason="a record that is right has no wrong or undecided element")
    if (judgement.opinion is Opinion.WRONG) != bool(judgement.wrong):
        raise JudgementNotValid(reason="a record is wrong exactly when some element of it is: name the element")
    if judgement.opinion is Opinion.UNDECIDED and not judgement.undecided:
        return replace(judgement, undecided=frozenset(elements))
    return judgement


class StandingKind(enum.Enum):
    """What the samples of a dataset say now."""

    NONE = "none"  # no sample was ever committed
    PENDING = "pending"  # one is on its way, within its time
    TOO_SMALL = "too-small"  # fewer records were judged than say something
    MEASURED = "measured"
    STALE = "stale"  # the last result is older than it counts
    LEFT = "left"  # a committed sample was not judged in time

    @property
    def counts_zero(self) -> bool:
        """Return whether a result that ought to be there is not."""
        return self in {StandingKind.STALE, StandingKind.LEFT}


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleStanding:
    """What the samples in force say together (kết quả đánh giá mẫu)."""

    kind: StandingKind
    samples: tuple[int, ...] = ()
    measured_at: datetime | None = None
    records: Tally = field(default_factory=Tally)
    elements: Mapping[str, Tally] = field(default_factory=dict)


def stand(samples: Sequence[Sample], *, scoring: Scoring, now: datetime) -> SampleStanding:
    """Put together every sample judged lately: who committed several cannot choose the best of them.

    A sample that was committed and not judged in time makes the whole part count 0, whatever others said.
    """
    rules: SampleScoring = scoring.sample
    if not samples:
        return SampleStanding(kind=StandingKind.NONE)
    patience, valid = timedelta(days=rules.judge_within_days), timedelta(days=scoring.valid_days.sample)
    open_ = [each for each in samples if each.finished_at is None]
    finished = sorted(
        (each for each in samples if each.finished_at is not None), key=lambda each: each.finished_at or now
    )
    fresh = [each for each in finished if each.finished_at is not None and now - each.finished_at <= valid]
    left = [each for each in open_ if patience < now - each.commitment.committed_at <= patience + valid]
    taken = fresh or finished[-1:]
    records, elements = Tally(), dict[str, Tally]()
    for each in taken:
        records = records + each.records
        for name, counted in each.elements.items():
            elements[name] = elements.get(name, Tally()) + counted
    if left:
        kind = StandingKind.LEFT
    elif not finished:
        kind = StandingKind.PENDING
    elif not fresh:
        kind = StandingKind.STALE
    else:
        kind = StandingKind.MEASURED if records.judged >= rules.records_min else StandingKind.TOO_SMALL
    return SampleStanding(
        kind=kind,
        samples=tuple(each.commitment.number for each in taken),
        measured_at=max((each.finished_at for each in taken if each.finished_at is not None), default=None),
        records=records,
        elements=elements,
    )
