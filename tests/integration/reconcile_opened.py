"""An agency's table, a centre and the link between them, opened to be compared; the same for both kinds of database."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from lienthong.centre.reconciling import Reconciliation
from lienthong.pipeline.link import SnapshotFinished
from lienthong.testing import citizens
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.reconciling import LinkReconciled, reconcile
from lienthong.wiring.running import LinkThread
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import Settings, load_settings

WAIT_S = 30.0
ROWS = 200
NAMES = ("so_cccd", "ho_ten", "ngay_sinh", "gioi_tinh", "ma_xa", "ma_tinh")
MAPPING = """
source: agency
table: {schema}.nhan_khau
dataset: nhan-khau
owner: Công an tỉnh thử nghiệm
key: [id]
columns:
  id: {{element: none, reason: số thứ tự nội bộ}}
  so_cccd: {{element: SoDinhDanh, type: text}}
  ho_ten: {{element: HoVaTen, type: text}}
  ngay_sinh: {{element: NgaySinh, form: day-first, type: text}}
  gioi_tinh: {{element: GioiTinh, type: text}}
  dan_toc: {{element: DanToc, type: text}}
  quoc_tich: {{element: QuocTich, type: text}}
  ma_xa: {{element: MaXaThuongTru, type: text}}
  ma_tinh: {{element: MaTinhThuongTru, type: text}}
  dia_chi: {{element: DiaChiThuongTru, type: text}}
  dien_thoai: {{element: SoDienThoai, type: text}}
  hon_nhan: {{element: TinhTrangHonNhan, type: text}}
  cap_nhat_luc: {{element: none, reason: thời điểm ghi của nguồn}}
"""


@dataclass
class Pair:
    """A source and a centre with a link; writers use the driver's own connections."""

    settings: Settings
    connect: Callable[[], Any]
    centre_url: str
    schema: str
    events: list[Any] = field(default_factory=list)
    work: LinkThread | None = None
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.work = LinkThread(
            settings=self.settings,
            knowledge=read_knowledge(self.settings),
            source=self.settings.sources[0],
            watch=lambda _, event: self.events.append(event),
        )
        self.thread = threading.Thread(target=self.work.run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        if self.work is None:
            return
        assert self.thread is not None
        self.work.stop.set()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()
        self.work = None

    def agency(self, statement: str, *facts: object) -> None:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, list(facts))
            connection.commit()
        finally:
            connection.close()

    def centre(self, statement: str, *facts: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.centre_url, autocommit=True) as connection:
            cursor = connection.execute(statement, facts)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def record(self, number: int) -> str:
        return f"agency/{self.schema}.nhan_khau/{number}"

    def until(self, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.02)
        pytest.fail(f"did not happen within {WAIT_S} s; last events {self.events[-3:]}")

    def kept(self, number: int) -> bool:
        return bool(self.centre("SELECT 1 FROM dataset.nhan_khau WHERE _record_id = %s", self.record(number)))

    def held(self, number: int) -> bool:
        question = "SELECT 1 FROM lienthong.quarantine WHERE state = 'open' AND record_id = %s"
        return bool(self.centre(question, self.record(number)))

    def reconciled(self, **options: Any) -> LinkReconciled:
        (found,) = reconcile(self.settings, read_knowledge(self.settings), **options)
        return found

    def compared(self, **options: Any) -> Reconciliation:
        found = self.reconciled(**options)
        assert found.error is None, found.error
        return found.results[-1]

    def citizen(self, number: int, **values: object) -> None:
        row = {
            "so_cccd": "001088000123", "ho_ten": "Nguyễn Văn Thử", "ngay_sinh": "05/03/1988", "gioi_tinh": "Nam",
            "ma_xa": "00004", "ma_tinh": "01",
        } | values  # fmt: skip
        names, marks = ", ".join(["id", *row]), ", ".join(["%s"] * (len(row) + 1))
        self.agency(f"INSERT INTO nhan_khau ({names}) VALUES ({marks})", number, *row.values())


def fill(connection: Any) -> None:
    """Make the agency's table and put generated citizens into it, some with defects."""
    names = ", ".join(f"{name} text" for name in citizens.COLUMNS if name != "id")
    frame, _ = citizens.generate(ROWS, seed=11, defect_share=0.1)
    rows = [[None if value is None else str(value) for value in row] for row in frame.rows()]
    marks = ", ".join(["%s"] * len(frame.columns))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE nhan_khau (id bigint PRIMARY KEY, {names})")
        cursor.executemany(f"INSERT INTO nhan_khau ({', '.join(frame.columns)}) VALUES ({marks})", rows)
    connection.commit()


def open_pair(
    folder: Path, *, centre: Any, source_url: str, connect: Callable[[], Any], schema: str, extra: str = ""
) -> Pair:
    """Prepare the centre and start the link; returns when its snapshot is complete."""
    roles = {"writer": centre.url, "reader": centre.role("reader"), "gateway": centre.role("gateway")}
    (folder / "mapping.yaml").write_text(MAPPING.format(schema=schema), encoding="utf-8")
    path = folder / "lienthong.toml"
    path.write_text(
        "[reconciling]\nwait_minutes = 1\n"
        + "".join(f"[centre.{name}]\nurl = {json.dumps(url)}\n" for name, url in roles.items())
        + f'[[source]]\nname = "agency"\nurl = {json.dumps(source_url)}\nmappings = ["mapping.yaml"]\n{extra}',
        encoding="utf-8",
    )
    settings = load_settings(path, {})
    ready_centre(settings, read_knowledge(settings))
    pair = Pair(settings=settings, connect=connect, centre_url=centre.url, schema=schema)
    pair.start()
    pair.until(lambda: any(isinstance(event, SnapshotFinished) for event in pair.events))
    return pair


@dataclass
class Writers:
    """Clients that insert, change, move and delete rows of their own until told to stop, some rows too bad to keep."""

    connect: Callable[[], Any]
    seed: int
    count: int = 3
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    commits: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Self:
        for number in range(1, self.count + 1):
            thread = threading.Thread(target=self._guarded, args=(number,), daemon=True)
            self.threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()
        assert not self.failures, self.failures

    def _guarded(self, number: int) -> None:
        connection = self.connect()
        try:
            self._write(connection, number)
        except Exception as error:  # noqa: BLE001 - shown by the test that waits
            self.failures.append(error)
        finally:
            connection.close()

    def _write(self, connection: Any, number: int) -> None:
        chance = random.Random(self.seed * 100 + number)
        mine: list[int] = []
        step = 0
        with connection.cursor() as cursor:
            while not self.stopping.is_set():
                step += 1
                self._one(cursor, chance, mine, 10_000_000 * number + step)
                if chance.random() < 0.5:
                    connection.commit()
                    self.commits += 1
                    time.sleep(0.002)
            connection.commit()

    def _one(self, cursor: Any, chance: random.Random, mine: list[int], key: int) -> None:
        what = chance.random()
        if what < 0.4 or not mine:
            bad = chance.random() < 0.3
            cursor.execute(
                "INSERT INTO nhan_khau (id, so_cccd, ho_ten, ngay_sinh, gioi_tinh, ma_xa, ma_tinh)"
                " VALUES (%s, %s, %s, '05/03/1988', 'Nam', '00004', '01')",
                [
                    key,
                    "bad" if bad else f"0010880{key % 100_000:05}",
                    None if bad else f"Trần Văn {chr(65 + key % 26)}",
                ],
            )
            mine.append(key)
        elif what < 0.65:
            name = None if chance.random() < 0.2 else f"Lê Thị {key}"
            cursor.execute("UPDATE nhan_khau SET ho_ten = %s WHERE id = %s", [name, chance.choice(mine)])
        elif what < 0.75:
            moved = mine.pop(chance.randrange(len(mine)))
            if moved % 10_000_000 < 5_000_000:
                cursor.execute("UPDATE nhan_khau SET id = id + 5000000 WHERE id = %s", [moved])
                moved += 5_000_000
            mine.append(moved)
        else:
            cursor.execute("DELETE FROM nhan_khau WHERE id = %s", [mine.pop(chance.randrange(len(mine)))])
