"""``lienthong measure`` on a real centre, and the thread that measures beside the links."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from lienthong.centre.measuring import Extent
from lienthong.cli.main import app
from lienthong.clock import SystemClock
from lienthong.dictionary.model import DatasetId
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.measuring import MeasuringThread, measure
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import load_settings

DATASET = "nhan-khau"


@pytest.fixture
def settings(make_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = make_database("centre")
    reader, gateway = database.role("reader"), database.role("gateway")
    path = tmp_path / "lienthong.toml"
    path.write_text(
        f'[centre.writer]\nurl = "{database.url}"\n[centre.reader]\nurl = "{reader}"\n'
        f'[centre.gateway]\nurl = "{gateway}"\n'
    )
    monkeypatch.setenv("LIENTHONG_CONFIG", str(path))
    found = load_settings(path, {})
    ready_centre(found, read_knowledge(found))
    return found


def person(url, record, name):
    values = {
        "_record_id": record, "_event": "NEW", "_epoch": 1, "_version": 1, "_number": 0, "_source": "s", "_table": "t",
        "_image": "{}", "_judgement": "p", "_rule_set": 1, "_dictionary": "1", "_batch": 1,
        "_source_time": "2026-11-01", "_valid_from": "2026-11-01", "_applied_at": "2026-11-01",
        "so_dinh_danh": "001088000123", "ho_va_ten": name, "ngay_sinh": "1988-03-05", "gioi_tinh": "1",
        "ma_xa_thuong_tru": "00004",
    }  # fmt: skip
    with psycopg.connect(url) as connection:
        columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values))
        marks = psycopg.sql.SQL(", ").join(psycopg.sql.Placeholder() * len(values))
        connection.execute(
            psycopg.sql.SQL("INSERT INTO dataset.nhan_khau ({}) VALUES ({})").format(columns, marks),
            list(values.values()),
        )
        connection.execute("UPDATE lienthong.dataset_state SET rows = rows + 1 WHERE dataset = 'nhan-khau'")


def run(*arguments):
    result = CliRunner().invoke(app, ["measure", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_the_exit_code_says_whether_records_failed(settings):
    person(settings.centre.url, "a", "Nguyễn Văn Ánh")
    code, told = run(DATASET)
    assert (code, told["measurements"][0]["result_state"]) == (0, "partial")
    person(settings.centre.url, "b", "NGUYEN VAN ANH")
    code, told = run(DATASET, "--whole")
    assert (code, told["measurements"][0]["result_state"], told["measurements"][0]["opened"]) == (3, "found", 2)


def test_how_the_newest_run_ended_is_told_without_measuring(settings):
    person(settings.centre.url, "a", "Nguyễn Văn Ánh")
    run(DATASET)
    code, told = run(DATASET, "--last")
    assert code == 0
    rules = {each["rule"]: each for each in told["measurements"][0]["rules"]}
    assert rules["CL24:ho_va_ten"]["passed"] == 1
    assert rules["UN20:so_dinh_danh"]["error"] == "CEN-107"
    with psycopg.connect(settings.centre.url) as connection:
        assert connection.execute("SELECT count(*) FROM lienthong.measurement").fetchone() == (1,)


def test_a_dataset_that_was_never_measured_says_so(settings):
    result = CliRunner().invoke(app, ["measure", DATASET, "--last"])
    assert result.exit_code == 1
    assert "no run yet" in result.stdout


def test_a_void_run_is_refused_by_the_exit_code(settings):
    person(settings.centre.url, "a", "Nguyễn Văn Ánh")
    with psycopg.connect(settings.centre.url) as connection:
        connection.execute("UPDATE lienthong.dataset_state SET rows = 9 WHERE dataset = 'nhan-khau'")
    code, told = run(DATASET)
    assert (code, told["measurements"][0]["error"]) == (1, "CEN-103")


def test_an_unknown_dataset_is_refused_by_name(settings):
    code, told = run("nhan-khau-khac")
    assert (code, told["error"]["code"][:3]) == (1, "DIC")


def test_a_dataset_that_cannot_be_measured_costs_no_other(settings):
    person(settings.centre.url, "a", "Nguyễn Văn Ánh")
    knowledge = read_knowledge(settings)
    with psycopg.connect(settings.centre.url, autocommit=True) as connection:
        connection.execute("DROP TABLE dataset.doanh_nghiep CASCADE")
    names = [DatasetId("doanh-nghiep"), DatasetId(DATASET)]
    broken, sound = measure(settings, knowledge, names, extent=Extent.CHANGED)
    assert broken.run is None
    assert broken.error is not None
    assert sound.run is not None


def test_the_thread_measures_what_sources_fill_and_stops_when_asked(settings, monkeypatch):
    person(settings.centre.url, "a", "Nguyễn Văn Ánh")
    knowledge = read_knowledge(settings)
    monkeypatch.setattr("lienthong.wiring.measuring.measured_datasets", lambda _: (DatasetId(DATASET),))
    seen, told = [], threading.Event()

    def watch(result):
        seen.append(result)
        told.set()

    work = MeasuringThread(settings=settings, knowledge=knowledge, watch=watch)
    thread = threading.Thread(target=work.run, daemon=True)
    thread.start()
    assert told.wait(60)
    work.stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert [(each.dataset, each.run.rows_present) for each in seen] == [(DATASET, 1)]


def test_the_thread_goes_on_after_a_run_that_failed(settings, monkeypatch):
    knowledge = read_knowledge(settings)
    times = []

    def failing(*_, **__):
        times.append(1)
        raise RuntimeError("001088000123")

    class Ahead(SystemClock):
        def now(self):
            return super().now() + timedelta(hours=len(times))

    monkeypatch.setattr("lienthong.wiring.measuring.measure", failing)
    seen, twice = [], threading.Event()

    def watch(result):
        seen.append(result)
        if len(seen) == 2:
            twice.set()

    work = MeasuringThread(settings=settings, knowledge=knowledge, watch=watch, clock=Ahead())
    thread = threading.Thread(target=work.run, daemon=True)
    thread.start()
    assert twice.wait(60)
    work.stop.set()
    thread.join(60)
    assert {each.error.code for each in seen} == {"CEN-106"}
    assert "001088000123" not in str(seen[0].error)
