"""The six words: arithmetic, what is unknown, what is severe, and what each figure says it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_samples import sample_dataset, sample_dictionary
from lienthong.centre.measuring import MeasuredRule
from lienthong.centre.reading import RuleCount
from lienthong.check.dqi import (
    ElementWeights,
    SampleScoring,
    ScoringNotValid,
    load_scoring,
    rule_percent,
    shipped_scoring,
    weighted_mean,
    wilson_interval,
)
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Comparison, Criterion, RuleSet
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.overview import CriterionScore, DatasetScore
from lienthong.oversight.sampling import SampleStanding, StandingKind, Tally
from lienthong.oversight.scores import score_dataset
from lienthong.oversight.scores_words import percent

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
    given = {
        "lag": (10, 10),
        "readers": 1,
        "readers_expected": 1,
        "rule_counts": tuple(by_name.values()),
        "rule_set": RULES,
        **facts,
    }
    return score_dataset(dictionary=DICTIONARY, measured_at=NOW, **given)


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


def test_a_word_of_an_element_is_the_weighted_mean_of_its_rules() -> None:
    heavy = replace(
        RULES, rules=tuple(replace(r, weight=3.0) if r.name == "CP01:ho_va_ten" else r for r in RULES.rules)
    )
    scored = score(count("CP01:ho_va_ten", 5, 5), count("CP02:ho_va_ten", 10), rule_set=heavy)
    name = next(each for each in scored.elements if each.element == "ho_va_ten")
    complete = next(each for each in name.words if each.criterion == "complete")
    assert complete.percent == pytest.approx((3 * 50 + 100) / 4)


def test_the_word_of_a_database_is_the_weighted_mean_of_its_elements() -> None:
    bad = count("UN01:gioi_tinh", 6, 4)
    plain = score(bad)
    words = [
        (element.element, each.percent)
        for element in plain.elements
        for each in element.words
        if each.criterion == "unified"
    ]
    assert word(plain, Criterion.UNIFIED).percent == pytest.approx(sum(p for _, p in words) / len(words))
    named = replace(shipped_scoring(), elements=ElementWeights(named={"gioi_tinh": 3.0}))
    weights = [(3.0 if name == "gioi_tinh" else 1.0, percent) for name, percent in words]
    assert word(score(bad, scoring=named), Criterion.UNIFIED).percent == pytest.approx(weighted_mean(weights))


def test_elements_come_the_worst_first_with_the_share_below_the_threshold() -> None:
    scored = score(count("CP01:ho_va_ten", 0, 10), count("CP02:ho_va_ten", 0, 10))
    assert scored.elements[0].element == "ho_va_ten"
    assert [each.total for each in scored.elements] == sorted(each.total for each in scored.elements)
    assert (scored.elements_below, scored.threshold_percent) == (1, 90.0)


def test_a_word_carries_its_numerator_and_denominator() -> None:
    unified = word(score(count("UN01:gioi_tinh", 6, 2, 5, 2)), Criterion.UNIFIED)
    measured = [rule for rule in unified.rules if rule.known]
    assert unified.passed == sum(rule.passed for rule in measured)
    assert unified.applicable == sum(rule.applicable for rule in measured) > unified.passed


def test_a_rule_without_a_result_counts_zero_and_is_said_to() -> None:
    every = [count(rule.name) for rule in RULES.rules if rule.over in {None, "unique"}]
    held = tuple(each for each in every if each.rule != "UN01:gioi_tinh")
    unified = word(score(rule_counts=held), Criterion.UNIFIED)
    lost = next(rule for rule in unified.rules if rule.rule == "UN01:gioi_tinh")
    assert (lost.percent, lost.counted, lost.state) == (None, 0.0, "no-result")
    assert unified.percent < 100
    assert "1 quy tắc chưa có kết quả còn hiệu lực, tính 0" in unified.rests_on_vi


def test_counters_of_a_source_that_fell_silent_long_ago_count_zero_and_show_their_age() -> None:
    scored = score(counted_at=NOW - timedelta(days=40))
    clean = word(scored, Criterion.CLEAN)
    assert (clean.known, clean.percent, clean.colour) == (False, 0.0, "unknown")
    assert clean.rests_on_vi == "kết quả gần nhất đã 40 ngày tuổi, quá thời hạn nên tính 0"
    assert {rule.state for rule in clean.rules} == {"stale"}
    assert clean.rules[0].passed == 10  # still shown, beside its age


def test_a_local_rule_is_shown_and_not_scored() -> None:
    local = replace(RULES, rules=tuple(replace(r, scored=r.name != "UN01:gioi_tinh") for r in RULES.rules))
    scored = score(count("UN01:gioi_tinh", 0, 10), rule_set=local)
    unified = word(scored, Criterion.UNIFIED)
    shown = next(rule for rule in unified.rules if rule.rule == "UN01:gioi_tinh")
    assert (shown.percent, shown.counted, shown.scored) == (0.0, None, False)
    assert unified.percent == 100.0


def test_losing_the_result_of_an_identifier_does_not_take_the_alarm_away() -> None:
    every = [count(rule.name) for rule in RULES.rules if rule.over in {None, "unique"}]
    scored = score(rule_counts=tuple(each for each in every if each.rule != "CL04:so_dinh_danh"))
    assert (word(scored, Criterion.CLEAN).severe, scored.colour) == (True, "red")


def test_a_score_says_which_rules_dictionary_and_numbers_it_was_made_with() -> None:
    scored = score()
    assert (scored.rule_set, scored.dictionary_version) == (RULES.digest, DICTIONARY.version)
    assert scored.scoring == shipped_scoring().digest
    heavier = replace(shipped_scoring(), rules={"CL02": 2.0})
    assert score(scoring=heavier).scoring != scored.scoring


def with_agreement() -> RuleSet:
    pattern = next(rule for rule in RULES.rules if rule.name == "UN01:gioi_tinh")
    compared = replace(
        pattern,
        code="UN20",
        criterion=Criterion.CORRECT,
        when="",
        check="",
        over="agreement",
        comparison=Comparison(dataset=DatasetId("cong-dan"), on=(("so_dinh_danh", "so_dinh_danh"),)),
    )
    return replace(RULES, rules=(*RULES.rules, compared))


def measured(*, passed: int, failed: int, skipped: int = 0, age_days: int = 1) -> MeasuredRule:
    return MeasuredRule(
        count=count("UN20:gioi_tinh", passed, failed, skipped),
        measurement=17,
        measured_at=NOW - timedelta(days=age_days),
    )


def test_agreement_with_the_lawful_source_counts_and_says_on_how_many_records_it_rests() -> None:
    scored = score(rule_set=with_agreement(), measured_rules=[measured(passed=6, failed=2, skipped=2)])
    correct = word(scored, Criterion.CORRECT)
    assert "đối chiếu với nguồn gốc 8 trên 10 bản ghi (lần đo 17)" in correct.rests_on_vi
    compared = next(rule for rule in correct.rules if rule.code == "UN20")
    assert (compared.percent, compared.measurement, compared.passed, compared.applicable) == (75.0, 17, 6, 8)


@pytest.mark.parametrize("runs", [[], [measured(passed=10, failed=0, age_days=32)]], ids=["never", "long ago"])
def test_an_agreement_that_was_not_measured_lately_counts_zero(runs: list[MeasuredRule]) -> None:
    correct = word(score(rule_set=with_agreement(), measured_rules=runs), Criterion.CORRECT)
    compared = next(rule for rule in correct.rules if rule.code == "UN20")
    assert (compared.percent, compared.counted) == (None, 0.0)
    assert correct.percent < 100


@pytest.mark.parametrize("level", ["national", "local"])
def test_the_age_of_records_counts_as_a_run_measured_it_and_not_as_batches_saw_it(level: str) -> None:
    pattern = next(rule for rule in RULES.rules if rule.over is None)
    age = replace(
        pattern, code="LV02", criterion=Criterion.LIVE, element=None, when="age_days IS NOT NULL",
        check="age_days <= 366", identifier=False, scored=level == "national",
    )  # fmt: skip
    run = MeasuredRule(count=count("LV02", 6, 4), measurement=7, measured_at=NOW - timedelta(days=1))
    rules = replace(RULES, rules=(*RULES.rules, age))
    live = word(score(count("LV02", 0, 0, 10), rule_set=rules, measured_rules=[run]), Criterion.LIVE)
    rule = next(each for each in live.rules if each.rule == "LV02")
    assert (rule.passed, rule.failed, rule.not_applicable, rule.measurement) == (6, 4, 0, 7)
    assert live.percent == (80.0 if level == "national" else 100.0)
    never = word(score(count("LV02", 10), rule_set=rules), Criterion.LIVE)
    assert next(each for each in never.rules if each.rule == "LV02").state == "no-result"


def test_letters_of_batches_are_no_result_of_a_rule_over_other_records() -> None:
    scored = score(count("UN20:gioi_tinh", 10), rule_set=with_agreement())
    compared = next(rule for rule in word(scored, Criterion.CORRECT).rules if rule.code == "UN20")
    assert compared.state == "no-result"


def standing(kind: StandingKind, right: int, wrong: int, undecided: int = 0) -> SampleStanding:
    names = [DICTIONARY.elements[member.element].technical_name for member in RULES.dataset.members]
    tally = Tally(right=right, wrong=wrong, undecided=undecided)
    return SampleStanding(
        kind=kind,
        samples=(3,),
        measured_at=NOW - timedelta(days=5),
        records=tally,
        elements=dict.fromkeys(names, tally),
    )


def test_what_people_found_on_a_sample_is_part_of_correct_with_its_interval() -> None:
    correct = word(score(sample=standing(StandingKind.MEASURED, 90, 10)), Criterion.CORRECT)
    assert "90 trên 100 bản ghi đúng (90 %; khoảng tin cậy 95 %: 82,5 % đến 94,4 %)" in correct.rests_on_vi
    judged = [rule for rule in correct.rules if rule.over == "sample"]
    assert {(rule.percent, rule.measurement) for rule in judged} == {(90.0, 3)}
    assert correct.percent < 100


def test_what_people_could_not_decide_counts_as_not_right() -> None:
    correct = word(score(sample=standing(StandingKind.MEASURED, 50, 0, 50)), Criterion.CORRECT)
    assert {rule.percent for rule in correct.rules if rule.over == "sample"} == {50.0}


@pytest.mark.parametrize("kind", [StandingKind.STALE, StandingKind.LEFT])
def test_a_sample_that_ought_to_be_there_and_is_not_counts_zero(kind: StandingKind) -> None:
    correct = word(score(sample=standing(kind, 100, 0)), Criterion.CORRECT)
    assert {rule.counted for rule in correct.rules if rule.over == "sample"} == {0.0}
    assert "tính 0" in correct.rests_on_vi


@pytest.mark.parametrize("kind", [StandingKind.NONE, StandingKind.PENDING, StandingKind.TOO_SMALL])
def test_a_sample_that_is_not_there_yet_asks_nothing_unless_scoring_requires_one(kind: StandingKind) -> None:
    scoring = replace(shipped_scoring(), sample=SampleScoring(required=True))
    assert word(score(sample=standing(kind, 1, 1)), Criterion.CORRECT).percent == 100.0
    assert word(score(sample=standing(kind, 1, 1), scoring=scoring), Criterion.CORRECT).percent < 100


@pytest.mark.parametrize(
    ("value", "text"), [(64.1, "64,1 %"), (99.96, "99,9 %"), (100.0, "100 %"), (0.0, "0 %"), (8.7, "8,7 %")]
)
def test_a_percentage_is_written_cut_and_never_rounded_up(value: float, text: str) -> None:
    assert percent(value) == text


def test_one_wrong_identifier_in_a_sample_is_a_severe_incident() -> None:
    assert word(score(sample=standing(StandingKind.MEASURED, 99, 1)), Criterion.CORRECT).severe
    assert not word(score(sample=standing(StandingKind.MEASURED, 99, 0, 1)), Criterion.CORRECT).severe


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share_and_narrows_with_more_records(right: int, wrong: int) -> None:
    trials = right + wrong
    low, high = wilson_interval(successes=right, trials=trials)
    assert 0 <= low <= (100 * right / trials if trials else 50) <= high <= 100
    wide = high - low
    low, high = wilson_interval(successes=right * 4, trials=trials * 4)
    assert high - low <= wide


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
    assert word(score(), Criterion.CORRECT).rests_on_vi == (
        "quy tắc hình thức; chưa đối chiếu với nguồn gốc; chưa có mẫu người đánh giá"
    )


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
        GOOD + "valid_days: {counters: 0}",
        GOOD + "valid_days: {counter: 1}",
        GOOD + "valid_days: 1",
        GOOD + "sample: {records_min: 0}",
        GOOD + "sample: {records_min: 1.5}",
        GOOD + "sample: {required: 1}",
        GOOD + "elements: {default: 0}",
        GOOD + "elements: {named: [a]}",
        GOOD + "elements: {named: {a: -1}}",
        GOOD + "rules: {CL02: yes}",
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
    read = load_scoring(path)
    assert replace(shipped_scoring(), document=None, trust=None, note=None) == read
    assert read.digest == shipped_scoring().digest
