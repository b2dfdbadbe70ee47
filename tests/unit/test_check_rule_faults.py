"""Rules that cannot be right are refused from their texts; what only data can show is warned of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl
import pytest

from check_samples import sample_dataset, sample_dictionary
from lienthong.check.language import parse_predicate
from lienthong.check.rule_faults import (
    ReadRule,
    RuleContradicts,
    RuleSaysNothing,
    check_rules,
    rule_warnings,
)
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Criterion, Rule, Severity
from lienthong.dictionary.model import Text

COLUMNS = {
    "a": pl.String(),
    "b": pl.String(),
    "n": pl.Int64(),
    "d": pl.Date(),
    "ok": pl.Boolean(),
}


def rule(when: str, check: str, code: str = "CR90") -> ReadRule:
    return ReadRule(
        rule=Rule(
            code=code,
            criterion=Criterion.CORRECT,
            severity=Severity.WARNING,
            element=None,
            title=Text(vi="t"),
            sentence=Text(vi="s"),
            when=when,
            check=check,
        ),
        when=parse_predicate(when, columns=COLUMNS),
        check=parse_predicate(check, columns=COLUMNS),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("TRUE", "ok"), ("TRUE", "NOT ok")),
        (("TRUE", "regexp_like(a, '^[0-9]{2}$')"), ("TRUE", "NOT regexp_like(a, '^[0-9]{2}$')")),
        (("b = 'x'", "a IN ('1', '2')"), ("b = 'x'", "a IN ('3')")),
        (("b = 'x'", "a = '1'"), ("b = 'x' AND n > 0", "a <> '1'")),
        (("TRUE", "n > 5"), ("b = 'x'", "n < 5")),
        (("TRUE", "n > 5"), ("b = 'x'", "n <= 5")),
        (("TRUE", "n BETWEEN 1 AND 3"), ("TRUE", "n >= 4 AND a IS NOT NULL")),
        (("TRUE", "d < DATE '2025-07-01'"), ("TRUE", "d >= DATE '2025-07-01'")),
        (("TRUE", "a IS NULL"), ("b = 'x'", "a IS NOT NULL")),
        (("TRUE", "a IS NULL"), ("b = 'x'", "a = 'y'")),
        (("TRUE", "a NOT IN ('1', '2')"), ("TRUE", "a IN ('1', '2')")),
        (("TRUE", "n = -1"), ("TRUE", "n >= 0")),
        (("TRUE", "(a = b)"), ("TRUE", "NOT (a = b)")),
    ],
)
def test_rules_that_cannot_both_hold_are_refused_whatever_their_order(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    rules = [rule(*one), rule(*other, code="CR91")]
    for order in (rules, rules[::-1]):
        with pytest.raises(RuleContradicts) as refusal:
            check_rules("mau", order)
        assert refusal.value.code == "CHK-011"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("b = 'x'", "a = '1'"), ("b = 'y'", "a = '2'")),  # of other records
        (("b = 'x'", "a = '1'"), ("n > 0", "a = '2'")),  # no record need be both
        (("TRUE", "n >= 5"), ("TRUE", "n <= 5")),
        (("TRUE", "a IN ('1', '2')"), ("TRUE", "a IN ('2', '3')")),
        (("TRUE", "a NOT IN ('1')"), ("TRUE", "a NOT IN ('2')")),
        (("TRUE", "a = '1' OR n = 1"), ("TRUE", "a = '2'")),  # a way is left
        (("NOT ok", "a = '1'"), ("TRUE", "ok")),  # the first is about those that fail the second
        (("TRUE", "a = '1'"), ("TRUE", "b = '2'")),
    ],
)
def test_rules_that_can_both_hold_stand_beside_each_other(one: tuple[str, str], other: tuple[str, str]) -> None:
    check_rules("mau", [rule(*one), rule(*other, code="CR91")])


@pytest.mark.parametrize(
    ("when", "check"),
    [
        ("FALSE", "a = 'x'"),
        ("a = 'x' AND FALSE", "n = 1"),
        ("a = 'x' AND a = 'y'", "n = 1"),
        ("a IS NULL AND a = 'x'", "n = 1"),
        ("n > 5 AND n < 3", "a = 'x'"),
        ("d >= DATE '2026-01-01' AND d < DATE '2026-01-01'", "a = 'x'"),
        ("a IS NOT NULL", "a IS NULL"),
        ("a = 'x' AND n > 0", "a = 'y'"),
        ("n > 5", "n < 3"),
        ("TRUE", "TRUE"),
        ("a = 'x'", "FALSE"),
        ("TRUE", "1 = 1"),
        ("TRUE", "a = 'x' AND a = 'y'"),
        ("TRUE", "n BETWEEN 3 AND 1"),
        ("TRUE", "a IN ('x') AND a NOT IN ('x', 'y')"),
        ("a = 'x'", "a = 'x'"),
        ("a = 'x' AND n > 0", "n > 0"),
        ("TRUE", "a = a"),
        ("TRUE", "n = 1 AND b <> (b)"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(when: str, check: str) -> None:
    with pytest.raises(RuleSaysNothing) as refusal:
        check_rules("mau", [rule(when, check)])
    assert refusal.value.code == "CHK-012"


@pytest.mark.parametrize(
    ("when", "check"),
    [
        ("TRUE", "a = 'x'"),
        ("a IS NOT NULL", "a = 'x' OR n = 1"),
        ("a = 'x'", "a = b"),
        ("n > 3", "n > 5"),
        ("a NOT IN ('x')", "a IN ('y', 'x')"),
        ("NOT ok", "n = 1"),
    ],
)
def test_a_rule_that_says_something_is_let_through(when: str, check: str) -> None:
    check_rules("mau", [rule(when, check)])


def test_no_derived_rule_contradicts_another_for_the_sample() -> None:
    rules = derive_rules(sample_dictionary(), sample_dataset())
    assert len({each.name for each in rules.rules}) == len(rules.rules)


@dataclass(frozen=True)
class Count:
    passed: int = 0
    failed: int = 0
    not_applicable: int = 0
    not_evaluated: int = 0


@pytest.mark.parametrize(
    ("count", "kind"),
    [
        (Count(not_applicable=100), "concerns-nothing"),
        (Count(failed=100), "fails-everything"),
        (Count(failed=100, not_applicable=900, not_evaluated=5), "fails-everything"),
        (Count(not_evaluated=100), "cannot-be-evaluated"),
        (Count(not_evaluated=1, not_applicable=99), "cannot-be-evaluated"),
    ],
)
def test_a_run_warns_of_rules_that_say_nothing_about_its_records(count: Count, kind: str) -> None:
    (warning,) = rule_warnings({"CR90": count})
    assert (warning.rule, warning.kind) == ("CR90", kind)
    assert warning.text.vi
    assert warning.text.en


@pytest.mark.parametrize(
    "count",
    [
        Count(),  # no rows prove nothing
        Count(not_applicable=99),
        Count(failed=99),
        Count(failed=99, not_applicable=1),
        Count(passed=1, failed=999),
        Count(passed=100),  # good data is no warning
    ],
)
def test_a_run_does_not_warn_of_what_proves_nothing(count: Count) -> None:
    assert rule_warnings({"CR90": count}) == ()


def test_warnings_come_by_name_of_rule() -> None:
    nothing = Count(not_applicable=500)
    assert [each.rule for each in rule_warnings({"UN01:b": nothing, "CL02:a": nothing})] == ["CL02:a", "UN01:b"]


def test_a_rule_and_its_reverse_of_one_rule_set_are_refused_at_derivation() -> None:
    dictionary = sample_dictionary()
    base = rule("TRUE", "n = 1").rule
    one, other = replace(base, code="CR90"), replace(base, code="CR91", check="n = 2")
    with pytest.raises(RuleContradicts):
        check_rules(dictionary.version, [rule(one.when, one.check), rule(other.when, other.check, code="CR91")])
