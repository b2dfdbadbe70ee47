"""What the pages of proposals say: where a task stands, what it changes, who may do the next step and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from lienthong.dictionary.canonical import items
from lienthong.dictionary.descriptors import STATUS_VI, descriptors
from lienthong.dictionary.governance import OPEN, ItemKey, StatusEvent, same_person
from lienthong.dictionary.model import AgencyId, Dictionary, DomainId, Element, ElementId, Status, ValueDomain
from lienthong.dictionary.proposals import Draft
from lienthong.oversight.officers import Officer, Role
from lienthong.portal.change_words import change_in_words
from lienthong.portal.governance_words import DESCRIPTOR, in_lines
from lienthong.portal.guard import ROLE_VI, register
from lienthong.portal.services import services
from lienthong.wiring.governance import Desk, Who
from lienthong.wiring.officers import full_names, portal_desk
from lienthong.wiring.review_tasks import TaskFile

ITEMS_OPENED: Final = 5  # items of a task whose descriptors are shown in full; the rest has its changes
CHANGES_SHOWN_MAX: Final = 200
LETTERS_SHOWN_MAX: Final = 2_000
ROAD: Final = (Status.PROPOSED, Status.REVIEW, Status.CONSULTATION, Status.APPROVED)
_ITEM_PAGE: Final = {
    "data-element": "element",
    "value-domain": "domain",
    "code-list": "code_list",
    "dataset": "definition",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One step somebody may take on a task."""

    name: str  # part of the address: "ra-soat"
    title: str
    after: Status
    roles: tuple[Role, ...]
    by_another: bool  # not by whoever proposed


ACTS: Final = (
    Act(name="ra-soat", title="Rà soát", after=Status.REVIEW, roles=(Role.REVIEWER,), by_another=True),
    Act(name="tham-van", title="Tham vấn", after=Status.CONSULTATION, roles=(Role.REVIEWER,), by_another=False),
    Act(
        name="phe-duyet",
        title="Phê duyệt & Đăng ký",
        after=Status.APPROVED,
        roles=(Role.APPROVER,),
        by_another=True,
    ),
    Act(
        name="tu-choi",
        title="Từ chối",
        after=Status.REJECTED,
        roles=(Role.REVIEWER, Role.APPROVER),
        by_another=False,
    ),
)
_NEXT: Final[Mapping[Status, tuple[str, ...]]] = {
    Status.PROPOSED: ("ra-soat", "tu-choi"),
    Status.REVIEW: ("tham-van", "tu-choi"),
    Status.CONSULTATION: ("phe-duyet", "tu-choi"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A step on the page: whether the officer may take it, else why not, and who may."""

    act: Act
    why_not: str | None
    others: tuple[str, ...]  # who may, by full name and agency
    takes_back: bool = False  # rejecting one's own proposal


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeLine:
    """One change side by side."""

    what: str
    before: str | None
    after: str | None
    impact: str
    note: str
    in_vietnamese: bool  # of the note


@dataclass(frozen=True, kw_only=True, slots=True)
class DescriptorLine:
    """One of the 25 descriptors, old and new."""

    n: int
    title: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Return whether the two differ."""
        return self.before != self.after


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemLine:
    """One item of a task."""

    key: ItemKey
    version: str
    label: str
    is_new: bool
    page: str | None  # address of the item where readers see it
    changes: tuple[ChangeLine, ...]
    more_changes: int
    descriptors: tuple[DescriptorLine, ...]
    files: tuple[tuple[str, str], ...]


def governing_desk() -> Desk | None:
    """Return where proposals are kept; None: nobody signs in, or the dictionary is the shipped one."""
    given = services()
    settings = getattr(given, "settings", None)
    return None if settings is None else portal_desk(settings, clock=given.clock)


def acting(officer: Officer) -> Who:
    """Return an officer as decisions name them: the name they sign in with is never given to anybody else."""
    return Who(actor=officer.name, agency=AgencyId(officer.agency))


def names() -> Mapping[str, str]:
    """Return the full name behind every name that decisions bear."""
    return full_names(register())


def act_called(name: str) -> Act | None:
    """Return the step with a name."""
    return next((act for act in ACTS if act.name == name), None)


def steps(officer: Officer, *, status: Status, proposer: str, everybody: Sequence[Officer]) -> tuple[Step, ...]:
    """Return the next steps of a task as an officer may or may not take them."""
    own = same_person(officer.name, proposer)
    found = []
    for name in _NEXT.get(status, ()):
        act = act_called(name)
        assert act is not None, "every next step is an act"
        takes_back = own and act.after is Status.REJECTED
        why_not = None
        if not takes_back:
            if not any(officer.may(role) for role in act.roles):
                why_not = "Tài khoản chưa có vai trò " + " hoặc ".join(ROLE_VI[role] for role in act.roles) + "."
            elif act.by_another and own:
                why_not = "Đây là đề xuất của chính mình: người đề xuất không tự rà soát, không tự phê duyệt."
        others = tuple(
            f"{each.full_name} ({each.agency})"
            for each in everybody
            if each.name != officer.name
            and any(each.may(role) for role in act.roles)
            and not (act.by_another and same_person(each.name, proposer))
        )
        found.append(Step(act=act, why_not=why_not, others=others, takes_back=takes_back))
    return tuple(found)


def road(events: Sequence[StatusEvent]) -> tuple[tuple[Status, bool], ...]:
    """Return the steps of the procedure, each with whether it is behind."""
    reached = {event.after for event in events}
    walked = ROAD if Status.REJECTED not in reached else tuple(each for each in ROAD if each in reached)
    ended = (Status.REJECTED,) if Status.REJECTED in reached else ()
    return tuple((each, each in reached) for each in (*walked, *ended))


def item_lines(file: TaskFile) -> tuple[ItemLine, ...]:
    """Return the items of a task with what changes; the first few with all descriptors beside those of today."""
    drafts = file.view.drafts
    dictionary = services().dictionary
    later = overlaid(dictionary, drafts)
    known = {ItemKey(kind=kind, id=item.identity.id) for kind, item in items(dictionary)}
    is_open = file.view.status in OPEN
    by_item: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for change in file.view.task.diff:
        by_item.setdefault((change["kind"], change["item"]), []).append(change)
    return tuple(
        _item_line(
            draft,
            by_item.get((draft.key.kind, draft.key.id), []),
            dictionary=dictionary,
            later=later,
            in_full=number < ITEMS_OPENED,
            is_open=is_open,
            known=draft.key in known,
        )
        for number, draft in enumerate(drafts)
    )


def _item_line(
    draft: Draft,
    changes: Sequence[Mapping[str, Any]],
    *,
    dictionary: Dictionary,
    later: Dictionary,
    in_full: bool,
    is_open: bool,
    known: bool,
) -> ItemLine:
    key = draft.key
    return ItemLine(
        key=key,
        version=draft.version,
        label=draft.item.label.vi,
        is_new=draft.base_hash is None,
        page=reverse(_ITEM_PAGE[key.kind], args=[key.id]) if known else None,
        changes=tuple(_change(one) for one in changes[:CHANGES_SHOWN_MAX]),
        more_changes=max(0, len(changes) - CHANGES_SHOWN_MAX),
        descriptors=_side_by_side(dictionary, later, draft, is_open=is_open) if in_full else (),
        files=tuple((draft.place + ending, text) for ending, text in sorted(draft.files.items()) if in_full),
    )


def _change(change: Mapping[str, Any]) -> ChangeLine:
    part = change["code"] or change["member"]
    what = DESCRIPTOR.get(change["descriptor"] or "", change["descriptor"] or "Cả mục")
    if part:
        what = f"{part}: {what}" if change["descriptor"] else str(part)
    words = change_in_words(change["text"])
    return ChangeLine(
        what=what,
        before=_short(_in_words(change, "before")),
        after=_short(_in_words(change, "after")),
        impact=change["impact"],
        note=words or change["text"],
        in_vietnamese=words is not None,
    )


def _in_words(change: Mapping[str, Any], when: str) -> str | None:
    value = change[when]
    if value is None or change["descriptor"] != "status":
        return in_lines(value)
    return STATUS_VI[Status(value)]


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= LETTERS_SHOWN_MAX else text[:LETTERS_SHOWN_MAX] + " …"


def overlaid(dictionary: Dictionary, drafts: Sequence[Draft]) -> Dictionary:
    """Return the dictionary with drafts in place of what it holds, for showing only."""
    elements, domains = dict(dictionary.elements), dict(dictionary.domains)
    for draft in drafts:
        if isinstance(draft.item, Element):
            elements[ElementId(draft.key.id)] = draft.item
        elif isinstance(draft.item, ValueDomain):
            domains[DomainId(draft.key.id)] = draft.item
    return replace(dictionary, elements=elements, domains=domains)


def _side_by_side(
    dictionary: Dictionary, later: Dictionary, draft: Draft, *, is_open: bool
) -> tuple[DescriptorLine, ...]:
    """Return the descriptors of an element now and with the draft; of a decided task only as it was decided."""
    if not isinstance(draft.item, Element):
        return ()
    name = ElementId(draft.key.id)
    shown = replace(later, elements={**later.elements, name: draft.item})
    if DomainId(draft.item.value_domain.id) not in shown.domains:
        return ()
    after = descriptors(shown, name)
    before = descriptors(dictionary, name) if is_open and name in dictionary.elements else None
    return tuple(
        DescriptorLine(
            n=one.n,
            title=one.title,
            before="" if before is None else before[index].value,
            after=one.value,
        )
        for index, one in enumerate(after)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class EventLine:
    """One step that was taken."""

    status: str
    who: str
    agency: str
    at: datetime
    reason: str | None
    decision: str | None
    decision_hash: str | None
    effective: Any
    successor: str | None
    version: str


def event_lines(events: Sequence[StatusEvent], people: Mapping[str, str]) -> tuple[EventLine, ...]:
    """Return steps with the people's full names."""
    return tuple(
        EventLine(
            status=event.after.value,
            who=person(event.actor, people),
            agency=event.agency,
            at=event.recorded_at,
            reason=event.reason,
            decision=event.decision,
            decision_hash=event.decision_hash,
            effective=event.effective,
            successor=None if event.successor is None else str(event.successor),
            version=event.version,
        )
        for event in events
    )


def person(name: str, people: Mapping[str, str]) -> str:
    """Return a person as pages name them: the full name where the account is known."""
    full_name = people.get(name)
    return name if full_name is None else f"{full_name} ({name})"
