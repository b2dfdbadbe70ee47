"""Every declared rule on its own examples: rows that pass, rows that are found, rows it does not concern."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from check_samples import SOURCE_TIME, batch, evaluate
from lienthong.check.columns import known_columns
from lienthong.check.declared import bind
from lienthong.check.engine import Checker
from lienthong.check.language import parse_predicate
from lienthong.check.rule_set import all_rules, derive_rules
from lienthong.check.verdict import Comparison, Criterion, ErrorClass, Letter, RuleSet
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DeclaredRule, RuleExample
from lienthong.dictionary.rule_files import WORDS

ROOT = Path(__file__).resolve().parents[2]
DICTIONARY = load(ROOT / "dictionary")
RULES = {rule.code: rule for rule in DICTIONARY.rules}
LETTERS = {
    "pass": Letter.PASS,
    "fail": Letter.FAIL,
    "not-applicable": Letter.NOT_APPLICABLE,
    "not-evaluated": Letter.NOT_EVALUATED,
}
ROW_RULES = [code for code, rule in RULES.items() if rule.over is None]
OTHER_RULES = [code for code, rule in RULES.items() if rule.over is not None]


def row_of(values: Mapping[str, Any], dtypes: Mapping[str, pl.DataType]) -> dict[str, Any]:
    """Return an example's values as a record has them; decimals are written as texts."""
    return {name: Decimal(value) if dtypes[name].is_decimal() else value for name, value in values.items()}


def letter_of(declared: DeclaredRule, example: RuleExample) -> str:
    dataset = DICTIONARY.datasets[example.dataset or declared.datasets[0]]
    rule = bind(DICTIONARY, declared, declared.datasets[0])
    checker = Checker(DICTIONARY, RuleSet(dataset=dataset, rules=(rule,), digest=""))
    row = row_of(example.values, known_columns(DICTIONARY, dataset))
    day = example.source_day
    moment = SOURCE_TIME if day is None else datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
    judged = checker.judge(batch(DICTIONARY, dataset, [row], times=[moment]), measured_day=example.measured_day)
    return str(judged.judgement[0])


@pytest.mark.parametrize("code", ROW_RULES)
def test_rows_of_a_declared_rule_get_their_letters(code: str) -> None:
    rule = RULES[code]
    found = {example.name: letter_of(rule, example) for example in rule.examples}
    assert found == {example.name: LETTERS[example.outcome] for example in rule.examples}


@pytest.mark.parametrize("code", OTHER_RULES)
def test_records_beside_others_get_their_letters(code: str) -> None:
    rule = RULES[code]
    found = {example.name: compared_letter(rule, example) for example in rule.examples}
    assert found == {example.name: LETTERS[example.outcome] for example in rule.examples}


@pytest.mark.parametrize("code", RULES)
def test_examples_of_a_declared_rule_show_what_it_spares(code: str) -> None:
    rule = RULES[code]
    wanted = {"pass", "fail"} | ({"not-applicable"} if rule.when != "TRUE" else set())
    assert wanted <= {example.outcome for example in rule.examples}


@pytest.mark.parametrize("code", RULES)
def test_a_declared_rule_stands_in_the_rule_set_of_each_of_its_datasets(code: str) -> None:
    rule = RULES[code]
    assert rule.datasets
    for name in rule.datasets:
        found = [each for each in derive_rules(DICTIONARY, DICTIONARY.datasets[name]).rules if each.code == code]
        assert len(found) == 1
        assert found[0].scored is not rule.local
        assert found[0].error_class is ErrorClass(rule.error_class)


def test_all_six_words_have_declared_rules() -> None:
    assert set(WORDS) == {criterion.value for criterion in Criterion} == {rule.criterion for rule in RULES.values()}


def test_a_declared_rule_has_a_code_of_its_own() -> None:
    assert not set(RULES) & set(all_rules())


def compared_letter(declared: DeclaredRule, example: RuleExample) -> str:
    """Judge one record beside others, one value at a time: what a measurement has to come to."""
    name = example.dataset or declared.datasets[0]
    rule = bind(DICTIONARY, declared, name)
    assert rule.comparison is not None
    columns = known_columns(DICTIONARY, DICTIONARY.datasets[name])
    row = {column: example.values.get(column) for column in columns}
    if evaluate(parse_predicate(rule.when, columns=columns).tree, row) is not True:
        return Letter.NOT_APPLICABLE
    own = [row[mine] for mine, _ in rule.comparison.on]
    met = [other for other in example.others if own == [other.get(theirs) for _, theirs in rule.comparison.on]]
    met = [] if None in own else met
    if rule.over == "reference" and not example.others:
        return Letter.NOT_EVALUATED  # a database that is not connected says nothing about anybody
    if rule.over == "reference":
        return Letter.PASS if met else Letter.FAIL
    if rule.over == "agreement":
        return agreement(row, met, rule.comparison)
    return Letter.FAIL if any(resembles(row, other, rule.comparison) for other in met) else Letter.PASS


def agreement(row: Mapping[str, Any], met: list[Mapping[str, Any]], comparison: Comparison) -> str:
    if not met:
        return Letter.NOT_APPLICABLE
    same = all(row[mine] == met[0].get(theirs) for mine, theirs in comparison.equal)
    return Letter.PASS if same else Letter.FAIL


def resembles(row: Mapping[str, Any], other: Mapping[str, Any], comparison: Comparison) -> bool:
    return all(jaro_winkler(key(row[name]), key(other[name])) >= comparison.similarity for name in comparison.similar)


def key(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def jaro_winkler(one: str, other: str) -> float:
    reach = max(max(len(one), len(other)) // 2 - 1, 0)
    taken: set[int] = set()
    places: list[tuple[int, int]] = []
    for place, sign in enumerate(one):
        for there in range(max(0, place - reach), min(len(other), place + reach + 1)):
            if there not in taken and other[there] == sign:
                taken.add(there)
                places.append((place, there))
                break
    if not places:
        return 0.0
    mine = [one[place] for place, _ in places]
    theirs = [other[place] for place in sorted(place for _, place in places)]
    moved = sum(a != b for a, b in zip(mine, theirs, strict=True)) / 2
    met = len(places)
    jaro = (met / len(one) + met / len(other) + (met - moved) / met) / 3
    shared = 0
    while shared < min(4, len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    return jaro + shared * 0.1 * (1 - jaro)


def test_the_measured_day_of_an_example_is_a_day() -> None:
    days = [example.measured_day for rule in RULES.values() for example in rule.examples if example.measured_day]
    assert days
    assert all(isinstance(day, date) for day in days)
