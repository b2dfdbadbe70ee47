"""CL06: a number or a day lies within the limits of its domain (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.language import literal
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Datatype, Dictionary, Text, ValueDomain

CODE: Final = "CL06"
ERROR_CLASS: Final = ErrorClass.OUTLIER
TODAY: Final = "today"  # a limit that moves: CR02 asks for it

_MEASURED: Final = frozenset({Datatype.INTEGER, Datatype.DECIMAL, Datatype.DATE})


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every number and day whose domain has a limit."""
    rules: list[Rule] = []
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        least = None if domain.minimum == TODAY else domain.minimum
        most = None if domain.maximum == TODAY else domain.maximum
        if domain.datatype not in _MEASURED or (least is None and most is None):
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        name = element.technical_name
        vi = " và ".join(part for part in (least and f"từ {least} trở lên", most and f"không quá {most}") if part)
        en = " and ".join(part for part in (least and f"at least {least}", most and f"at most {most}") if part)
        limits = [f"{name} >= {_limit(least, domain)}"] if least is not None else []
        limits += [f"{name} <= {_limit(most, domain)}"] if most is not None else []
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.ERROR,
                element=name,
                title=Text(vi="Trong khoảng cho phép", en="Within its range"),
                sentence=Text(vi=f"{label.vi}: giá trị phải {vi}", en=f"{label.en}: the value must be {en}"),
                when=f"{name} IS NOT NULL",
                check=" AND ".join(limits),
                identifier=element.identifier,
                basis=basis_of(domain.sources),
            )
        )
    return tuple(rules)


def _limit(limit: str, domain: ValueDomain) -> str:
    if domain.datatype is Datatype.DATE:
        return f"DATE {literal(limit)}"
    if domain.datatype is Datatype.DECIMAL:
        return f"CAST({literal(limit)} AS DECIMAL(38, {domain.scale or 0}))"
    return limit
