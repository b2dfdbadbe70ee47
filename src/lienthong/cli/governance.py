"""``lienthong dictionary propose | review | consult | approve | …``: the life of a term (vòng đời thuật ngữ)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from lienthong.cli.output import console, print_json, print_table, refusals
from lienthong.dictionary.descriptors import STATUS_VI
from lienthong.dictionary.governance import StatusEvent
from lienthong.dictionary.governance_refusals import FolderNotOurs
from lienthong.dictionary.model import AgencyId, Ref
from lienthong.wiring import governance
from lienthong.wiring.governance import Decision, Desk, Outcome, TaskView, Who
from lienthong.wiring.settings import ENVIRONMENT_PREFIX, SETTINGS_NAME, Settings, settings_from_environment

CHANGES_SHOWN_MAX: Final = 40
DECISION_BYTES_MAX: Final = 200_000_000

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Git working folder of the dictionary. Default: the setting dictionary."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]
Actor = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="PERSON",
        help="Who acts. Taken on trust from whoever may run this command; in the portal people sign in.",
    ),
]
Agency = Annotated[str, typer.Option("--agency", metavar="CODE", help="The agency for which the person acts.")]
Wanted = Annotated[str, typer.Argument(metavar="TASK", help="Number of the task, or an item with an open draft.")]
Item = Annotated[
    str, typer.Argument(metavar="ITEM", help="Code or id: HoVaTen; dataset/doanh-nghiep where kinds share an id.")
]
Number = Annotated[str, typer.Option("--decision", metavar="NUMBER", help="Number of the decision (số quyết định).")]
DecisionFile = Annotated[
    Path | None,
    typer.Option(
        "--decision-file", help="The signed decision; only its SHA-256 is kept.", exists=True, dir_okay=False
    ),
]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise typer.BadParameter("write a day like 2027-01-01") from cause


Effective = Annotated[
    date, typer.Option("--effective", parser=_day, metavar="DAY", help="First day on which it holds (hiệu lực từ).")
]


def register(app: typer.Typer) -> None:
    """Mount the commands of governance on ``lienthong dictionary``."""
    app.command()(propose)
    app.command()(review)
    app.command()(consult)
    app.command()(approve)
    app.command()(reject)
    app.command()(retire)
    app.command()(supersede)
    app.command()(publish)
    app.command()(drafts)
    app.command()(history)


def desk_of(folder: Path | None) -> Desk:
    """Return the desk of the settings in use."""
    return governance.open_desk(settings_from_environment(), folder=folder)


def settings_if_any() -> Settings | None:
    """Return the settings, or None where no file was named and none lies here."""
    named = os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    return settings_from_environment() if named or Path(SETTINGS_NAME).is_file() else None


def folder_of(folder: Path | None, settings: Settings | None) -> Path:
    """Return the dictionary's folder of one's own.

    Raises:
        FolderNotOurs: none is named.
    """
    place = folder or (None if settings is None else settings.dictionary)
    if place is None:
        raise FolderNotOurs(reason="no folder of your own is named, and the shipped dictionary is not written")
    return place.resolve()


def propose(
    paths: Annotated[
        list[Path],
        typer.Argument(help="YAML files of items, CSV files with rows for a code list, or folders of them."),
    ],
    *,
    reason: Annotated[str, typer.Option(help="Why, for those who review.")],
    actor: Actor,
    agency: Agency,
    with_related: Annotated[
        bool,
        typer.Option(
            "--with-related",
            help="Take along what the items rest on and nobody approved, and new versions of elements that must name"
            " the new version of a value domain.",
        ),
    ] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Propose items as one review task (đề xuất); readers see nothing of it.

    Everything is checked first: the whole dictionary must still be valid with it, versions must say how much changed,
    no code and no word of another source may be lost, and an item has one open draft at a time.

    Example: lienthong dictionary propose HoVaTen.yaml --reason "thêm từ đồng nghĩa" --as "Trần An" --agency G01
    """
    with refusals(as_json=as_json):
        who = Who(actor=actor, agency=AgencyId(agency))
        outcome = governance.propose(desk_of(folder), paths, who=who, reason=reason, with_related=with_related)
    _tell(outcome, as_json=as_json)


def review(
    task: Wanted,
    *,
    actor: Actor,
    agency: Agency,
    note: Annotated[str | None, typer.Option(help="What the review found.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Note that a task was reviewed (rà soát), by somebody who did not propose it.

    Example: lienthong dictionary review 12 --as "Lê Bình" --agency G01
    """
    with refusals(as_json=as_json):
        outcome = governance.review(desk_of(folder), task, who=Who(actor=actor, agency=AgencyId(agency)), note=note)
    _tell(outcome, as_json=as_json)


def consult(
    task: Wanted,
    *,
    outcome: Annotated[str, typer.Option(help="Who was asked, and what they said.")],
    actor: Actor,
    agency: Agency,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Note a consultation on a reviewed task (tham vấn).

    Example: lienthong dictionary consult 12 --outcome "G09, G16 đồng ý" --as "Lê Bình" --agency G01
    """
    with refusals(as_json=as_json):
        done = governance.consult(
            desk_of(folder), task, who=Who(actor=actor, agency=AgencyId(agency)), outcome=outcome
        )
    _tell(done, as_json=as_json)


def approve(
    task: Wanted,
    *,
    decision: Number,
    effective: Effective,
    actor: Actor,
    agency: Agency,
    decision_file: DecisionFile = None,
    note: Annotated[str | None, typer.Option(help="Remark kept with the decision.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Approve and register a task (phê duyệt & đăng ký), by somebody who did not propose it.

    From its day on the files are written to the dictionary's folder, all of them or none. To finish what was cut off,
    run the same command again.

    Example: lienthong dictionary approve 12 --decision 15/QĐ-BCA --effective 2027-01-01 --as "Vũ Chi" --agency G01
    """
    with refusals(as_json=as_json):
        outcome = governance.approve(
            desk_of(folder),
            task,
            who=Who(actor=actor, agency=AgencyId(agency)),
            decision=Decision(reason=note, number=decision, file_hash=_hash(decision_file), effective=effective),
        )
    _tell(outcome, as_json=as_json)


def _hash(path: Path | None) -> str | None:
    if path is None:
        return None
    if path.stat().st_size > DECISION_BYTES_MAX:
        raise typer.BadParameter(f"larger than {DECISION_BYTES_MAX} bytes", param_hint="--decision-file")
    return sha256(path.read_bytes()).hexdigest()


def reject(
    task: Wanted,
    *,
    reason: Annotated[str | None, typer.Option(help="Why; a rejection without a reason is none.")] = None,
    actor: Actor,
    agency: Agency,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Reject a task for a reason (từ chối), or take back one's own.

    Example: lienthong dictionary reject 12 --reason "định nghĩa chưa rõ" --as "Lê Bình" --agency G01
    """
    with refusals(as_json=as_json):
        outcome = governance.reject(
            desk_of(folder), task, who=Who(actor=actor, agency=AgencyId(agency)), reason=reason
        )
    _tell(outcome, as_json=as_json)


def retire(
    item: Item,
    *,
    reason: Annotated[str, typer.Option(help="Why it is no longer used.")],
    decision: Number,
    effective: Effective,
    actor: Actor,
    agency: Agency,
    decision_file: DecisionFile = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Retire an approved item that nothing rests on any more (thôi dùng); it is never deleted.

    Example: lienthong dictionary retire MauXe --reason "không còn dùng" --decision 16/QĐ-BCA --effective 2027-01-01
    --as "Vũ Chi" --agency G01
    """
    with refusals(as_json=as_json):
        outcome = governance.retire(
            desk_of(folder),
            item,
            who=Who(actor=actor, agency=AgencyId(agency)),
            decision=Decision(reason=reason, number=decision, file_hash=_hash(decision_file), effective=effective),
        )
    _tell(outcome, as_json=as_json)


def supersede(
    item: Item,
    *,
    by: Annotated[str, typer.Option(metavar="ITEM@VERSION", help="The approved item that takes its place.")],
    decision: Number,
    effective: Effective,
    actor: Actor,
    agency: Agency,
    decision_file: DecisionFile = None,
    note: Annotated[str | None, typer.Option(help="Remark kept with the decision.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let another approved item take the place of one (thay thế), from a day on.

    Example: lienthong dictionary supersede MauXe --by MauSon@1.0.0 --decision 17/QĐ-BCA --effective 2027-01-01
    --as "Vũ Chi" --agency G01
    """
    name, at, version = by.rpartition("@")
    if not at or not name or not version:
        raise typer.BadParameter("write the successor as ITEM@VERSION", param_hint="--by")
    with refusals(as_json=as_json):
        outcome = governance.supersede(
            desk_of(folder),
            item,
            by=Ref(id=name, version=version),
            who=Who(actor=actor, agency=AgencyId(agency)),
            decision=Decision(reason=note, number=decision, file_hash=_hash(decision_file), effective=effective),
        )
    _tell(outcome, as_json=as_json)


def publish(folder: Folder = None, as_json: AsJson = False) -> None:
    """Write to the folder what is approved and due today (công bố); nothing where all is in place.

    Example: lienthong dictionary publish --folder ./dictionary
    """
    with refusals(as_json=as_json):
        paths = governance.publish(desk_of(folder))
    if as_json:
        print_json({"published": list(paths)})
        return
    _tell_published(paths)


def drafts(
    task: Annotated[str | None, typer.Argument(help="Number of a task or an item: show it with its changes.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Decided tasks too.")] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List the open review tasks, or show one with what it would change.

    Example: lienthong dictionary drafts 12
    """
    with refusals(as_json=as_json):
        desk = desk_of(folder)
        views = governance.list_tasks(desk, every=every) if task is None else (governance.show_task(desk, task),)
    if as_json:
        listed = [_view(view) for view in views]
        print_json(listed if task is None else listed[0])
        return
    rows = [
        (
            view.task.number,
            STATUS_VI[view.status],
            ", ".join(f"{draft.key.id}@{draft.version}" for draft in view.drafts[:5])
            + (f" … {len(view.drafts)}" if len(view.drafts) > 5 else ""),  # noqa: PLR2004 - as many as shown
            f"{view.task.actor} ({view.task.agency})",
            view.task.reason,
        )
        for view in views
    ]
    print_table("Review tasks", ("Task", "Stands at", "Items", "Proposed by", "Reason"), rows)
    if task is not None:
        changes_table("What it would change", views[0].task.diff)


def _view(view: TaskView) -> dict[str, Any]:
    return {
        "task": view.task.number,
        "status": view.status.value,
        "actor": view.task.actor,
        "agency": view.task.agency,
        "reason": view.task.reason,
        "proposed_at": view.task.proposed_at.isoformat(),
        "items": [
            {
                "kind": draft.key.kind,
                "id": draft.key.id,
                "version": draft.version,
                "is_new": draft.base_hash is None,
                "hash": draft.content_hash,
            }
            for draft in view.drafts
        ],
        "changes": list(view.task.diff),
    }


def changes_table(title: str, changes: Sequence[Any]) -> None:
    """Write changes, given as plain values, as a table for people."""
    rows = [
        (
            one["impact"],
            f"{one['kind']}/{one['item']}"
            + (f" {one['code'] or one['member']}" if one["code"] or one["member"] else ""),
            one["descriptor"] or "",
            one["text"],
            one["before"],
            one["after"],
            one["effective"] or "",
        )
        for one in changes[:CHANGES_SHOWN_MAX]
    ]
    more = len(changes) - CHANGES_SHOWN_MAX
    columns = ("Impact", "Item", "Descriptor", "What", "Before", "After", "From")
    print_table(
        title + (f" (the first {CHANGES_SHOWN_MAX}; {more} more with --json)" if more > 0 else ""), columns, rows
    )


def history(item: Item, folder: Folder = None, as_json: AsJson = False) -> None:
    """Show everything ever decided about an item, with both clocks: when it holds, when it was recorded.

    Example: lienthong dictionary history HoVaTen
    """
    with refusals(as_json=as_json):
        events = governance.history_of(desk_of(folder), item)
    if as_json:
        print_json([_event(event) for event in events])
        return
    rows = [
        (
            event.recorded_at.isoformat(timespec="seconds"),
            event.subject,
            STATUS_VI[event.after],
            "" if event.effective is None else event.effective.isoformat(),
            f"{event.actor} ({event.agency})",
            event.decision or "",
            " ".join(filter(None, (event.reason, None if event.successor is None else f"→ {event.successor}"))),
        )
        for event in events
    ]
    print_table(
        f"Decisions about {item}", ("Recorded", "Version", "Became", "Holds from", "Who", "Decision", "Why"), rows
    )


def _event(event: StatusEvent) -> dict[str, Any]:
    return {
        "kind": event.key.kind,
        "item": event.key.id,
        "version": event.version,
        "before": None if event.before is None else event.before.value,
        "after": event.after.value,
        "actor": event.actor,
        "agency": event.agency,
        "task": event.task or None,
        "reason": event.reason,
        "decision": event.decision,
        "decision_sha256": event.decision_hash,
        "effective": None if event.effective is None else event.effective.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "successor": None if event.successor is None else str(event.successor),
        "stewards": list(event.stewards),
        "hash": event.content_hash,
    }


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "task": outcome.task,
                "events": [_event(event) for event in outcome.events],
                "published": list(outcome.published),
                "changes": [governance.told(change) for change in outcome.changes],
            }
        )
        return
    shown = outcome.events[:CHANGES_SHOWN_MAX]
    rows = [(event.subject, event.key.kind, STATUS_VI[event.after], event.effective) for event in shown]
    title = "Decided" if outcome.task is None else f"Task {outcome.task}"
    if len(outcome.events) > len(shown):
        title += f" (the first {len(shown)} of {len(outcome.events)})"
    print_table(title, ("Item", "Kind", "Now", "Holds from"), rows)
    if outcome.changes:
        changes_table("Changes", [governance.told(change) for change in outcome.changes])
    if outcome.published:
        _tell_published(outcome.published)


def _tell_published(paths: Sequence[str]) -> None:
    if not paths:
        console.print("everything approved and due is in its place", highlight=False)
    if len(paths) > CHANGES_SHOWN_MAX:
        console.print(f"written {len(paths)} files", highlight=False)
        return
    for path in paths:
        console.print(f"written {path}", highlight=False, markup=False, soft_wrap=True)
