"""The launcher: what it makes, what it refuses, what it leaves behind."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from lienthong.adapters.postgres import server as launcher
from lienthong.adapters.postgres import server_place
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.adapters.postgres.server_errors import (
    BinariesMissing,
    ClusterVersionDiffers,
    DiskFull,
    FolderInUse,
    FolderNotOurs,
    FolderNotUsable,
    PasswordLost,
    ServerEnded,
    ServerSettingRefused,
)

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
AS_ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture
def folder():
    """A folder every account may pass through, as a data folder in the working directory is."""
    outer = Path(tempfile.mkdtemp(prefix="lienthong-test-"))
    outer.chmod(0o711)
    inner = outer / "postgresql"
    yield inner
    if (inner / server_place.MARKER).exists():
        remove(inner)
    shutil.rmtree(outer, ignore_errors=True)


def start(folder: Path, **extra: str) -> PostgresServer:
    return PostgresServer.start(ServerConfig(folder=folder, extra={**QUICK, **extra}))


def ask(server: PostgresServer, query: str):
    with psycopg.connect(server.url("postgres", server.superuser, server.password), autocommit=True) as connection:
        return connection.execute(query).fetchone()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_what_was_stored_is_there_after_a_restart(folder):
    with start(folder) as server, psycopg.connect(server.url("postgres", "postgres", server.password)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
    with start(folder) as server:
        assert ask(server, "SELECT a FROM kept") == (1,)


def test_the_address_stays_the_same_over_restarts(folder):
    with start(folder) as server:
        first = server.url("postgres", "postgres")
    with start(folder) as server:
        assert server.url("postgres", "postgres") == first


def test_the_cluster_has_checksums_utf8_and_scram(folder):
    with start(folder) as server:
        assert ask(
            server,
            "SELECT current_setting('data_checksums'), current_setting('server_encoding'), lower('ĐẶNG THỊ Ỷ'),"
            " current_setting('password_encryption'), current_setting('listen_addresses')",
        ) == ("on", "UTF8", "đặng thị ỷ", "scram-sha-256", "")


def test_nobody_enters_without_the_password(folder):
    with start(folder) as server, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url("postgres", server.superuser, "wrong"))


def test_the_socket_lies_in_a_private_folder_with_a_short_path(folder):
    with start(folder) as server:
        sockets = server.socket_folder
        assert mode_of(sockets) == 0o700
        assert sockets.lstat().st_uid == server.account.user
        assert len(os.fsencode(sockets / server_place.SOCKET_NAME)) <= server_place.SOCKET_PATH_BYTES_MAX


def test_a_link_put_in_the_place_of_the_socket_folder_is_not_followed(folder):
    with start(folder) as server:
        sockets = server.socket_folder
    sockets.rmdir()
    trap = folder.parent / "trap"
    trap.mkdir()
    sockets.symlink_to(trap)
    try:
        with start(folder) as server:
            assert server.socket_folder != sockets
            assert not list(trap.iterdir())
    finally:
        sockets.unlink()


def test_the_socket_folder_comes_back_under_its_name_after_a_reboot_emptied_the_runtime_folder(folder):
    with start(folder) as server:
        sockets = server.socket_folder
    sockets.rmdir()
    with start(folder) as server:
        assert server.socket_folder == sockets
        assert mode_of(sockets) == 0o700


def test_the_password_is_in_no_list_of_processes_no_log_and_no_repr(folder):
    with start(folder) as server:
        secret = server.password
        assert len(secret) >= 32
        assert mode_of(server.place.password_file) == 0o600
        assert secret not in repr(server)
        assert secret not in server.url("postgres", server.superuser)
        assert secret not in server.place.log.read_text()
        for name in ("cmdline", "environ"):
            assert secret.encode() not in Path(f"/proc/{server.pid}/{name}").read_bytes()
        assert [path.name for path in server.place.home.iterdir() if path.name.startswith("data")] == ["data"]


def test_the_server_gets_nothing_of_our_environment(folder, monkeypatch):
    monkeypatch.setenv("LIENTHONG_CENTRE_PASSWORD", "canary-4711")
    with start(folder) as server:
        assert b"canary-4711" not in Path(f"/proc/{server.pid}/environ").read_bytes()


def test_values_of_failing_statements_do_not_reach_the_log(folder):
    with start(folder) as server:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            ask(server, "SELECT 'Nguyễn Văn Kín'::int")
        assert "Kín" not in server.place.log.read_text()


def test_the_log_keeps_within_its_bound_under_a_running_server(folder, monkeypatch):
    monkeypatch.setattr(launcher.cluster, "LOG_BYTES_MAX", 10)
    with start(folder) as server:
        launcher.cluster.trim_log(server.place)
        assert server.place.log.stat().st_size == 0
        ask(server, "SELECT pg_reload_conf()")
    assert server.place.log.with_suffix(".old.log").stat().st_size > 0
    assert server.place.log.stat().st_size < 5000


def test_the_servers_account_is_not_root_and_cannot_change_its_settings(folder):
    with start(folder) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == server.account.user != 0
        if AS_ROOT:
            assert (server.place.home / "postgresql.conf").stat().st_uid == 0
            assert (server.place.home / "pg_hba.conf").stat().st_uid == 0


def test_two_instances_on_one_folder_are_refused_by_the_number_of_the_holder(folder):
    with start(folder) as server:
        with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
            start(folder)
        with pytest.raises(FolderInUse):
            remove(folder)
        assert server.is_alive()


def test_two_instances_on_two_folders_work_side_by_side(folder):
    with start(folder) as first, start(folder.parent / "second") as second:
        assert first.pid != second.pid
        assert first.is_alive()
        assert second.is_alive()
    remove(folder.parent / "second")


def test_a_setting_the_launcher_decides_is_refused_before_anything_starts(folder):
    for name in ("listen_addresses", "hba_file", "unix_socket_directories", "log_min_error_statement"):
        with pytest.raises(ServerSettingRefused, match=name):
            start(folder, **{name: "*"})


def test_a_setting_cannot_smuggle_in_another_one(folder):
    with pytest.raises(ServerSettingRefused):
        start(folder, work_mem="4MB'\nlisten_addresses = '*")
    with pytest.raises(ServerSettingRefused):
        start(folder, **{"a = b": "1"})
    with start(folder, application_name="it's \\ quoted") as server:
        assert server.is_alive()


def test_a_setting_the_server_does_not_know_is_shown_from_its_log(folder):
    with pytest.raises(ServerEnded, match="no_such_setting"):
        start(folder, no_such_setting="1")


def test_a_folder_with_other_files_is_refused_and_left_alone(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    for attempt in (start, remove):
        with pytest.raises(FolderNotOurs):
            attempt(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_path_through_a_file_is_refused(folder):
    folder.write_text("a file")
    with pytest.raises(FolderNotUsable):
        start(folder / "below")


def test_a_folder_without_programs_is_refused(folder):
    with pytest.raises(BinariesMissing, match="postgres"):
        PostgresServer.start(ServerConfig(folder=folder, binaries=folder.parent))


def test_a_cluster_of_another_version_is_refused_and_kept(folder):
    with start(folder) as server:
        version = server.place.data / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(ClusterVersionDiffers, match=r"16.*18"):
        start(folder)
    version.write_text("18\n")
    with start(folder) as server:
        assert server.is_alive()


@pytest.mark.parametrize("damage", ["lost", "other"])
def test_a_lost_or_wrong_password_is_named_and_the_server_is_not_left_running(folder, damage):
    with start(folder) as server:
        secret = server.place.password_file
    right = secret.read_text()
    if damage == "lost":
        secret.unlink()
    else:
        secret.write_text("other\n")
    with pytest.raises(PasswordLost):
        start(folder)
    assert not list(launcher.processes_in(server.place.data, server.account.user))
    secret.write_text(right)


def test_remove_deletes_all_that_was_made_and_nothing_else(folder):
    with start(folder) as server:
        sockets = server.socket_folder
    keep = folder / "note.txt"
    keep.write_text("of the operator")
    remove(folder)
    assert list(folder.iterdir()) == [keep]
    assert not sockets.exists()
    keep.unlink()
    remove(folder)
    assert not folder.exists()
    remove(folder)  # there is nothing left to do


def test_an_interrupted_initdb_is_begun_again(folder):
    with start(folder) as server:
        data = server.place.data
    data.rename(data.with_name("data.new"))
    (data.with_name("data.new") / "PG_VERSION").unlink()
    with start(folder) as server:
        assert server.is_alive()
        assert not data.with_name("data.new").exists()


def test_a_full_disk_is_named_and_no_half_cluster_stays(folder, require):
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=0711", "tmpfs", str(folder)]
    require(
        AS_ROOT and subprocess.run(mount, capture_output=True, check=False).returncode == 0, "cannot mount a tmpfs"
    )
    try:
        with pytest.raises(DiskFull):
            start(folder)
        assert not (folder / "data").exists()
        assert not (folder / "data.new").exists()
    finally:
        sockets = Path(server_place.read_marker(folder)["sockets"])
        subprocess.run(["umount", str(folder)], check=True)
        sockets.rmdir()


def test_root_puts_the_cluster_elsewhere_when_a_folder_above_is_closed_and_opens_none(require, monkeypatch):
    require(AS_ROOT, "only root runs the server as another account")
    state = Path(tempfile.mkdtemp(prefix="lienthong-state-"))
    state.chmod(0o711)
    closed = Path(tempfile.mkdtemp(prefix="lienthong-closed-"))
    for module in (server_place, launcher):
        monkeypatch.setattr(module, "STATE_HOME", state / "lienthong")
    folder = closed / "postgresql"
    try:
        with start(folder) as server:
            assert server.place.home.parent == state / "lienthong"
            assert server.is_alive()
            home = server.place.home
        with start(folder) as server:
            assert server.place.home == home
        assert mode_of(closed) == 0o700
        remove(folder)
        assert not folder.exists()
        assert not (state / "lienthong").exists()
    finally:
        shutil.rmtree(closed)
        shutil.rmtree(state)


def test_root_copies_the_programs_when_the_environment_is_closed(require, monkeypatch, folder):
    require(AS_ROOT, "only root runs the server as another account")
    from importlib.util import find_spec

    carrier = Path(find_spec(server_place.CARRIER).submodule_search_locations[0])
    state = Path(tempfile.mkdtemp(prefix="lienthong-state-"))
    state.chmod(0o711)
    closed = Path(tempfile.mkdtemp(prefix="lienthong-closed-"))
    for module in (server_place, launcher):
        monkeypatch.setattr(module, "STATE_HOME", state / "lienthong")
    shutil.copytree(carrier / "pginstall18", closed / carrier.name / "pginstall18")
    libraries = carrier.with_name(f"{carrier.name}.libs")
    shutil.copytree(libraries, closed / libraries.name)

    class Spec:
        submodule_search_locations = [str(closed / carrier.name)]  # noqa: RUF012 - as the import system has it

    monkeypatch.setattr(server_place, "find_spec", lambda _: Spec)
    try:
        with start(folder) as server:
            assert server.programs.folder.is_relative_to(state)
            assert server.is_alive()
        assert mode_of(closed) == 0o700
    finally:
        remove(folder)
        shutil.rmtree(closed)
        shutil.rmtree(state)


AS_ORDINARY_USER = """
import os, sys, psycopg
from pathlib import Path
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.errors import LienthongError
assert os.geteuid() != 0
folder = Path(sys.argv[1])
try:
    PostgresServer.start(ServerConfig(folder=Path("/usr/lienthong-test")))
except LienthongError as error:
    print(error.code)
with PostgresServer.start(ServerConfig(folder=folder, extra={"fsync": "off"})) as server:
    with psycopg.connect(server.url("postgres", server.superuser, server.password)) as connection:
        print(connection.execute("SELECT 40 + 2").fetchone()[0])
    print(oct(folder.stat().st_mode & 0o777), server.socket_folder.parent)
remove(folder)
print(folder.exists())
"""


def works(interpreter: str, environment: dict[str, str]) -> bool:
    try:
        answer = subprocess.run(
            [interpreter, "-c", "import lienthong, psycopg"],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            env=environment,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return answer.returncode == 0


def test_an_ordinary_user_needs_nothing_more(require):
    if not AS_ROOT:
        pytest.skip("this whole run is one of an ordinary user")
    # The interpreter of the environment may lie under a closed folder; the system's one of the same version will do.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    source, packages = Path(server_place.__file__).parents[3], Path(psycopg.__file__).parents[1]
    environment = {"PYTHONPATH": f"{source}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"}
    interpreter = next((each for each in (sys.executable, f"/usr/bin/{version}") if works(each, environment)), None)
    require(interpreter, "this environment is closed to other accounts")
    home = Path(tempfile.mkdtemp(prefix="lienthong-nobody-"))
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    for path in (home, runtime):
        os.chown(path, NOBODY, NOBODY)
    try:
        done = subprocess.run(
            [interpreter, "-c", AS_ORDINARY_USER, str(home / "data")],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            env={**environment, "XDG_RUNTIME_DIR": str(runtime)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.split() == ["PGS-003", "42", "0o700", str(runtime), "False"], done.stderr
    finally:
        shutil.rmtree(home)


def test_programs_of_a_system_are_used_when_they_are_named(folder):
    installed = sorted(server_place.SYSTEM_PROGRAMS.glob("*/bin/postgres"))
    if not installed:
        pytest.skip("no PostgreSQL of the system is installed; the wheel's is used everywhere else")
    with PostgresServer.start(ServerConfig(folder=folder, binaries=installed[-1].parent, extra=QUICK)) as server:
        version = ask(server, "SHOW server_version")[0].split()[0]
        assert server.programs.version == version
        assert ask(server, "SHOW data_checksums") == ("on",)
