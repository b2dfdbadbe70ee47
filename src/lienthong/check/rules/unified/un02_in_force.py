"""UN02: a code is in force on the day of the record (thống nhất)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import IN_FORCE, LISTED, has_list
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "UN02"
ERROR_CLASS: Final = ErrorClass.REFERENTIAL


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every coded element whose list has codes that begin or end."""
    rules: list[Rule] = []
    for member in dataset.members:
        code_list = dictionary.code_list_of(member.element)
        if code_list is None or not has_list(dictionary, member.element):
            continue
        if all(code.valid_from is None and code.valid_to is None for code in code_list.codes):
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        shared = Text(vi=code_list.label.vi, en=code_list.label.en or code_list.label.vi)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.UNIFIED,
                severity=Severity.ERROR,
                element=element.technical_name,
                title=Text(vi="Mã còn hiệu lực", en="Code in force"),
                sentence=Text(
                    vi=f"{label.vi}: mã phải có hiệu lực trong danh mục “{shared.vi}” vào ngày của bản ghi",
                    en=f"{label.en}: the code must be in force in the list “{shared.en}” on the day of the record",
                ),
                when=f"{element.technical_name} IS NOT NULL AND {element.technical_name}{LISTED}",
                check=element.technical_name + IN_FORCE,
                identifier=element.identifier,
                basis=basis_of(code_list.sources),
            )
        )
    return tuple(rules)
