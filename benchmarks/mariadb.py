"""How fast MariaDB's row events become columns, beside another reader of the same log.

The log is written by a server started for it, kept as bytes, and decoded twice from memory: by ours up to deliveries,
and by ``mysql-replication`` up to its rows, so that no network and no disk stands between. JSON on stdout.

    uv run python benchmarks/mariadb.py --rows 100000
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "integration"))

from mariadb_server import MariaDBServer, mapping, programs, running
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from lienthong.adapters.mariadb.source import MariaDBSource
from lienthong.sources.change import Delivery, SourceId
from lienthong.testing import citizens


def fill(server: MariaDBServer, rows: int) -> tuple[str, int]:
    """Write rows, change half of them, delete a fifth: three changes per two rows, in transactions of 500."""
    frame, _ = citizens.generate(rows, seed=5)
    names = [name for name in frame.columns if name != "id"]
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS bench CHARACTER SET utf8mb4")
        cursor.execute("USE bench")
        cursor.execute(
            "CREATE OR REPLACE TABLE people (id int PRIMARY KEY, " + ", ".join(f"{n} text" for n in names) + ")"
        )
        connection.commit()
        marks = ", ".join(["%s"] * len(frame.columns))
        statement = f"INSERT INTO people ({', '.join(frame.columns)}) VALUES ({marks})"
        data = [[None if value is None else str(value) for value in row] for row in frame.rows()]
        start = start_of(server)
        for first in range(0, rows, 500):
            cursor.executemany(statement, data[first : first + 500])
            connection.commit()
        for first in range(0, rows // 2, 500):
            cursor.execute(
                "UPDATE people SET ho_ten = CONCAT(ho_ten, ' x') WHERE id BETWEEN %s AND %s", [first, first + 499]
            )
            connection.commit()
        for first in range(0, rows // 5, 500):
            cursor.execute("DELETE FROM people WHERE id BETWEEN %s AND %s", [first, first + 499])
            connection.commit()
    return start


def start_of(server: MariaDBServer) -> tuple[str, int]:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW MASTER STATUS")
        file, place, *_ = cursor.fetchone()
        return file, int(place)


def timed(work) -> tuple[int, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    changes = work()
    return changes, time.perf_counter() - wall, time.process_time() - cpu


def ours(started) -> int:
    source, start = started
    read = 0
    stream = source.stream(epoch=start.epoch, after=start.position)
    for arrived in stream:
        if not isinstance(arrived, Delivery):
            break
        read += arrived.read
    source.close()
    return read


def theirs(server: MariaDBServer, start: tuple[str, int]) -> int:
    reader = BinLogStreamReader(
        connection_settings={"unix_socket": str(server.socket), "user": "root", "passwd": ""},
        server_id=991, blocking=False, log_file=start[0], log_pos=start[1], resume_stream=True, is_mariadb=True,
        only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent],
    )  # fmt: skip
    read = sum(len(event.rows) for event in reader)
    reader.close()
    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    if programs() is None:
        sys.exit("this machine has no MariaDB server (apt-get install mariadb-server)")
    with running() as server:
        with server.connect() as connection:
            connection.cursor().execute("CREATE DATABASE bench CHARACTER SET utf8mb4")
            connection.cursor().execute("CREATE TABLE bench.people (id int PRIMARY KEY)")
        first = fill(server, arguments.rows)
        # The table is as the log left it; the link begins where the writing began.
        source = MariaDBSource(
            source=SourceId("bench"), url=server.url("bench"), password=None, mappings=[mapping("bench", "people")]
        )
        begun = source.begin_snapshot()
        snapshot = timed(lambda: sum(delivery.read for delivery in source.snapshot()))
        place = int(first[0].rpartition(".")[2]) << 32 | first[1]
        start = type(begun)(
            epoch=begun.epoch, position=type(begun.position)(commit=place), tables=begun.tables,
            rows_estimated=begun.rows_estimated,
        )  # fmt: skip
        stream = timed(lambda: ours((source, start)))
        other = timed(lambda: theirs(server, first))
    print(
        json.dumps(
            {
                "snapshot": _figures(snapshot, "rows"),
                "stream": _figures(stream, "changes"),
                "mysql_replication": _figures(other, "changes"),
                "times_as_fast_per_cpu_second": round((stream[0] / stream[2]) / (other[0] / other[2]), 2),
            },
            indent=2,
        )
    )


def _figures(measured: tuple[int, float, float], unit: str) -> dict[str, float]:
    count, wall, cpu = measured
    return {
        unit: count, "wall_s": round(wall, 3), "cpu_s": round(cpu, 3), f"{unit}_per_s": round(count / wall),
        f"{unit}_per_cpu_s": round(count / cpu),
    }  # fmt: skip


if __name__ == "__main__":
    main()
