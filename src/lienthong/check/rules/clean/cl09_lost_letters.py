"""CL09: no letter was lost on the way through a wrong encoding (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import is_must, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CL09"
ERROR_CLASS: Final = ErrorClass.FORMAT

# In a name or an address a question mark stands where "Nguy?n" lost its ễ.
_NAMING: Final = frozenset({"person-name", "organisation-name", "address"})


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every name and address."""
    rules: list[Rule] = []
    for member in dataset.members:
        if dictionary.domain_of(member.element).standardiser not in _NAMING:
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        name = element.technical_name
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.ERROR if is_must(member) else Severity.WARNING,
                element=name,
                title=Text(vi="Không mất chữ", en="No lost letters"),
                sentence=Text(
                    vi=f"{label.vi}: không được mất chữ do sai bảng mã (dấu “?” giữa chữ)",
                    en=f"{label.en}: no letters lost to a wrong encoding (“?” among letters)",
                ),
                when=f"{name} IS NOT NULL",
                check=f"{name} NOT LIKE '%?%' AND {name} NOT LIKE '%\N{REPLACEMENT CHARACTER}%'",
                identifier=element.identifier and is_must(member),
            )
        )
    return tuple(rules)
