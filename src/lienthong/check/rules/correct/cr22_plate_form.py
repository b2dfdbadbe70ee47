"""CR22: a civil vehicle plate has a local code and a series that are used (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CR22"
ERROR_CLASS: Final = ErrorClass.FORMAT
STANDARDISER: Final = "plate"

# 11 to 99 without 13, 42, 44 to 46, 87, 91 and 96, which no list that was seen has.
LOCAL: Final = "(1[124-9]|[23][0-9]|4[01]|43|4[7-9]|[5-7][0-9]|8[0-6]|8[89]|90|9[2-5]|9[7-9])"
SERIES: Final = "([A-HK-NPS-VXYZ]{1,2}|R)[0-9]?"  # without I, J, O, Q, W; R is for trailers
CIVIL: Final = f"^{LOCAL}{SERIES}-[0-9]{{4,5}}$"
BEGINS_WITH_DIGITS: Final = "^[0-9]{2}[^ ]{1,250}$"
DIPLOMATIC: Final = "^[0-9]{2,3}-?(NG|QT|CV|NN)[^ ]{1,240}$"


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of plates that begin with digits; those of the army (letters first) and of diplomats have other forms.

    A warning: the lists are those of programs, the circular itself was not read, and old codes live on after mergers.
    """
    rules: list[Rule] = []
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        if domain.standardiser != STANDARDISER:
            continue
        name = dictionary.elements[member.element].technical_name
        label = label_of(dictionary, member.element)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CORRECT,
                severity=Severity.WARNING,
                element=name,
                title=Text(vi="Mã địa phương và sê-ri biển số đã biết", en="Local code and series are known"),
                sentence=Text(
                    vi=f"{label.vi}: phải gồm mã địa phương đã biết, sê-ri (không I, J, O, Q, W) và 4 hoặc 5 chữ số",
                    en=f"{label.en}: a known local code, a series (no I, J, O, Q, W) and four or five digits",
                ),
                when=f"regexp_like({name}, '{BEGINS_WITH_DIGITS}') AND NOT regexp_like({name}, '{DIPLOMATIC}')",
                check=f"regexp_like({name}, '{CIVIL}')",
                basis=basis_of(domain.sources),
            )
        )
    return tuple(rules)
