"""Measure the way from an agency's PostgreSQL to the centre beside raw COPY and PostgreSQL's own logical replication.

Everything runs in one process group on one embedded server, so only the ratios mean something on a shared machine.
``just bench sync --citizens 200000 --changes 50000`` prints one JSON document: wall seconds, CPU seconds of this process,
rates, ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from lienthong.adapters.postgres.source import PostgresSource
from lienthong.pipeline.link import Link, SnapshotFinished, Stored
from lienthong.sources.change import Delivery, SourceId
from lienthong.wiring.installation import SOURCE_READER, Installation, prepare_centre, start_installation
from lienthong.wiring.services import open_link, read_knowledge
from lienthong.wiring.settings import load_settings, password

CHANGES_PER_TRANSACTION = 200
LATENCY_SAMPLES = 200
PATIENCE_S = 600.0


class Clocked:
    """Wall and CPU seconds of a stretch of this process."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        def cpu() -> float:
            used = resource.getrusage(resource.RUSAGE_SELF)
            return used.ru_utime + used.ru_stime

        wall, processor = time.perf_counter(), cpu()
        try:
            yield
        finally:
            self.wall_s, self.cpu_s = time.perf_counter() - wall, cpu() - processor

    def figures(self, rows: int) -> dict[str, object]:
        return {
            "rows": rows,
            "wall_s": round(self.wall_s, 3),
            "cpu_s": round(self.cpu_s, 3),
            "rows_per_s": round(rows / self.wall_s) if self.wall_s else None,
            "cpu_us_per_row": round(self.cpu_s / rows * 1e6, 2) if rows else None,
        }


def agency(installation: Installation, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "lienthong.testing.agency", *arguments],
        env={**os.environ, "LIENTHONG_AGENCY_URL": installation.agency_url()},
        stderr=subprocess.DEVNULL,
        check=True,
    )


def superuser(installation: Installation, database: str) -> psycopg.Connection[tuple[object, ...]]:
    server = installation.server
    return psycopg.connect(server.url(database, server.superuser), password=server.password, autocommit=True)


def raw_copy(installation: Installation, folder: Path) -> tuple[Clocked, int]:
    """COPY both tables to a file, bytes only: the ceiling of a client."""
    clocked, rows = Clocked(), 0
    with psycopg.connect(installation.agency_url()) as connection, clocked.running():
        for table in ("nhan_khau", "doanh_nghiep"):
            with (
                (folder / f"{table}.csv").open("wb") as out,
                connection.cursor() as cursor,
                cursor.copy(sql.SQL("COPY {} TO STDOUT (FORMAT csv)").format(sql.Identifier(table))) as copy,
            ):
                for block in copy:
                    out.write(block)
    with psycopg.connect(installation.agency_url()) as connection:
        for table in ("nhan_khau", "doanh_nghiep"):
            row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            assert row is not None
            rows += int(row[0])
    return clocked, rows


def make_link(installation: Installation) -> Link:
    settings = load_settings(installation.settings_path, {})
    return open_link(settings, read_knowledge(settings), settings.sources[0])


def close(link: Link) -> None:
    link.source.close()
    link.store.close()


def read_snapshot(installation: Installation) -> tuple[Clocked, int]:
    """Read the snapshot into columns and throw it away."""
    settings = load_settings(installation.settings_path, {})
    knowledge = read_knowledge(settings)
    link = settings.sources[0]
    source = PostgresSource(
        source=SourceId("bench"),
        url=link.url,
        password=password(link),
        publication=link.publication,
        slot="bench_reader",
        mappings=knowledge.mappings,
    )
    clocked, rows = Clocked(), 0
    try:
        with clocked.running():
            source.begin_snapshot()
            for delivery in source.snapshot():
                rows += delivery.read
    finally:
        source.close()
    with superuser(installation, "agency") as connection:
        connection.execute("SELECT pg_drop_replication_slot('bench_reader')")
    return clocked, rows


def whole_snapshot(installation: Installation) -> tuple[Clocked, int]:
    """Snapshot, standardise, check and apply everything with history, findings and counters."""
    link, clocked, rows = make_link(installation), Clocked(), 0
    finished = False
    try:
        with clocked.running():
            for event in link.run(lambda: finished):  # noqa: B023 - read while the loop runs
                if isinstance(event, Stored):
                    rows += event.receipt.read
                elif isinstance(event, SnapshotFinished):
                    finished = True
    finally:
        close(link)
    return clocked, rows


def native_target(installation: Installation) -> None:
    """Make the reference: the same table in a third database, filled, its slot waiting."""
    with superuser(installation, "postgres") as connection:
        connection.execute("CREATE DATABASE native")
    with psycopg.connect(installation.agency_url()) as source, superuser(installation, "native") as target:
        columns = source.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'nhan_khau'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ).fetchall()
        target.execute(
            sql.SQL("CREATE TABLE nhan_khau ({}, PRIMARY KEY (id))").format(
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(str(name)), sql.SQL(str(kind)))  # type: ignore[arg-type]
                    for name, kind in columns
                )
            )
        )
        with superuser(installation, "agency") as agency_connection:
            agency_connection.execute("CREATE PUBLICATION native FOR TABLE nhan_khau")
            agency_connection.execute("SELECT pg_create_logical_replication_slot('native_reference', 'pgoutput')")
        with (
            source.cursor().copy("COPY nhan_khau TO STDOUT") as out,
            target.cursor().copy("COPY nhan_khau FROM STDIN") as into,
        ):
            for block in out:
                into.write(block)
        target.execute("ANALYZE nhan_khau")


def make_changes(installation: Installation, changes: int) -> tuple[int, str]:
    """Change citizens: 50 % updates, 40 % inserts, 10 % deletes, in transactions of a fixed size."""
    done = 0
    with psycopg.connect(installation.agency_url()) as connection:
        while done < changes:
            share = min(CHANGES_PER_TRANSACTION, changes - done)
            updates, inserts = share // 2, share * 4 // 10
            done += connection.execute(
                "UPDATE nhan_khau SET dia_chi = dia_chi || '.' WHERE id IN (SELECT id FROM nhan_khau"
                " WHERE id >= (SELECT max(id) * random() FROM nhan_khau) LIMIT %s)",
                [updates],
            ).rowcount
            done += connection.execute(
                "INSERT INTO nhan_khau (so_cccd, ho_ten, ngay_sinh, gioi_tinh, dan_toc, quoc_tich, ma_xa, ma_tinh, dia_chi,"
                " dien_thoai, hon_nhan, cap_nhat_luc) SELECT substr(so_cccd, 1, 6) || lpad(floor(random() * 1e6)::text, 6, '0'), ho_ten, ngay_sinh, gioi_tinh, dan_toc, quoc_tich, ma_xa,"
                " ma_tinh, dia_chi, dien_thoai, hon_nhan, now() FROM nhan_khau"
                " WHERE id >= (SELECT max(id) * random() FROM nhan_khau) LIMIT %s",
                [inserts],
            ).rowcount
            done += connection.execute(
                "DELETE FROM nhan_khau WHERE id IN (SELECT id FROM nhan_khau"
                " WHERE id >= (SELECT max(id) * random() FROM nhan_khau) LIMIT %s)",
                [share - updates - inserts],
            ).rowcount
            connection.commit()
        row = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
    assert row is not None
    return done, str(row[0])


def lsn(text: str) -> int:
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def receive_only(installation: Installation, end: str) -> float | None:
    """Let pg_recvlogical read the same changes and throw them away: the limit of the server."""
    program = shutil.which("pg_recvlogical") or str(installation.server.programs.folder / "pg_recvlogical")
    if not Path(program).exists():
        return None
    server = installation.server
    environment = {**os.environ, "PGPASSWORD": server.password}
    with superuser(installation, "agency") as connection:
        connection.execute("SELECT pg_copy_logical_replication_slot('native_reference', 'bench_receive')")
    started = time.perf_counter()
    subprocess.run(
        [
            *(program, "--start", "--slot", "bench_receive", "--endpos", end, "--file", "/dev/null", "--no-loop"),
            *("--option", "proto_version=1", "--option", "publication_names=native"),
            *("--host", str(server.socket_folder), "--port", str(server.port)),
            *("--username", server.superuser, "--dbname", "agency"),
        ],
        env=environment,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    took = time.perf_counter() - started
    with superuser(installation, "agency") as connection:
        connection.execute("SELECT pg_drop_replication_slot('bench_receive')")
    return took


def native_apply(installation: Installation, end: str) -> float:
    """Let PostgreSQL's own logical replication apply the same changes to its copy of the table."""
    server = installation.server
    place = psycopg.conninfo.make_conninfo(
        "",
        host=str(server.socket_folder),
        port=server.port,
        dbname="agency",
        user=server.superuser,
        password=server.password,
    )
    with superuser(installation, "native") as target:
        started = time.perf_counter()
        target.execute(
            sql.SQL(
                "CREATE SUBSCRIPTION native CONNECTION {} PUBLICATION native"
                " WITH (create_slot = false, slot_name = 'native_reference', copy_data = false)"
            ).format(sql.Literal(place))
        )
    with superuser(installation, "agency") as connection:
        wait(
            lambda: (
                connection.execute(
                    "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = 'native_reference'",
                    [end],
                ).fetchone()
                == (True,)
            )
        )
    return time.perf_counter() - started


def wait(done: Callable[[], bool], *, pause_s: float = 0.01) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while not done():
        if time.perf_counter() > deadline:
            raise SystemExit("gave up waiting")
        time.sleep(pause_s)


def read_only_stream(link: Link, end: int) -> tuple[Clocked, int]:
    """Decode the stream into columns and throw it away; confirm nothing."""
    state = link.store.link(link.source.source)
    assert state is not None and state.epoch is not None and state.position is not None  # noqa: PT018
    clocked, changes = Clocked(), 0
    with clocked.running():
        for arrived in link.source.stream(epoch=state.epoch, after=state.position):
            if isinstance(arrived, Delivery):
                changes += arrived.read
            if arrived.end.commit >= end:
                break
    return clocked, changes


def whole_stream(link: Link, end: int) -> tuple[Clocked, int]:
    """Follow the stream to a position: decode, standardise, check, apply with history."""
    clocked, changes, reached = Clocked(), 0, False
    with clocked.running():
        for event in link.run(lambda: reached):  # noqa: B023 - read while the loop runs
            if isinstance(event, Stored):
                changes += event.receipt.read
                reached = event.receipt.end.commit >= end
    return clocked, changes


def latencies(installation: Installation, link: Link) -> dict[str, object]:
    """Measure commit at the source → visible by SELECT at the target, one change at a time, ours and native."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: list(link.run(stop.is_set)), daemon=True)
    thread.start()
    ours: list[float] = []
    native: list[float] = []
    settings = load_settings(installation.settings_path, {})
    with (
        psycopg.connect(installation.agency_url(), autocommit=True) as source,
        psycopg.connect(settings.centre.url, password=password(settings.centre), autocommit=True) as centre,
        superuser(installation, "native") as copy,
    ):
        for sample in range(LATENCY_SAMPLES):
            text = f"Số {sample}, đường Đo Lường"
            row = source.execute(
                "UPDATE nhan_khau SET dia_chi = %s WHERE id = (SELECT min(id) FROM nhan_khau) RETURNING id", [text]
            ).fetchone()
            committed = time.perf_counter()
            assert row is not None
            record = f"ca-mau/public.nhan_khau/{row[0]}"
            seen_ours = seen_native = False
            while not (seen_ours and seen_native):
                if not seen_native and copy.execute(
                    "SELECT dia_chi FROM nhan_khau WHERE id = %s", row
                ).fetchone() == (text,):
                    native.append(time.perf_counter() - committed)
                    seen_native = True
                if not seen_ours and centre.execute(
                    "SELECT dia_chi_thuong_tru FROM dataset.nhan_khau WHERE _record_id = %s", [record]
                ).fetchone() == (text,):
                    ours.append(time.perf_counter() - committed)
                    seen_ours = True
                if time.perf_counter() - committed > PATIENCE_S:
                    raise SystemExit("a change did not arrive")
                time.sleep(0.0005)
    stop.set()
    thread.join(30)

    def picture(samples: list[float]) -> dict[str, float]:
        ordered = sorted(samples)
        return {
            "p50_ms": round(ordered[len(ordered) // 2] * 1000, 1),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
        }

    return {"samples": LATENCY_SAMPLES, "ours": picture(ours), "native": picture(native)}


def measure(folder: Path, citizens: int, changes: int) -> dict[str, object]:
    installation = start_installation(folder, gateway_port=8215, portal_port=8214, progress=lambda _: None)
    try:
        agency(installation, "load", "--citizens", str(citizens), "--seed", "214", "--reader", SOURCE_READER)
        agency(installation, "mappings", "--to", str(installation.mappings_folder()))
        prepare_centre(installation, today=datetime.now(UTC).date())
        copied, rows = raw_copy(installation, folder)
        read, read_rows = read_snapshot(installation)
        whole, whole_rows = whole_snapshot(installation)
        native_target(installation)
        done, end = make_changes(installation, changes)
        received_s = receive_only(installation, end)
        native_s = native_apply(installation, end)
        link = make_link(installation)
        try:
            decoded, decoded_changes = read_only_stream(link, lsn(end))
        finally:
            close(link)
        link = make_link(installation)
        try:
            streamed, streamed_changes = whole_stream(link, lsn(end))
        finally:
            close(link)
        link = make_link(installation)
        try:
            latency = latencies(installation, link)
        finally:
            close(link)
    finally:
        with superuser(installation, "native") as target:
            target.execute("DROP SUBSCRIPTION IF EXISTS native")
        installation.server.stop()
    return {
        "benchmark": "sync",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "snapshot": {
            "raw_copy_to_file": copied.figures(rows),
            "read_into_columns": read.figures(read_rows),
            "end_to_end": whole.figures(whole_rows),
            "ratio_read_to_raw": round((read_rows / read.wall_s) / (rows / copied.wall_s), 3),
            "ratio_end_to_end_to_raw": round((whole_rows / whole.wall_s) / (rows / copied.wall_s), 3),
        },
        "stream": {
            "changes_made": done,
            "pg_recvlogical_to_null_s": received_s and round(received_s, 3),
            "native_apply": {"wall_s": round(native_s, 3), "changes_per_s": round(done / native_s)},
            "decode_into_columns": decoded.figures(decoded_changes),
            "end_to_end": streamed.figures(streamed_changes),
            "ratio_end_to_end_to_native": round((streamed_changes / streamed.wall_s) / (done / native_s), 3),
        },
        "latency_commit_to_visible": latency,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=200_000)
    parser.add_argument("--changes", type=int, default=50_000)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lienthong-bench-"))
    folder.chmod(0o711)
    try:
        print(json.dumps(measure(folder, arguments.citizens, arguments.changes), ensure_ascii=False, indent=2))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
