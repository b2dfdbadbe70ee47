"""The six words: arithmetic, what is unknown, what is severe, and what each figure says it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_samples import sample_dataset, sample_dictionary
from lienthong.centre.reading import RuleCount
from lienthong.check.dqi import ScoringNotValid, load_scoring, rule_percent, shipped_scoring, weighted_mean
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Criterion
from lienthong.oversight.overview import CriterionScore, DatasetScore
from lienthong.oversight.scores import score_dataset

DICTIONARY = sample_dictionary()
RULES = derive_rules(DICTIONARY, sample_dataset())
NOW = datetime(2026, 11, 23, tzinfo=UTC)
COUNTS = st.tuples(*[st.integers(0, 50)] * 4)


def count(rule: str, passed: int = 10, failed: int = 0, skipped: int = 0, broken: int = 0) -> RuleCount:
    return RuleCount(rule=rule, passed=passed, failed=failed, not_applicable=skipped, not_evaluated=broken)


def score(*changed: RuleCount, **facts: Any) -> DatasetScore:
    """Score ten rows that pass every rule, but for the counts given."""
    by_name = {rule.name: count(rule.name) for rule in RULES.rules if rule.over in {None, "unique"}}
    by_name.update({each.rule: each for each in changed})
    given = {"lag": (10, 10), "readers": 1, "readers_expected": 1, "rule_counts": tuple(by_name.values()), **facts}
    return score_dataset(dictionary=DICTIONARY, rule_set=RULES, measured_at=NOW, **given)


def word(scored: DatasetScore, criterion: Criterion) -> CriterionScore:
    return next(each for each in scored.criteria if each.criterion == criterion.value)


def test_rows_that_pass_everything_score_a_hundred() -> None:
    scored = score()
    assert [each.percent for each in scored.criteria] == [100.0] * 6
    assert (scored.total, scored.minimum, scored.colour, scored.rows) == (100.0, 100.0, "green", 10)


def test_the_six_words_come_in_their_order_in_vietnamese() -> None:
    titles = [each.title_vi for each in score().criteria]
    assert titles == ["Đúng", "Đủ", "Sạch", "Sống", "Thống nhất", "Dùng chung"]


def test_what_could_not_be_evaluated_counts_as_not_passed() -> None:
    rule = next(
        each
        for each in word(score(count("UN01:gioi_tinh", 6, 2, 5, 2)), Criterion.UNIFIED).rules
        if each.rule == "UN01:gioi_tinh"
    )
    assert (rule.percent, rule.applicable, rule.failed, rule.not_evaluated) == (60.0, 10, 2, 2)


def test_a_rule_that_applied_to_nothing_takes_no_part() -> None:
    scored = score(count("UN01:gioi_tinh", 0, 0, 10))
    rule = next(each for each in word(scored, Criterion.UNIFIED).rules if each.rule == "UN01:gioi_tinh")
    assert rule.percent is None
    assert word(scored, Criterion.UNIFIED).percent == 100.0


def test_a_criterion_is_the_weighted_mean_of_its_rules() -> None:
    heavy = replace(
        RULES, rules=tuple(replace(r, weight=3.0) if r.name == "CP01:ho_va_ten" else r for r in RULES.rules)
    )
    counts = [count("CP01:ho_va_ten", 5, 5), count("CP02:ho_va_ten", 10)]
    scored = score_dataset(
        dictionary=DICTIONARY,
        rule_set=heavy,
        rule_counts=counts,
        lag=None,
        readers=0,
        readers_expected=1,
        measured_at=NOW,
    )
    assert word(scored, Criterion.COMPLETE).percent == pytest.approx((3 * 50 + 100) / 4)


def test_without_changes_live_is_unknown_zero_and_says_so() -> None:
    for lag in (None, (0, 0)):
        live = word(score(lag=lag), Criterion.LIVE)
        assert (live.percent, live.known, live.colour) == (0.0, False, "unknown")
        assert live.rests_on_vi == "chưa có thay đổi để đo"


def test_an_idle_source_that_was_heard_is_live_and_says_what_it_rests_on() -> None:
    live = word(score(lag=(0, 0), idle=True), Criterion.LIVE)
    assert (live.percent, live.known) == (100.0, True)
    assert "nhịp tim" in live.rests_on_vi


def test_changes_that_were_late_count_even_when_the_source_is_idle_now() -> None:
    assert word(score(lag=(1, 4), idle=True), Criterion.LIVE).percent == 25.0


def test_live_is_the_share_of_changes_within_the_promise() -> None:
    live = word(score(lag=(3, 4)), Criterion.LIVE)
    assert (live.percent, live.known, live.colour) == (75.0, True, "yellow")
    assert [(each.passed, each.applicable) for each in live.rules] == [(3, 4)]


@pytest.mark.parametrize(
    ("readers", "expected", "percent"), [(0, 1, 0.0), (1, 4, 25.0), (4, 4, 100.0), (9, 4, 100.0)]
)
def test_shared_is_the_share_of_expected_agencies_that_read(readers: int, expected: int, percent: float) -> None:
    shared = word(score(readers=readers, readers_expected=expected), Criterion.SHARED)
    assert (shared.percent, shared.known) == (percent, True)


def test_shared_is_unknown_where_nobody_is_expected() -> None:
    shared = word(score(readers=3, readers_expected=0), Criterion.SHARED)
    assert (shared.percent, shared.known, shared.colour) == (0.0, False, "unknown")


def test_unknown_pulls_the_index_down_and_is_the_minimum() -> None:
    scored = score(lag=None)
    assert scored.total == pytest.approx(500 / 6)
    assert scored.minimum == 0.0


def test_without_any_record_nothing_is_known_but_that_nobody_read() -> None:
    scored = score_dataset(
        dictionary=DICTIONARY,
        rule_set=RULES,
        rule_counts=(),
        lag=None,
        readers=0,
        readers_expected=0,
        measured_at=NOW,
    )
    assert (scored.rows, scored.total, scored.colour) == (0, 0.0, "unknown")
    assert not any(each.known for each in scored.criteria)


def test_one_bad_identifier_makes_the_word_and_the_dataset_red() -> None:
    scored = score(count("CR03:so_dinh_danh", 0, 0, 10), count("CL04:so_dinh_danh", 999_999, 1))
    clean = word(scored, Criterion.CLEAN)
    assert clean.percent > 99
    assert (clean.severe, clean.colour, scored.colour) == (True, "red", "red")
    assert "sự cố nghiêm trọng" in clean.rests_on_vi


def test_a_warning_about_an_identifier_is_no_severe_incident() -> None:
    correct = word(score(count("CR03:so_dinh_danh", 999, 1)), Criterion.CORRECT)
    assert (correct.severe, correct.colour) == (False, "green")


def test_correct_says_that_it_rests_on_form_only() -> None:
    assert word(score(), Criterion.CORRECT).rests_on_vi == "quy tắc hình thức; chưa đối chiếu với nguồn gốc"


def test_counts_of_rules_that_are_gone_take_no_part() -> None:
    assert score(count("XX01", 0, 10)).total == 100.0


@given(st.lists(COUNTS, min_size=1, max_size=6))
def test_a_score_lies_between_zero_and_a_hundred_and_above_its_minimum(
    counts: list[tuple[int, int, int, int]],
) -> None:
    changed = [count(rule.name, *numbers) for rule, numbers in zip(RULES.rules, counts, strict=False)]
    scored = score(*changed)
    assert 0 <= scored.minimum <= scored.total <= 100
    assert all(0 <= each.percent <= 100 for each in scored.criteria)


@given(COUNTS)
def test_one_more_failure_never_raises_a_rule(numbers: tuple[int, int, int, int]) -> None:
    passed, failed, _, broken = numbers
    before = rule_percent(passed=passed, failed=failed, not_evaluated=broken)
    after = rule_percent(passed=passed, failed=failed + 1, not_evaluated=broken)
    assert after is not None
    assert before is None or after <= before


def test_a_mean_without_weight_is_unknown() -> None:
    assert weighted_mean([]) is None
    assert weighted_mean([(0.0, 100.0)]) is None


def test_the_shipped_scoring_has_the_reported_thresholds() -> None:
    scoring = shipped_scoring()
    assert [scoring.colour(percent) for percent in (100, 90, 89.99, 75, 74.99, 0)] == [
        "green", "green", "yellow", "yellow", "red", "red",
    ]  # fmt: skip
    assert set(scoring.weights) == set(Criterion)


def test_weights_of_the_words_are_the_operators_to_choose() -> None:
    weights = MappingProxyType({each: 1.0 if each is Criterion.LIVE else 0.0 for each in Criterion})
    assert score(lag=(1, 2), scoring=replace(shipped_scoring(), weights=weights)).total == 50.0


GOOD = """
weights: {correct: 1, complete: 1, clean: 1, live: 1, unified: 1, shared: 1}
green_from_percent: 90
yellow_from_percent: 75
identifier_percent: 100
"""


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("shared: 1", "shared: -1"),
        GOOD.replace(", shared: 1", ""),
        GOOD.replace("shared: 1", "share: 1"),
        GOOD.replace(": 1", ": 0"),
        GOOD.replace("shared: 1", "shared: true"),
        GOOD.replace("shared: 1", "shared: .nan"),
        GOOD.replace("green_from_percent: 90", "green_from_percent: 75"),
        GOOD.replace("green_from_percent: 90", "green_from_percent: 101"),
        GOOD.replace("yellow_from_percent: 75", ""),
        GOOD.replace("identifier_percent: 100", "identifier_percent: 100.5"),
        "weights: 1",
        "- 1",
        "{",
        "\x00",
        "x" * 100_001,
    ],
)
def test_a_scoring_file_that_cannot_be_scored_with_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "scoring.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScoringNotValid) as refusal:
        load_scoring(path)
    assert refusal.value.code == "CHK-004"


def test_a_scoring_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoringNotValid):
        load_scoring(tmp_path / "scoring.yaml")


def test_a_good_scoring_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scoring.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_scoring(path) == shipped_scoring()
