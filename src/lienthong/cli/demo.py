"""``lienthong demo``: the whole way on real data, on this machine, from nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.error import URLError
from urllib.request import urlopen

import typer
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from lienthong.centre.ports import LinkState, Phase
from lienthong.centre.reading import CentreReader
from lienthong.cli.output import console, print_json, refusals
from lienthong.cli.processes import RESTARTS_MAX, Child
from lienthong.errors import Actor, LienthongError
from lienthong.wiring.installation import (
    SOURCE_NAME,
    SOURCE_READER,
    Installation,
    prepare_centre,
    remove_installation,
    start_installation,
)
from lienthong.wiring.services import Services, build_services
from lienthong.wiring.settings import load_settings

GATEWAY_PORT = 8215
PORTAL_PORT = 8214
CITIZENS = 20_000
CITIZENS_MAX = 5_000_000
START_PATIENCE_S = 60.0
SNAPSHOT_POLL_S = 0.2
LIVE_S = 1.0
STEADY_S = 30.0  # a child that ran this long is not failing at its start


class PortInUse(LienthongError, code="CLI-001", actor=Actor.OPERATOR):
    """Another program listens on a port the demo wants."""

    message = "port {port} on {host} is in use by another program"
    hint = "stop that program, or choose another port: lienthong demo {option} {free}"


class ChildFailed(LienthongError, code="CLI-002", actor=Actor.OPERATOR):
    """A part of the demo ended by itself and could not be started again."""

    message = "{name} ended with exit code {exit_code}"
    hint = "read {log}; the last lines were: {tail}"


class CitizensOutOfRange(LienthongError, code="CLI-003", actor=Actor.OPERATOR):
    """More synthetic citizens were asked for than the demo makes."""

    message = "cannot make {asked} synthetic citizens: between 0 and {most}"
    hint = "give another number: lienthong demo --citizens 20000"


def _require_free(port: int, *, option: str) -> None:
    """Refuse a port that is taken, before anything is started, and name one that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as cause:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
                other.bind(("127.0.0.1", 0))
                free = other.getsockname()[1]
            raise PortInUse(port=port, host="127.0.0.1", option=option, free=free) from cause


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    with Progress(
        SpinnerColumn(),
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=False,
    ) as progress:
        yield progress


def _agency(installation: Installation, *arguments: str, on_line: Callable[[dict[str, object]], None]) -> None:
    """Run a step of the agency, the other party, in its own process with its own rights."""
    process = subprocess.Popen(  # noqa: S603 - our own module, no shell
        [sys.executable, "-m", "lienthong.testing.agency", *arguments],
        env={**os.environ, "LIENTHONG_AGENCY_URL": installation.agency_url()},
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    rest: list[str] = []
    assert process.stderr is not None, "the pipe was asked for"
    for raw in process.stderr:
        text = raw.decode(errors="replace").rstrip()
        try:
            line = json.loads(text)
        except ValueError:
            rest.append(text)
            continue
        if isinstance(line, dict):
            on_line(line)
    if process.wait() != 0:
        raise ChildFailed(name="agency", exit_code=process.returncode, log="the output", tail=" | ".join(rest[-3:]))


def _load_agency(installation: Installation, *, citizens: int, seed: int) -> None:
    with _progress() as progress:
        tasks: dict[str, object] = {}

        def on_line(line: dict[str, object]) -> None:
            stage, total = str(line.get("stage", "")), line.get("total")
            if stage not in tasks:
                tasks[stage] = progress.add_task(f"agency: {stage}", total=total if isinstance(total, int) else None)
            done = line.get("done")
            progress.update(
                tasks[stage],  # type: ignore[arg-type] # rich's TaskID is an int under another name
                completed=done if isinstance(done, int) else 0,
                total=total if isinstance(total, int) else None,
            )

        _agency(
            installation,
            *("load", "--citizens", str(citizens), "--seed", str(seed), "--reader", SOURCE_READER),
            *("--truth", str(installation.folder / "truth.parquet")),
            on_line=on_line,
        )
    installation.mappings_folder().mkdir(parents=True, exist_ok=True)
    _agency(installation, "mappings", "--to", str(installation.mappings_folder()), on_line=lambda _: None)


def _link(reader: CentreReader) -> LinkState | None:
    return next((link for link in reader.links() if link.source == SOURCE_NAME), None)


def _wait_for_snapshot(reader: CentreReader, sync: Child) -> None:
    with _progress() as progress:
        task = progress.add_task("centre: snapshot, standardised and checked", total=None)
        while True:
            link = _link(reader)
            if link is not None and link.phase is Phase.STREAM:
                progress.update(task, completed=link.rows_done, total=link.rows_done)
                return
            if link is not None and link.rows_estimated:
                progress.update(task, completed=link.rows_done, total=max(link.rows_estimated, link.rows_done))
            _require_alive(sync)
            time.sleep(SNAPSHOT_POLL_S)


def _require_alive(child: Child) -> None:
    code = child.ended()
    if code is not None:
        raise ChildFailed(name=child.name, exit_code=code, log=child.log, tail=child.tail())


def _wait_for_face(child: Child, port: int) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        _require_alive(child)
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise ChildFailed(name=child.name, exit_code="none: it does not answer", log=child.log, tail=child.tail())


@dataclass(frozen=True, kw_only=True)
class _Running:
    """What the demo has started."""

    installation: Installation
    services: Services
    children: tuple[Child, ...]
    portal_port: int
    gateway_port: int

    def revive(self) -> None:
        """Start a child again that ended; give up when it keeps failing."""
        for child in self.children:
            code = child.ended()
            if code is None:
                continue
            if time.monotonic() - child.started_at > STEADY_S:
                child.restarts = 0
            if child.restarts >= RESTARTS_MAX:
                raise ChildFailed(name=child.name, exit_code=code, log=child.log, tail=child.tail())
            child.restarts += 1
            child.start()


def _picture(running: _Running) -> Table:
    """Draw the live state: counts only."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("dataset", "records", "quarantine", "earlier versions", "open findings"):
        table.add_column(column, justify="left" if column == "dataset" else "right")
    for name, count in sorted(running.services.reader.counts().items()):
        if count.rows or count.quarantined:
            table.add_row(
                name, f"{count.rows:,}", f"{count.quarantined:,}", f"{count.history:,}", f"{count.findings:,}"
            )
    link = _link(running.services.reader)
    if link is not None:
        lag = "idle"
        if link.applied_at is not None and link.source_time is not None:
            lag = f"last change visible after {(link.applied_at - link.source_time).total_seconds():.3f} s"
        table.caption = f"link {link.source}: {link.status.value}, position {link.position}; {lag}"
    return table


def _say_where(running: _Running, *, as_json: bool) -> None:
    folder = running.installation.folder
    if as_json:
        print_json(
            {
                "portal": f"http://127.0.0.1:{running.portal_port}/",
                "gateway": f"http://127.0.0.1:{running.gateway_port}/api/v1/",
                "settings": str(running.installation.settings_path),
                "access_key_file": str(folder / "secrets" / "demo-access-key"),
                "officers_file": str(running.installation.demo_officers_file()),
            }
        )
        sys.stdout.flush()
        return
    console.print(f"\n[bold green]Portal[/]   http://127.0.0.1:{running.portal_port}/")
    console.print(
        f"         sign in as one of the officers in {running.installation.demo_officers_file()}",
        soft_wrap=True,
        highlight=False,
    )
    console.print(f"[bold green]API[/]      http://127.0.0.1:{running.gateway_port}/api/v1/  — try:")
    console.print(
        f'  curl -H "Authorization: Bearer $(cat {folder}/secrets/demo-access-key)" '
        f"http://127.0.0.1:{running.gateway_port}/api/v1/datasets/doanh-nghiep/records/2000109850",
        soft_wrap=True,
        highlight=False,
    )
    console.print(f"[bold green]Settings[/] {running.installation.settings_path}  — lienthong --config … sync status")
    console.print("Ctrl-C stops everything; `lienthong demo` goes on where it was; `--reset` starts over.\n")


def _watch(running: _Running, stopping: threading.Event, *, as_json: bool, until: float | None) -> None:
    def over() -> bool:
        return stopping.is_set() or (until is not None and time.monotonic() >= until)

    if as_json or not console.is_terminal:
        while not over():
            running.revive()
            stopping.wait(LIVE_S)
        return
    with Live(_picture(running), console=console, refresh_per_second=2) as live:
        while not over():
            running.revive()
            live.update(_picture(running))
            stopping.wait(LIVE_S)


def _children(installation: Installation, *, rate: float, seed: int) -> dict[str, Child]:
    environment = {"LIENTHONG_CONFIG": str(installation.settings_path)}
    logs = installation.folder / "logs"
    modules = {
        "sync": ["lienthong.cli", "sync", "run"],
        "gateway": ["lienthong.gateway"],
        "portal": ["lienthong.portal"],
    }
    children = {
        name: Child(
            name=name,
            arguments=[sys.executable, "-m", *arguments],
            environment=environment,
            log=logs / f"{name}.log",
        )
        for name, arguments in modules.items()
    }
    if rate > 0:
        children["agency"] = Child(
            name="agency",
            arguments=[
                *(sys.executable, "-m", "lienthong.testing.agency", "trickle", "--rate", str(rate)),
                *("--seed", str(seed), "--until-stdin-closes"),
            ],
            environment={"LIENTHONG_AGENCY_URL": installation.agency_url()},
            log=logs / "agency.log",
        )
    return children


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps everything it makes.")] = Path(".lienthong"),
    citizens: Annotated[int, typer.Option(help="How many synthetic citizens the agency holds.")] = CITIZENS,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic data: the same seed makes the same rows.")] = 214,
    rate: Annotated[float, typer.Option(help="Changes a second the agency makes; 0 for none.")] = 4.0,
    reset: Annotated[bool, typer.Option("--reset", help="Delete what an earlier demo made and start over.")] = False,
    portal_port: Annotated[int, typer.Option(help="Port of the portal on localhost.")] = PORTAL_PORT,
    gateway_port: Annotated[int, typer.Option(help="Port of the API on localhost.")] = GATEWAY_PORT,
    stop_after: Annotated[float | None, typer.Option(help="Stop by itself after so many seconds of running.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say where things are as one JSON document.")] = False,
) -> None:
    """Run the whole way on real data: an agency's database becomes shared national data.

    Starts an embedded PostgreSQL with two databases (the agency's and the centre's), loads 3,943 real enterprises and
    synthetic citizens into the agency's, takes a snapshot, then follows every change; leaves the portal and the API
    open on localhost. Nothing needs to be installed, nothing leaves this machine.

    [bold]Examples[/]
      lienthong demo                      go on where it was
      lienthong demo --reset              start over
      lienthong demo --citizens 1000000   a larger register
    """
    stopping = threading.Event()
    with refusals(as_json=as_json), contextlib.ExitStack() as stack:
        if not 0 <= citizens <= CITIZENS_MAX:
            raise CitizensOutOfRange(asked=citizens, most=CITIZENS_MAX)
        folder = folder.resolve()
        if reset and folder.exists():
            remove_installation(folder)
        _require_free(portal_port, option="--portal-port")
        _require_free(gateway_port, option="--gateway-port")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: _interrupt(stopping))
        try:
            running = _start(
                stack,
                folder,
                citizens=citizens,
                seed=seed,
                rate=rate,
                ports=(gateway_port, portal_port),
                quiet=as_json,
            )
            _say_where(running, as_json=as_json)
            until = None if stop_after is None else time.monotonic() + stop_after
            _watch(running, stopping, as_json=as_json, until=until)
        except KeyboardInterrupt:
            stopping.set()
        if not as_json:
            console.print("stopping …")
    if not as_json:
        console.print("stopped; run `lienthong demo` again to go on")


def _interrupt(stopping: threading.Event) -> None:
    """Ask the running demo to stop; while it is still starting, break off the start."""
    if stopping.is_set():
        return
    stopping.set()
    raise KeyboardInterrupt


def _start(
    stack: contextlib.ExitStack,
    folder: Path,
    *,
    citizens: int,
    seed: int,
    rate: float,
    ports: tuple[int, int],
    quiet: bool,
) -> _Running:
    """Start everything in order; each thing registers how it is stopped."""

    def say(what: str) -> None:
        if not quiet:
            console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] {what}", highlight=False)

    gateway_port, portal_port = ports
    installation = start_installation(folder, gateway_port=gateway_port, portal_port=portal_port, progress=say)
    stack.callback(installation.server.stop)
    _load_agency(installation, citizens=citizens, seed=seed)
    say("centre: tables derived from the dictionary")
    prepare_centre(installation, today=datetime.now(UTC).date())
    services = build_services(load_settings(installation.settings_path, {}))
    stack.callback(services.reader.close)
    children = _children(installation, rate=rate, seed=seed)
    # Stopped in the reverse order: first the agency's trickle, then the faces, the sync last.
    for name in ("sync", "gateway", "portal"):
        children[name].start()
        stack.callback(children[name].stop)
        if name == "sync":
            _wait_for_snapshot(services.reader, children[name])
    _wait_for_face(children["gateway"], gateway_port)
    _wait_for_face(children["portal"], portal_port)
    if "agency" in children:
        children["agency"].start()
        stack.callback(children["agency"].stop)
    return _Running(
        installation=installation,
        services=services,
        children=tuple(children.values()),
        portal_port=portal_port,
        gateway_port=gateway_port,
    )
