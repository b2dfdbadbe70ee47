"""From files somebody proposes to drafts, and from an approved draft to the bytes that are published."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final

from lienthong.dictionary import items as reading
from lienthong.dictionary.canonical import Item, plain
from lienthong.dictionary.changes import Change, Impact
from lienthong.dictionary.code_pasts import read_sightings, read_successions
from lienthong.dictionary.code_tables import read_aliases, read_codes
from lienthong.dictionary.diff import greatest, item_changes, judged
from lienthong.dictionary.documents import Document, read_document
from lienthong.dictionary.governance import ENDED, ItemKey, version_key
from lienthong.dictionary.governance_refusals import (
    NothingIsDeleted,
    NothingProposed,
    ProposalNotValid,
    RestsOnDraft,
    VersionTooLow,
)
from lienthong.dictionary.model import (
    Code,
    CodeList,
    CodeListId,
    Dataset,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Ref,
    Status,
    ValueDomain,
)
from lienthong.dictionary.refusals import Problem
from lienthong.dictionary.writing import as_yaml, codes_csv

FOLDER_OF: Final[Mapping[str, str]] = {
    "data-element": "elements",
    "value-domain": "domains",
    "code-list": "codelists",
    "dataset": "datasets",
}
YAML, CODES, ALIASES, CONVERSION, PAST = ".yaml", ".csv", ".aliases.csv", ".conversion.csv", ".history.csv"
ENDINGS: Final = (YAML, CODES, ALIASES, CONVERSION, PAST)
ASIDE: Final = (ALIASES, CONVERSION, PAST)  # tables beside the codes; a proposal may leave them alone
LOST_SHOWN_MAX: Final = 3
PROBLEMS_SHOWN_MAX: Final = 5
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The files of one item as somebody gives them."""

    file: str  # name of the YAML file, for messages
    place: str  # path below the dictionary's folder, without ending: "elements/con-nguoi/HoVaTen"
    files: Mapping[str, str]  # ending → text


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """One proposed version: exactly the bytes that approval would publish (dự thảo)."""

    key: ItemKey
    version: str
    place: str
    item: Item  # with status approved
    files: Mapping[str, str]  # ending → text
    base_hash: str | None  # hash of the files it was compared with; None: the item is new

    @property
    def content_hash(self) -> str:
        """Return the hash that review, consultation and approval all speak of."""
        return files_hash(self.files)

    @property
    def paths(self) -> dict[str, str]:
        """Return path below the dictionary's folder → text."""
        return {self.place + ending: text for ending, text in self.files.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """An item as the folder holds it."""

    item: Item
    place: str
    files: Mapping[str, str]  # ending → text, as they lie there

    @property
    def hash(self) -> str:
        """Return the hash of the files."""
        return files_hash(self.files)


def files_hash(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of an item's files: any changed byte changes it."""
    digest = hashlib.sha256()
    for ending, text in sorted(files.items()):
        content = text.encode()
        digest.update(f"{ending} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def key_of(item: Item) -> ItemKey:
    """Return kind and id of an item."""
    kinds = {Element: "data-element", ValueDomain: "value-domain", CodeList: "code-list", Dataset: "dataset"}
    return ItemKey(kind=kinds[type(item)], id=item.identity.id)


def kind_of(document: Document) -> str:
    """Return what a YAML file describes, by the keys only its kind has."""
    keys = document.value.keys()
    if "technical_name" in keys:
        return "data-element"
    if "datatype" in keys:
        return "value-domain"
    return "dataset" if "members" in keys else "code-list"


def read_item(given: Given) -> Item:
    """Return the item in some files.

    Raises:
        ProposalNotValid: with every problem and its line.
    """
    problems: list[Problem] = []
    document = read_document(given.file, given.files[YAML], problems)
    item: Item | None = None
    if document is not None:
        stem = given.place.rpartition("/")[2]
        kind = kind_of(document)
        if kind == "data-element":
            item = reading.element(document, stem)
        elif kind == "value-domain":
            item = reading.value_domain(document, stem)
        elif kind == "dataset":
            item = reading.dataset(document, stem)
        else:
            item = _code_list(given, document, stem, problems)
    if problems or item is None:
        raise not_valid(given.file, problems)
    return item


def not_valid(path: object, problems: Iterable[Problem]) -> ProposalNotValid:
    """Return the refusal of a proposal with its problems, the first few in words."""
    found = tuple(sorted(problems))
    more = len(found) - PROBLEMS_SHOWN_MAX
    listed = "; ".join(str(one) for one in found[:PROBLEMS_SHOWN_MAX]) + (f"; and {more} more" if more > 0 else "")
    return ProposalNotValid(path=path, count=len(found), listed=listed, problems=found)


def _code_list(given: Given, document: Document, stem: str, problems: list[Problem]) -> CodeList:
    files = given.files
    if CODES not in files:
        document.refuse((), "no-codes", f"{stem}.csv is missing beside it")
        return reading.code_list(document, stem, (), ())
    codes, _ = read_codes(stem + CODES, files[CODES], problems)
    aliases = read_aliases(stem + ALIASES, files[ALIASES], codes, problems) if ALIASES in files else ()
    code_list = reading.code_list(document, stem, codes, aliases)
    if CONVERSION in files:
        successions = read_successions(stem + CONVERSION, files[CONVERSION], codes, problems)
        code_list = replace(code_list, successions=successions)
    if PAST in files:
        code_list = replace(code_list, sightings=read_sightings(stem + PAST, files[PAST], problems))
    return code_list


def rendered(item: Item, files: Mapping[str, str]) -> dict[str, str]:
    """Return the files of an item in their one spelling; tables beside the codes keep theirs, they name sources."""
    written = {YAML: as_yaml(item)}
    if isinstance(item, CodeList):
        written[CODES] = codes_csv(item)
        written |= {ending: files[ending] for ending in ASIDE if ending in files}
    return written


def approved_form(item: Item) -> Item:
    """Return an item as it stands once it is approved."""
    return replace(item, identity=replace(item.identity, status=Status.APPROVED, superseded_by=None))


def ended_form(item: Item, *, status: Status, on: date, successor: Ref | None) -> Item:
    """Return an approved item as it stands once it is superseded or retired; nothing else of it changes."""
    assert status in ENDED, "only an ending ends"
    identity = replace(item.identity, status=status, valid_to=on, superseded_by=successor)
    return replace(item, identity=identity)


def draft_of(given: Given, held: Mapping[ItemKey, Held]) -> Draft:
    """Return what would be published if somebody's files were approved.

    Raises:
        ProposalNotValid: the files have problems.
        NothingProposed: they claim a status that only a decision gives.
    """
    item = read_item(given)
    if item.identity.status not in {Status.PROPOSED, Status.APPROVED}:
        reason = f"status {item.identity.status.value} is given by a decision, not by a file"
        raise NothingProposed(path=given.file, reason=reason)
    key = key_of(item)
    before, files = held.get(key), given.files
    if before is not None and isinstance(item, CodeList):
        # A proposal of codes leaves the spellings, the conversion and the past of the list alone.
        files = {ending: text for ending, text in before.files.items() if ending in ASIDE} | dict(files)
        item = read_item(replace(given, files=files))
    return drafted(item, files=files, place=_place(given.place, key), held=before)


def _place(given: str, key: ItemKey) -> str:
    """Return where a new item goes: below the folder of its kind, as given where that is a plain path."""
    root = FOLDER_OF[key.kind]
    plainly = given.startswith(root + "/") and all(_PART.fullmatch(part) for part in given.split("/"))
    return given if plainly else f"{root}/{key.id}"


def drafted(item: Item, *, files: Mapping[str, str], place: str, held: Held | None) -> Draft:
    """Return the draft of an item; where the folder has it already, it stays at its place."""
    form = approved_form(item)
    return Draft(
        key=key_of(item),
        version=item.identity.version,
        place=place if held is None else held.place,
        item=form,
        files=rendered(form, files),
        base_hash=None if held is None else held.hash,
    )


def is_same(draft: Draft, held: Held) -> bool:
    """Return whether a draft says nothing but what the folder says already."""
    same_aside = all(draft.files.get(ending) == held.files.get(ending) for ending in ASIDE)
    return same_aside and plain(draft.item) == plain(approved_form(held.item))


def check_nothing_lost(before: Item, after: Item) -> None:
    """Refuse a version that drops a code, or what another source says.

    Raises:
        NothingIsDeleted: names what would be lost.
    """
    lost: list[str] = []
    if isinstance(before, CodeList) and isinstance(after, CodeList):
        kept = {(code.code, code.valid_from) for code in after.codes}
        lost = [
            f"code {code.code}" + (f" from {code.valid_from}" if code.valid_from else "")
            for code in before.codes
            if (code.code, code.valid_from) not in kept
        ]
    if isinstance(before, Element) and isinstance(after, Element):
        lost = [
            f"the {one.descriptor} of {one.source.document}" for one in before.conflicts if one not in after.conflicts
        ]
    if lost:
        more = len(lost) - LOST_SHOWN_MAX
        told = ", ".join(lost[:LOST_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
        raise NothingIsDeleted(item=key_of(after), what=told)


def needed_version(version: str, impact: Impact) -> str:
    """Return the least version after a change of some impact."""
    major, minor, patch = version_key(version)
    if impact is Impact.BREAKING:
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if impact is Impact.EXTENDING else f"{major}.{minor}.{patch + 1}"


def check_version(before: Item, after: Item, changes: Sequence[Change]) -> None:
    """Refuse a version that does not say how much changed since the approved one.

    Raises:
        VersionTooLow: names the least version, and the change that asks for it.
    """
    impact = greatest(changes)
    if impact is None:
        impact = Impact.EDITORIAL
    needed = needed_version(before.identity.version, impact)
    if version_key(after.identity.version) >= version_key(needed):
        return
    cause = next((change for change in changes if change.impact is impact), None)
    told = "nothing changed" if cause is None else f"{cause.descriptor or cause.item}: {cause.text}"
    raise VersionTooLow(
        subject=f"{after.identity.id}@{after.identity.version}",
        needed=needed,
        reason=f"the change since {before.identity.version} is {impact.name.lower()} ({told})",
    )


def changes_of(drafts: Iterable[Draft], held: Mapping[ItemKey, Held]) -> tuple[Change, ...]:
    """Return the diff of a proposal against what the folder holds."""
    found: list[Change] = []
    for draft in drafts:
        before = held.get(draft.key)
        if before is not None:
            found += [
                change
                for change in item_changes(draft.key.kind, before.item, draft.item)
                if change.descriptor != "status"
            ]
    return tuple(judged(found))


def rests_on(item: Item) -> tuple[ItemKey, ...]:
    """Return the items one item cannot be understood without."""
    if isinstance(item, Element):
        return (ItemKey(kind="value-domain", id=item.value_domain.id),)
    if isinstance(item, ValueDomain):
        return () if item.code_list is None else (ItemKey(kind="code-list", id=item.code_list),)
    if isinstance(item, CodeList):
        named = (item.parent_list, item.within_list)
        return tuple(ItemKey(kind="code-list", id=name) for name in named if name is not None)
    return tuple(ItemKey(kind="data-element", id=member.element) for member in item.members)


def resting_on(dictionary: Dictionary, key: ItemKey) -> tuple[ItemKey, ...]:
    """Return the items that rest on one and have not ended themselves."""
    everything: tuple[Item, ...] = (
        *dictionary.elements.values(),
        *dictionary.domains.values(),
        *dictionary.code_lists.values(),
        *dictionary.datasets.values(),
    )
    return tuple(
        sorted(key_of(one) for one in everything if key in rests_on(one) and one.identity.status not in ENDED)
    )


def check_foundations(drafts: Sequence[Draft], approved: Mapping[ItemKey, Status]) -> None:
    """Refuse to approve what rests on something nobody approved; what is approved together holds itself up.

    Raises:
        RestsOnDraft: names the first item and what it lacks.
    """
    together = {draft.key for draft in drafts}
    for draft in drafts:
        lacking = [
            str(key)
            for key in rests_on(draft.item)
            if key not in together and approved.get(key) is not Status.APPROVED
        ]
        if lacking:
            raise RestsOnDraft(item=draft.key, others=", ".join(lacking))


def closure(drafts: Sequence[Draft], held: Mapping[ItemKey, Held], approved: frozenset[ItemKey]) -> list[Draft]:
    """Return drafts with all they rest on that nobody approved yet, and all that names an older version of theirs."""
    found = {draft.key: draft for draft in drafts}
    waiting = list(drafts)
    while waiting:
        draft = waiting.pop(0)
        for key in rests_on(draft.item):
            if key not in found and key not in approved and key in held:
                found[key] = _again(held[key])
                waiting.append(found[key])
        for follower in _followers(draft, found, held):
            found[follower.key] = follower
            waiting.append(follower)
    return sorted(found.values(), key=lambda draft: draft.key)


def _again(held: Held) -> Draft:
    return drafted(held.item, files=held.files, place=held.place, held=held)


def _followers(draft: Draft, found: Mapping[ItemKey, Draft], held: Mapping[ItemKey, Held]) -> Iterator[Draft]:
    """Yield elements that must name the new version of a value domain, each in a new version of its own."""
    before = held.get(draft.key)
    if before is None or not isinstance(draft.item, ValueDomain):
        return
    impact = greatest(item_changes(draft.key.kind, before.item, draft.item)) or Impact.EDITORIAL
    ref = Ref(id=draft.key.id, version=draft.version)
    for key, one in held.items():
        item = one.item
        if (
            key in found
            or not isinstance(item, Element)
            or item.value_domain.id != ref.id
            or item.value_domain == ref
        ):
            continue
        identity = replace(item.identity, version=needed_version(item.identity.version, impact))
        yield drafted(replace(item, identity=identity, value_domain=ref), files={}, place=one.place, held=one)


def stewards(dictionary: Dictionary, key: ItemKey) -> tuple[str, ...]:
    """Return who answers for an item as the dictionary stands now: its own owner, else those of what uses it.

    Nothing keeps the answer: it is asked anew at every decision.
    """
    owners: set[str] = set()
    if key.kind == "data-element":
        element = dictionary.elements.get(ElementId(key.id))
        owners = {element.owner or element.creator or ""} if element is not None else set()
    elif key.kind == "dataset":
        members = [one for one in dictionary.datasets.values() if one.identity.id == key.id]
        owners = {owner for one in members for element in one.key for owner in _owner(dictionary, element)}
    else:
        domains = {DomainId(key.id)}
        if key.kind == "code-list":
            lists = {name for name, one in dictionary.domains.items() if one.code_list == CodeListId(key.id)}
            domains = lists
        owners = {
            owner
            for name, one in dictionary.elements.items()
            if one.value_domain.id in domains
            for owner in _owner(dictionary, name)
        }
    return tuple(sorted(owners - {""}))


def _owner(dictionary: Dictionary, element: ElementId) -> tuple[str, ...]:
    one = dictionary.elements[element]
    return tuple(owner for owner in (one.owner or one.creator,) if owner)


def merge_codes(current: Sequence[Code], additions: Sequence[Code], *, file: str = "codes.csv") -> tuple[Code, ...]:
    """Return the codes of a list with rows added; a row of a known code and period replaces that period.

    Raises:
        ProposalNotValid: two periods of one code would share a day; none is cut short silently.
    """
    merged = {(code.code, code.valid_from): code for code in current}
    merged |= {(code.code, code.valid_from): code for code in additions}
    ordered = sorted(merged.values(), key=lambda code: (code.code, code.valid_from or date.min))
    for one, other in pairwise(ordered):
        if one.code == other.code and (
            one.valid_to is None or other.valid_from is None or other.valid_from < one.valid_to
        ):
            text = f"code {one.code} is still in force on {other.valid_from}: give the row that ends it too"
            problem = Problem(file=file, line=1, rule="overlapping-periods", text=text)
            raise not_valid(file, [problem])
    return tuple(merged.values())
