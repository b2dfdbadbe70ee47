"""What officers do with the dictionary: propose, review, consult, approve, reject, end (quản trị từ điển).

Drafts and decisions live in the centre's database, approved items in the dictionary's folder. A decision is first
recorded, then published; publishing again finishes what was cut off and changes nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from lienthong.adapters import dictionary_folder as disk
from lienthong.adapters.postgres import dictionary_drafts
from lienthong.adapters.postgres.dictionary_drafts import DraftRegister, Task
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.canonical import Item
from lienthong.dictionary.changes import Change
from lienthong.dictionary.governance import (
    ENDED,
    OPEN,
    History,
    ItemKey,
    Standing,
    StatusEvent,
    readable,
)
from lienthong.dictionary.governance_refusals import (
    ApprovedChanged,
    ChangedMeanwhile,
    FolderNotOurs,
    NothingProposed,
    StillInUse,
    TaskUnknown,
)
from lienthong.dictionary.load import load
from lienthong.dictionary.model import AgencyId, Ref, Status
from lienthong.dictionary.proposals import (
    YAML,
    Draft,
    Held,
    changes_of,
    check_foundations,
    closure,
    ended_form,
    files_hash,
    rendered,
    resting_on,
    stewards,
)
from lienthong.wiring.proposing import check_drafts, check_released, read_drafts, read_held, tried
from lienthong.wiring.settings import Settings, password

VIETNAM: Final = timezone(timedelta(hours=7))


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """The person who acts and the agency for which; on trust from the command line, signed in from the portal."""

    actor: str
    agency: AgencyId


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where governance works: the register in the database, the dictionary's folder, the clock."""

    url: str
    password: str | None
    folder: Path
    clock: Clock

    @property
    def today(self) -> date:
        """Return the day in Vietnam."""
        return self.clock.now().astimezone(VIETNAM).date()


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskView:
    """A review task with where it stands."""

    task: Task
    drafts: tuple[Draft, ...]
    status: Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a decision did."""

    task: int | None
    events: tuple[StatusEvent, ...]
    published: tuple[str, ...] = ()  # paths below the dictionary's folder
    changes: tuple[Change, ...] = ()  # of a proposal, against what the folder holds


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a decision rests on."""

    reason: str | None = None
    number: str | None = None  # of the document
    file_hash: str | None = None
    effective: date | None = None


def open_desk(settings: Settings, *, folder: Path | None = None, clock: Clock | None = None) -> Desk:
    """Return the desk of an installation.

    Raises:
        FolderNotOurs: neither the call nor the settings name a folder of one's own.
    """
    place = folder or settings.dictionary
    if place is None:
        raise FolderNotOurs(reason="no folder of your own is named, and the shipped dictionary is not written")
    return Desk(
        url=settings.centre.url,
        password=password(settings.centre),
        folder=place.resolve(),
        clock=clock or SystemClock(),
    )


def propose(desk: Desk, paths: Sequence[Path], *, who: Who, reason: str, with_related: bool = False) -> Outcome:
    """Propose items as one review task (đề xuất); the folder is not touched.

    Raises:
        LienthongError: the first rule a file breaks; nothing is written then.
    """
    _, held = read_held(desk.folder)
    with dictionary_drafts.deciding(desk.url, password=desk.password) as register:
        check_untouched(register, held)
        drafts = read_drafts(desk.folder, paths, held, set(_standing_keys(register.history)))
        if with_related:
            drafts = closure(drafts, held, frozenset(_standing_keys(register.history)))
        if not drafts:
            named = ", ".join(str(path) for path in paths)
            raise NothingProposed(path=named, reason="nothing in it differs from the dictionary")
        check_drafts(drafts, held, _newest(register, drafts), register.history)
        check_released(desk.folder, drafts)
        tried(desk.folder, drafts, held, path=", ".join(str(path) for path in paths))
        changes = changes_of(drafts, held)
        now = desk.clock.now()
        diff = [told(change) for change in changes]
        task = register.add_task(actor=who.actor, agency=who.agency, reason=reason, diff=diff, at=now)
        register.add_drafts(task, drafts)
        events = _moved(
            register.history, drafts, Status.PROPOSED, at=now, who=who, decision=Decision(reason=reason), task=task
        )
        register.append(events)
    return Outcome(task=task, events=events, changes=changes)


def told(change: Change) -> dict[str, Any]:
    """Return a change as plain values."""
    return {
        "kind": change.kind,
        "item": change.item,
        "action": change.action.value,
        "impact": change.impact.name.lower(),
        "text": change.text,
        "descriptor": change.descriptor,
        "number": change.number,
        "before": change.before,
        "after": change.after,
        "code": change.code,
        "member": change.member,
        "effective": None if change.effective is None else change.effective.isoformat(),
    }


def _newest(register: DraftRegister, drafts: Iterable[Draft]) -> dict[ItemKey, Draft]:
    """Return the greatest approved version of each item that is proposed again."""
    versions = {draft.key: register.history.newest_approved(draft.key) for draft in drafts}
    return {key: register.approved_draft(key, version) for key, version in versions.items() if version is not None}


def _standing_keys(history: History) -> Iterator[ItemKey]:
    """Yield items with an approved version that has not ended."""
    for key in history.by_item:
        version = history.newest_approved(key)
        if version is not None and history.status(key, version) is Status.APPROVED:
            yield key


def _moved(
    history: History,
    drafts: Sequence[Draft],
    after: Status,
    *,
    at: datetime,
    who: Who,
    decision: Decision,
    task: int,
    answering: Mapping[ItemKey, tuple[str, ...]] | None = None,
) -> tuple[StatusEvent, ...]:
    """Return one event for each draft of a task."""
    return tuple(
        StatusEvent(
            key=draft.key,
            version=draft.version,
            before=history.status(draft.key, draft.version),
            after=after,
            agency=who.agency,
            actor=who.actor,
            content_hash=draft.content_hash,
            recorded_at=at,
            task=task,
            reason=decision.reason,
            decision=decision.number,
            decision_hash=decision.file_hash,
            effective=decision.effective,
            stewards=() if answering is None else answering[draft.key],
        )
        for draft in drafts
    )


def find_task(register: DraftRegister, wanted: str) -> Task:
    """Return a task by its number, or by an item with an open draft.

    Raises:
        TaskUnknown: there is none.
    """
    tasks = {task.number: task for task in register.tasks()}
    if wanted.isdecimal():
        if int(wanted) not in tasks:
            raise TaskUnknown(what="task", wanted=wanted)
        return tasks[int(wanted)]
    drafts = [register.history.open_draft(key) for key in named_keys(register.history, wanted)]
    numbers = {event.task for event in drafts if event is not None}
    if len(numbers) != 1:
        raise TaskUnknown(what="single open draft of", wanted=wanted)
    return tasks[numbers.pop()]


def named_keys(history: History, wanted: str) -> tuple[ItemKey, ...]:
    """Return the items a person may mean: ``HoVaTen``, or ``dataset/doanh-nghiep`` where two kinds share an id."""
    return tuple(key for key in history.by_item if wanted in {key.id, str(key)})


def _task_status(register: DraftRegister, drafts: Sequence[Draft], task: int) -> Status:
    """Return where a task stands; its drafts move together."""
    first = drafts[0]
    own = [event for event in register.history.of_version(first.key, first.version) if event.task == task]
    return own[-1].after


def review(desk: Desk, wanted: str, *, who: Who, note: str | None = None) -> Outcome:
    """Note that a task was reviewed by somebody who did not propose it (rà soát)."""
    return _decide(desk, wanted, Status.REVIEW, who, Decision(reason=note))


def consult(desk: Desk, wanted: str, *, who: Who, outcome: str) -> Outcome:
    """Note who was consulted on a task and what they said (tham vấn)."""
    return _decide(desk, wanted, Status.CONSULTATION, who, Decision(reason=outcome))


def reject(desk: Desk, wanted: str, *, who: Who, reason: str | None) -> Outcome:
    """Reject a task for a reason; the proposer may take it back in the same way (từ chối, rút lại)."""
    return _decide(desk, wanted, Status.REJECTED, who, Decision(reason=reason))


def _decide(desk: Desk, wanted: str, after: Status, who: Who, decision: Decision) -> Outcome:
    with dictionary_drafts.deciding(desk.url, password=desk.password) as register:
        task = find_task(register, wanted)
        drafts = register.drafts(task.number)
        events = _moved(
            register.history, drafts, after, at=desk.clock.now(), who=who, decision=decision, task=task.number
        )
        register.append(events)
    return Outcome(task=task.number, events=events)


def approve(desk: Desk, wanted: str, *, who: Who, decision: Decision) -> Outcome:
    """Approve and register a task, and publish it from its day on (phê duyệt & đăng ký).

    A task that is approved already is only published: what was cut off is finished.
    """
    with disk.writing(desk.folder):
        with dictionary_drafts.deciding(desk.url, password=desk.password) as register:
            task = find_task(register, wanted)
            drafts = register.drafts(task.number)
            events: tuple[StatusEvent, ...] = ()
            if _task_status(register, drafts, task.number) is not Status.APPROVED:
                events = _approval(desk, register, drafts, who=who, decision=decision, task=task.number)
                register.append(events)
        published = _publish(desk)
    return Outcome(task=task.number, events=events, published=published)


def _approval(
    desk: Desk, register: DraftRegister, drafts: Sequence[Draft], *, who: Who, decision: Decision, task: int
) -> tuple[StatusEvent, ...]:
    """Return the events of an approval: of each draft, and the end of the version it succeeds."""
    dictionary, held = read_held(desk.folder)
    history = register.history
    standing = dict.fromkeys(_standing_keys(history), Status.APPROVED)
    answering = {draft.key: stewards(dictionary, draft.key) for draft in drafts}
    events = list(
        _moved(
            history,
            drafts,
            Status.APPROVED,
            at=desk.clock.now(),
            who=who,
            decision=decision,
            task=task,
            answering=answering,
        )
    )
    for draft, event in zip(drafts, tuple(events), strict=True):
        former = history.newest_approved(draft.key)
        if former is not None and history.status(draft.key, former) is Status.APPROVED:
            events.append(
                replace(
                    event,
                    version=former,
                    before=Status.APPROVED,
                    after=Status.SUPERSEDED,
                    content_hash=history.of_version(draft.key, former)[-1].content_hash,
                    successor=Ref(id=draft.key.id, version=draft.version),
                )
            )
    register.check(events)  # who may decide comes before what is decided on
    check_foundations(drafts, standing)
    for draft in drafts:
        before = held.get(draft.key)
        if (None if before is None else before.hash) != draft.base_hash:
            raise ChangedMeanwhile(item=draft.key)
    tried(desk.folder, drafts, held, path=f"task {task}")
    return tuple(events)


def retire(desk: Desk, wanted: str, *, who: Who, decision: Decision) -> Outcome:
    """Retire an item that nothing rests on any more (thôi dùng); it stays readable for ever."""
    return _end(desk, wanted, Status.RETIRED, who=who, decision=decision)


def supersede(desk: Desk, wanted: str, *, by: Ref, who: Who, decision: Decision) -> Outcome:
    """Supersede an item by another that is approved (thay thế)."""
    return _end(desk, wanted, Status.SUPERSEDED, who=who, decision=decision, by=by)


def _end(desk: Desk, wanted: str, after: Status, *, who: Who, decision: Decision, by: Ref | None = None) -> Outcome:
    with disk.writing(desk.folder):
        with dictionary_drafts.deciding(desk.url, password=desk.password) as register:
            history = register.history
            keys = [key for key in named_keys(history, wanted) if history.newest_approved(key) is not None]
            if len(keys) != 1:
                raise TaskUnknown(what="single approved item", wanted=wanted)
            key = keys[0]
            version = history.newest_approved(key) or ""
            dictionary = load(desk.folder)
            event = StatusEvent(
                key=key,
                version=version,
                before=history.status(key, version),
                after=after,
                agency=who.agency,
                actor=who.actor,
                content_hash=history.of_version(key, version)[-1].content_hash,
                recorded_at=desk.clock.now(),
                reason=decision.reason,
                decision=decision.number,
                decision_hash=decision.file_hash,
                effective=decision.effective,
                successor=by,
                stewards=stewards(dictionary, key),
            )
            register.check([event])
            users = resting_on(dictionary, key) if after is Status.RETIRED else ()
            if users:
                raise StillInUse(item=key, others=", ".join(str(one) for one in users))
            register.append([event])
        published = _publish(desk)
    return Outcome(task=None, events=(event,), published=published)


def publish(desk: Desk) -> tuple[str, ...]:
    """Write to the folder what is approved and due, and return the paths; nothing where all is in place (công bố).

    Raises:
        ApprovedChanged: a file is in a state no decision ever put it in.
    """
    with disk.writing(desk.folder):
        return _publish(desk)


def _publish(desk: Desk) -> tuple[str, ...]:
    _, held = read_held(desk.folder)
    wanted: dict[str, str] = {}
    with dictionary_drafts.deciding(desk.url, password=desk.password) as register:
        check_untouched(register, held)
        for key in sorted(register.history.by_item):
            standing, before = readable(register.history, key, on=desk.today), held.get(key)
            if standing is None:
                continue
            if before is not None and standing.ending is None and before.hash == standing.approval.content_hash:
                continue
            draft = register.approved_draft(key, standing.version)
            files = rendered(_form(register.history, draft, standing, on=desk.today), draft.files)
            if before is None or before.hash != files_hash(files):
                place = draft.place if before is None else before.place
                wanted |= {place + ending: text for ending, text in files.items()}
    if wanted:
        disk.tried(desk.folder, wanted)
        disk.replace_files(desk.folder, wanted)
    return tuple(sorted(wanted))


def check_untouched(register: DraftRegister, held: Mapping[ItemKey, Held]) -> None:
    """Refuse a folder in which a file of an approved item is in a state that no decision ever put it in.

    Raises:
        ApprovedChanged: names the file.
    """
    known: dict[ItemKey, set[str | None]] = {}
    for one in register.approvals():
        known.setdefault(one.key, set()).update((one.base_hash, one.content_hash))
    for key, states in known.items():
        before = held.get(key)
        if before is None or before.hash in states:
            continue
        version = before.item.identity.version
        if register.history.approval(key, version) is not None and before.hash in _ended_hashes(
            register, key, version
        ):
            continue
        raise ApprovedChanged(subject=f"{key.id}@{version}", where=before.place + YAML)


def _ended_hashes(register: DraftRegister, key: ItemKey, version: str) -> set[str]:
    """Return the hashes an approved version has or had once it ended, whatever version its successor was in."""
    history, found = register.history, set[str]()
    if history.approval(key, version) is None:
        return found
    draft = register.approved_draft(key, version)
    for event in history.of_version(key, version):
        if event.after not in ENDED or event.effective is None:
            continue
        heirs: list[Ref | None] = [None]
        if event.successor is not None:
            heir_key = ItemKey(kind=key.kind, id=event.successor.id)
            versions = {one.version for one in history.of(heir_key) if one.after is Status.APPROVED}
            heirs = [Ref(id=heir_key.id, version=each) for each in versions]
        for heir in heirs:
            form = ended_form(draft.item, status=event.after, on=event.effective, successor=heir)
            found.add(files_hash(rendered(form, draft.files)))
    return found


def _form(history: History, draft: Draft, standing: Standing, *, on: date) -> Item:
    """Return an approved version as readers see it on a day."""
    if standing.ending is None:
        return draft.item
    assert standing.ending.effective is not None, "an ending has a day"
    heir = standing.ending.successor
    if heir is not None:
        # The folder holds one version of the successor, so that is the one to be named.
        present = readable(history, ItemKey(kind=draft.key.kind, id=heir.id), on=on)
        heir = heir if present is None else Ref(id=heir.id, version=present.version)
    return ended_form(draft.item, status=standing.status, on=standing.ending.effective, successor=heir)


def decided(desk: Desk) -> dict[ItemKey, tuple[str, Status]]:
    """Return version and status of every approved item as readers see it today.

    Raises:
        ApprovedChanged: a file in the folder is in a state no decision ever put it in.
    """
    with dictionary_drafts.deciding(desk.url, password=desk.password) as register:
        history = register.history
        check_untouched(register, read_held(desk.folder)[1])
    standings = (readable(history, key, on=desk.today) for key in history.by_item)
    return {one.key: (one.version, one.status) for one in standings if one is not None}


def list_tasks(desk: Desk, *, every: bool = False) -> tuple[TaskView, ...]:
    """Return the open review tasks, or all of them, oldest first."""
    with dictionary_drafts.looking(desk.url, password=desk.password) as register:
        views = [_view(register, task) for task in register.tasks()]
    return tuple(view for view in views if every or view.status in OPEN)


def show_task(desk: Desk, wanted: str) -> TaskView:
    """Return one review task."""
    with dictionary_drafts.looking(desk.url, password=desk.password) as register:
        return _view(register, find_task(register, wanted))


def _view(register: DraftRegister, task: Task) -> TaskView:
    drafts = register.drafts(task.number)
    return TaskView(task=task, drafts=drafts, status=_task_status(register, drafts, task.number))


def history_of(desk: Desk, wanted: str) -> tuple[StatusEvent, ...]:
    """Return everything decided about an item, oldest first.

    Raises:
        TaskUnknown: nothing was.
    """
    with dictionary_drafts.looking(desk.url, password=desk.password) as register:
        history = register.history
    events = [event for key in named_keys(history, wanted) for event in history.of(key)]
    if not events:
        raise TaskUnknown(what="decision about", wanted=wanted)
    return tuple(sorted(events, key=lambda event: event.recorded_at))
