"""``lienthong sync``: follow the sources, and say how the links stand."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from lienthong.cli.measured import run_as_json
from lienthong.cli.output import EXIT_OK, EXIT_REFUSED, console, print_json, print_table, refusals
from lienthong.cli.reconcile import reconcile, reconciled_as_line, result_as_json, results_table
from lienthong.errors import Actor, LienthongError
from lienthong.oversight.repair_desk import SyncResult
from lienthong.pipeline.link import LinkEvent, SnapshotFinished, SnapshotStarted, Stored
from lienthong.sources.change import SourceId
from lienthong.wiring.measuring import Measured, MeasuringThread, start_measuring
from lienthong.wiring.parent import stop_with_parent
from lienthong.wiring.reconciling import LinkReconciled, ReconcilingThread, open_reconciliations, start_reconciling
from lienthong.wiring.repair import start_cases
from lienthong.wiring.running import LinkTrouble, start_links
from lienthong.wiring.services import build_services, open_store, read_knowledge
from lienthong.wiring.settings import settings_from_environment

JOIN_S = 0.2
STOP_PATIENCE_S = 30.0

app = typer.Typer(no_args_is_help=True)
app.command()(reconcile)


class LinkUnknown(LienthongError, code="CLI-004", actor=Actor.OPERATOR):
    """The centre has never heard of the link."""

    message = "the centre knows no link {source}"
    hint = "the settings name these links: {known}; a link is known after its first start"


def _line(source: str, event: LinkEvent | LinkTrouble) -> dict[str, object]:
    """Return an event as a log line: names, counts and codes, never values of records."""
    line: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "source": source}
    if isinstance(event, SnapshotStarted):
        line |= {"event": "sync.snapshot.started", "rows_estimated": event.rows_estimated}
    elif isinstance(event, SnapshotFinished):
        line |= {"event": "sync.snapshot.finished", "cancelled": event.cancelled}
    elif isinstance(event, Stored):
        receipt = event.receipt
        line |= {
            "event": "centre.batch.stored",
            "batch": receipt.batch_id,
            "snapshot": event.snapshot,
            "position": str(receipt.end),
            "read": receipt.read,
            "applied": receipt.applied,
            "quarantined": receipt.quarantined,
            "superseded": receipt.superseded,
            "filtered": receipt.filtered,
            "findings_opened": receipt.findings_opened,
            "findings_closed": receipt.findings_closed,
        }
    else:
        line |= {"event": "sync.link.stopped" if event.retry_in_s is None else "sync.link.waiting"}
        line |= event.error.as_json() | {"retry_in_s": event.retry_in_s}
    return line


def _measured(result: Measured) -> dict[str, object]:
    """Return a run of a measurement as a log line: names, counts and codes, never values of records."""
    line: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "dataset": result.dataset}
    if result.run is None:
        assert result.error is not None, "a dataset without a run says why"
        return line | {"event": "measuring.run.failed"} | result.error.as_json()
    return line | {"event": "measuring.run.ended"} | run_as_json(result.run)


def _cases(what: Sequence[SyncResult] | LienthongError) -> list[dict[str, object]]:
    """Return what became of the repair cases as log lines."""
    at: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    if isinstance(what, LienthongError):
        return [at | {"event": "repair.cases.not_refreshed"} | what.as_json()]
    return [
        at
        | {"event": "repair.cases.refreshed", "dataset": each.dataset}
        | {"opened": each.opened, "closed": each.closed, "reopened": each.reopened}
        for each in what
        if each.opened or each.closed or each.reopened
    ]


def _stop_beside(*works: tuple[MeasuringThread | ReconcilingThread, threading.Thread] | None) -> None:
    """Have what runs beside the links end; nobody waits for a run that is under way."""
    for beside in works:
        if beside is not None:
            beside[0].stop.set()


@app.command()
def run(
    source: Annotated[str | None, typer.Option(help="Only this link. Default: all links of the settings.")] = None,
) -> None:
    """Follow the sources until stopped: a snapshot first, then every change.

    Beside the links it measures by the timetable of the settings: rules that look at other records; and every night
    it compares each source with the centre.
    Writes one JSON line per event to standard output. Stop it with Ctrl-C or SIGTERM; started again it goes on where
    it was. Nothing is confirmed to a source before the centre has kept it.

    [bold]Example[/]  lienthong --config .lienthong/lienthong.toml sync run
    """
    stop_with_parent()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    writing = threading.Lock()

    def watch(name: str, event: LinkEvent | LinkTrouble) -> None:
        with writing:
            sys.stdout.write(json.dumps(_line(name, event), ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def watch_measuring(result: Measured) -> None:
        with writing:
            sys.stdout.write(json.dumps(_measured(result), ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    def watch_cases(what: Sequence[SyncResult] | LienthongError) -> None:
        with writing:
            sys.stdout.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in _cases(what))
            sys.stdout.flush()

    def watch_reconciling(found: LinkReconciled) -> None:
        with writing:
            sys.stdout.write(json.dumps(reconciled_as_line(found), ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    with refusals(as_json=True):
        settings = settings_from_environment()
        knowledge = read_knowledge(settings)
        running = start_links(settings, knowledge, only=source, watch=watch)
        repairing, _ = start_cases(settings, knowledge, watch=watch_cases)
        # With one link of several the others are missing: what is compared with them would be wrong.
        measuring = None if source is not None else start_measuring(settings, knowledge, watch=watch_measuring)
        reconciling = start_reconciling(settings, knowledge, only=source, watch=watch_reconciling)
    while not stopping.is_set() and any(thread.is_alive() for _, thread in running):
        stopping.wait(JOIN_S)
    for work, _ in running:
        work.stop.set()
    repairing.stop.set()
    _stop_beside(measuring, reconciling)
    deadline = time.monotonic() + STOP_PATIENCE_S
    for _, thread in running:
        thread.join(max(0.0, deadline - time.monotonic()))
    failed = any(work.failure is not None for work, _ in running)
    raise SystemExit(EXIT_REFUSED if failed or not running else EXIT_OK)


@app.command()
def snapshot(
    source: Annotated[str, typer.Argument(help="Name of the link.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Have a link take a new snapshot at its next start, for example after its slot was lost.

    Records stay readable meanwhile. Those the snapshot does not see again are cancelled at its end, with their
    history kept; records that are the same stay as they are. Restart [bold]lienthong sync run[/] for it to begin.
    """
    with refusals(as_json=as_json):
        settings = settings_from_environment()
        store = open_store(settings, read_knowledge(settings))
        try:
            known = store.ask_snapshot(SourceId(source))
        finally:
            store.close()
        if not known:
            raise LinkUnknown(source=source, known=", ".join(each.name for each in settings.sources) or "none")
    if as_json:
        print_json({"source": source, "snapshot": "at the next start"})
        return
    console.print(f"link {source} takes a new snapshot at its next start")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Say how every link stands: phase, position, last contact, reason and next action."""
    with refusals(as_json=as_json):
        services = build_services(settings_from_environment())
        try:
            links = services.reader.links()
            counts = services.reader.counts()
            compared = list(open_reconciliations(services.settings).newest())
        finally:
            services.reader.close()
    if as_json:
        print_json(
            {
                "links": [
                    {
                        "source": link.source,
                        "phase": link.phase.value,
                        "status": link.status.value,
                        "position": None if link.position is None else str(link.position),
                        "heartbeat_at": link.heartbeat_at,
                        "source_time": link.source_time,
                        "applied_at": link.applied_at,
                        "reason": link.reason,
                        "next_action": link.next_action,
                        "rows_done": link.rows_done,
                        "rows_estimated": link.rows_estimated,
                    }
                    for link in links
                ],
                "datasets": {
                    name: {
                        "rows": count.rows,
                        "quarantined": count.quarantined,
                        "history": count.history,
                        "findings": count.findings,
                    }
                    for name, count in counts.items()
                },
                "reconciliations": [result_as_json(each) for each in compared],
            }
        )
        return
    print_table(
        "Links",
        ["source", "phase", "status", "position", "last contact", "reason", "next action"],
        [
            [
                link.source,
                link.phase.value,
                link.status.value,
                link.position,
                link.heartbeat_at,
                link.reason,
                link.next_action,
            ]
            for link in links
        ],
    )
    print_table(
        "Datasets",
        ["dataset", "rows", "in quarantine", "earlier versions", "open findings"],
        [[name, c.rows, c.quarantined, c.history, c.findings] for name, c in counts.items()],
    )
    if compared:
        results_table("Source and centre, compared last", compared)
