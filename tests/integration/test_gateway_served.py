"""The gateway as a process on a real socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lienthong.gateway.refusals import ListenRefused, PortInUse
from lienthong.gateway.serve import check_listen

PERSON = "096123456789"
KEY = "lt_" + "K" * 43
START_PATIENCE_S = 30
PROGRAM = """
import logging, sys
sys.path.insert(0, sys.argv[2])
from gateway_client import Services
from lienthong.errors import LienthongError
from lienthong.gateway.serve import serve
logging.basicConfig(level=logging.DEBUG)
try:
    serve(Services(), host="127.0.0.1", port=int(sys.argv[1]))
except LienthongError as error:
    sys.exit(error.code)
"""


@dataclass(frozen=True, kw_only=True)
class Served:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> httpx.Response:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {KEY}"}
        ) as client:
            return client.get(path)


def start(log: Path, port: int) -> subprocess.Popen[bytes]:
    clients = Path(__file__).parents[1] / "unit"
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, str(port), str(clients)], stdout=out, stderr=out)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, log: Path) -> None:
    limit = time.monotonic() + START_PATIENCE_S
    while not condition():
        assert time.monotonic() < limit, log.read_text()
        time.sleep(0.05)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "gateway.log"
    process = start(log, port)
    try:
        wait_for(lambda: process.poll() is not None or is_open(port), log)
        assert process.poll() is None, log.read_text()
        yield Served(process=process, port=port, log=log)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


def test_a_record_travels_over_a_socket_and_leaves_no_trace_of_the_person_in_the_log(served: Served) -> None:
    response = served.get(f"/api/v1/datasets/nhan-khau/records/{PERSON}")
    assert response.status_code == 200
    assert response.json()["record"] == {"ho_va_ten": "Nguyễn Văn Kín"}
    assert response.headers["cache-control"] == "no-store"
    # The line is written after the answer has left.
    wait_for(lambda: "kind=record status=200" in served.log.read_text(), served.log)
    written = served.log.read_text()
    assert PERSON not in written
    assert KEY not in written


def test_sigterm_ends_the_gateway_and_frees_its_port(served: Served) -> None:
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(20) == 0
    assert not is_open(served.port)


def test_kill_9_of_the_gateway_leaves_no_worker_behind(served: Served) -> None:
    os.kill(served.process.pid, signal.SIGKILL)
    served.process.wait()
    wait_for(lambda: not is_open(served.port), served.log)


def test_a_taken_port_is_named(served: Served, tmp_path: Path) -> None:
    with pytest.raises(PortInUse, match=str(served.port)):
        check_listen("127.0.0.1", served.port)
    second = start(tmp_path / "second.log", served.port)
    assert second.wait(30) == 1
    assert "GW-011" in (tmp_path / "second.log").read_text()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.vn", ""])
def test_an_address_of_a_network_is_refused(host: str) -> None:
    with pytest.raises(ListenRefused):
        check_listen(host, 8215)


def test_a_header_without_end_is_cut_off(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.settimeout(20)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        # Far more than any header: the gateway must hang up long before all of it is sent.
        with pytest.raises(ConnectionError):
            connection.sendall(b"a" * 50_000_000)
    assert served.get("/healthz").status_code == 200
