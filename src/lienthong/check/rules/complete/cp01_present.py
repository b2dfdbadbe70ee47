"""CP01: an element the dataset asks for was sent (đủ)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import OUTCOME
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import is_must, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text
from lienthong.standardise.batch import Outcome

CODE: Final = "CP01"
ERROR_CLASS: Final = ErrorClass.EMPTY


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask for every required element and every part of the key."""
    rules: list[Rule] = []
    for member in dataset.members:
        if not is_must(member):
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.COMPLETE,
                severity=Severity.BLOCKING,
                element=element.technical_name,
                title=Text(vi="Có giá trị bắt buộc", en="Required value present"),
                sentence=Text(vi=f"{label.vi}: bắt buộc phải có giá trị", en=f"{label.en}: a value is required"),
                when="TRUE",
                check=f"{element.technical_name}{OUTCOME} <> {Outcome.EMPTY.value}",
                identifier=element.identifier,
            )
        )
    return tuple(rules)
