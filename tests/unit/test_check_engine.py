"""Judging a batch: four outcomes, quarantine, findings; a broken rule never costs the batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from check_samples import GOOD_ROW, TECHNICAL, batch, sample_dataset, sample_dictionary
from lienthong.check.engine import Checker
from lienthong.check.masking import SHOWN_CHARACTERS_MAX
from lienthong.check.rule_set import RuleUnknown, derive_rules
from lienthong.check.verdict import FINDING_SCHEMA, Criterion, Letter, Rule, RuleSet, Severity
from lienthong.dictionary.model import ElementId, Member, Text
from lienthong.standardise.batch import Event, Outcome

DICTIONARY = sample_dictionary()
DATASET = sample_dataset()
RULES = derive_rules(DICTIONARY, DATASET)
CHECKER = Checker(DICTIONARY, RULES)


def letters(judged: Any, row: int = 0) -> dict[str, str]:
    return dict(zip([rule.name for rule in judged.rules.rules], judged.judgement[row], strict=True))


def rule(code: str, *, when: str = "TRUE", check: str = "TRUE", severity: Severity = Severity.ERROR) -> Rule:
    text = Text(vi=code)
    return Rule(
        code=code,
        criterion=Criterion.CLEAN,
        severity=severity,
        element=None,
        title=text,
        sentence=text,
        when=when,
        check=check,
    )


def rule_set(*rules: Rule) -> RuleSet:
    return RuleSet(dataset=DATASET, rules=rules, digest="")


def test_a_good_row_is_accepted_without_findings() -> None:
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, [GOOD_ROW]))
    assert set(judged.judgement[0]) == {Letter.PASS, Letter.NOT_APPLICABLE}
    assert judged.quarantined.to_list() == [False]
    assert judged.findings.height == 0
    assert judged.findings.schema == pl.Schema(dict(FINDING_SCHEMA))


def test_each_rule_gives_each_row_one_letter() -> None:
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, [GOOD_ROW, dict.fromkeys(GOOD_ROW)]))
    assert [len(each) for each in judged.judgement] == [len(RULES.rules)] * 2


def test_a_batch_without_rows_is_judged() -> None:
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, []))
    assert judged.judgement.len() == judged.quarantined.len() == judged.findings.height == 0
    assert judged.judgement.dtype == pl.String
    assert judged.quarantined.dtype == pl.Boolean


def test_a_cancelled_row_is_not_judged() -> None:
    rows = [GOOD_ROW, dict.fromkeys(GOOD_ROW)]
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, rows, events=[Event.NEW, Event.CANCEL]))
    assert judged.judgement.to_list()[1] is None
    assert judged.quarantined.to_list() == [False, False]
    assert judged.findings.height == 0


def test_a_missing_key_holds_the_record_back_and_says_why() -> None:
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, [GOOD_ROW, {**GOOD_ROW, "so_dinh_danh": None}]))
    assert judged.quarantined.to_list() == [False, True]
    assert judged.findings.rows(named=True) == [
        {"row": 1, "record_id": "nguon/public.mau/1", "rule": "CP01:so_dinh_danh", "observed": None}
    ]


def test_a_refused_optional_value_is_a_finding_and_no_reason_to_hold_back() -> None:
    row = {**GOOD_ROW, "von_dieu_le": None}
    records = batch(DICTIONARY, DATASET, [row], outcomes=[{"von_dieu_le": Outcome.REFUSED}])
    judged = CHECKER.judge(records)
    assert judged.quarantined.to_list() == [False]
    assert judged.findings["rule"].to_list() == ["CL01:von_dieu_le"]


def test_a_refused_value_is_shown_from_the_source_text_masked() -> None:
    row = {**GOOD_ROW, "ngay_sinh": None}
    records = batch(DICTIONARY, DATASET, [row], outcomes=[{"ngay_sinh": Outcome.REFUSED}])
    judged = CHECKER.judge(records, texts=pl.DataFrame({"ngay_sinh": ["31/02/1990"]}))
    assert judged.findings["observed"].to_list() == ["31/•••••90"]


def test_observed_values_are_masked_by_the_sensitivity_of_their_element() -> None:
    row = {**GOOD_ROW, "so_dinh_danh": "07919001234X", "ghi_chu": "bệnh hiểm nghèo", "ma_xa_thuong_tru": "12345"}
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, [row]))
    observed = dict(judged.findings.select("rule", "observed").rows())
    assert observed["CL02:so_dinh_danh"] == "0•••••••••••"
    assert observed["CL03:ghi_chu"] == "15 ký tự: A A A"
    assert observed["UN01:ma_xa_thuong_tru"] == "12345"


def test_several_codes_are_shown_in_one_line() -> None:
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, [{**GOOD_ROW, "nganh_nghe": ["9"] * 60}]))
    observed = judged.findings.filter(pl.col("rule") == "UN01:nganh_nghe")["observed"][0]
    assert observed.startswith("9, 9, ")
    assert len(observed) == SHOWN_CHARACTERS_MAX


def test_damaged_and_oversized_rows_are_held_back_with_the_source_columns_named() -> None:
    records = batch(DICTIONARY, DATASET, [GOOD_ROW, GOOD_ROW], damaged=[["ho_ten", "que"], []])
    judged = CHECKER.judge(records, oversized=pl.Series([[], ["anh"]], dtype=pl.List(pl.String)))
    assert judged.quarantined.to_list() == [True, True]
    assert judged.findings.select("row", "rule", "observed").rows() == [
        (0, "CL08", "ho_ten, que"),
        (1, "CL07", "anh"),
    ]


def test_the_mark_of_size_may_be_one_truth_value_a_row() -> None:
    records = batch(DICTIONARY, DATASET, [GOOD_ROW, GOOD_ROW])
    judged = CHECKER.judge(records, oversized=pl.Series([False, True]))
    assert judged.quarantined.to_list() == [False, True]


def test_findings_come_in_order_of_rows_and_then_of_rules() -> None:
    bad = {**GOOD_ROW, "so_dinh_danh": "1", "gioi_tinh": "9", "ma_so_thue": "0100109107"}
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, [bad, GOOD_ROW, bad]))
    names = ["CL02:so_dinh_danh", "CR01:ma_so_thue", "UN01:gioi_tinh"]
    assert judged.findings["rule"].to_list() == names * 2
    assert judged.findings["row"].to_list() == [0, 0, 0, 2, 2, 2]


def test_an_unknown_check_is_the_fourth_outcome_and_not_a_failure() -> None:
    judged = Checker(DICTIONARY, rule_set(rule("XX01", check="so_nguoi > 0"))).judge(
        batch(DICTIONARY, DATASET, [{**GOOD_ROW, "so_nguoi": None}])
    )
    assert judged.judgement.to_list() == [Letter.NOT_EVALUATED]
    assert judged.findings.height == 0
    assert judged.quarantined.to_list() == [False]


def test_a_blocking_rule_that_could_not_be_evaluated_holds_back_and_is_named() -> None:
    checker = Checker(DICTIONARY, rule_set(rule("XX01", check="so_nguoi > 0", severity=Severity.BLOCKING)))
    judged = checker.judge(batch(DICTIONARY, DATASET, [{**GOOD_ROW, "so_nguoi": None}, GOOD_ROW]))
    assert judged.quarantined.to_list() == [True, False]
    assert judged.findings.select("row", "rule").rows() == [(0, "XX01")]


def test_an_unknown_condition_means_the_rule_does_not_apply() -> None:
    judged = Checker(DICTIONARY, rule_set(rule("XX01", when="so_nguoi > 0", check="FALSE"))).judge(
        batch(DICTIONARY, DATASET, [{**GOOD_ROW, "so_nguoi": None}, {**GOOD_ROW, "so_nguoi": 0}, GOOD_ROW])
    )
    assert judged.judgement.to_list() == ["n", "n", "f"]


def test_a_rule_the_engine_cannot_run_gives_the_fourth_outcome_alone() -> None:
    # The rule is sound and the rows are not what was promised: a text where a whole number should be.
    broken = rule("XX01", check="so_nguoi - 2 > 3")
    checker = Checker(DICTIONARY, rule_set(rule("XX00"), broken, rule("XX02", check="gioi_tinh = '1'")))
    records = batch(DICTIONARY, DATASET, [GOOD_ROW, GOOD_ROW])
    judged = checker.judge(replace(records, values=records.values.with_columns(so_nguoi=pl.lit("bảy"))))
    assert judged.judgement.to_list() == ["pef", "pef"]


def test_a_fact_that_cannot_be_made_costs_only_the_rules_that_read_it() -> None:
    records = batch(DICTIONARY, DATASET, [GOOD_ROW])
    wrong = replace(records, values=records.values.with_columns(ma_xa_thuong_tru=pl.lit(26734)))
    judged = letters(CHECKER.judge(wrong))
    assert judged["UN01:ma_xa_thuong_tru"] == Letter.NOT_EVALUATED
    assert judged["UN01:gioi_tinh"] == Letter.PASS
    assert judged["CR01:ma_so_thue"] == Letter.PASS


def test_a_rule_set_without_rules_accepts_everything() -> None:
    judged = Checker(DICTIONARY, rule_set()).judge(
        batch(DICTIONARY, DATASET, [GOOD_ROW, GOOD_ROW], events=[Event.NEW, Event.CANCEL])
    )
    assert judged.judgement.to_list() == ["", None]
    assert judged.quarantined.to_list() == [False, False]


def test_judging_in_one_batch_or_in_many_gives_the_same() -> None:
    rows = [
        GOOD_ROW,
        dict.fromkeys(GOOD_ROW),
        {**GOOD_ROW, "gioi_tinh": "1"},
        {**GOOD_ROW, "ma_xa_thuong_tru": "00001"},
    ]
    together = CHECKER.judge(batch(DICTIONARY, DATASET, rows)).judgement.to_list()
    alone = [CHECKER.judge(batch(DICTIONARY, DATASET, [row])).judgement[0] for row in rows]
    assert together == alone


@pytest.mark.parametrize(
    ("record_date", "code", "letter"),
    [("2025", "00001", "p"), ("2025-07", "00001", "f"), ("2025-06", "00001", "p"), (None, "00001", "f")],
)
def test_a_partial_record_date_counts_from_its_first_day(record_date: str | None, code: str, letter: str) -> None:
    dataset = sample_dataset(record_date=ElementId("NgaySinh"))
    dictionary = sample_dictionary(dataset)
    row = {**GOOD_ROW, "ngay_sinh": record_date, "ma_xa_thuong_tru": code}
    judged = Checker(dictionary, derive_rules(dictionary, dataset)).judge(batch(dictionary, dataset, [row]))
    assert letters(judged)["UN02:ma_xa_thuong_tru"] == letter


def test_the_source_day_begins_at_midnight_in_vietnam() -> None:
    dataset = sample_dataset(record_date=None)
    dictionary = sample_dictionary(dataset)
    moments = [datetime(2025, 6, 30, 16, 59, 59, tzinfo=UTC), datetime(2025, 6, 30, 17, 0, tzinfo=UTC)]
    rows = [{**GOOD_ROW, "ma_xa_thuong_tru": "00001"}] * 2
    judged = Checker(dictionary, derive_rules(dictionary, dataset)).judge(
        batch(dictionary, dataset, rows, times=moments)
    )
    assert [letters(judged, row)["UN02:ma_xa_thuong_tru"] for row in range(2)] == ["p", "f"]


def test_rules_come_by_code_and_then_by_place_of_the_element() -> None:
    places = {name: place for place, name in enumerate(TECHNICAL.values())}
    order = [(each.code, places.get(each.element or "", -1)) for each in RULES.rules]
    assert order == sorted(order)


def test_the_digest_follows_the_rules_and_the_dictionary() -> None:
    assert derive_rules(DICTIONARY, DATASET).digest == RULES.digest
    assert derive_rules(replace(DICTIONARY, digest="1" * 64), DATASET).digest != RULES.digest
    fewer = replace(DATASET, members=DATASET.members[:-1])
    assert derive_rules(DICTIONARY, fewer).digest != RULES.digest


def test_a_dataset_cannot_ask_for_a_rule_that_is_not_there() -> None:
    with pytest.raises(RuleUnknown, match="CR99") as refusal:
        derive_rules(DICTIONARY, replace(DATASET, rules=("CR99",)))
    assert refusal.value.code == "CHK-003"


def test_a_key_of_several_elements_is_unique_as_a_whole() -> None:
    members = tuple(Member(element=ElementId(name), key=True) for name in ("MaSoThue", "MaHoSo"))
    dataset = replace(DATASET, members=members, record_date=None)
    rules = derive_rules(DICTIONARY, dataset)
    assert [each.name for each in rules.rules if each.over == "unique"] == ["CL04"]
    judged = Checker(DICTIONARY, rules).judge(
        batch(DICTIONARY, dataset, [{"ma_so_thue": "0100109106", "ma_ho_so": "AB-1"}, {"ma_so_thue": "0100109106"}])
    )
    assert [letters(judged, row)["CL04"] for row in range(2)] == ["p", "n"]


def test_a_commune_is_compared_with_the_province_of_the_same_address_only() -> None:
    both = {each.name for each in RULES.rules}
    assert "UN03:ma_xa_thuong_tru" in both
    members = tuple(member for member in DATASET.members if member.element != ElementId("MaTinhThuongTru"))
    without = derive_rules(DICTIONARY, replace(DATASET, members=members))
    assert not any(each.code == "UN03" for each in without.rules)


def test_identifiers_are_asked_for_a_hundred_percent_of_what_is_not_a_warning() -> None:
    asked = {each.name for each in RULES.rules if each.identifier}
    assert asked == {
        "CP01:so_dinh_danh", "CL01:so_dinh_danh", "CL02:so_dinh_danh", "CL04:so_dinh_danh",
    }  # fmt: skip
    assert not any(each.identifier for each in RULES.rules if each.severity is Severity.WARNING)


def test_the_records_are_handed_on_untouched() -> None:
    records = batch(DICTIONARY, DATASET, [GOOD_ROW])
    judged = CHECKER.judge(records)
    assert judged.records is records
    assert_frame_equal(judged.records.values, batch(DICTIONARY, DATASET, [GOOD_ROW]).values)
