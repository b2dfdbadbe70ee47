"""Data at its limits: no rows, empty columns, very wide datasets, lists that end while rows arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from check_samples import (
    GOOD_ROW,
    batch,
    element,
    sample_dataset,
    sample_dictionary,
)
from lienthong.check.engine import Checker
from lienthong.check.rule_faults import rule_warnings
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import JudgedBatch, Letter
from lienthong.dictionary.documents import read_document
from lienthong.dictionary.model import DatasetId, Dictionary, ElementId, Member, Ref, Sensitivity
from lienthong.dictionary.refusals import Problem

WIDE_COLUMNS = 300
DICTIONARY = sample_dictionary()
DATASET = sample_dataset()
RULES = derive_rules(DICTIONARY, DATASET)
CHECKER = Checker(DICTIONARY, RULES)


def counted(judged: JudgedBatch, name: str) -> dict[str, int]:
    place = [rule.name for rule in judged.rules.rules].index(name)
    letters = [signs[place] for signs in judged.judgement]
    return {letter: letters.count(letter) for letter in set(letters)}


def test_no_rows_have_no_letters_and_no_findings() -> None:
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, []))
    assert (judged.judgement.len(), judged.quarantined.len(), judged.findings.height) == (0, 0, 0)
    assert rule_warnings({}) == ()


def test_a_column_of_nulls_fails_where_it_is_needed_and_concerns_no_other_rule() -> None:
    rows = [{**GOOD_ROW, "ho_va_ten": None, "ghi_chu": None}] * 3
    judged = CHECKER.judge(batch(DICTIONARY, DATASET, rows))
    for rule in RULES.rules:
        if rule.element == "ghi_chu" and rule.over is None:
            assert set(counted(judged, rule.name)) <= {Letter.NOT_APPLICABLE, Letter.PASS}, rule.name
    assert counted(judged, "CP01:ho_va_ten") == {Letter.FAIL: 3}
    assert judged.quarantined.to_list() == [True] * 3


def test_a_list_that_ends_in_mid_run_is_read_by_the_day_of_each_row() -> None:
    before = datetime(2025, 12, 31, 10, 0, tzinfo=UTC)
    after = datetime(2025, 12, 31, 17, 0, tzinfo=UTC)  # midnight in Vietnam: the code has ended
    row = {**GOOD_ROW, "nganh_nghe": ["46610"]}
    together = CHECKER.judge(batch(DICTIONARY, DATASET, [row, row, row], times=[before, after, before]))
    place = [rule.name for rule in RULES.rules].index("UN02:nganh_nghe")
    assert [signs[place] for signs in together.judgement] == [Letter.PASS, Letter.FAIL, Letter.PASS]
    alone = [CHECKER.judge(batch(DICTIONARY, DATASET, [row], times=[day])) for day in (before, after, before)]
    assert [judged.judgement[0] for judged in alone] == together.judgement.to_list()


def wide(columns: int) -> Dictionary:
    names = [f"Cot{number}" for number in range(columns)]
    elements = dict(DICTIONARY.elements)
    for number, name in enumerate(names):
        plain = element("GhiChu", sensitivity=Sensitivity.INTERNAL, identifier=False)
        renamed = replace(plain.identity, id=name)
        elements[ElementId(name)] = replace(
            plain,
            identity=renamed,
            technical_name=f"cot_{number}",
            value_domain=Ref(id="vd-SoNguoi", version="1.0.0"),
        )
    members = (
        Member(element=ElementId("SoDinhDanh"), key=True, required=True, unique=True),
        *(Member(element=ElementId(name)) for name in names),
    )
    dataset = sample_dataset(members=members, record_date=None)
    return replace(DICTIONARY, elements=elements, datasets={DatasetId("mau"): dataset})


def test_a_very_wide_dataset_is_judged_column_by_column() -> None:
    dictionary = wide(WIDE_COLUMNS)
    dataset = dictionary.datasets[DatasetId("mau")]
    rules = derive_rules(dictionary, dataset)
    row = {"so_dinh_danh": GOOD_ROW["so_dinh_danh"], **{f"cot_{number}": 7 for number in range(WIDE_COLUMNS)}}
    judged = Checker(dictionary, rules).judge(batch(dictionary, dataset, [row, {**row, "cot_299": 101}]))
    assert judged.judgement.str.len_chars().to_list() == [len(rules.rules)] * 2
    assert judged.findings["rule"].to_list() == ["CL06:cot_299"]


def test_a_dataset_too_wide_for_any_table_is_refused_when_it_is_read() -> None:
    members = "".join(f"  - element: MotTruongDuLieu{number:05}\n" for number in range(10_000))
    found: list[Problem] = []
    assert read_document("datasets/rong.yaml", f"members:\n{members}", found) is None
    assert [problem.rule for problem in found] == ["too-large"]
