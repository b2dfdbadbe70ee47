"""UN03: a commune lies in the province beside it, on the day of the record (thống nhất)."""

from __future__ import annotations

import re
from typing import Final

from lienthong.check.columns import PARENT, has_list
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import CodeListId, Dataset, Datatype, Dictionary, ElementId, Text

CODE: Final = "UN03"
ERROR_CLASS: Final = ErrorClass.LOGIC

_WORD: Final = re.compile(r"[A-Z][a-z0-9]*")
_UNIT_WORDS: Final = 2  # "Ma" + "Xa", "Ma" + "Tinh"; the words after them say whose address it is


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Compare each code with the code of its parent that stands beside it under the same qualifier."""
    rules: list[Rule] = []
    for member in dataset.members:
        code_list = dictionary.code_list_of(member.element)
        if code_list is None or code_list.parent_list is None or not has_list(dictionary, member.element):
            continue
        above = _above(dictionary, dataset, member.element, code_list.parent_list)
        if above is None or dictionary.domain_of(member.element).datatype is not Datatype.CODE:
            continue
        name = dictionary.elements[member.element].technical_name
        parent = dictionary.elements[above].technical_name
        label, other = label_of(dictionary, member.element), label_of(dictionary, above)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.UNIFIED,
                severity=Severity.ERROR,
                element=name,
                title=Text(vi="Đơn vị thuộc đúng cấp trên", en="Lies in its parent"),
                sentence=Text(
                    vi=f"{label.vi}: phải thuộc {other.vi} vào ngày của bản ghi",
                    en=f"{label.en}: must lie in {other.en} on the day of the record",
                ),
                # Without a parent in force on that day the code itself is at fault: UN01 and UN02 say so.
                when=f"{name}{PARENT} IS NOT NULL AND {parent} IS NOT NULL",
                check=f"{name}{PARENT} = {parent}",
                basis=basis_of(code_list.sources),
            )
        )
    return tuple(rules)


def _above(dictionary: Dictionary, dataset: Dataset, element: ElementId, parents: CodeListId) -> ElementId | None:
    """Return the element of the dataset that names the parent, or None where none or several could."""
    qualifier = _qualifier(element)
    found = [
        member.element
        for member in dataset.members
        if dictionary.domain_of(member.element).code_list == parents and _qualifier(member.element) == qualifier
    ]
    return found[0] if len(found) == 1 else None


def _qualifier(element: ElementId) -> list[str]:
    return _WORD.findall(element)[_UNIT_WORDS:]
