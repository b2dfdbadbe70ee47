"""Make a cluster and write its settings; the server can read its settings and cannot change them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lienthong.adapters.postgres.server_errors import (
    ClusterVersionDiffers,
    DiskFull,
    InitialisationFailed,
    PasswordLost,
    ServerSettingRefused,
)
from lienthong.adapters.postgres.server_place import Account, Place, Programs, os_refusal, run_as, write_private

PORT = 5432  # names the socket only: no network address is opened
SUPERUSER = "postgres"
BUILTIN_LOCALE_SINCE = 17
LOG_BYTES_MAX = 5_000_000
TAIL_LINES = 12
TAIL_BYTES = 8_192
NO_SPACE = "No space left on device"

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO, YMD",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.simple",
    # What a failing statement says may hold personal data: only the server's own events reach the log.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_startup_progress_interval": "2s",
}
DECIDED_HERE = frozenset(
    {
        "listen_addresses",
        "port",
        "unix_socket_directories",
        "unix_socket_permissions",
        "data_directory",
        "config_file",
        "hba_file",
        "ident_file",
        "password_encryption",
        "logging_collector",
        "log_destination",
        "log_min_messages",
        "log_min_error_statement",
        "log_error_verbosity",
    }
)
SETTING_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
ACCESS_RULES = "local all all scram-sha-256\nlocal replication all scram-sha-256\n"


def settings_text(place: Place, wanted: Mapping[str, str]) -> str:
    """Return postgresql.conf.

    Raises:
        ServerSettingRefused: a wanted setting belongs to the launcher, or is no setting.
    """
    for name, value in wanted.items():
        if name in DECIDED_HERE:
            raise ServerSettingRefused(name=name, reason="the launcher decides it")
        if not SETTING_NAME.fullmatch(name):
            raise ServerSettingRefused(name=name[:60], reason="it is not the name of a setting")
        if any(ord(sign) < ord(" ") for sign in value):
            raise ServerSettingRefused(name=name, reason="its value holds control characters")
    shared_memory = {} if os.access("/dev/shm", os.W_OK) else {"dynamic_shared_memory_type": "mmap"}  # noqa: S108 - asked, not written
    every = {
        **SETTINGS,
        **shared_memory,
        **wanted,
        "unix_socket_directories": f'"{place.sockets}"',
        "hba_file": str(place.home / "pg_hba.conf"),
    }
    lines = (
        f"{name} = '{value.replace(chr(92), chr(92) * 2).replace(chr(39), chr(39) * 2)}'"
        for name, value in every.items()
    )
    return "# written by Liên Thông at each start; changes made here are lost\n" + "\n".join(lines) + "\n"


def settings_differ(place: Place, text: str) -> bool:
    """Return whether the server was started with other settings, or never."""
    try:
        return (place.home / "postgresql.conf").read_text(encoding="utf-8") != text
    except FileNotFoundError:
        return True


def write_settings(place: Place, text: str) -> None:
    """Write the settings where the server reads them and cannot change them."""
    write_private(place.home / "pg_hba.conf", ACCESS_RULES, mode=0o644)
    write_private(place.home / "postgresql.conf", text, mode=0o644)


def read_password(place: Place) -> str:
    """Return the superuser's password."""
    try:
        password = place.password_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise PasswordLost(folder=place.folder, state="not there") from cause
    if not password:
        raise PasswordLost(folder=place.folder, state="empty")
    return password


def cluster_version(place: Place) -> int | None:
    """Return the major version of the cluster, None when there is none yet."""
    try:
        return int((place.data / "PG_VERSION").read_text(encoding="ascii").strip())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as cause:
        reason = cause if isinstance(cause, OSError) else OSError(0, "PG_VERSION cannot be read")
        raise os_refusal(reason, place.data) from cause


def ensure_cluster(place: Place, programs: Programs, account: Account, *, password: str, durable: bool) -> bool:
    """Make the cluster if there is none; return whether it was made.

    It is made beside and renamed, so a folder named ``data`` always holds a whole cluster.
    """
    found = cluster_version(place)
    if found is not None:
        if found != programs.major:
            raise ClusterVersionDiffers(folder=place.folder, cluster=found, programs=programs.major)
        return False
    work = place.home / "data.new"
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        cluster, secret = work / "data", work / "password"
        write_private(secret, password + "\n")
        write_private(place.password_file, password + "\n")
        for path in (work, secret):
            if account.switch:
                os.chown(path, account.user, account.group, follow_symlinks=False)
        _initdb(cluster, secret, programs, account, durable=durable)
        secret.unlink()
        cluster.replace(place.data)
        _sync_folder(place.home)
    except OSError as cause:
        raise os_refusal(cause, place.home) from cause
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return True


def _initdb(cluster: Path, secret: Path, programs: Programs, account: Account, *, durable: bool) -> None:
    locale = ["--locale=C"]
    if programs.major >= BUILTIN_LOCALE_SINCE:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        answer = run_as(
            account,
            [
                str(programs.folder / "initdb"),
                f"--pgdata={cluster}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth-local=scram-sha-256",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                *locale,
                "--data-checksums",
                "--no-instructions",
                *([] if durable else ["--no-sync"]),
            ],
        )
    except (OSError, subprocess.SubprocessError) as cause:
        raise InitialisationFailed(exit=type(cause).__name__, tail="it could not be run") from cause
    if answer.returncode != 0:
        text = answer.stdout.decode(errors="replace")
        if NO_SPACE in text:
            raise DiskFull(folder=cluster.parent.parent)
        raise InitialisationFailed(exit=answer.returncode, tail="\n".join(text.splitlines()[-TAIL_LINES:]))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def trim_log(place: Place) -> None:
    """Keep the log within its bound: what is older moves to one second file; the server goes on appending."""
    try:
        if place.log.stat().st_size <= LOG_BYTES_MAX:
            return
        shutil.copyfile(place.log, place.log.with_suffix(".old.log"))
        os.truncate(place.log, 0)
    except FileNotFoundError:
        return


def log_size(place: Place) -> int:
    """Return how long the log is."""
    try:
        return place.log.stat().st_size
    except FileNotFoundError:
        return 0


def log_tail(place: Place, *, since: int = 0) -> str:
    """Return the last lines of the log; it holds no statements and no values of records."""
    try:
        with place.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(min(end, max(since, end - TAIL_BYTES)))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-TAIL_LINES:])
    except OSError:
        return "(no log)"
