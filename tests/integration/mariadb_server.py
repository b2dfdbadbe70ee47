"""A MariaDB for tests: started where the machine has one, with its own folder, on a socket and a loopback port."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from lienthong.dictionary.model import DatasetId, ElementId, Relation
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.mapping import ColumnMapping, Mapping

START_S_MAX = 60.0
FOLLOWED = ("--log-bin=mariadb-bin", "--binlog-format=ROW", "--binlog-row-image=FULL", "--binlog-row-metadata=FULL")


def programs() -> tuple[str, str] | None:
    """Return the server and the program that makes its data folder, if the machine has them."""
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    install = shutil.which("mariadb-install-db")
    return (server, install) if server and install else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MariaDBServer:
    """A running server; ``root`` may sign in on the socket without a password."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.socket = folder / "s"
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        found = programs()
        assert found is not None
        subprocess.run(
            [found[1], "--no-defaults", f"--datadir={self.folder / 'data'}", "--auth-root-authentication-method=normal",
             "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip

    def start(self, *options: str) -> None:
        found = programs()
        assert found is not None
        self.process = subprocess.Popen(
            [
                found[0], "--no-defaults", f"--datadir={self.folder / 'data'}", f"--socket={self.socket}",
                f"--port={self.port}", "--bind-address=127.0.0.1", "--server-id=7", "--user=root",
                f"--pid-file={self.folder / 'pid'}", "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0",
                "--innodb-buffer-pool-size=64M", *(options or self.options),
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + START_S_MAX
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(str(self.socket))
            except OSError:
                assert self.process.poll() is None, "MariaDB ended while it started"
                assert time.monotonic() < deadline, "MariaDB did not start"
                time.sleep(0.1)
            else:
                return

    def stop(self, *, kill: bool = False) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait(60)

    def connect(self, database: str | None = None, **options) -> pymysql.connections.Connection:
        return pymysql.connect(
            unix_socket=str(self.socket), user="root", database=database, charset="utf8mb4", **options
        )

    def url(self, database: str, user: str = "root") -> str:
        return f"mariadb://{user}@localhost/{database}?socket={self.socket}"


@contextmanager
def running(*options: str) -> Iterator[MariaDBServer]:
    """Start a server of one's own; nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-mariadb-"))
    server = MariaDBServer(folder, *(options or FOLLOWED))
    try:
        server.install()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def mapping(schema: str, table: str, *columns: str, types: dict[str, str] | None = None) -> Mapping:
    return Mapping(
        source=SourceId("maria"),
        table=TableName(schema=schema, table=table),
        dataset=DatasetId("none"),
        owner="nobody",
        columns=tuple(
            ColumnMapping(
                column=name, element=ElementId("X"), relation=Relation.EXACT, native_type=(types or {}).get(name)
            )
            for name in columns
        ),
        digest="0",
    )
