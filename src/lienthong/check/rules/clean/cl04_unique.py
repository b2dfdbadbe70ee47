"""CL04: a value that names one thing is claimed by one record (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CL04"
ERROR_CLASS: Final = ErrorClass.DUPLICATE

_TITLE: Final = Text(vi="Không trùng", en="Unique")


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every unique element and of the business key; the centre finds who else has the value."""
    key = dataset.key
    rules: list[Rule] = []
    for member in dataset.members:
        if not member.unique and key != (member.element,):
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.ERROR,
                element=element.technical_name,
                title=_TITLE,
                sentence=Text(
                    vi=f"{label.vi}: không được trùng với bản ghi khác", en=f"{label.en}: no other record may have it"
                ),
                when="",
                check="",
                over="unique",
                identifier=element.identifier,
            )
        )
    if len(key) > 1:
        parts = [label_of(dictionary, element) for element in key]
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.ERROR,
                element=None,
                title=_TITLE,
                sentence=Text(
                    vi=f"{' + '.join(part.vi for part in parts)}: không được trùng với bản ghi khác",
                    en=f"{' + '.join(part.en or part.vi for part in parts)}: no other record may have them all",
                ),
                when="",
                check="",
                over="unique",
                identifier=any(dictionary.elements[element].identifier for element in key),
            )
        )
    return tuple(rules)
