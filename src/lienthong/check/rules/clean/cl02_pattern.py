"""CL02: a value has the pattern of its domain (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import PATTERNED
from lienthong.check.language import literal
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Datatype, Dictionary, Text

CODE: Final = "CL02"
ERROR_CLASS: Final = ErrorClass.FORMAT

# Dates and numbers have the form their standardiser gave them, whatever their domain says.
_WRITTEN: Final = frozenset({Datatype.TEXT, Datatype.CODE, Datatype.CODES})


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every written element whose domain has a pattern."""
    rules: list[Rule] = []
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        if domain.pattern is None or domain.datatype not in _WRITTEN:
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        name = element.technical_name
        several = domain.datatype is Datatype.CODES
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.BLOCKING if member.key else Severity.ERROR,
                element=name,
                title=Text(vi="Đúng mẫu", en="Has its pattern"),
                sentence=Text(
                    vi=f"{label.vi}: {'mỗi mã' if several else 'giá trị'} phải theo mẫu {domain.pattern}",
                    en=f"{label.en}: {'each code' if several else 'the value'} must match {domain.pattern}",
                ),
                when=f"{name} IS NOT NULL",
                check=name + PATTERNED if several else f"regexp_like({name}, {literal(domain.pattern)})",
                identifier=element.identifier,
                basis=basis_of(domain.sources),
            )
        )
    return tuple(rules)
