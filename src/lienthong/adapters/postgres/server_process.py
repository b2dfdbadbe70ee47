"""Know a server process again: never by its number alone, because numbers come back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PROC = Path("/proc")
POLL_S = 0.02
STAT_STATE, STAT_PARENT, STAT_USER_TICKS, STAT_SYSTEM_TICKS, STAT_START_TICKS = 0, 1, 11, 12, 19


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessFacts:
    """One running process; the pair of number and start tells it from all others since the machine started."""

    pid: int
    start_ticks: int
    parent: int
    account: int  # user id
    arguments: tuple[str, ...]
    cpu_ticks: int


def process_facts(pid: int) -> ProcessFacts | None:
    """Return what is known of a process, or None when it is gone or a zombie."""
    if pid <= 0:
        return None
    folder = PROC / str(pid)
    try:
        # The name of the program stands in brackets and may itself hold blanks and brackets.
        stat = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        account = (folder / "stat").stat().st_uid
        arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    if stat[STAT_STATE] in {"Z", "X"}:
        return None
    return ProcessFacts(
        pid=pid,
        start_ticks=int(stat[STAT_START_TICKS]),
        parent=int(stat[STAT_PARENT]),
        account=account,
        arguments=tuple(arguments[:-1]),
        cpu_ticks=int(stat[STAT_USER_TICKS]) + int(stat[STAT_SYSTEM_TICKS]),
    )


def works_in(pid: int, folder: Path) -> bool:
    """Return whether a process has ``folder`` as its working directory; PostgreSQL's processes do."""
    try:
        return (PROC / str(pid) / "cwd").readlink() == folder
    except OSError:
        return False


def server_at(pid: int, data: Path, account: int) -> ProcessFacts | None:
    """Return the process if it is a postmaster of the cluster in ``data`` that runs under ``account``."""
    facts = process_facts(pid)
    if facts is None or facts.account != account:
        return None
    arguments = facts.arguments
    named = ("-D", str(data)) in pairwise(arguments)
    return facts if named and Path(arguments[0]).name == "postgres" else None


def processes_in(data: Path, account: int) -> Iterator[ProcessFacts]:
    """Yield the processes of PostgreSQL that work in a cluster, with or without a postmaster."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and works_in(int(entry.name), data):
            facts = process_facts(int(entry.name))
            if facts is not None and facts.account == account and facts.arguments[:1]:
                name = facts.arguments[0]
                if Path(name).name == "postgres" or name.startswith("postgres:"):
                    yield facts


def is_running(facts: ProcessFacts) -> bool:
    """Return whether exactly this process still runs."""
    now = process_facts(facts.pid)
    return now is not None and now.start_ticks == facts.start_ticks


def send(facts: ProcessFacts, number: signal.Signals) -> None:
    """Send a signal to exactly this process, and to no other one that got its number since."""
    try:
        handle = os.pidfd_open(facts.pid)
    except ProcessLookupError:
        return
    try:
        # The handle is held before the look, so the process that is looked at is the one that is signalled.
        if is_running(facts):
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def wait_until_gone(facts: ProcessFacts, *, patience_s: float) -> bool:
    """Wait for the end of a process; return whether it ended in time."""
    limit = time.monotonic() + patience_s
    while is_running(facts):
        if time.monotonic() > limit:
            return False
        time.sleep(POLL_S)
    return True
