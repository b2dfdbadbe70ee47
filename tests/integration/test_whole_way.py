"""The whole way inside one process: what a change at the agency becomes at the centre, bad input included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from lienthong.centre.ports import LinkStatus
from lienthong.centre.reading import LookupOutcome
from lienthong.dictionary.model import DatasetId
from lienthong.pipeline.link import SnapshotFinished
from lienthong.sources.change import SourceId
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.running import LinkThread, LinkTrouble
from lienthong.wiring.services import Services, build_services, open_store, read_knowledge
from lienthong.wiring.settings import Settings, load_settings

CITIZENS = 60
WAIT_S = 60.0
MEGABYTES_10 = 10 * 1024 * 1024


@dataclass
class Way:
    """An agency, a centre and the link between them."""

    settings: Settings
    agency_url: str
    centre_url: str
    services: Services
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
        assert self.work is not None
        assert self.thread is not None
        self.work.stop.set()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive(), "a link that is asked to stop stops"

    def agency(self, statement: str, facts: list[object] | None = None) -> int:
        with psycopg.connect(self.agency_url, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement), facts)  # type: ignore[arg-type]
            row = cursor.fetchone() if cursor.description else None
            return int(row[0]) if row else 0

    def centre(self, statement: str, facts: list[object] | None = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.centre_url, autocommit=True) as connection:
            return connection.execute(sql.SQL(statement), facts).fetchall()  # type: ignore[arg-type]

    def citizen(self, **values: object) -> int:
        """Insert a citizen that is right but for the values given; return the agency's id."""
        row: dict[str, object] = {
            "so_cccd": "001088000123",
            "ho_ten": "Nguyễn Văn Thử",
            "ngay_sinh": "05/03/1988",
            "gioi_tinh": "Nam",
            "dan_toc": "01",
            "quoc_tich": "VN",
            "ma_xa": "00004",
            "ma_tinh": "01",
            "dia_chi": "Số 1, đường Thử",
            "dien_thoai": "0912345678",
            "hon_nhan": "1",
            **values,
        }
        names = sql.SQL(", ").join(sql.Identifier(name) for name in row)
        places = sql.SQL(", ").join(sql.Placeholder() for _ in row)
        with psycopg.connect(self.agency_url, autocommit=True) as connection:
            found = connection.execute(
                sql.SQL("INSERT INTO nhan_khau ({}) VALUES ({}) RETURNING id").format(names, places),
                list(row.values()),
            ).fetchone()
        assert found is not None
        return int(found[0])

    def record(self, number: int) -> dict[str, Any] | None:
        with psycopg.connect(self.centre_url, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(
                "SELECT * FROM dataset.nhan_khau WHERE _record_id = %s", [f"ca-mau/public.nhan_khau/{number}"]
            ).fetchone()

    def quarantined(self, number: int) -> tuple[list[str], dict[str, str | None]] | None:
        found = self.centre(
            "SELECT rules, image FROM lienthong.quarantine WHERE state = 'open' AND record_id = %s",
            [f"ca-mau/public.nhan_khau/{number}"],
        )
        return (found[0][0], json.loads(found[0][1])) if found else None

    def until(self, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        state = self.centre("SELECT phase, status, reason FROM lienthong.link")
        pytest.fail(f"did not happen within {WAIT_S} s; the link says {state}; last events {self.events[-3:]}")

    def troubles(self) -> list[str]:
        return [event.error.code for event in self.events if isinstance(event, LinkTrouble)]


@pytest.fixture
def way(make_database: Callable[..., Any], tmp_path: Path) -> Iterator[Way]:
    agency, centre = make_database("agency"), make_database("centre")
    source = agency.role("source", replication=True)
    reader, gateway = centre.role("reader"), centre.role("gateway")
    environment = {**os.environ, "LIENTHONG_AGENCY_URL": agency.url}
    for arguments in (
        ["load", "--citizens", str(CITIZENS), "--seed", "3", "--reader", agency.user_of(source)],
        ["mappings", "--to", str(tmp_path / "mappings")],
    ):
        subprocess.run(
            [sys.executable, "-m", "lienthong.testing.agency", *arguments],
            env=environment,
            check=True,
            capture_output=True,
        )
    path = tmp_path / "lienthong.toml"
    roles = "".join(
        f"[centre.{name}]\nurl = {json.dumps(url)}\n"
        for name, url in (("writer", centre.url), ("reader", reader), ("gateway", gateway))
    )
    slot = f"whole_way_{centre.name}"
    path.write_text(
        f'{roles}[[source]]\nname = "ca-mau"\nurl = {json.dumps(source)}\nslot = "{slot}"\n'
        'mappings = ["mappings/doanh_nghiep.yaml", "mappings/nhan_khau.yaml"]\n',
        encoding="utf-8",
    )
    settings = load_settings(path, {})
    ready_centre(settings, read_knowledge(settings))
    way = Way(settings=settings, agency_url=agency.url, centre_url=centre.url, services=build_services(settings))
    way.start()
    try:
        way.until(lambda: any(isinstance(event, SnapshotFinished) for event in way.events))
        yield way
    finally:
        way.stop()
        way.services.reader.close()
        way.services.access.close()  # type: ignore[attr-defined]


def test_inserts_updates_and_deletes_arrive_standardised_with_history(way: Way) -> None:
    number = way.citizen(ho_ten="  nguyễn   VĂN thử ", ngay_sinh="00/00/1988", gioi_tinh="Nam")
    record = way.until(lambda: way.record(number))
    assert (record["ho_va_ten"], record["ngay_sinh"], record["gioi_tinh"]) == ("Nguyễn Văn Thử", "1988", "1")
    way.agency("UPDATE nhan_khau SET gioi_tinh = 'Nữ' WHERE id = %s", [number])
    way.until(lambda: (way.record(number) or {}).get("gioi_tinh") == "2")
    way.agency("DELETE FROM nhan_khau WHERE id = %s", [number])
    way.until(lambda: way.record(number) is None)
    versions = way.centre(
        "SELECT gioi_tinh, _ended_by, _valid_from <= _valid_to FROM dataset.nhan_khau_history WHERE _record_id = %s"
        " ORDER BY _version",
        [f"ca-mau/public.nhan_khau/{number}"],
    )
    assert versions == [("1", "UPDATE", True), ("2", "CANCEL", True)]


def test_decomposed_text_is_composed_and_the_raw_image_keeps_it_as_it_came(way: Way) -> None:
    raw = unicodedata.normalize("NFD", "Nguyễn Thị Ánh")
    number = way.citizen(ho_ten=raw)
    record = way.until(lambda: way.record(number))
    assert record["ho_va_ten"] == unicodedata.normalize("NFC", raw)
    assert record["_image"]["ho_ten"] == raw


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"ho_ten": None}, "CP01:ho_va_ten"),
        ({"so_cccd": "12345"}, "CL02:so_dinh_danh"),
        ({"ngay_sinh": "31/02/1990"}, "CL01:ngay_sinh"),
        ({"ho_ten": "Tên\x07Chuông"}, "CL01:ho_va_ten"),
        ({"dia_chi": "x" * MEGABYTES_10}, "CL07"),
    ],
    ids=["missing", "short number", "impossible day", "control character", "ten megabytes"],
)
def test_a_bad_record_waits_in_quarantine_with_its_raw_values_and_the_others_go_on(
    way: Way, values: dict[str, object], rule: str
) -> None:
    bad = way.citizen(**values)
    good = way.citizen(so_cccd="001088000124")
    way.until(lambda: way.record(good))
    reasons, image = way.until(lambda: way.quarantined(bad))
    assert any(reason.startswith(rule) for reason in reasons), reasons
    for column, value in values.items():
        assert image[column] == value
    assert way.record(bad) is None


def test_a_number_too_large_for_its_column_is_refused_and_kept_raw(way: Way) -> None:
    with psycopg.connect(way.agency_url, autocommit=True) as agency:
        row = agency.execute(
            "INSERT INTO doanh_nghiep (ma_so, ten, dia_chi, von_dieu_le, ngay_cap, loai_hinh) VALUES"
            " ('0100109106', 'CÔNG TY QUÁ LỚN', 'Hà Nội', %s, '40000', 'Công ty cổ phần') RETURNING id",
            ["9" * 40],
        ).fetchone()
    assert row is not None
    found = way.until(
        lambda: way.centre(
            "SELECT von_dieu_le, _image->>'von_dieu_le' FROM dataset.doanh_nghiep WHERE _record_id = %s",
            [f"ca-mau/public.doanh_nghiep/{row[0]}"],
        )
    )
    assert found == [(None, "9" * 40)]


def test_a_corrected_record_leaves_quarantine_and_a_spoilt_one_keeps_its_last_good_version(way: Way) -> None:
    number = way.citizen(so_cccd="1")
    way.until(lambda: way.quarantined(number))
    way.agency("UPDATE nhan_khau SET so_cccd = '001088000125' WHERE id = %s", [number])
    way.until(lambda: way.record(number))
    assert way.quarantined(number) is None
    way.agency("UPDATE nhan_khau SET so_cccd = 'hỏng' WHERE id = %s", [number])
    way.until(lambda: way.quarantined(number))
    record = way.record(number)
    assert record is not None
    assert record["so_dinh_danh"] == "001088000125"


def test_a_lookup_says_found_disputed_incomplete_cancelled_or_not_found(way: Way) -> None:
    reader, dataset = way.services.reader, DatasetId("nhan-khau")

    def outcome(number: str) -> LookupOutcome:
        return reader.lookup(dataset, [number]).outcome

    first = way.citizen(so_cccd="001088000126")
    way.until(lambda: outcome("001088000126") is LookupOutcome.FOUND)
    second = way.citizen(so_cccd="001088000126", ho_ten="Người Khác")
    way.until(lambda: outcome("001088000126") is LookupOutcome.DISPUTED)
    way.agency("DELETE FROM nhan_khau WHERE id = %s", [second])
    way.until(lambda: outcome("001088000126") is LookupOutcome.FOUND)
    way.agency("DELETE FROM nhan_khau WHERE id = %s", [first])
    way.until(lambda: outcome("001088000126") is LookupOutcome.CANCELLED)
    way.citizen(so_cccd="001088000127", ho_ten=None)
    way.until(lambda: outcome("001088000127") is LookupOutcome.INCOMPLETE)
    assert outcome("001088999999") is LookupOutcome.NOT_FOUND


def test_a_large_value_that_is_not_sent_again_is_kept(way: Way) -> None:
    large = os.urandom(6_000).hex()
    number = way.citizen(dia_chi=large)
    way.until(lambda: way.record(number))
    way.agency("UPDATE nhan_khau SET hon_nhan = '2' WHERE id = %s", [number])
    way.until(lambda: (way.record(number) or {}).get("tinh_trang_hon_nhan") == "2")
    way.agency("UPDATE nhan_khau SET id = id + 5000000 WHERE id = %s", [number])
    moved = way.until(lambda: way.record(number + 5_000_000))
    assert moved["dia_chi_thuong_tru"] == large
    assert way.record(number) is None


def test_a_truncated_table_is_cancelled_not_forgotten(way: Way) -> None:
    way.agency("TRUNCATE nhan_khau")
    way.until(lambda: not way.centre("SELECT 1 FROM dataset.nhan_khau LIMIT 1"))
    assert way.centre("SELECT count(*) FROM dataset.nhan_khau_history WHERE _ended_by = 'CANCEL'")[0][0] > 0
    assert way.centre("SELECT count(*) FROM lienthong.quarantine WHERE state = 'open' AND dataset = 'nhan-khau'") == [
        (0,)
    ]


def test_a_mapped_column_that_goes_stops_the_link_with_a_reason_and_loses_nothing(way: Way) -> None:
    before = way.citizen(so_cccd="001088000128")
    way.until(lambda: way.record(before))
    way.agency("ALTER TABLE nhan_khau DROP COLUMN hon_nhan")
    with psycopg.connect(way.agency_url, autocommit=True) as agency:
        agency.execute("UPDATE nhan_khau SET dia_chi = 'Số 2' WHERE id = %s", [before])
    link = way.until(lambda: [each for each in way.services.reader.links() if each.status is not LinkStatus.HEALTHY])[
        0
    ]
    assert link.status is LinkStatus.WAITING_FOR_DECISION
    assert link.reason is not None
    assert "hon_nhan" in link.reason
    assert link.next_action
    record = way.record(before)
    assert record is not None
    assert record["dia_chi_thuong_tru"] == "Số 1, đường Thử"


def test_a_link_that_was_stopped_goes_on_where_it_was(way: Way) -> None:
    way.stop()
    number = way.citizen(so_cccd="001088000129")
    way.start()
    assert way.until(lambda: way.record(number))["so_dinh_danh"] == "001088000129"
    assert sum(isinstance(event, SnapshotFinished) for event in way.events) == 1, "going on takes no new snapshot"


def test_a_broken_connection_is_made_again_by_itself(way: Way, superuser_url: str) -> None:
    def cut() -> bool:
        with psycopg.connect(superuser_url, autocommit=True) as superuser:
            return superuser.execute(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s",
                [way.settings.sources[0].slot],
            ).fetchone() == (True,)

    way.until(cut)
    number = way.citizen(so_cccd="001088000130")
    assert way.until(lambda: way.record(number))["so_dinh_danh"] == "001088000130"
    assert way.troubles(), "the broken connection is said"


def test_a_link_that_is_asked_takes_a_new_snapshot_and_cancels_what_it_does_not_see(way: Way) -> None:
    number = way.citizen(so_cccd="001088000131")
    way.until(lambda: way.record(number))
    way.stop()
    store = open_store(way.settings, read_knowledge(way.settings))
    try:
        assert store.ask_snapshot(SourceId("ca-mau"))
        assert not store.ask_snapshot(SourceId("nobody"))
    finally:
        store.close()
    with psycopg.connect(way.agency_url, autocommit=True) as agency:
        agency.execute("DELETE FROM nhan_khau WHERE id = %s", [number])
    way.start()
    way.until(lambda: sum(isinstance(event, SnapshotFinished) for event in way.events) == 2)
    assert way.record(number) is None
    ended = way.centre(
        "SELECT _ended_by FROM dataset.nhan_khau_history WHERE _record_id = %s", [f"ca-mau/public.nhan_khau/{number}"]
    )
    assert ended == [("CANCEL",)]


def test_a_centre_that_is_away_is_waited_for_and_nothing_is_lost(way: Way, superuser_url: str) -> None:
    centre = psycopg.conninfo.conninfo_to_dict(way.centre_url)["dbname"]

    def allow(connections: bool) -> None:
        with psycopg.connect(superuser_url, autocommit=True) as superuser:
            superuser.execute(
                sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(
                    sql.Identifier(str(centre)), sql.Literal(connections)
                )
            )
            if not connections:
                superuser.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [centre]
                )

    allow(connections=False)
    number = way.citizen(so_cccd="001088000132")
    way.until(lambda: [code for code in way.troubles() if code.startswith("CEN")])
    allow(connections=True)
    assert way.until(lambda: way.record(number))["so_dinh_danh"] == "001088000132"


def test_a_fault_of_the_product_is_said_without_values_and_stops_the_link(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("Nguyễn Văn Bí Mật")

    monkeypatch.setattr("lienthong.pipeline.transfer.wrap", fail)
    way.citizen(so_cccd="001088000133")
    trouble = way.until(lambda: [event for event in way.events if isinstance(event, LinkTrouble)])[0]
    assert trouble.error.code == "SRC-099"
    assert trouble.retry_in_s is None
    assert "Bí Mật" not in str(trouble.error)
    link = way.until(lambda: [each for each in way.services.reader.links() if each.status is LinkStatus.BROKEN])[0]
    assert link.reason is not None
    assert "Bí Mật" not in link.reason
    assert way.work is not None
    assert way.work.failure is not None
