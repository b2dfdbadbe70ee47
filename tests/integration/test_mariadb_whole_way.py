"""A MariaDB agency all the way to the centre: snapshot, three writers, restarts in between, equal by whole image."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from mariadb_server import MariaDBServer, programs, running

from lienthong.pipeline.link import SnapshotFinished
from lienthong.testing import citizens
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.running import LinkThread
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import Settings, load_settings

WAIT_S = 90.0
ROWS = 300
WRITERS = 3
CHANGES_EACH = 120
RESTARTS = 5

MAPPING = """
source: maria
table: agency.nhan_khau
dataset: nhan-khau
owner: Công an tỉnh thử nghiệm
key: [id]
columns:
  id: {element: none, reason: số thứ tự nội bộ}
  so_cccd: {element: SoDinhDanh, type: text}
  ho_ten: {element: HoVaTen, type: text}
  ngay_sinh: {element: NgaySinh, form: day-first, type: text}
  gioi_tinh: {element: GioiTinh, type: text}
  dan_toc: {element: DanToc, type: text}
  quoc_tich: {element: QuocTich, type: text}
  ma_xa: {element: MaXaThuongTru, type: text}
  ma_tinh: {element: MaTinhThuongTru, type: text}
  dia_chi: {element: DiaChiThuongTru, type: text}
  dien_thoai: {element: SoDienThoai, type: text}
  hon_nhan: {element: TinhTrangHonNhan, type: text}
  cap_nhat_luc: {element: none, reason: thời điểm ghi của nguồn}
"""


@pytest.fixture(scope="module")
def server(require) -> Iterator[MariaDBServer]:
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    with running() as made:
        yield made


@pytest.fixture
def agency(server):
    with server.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE agency CHARACTER SET utf8mb4")
        names = ", ".join(f"{name} text" for name in citizens.COLUMNS if name != "id")
        cursor.execute(f"CREATE TABLE agency.nhan_khau (id bigint PRIMARY KEY, {names})")
        frame, _ = citizens.generate(ROWS, seed=11)
        rows = [[None if value is None else str(value) for value in row] for row in frame.rows()]
        marks = ", ".join(["%s"] * len(frame.columns))
        cursor.executemany(f"INSERT INTO agency.nhan_khau ({', '.join(frame.columns)}) VALUES ({marks})", rows)
        yield server
        cursor.execute("DROP DATABASE agency")


@pytest.fixture
def centre(agency: MariaDBServer, make_database: Callable[..., Any], tmp_path: Path) -> tuple[Settings, str]:
    database = make_database("centre")
    roles = {"writer": database.url, "reader": database.role("reader"), "gateway": database.role("gateway")}
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    path = tmp_path / "lienthong.toml"
    path.write_text(
        "".join(f"[centre.{name}]\nurl = {json.dumps(url)}\n" for name, url in roles.items())
        + f'[[source]]\nname = "maria"\nurl = {json.dumps(agency.url("agency"))}\nmappings = ["mapping.yaml"]\n',
        encoding="utf-8",
    )
    settings = load_settings(path, {})
    ready_centre(settings, read_knowledge(settings))
    return settings, database.url


class _Running:
    def __init__(self, settings: Settings) -> None:
        self.events: list[Any] = []
        self.work = LinkThread(
            settings=settings, knowledge=read_knowledge(settings), source=settings.sources[0],
            watch=lambda _, event: self.events.append(event),
        )  # fmt: skip
        self.thread = threading.Thread(target=self.work.run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.work.stop.set()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()
        assert self.work.failure is None, self.work.failure


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"did not happen within {WAIT_S} s")


def kept(url: str) -> dict[str, Any]:
    """Return the raw image of every record the centre keeps or holds back."""
    with psycopg.connect(url, autocommit=True) as connection:
        return dict(
            connection.execute(
                "SELECT _record_id, _image::text FROM dataset.nhan_khau"
                " UNION ALL SELECT record_id, image FROM lienthong.quarantine WHERE state = 'open'"
            ).fetchall()
        )


def at_agency(server: MariaDBServer) -> dict[str, dict[str, str | None]]:
    with server.connect("agency") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nhan_khau")
        names = [column[0] for column in cursor.description]
        return {
            f"maria/agency.nhan_khau/{row[0]}": {
                name: None if value is None else str(value) for name, value in zip(names, row, strict=True)
            }
            for row in cursor.fetchall()
        }


def equal(server: MariaDBServer, url: str) -> bool:
    return {record: json.loads(image) for record, image in kept(url).items()} == at_agency(server)


def write(server: MariaDBServer, number: int) -> None:
    """Insert, change, move and delete rows of one's own, in transactions of one to five."""
    chance = random.Random(number)
    mine: list[int] = []
    with server.connect("agency") as connection, connection.cursor() as cursor:
        for step in range(CHANGES_EACH):
            what = chance.random()
            if what < 0.5 or not mine:
                key = 10_000_000 * number + step
                cursor.execute(
                    "INSERT INTO nhan_khau (id, so_cccd, ho_ten, ngay_sinh, gioi_tinh, ma_xa, ma_tinh)"
                    " VALUES (%s, %s, %s, '05/03/1988', 'Nam', '00004', '01')",
                    [key, f"0010880{number}{step:04}", f"Nguyễn Văn {chr(65 + step % 26)}n"],
                )
                mine.append(key)
            elif what < 0.75:
                cursor.execute("UPDATE nhan_khau SET ho_ten = 'Trần Thị Bảy' WHERE id = %s", [chance.choice(mine)])
            elif what < 0.85:
                moved = mine.pop(chance.randrange(len(mine)))
                cursor.execute("UPDATE nhan_khau SET id = id + 1000 WHERE id = %s", [moved])
                mine.append(moved + 1_000)
            else:
                cursor.execute("DELETE FROM nhan_khau WHERE id = %s", [mine.pop()])
            if chance.random() < 0.4:
                connection.commit()
            elif chance.random() < 0.05:
                connection.rollback()
                cursor.execute("SELECT id FROM nhan_khau WHERE id DIV 10000000 = %s", [number])
                mine = [int(row[0]) for row in cursor.fetchall()]
        connection.commit()


def test_a_mariadb_agency_and_the_centre_are_equal_after_writers_and_restarts(agency, centre):
    settings, url = centre
    link = _Running(settings)
    until(lambda: any(isinstance(event, SnapshotFinished) for event in link.events))
    assert equal(agency, url)
    writers = [threading.Thread(target=write, args=(agency, number)) for number in range(1, WRITERS + 1)]
    for each in writers:
        each.start()
    for _ in range(RESTARTS):
        time.sleep(0.1)
        link.stop()
        link = _Running(settings)
    for each in writers:
        each.join(WAIT_S)
        assert not each.is_alive()
    until(lambda: equal(agency, url))
    link.stop()
    with psycopg.connect(url, autocommit=True) as connection:
        odd = connection.execute(
            "SELECT count(*) FROM lienthong.batch WHERE read <> applied + quarantined + superseded + filtered"
        ).fetchone()
        batches = connection.execute("SELECT count(*) FROM lienthong.batch WHERE NOT snapshot").fetchone()
    assert odd == (0,)
    assert batches is not None
    assert batches[0] > 0
