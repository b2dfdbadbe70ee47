"""CL03: a value is as long as its domain allows (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import SIZED, has_length, has_list
from lienthong.check.language import literal
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.widths import pattern_widths
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Datatype, Dictionary, Text, ValueDomain

CODE: Final = "CL03"
ERROR_CLASS: Final = ErrorClass.FORMAT

_WRITTEN: Final = frozenset({Datatype.TEXT, Datatype.CODE, Datatype.CODES})


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every written element whose length no pattern and no code list settles already.

    A rule that cannot fail would only raise the score.
    """
    rules: list[Rule] = []
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        least, most = _limits(domain)
        if (
            domain.datatype not in _WRITTEN
            or has_list(dictionary, member.element)
            or (least is None and most is None)
        ):
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        name = element.technical_name
        several = domain.datatype is Datatype.CODES
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.ERROR,
                element=name,
                title=Text(vi="Đúng độ dài", en="Has its length"),
                sentence=_sentence(label, least, most, several=several),
                when=_when(name, domain),
                check=name + SIZED if several else _check(name, least, most),
                identifier=element.identifier,
                basis=basis_of(domain.sources),
            )
        )
    return tuple(rules)


def _limits(domain: ValueDomain) -> tuple[int | None, int | None]:
    """Return the limits that a value of the domain's pattern could still break."""
    if not has_length(domain):
        return None, None
    least = domain.min_length if domain.min_length is not None and domain.min_length > 1 else None
    most = domain.max_length
    if domain.pattern is not None:
        shortest, longest = pattern_widths(domain.pattern)
        least = None if least is None or shortest >= least else least
        most = None if most is None or longest <= most else most
    return least, most


def _when(name: str, domain: ValueDomain) -> str:
    # A value that breaks the pattern is reported once, by the rule on patterns.
    filled = f"{name} IS NOT NULL"
    if domain.pattern is None or domain.datatype is Datatype.CODES:
        return filled
    return f"{filled} AND regexp_like({name}, {literal(domain.pattern)})"


def _check(name: str, least: int | None, most: int | None) -> str:
    parts = []
    if least is not None:
        parts.append(f"length({name}) >= {least}")
    if most is not None:
        parts.append(f"length({name}) <= {most}")
    return " AND ".join(parts)


def _sentence(label: Text, least: int | None, most: int | None, *, several: bool) -> Text:
    vi = " và ".join(
        part for part in (least and f"ít nhất {least} ký tự", most and f"nhiều nhất {most} ký tự") if part
    )
    en = " and ".join(part for part in (least and f"at least {least}", most and f"at most {most}") if part)
    which = ("mỗi mã", "each code") if several else ("giá trị", "the value")
    return Text(vi=f"{label.vi}: {which[0]} có {vi}", en=f"{label.en}: {which[1]} has {en} characters")
