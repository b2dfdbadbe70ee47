"""What must hold between the items of a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from lienthong.dictionary.documents import Document, Path
from lienthong.dictionary.model import (
    CodeList,
    Dataset,
    Datatype,
    Element,
    Identity,
    Ref,
    Source,
    Status,
    ValueDomain,
)
from lienthong.dictionary.refusals import Problem


class HasIdentity(Protocol):
    """What every kind of item has."""

    @property
    def identity(self) -> Identity:
        """Return which item this is."""
        ...

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return where its facts come from."""
        ...


_ENDED = frozenset({Status.SUPERSEDED, Status.RETIRED, Status.REJECTED})

T_co = TypeVar("T_co", bound=HasIdentity, covariant=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Located(Generic[T_co]):
    """An item and the file it came from."""

    item: T_co
    document: Document


def check(
    *,
    code_lists: Sequence[Located[CodeList]],
    domains: Sequence[Located[ValueDomain]],
    elements: Sequence[Located[Element]],
    datasets: Sequence[Located[Dataset]],
    code_lines: Mapping[str, Sequence[int]] = MappingProxyType({}),
) -> None:
    """Note every broken tie on the document that holds it.

    ``code_lines`` says for the file of each list on which lines of the CSV file beside it its codes stand.
    """
    known_lists, known_domains = _index(code_lists), _index(domains)
    known_elements, known_datasets = _index(elements), _index(datasets)
    for known in (known_lists, known_domains, known_elements, known_datasets):
        _check_succession(known)
    for code_list in code_lists:
        _check_parents(
            code_list, known_lists, code_lines.get(code_list.document.file) or [1] * len(code_list.item.codes)
        )
        _check_within(code_list, known_lists)
    for domain in domains:
        _check_reference(domain.document, ("code_list",), domain.item.code_list, known_lists, "code list")
    for element in elements:
        _check_element(element, known_elements, known_domains)
    _check_definitions(elements)
    _check_concepts(elements)
    for dataset in datasets:
        _check_dataset(dataset, known_elements, known_domains)
    _check_tables(datasets)


def _index(located: Sequence[Located[T_co]]) -> dict[str, Located[T_co]]:
    """Return items by id; note ids that stand twice, and items without a source."""
    known: dict[str, Located[T_co]] = {}
    for one in located:
        name = one.item.identity.id
        if name in known:
            text = f"id {name} already stands in {known[name].document.file}"
            one.document.refuse(("id",), "duplicate-id", text)
        known.setdefault(name, one)
        if not one.item.sources and "sources" in one.document.value:
            one.document.refuse(("sources",), "no-source", "at least one source is needed; our own is a source too")
    return known


def _check_reference(document: Document, path: Path, wanted: str | None, known: Iterable[str], kind: str) -> bool:
    """Return whether the reference resolves; note it when it does not."""
    if not wanted:
        return False
    if wanted in known:
        return True
    document.refuse(path, "unknown-reference", f"there is no {kind} {wanted}")
    return False


def _check_version(document: Document, path: Path, ref: Ref, found: HasIdentity) -> None:
    if ref.version != found.identity.version:
        text = f"{ref} is asked for, version {found.identity.version} is here"
        document.refuse(path, "unknown-version", text)


def _check_succession(known: Mapping[str, Located[HasIdentity]]) -> None:
    """Note successors that do not exist, and circles of succession once each."""
    in_a_circle: set[str] = set()
    for name, one in known.items():
        successor = one.item.identity.superseded_by
        if successor is None:
            continue
        if _check_reference(one.document, ("superseded_by",), successor.id, known, "successor"):
            _check_version(one.document, ("superseded_by",), successor, known[successor.id].item)
        trail = [name]
        following: Ref | None = successor
        while following is not None and following.id in known and following.id not in trail:
            trail.append(following.id)
            following = known[following.id].item.identity.superseded_by
        if following is not None and following.id == name and name not in in_a_circle:
            in_a_circle.update(trail)
            text = "succession runs in a circle: " + " -> ".join([*trail, name])
            one.document.refuse(("superseded_by",), "succession-circle", text)


def _check_parents(one: Located[CodeList], known: Mapping[str, Located[CodeList]], lines: Sequence[int]) -> None:
    parents = {code.parent for code in one.item.codes if code.parent is not None}
    wanted = one.item.parent_list
    if wanted is None:
        if parents:
            one.document.refuse(("parent_list",), "missing-key", "codes have parents, so parent_list is needed")
        return
    if not _check_reference(one.document, ("parent_list",), wanted, known, "code list"):
        return
    above = {code.code for code in known[wanted].item.codes}
    table = one.document.file.removesuffix(".yaml") + ".csv"
    for code, line in zip(one.item.codes, lines, strict=True):
        if code.parent is not None and code.parent not in above:
            text = f"parent {code.parent} of code {code.code} is not in {wanted}"
            one.document.problems.append(Problem(file=table, line=line, rule="unknown-code", text=text))
    if wanted == one.item.identity.id:
        _note_parent_circle(one, table, lines)


def _note_parent_circle(one: Located[CodeList], table: str, lines: Sequence[int]) -> None:
    """Note the first circle of codes that are parents of each other, where parents stand in the same list."""
    above: dict[str, set[str]] = {}
    for code in one.item.codes:
        above.setdefault(code.code, set()).update([] if code.parent is None else [code.parent])
    try:
        TopologicalSorter(above).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        line = next(line for code, line in zip(one.item.codes, lines, strict=True) if code.code == circle[0])
        text = "parents run in a circle: " + " → ".join(circle)
        one.document.problems.append(Problem(file=table, line=line, rule="parent-circle", text=text))


def _check_within(one: Located[CodeList], known: Mapping[str, Located[CodeList]]) -> None:
    used = {row.within for row in one.item.successions} | {row.within for row in one.item.sightings}
    wanted = one.item.within_list
    if wanted is None:
        if used - {None}:
            text = "conversion or history name units in between, so within_list is needed"
            one.document.refuse(("within_list",), "missing-key", text)
        return
    if not _check_reference(one.document, ("within_list",), wanted, known, "code list"):
        return
    between = known[wanted].item
    named = {name for name in used if name is not None}
    strangers = named - {code.code for code in between.codes} - {seen.code for seen in between.sightings}
    for stranger in sorted(strangers):
        one.document.refuse(("within_list",), "unknown-code", f"unit in between {stranger} is not in {wanted}")


def _check_element(
    one: Located[Element], elements: Mapping[str, Located[Element]], domains: Mapping[str, Located[ValueDomain]]
) -> None:
    element, document = one.item, one.document
    wanted = element.value_domain
    if _check_reference(document, ("value_domain",), wanted.id, domains, "value domain"):
        _check_version(document, ("value_domain",), wanted, domains[wanted.id].item)
    for number, name in enumerate(element.related):
        _check_reference(document, ("related", number), name, elements, "element")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _check_concepts(elements: Sequence[Located[Element]]) -> None:
    """Note elements that say the same in the same writing: a concept and a value domain are one element."""
    seen: dict[tuple[str, str], Located[Element]] = {}
    for one in elements:
        element = one.item
        if element.identity.status in _ENDED:
            continue
        other = seen.setdefault((element.concept, element.value_domain.id), one)
        if element.concept and other is not one:
            one.document.refuse(
                ("concept",),
                "same-element",
                f"concept {element.concept} in {element.value_domain.id} is what {other.item.identity.id} is already",
            )


def _check_definitions(elements: Sequence[Located[Element]]) -> None:
    """Note definitions that define nothing, and those two elements share."""
    seen: dict[str, Located[Element]] = {}
    for one in elements:
        element, document = one.item, one.document
        definition = _folded(element.definition.vi)
        if not definition:
            continue
        names = {element.label.vi, element.identity.id, *element.synonyms}
        if definition in {_folded(name) for name in names}:
            document.refuse(("definition", "vi"), "definition-is-name", "the definition only repeats the name")
        elif definition in seen:
            other = seen[definition].item.identity.id
            document.refuse(("definition", "vi"), "same-definition", f"the definition is that of {other}")
        seen.setdefault(definition, one)


def _check_dataset(
    one: Located[Dataset], elements: Mapping[str, Located[Element]], domains: Mapping[str, Located[ValueDomain]]
) -> None:
    dataset, document = one.item, one.document
    names: dict[str, str] = {}
    for number, member in enumerate(dataset.members):
        path = ("members", number, "element")
        if not _check_reference(document, path, member.element, elements, "element"):
            continue
        name = elements[member.element].item.technical_name
        if member.element in names.values():
            document.refuse(path, "duplicate-value", f"element {member.element} stands twice")
        elif name in names:
            text = f"technical name {name} of {member.element} is that of {names[name]}"
            document.refuse(path, "duplicate-technical-name", text)
        names.setdefault(name, member.element)
    if not dataset.key and dataset.members:
        document.refuse(("members",), "no-key", "a dataset needs a member with key: true")
    _check_record_date(one, elements, domains)


def _check_record_date(
    one: Located[Dataset], elements: Mapping[str, Located[Element]], domains: Mapping[str, Located[ValueDomain]]
) -> None:
    wanted, path = one.item.record_date, ("record_date",)
    if wanted is None:
        return
    if wanted not in {member.element for member in one.item.members}:
        one.document.refuse(path, "unknown-reference", f"record_date {wanted} is not a member")
        return
    if wanted not in elements or elements[wanted].item.value_domain.id not in domains:
        return  # noted already
    if domains[elements[wanted].item.value_domain.id].item.datatype is not Datatype.DATE:
        one.document.refuse(path, "record-date", f"record_date {wanted} must be a whole date")


def _check_tables(datasets: Sequence[Located[Dataset]]) -> None:
    seen: dict[str, str] = {}
    for one in datasets:
        table = one.item.table
        if table in seen:
            one.document.refuse(("table",), "duplicate-value", f"table {table} is that of {seen[table]}")
        seen.setdefault(table, one.item.identity.id)
