"""The launcher after kill -9 of the server, of its owner, and in front of stale and foreign traces."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

from lienthong.adapters.postgres import server as launcher
from lienthong.adapters.postgres import server_place
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.adapters.postgres.server_errors import FolderInUse
from lienthong.adapters.postgres.server_process import process_facts, wait_until_gone

SMALL = {"shared_buffers": "16MB"}
OWNER = """
import sys
from pathlib import Path
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig
server = PostgresServer.start(ServerConfig(folder=Path(sys.argv[1]), extra={"shared_buffers": "16MB"}))
print(server.pid, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder():
    outer = Path(tempfile.mkdtemp(prefix="lienthong-test-"))
    outer.chmod(0o711)
    inner = outer / "postgresql"
    yield inner
    if (inner / server_place.MARKER).exists():
        remove(inner)
    shutil.rmtree(outer, ignore_errors=True)


def start(folder: Path, said: list[str] | None = None, **extra: str) -> PostgresServer:
    config = ServerConfig(folder=folder, extra={**SMALL, **extra})
    return PostgresServer.start(config, progress=None if said is None else said.append)


def url(server: PostgresServer) -> str:
    return server.url("postgres", server.superuser, server.password)


def own(folder: Path) -> tuple[subprocess.Popen, int]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return owner, int(owner.stdout.readline())


def end(owner: subprocess.Popen) -> None:
    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()


def test_what_was_committed_survives_kill_9_of_the_server_and_the_next_start_works_at_once(folder):
    server = start(folder)
    with psycopg.connect(url(server), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (a int)")
        for round_number in range(3):
            with psycopg.connect(url(server), autocommit=True) as other:
                other.execute("INSERT INTO kept VALUES (%s)", [round_number])
            os.kill(server.pid, signal.SIGKILL)
            server.stop()
            server = start(folder)
            with psycopg.connect(url(server)) as other:
                assert other.execute("SELECT count(*) FROM kept").fetchone() == (round_number + 1,)
    server.stop()


def test_a_busy_backend_that_outlives_its_server_is_ended_before_the_next_start(folder, monkeypatch):
    monkeypatch.setattr(launcher, "ORPHANS_PATIENCE_S", 0.5)
    server = start(folder)
    busy = threading.Event()

    def work() -> None:
        with psycopg.connect(url(server)) as connection:
            busy.set()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT count(*) FROM generate_series(1, 2000000000)")

    thread = threading.Thread(target=work)
    thread.start()
    busy.wait()
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    said: list[str] = []
    with start(folder, said) as server:
        assert server.is_alive()
    thread.join()


def test_a_server_whose_owner_was_killed_is_taken_over_and_then_stopped(folder):
    owner, pid = own(folder)
    end(owner)
    assert process_facts(pid) is not None
    with start(folder) as server:
        assert server.adopted
        assert server.pid == pid
        assert server.is_alive()
    assert process_facts(pid) is None


def test_a_server_whose_owner_was_killed_is_started_anew_when_settings_changed(folder):
    owner, pid = own(folder)
    end(owner)
    with start(folder, work_mem="9MB") as server:
        assert server.pid != pid
        with psycopg.connect(url(server)) as connection:
            assert connection.execute("SHOW work_mem").fetchone() == ("9MB",)


def test_a_hanging_server_whose_owner_was_killed_is_replaced(folder, monkeypatch):
    monkeypatch.setattr(launcher, "STALL_S", 1)
    monkeypatch.setattr(launcher, "CONNECT_PATIENCE_S", 2)
    monkeypatch.setattr(launcher, "FAST_PATIENCE_S", 0.2)
    monkeypatch.setattr(launcher, "IMMEDIATE_PATIENCE_S", 0.2)
    owner, pid = own(folder)
    end(owner)
    os.kill(pid, signal.SIGSTOP)
    with start(folder) as server:
        assert server.pid != pid
        assert server.is_alive()


def test_remove_stops_a_server_whose_owner_was_killed(folder):
    owner, pid = own(folder)
    end(owner)
    remove(folder)
    assert process_facts(pid) is None
    assert not folder.exists()


def test_a_folder_reached_through_a_link_is_the_same_folder(folder):
    link = folder.parent / "link"
    link.symlink_to(folder.parent)
    owner, pid = own(link / folder.name)
    try:
        with pytest.raises(FolderInUse):
            start(folder)
    finally:
        end(owner)
    with start(folder) as server:
        assert server.pid == pid


def test_an_owner_in_another_process_is_named(folder):
    owner, _ = own(folder)
    try:
        with pytest.raises(FolderInUse, match=f"process {owner.pid}"):
            start(folder)
    finally:
        end(owner)


def test_ctrl_c_of_the_terminal_does_not_reach_the_server(folder):
    with start(folder) as server:
        assert os.getsid(server.pid) != os.getsid(0)


def leave_pid_file(folder: Path, pid: int) -> None:
    with start(folder) as server:
        path = server.place.data / "postmaster.pid"
        text = path.read_text().split("\n", maxsplit=1)[1]
    path.write_text(f"{pid}\n{text}")
    (server.socket_folder / f"{server_place.SOCKET_NAME}.lock").write_text(f"{pid}\n{text}")
    (server.socket_folder / server_place.SOCKET_NAME).touch()


def test_a_number_that_belongs_to_another_program_now_is_not_taken_for_the_server(folder):
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        leave_pid_file(folder, stranger.pid)
        with start(folder) as server:
            assert not server.adopted
            assert server.is_alive()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_number_that_belongs_to_the_server_of_another_folder_is_left_alone(folder, postgres_server):
    leave_pid_file(folder, postgres_server.pid)
    with start(folder) as server:
        assert server.pid != postgres_server.pid
    assert postgres_server.is_alive()


def test_a_zombie_is_not_a_running_server(folder):
    zombie = subprocess.Popen(["true"])
    facts = process_facts(zombie.pid)
    assert facts is None or wait_until_gone(facts, patience_s=10)
    assert Path(f"/proc/{zombie.pid}").exists()
    assert process_facts(zombie.pid) is None
    leave_pid_file(folder, zombie.pid)
    with start(folder) as server:
        assert server.is_alive()
    zombie.wait()


@pytest.mark.parametrize("content", ["", "nonsense\n", "-1\n", "0\n", "99999999999999999999\n"])
def test_a_spoiled_number_file_does_not_hinder_a_start(folder, content):
    with start(folder) as server:
        path = server.place.data / "postmaster.pid"
    path.write_text(content)
    with start(folder) as server:
        assert server.is_alive()


def test_a_server_that_lost_its_number_file_is_found_among_the_processes(folder):
    owner, pid = own(folder)
    end(owner)
    marker = server_place.read_marker(folder)
    (Path(marker["home"]) / "data" / "postmaster.pid").unlink()
    with start(folder) as server:
        assert server.is_alive()
        assert server.pid == pid


def test_stop_ends_a_server_that_does_not_obey(folder, monkeypatch):
    monkeypatch.setattr(launcher, "FAST_PATIENCE_S", 0.2)
    monkeypatch.setattr(launcher, "IMMEDIATE_PATIENCE_S", 0.2)
    server = start(folder)
    os.kill(server.pid, signal.SIGSTOP)
    server.stop()
    assert process_facts(server.pid) is None
    server.stop()  # once more does nothing
