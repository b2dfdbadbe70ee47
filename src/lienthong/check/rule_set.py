"""All rules of a dataset, derived from the dictionary: one module per code, found, never listed."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from lienthong.check import rules as rules_package
from lienthong.check.columns import known_columns
from lienthong.check.language import parse_predicate
from lienthong.check.verdict import Criterion, Rule, RuleSet
from lienthong.dictionary.model import Dataset, Dictionary
from lienthong.errors import Actor, LienthongError

Derive = Callable[[Dictionary, Dataset], tuple[Rule, ...]]

OVER: Final = frozenset({"unique", "lag", "readers"})  # what a rule may be about beside one row


class RuleUnknown(LienthongError, code="CHK-003", actor=Actor.STEWARD):
    """A dataset asks for a rule that does not exist."""

    message = "dataset {dataset} asks for the rule {rule}, which does not exist"
    hint = "the rules are: {known}"


@functools.cache
def all_rules() -> Mapping[str, Derive]:
    """Return how each rule code is derived, by code.

    A module ``rules/<word>/<code>_<what>.py`` brings ``CODE`` and ``derive``; adding one edits nothing.
    """
    found: dict[str, Derive] = {}
    for criterion in Criterion:
        package = importlib.import_module(f"{rules_package.__name__}.{criterion.value}")
        for entry in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{entry.name}")
            code: str = module.CODE
            assert code not in found, f"two rules have the code {code}"
            assert entry.name.startswith(f"{code.lower()}_"), f"rule {code} lives in module {entry.name}"
            found[code] = module.derive
    return MappingProxyType(dict(sorted(found.items())))


def derive_rules(dictionary: Dictionary, dataset: Dataset) -> RuleSet:
    """Return every rule that follows from the dictionary for a dataset, by code and then by place of the element.

    Vietnamese: bộ quy tắc kiểm tra.

    Raises:
        RuleUnknown: the dataset asks for a code that is not there.
        PredicateRefused, ColumnUnknown: a rule is written outside the language.
    """
    for wanted in dataset.rules:
        if wanted not in all_rules():
            raise RuleUnknown(dataset=dataset.identity.id, rule=wanted, known=", ".join(all_rules()))
    columns = known_columns(dictionary, dataset)
    derived: list[Rule] = []
    for code, derive in all_rules().items():
        for rule in derive(dictionary, dataset):
            assert rule.code == code, f"the module of {code} derives {rule.code}"
            assert rule.over is None or rule.over in OVER, (
                f"rule {rule.name} is over {rule.over}, which nobody measures"
            )
            if rule.over is None:
                parse_predicate(rule.when, columns=columns)
                parse_predicate(rule.check, columns=columns)
            derived.append(rule)
    names = [rule.name for rule in derived]
    assert len(set(names)) == len(names), f"two rules of {dataset.identity.id} have the same name"
    return RuleSet(dataset=dataset, rules=tuple(derived), digest=_digest(dictionary, derived))


def _digest(dictionary: Dictionary, derived: list[Rule]) -> str:
    facts = [
        [
            rule.name,
            rule.criterion.value,
            rule.severity.value,
            rule.when,
            rule.check,
            rule.over,
            rule.weight,
            rule.identifier,
            rule.sentence.vi,
        ]
        for rule in derived
    ]
    text = json.dumps([dictionary.digest, facts], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
