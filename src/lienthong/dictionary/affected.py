"""What breaks for whom: from changes of the dictionary to the mappings, grants and tables that use it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lienthong.dictionary.changes import Change, Impact
from lienthong.dictionary.model import DatasetId, Dictionary, DomainId, ElementId


class Using(enum.Enum):
    """What rests on the dictionary."""

    MAPPING = "mapping"  # a column of a source
    GRANT = "grant"  # a permission to read
    TABLE = "table"  # a column of the centre


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """One place that uses elements of a dataset."""

    using: Using
    name: str  # "ca-mau public.doanh_nghiep.von_dieu_le"
    who: str  # agency that answers for it
    dataset: DatasetId
    elements: frozenset[ElementId]


@dataclass(frozen=True, kw_only=True, slots=True)
class Affected:
    """One use that one change touches."""

    usage: Usage
    element: ElementId | None  # None: the dataset as a whole
    change: Change


def affected(
    changes: Iterable[Change],
    usages: Sequence[Usage],
    *,
    before: Dictionary,
    after: Dictionary,
    least: Impact = Impact.BREAKING,
) -> tuple[Affected, ...]:
    """Return which uses are touched by changes of at least an impact, in the order of the changes."""
    found = []
    for change in changes:
        # What a new version of the same domain brings is told by the changes of the domain itself.
        told_elsewhere = change.descriptor == "value_domain" and not _is_exchanged(change)
        if change.impact < least or told_elsewhere:
            continue
        found += list(_uses(change, _touched(change, before) | _touched(change, after), usages))
    return tuple(found)


def _is_exchanged(change: Change) -> bool:
    return (change.before or "").partition("@")[0] != (change.after or "").partition("@")[0]


def _uses(change: Change, touched: set[ElementId], usages: Sequence[Usage]) -> Iterator[Affected]:
    for usage in usages:
        if change.kind == "dataset":
            if usage.dataset != change.item:
                continue
            if not change.member:
                yield Affected(usage=usage, element=None, change=change)
            elif change.member in usage.elements or _is_asked_of_sources(change, usage):
                yield Affected(usage=usage, element=ElementId(change.member), change=change)
            continue
        for element in sorted(usage.elements & touched):
            yield Affected(usage=usage, element=element, change=change)


def _is_asked_of_sources(change: Change, usage: Usage) -> bool:
    """Return whether a mapping lacks a field that has become required."""
    return usage.using is Using.MAPPING and change.text == "required field added"


def _touched(change: Change, dictionary: Dictionary) -> set[ElementId]:
    """Return the elements whose values a change concerns."""
    if change.kind == "data-element":
        return {ElementId(change.item)}
    domains = {DomainId(change.item)} if change.kind == "value-domain" else set()
    if change.kind == "code-list":
        domains = {name for name, domain in dictionary.domains.items() if domain.code_list == change.item}
    return {name for name, element in dictionary.elements.items() if element.value_domain.id in domains}
