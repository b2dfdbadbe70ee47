"""All rules of a dataset, derived from the dictionary: one module per code, found, never listed."""

from __future__ import annotations

import enum
import functools
import hashlib
import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from types import MappingProxyType, ModuleType
from typing import Final

from lienthong.check import rules as rules_package
from lienthong.check.columns import known_columns
from lienthong.check.declared import declared_for
from lienthong.check.language import ColumnUnknown, PredicateRefused, parse_predicate
from lienthong.check.rule_faults import ReadRule, RuleContradicts, RuleSaysNothing, check_rules
from lienthong.check.verdict import Criterion, ErrorClass, Rule, RuleSet
from lienthong.dictionary.model import Dataset, Dictionary
from lienthong.dictionary.refusals import Problem
from lienthong.errors import Actor, LienthongError

Derive = Callable[[Dictionary, Dataset], tuple[Rule, ...]]

# What a rule may be about beside one row: by the centre with every batch, by oversight, by a measurement.
OVER: Final = frozenset({"unique", "lag", "readers", "sample", "reference", "agreement", "near-duplicate"})


class RuleUnknown(LienthongError, code="CHK-003", actor=Actor.STEWARD):
    """A dataset asks for a rule that does not exist."""

    message = "dataset {dataset} asks for the rule {rule}, which does not exist"
    hint = "the rules are: {known}"


class RuleNotValid(LienthongError, code="CHK-010", actor=Actor.STEWARD):
    """A rule from a file has a predicate outside the language, or asks for columns that are not there."""

    message = "{place}: rule {rule} for dataset {dataset}: {reason}"
    hint = "correct the file; what a predicate may use: docs/reference/rules/README.md"


class RuleTwice(LienthongError, code="CHK-013", actor=Actor.STEWARD):
    """A rule from a file has the code of a rule that follows from the dictionary."""

    message = "{place}: rule {rule} has the code of a rule that is derived from the dictionary"
    hint = "give it a code of its own; the derived ones are: {known}"


@functools.cache
def _modules() -> Mapping[str, ModuleType]:
    """Return the module of each rule code that is derived.

    A module ``rules/<word>/<code>_<what>.py`` brings ``CODE``, ``ERROR_CLASS`` and ``derive``; adding one edits
    nothing.
    """
    found: dict[str, ModuleType] = {}
    for criterion in Criterion:
        package = importlib.import_module(f"{rules_package.__name__}.{criterion.value}")
        for entry in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{entry.name}")
            code: str = module.CODE
            assert code not in found, f"two rules have the code {code}"
            assert entry.name.startswith(f"{code.lower()}_"), f"rule {code} lives in module {entry.name}"
            found[code] = module
    return MappingProxyType(dict(sorted(found.items())))


@functools.cache
def all_rules() -> Mapping[str, Derive]:
    """Return how each rule code is derived, by code."""
    return MappingProxyType({code: module.derive for code, module in _modules().items()})


@functools.cache
def error_class_of(code: str) -> ErrorClass | None:
    """Return the class of errors (nhóm lỗi) that findings of a derived rule belong to, where it has one."""
    found: ErrorClass | None = _modules()[code].ERROR_CLASS
    return found


def derive_rules(dictionary: Dictionary, dataset: Dataset) -> RuleSet:
    """Return every rule of a dataset, derived or declared, by code and then by place of the element.

    Vietnamese: bộ quy tắc kiểm tra.

    Raises:
        RuleUnknown: the dataset asks for a code that is not there.
        RuleNotValid, RuleTwice: a declared rule cannot be used for the dataset.
        RuleContradicts, RuleSaysNothing: rules that cannot be right.
        PredicateRefused, ColumnUnknown: a derived rule is written outside the language.
    """
    name = dataset.identity.id
    known = {*all_rules(), *(rule.code for rule in dictionary.rules)}
    for wanted in dataset.rules:
        if wanted not in known:
            raise RuleUnknown(dataset=name, rule=wanted, known=", ".join(sorted(known)))
    rules = [*_derived(dictionary, dataset), *_declared(dictionary, dataset)]
    rules.sort(key=lambda rule: rule.code)
    names = [rule.name for rule in rules]
    assert len(set(names)) == len(names), f"two rules of {name} have the same name"
    columns = known_columns(dictionary, dataset)
    read = [
        ReadRule(
            rule=rule,
            when=parse_predicate(rule.when, columns=columns),
            check=parse_predicate(rule.check, columns=columns),
        )
        for rule in rules
        if rule.over is None
    ]
    check_rules(name, read)
    return RuleSet(dataset=dataset, rules=tuple(rules), digest=_digest(dictionary, rules))


def rule_problems(dictionary: Dictionary) -> tuple[Problem, ...]:
    """Return why declared rules cannot be used, one for each dataset at most, with file and line."""
    written = {rule.code: rule for rule in dictionary.rules}
    found: set[Problem] = set()
    for dataset in dictionary.datasets.values():
        if not any(dataset.identity.id in rule.datasets for rule in dictionary.rules):
            continue
        try:
            derive_rules(dictionary, dataset)
        except (RuleNotValid, RuleTwice, RuleContradicts, RuleSaysNothing) as refusal:
            named = (str(refusal.facts.get(key)).partition(":")[0] for key in ("rule", "other", "one"))
            rule = next((written[code] for code in named if code in written), None)
            if rule is None:
                raise  # rules that follow from the dictionary contradict each other: no file is at fault
            kind = _KINDS.get(type(refusal), "rule-text")
            found.add(Problem(file=rule.file, line=rule.line, rule=kind, text=str(refusal)))
    return tuple(sorted(found))


_KINDS: Final = {
    RuleContradicts: "rule-contradiction",
    RuleSaysNothing: "rule-says-nothing",
    RuleTwice: "duplicate-id",
}


def _derived(dictionary: Dictionary, dataset: Dataset) -> list[Rule]:
    rules: list[Rule] = []
    for code, derive in all_rules().items():
        for rule in derive(dictionary, dataset):
            assert rule.code == code, f"the module of {code} derives {rule.code}"
            assert rule.over is None or rule.over in OVER, (
                f"rule {rule.name} is over {rule.over}, which nobody measures"
            )
            usual = rule.error_class or error_class_of(code)
            rules.append(rule if rule.error_class is usual else replace(rule, error_class=usual))
    return rules


def _declared(dictionary: Dictionary, dataset: Dataset) -> list[Rule]:
    """Return the declared rules of a dataset, refused by file and line where they cannot be read."""
    rules: list[Rule] = []
    columns = known_columns(dictionary, dataset)
    for written, rule in declared_for(dictionary, dataset):
        place = f"{written.file}:{written.line}"
        if rule.code in all_rules():
            raise RuleTwice(place=place, rule=rule.code, known=", ".join(all_rules()))
        try:
            # The rules of a measurement have a condition too: to which records they apply.
            parse_predicate(rule.when, columns=columns)
            if rule.over is None:
                parse_predicate(rule.check, columns=columns)
        except (PredicateRefused, ColumnUnknown) as cause:
            name = dataset.identity.id
            raise RuleNotValid(place=place, rule=rule.code, dataset=name, reason=str(cause)) from cause
        rules.append(rule)
    return rules


def _digest(dictionary: Dictionary, rules: list[Rule]) -> str:
    """Return the SHA-256 over the dictionary's digest and everything each rule says."""
    facts = [[rule.name, asdict(rule)] for rule in rules]
    text = json.dumps([dictionary.digest, facts], ensure_ascii=False, separators=(",", ":"), default=_spelled)
    return hashlib.sha256(text.encode()).hexdigest()


def _spelled(value: object) -> str:
    assert isinstance(value, enum.Enum), f"a rule holds plain values, not {type(value).__name__}"
    return str(value.value)
