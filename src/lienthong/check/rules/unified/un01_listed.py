"""UN01: a code stands in the shared list (thống nhất)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import LISTED, has_list
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "UN01"
ERROR_CLASS: Final = ErrorClass.REFERENTIAL


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every coded element; where the list may lack codes it is a warning."""
    rules: list[Rule] = []
    for member in dataset.members:
        code_list = dictionary.code_list_of(member.element)
        if code_list is None or not has_list(dictionary, member.element):
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        shared = Text(vi=code_list.label.vi, en=code_list.label.en or code_list.label.vi)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.UNIFIED,
                severity=Severity.ERROR if code_list.complete else Severity.WARNING,
                element=element.technical_name,
                title=Text(vi="Có trong danh mục dùng chung", en="Stands in the shared list"),
                sentence=Text(
                    vi=f"{label.vi}: mã phải có trong danh mục “{shared.vi}”",
                    en=f"{label.en}: the code must stand in the list “{shared.en}”",
                ),
                when=f"{element.technical_name} IS NOT NULL",
                check=element.technical_name + LISTED,
                identifier=element.identifier and code_list.complete,
                basis=basis_of(code_list.sources),
            )
        )
    return tuple(rules)
