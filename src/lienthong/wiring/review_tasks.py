"""Review tasks, open drafts and the next release as pages want them (lượt đề xuất, bản phát hành tới)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lienthong.adapters import dictionary_folder as disk
from lienthong.adapters.postgres import dictionary_drafts
from lienthong.clock import Clock
from lienthong.dictionary.canonical import items
from lienthong.dictionary.changes import Impact
from lienthong.dictionary.governance import OPEN, ItemKey, StatusEvent
from lienthong.dictionary.governance_refusals import NothingProposed, ProposalNotValid, ReleaseRefused, TaskUnknown
from lienthong.dictionary.load import load
from lienthong.dictionary.model import Dictionary, Status
from lienthong.dictionary.proposals import needed_version
from lienthong.dictionary.refusals import Problem
from lienthong.dictionary.release import check_releasable, check_versions
from lienthong.errors import LienthongError
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.wiring import releases
from lienthong.wiring.governance import Desk, Outcome, TaskView, Who, decided, history_of, propose, show_task
from lienthong.wiring.releases import Comparison
from lienthong.wiring.services import Services, dictionary_folder, read_knowledge
from lienthong.wiring.settings import Settings

FIRST_VERSION: Final = "0.1.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskLine:
    """One review task in a list, told from its events alone: no draft is opened for it."""

    number: int
    actor: str
    agency: str
    reason: str
    events: tuple[StatusEvent, ...]  # one for each step, oldest first
    subjects: tuple[tuple[ItemKey, str], ...]  # item and version

    @property
    def status(self) -> Status:
        """Return where the task stands."""
        return self.events[-1].after


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFile:
    """One review task with everything about it."""

    view: TaskView
    events: tuple[StatusEvent, ...]  # one for each step, oldest first


@dataclass(frozen=True, kw_only=True, slots=True)
class NextRelease:
    """What a release made now would hold."""

    previous: str | None  # version of the release before
    version: str  # the least that fits the changes
    comparison: Comparison | None  # None: there is no release to compare with
    statuses: Mapping[Status, int]  # items the folder holds, by where they stand
    refusal: LienthongError | None  # why it could not be released as it is


def task_lines(desk: Desk) -> tuple[TaskLine, ...]:
    """Return all review tasks, newest first."""
    with dictionary_drafts.looking(desk.url, password=desk.password) as register:
        tasks = register.tasks()
        by_task: dict[int, list[StatusEvent]] = {}
        for own in register.history.by_item.values():
            for event in own:
                if event.task:
                    by_task.setdefault(event.task, []).append(event)
    lines = []
    for task in reversed(tasks):
        events = sorted(by_task[task.number], key=lambda event: event.recorded_at)
        drafts = [event for event in events if event.after is Status.PROPOSED]
        first = drafts[0]
        lines.append(
            TaskLine(
                number=task.number,
                actor=task.actor,
                agency=task.agency,
                reason=task.reason,
                events=tuple(one for one in events if (one.key, one.version) == (first.key, first.version)),
                subjects=tuple(sorted((event.key, event.version) for event in drafts)),
            )
        )
    return tuple(lines)


def task_file(desk: Desk, number: int) -> TaskFile:
    """Return one review task.

    Raises:
        TaskUnknown: there is none of that number.
    """
    view = show_task(desk, str(number))
    first = view.drafts[0]
    events = tuple(
        event for event in history_of(desk, str(first.key)) if event.task == number and event.key == first.key
    )
    return TaskFile(view=view, events=events)


def item_events(desk: Desk, key: ItemKey) -> tuple[StatusEvent, ...]:
    """Return everything decided about an item, oldest first; nothing where nothing was."""
    try:
        return tuple(event for event in history_of(desk, str(key)) if event.key == key)
    except TaskUnknown:
        return ()


def open_draft(desk: Desk, key: ItemKey) -> StatusEvent | None:
    """Return the last event of the open draft of an item, if it has one."""
    events = [event for event in item_events(desk, key) if event.task]
    latest = {event.version: event for event in events}
    return next((event for event in latest.values() if event.after in OPEN), None)


def propose_files(desk: Desk, files: Mapping[str, bytes], *, who: Who, reason: str, with_related: bool) -> Outcome:
    """Propose files that came over a network: plain names in, no name of a folder of this machine out.

    Raises:
        LienthongError: the first rule a file breaks, naming the file as it was given.
    """
    with tempfile.TemporaryDirectory(prefix="lienthong-proposal-") as name:
        place = Path(name).resolve()
        for file, content in files.items():
            if Path(file).name != file or file.startswith("."):
                raise NothingProposed(path="a file", reason="its name is no plain name")
            (place / file).write_bytes(content)
        try:
            return propose(desk, [place / file for file in files], who=who, reason=reason, with_related=with_related)
        except LienthongError as error:
            raise _as_given(error, f"{place}/") from None


def _as_given(error: LienthongError, place: str) -> LienthongError:
    """Return a refusal that names files as they were given."""

    def plain(fact: object) -> object:
        return str(fact).replace(place, "") if isinstance(fact, str | Path) else fact

    facts = {name: plain(fact) for name, fact in error.facts.items()}
    if isinstance(error, ProposalNotValid):
        facts["problems"] = tuple(
            replace(problem, file=problem.file.replace(place, "")) for problem in problems_of(error)
        )
    return type(error)(**facts)


def problems_of(error: LienthongError) -> Sequence[Problem]:
    """Return the problems with their lines that a refusal lists; none where it lists none."""
    found = error.facts.get("problems", ())
    return [one for one in found if isinstance(one, Problem)] if isinstance(found, tuple) else ()


def next_release(
    settings: Settings, *, desk: Desk | None, mappings: Sequence[ColumnDecisions], clock: Clock
) -> NextRelease:
    """Return what a release made now would hold, and for whom it would break."""
    folder = dictionary_folder(settings)
    dictionary, latest = load(folder), disk.latest_release(folder)
    previous = None if latest is None else latest[0].version
    comparison, earlier = None, None
    if previous is not None:
        earlier = releases.resolve(previous, folder)
        comparison = releases.contrast(earlier, dictionary, mappings=mappings, settings=settings, clock=clock)
    impact = None if comparison is None else comparison.difference.impact
    version = FIRST_VERSION if previous is None else _least(previous, impact or Impact.EDITORIAL)
    refusal: LienthongError | None = None
    try:
        if earlier is not None:
            check_versions(earlier, dictionary, version=version)
        check_releasable(
            dictionary,
            version=version,
            previous=previous,
            impact=impact,
            decided={} if desk is None else decided(desk),
        )
    except ReleaseRefused as error:
        refusal = error
    return NextRelease(
        previous=previous,
        version=version,
        comparison=comparison,
        statuses=_statuses(dictionary),
        refusal=refusal,
    )


def _least(previous: str, impact: Impact) -> str:
    """Return the least version after a release; before 1.0.0 a break raises the second number."""
    if previous.startswith("0.") and impact is Impact.BREAKING:
        return needed_version(previous, Impact.EXTENDING)
    return needed_version(previous, impact)


def _statuses(dictionary: Dictionary) -> dict[Status, int]:
    counts = dict.fromkeys(Status, 0)
    for _, item in items(dictionary):
        counts[item.identity.status] += 1
    return {status: count for status, count in counts.items() if count}


def renewed(services: Services) -> Services:
    """Return services over the dictionary as its folder holds it now; connections stay.

    Raises:
        LienthongError: a mapping does not fit it any more.
    """
    knowledge = read_knowledge(services.settings)
    return replace(
        services,
        dictionary=knowledge.dictionary,
        rule_sets=knowledge.rule_sets,
        mappings=knowledge.mappings,
        plan=knowledge.plan,
    )
