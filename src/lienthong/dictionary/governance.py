"""The life of a term: who may move it on, and what it takes (vòng đời thuật ngữ).

Đề xuất → Rà soát → Tham vấn → Phê duyệt & Đăng ký. There are two clocks: ``effective`` is the day in the world
on which a decision begins to hold (valid time), ``recorded_at`` the moment the register learned of it (record time).
Events are only ever added; where an item stands follows from them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final
from unicodedata import normalize

import orjson

from lienthong.dictionary.governance_refusals import (
    ApprovedChanged,
    DecisionIncomplete,
    DraftOpen,
    ProposerDecides,
    SuccessorRefused,
    TransitionRefused,
    VersionTooLow,
)
from lienthong.dictionary.model import AgencyId, Ref, Status

KINDS: Final = ("code-list", "value-domain", "data-element", "dataset")
REASON_CHARACTERS_MAX: Final = 2_000
NAME_CHARACTERS_MAX: Final = 200

OPEN: Final = frozenset({Status.PROPOSED, Status.REVIEW, Status.CONSULTATION})
ENDED: Final = frozenset({Status.SUPERSEDED, Status.RETIRED})
TRANSITIONS: Final[Mapping[Status | None, frozenset[Status]]] = {
    None: frozenset({Status.PROPOSED}),
    Status.PROPOSED: frozenset({Status.REVIEW, Status.REJECTED}),
    Status.REVIEW: frozenset({Status.CONSULTATION, Status.REJECTED}),
    Status.CONSULTATION: frozenset({Status.APPROVED, Status.REJECTED}),
    Status.APPROVED: frozenset({Status.SUPERSEDED, Status.RETIRED}),
    Status.SUPERSEDED: frozenset(),
    Status.RETIRED: frozenset(),
    Status.REJECTED: frozenset({Status.PROPOSED}),  # it was never anything, so its number is free
}
ACTS: Final[Mapping[Status, str]] = {
    Status.PROPOSED: "propose",
    Status.REVIEW: "review",
    Status.CONSULTATION: "consult on",
    Status.APPROVED: "approve",
    Status.SUPERSEDED: "supersede",
    Status.RETIRED: "retire",
    Status.REJECTED: "reject",
}

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class ItemKey:
    """Name an item whatever its version: ``data-element HoVaTen``."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusEvent:
    """One decision about one version of one item; never changed afterwards (sự kiện trạng thái)."""

    key: ItemKey
    version: str
    before: Status | None
    after: Status
    agency: AgencyId  # the authority that decided
    actor: str  # the person who acted for it
    content_hash: str  # SHA-256 of the files as they are or would be published, hex
    recorded_at: datetime  # record time
    task: int = 0  # review task; 0: a decision outside one
    reason: str | None = None
    decision: str | None = None  # number of the document, "123/QĐ-BCA"
    decision_hash: str | None = None  # SHA-256 of that document's file, hex
    effective: date | None = None  # valid time: first day the decision holds
    successor: Ref | None = None
    stewards: tuple[str, ...] = ()  # who answered for the item at that moment; resolved then, never carried over

    @property
    def subject(self) -> str:
        """Return item and version as people write them."""
        return f"{self.key.id}@{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """Everything ever decided, by item, in the order it was recorded."""

    by_item: Mapping[ItemKey, tuple[StatusEvent, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, key: ItemKey) -> tuple[StatusEvent, ...]:
        """Return the events of an item."""
        return self.by_item.get(key, ())

    def of_version(self, key: ItemKey, version: str) -> tuple[StatusEvent, ...]:
        """Return the events of one version."""
        return tuple(event for event in self.of(key) if event.version == version)

    def status(self, key: ItemKey, version: str) -> Status | None:
        """Return where a version stands; None: never proposed."""
        events = self.of_version(key, version)
        return events[-1].after if events else None

    def approval(self, key: ItemKey, version: str) -> StatusEvent | None:
        """Return the event that approved a version."""
        return next((event for event in self.of_version(key, version) if event.after is Status.APPROVED), None)

    def open_draft(self, key: ItemKey) -> StatusEvent | None:
        """Return the last event of the open draft of an item, if it has one."""
        latest = {event.version: event for event in self.of(key)}
        return next((event for event in latest.values() if event.after in OPEN), None)

    def newest_approved(self, key: ItemKey) -> str | None:
        """Return the greatest version that was ever approved, ended since or not."""
        versions = {event.version for event in self.of(key) if event.after is Status.APPROVED}
        return max(versions, key=version_key, default=None)


def version_key(version: str) -> tuple[int, ...]:
    """Return a version as numbers, to be compared."""
    assert _VERSION.fullmatch(version), f"not a version: {version}"
    return tuple(int(part) for part in version.split("."))


def same_person(one: str, other: str) -> bool:
    """Return whether two spellings name one person: case, blanks and composition do not make another."""

    def folded(name: str) -> str:
        return "".join(normalize("NFKC", name).casefold().split())

    return folded(one) == folded(other)


def advance(history: History, event: StatusEvent) -> History:
    """Return the history with one more event, or refuse.

    Raises:
        LienthongError: the rule that the event breaks, DIC-030 to DIC-036.
    """
    _check_form(event)
    own = history.of_version(event.key, event.version)
    standing = own[-1].after if own else None
    if event.after is Status.PROPOSED:
        _check_proposal(history, event)
    if event.before is not standing or event.after not in TRANSITIONS[standing]:
        raise TransitionRefused(
            subject=event.subject,
            item=event.key,
            before="not known" if standing is None else standing.value,
            after=event.after.value,
            reason=_why_not(standing, event),
        )
    _check_order(history, event)
    if own and standing is not Status.REJECTED and event.content_hash != own[-1].content_hash:
        raise ApprovedChanged(subject=event.subject, where="what is decided on is not what was proposed")
    _check_persons(own, event)
    _check_decision(event)
    if event.after is Status.SUPERSEDED:
        _check_successor(history, event)
    return History(by_item=MappingProxyType({**history.by_item, event.key: (*history.of(event.key), event)}))


def advance_all(history: History, events: Iterable[StatusEvent]) -> History:
    """Return the history with further events, all of them or none."""
    for event in events:
        history = advance(history, event)
    return history


def _why_not(standing: Status | None, event: StatusEvent) -> str:
    if event.after is Status.APPROVED:
        return "approval follows review and consultation"
    if standing in ENDED:
        return "what has ended stays ended"
    allowed = ", ".join(sorted(one.value for one in TRANSITIONS[standing]))
    return f"the next step is one of: {allowed}"


def _check_form(event: StatusEvent) -> None:
    """Refuse an event whose words mean nothing."""
    assert event.key.kind in KINDS, f"no kind of item: {event.key.kind}"
    assert event.recorded_at.tzinfo is not None, "a moment without a zone is none"
    assert _HASH.fullmatch(event.content_hash), "a hash is 64 hexadecimal digits"
    if not _VERSION.fullmatch(event.version):
        raise VersionTooLow(subject=event.subject, needed="1.0.0", reason="it is not written as three numbers")
    for name, text in (("a person", event.actor), ("an agency", event.agency)):
        if not _is_line(text, NAME_CHARACTERS_MAX):
            raise DecisionIncomplete(act=ACTS[event.after], subject=event.subject, missing=f"{name} who acts")
    for name, given in (("reason", event.reason), ("decision number", event.decision)):
        if given is not None and not _is_line(given, REASON_CHARACTERS_MAX):
            raise DecisionIncomplete(
                act=ACTS[event.after],
                subject=event.subject,
                missing=f"a {name} on one line of at most {REASON_CHARACTERS_MAX} characters",
            )
    if event.decision_hash is not None and not _HASH.fullmatch(event.decision_hash):
        raise DecisionIncomplete(
            act=ACTS[event.after], subject=event.subject, missing="the SHA-256 of the decision's file in hex"
        )


def _is_line(text: str, limit: int) -> bool:
    return bool(text.strip()) and text == text.strip() and len(text) <= limit and text.isprintable()


def _check_proposal(history: History, event: StatusEvent) -> None:
    opened = history.open_draft(event.key)
    if opened is not None:
        raise DraftOpen(item=event.key, subject=opened.subject, task=opened.task)
    approved = history.approval(event.key, event.version)
    if approved is not None and approved.content_hash != event.content_hash:
        raise ApprovedChanged(subject=event.subject, where="the proposal has the same version and other content")
    newest = history.newest_approved(event.key)
    if newest is not None and version_key(event.version) <= version_key(newest):
        major, minor, patch = version_key(newest)
        raise VersionTooLow(
            subject=event.subject, needed=f"{major}.{minor}.{patch + 1}", reason=f"{newest} was approved before"
        )


def _check_order(history: History, event: StatusEvent) -> None:
    """Refuse an event recorded before the one it follows: record time does not run back."""
    earlier = history.of(event.key)
    if earlier and event.recorded_at < earlier[-1].recorded_at:
        raise TransitionRefused(
            subject=event.subject,
            item=event.key,
            before=earlier[-1].after.value,
            after=event.after.value,
            reason="the clock of this machine is behind the last decision",
        )


def _check_persons(own: tuple[StatusEvent, ...], event: StatusEvent) -> None:
    """Refuse a decision by whoever proposed; a later proposal of the same version counts like the first."""
    if event.after not in {Status.REVIEW, Status.APPROVED}:
        return
    proposers = [one.actor for one in own if one.after is Status.PROPOSED]
    if any(same_person(event.actor, proposer) for proposer in proposers):
        raise ProposerDecides(subject=event.subject, item=event.key, act=ACTS[event.after])


def _check_decision(event: StatusEvent) -> None:
    """Refuse a decision that lacks what makes it one."""
    wanted = {
        Status.PROPOSED: ("reason",),
        Status.REVIEW: (),
        Status.CONSULTATION: ("reason",),
        Status.REJECTED: ("reason",),
        Status.APPROVED: ("decision", "effective"),
        Status.SUPERSEDED: ("decision", "effective", "successor"),
        Status.RETIRED: ("reason", "decision", "effective"),
    }[event.after]
    names = {
        "reason": "a reason",
        "decision": "the number of the decision",
        "effective": "the day from which it holds",
        "successor": "a successor",
    }
    missing = [names[name] for name in wanted if getattr(event, name) is None]
    if missing:
        raise DecisionIncomplete(act=ACTS[event.after], subject=event.subject, missing=" and ".join(missing))


def _check_successor(history: History, event: StatusEvent) -> None:
    assert event.successor is not None, "checked before"
    successor = event.successor

    def refused(reason: str) -> SuccessorRefused:
        return SuccessorRefused(successor=successor, subject=event.subject, reason=reason)

    if str(successor) == event.subject:
        raise refused("nothing succeeds itself")
    if event.subject in (str(one) for one in successors(history, event.key.kind, successor)):
        raise refused("succession would run in a circle")
    status = history.status(ItemKey(kind=event.key.kind, id=successor.id), successor.version)
    if status is not Status.APPROVED:
        raise refused("it was never proposed" if status is None else f"it is {status.value}")


def successors(history: History, kind: str, ref: Ref) -> Iterator[Ref]:
    """Yield what succeeded a version, and what succeeded that; a circle ends where it began."""
    seen = {ref}
    following: Ref | None = ref
    while following is not None:
        events = history.of_version(ItemKey(kind=kind, id=following.id), following.version)
        following = next((one.successor for one in events if one.after is Status.SUPERSEDED), None)
        if following is not None:
            yield following
            if following in seen:
                return
            seen.add(following)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What readers are told of an item on a day: a version that was approved, and whether it has ended."""

    key: ItemKey
    version: str
    status: Status  # approved, superseded or retired; never a draft
    approval: StatusEvent
    ending: StatusEvent | None = None


def readable(history: History, key: ItemKey, *, on: date, known_at: datetime | None = None) -> Standing | None:
    """Return the newest approved version in force on a day, as the register knew it at a moment; never a draft.

    None: nothing was approved by then.
    """
    events = [event for event in history.of(key) if known_at is None or event.recorded_at <= known_at]
    reached = [event for event in events if event.effective is not None and event.effective <= on]
    approvals = {event.version: event for event in reached if event.after is Status.APPROVED}
    if not approvals:
        return None
    version = max(approvals, key=version_key)
    ending = next((event for event in reached if event.version == version and event.after in ENDED), None)
    return Standing(
        key=key,
        version=version,
        status=Status.APPROVED if ending is None else ending.after,
        approval=approvals[version],
        ending=ending,
    )


def chained(previous: str, event: StatusEvent) -> str:
    """Return the hash that ties an event to all before it; a rewritten event breaks every later one."""
    value = {
        "kind": event.key.kind,
        "item": event.key.id,
        "version": event.version,
        "before": None if event.before is None else event.before.value,
        "after": event.after.value,
        "agency": event.agency,
        "actor": event.actor,
        "content_hash": event.content_hash,
        "recorded_at": event.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "task": event.task,
        "reason": event.reason,
        "decision": event.decision,
        "decision_hash": event.decision_hash,
        "effective": None if event.effective is None else event.effective.isoformat(),
        "successor": None if event.successor is None else str(event.successor),
        "stewards": list(event.stewards),
    }
    return hashlib.sha256(previous.encode() + b"\n" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
