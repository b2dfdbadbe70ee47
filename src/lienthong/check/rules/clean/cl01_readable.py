"""CL01: a value can be brought to its standard form (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import OUTCOME
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import is_must, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text
from lienthong.standardise.batch import Outcome

CODE: Final = "CL01"
ERROR_CLASS: Final = ErrorClass.FORMAT


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every element."""
    rules: list[Rule] = []
    for member in dataset.members:
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        outcome = element.technical_name + OUTCOME
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.BLOCKING if is_must(member) else Severity.ERROR,
                element=element.technical_name,
                title=Text(vi="Chuẩn hoá được", en="Can be standardised"),
                sentence=Text(
                    vi=f"{label.vi}: giá trị phải đọc được và đưa về dạng chuẩn của từ điển",
                    en=f"{label.en}: the value must be readable in the dictionary's form",
                ),
                when=f"{outcome} <> {Outcome.EMPTY.value}",
                check=f"{outcome} <> {Outcome.REFUSED.value}",
                identifier=element.identifier,
            )
        )
    return tuple(rules)
