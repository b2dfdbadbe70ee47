"""Rules of the dictionary's files, bound to datasets (quy tắc khai báo)."""

from __future__ import annotations

from lienthong.check.verdict import Comparison, Criterion, ErrorClass, Rule, Severity
from lienthong.dictionary.model import Dataset, DatasetId, DeclaredRule, Dictionary


def declared_for(dictionary: Dictionary, dataset: Dataset) -> tuple[tuple[DeclaredRule, Rule], ...]:
    """Return each declared rule that is for a dataset, as written and as bound, in order of code."""
    wanted = DatasetId(dataset.identity.id)
    return tuple((rule, bind(dictionary, rule, wanted)) for rule in dictionary.rules if wanted in rule.datasets)


def bind(dictionary: Dictionary, declared: DeclaredRule, dataset: DatasetId) -> Rule:
    """Return a declared rule as the checks know rules."""
    comparison = declared.comparison
    return Rule(
        code=declared.code,
        criterion=Criterion(declared.criterion),
        severity=Severity(declared.severity),
        element=None if declared.element is None else dictionary.elements[declared.element].technical_name,
        title=declared.title,
        sentence=declared.sentence,
        when=declared.when,
        check=declared.check,
        over=declared.over,
        weight=float(declared.weight),
        identifier=declared.identifier,
        basis=declared.basis,
        comparison=None
        if comparison is None
        else Comparison(
            dataset=comparison.dataset or dataset,
            on=comparison.match,
            equal=comparison.equal,
            similar=comparison.similar,
            similarity=comparison.similarity_percent / 100,
        ),
        error_class=ErrorClass(declared.error_class),
        scored=not declared.local,
        version=declared.version,
    )
