"""Our own launcher of an embedded PostgreSQL server.

One server for one folder, reached by a private socket only, with a password; nothing of the system is changed:
no account is made, no folder above ours is opened.
"""

from __future__ import annotations

import contextlib
import enum
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import psycopg

from lienthong.adapters.postgres import server_cluster as cluster
from lienthong.adapters.postgres.server_errors import (
    AccountMissing,
    BinariesMissing,
    DiskFull,
    FolderNotOurs,
    PasswordLost,
    ServerEnded,
    ServerNotStopped,
    ServerStalled,
)
from lienthong.adapters.postgres.server_place import (
    LOCK,
    MARKER,
    PLACE_MARKER,
    SOCKET_NAME,
    STATE_HOME,
    Account,
    Place,
    Programs,
    choose_account,
    find_programs,
    open_folder,
    os_refusal,
    read_marker,
    settle,
    state_home,
    take_lock,
)
from lienthong.adapters.postgres.server_process import (
    POLL_S,
    ProcessFacts,
    is_running,
    process_facts,
    processes_in,
    send,
    server_at,
    wait_until_gone,
)

STALL_S = 120  # neither a line in the log nor a tick of work for so long: it hangs
PROGRESS_S = 2.0
WORK_LOOK_S = 0.5
CONNECT_PATIENCE_S = 5
FAST_PATIENCE_S = 60.0
IMMEDIATE_PATIENCE_S = 15.0
KILL_PATIENCE_S = 10.0
ORPHANS_PATIENCE_S = 20.0  # backends notice within seconds that their postmaster is gone
START_ATTEMPTS = 5
START_PAUSE_S = 1.0
STILL_THERE = ("is another postmaster", "pre-existing shared memory block", "is already in use", "already exists")
CLUSTER_ENTRIES = ("data", "data.new")
HOME_ENTRIES = (
    "server.log",
    "server.old.log",
    "postgresql.conf",
    "pg_hba.conf",
    "postgresql.conf.new",
    "pg_hba.conf.new",
)
FOLDER_ENTRIES = ("superuser.password", "superuser.password.new", f"{MARKER}.new", MARKER, LOCK)

Progress = Callable[[str], None]
StopMode = Literal["smart", "fast", "immediate"]
STOP_SIGNALS: Mapping[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """What the caller decides about a server."""

    folder: Path
    binaries: Path | None = None  # None: the wheel's, else a system's
    wal_level: str = "logical"
    max_slot_wal_keep_size: str = "4GB"  # a source nobody reads must not fill the disk
    extra: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """Return the settings of the server that differ from the launcher's own."""
        return {"wal_level": self.wal_level, "max_slot_wal_keep_size": self.max_slot_wal_keep_size, **self.extra}


def _quiet(_: str) -> None:
    """Say nothing."""


@dataclass(kw_only=True)
class PostgresServer:
    """A running server; ``stop`` ends it, and the folder stays locked until then."""

    place: Place
    account: Account
    programs: Programs
    password: str = field(repr=False)
    lock: int
    process: ProcessFacts
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    superuser: str = cluster.SUPERUSER
    port: int = cluster.PORT
    adopted: bool = False

    @classmethod
    def start(cls, config: ServerConfig, *, progress: Progress | None = None) -> Self:
        """Start the server of a folder, make it first if needed, or take over the one that still runs.

        Raises:
            FolderInUse: another process holds the folder.
            LienthongError: any other refusal ``PGS-…``.
        """
        say = progress or _quiet
        folder = config.folder.resolve()
        account = choose_account()
        open_folder(folder)
        try:
            lock = take_lock(folder)
        except OSError as cause:
            raise os_refusal(cause, folder) from cause
        try:
            return cls._start_locked(config, folder, account, lock, say)
        except OSError as cause:
            os.close(lock)
            raise os_refusal(cause, folder) from cause
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def _start_locked(cls, config: ServerConfig, folder: Path, account: Account, lock: int, say: Progress) -> Self:
        programs = find_programs(config.binaries, account)
        place = settle(folder, account)
        text = cluster.settings_text(place, config.settings())
        if cluster.cluster_version(place) is None:
            say(f"new cluster of PostgreSQL {programs.version}")
        password = _password_for(place)
        durable = config.extra.get("fsync", "on") != "off"
        cluster.ensure_cluster(place, programs, account, password=password, durable=durable)
        cluster.trim_log(place)
        running = _running_server(place, account)
        if running is not None:
            same = not cluster.settings_differ(place, text)
            if same and _answers_after_patience(place, running, password, say):
                say(f"server process {running.pid} was still running")
                return cls(
                    place=place,
                    account=account,
                    programs=programs,
                    password=password,
                    lock=lock,
                    process=running,
                    adopted=True,
                )
            say(f"stopping server process {running.pid} left by an earlier run")
            _end(running, "fast")
        # Written only while no server runs, so that the file always tells what a running one was started with.
        cluster.write_settings(place, text)
        _clear_leftovers(place, account, say)
        child, process = _launch(place, programs, account, password, say)
        return cls(
            place=place,
            account=account,
            programs=programs,
            password=password,
            lock=lock,
            process=process,
            child=child,
        )

    @property
    def socket_folder(self) -> Path:
        """Return the folder of the socket: what libpq calls the host."""
        return self.place.sockets

    @property
    def pid(self) -> int:
        """Return the number of the server's main process."""
        return self.process.pid

    def url(self, database: str, user: str, password: str | None = None) -> str:
        """Return a libpq URL; it holds a password only when one is given."""
        return _url(self.place, database, user, password)

    def is_alive(self) -> bool:
        """Return whether the process runs and answers."""
        if self.child is not None:
            self.child.poll()
        return is_running(self.process) and _answers(self.place, self.password) is Answer.READY

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and let go of the folder; harder when it does not obey."""
        if self.lock < 0:
            return
        try:
            _end(self.process, mode, self.child)
            cluster.trim_log(self.place)
        finally:
            os.close(self.lock)
            self.lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _password_for(place: Place) -> str:
    if cluster.cluster_version(place) is None:
        return secrets.token_urlsafe(24)
    return cluster.read_password(place)


def _url(place: Place, database: str, user: str, password: str | None) -> str:
    secret = "" if password is None else ":" + quote(password, safe="")
    host = quote(str(place.sockets), safe="")
    return f"postgresql://{quote(user, safe='')}{secret}@/{quote(database, safe='')}?host={host}&port={cluster.PORT}"


class Answer(enum.Enum):
    """What a server says when it is asked."""

    READY = "ready"
    NOT_YET = "not yet"
    REFUSED = "refused"  # it is up, and our password is not its password
    OTHER = "other"  # it is up, and is not the server of this cluster


def _answers(place: Place, password: str) -> Answer:
    try:
        with psycopg.connect(
            _url(place, "postgres", cluster.SUPERUSER, None),
            password=password,
            connect_timeout=CONNECT_PATIENCE_S,
            autocommit=True,
        ) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    except psycopg.Error as error:
        return Answer.REFUSED if "password authentication failed" in str(error) else Answer.NOT_YET
    return Answer.READY if row and row[0] == str(place.data) else Answer.OTHER


def _running_server(place: Place, account: Account) -> ProcessFacts | None:
    """Return the postmaster of this cluster, known by number, command line, account and working directory."""
    try:
        first = (place.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", maxsplit=1)[0]
        named = server_at(int(first), place.data, account.user)
    except (OSError, ValueError):
        named = None
    if named is not None:
        return named
    # The file may be gone or old while a server still runs: look among the processes of the cluster.
    for facts in processes_in(place.data, account.user):
        if server_at(facts.pid, place.data, account.user) is not None:
            return facts
    return None


def _answers_after_patience(place: Place, process: ProcessFacts, password: str, say: Progress) -> bool:
    try:
        return _wait_ready(place, process, password, say, child=None) is None
    except (ServerStalled, PasswordLost):
        return False


def _wait_ready(
    place: Place, process: ProcessFacts, password: str, say: Progress, *, child: subprocess.Popen[bytes] | None
) -> int | None:
    """Wait as long as the server works; return None when it is ready and its exit code when it ended.

    Raises:
        ServerStalled: it neither answered nor worked.
        PasswordLost: it is up and does not know our password.
    """
    began = moved = said = looked = time.monotonic()
    before = (0, 0)
    while True:
        answer = _answers(place, password)
        if answer is Answer.READY:
            return None
        if answer is Answer.REFUSED:
            raise PasswordLost(folder=place.folder, state="not the one of this cluster")
        if child is not None and child.poll() is not None:
            return child.returncode
        if not is_running(process):
            return -1
        now = time.monotonic()
        if now - looked > WORK_LOOK_S:
            looked, work = now, (cluster.log_size(place), _work_done(place, process))
            if work != before:
                before, moved = work, now
        if now - moved > STALL_S:
            raise ServerStalled(pid=process.pid, seconds=STALL_S, tail=cluster.log_tail(place), log=place.log)
        if now - said > PROGRESS_S:
            said = now
            last = cluster.log_tail(place).rpartition("\n")[2]
            say(f"waiting for PostgreSQL, {now - began:.0f} s: {last}")
        time.sleep(POLL_S)


def _work_done(place: Place, process: ProcessFacts) -> int:
    return sum(facts.cpu_ticks for facts in processes_in(place.data, process.account))


def _clear_leftovers(place: Place, account: Account, say: Progress) -> None:
    """Wait for the backends of a killed postmaster, then take away its lock and socket files."""
    limit = time.monotonic() + ORPHANS_PATIENCE_S
    for harder in (None, signal.SIGQUIT, signal.SIGKILL):
        while orphans := list(processes_in(place.data, account.user)):
            if harder is not None:
                for facts in orphans:
                    send(facts, harder)
            if time.monotonic() > limit:
                break
            time.sleep(POLL_S * 5)
        if not orphans:
            break
        say(f"{len(orphans)} processes of the last server are still there")
        limit = time.monotonic() + KILL_PATIENCE_S
    if orphans:
        raise ServerNotStopped(pid=orphans[0].pid, seconds=int(ORPHANS_PATIENCE_S + 2 * KILL_PATIENCE_S))
    # No process of this cluster is left. The number in the file may by now be somebody else's, and the server
    # would take that one for its predecessor. Memory still in use is guarded by the server itself.
    for path in (place.data / "postmaster.pid", place.sockets / SOCKET_NAME, place.sockets / f"{SOCKET_NAME}.lock"):
        path.unlink(missing_ok=True)


def _launch(
    place: Place, programs: Programs, account: Account, password: str, say: Progress
) -> tuple[subprocess.Popen[bytes], ProcessFacts]:
    for attempt in range(1, START_ATTEMPTS + 1):
        since = cluster.log_size(place)
        child = _spawn(place, programs, account)
        process = process_facts(child.pid)
        code = child.wait() if process is None else None
        try:
            if process is not None:
                code = _wait_ready(place, process, password, say, child=child)
                if code is None:
                    return child, process
        except BaseException:
            child.send_signal(signal.SIGQUIT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(IMMEDIATE_PATIENCE_S)
            if child.poll() is None:
                child.kill()
                child.wait()
            raise
        tail = cluster.log_tail(place, since=since)
        if attempt == START_ATTEMPTS or not any(sign in tail for sign in STILL_THERE):
            break
        say("the last server has not quite ended; trying again")
        time.sleep(START_PAUSE_S)
    if cluster.NO_SPACE in tail:
        raise DiskFull(folder=place.home)
    raise ServerEnded(exit=f"exit code {code}", tail=tail, log=place.log)


def _spawn(place: Place, programs: Programs, account: Account) -> subprocess.Popen[bytes]:
    handle = os.open(
        place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )  # appended to, so that trimming works under a running server
    try:
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            [
                str(programs.folder / "postgres"),
                "-D",
                str(place.data),
                "-c",
                f"config_file={place.home / 'postgresql.conf'}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            cwd="/",
            umask=0o077,
            user=account.user if account.switch else None,
            group=account.group if account.switch else None,
            extra_groups=[] if account.switch else None,
            start_new_session=True,  # Ctrl-C of the terminal must not reach it: we stop it in order
        )
    except PermissionError as cause:
        if account.switch:
            raise AccountMissing(reason=f"changing to account {account.user} is not allowed") from cause
        raise BinariesMissing(reason=f"{programs.folder} cannot be run") from cause
    finally:
        os.close(handle)


def _end(process: ProcessFacts, mode: StopMode, child: subprocess.Popen[bytes] | None = None) -> None:
    """Ask, then insist, then kill; a child is waited for so that no zombie stays."""
    steps = [(STOP_SIGNALS[mode], FAST_PATIENCE_S)]
    if mode != "immediate":
        steps.append((signal.SIGQUIT, IMMEDIATE_PATIENCE_S))
    steps.append((signal.SIGKILL, KILL_PATIENCE_S))
    for number, patience_s in steps:
        send(process, number)
        if wait_until_gone(process, patience_s=patience_s):
            if child is not None:
                child.wait(KILL_PATIENCE_S)
            return
    raise ServerNotStopped(pid=process.pid, seconds=int(sum(patience for _, patience in steps)))


def remove(folder: Path) -> None:
    """Stop the server of a folder and delete everything the launcher made; nothing when there is no folder.

    Raises:
        FolderNotOurs: the folder carries no marker of ours; nothing is touched.
        FolderInUse: another process works with it.
    """
    folder = folder.resolve()
    if not folder.exists():
        return
    marker = read_marker(folder)
    if marker is None:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            return
        raise FolderNotOurs(folder=folder, reason=f"there is no {MARKER}")
    lock = take_lock(folder)
    try:
        account = choose_account()
        if not Path(marker["home"]).exists():
            _delete_own(folder)  # an earlier removal was cut short after the cluster
            return
        place = settle(folder, account)
        running = _running_server(place, account)
        if running is not None:
            _end(running, "fast")
        _clear_leftovers(place, account, _quiet)
        _delete(place)
    except OSError as cause:
        raise os_refusal(cause, folder) from cause
    finally:
        os.close(lock)


def _delete(place: Place) -> None:
    for name in CLUSTER_ENTRIES:
        if (place.home / name).exists():
            shutil.rmtree(place.home / name)
    for name in HOME_ENTRIES:
        (place.home / name).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        place.sockets.rmdir()
    if place.home != place.folder:
        (place.home / PLACE_MARKER).unlink(missing_ok=True)
        place.home.rmdir()
        _delete_unused_programs()
    _delete_own(place.folder)


def _delete_own(folder: Path) -> None:
    for name in FOLDER_ENTRIES:  # the marker goes near the end: a removal cut short can be done again
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _delete_unused_programs() -> None:
    """Delete the copies of programs when no server lives in the state folder any more."""
    with state_home():
        entries = [entry for entry in STATE_HOME.iterdir() if entry.name != LOCK]
        if any(not entry.name.startswith("postgresql-") for entry in entries):
            return
        for entry in entries:
            shutil.rmtree(entry)
        (STATE_HOME / LOCK).unlink()
    with contextlib.suppress(OSError):  # somebody may have begun to use it this very moment
        STATE_HOME.rmdir()
