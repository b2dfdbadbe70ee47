"""CR20: the branch part of an enterprise or tax number is 001 to 999 (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CR20"
ERROR_CLASS: Final = ErrorClass.FORMAT
ALGORITHM: Final = "mst"  # the check digit that enterprise and tax numbers have
NO_BRANCH: Final = "-000"


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every element that holds enterprise or tax numbers; 000 names no branch."""
    rules: list[Rule] = []
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        if domain.check_digit != ALGORITHM:
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CORRECT,
                severity=Severity.ERROR,
                element=element.technical_name,
                title=Text(vi="Mã đơn vị phụ thuộc từ 001 đến 999", en="Branch number is 001 to 999"),
                sentence=Text(
                    vi=f"{label.vi}: ba chữ số sau dấu gạch nối phải từ 001 đến 999",
                    en=f"{label.en}: the three digits after the hyphen must be 001 to 999",
                ),
                when=f"{element.technical_name} IS NOT NULL",
                check=f"NOT ({element.technical_name} LIKE '%{NO_BRANCH}')",
                identifier=element.identifier,
                basis=basis_of(domain.sources),
            )
        )
    return tuple(rules)
