"""What a change of one descriptor means for those who rely on it (phân loại thay đổi).

Breaking: data or programs that were right may now be wrong. Extending: more is possible than before.
Editorial: people read something else, no program does. What cannot be decided counts as breaking.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final


class Impact(enum.IntEnum):
    """How much a change asks of others; the greatest of several counts."""

    EDITORIAL = 1  # patch
    EXTENDING = 2  # minor
    BREAKING = 3  # major


class Action(enum.Enum):
    """What happened to an item or a part of it."""

    ADDED = "added"
    CHANGED = "changed"
    RETIRED = "retired"  # or superseded: it is still there to be read
    REMOVED = "removed"  # it is not there any more, which the procedure never does


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference between two states of the dictionary."""

    kind: str
    item: str
    action: Action
    impact: Impact
    text: str  # "length shortened"
    descriptor: str | None = None  # key of the metamodel: "max_length"; None: the item as a whole
    before: str | None = None
    after: str | None = None
    code: str | None = None  # of a code list
    member: str | None = None  # element of a dataset
    effective: date | None = None  # day from which the change holds, where it says so

    @property
    def number(self) -> int | None:
        """Return which of the 25 official descriptors changed, where it is one."""
        return None if self.descriptor is None else NUMBERS.get(self.descriptor)


NUMBERS: Final[Mapping[str, int]] = {
    "id": 1, "label": 2, "definition": 3, "usage": 4, "group": 5, "entity_relation": 6, "creator": 7, "owner": 8,
    "languages": 9, "version": 10, "status": 10, "valid_from": 10, "valid_to": 10, "legal_basis": 11,
    "synonyms": 12, "abbreviations": 12, "related": 13, "business_attributes": 14, "technical_name": 15,
    "datatype": 16, "max_length": 17, "min_length": 17, "precision": 17, "scale": 17, "rdf_type": 18,
    "technical_attributes": 20, "code_list": 21, "codes": 21, "normalisation": 22, "standardiser": 22,
    "tone_style": 22, "mappings": 24, "value_domain": 25, "pattern": 25, "check_digit": 25,
    "minimum": 25, "maximum": 25,
}  # fmt: skip

Judgement = tuple[Impact, str]
Judge = Callable[[Any, Any], Judgement]


def _always(impact: Impact, text: str) -> Judge:
    return lambda _before, _after: (impact, text)


def _number(value: Any) -> Decimal | date | None:
    try:
        return Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        pass
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _limit(name: str, *, upper: bool) -> Judge:
    """Judge a limit: a narrower one is breaking, and so is one that cannot be compared ("today")."""

    def judge(before: Any, after: Any) -> Judgement:
        if before is None:
            return Impact.BREAKING, f"{name} added"
        if after is None:
            return Impact.EXTENDING, f"{name} lifted"
        one, other = _number(before), _number(after)
        if one is None or other is None or type(one) is not type(other):
            return Impact.BREAKING, f"{name} is another"
        narrower = other < one if upper else other > one  # type: ignore[operator] # same type, seen above
        return (Impact.BREAKING, f"{name} narrowed") if narrower else (Impact.EXTENDING, f"{name} widened")

    return judge


def _restriction(name: str) -> Judge:
    """Judge something that only restricts: adding it breaks, lifting it does not, another one may."""

    def judge(before: Any, after: Any) -> Judgement:
        if before is None:
            return Impact.BREAKING, f"{name} added"
        if after is None:
            return Impact.EXTENDING, f"{name} lifted"
        return Impact.BREAKING, f"{name} is another"

    return judge


def _truth(on: Judgement, off: Judgement) -> Judge:
    return lambda _before, after: on if after else off


def _alternatives(pattern: str) -> frozenset[str] | None:
    """Return the alternatives at the top of an anchored pattern, or None where they cannot be told apart simply."""
    body = pattern[1:-1]
    if body.startswith("(") and body.endswith(")") and "(" not in body[1:] and ")" not in body[:-1]:
        body = body[1:-1]
    elif "|" in body:
        return None
    return None if re.search(r"[()\\]", body) else frozenset(body.split("|"))


def _pattern(before: Any, after: Any) -> Judgement:
    if before is None:
        return Impact.BREAKING, "pattern tightened: there was none"
    if after is None:
        return Impact.EXTENDING, "pattern lifted"
    one, other = _alternatives(before), _alternatives(after)
    if one is not None and other is not None and one < other:
        return Impact.EXTENDING, "pattern admits further forms"
    if one is not None and other is not None and other < one:
        return Impact.BREAKING, "pattern tightened: forms are no longer admitted"
    return Impact.BREAKING, "pattern is another: values that passed may fail"


_SENSITIVITY: Final = ("public", "internal", "basic-personal", "sensitive-personal")


def _sensitivity(before: Any, after: Any) -> Judgement:
    if _SENSITIVITY.index(after) > _SENSITIVITY.index(before):
        return Impact.BREAKING, "more sensitive: readers see it masked"
    return Impact.EXTENDING, "less sensitive: more may be shown"


def _lag(before: Any, after: Any) -> Judgement:
    if after < before:
        return Impact.BREAKING, "promised time shortened: a source that kept it may not"
    return Impact.BREAKING, "promised time lengthened: readers wait longer"


def _wider_list(before: Any, after: Any) -> Judgement:
    lost = {str(one) for one in before or ()} - {str(one) for one in after or ()}
    return (Impact.EXTENDING, "entries taken away") if lost else (Impact.EDITORIAL, "entries added")


EXTENDING: Final = _always(Impact.EXTENDING, "changed")
EDITORIAL: Final = _always(Impact.EDITORIAL, "changed")

ELEMENT: Final[Mapping[str, Judge]] = {
    "technical_name": _always(Impact.BREAKING, "column, API field and grants are called otherwise"),
    "definition": _always(Impact.EXTENDING, "meaning written otherwise: people must judge it"),
    "concept": _always(Impact.BREAKING, "stands for another concept"),
    "sensitivity": _sensitivity,
    "identifier": _truth((Impact.BREAKING, "became an identifier"), (Impact.EXTENDING, "is no identifier any more")),
    "synonyms": _wider_list,
    "abbreviations": _wider_list,
    "mappings": EXTENDING,
    "legal_basis": EXTENDING,
    "owner": EXTENDING,
    "creator": EXTENDING,
    "level": EXTENDING,
}
DOMAIN: Final[Mapping[str, Judge]] = {
    "datatype": _always(Impact.BREAKING, "type is another"),
    "rdf_type": EXTENDING,
    "max_length": _limit("length", upper=True),
    "min_length": _limit("least length", upper=False),
    "minimum": _limit("least value", upper=False),
    "maximum": _limit("greatest value", upper=True),
    "pattern": _pattern,
    "unit": _always(Impact.BREAKING, "unit is another: the same number means something else"),
    "code_list": _restriction("code list"),
    "check_digit": _restriction("check digit"),
    "tone_style": _always(Impact.BREAKING, "values are written in another form"),
    "standardiser": _always(Impact.BREAKING, "values are written in another form"),
    "normalisation": EXTENDING,
}
CODE_LIST: Final[Mapping[str, Judge]] = {
    "complete": _truth(
        (Impact.BREAKING, "declared complete: an unknown code is now an error"),
        (Impact.EXTENDING, "no longer complete: an unknown code is a warning"),
    ),
    "parent_list": _restriction("list of parents"),
    "within_list": EXTENDING,
}
DATASET: Final[Mapping[str, Judge]] = {
    "table": _always(Impact.BREAKING, "table is called otherwise"),
    "domain": EXTENDING,
    "definition": _always(Impact.EXTENDING, "meaning written otherwise: people must judge it"),
    "record_date": _always(Impact.BREAKING, "codes are read on another day"),
    "allowed_lag_s": _lag,
}
MEMBER: Final[Mapping[str, Judge]] = {
    "required": _truth((Impact.BREAKING, "became required"), (Impact.BREAKING, "may now be absent")),
    "key": _truth((Impact.BREAKING, "became part of the key"), (Impact.BREAKING, "left the key")),
    "unique": _truth((Impact.BREAKING, "became unique"), (Impact.EXTENDING, "may now repeat")),
    "many": _truth((Impact.BREAKING, "holds several values now"), (Impact.BREAKING, "holds one value now")),
}
JUDGES: Final[Mapping[str, Mapping[str, Judge]]] = {
    "data-element": ELEMENT,
    "value-domain": DOMAIN,
    "code-list": CODE_LIST,
    "dataset": DATASET,
}


def digits(before: tuple[int, int], after: tuple[int, int]) -> Judgement:
    """Judge (precision, scale) of decimals: neither digits before the point nor after it may become fewer."""
    if after[0] - after[1] < before[0] - before[1]:
        return Impact.BREAKING, "fewer digits before the point"
    if after[1] < before[1]:
        return Impact.BREAKING, "fewer digits after the point"
    return Impact.EXTENDING, "more digits"
