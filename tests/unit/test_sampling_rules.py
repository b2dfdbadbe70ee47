"""Drawing and settling: reproducible by anybody, and nothing is decided that people did not agree on."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.check.dqi import shipped_scoring
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.sampling import (
    Commitment,
    Judgement,
    Opinion,
    Sample,
    StandingKind,
    Tally,
    complete,
    draw,
    settle,
    snapshot_hash,
    stand,
    tally,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SCORING = shipped_scoring()
LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=60, unique=True)
ELEMENTS = ("ho_va_ten", "ngay_sinh", "gioi_tinh")


@given(LEAVES, st.randoms())
def test_the_hash_of_a_snapshot_does_not_depend_on_order(leaves: list[bytes], chance: random.Random) -> None:
    mixed = leaves.copy()
    chance.shuffle(mixed)
    assert snapshot_hash(mixed) == snapshot_hash(leaves)


@given(LEAVES, st.binary(min_size=32, max_size=32))
def test_the_hash_of_a_snapshot_changes_with_any_record(leaves: list[bytes], other: bytes) -> None:
    if other in leaves:
        return
    whole = snapshot_hash(leaves)
    assert len({whole, snapshot_hash([*leaves, other]), snapshot_hash([other, *leaves[1:]])}) == 3


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40), st.integers(1, 10), st.randoms())
def test_a_draw_is_the_same_whatever_order_records_come_in(
    records: list[str], wanted: int, chance: random.Random
) -> None:
    mixed = records.copy()
    chance.shuffle(mixed)
    found = draw(records, seed="hạt giống", snapshot="0" * 64, wanted=wanted)
    assert draw(mixed, seed="hạt giống", snapshot="0" * 64, wanted=wanted) == found
    assert len(found) == min(wanted, len(records))


def test_another_seed_or_another_snapshot_draws_other_records() -> None:
    records = [f"r{n}" for n in range(1_000)]
    one = draw(records, seed="hạt giống 1", snapshot="0" * 64, wanted=20)
    assert draw(records, seed="hạt giống 2", snapshot="0" * 64, wanted=20) != one
    assert draw(records, seed="hạt giống 1", snapshot="1" * 64, wanted=20) != one


def test_every_record_is_as_likely_as_another() -> None:
    records = [f"r{n}" for n in range(20)]
    times = dict.fromkeys(records, 0)
    for seed in range(2_000):
        for each in draw(records, seed=f"hạt giống {seed}", snapshot="0" * 64, wanted=5):
            times[each] += 1
    assert max(times.values()) - min(times.values()) < 200  # 500 each; seven standard deviations


def judgement(by: str, said: Opinion, *, wrong: tuple[str, ...] = (), undecided: tuple[str, ...] = ()) -> Judgement:
    return complete(
        Judgement(
            record_id="r1",
            assessor=by,
            opinion=said,
            judged_at=NOW,
            wrong=frozenset(wrong),
            undecided=frozenset(undecided),
        ),
        elements=ELEMENTS,
    )


OPINIONS = st.one_of(
    st.just((Opinion.RIGHT, (), ())),
    st.builds(lambda names: (Opinion.WRONG, tuple(names), ()), st.sets(st.sampled_from(ELEMENTS), min_size=1)),
    st.builds(lambda names: (Opinion.UNDECIDED, (), tuple(names)), st.sets(st.sampled_from(ELEMENTS))),
)


@given(OPINIONS, OPINIONS)
def test_an_element_is_right_or_wrong_only_where_both_people_say_so(one, two) -> None:
    first = judgement("an", one[0], wrong=one[1], undecided=one[2])
    second = judgement("bình", two[0], wrong=two[1], undecided=two[2])
    settled = settle([first, second], assessors=2)
    assert settled is not None
    assert settle([second, first], assessors=2) == settled
    _, counted = tally([settled], elements=ELEMENTS)
    for name in ELEMENTS:
        says = {
            "wrong" if name in each.wrong else "undecided" if name in each.undecided else "right"
            for each in (first, second)
        }
        agreed = says.pop() if len(says) == 1 else "undecided"
        assert getattr(counted[name], agreed) == 1, name


def test_one_opinion_of_two_settles_nothing() -> None:
    assert settle([judgement("an", Opinion.RIGHT)], assessors=2) is None


def sample(*, committed_days: float, finished_days: float | None, counted: Tally | None = None) -> Sample:
    return Sample(
        commitment=Commitment(
            number=1,
            dataset=DatasetId("nhan-khau"),
            snapshot="0" * 64,
            records=1_000,
            up_to_batch=9,
            wanted=100,
            assessors=1,
            committed_at=NOW - timedelta(days=committed_days),
            committed_by="Trung tâm",
        ),
        finished_at=None if finished_days is None else NOW - timedelta(days=finished_days),
        records=counted or Tally(right=90, wrong=10),
        elements={"ho_va_ten": counted or Tally(right=90, wrong=10)},
    )


@pytest.mark.parametrize(
    ("samples", "kind"),
    [
        ([], StandingKind.NONE),
        ([sample(committed_days=5, finished_days=None)], StandingKind.PENDING),
        ([sample(committed_days=32, finished_days=None)], StandingKind.LEFT),
        ([sample(committed_days=20, finished_days=10)], StandingKind.MEASURED),
        ([sample(committed_days=120, finished_days=93)], StandingKind.STALE),
        ([sample(committed_days=20, finished_days=10, counted=Tally(right=29))], StandingKind.TOO_SMALL),
        (
            [sample(committed_days=32, finished_days=None), sample(committed_days=40, finished_days=10)],
            StandingKind.LEFT,
        ),
        (
            [sample(committed_days=3, finished_days=None), sample(committed_days=40, finished_days=10)],
            StandingKind.MEASURED,
        ),
    ],
)
def test_samples_stand_by_what_was_promised_and_when(samples: list[Sample], kind: StandingKind) -> None:
    assert stand(samples, scoring=SCORING, now=NOW).kind is kind


def test_all_samples_judged_lately_count_together() -> None:
    together = stand(
        [
            sample(committed_days=20, finished_days=10, counted=Tally(right=40, wrong=10)),
            sample(committed_days=40, finished_days=30, counted=Tally(right=50)),
            sample(committed_days=200, finished_days=180, counted=Tally(wrong=500)),
        ],
        scoring=SCORING,
        now=NOW,
    )
    assert (together.records, together.elements["ho_va_ten"]) == (
        Tally(right=90, wrong=10),
        Tally(right=90, wrong=10),
    )
    assert together.measured_at == NOW - timedelta(days=10)
