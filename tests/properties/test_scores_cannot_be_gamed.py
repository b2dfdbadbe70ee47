"""Nothing an agency can leave out, hide or add raises its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from check_samples import sample_dataset, sample_dictionary
from lienthong.centre.measuring import MeasuredRule
from lienthong.centre.reading import RuleCount
from lienthong.check.dqi import Scoring, shipped_scoring
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Comparison, Criterion, Rule, RuleSet, Severity
from lienthong.dictionary.model import DatasetId, Text
from lienthong.oversight.overview import DatasetScore
from lienthong.oversight.sampling import Commitment, Sample, SampleStanding, StandingKind, Tally, stand
from lienthong.oversight.scores import score_dataset

DICTIONARY = sample_dictionary()
DATASET = sample_dataset()
NAMES = [DICTIONARY.elements[member.element].technical_name for member in DATASET.members]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
HAIR = 1e-9  # what rounding may add


def _compared(code: str, over: str, criterion: Criterion, element: str | None) -> Rule:
    return Rule(
        code=code,
        criterion=criterion,
        severity=Severity.ERROR,
        element=element,
        title=Text(vi=code),
        sentence=Text(vi=code),
        when="",
        check="",
        over=over,
        comparison=Comparison(dataset=DatasetId("khac"), on=(("so_dinh_danh", "so_dinh_danh"),)),
    )


DERIVED = derive_rules(DICTIONARY, DATASET)
RULES = replace(
    DERIVED,
    rules=(
        *DERIVED.rules,
        _compared("UN31", "reference", Criterion.UNIFIED, None),
        _compared("CR31", "agreement", Criterion.CORRECT, "gioi_tinh"),
        _compared("CL31", "near-duplicate", Criterion.CLEAN, None),
    ),
)
ROWS = [rule.name for rule in RULES.rules if rule.over in {None, "unique"}]
RUNS = [rule.name for rule in RULES.rules if rule.over in {"reference", "agreement", "near-duplicate"}]
FOUR = st.tuples(*[st.integers(0, 40)] * 4)


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that was observed of a dataset."""

    counts: tuple[RuleCount, ...]
    runs: tuple[MeasuredRule, ...]
    lag: tuple[int, int] | None
    readers: int
    expected: int
    sample: SampleStanding
    counted_at: datetime = NOW
    rules: RuleSet = field(default=RULES, repr=False)

    def score(self, scoring: Scoring | None = None) -> DatasetScore:
        return score_dataset(
            dictionary=DICTIONARY,
            rule_set=self.rules,
            rule_counts=self.counts,
            measured_rules=self.runs,
            lag=self.lag,
            readers=self.readers,
            readers_expected=self.expected,
            sample=self.sample,
            counted_at=self.counted_at,
            measured_at=NOW,
            scoring=scoring,
        )


def _count(name: str, numbers: Sequence[int]) -> RuleCount:
    passed, failed, skipped, broken = numbers
    return RuleCount(rule=name, passed=passed, failed=failed, not_applicable=skipped, not_evaluated=broken)


def _standing(right: int, wrong: int, undecided: int) -> SampleStanding:
    tally = Tally(right=right, wrong=wrong, undecided=undecided)
    return SampleStanding(
        kind=StandingKind.MEASURED, samples=(1,), measured_at=NOW, records=tally, elements=dict.fromkeys(NAMES, tally)
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    numbers = draw(st.lists(FOUR, min_size=len(ROWS), max_size=len(ROWS)))
    runs = draw(st.lists(FOUR, min_size=len(RUNS), max_size=len(RUNS)))
    lag = draw(st.none() | st.tuples(st.integers(0, 20), st.integers(0, 20)))
    return World(
        counts=tuple(_count(name, each) for name, each in zip(ROWS, numbers, strict=True)),
        runs=tuple(
            MeasuredRule(count=_count(name, each), measurement=1, measured_at=NOW - timedelta(days=1))
            for name, each in zip(RUNS, runs, strict=True)
        ),
        lag=None if lag is None else (lag[0], sum(lag)),
        readers=draw(st.integers(0, 5)),
        expected=draw(st.integers(0, 5)),
        sample=draw(
            st.builds(_standing, st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
            | st.just(SampleStanding(kind=StandingKind.NONE))
        ),
    )


def _not_raised(before: DatasetScore, after: DatasetScore) -> None:
    assert after.total <= before.total + HAIR
    for old, new in zip(before.criteria, after.criteria, strict=True):
        assert new.percent <= old.percent + HAIR, old.criterion


COLOURS = {"unknown": 0, "red": 0, "yellow": 1, "green": 2}


@given(worlds())
def test_a_score_lies_between_its_lowest_word_and_a_hundred(world: World) -> None:
    scored = world.score()
    assert 0 <= scored.minimum <= scored.total <= 100
    for word in scored.criteria:
        assert scored.minimum <= word.percent <= 100
        assert word.passed <= word.applicable
    for element in scored.elements:
        assert 0 <= element.minimum <= element.total <= 100


@given(worlds(), st.data())
def test_losing_results_never_raises_a_score(world: World, data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.sampled_from(ROWS)))
    silent = data.draw(st.sets(st.sampled_from(RUNS)))
    fewer = replace(
        world,
        counts=tuple(each for each in world.counts if each.rule not in lost),
        runs=tuple(each for each in world.runs if each.count.rule not in silent),
    )
    before, after = world.score(), fewer.score()
    _not_raised(before, after)
    assert COLOURS[after.colour] <= COLOURS[before.colour]


@given(worlds(), st.data())
def test_deleting_the_results_of_a_failing_rule_never_raises_a_score(world: World, data: st.DataObject) -> None:
    failing = [each.rule for each in world.counts if each.failed]
    if not failing:
        return
    chosen = data.draw(st.sampled_from(failing))
    _not_raised(
        world.score(),
        replace(world, counts=tuple(each for each in world.counts if each.rule != chosen)).score(),
    )


@given(worlds())
def test_not_measuring_lag_readers_or_grants_never_raises_a_score(world: World) -> None:
    before = world.score()
    for fewer in (
        replace(world, lag=None),
        replace(world, lag=(0, 0)),
        replace(world, readers=0),
        replace(world, expected=0),
    ):
        _not_raised(before, fewer.score())


@given(worlds(), st.integers(1, 400))
def test_growing_old_never_raises_a_score(world: World, days: int) -> None:
    older = replace(
        world,
        counted_at=NOW - timedelta(days=days),
        runs=tuple(replace(each, measured_at=each.measured_at - timedelta(days=days)) for each in world.runs),
    )
    _not_raised(world.score(), older.score())


@given(worlds(), st.sampled_from([StandingKind.STALE, StandingKind.LEFT]))
def test_leaving_a_committed_sample_unjudged_or_to_grow_old_never_raises_a_score(
    world: World, kind: StandingKind
) -> None:
    if world.sample.kind is StandingKind.MEASURED:
        _not_raised(world.score(), replace(world, sample=replace(world.sample, kind=kind)).score())


@given(worlds(), st.data())
def test_a_local_rule_never_changes_a_score(world: World, data: st.DataObject) -> None:
    numbers = data.draw(FOUR)
    pattern = data.draw(st.sampled_from(RULES.rules))
    local = replace(
        pattern, code="ZZ01", over=None, scored=False, identifier=data.draw(st.booleans()), comparison=None
    )
    more = replace(
        world,
        rules=replace(RULES, rules=(*RULES.rules, local)),
        counts=(*world.counts, _count(local.name, numbers)),
    )
    before, after = world.score(), more.score()
    assert (after.total, after.minimum, after.colour) == (before.total, before.minimum, before.colour)
    assert [(each.percent, each.colour, each.known) for each in after.criteria] == [
        (each.percent, each.colour, each.known) for each in before.criteria
    ]
    assert after.elements == before.elements


@given(worlds(), st.data(), st.integers(1, 20))
def test_more_failures_never_raise_a_score(world: World, data: st.DataObject, more: int) -> None:
    place = data.draw(st.integers(0, len(world.counts) - 1))
    counts = list(world.counts)
    if counts[place].passed + counts[place].failed + counts[place].not_evaluated == 0:
        return  # nothing was judged: the first failure is the first result
    counts[place] = replace(counts[place], failed=counts[place].failed + more)
    _not_raised(world.score(), replace(world, counts=tuple(counts)).score())


@given(worlds())
def test_the_order_in_which_results_come_changes_nothing(world: World) -> None:
    turned = replace(world, counts=world.counts[::-1], runs=world.runs[::-1])
    assert turned.score() == world.score()


def _sample(number: int, *, committed_days_ago: int, tally: Tally | None) -> Sample:
    return Sample(
        commitment=Commitment(
            number=number,
            dataset=DatasetId("nhan-khau"),
            snapshot="0" * 64,
            records=1_000,
            up_to_batch=1,
            wanted=100,
            assessors=1,
            committed_at=NOW - timedelta(days=committed_days_ago),
            committed_by="đơn vị vận hành",
        ),
        finished_at=None if tally is None else NOW - timedelta(days=committed_days_ago - 1),
        records=tally or Tally(),
        elements={} if tally is None else dict.fromkeys(NAMES, tally),
    )


TALLIES = st.builds(Tally, right=st.integers(30, 90), wrong=st.integers(0, 60), undecided=st.integers(0, 30))


@given(worlds(), st.lists(st.tuples(TALLIES, st.booleans()), max_size=3), TALLIES)
def test_committing_several_samples_and_judging_only_the_best_never_raises_a_score(
    world: World, tallies: list[tuple[Tally, bool]], left: Tally
) -> None:
    every = [*tallies, (left, False)]
    judged = [_sample(n, committed_days_ago=40, tally=each) for n, (each, _) in enumerate(every, 1)]
    hidden = [
        _sample(n, committed_days_ago=40, tally=each if kept else None) for n, (each, kept) in enumerate(every, 1)
    ]
    scoring = shipped_scoring()
    before = replace(world, sample=stand(judged, scoring=scoring, now=NOW))
    after = replace(world, sample=stand(hidden, scoring=scoring, now=NOW))
    assert after.sample.kind is StandingKind.LEFT
    _not_raised(before.score(), after.score())


@given(worlds(), st.sampled_from(sorted({rule.code for rule in RULES.rules})), st.floats(0.5, 5))
def test_weights_move_a_score_only_between_its_best_and_worst_rule(world: World, code: str, weight: float) -> None:
    scored = world.score(replace(shipped_scoring(), rules={code: weight}))
    for word in scored.criteria:
        counted = [rule.counted for rule in word.rules if rule.counted is not None]
        if word.known:
            assert min(counted) - HAIR <= word.percent <= max(counted) + HAIR
