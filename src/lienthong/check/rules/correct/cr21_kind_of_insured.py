"""CR21: a health insurance card begins with the code of a kind of insured person that is known (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.language import literal
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import CodeListId, Dataset, Dictionary, Text

CODE: Final = "CR21"
ERROR_CLASS: Final = ErrorClass.REFERENTIAL
STANDARDISER: Final = "health-card"
KINDS: Final = CodeListId("doi-tuong-bhyt")
SHAPED: Final = "^[A-Z]{2}[1-5][0-9]{12}$"


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of card numbers of the right shape; a warning, since the list holds only the codes that were seen."""
    kinds = dictionary.code_lists.get(KINDS)
    if kinds is None or not kinds.codes:
        return ()
    known = sorted({code.code for code in kinds.codes})
    rules: list[Rule] = []
    for member in dataset.members:
        if dictionary.domain_of(member.element).standardiser != STANDARDISER:
            continue
        name = dictionary.elements[member.element].technical_name
        label = label_of(dictionary, member.element)
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CORRECT,
                severity=Severity.WARNING,
                element=name,
                title=Text(vi="Mã đối tượng đã biết", en="Kind of insured person is known"),
                sentence=Text(
                    vi=f"{label.vi}: hai chữ cái đầu phải là một mã đối tượng đã biết",
                    en=f"{label.en}: the first two letters must be a known kind of insured person",
                ),
                when=f"regexp_like({name}, '{SHAPED}')",
                check=f"substr({name}, 1, 2) IN ({', '.join(literal(code) for code in known)})",
                basis=basis_of(kinds.sources),
            )
        )
    return tuple(rules)
