"""The dictionary as a list to search and narrow down (trang chủ từ điển): plain values for the faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from lienthong.dictionary.descriptors import DATATYPE_VI, STATUS_VI, datasets_with
from lienthong.dictionary.finding import folded
from lienthong.dictionary.model import CodeListId, DatasetId, Dictionary, Element, ElementId
from lienthong.dictionary.search import Hit, Kind, NameKind, SearchIndex, Tier

TERMS_A_PAGE: Final = 25
OTHERS_SHOWN_MAX: Final = 8
CHANGES_SHOWN_MAX: Final = 6
NOWHERE: Final = "-"  # value of a facet for elements that have none


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One value of a facet, and how many of what was found have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Facet:
    """One way to narrow down."""

    name: str  # of the parameter in the address
    title: str
    choices: tuple[Choice, ...]
    chosen: str  # "" for all


@dataclass(frozen=True, kw_only=True, slots=True)
class TermLine:
    """One element of the list."""

    code: str
    label: str
    definition: str
    datatype: str
    status: str
    sensitivity: str
    technical_name: str
    datasets: tuple[tuple[str, str], ...]  # id, label
    tier: str | None = None  # name of the Tier when it was searched for
    begins_tier: bool = False  # first of its tier on this page
    found_by: str | None = None  # the name that fitted, where it is not the label or a code


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherLine:
    """A code list, dataset or code that fits the query too."""

    kind: str  # Kind.value
    id: str  # of the list or dataset; of the list a code is in
    label: str
    code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TermsPage:
    """What one page of the list shows."""

    lines: tuple[TermLine, ...]
    found: int
    total: int
    page: int
    pages: int
    facets: tuple[Facet, ...]
    others: tuple[OtherLine, ...]

    @property
    def narrowed(self) -> bool:
        """Return whether any facet is chosen."""
        return any(facet.chosen for facet in self.facets)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListChange:
    """What happened to a code list on a day."""

    on: date
    list_id: str
    label: str
    began: int
    ended: int


def assemble_terms(
    dictionary: Dictionary,
    index: SearchIndex,
    *,
    query: str,
    chosen: Mapping[str, str],
    page: int,
    sensitivities: Mapping[str, str],
) -> TermsPage:
    """Search, narrow down by facets and cut a page; a chosen value that is no choice narrows nothing.

    ``sensitivities`` are the words for the values of that facet, in the order they are shown.
    """
    hits = index.search(query) if query else ()
    terms = {hit.id: hit for hit in hits if hit.kind is Kind.ELEMENT}
    elements = (
        [dictionary.elements[ElementId(name)] for name in terms] if query else _by_label(dictionary.elements.values())
    )
    facets, kept = _narrowed(dictionary, elements, chosen, sensitivities)
    pages = max(1, -(-len(kept) // TERMS_A_PAGE))
    page = min(max(1, page), pages)
    shown = kept[(page - 1) * TERMS_A_PAGE : page * TERMS_A_PAGE]
    return TermsPage(
        lines=_lines(dictionary, shown, terms),
        found=len(kept),
        total=len(dictionary.elements),
        page=page,
        pages=pages,
        facets=facets,
        others=_others(dictionary, hits, query),
    )


def recent_list_changes(dictionary: Dictionary) -> tuple[ListChange, ...]:
    """Return the newest days on which codes of a list began or ended, newest first."""
    changes = []
    for list_id, code_list in dictionary.code_lists.items():
        began = Counter(code.valid_from for code in code_list.codes if code.valid_from is not None)
        ended = Counter(code.valid_to for code in code_list.codes if code.valid_to is not None)
        changes += [
            ListChange(on=day, list_id=list_id, label=code_list.label.vi, began=began[day], ended=ended[day])
            for day in {*began, *ended}
        ]
    changes.sort(key=lambda change: (change.on, change.began + change.ended, change.list_id), reverse=True)
    return tuple(changes[:CHANGES_SHOWN_MAX])


def status_counts(dictionary: Dictionary) -> tuple[Choice, ...]:
    """Return how many elements stand where in their life."""
    counted = Counter(element.identity.status for element in dictionary.elements.values())
    return tuple(
        Choice(value=status.value, label=label, count=counted[status])
        for status, label in STATUS_VI.items()
        if counted[status]
    )


def _narrowed(
    dictionary: Dictionary, elements: Sequence[Element], chosen: Mapping[str, str], sensitivities: Mapping[str, str]
) -> tuple[tuple[Facet, ...], Sequence[Element]]:
    """Return the facets and what is left; each facet counts what all the others leave."""
    kinds = _facet_kinds(dictionary, sensitivities)
    values = {name: {one.identity.id: read(one) for one in elements} for name, (_, read, _) in kinds.items()}
    valid = {
        name: value
        for name, value in chosen.items()
        if name in kinds and any(value in kinds[name][1](one) for one in dictionary.elements.values())
    }

    def left(without: str | None) -> list[Element]:
        return [
            one
            for one in elements
            if all(value in values[name][one.identity.id] for name, value in valid.items() if name != without)
        ]

    facets = []
    for name, (title, _, labels) in kinds.items():
        counted = Counter(value for one in left(name) for value in values[name][one.identity.id])
        order = {value: place for place, value in enumerate(labels)}
        choices = tuple(
            Choice(value=value, label=labels.get(value, value), count=counted[value])
            for value in sorted(counted, key=lambda value: (order.get(value, len(order)), value))
        )
        missing = valid.get(name, "")
        if missing and missing not in counted:
            choices = (*choices, Choice(value=missing, label=labels.get(missing, missing), count=0))
        facets.append(Facet(name=name, title=title, choices=choices, chosen=missing))
    return tuple(facets), left(None)


def _facet_kinds(
    dictionary: Dictionary, sensitivities: Mapping[str, str]
) -> dict[str, tuple[str, Callable[[Element], tuple[str, ...]], Mapping[str, str]]]:
    """Return parameter → title, how to read its values off an element, words for them in the order shown."""
    used: dict[str, list[str]] = {}
    for dataset in dictionary.datasets.values():
        for member in dataset.members:
            used.setdefault(member.element, []).append(dataset.identity.id)
    domains = {dataset.identity.id: dataset.domain for dataset in dictionary.datasets.values()}
    labels = {dataset.identity.id: dataset.label.vi for dataset in dictionary.datasets.values()}

    def datasets_of(one: Element) -> tuple[str, ...]:
        return tuple(used.get(one.identity.id, (NOWHERE,)))

    def domains_of(one: Element) -> tuple[str, ...]:
        return tuple(dict.fromkeys(domains[each] for each in used.get(one.identity.id, ()))) or (NOWHERE,)

    def group_of(one: Element) -> tuple[str, ...]:
        return (NOWHERE if one.group is None else one.group.vi,)

    named = dict.fromkeys(sorted(domains.values(), key=in_order))
    return {
        "mien": ("Miền dữ liệu cốt lõi", domains_of, {**{each: each for each in named}, NOWHERE: "chưa xác định"}),
        "nhom": ("Nhóm dữ liệu", group_of, {NOWHERE: "chưa xác định"}),
        "bo-du-lieu": (
            "Bộ dữ liệu",
            datasets_of,
            {
                **dict(sorted(labels.items(), key=lambda pair: in_order(pair[1]))),
                NOWHERE: "chưa thuộc bộ dữ liệu nào",
            },
        ),
        "tinh-trang": (
            "Tình trạng",
            lambda one: (one.identity.status.value,),
            {status.value: label for status, label in STATUS_VI.items()},
        ),
        "do-nhay-cam": ("Mức nhạy cảm", lambda one: (one.sensitivity.value,), sensitivities),
    }


def in_order(label: str) -> tuple[list[str], str]:
    """Return what sorts labels as people read them: Đ and marked vowels stand beside their plain letters."""
    return [folded(word) for word in label.split()], label


def _by_label(elements: Iterable[Element]) -> list[Element]:
    return sorted(elements, key=lambda one: (in_order(one.label.vi), one.identity.id))


def _lines(dictionary: Dictionary, shown: Sequence[Element], hits: Mapping[str, Hit]) -> tuple[TermLine, ...]:
    lines = []
    before: Tier | None = None
    for one in shown:
        name = ElementId(one.identity.id)
        hit = hits.get(name)
        tier = None if hit is None else hit.tier
        lines.append(
            TermLine(
                code=name,
                label=one.label.vi,
                definition=one.definition.vi,
                datatype=DATATYPE_VI[dictionary.domain_of(name).datatype],
                status=one.identity.status.value,
                sensitivity=one.sensitivity.value,
                technical_name=one.technical_name,
                datasets=tuple((each.identity.id, each.label.vi) for each in datasets_with(dictionary, name)),
                tier=None if tier is None else tier.name,
                begins_tier=tier is not before,
                found_by=_found_by(hit),
            )
        )
        before = tier
    return tuple(lines)


def _found_by(hit: Hit | None) -> str | None:
    """Return the name that fitted, where the line does not show it anyway."""
    shown = {None, NameKind.LABEL, NameKind.CODE, NameKind.TECHNICAL}
    return None if hit is None or hit.name_kind in shown else hit.name


def _others(dictionary: Dictionary, hits: Sequence[Hit], query: str) -> tuple[OtherLine, ...]:
    found = []
    for hit in hits:
        if hit.kind is Kind.ELEMENT or hit.tier > Tier.WORDS:
            continue
        label = (
            dictionary.datasets[DatasetId(hit.id)].label.vi
            if hit.kind is Kind.DATASET
            else dictionary.code_lists[CodeListId(hit.id)].label.vi
        )
        found.append(OtherLine(kind=hit.kind.value, id=hit.id, label=label))
    if any(sign.isdigit() for sign in query):
        found += [
            OtherLine(kind=Kind.CODE.value, id=name, label=code_list.label.vi, code=query)
            for name, code_list in dictionary.code_lists.items()
            if query in {*(one.code for one in code_list.codes), *(one.code for one in code_list.sightings)}
        ]
    return tuple(found[:OTHERS_SHOWN_MAX])
