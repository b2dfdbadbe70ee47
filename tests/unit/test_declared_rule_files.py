"""Files of rules: what is read, and what is refused with file and line."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from check_samples import GOOD_ROW, batch, sample_dataset, sample_dictionary
from lienthong.check.engine import Checker
from lienthong.check.rule_set import RuleNotValid, RuleTwice, derive_rules, rule_problems
from lienthong.check.verdict import ErrorClass, Letter
from lienthong.dictionary.model import Dictionary
from lienthong.dictionary.refusals import Problem
from lienthong.dictionary.remedies import REMEDIES
from lienthong.dictionary.rule_files import RulesNotValid, read_rules, with_local_rules

DICTIONARY = sample_dictionary()
RULE: dict[str, Any] = {
    "basis": "chưa xác định",
    "check": "so_nguoi >= 2",
    "code": "CR90",
    "dataset": "mau",
    "element": "SoNguoi",
    "error_class": "logic",
    "examples": [
        {"name": "two", "outcome": "pass", "values": {"so_nguoi": 2}},
        {"name": "one", "outcome": "fail", "values": {"so_nguoi": 1}},
    ],
    "level": "national",
    "owner": "thử",
    "remedy": {"en": "mend it", "vi": "sửa"},
    "sentence": {"en": "at least two", "vi": "ít nhất hai"},
    "severity": "warning",
    "title": {"en": "Two", "vi": "Hai"},
    "when": "so_nguoi IS NOT NULL",
}
NEAR: dict[str, Any] = {
    "check": None,
    "when": None,
    "over": "near-duplicate",
    "comparison": {"match": {"ngay_sinh": "ngay_sinh"}, "similar": ["ho_va_ten"], "similarity_percent": 95},
    "examples": [
        {"name": "other", "outcome": "pass", "values": {"ho_va_ten": "An"}, "others": []},
        {"name": "same", "outcome": "fail", "values": {"ho_va_ten": "An"}, "others": [{"ho_va_ten": "An"}]},
    ],
}


def write(folder: Path, word: str = "correct", stem: str = "CR90", **changes: Any) -> Path:
    facts = {key: value for key, value in {**RULE, **changes}.items() if value is not None}
    path = folder / "rules" / word / f"{stem}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(facts, allow_unicode=True, sort_keys=True), encoding="utf-8")
    return path


def read(folder: Path) -> tuple[Dictionary, list[Problem]]:
    found: list[Problem] = []
    rules = read_rules(folder, DICTIONARY, found)
    return replace(DICTIONARY, rules=rules), found


def refused(folder: Path) -> set[str]:
    return {problem.rule for problem in read(folder)[1]}


def test_a_folder_without_rules_has_none(tmp_path: Path) -> None:
    dictionary, found = read(tmp_path)
    assert (dictionary.rules, found) == ((), [])


def test_a_rule_of_a_file_judges_rows(tmp_path: Path) -> None:
    write(tmp_path)
    dictionary, found = read(tmp_path)
    assert found == []
    rules = derive_rules(dictionary, sample_dataset())
    place = [rule.name for rule in rules.rules].index("CR90:so_nguoi")
    rows = [GOOD_ROW, {**GOOD_ROW, "so_nguoi": 1}, {**GOOD_ROW, "so_nguoi": None}]
    judged = Checker(dictionary, rules).judge(batch(dictionary, sample_dataset(), rows))
    assert [letters[place] for letters in judged.judgement] == [Letter.PASS, Letter.FAIL, Letter.NOT_APPLICABLE]
    assert rules.rules[place].error_class is ErrorClass.LOGIC
    assert rules.rules[place].scored


def test_a_rule_may_be_for_every_dataset_that_has_its_elements(tmp_path: Path) -> None:
    write(tmp_path, dataset=None, elements=["SoNguoi", "HoVaTen"])
    dictionary, found = read(tmp_path)
    assert found == []
    assert dictionary.rules[0].datasets == ("mau",)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"dataset": "khong-co"}, "unknown-reference"),
        ({"dataset": None}, "missing-key"),
        ({"elements": ["SoNguoi"]}, "missing-key"),
        ({"dataset": None, "elements": ["KhongCo"]}, "unknown-reference"),
        ({"element": "KhongCo"}, "unknown-reference"),
        ({"check": None}, "rule-shape"),
        ({"over": "agreement"}, "rule-shape"),
        ({"over": "magic", "check": None}, "unknown-value"),
        ({"severity": "fatal"}, "unknown-value"),
        ({"error_class": "other"}, "unknown-value"),
        ({"level": "world"}, "unknown-value"),
        ({"weight": "heavy"}, "wrong-type"),
        ({"weight": "0"}, "wrong-type"),
        ({"weight": 2}, "wrong-type"),
        ({"when": 1}, "wrong-type"),
        ({"version": "1"}, "wrong-type"),
        ({"title": {"vi": "Hai"}}, "missing-key"),
        ({"remedy": None}, "missing-key"),
        ({"surprise": "x"}, "unknown-key"),
        ({"examples": RULE["examples"][:1]}, "no-example"),
        ({"examples": [{**RULE["examples"][0], "outcome": "maybe"}]}, "unknown-value"),
        (
            {"examples": [{**RULE["examples"][0], "values": {"khong_co": 1}}, RULE["examples"][1]]},
            "unknown-reference",
        ),
        ({**NEAR, "severity": "blocking"}, "rule-shape"),
        ({**NEAR, "comparison": {"match": {}}}, "rule-shape"),
        ({**NEAR, "comparison": {"match": {"khong_co": "ho_va_ten"}}}, "unknown-reference"),
        ({**NEAR, "comparison": {"match": {"so_nguoi": "ho_va_ten"}}}, "wrong-type"),
        ({**NEAR, "comparison": {"match": {"nganh_nghe": "nganh_nghe"}}}, "wrong-type"),
        ({**NEAR, "comparison": {**NEAR["comparison"], "similar": ["so_nguoi"]}}, "wrong-type"),
        ({**NEAR, "comparison": {**NEAR["comparison"], "similarity_percent": 3}}, "unknown-value"),
        ({**NEAR, "comparison": {**NEAR["comparison"], "dataset": "mau"}}, "rule-shape"),
        ({**NEAR, "over": "reference"}, "rule-shape"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, changes: dict[str, Any], rule: str) -> None:
    write(tmp_path, **changes)
    assert rule in refused(tmp_path)
    assert refused(tmp_path) <= REMEDIES.keys()


def test_a_refusal_names_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, element="KhongCo")
    (problem,) = read(tmp_path)[1]
    line = path.read_text(encoding="utf-8").split("\n").index("element: KhongCo") + 1
    assert (problem.file, problem.line) == ("rules/correct/CR90.yaml", line)


def test_a_rule_in_the_folder_of_another_word_is_refused(tmp_path: Path) -> None:
    write(tmp_path, word="clean")
    assert refused(tmp_path) == {"not-an-id"}


def test_a_file_outside_the_six_words_is_refused(tmp_path: Path) -> None:
    write(tmp_path, word="beautiful")
    assert refused(tmp_path) == {"file-name"}


def test_a_file_that_has_not_the_name_of_its_code_is_refused(tmp_path: Path) -> None:
    write(tmp_path, stem="CR91")
    assert refused(tmp_path) == {"file-name"}


def test_decomposed_text_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(unicodedata.normalize("NFD", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert refused(tmp_path) == {"not-nfc"}


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_bytes(path.read_bytes() + b"# \xff\n")
    assert refused(tmp_path) == {"not-utf-8"}


def test_local_rules_only_show_whatever_their_file_says(tmp_path: Path) -> None:
    write(tmp_path)
    dictionary = with_local_rules(DICTIONARY, tmp_path / "rules")
    assert dictionary.rules[0].local
    rules = derive_rules(dictionary, sample_dataset())
    assert [rule.scored for rule in rules.rules if rule.code == "CR90"] == [False]


def test_a_local_rule_cannot_take_the_code_of_a_national_one(tmp_path: Path) -> None:
    write(tmp_path)
    dictionary, _ = read(tmp_path)
    with pytest.raises(RulesNotValid, match="duplicate-id") as refusal:
        with_local_rules(dictionary, tmp_path / "rules")
    assert refusal.value.code == "DIC-060"


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("khong_co = 1", "khong_co"),
        ("lower(ho_va_ten) = 'an'", "LOWER"),
        ("so_nguoi = 'hai'", "compares"),
        ("so_nguoi + 1", "not a condition"),
    ],
)
def test_a_predicate_outside_the_language_is_refused_by_file_and_line(
    tmp_path: Path, check: str, reason: str
) -> None:
    write(tmp_path, check=check)
    dictionary, found = read(tmp_path)
    assert found == []
    with pytest.raises(RuleNotValid, match=reason) as refusal:
        derive_rules(dictionary, sample_dataset())
    assert str(refusal.value).startswith("rules/correct/CR90.yaml:2: ")


def test_problems_of_rule_texts_are_listed_with_their_files(tmp_path: Path) -> None:
    write(tmp_path, check="khong_co = 1")
    dictionary, _ = read(tmp_path)
    (problem,) = rule_problems(dictionary)
    assert (problem.file, problem.line, problem.rule) == ("rules/correct/CR90.yaml", 2, "rule-text")
    assert problem.rule in REMEDIES
    assert rule_problems(DICTIONARY) == ()


def test_a_rule_that_says_nothing_is_listed_with_its_file(tmp_path: Path) -> None:
    write(tmp_path, when="so_nguoi > 5 AND so_nguoi < 2")
    (problem,) = rule_problems(read(tmp_path)[0])
    assert (problem.file, problem.rule) == ("rules/correct/CR90.yaml", "rule-says-nothing")


def test_a_local_rule_against_a_national_one_is_listed_with_its_file(tmp_path: Path) -> None:
    write(tmp_path)
    national, _ = read(tmp_path)
    write(
        tmp_path / "own",
        code="CR91",
        stem="CR91",
        check="so_nguoi < 2",
        when="so_nguoi IS NOT NULL AND ghi_chu = 'x'",
    )
    (problem,) = rule_problems(with_local_rules(national, tmp_path / "own" / "rules"))
    assert problem.rule == "rule-contradiction"
    assert "CR90" in problem.text
    assert "CR91" in problem.text


def test_a_condition_of_a_rule_about_other_records_is_read_too(tmp_path: Path) -> None:
    write(tmp_path, **{**NEAR, "when": "khong_co IS NOT NULL"})
    dictionary, found = read(tmp_path)
    assert found == []
    with pytest.raises(RuleNotValid, match="khong_co"):
        derive_rules(dictionary, sample_dataset())


def test_a_declared_rule_cannot_take_the_code_of_a_derived_one(tmp_path: Path) -> None:
    write(tmp_path, code="CR01", stem="CR01")
    dictionary, _ = read(tmp_path)
    with pytest.raises(RuleTwice):
        derive_rules(dictionary, sample_dataset())


def test_everything_a_rule_says_is_in_the_digest_of_the_rule_set(tmp_path: Path) -> None:
    write(tmp_path)
    dictionary, _ = read(tmp_path)
    rule = dictionary.rules[0]
    changes: list[dict[str, Any]] = [
        {"version": 2}, {"local": True}, {"error_class": "outlier"}, {"basis": "khác"}, {"weight": "0.5"},
        {"check": "so_nguoi >= 3"}, {"title": replace(rule.title, en="Three")}, {"identifier": True},
    ]  # fmt: skip
    digests = {
        derive_rules(replace(dictionary, rules=(replace(rule, **change),)), sample_dataset()).digest
        for change in [{}, *changes]
    }
    assert len(digests) == len(changes) + 1


def test_where_a_rule_is_written_is_not_part_of_what_it_says(tmp_path: Path) -> None:
    write(tmp_path)
    dictionary, _ = read(tmp_path)
    moved = replace(dictionary, rules=(replace(dictionary.rules[0], file="elsewhere.yaml", line=9),))
    assert derive_rules(moved, sample_dataset()).digest == derive_rules(dictionary, sample_dataset()).digest


@pytest.mark.parametrize(
    ("measured", "letter"),
    [
        (date(2026, 3, 10), Letter.PASS),
        (date(2026, 3, 20), Letter.PASS),
        (date(2026, 3, 21), Letter.FAIL),
        (date(2026, 3, 9), Letter.NOT_APPLICABLE),  # a clock set back tells nothing of the record's age
        (None, Letter.NOT_APPLICABLE),
    ],
)
def test_age_is_counted_from_the_sources_day_to_the_measured_day(
    tmp_path: Path, measured: date | None, letter: str
) -> None:
    write(tmp_path, check="age_days <= 10", when="age_days IS NOT NULL")
    dictionary, _ = read(tmp_path)
    rules = derive_rules(dictionary, sample_dataset())
    place = [rule.code for rule in rules.rules].index("CR90")
    late = datetime(2026, 3, 9, 18, 0, tzinfo=UTC)  # 10 March in Vietnam
    records = batch(dictionary, sample_dataset(), [GOOD_ROW], times=[late])
    assert Checker(dictionary, rules).judge(records, measured_day=measured).judgement[0][place] == letter
