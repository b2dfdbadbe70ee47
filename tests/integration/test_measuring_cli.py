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
from lienthong.wiring.measuring import SCORES, MeasuringThread, measure
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import load_settings

DATASET = "nhan-khau"
DEMO_MAPPINGS = Path(__file__).parents[2] / "src/lienthong/testing/agency/mappings"


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
    monkeypatch.setattr("lienthong.wiring.measuring.measured_datasets", lambda _: (DatasetId(DATASET),))
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


@pytest.fixture
def linked(settings):
    """Give the settings one link that fills both datasets."""
    mappings = ", ".join(f'"{path}"' for path in sorted(DEMO_MAPPINGS.glob("*.yaml")))
    with settings.path.open("a") as text:
        text.write(f'[[source]]\nname = "ca-mau"\nurl = "postgresql://127.0.0.1:1/agency"\nmappings = [{mappings}]\n')
    return load_settings(settings.path, {})


def follow(settings, *, link_phase, until):
    """Run the thread until enough is kept, with a link whose snapshot stands as said."""
    with psycopg.connect(settings.centre.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO lienthong.link (source, phase, position, status, heartbeat_at)"
            " VALUES ('ca-mau', %s, 1, 'healthy', now())",
            [link_phase],
        )
    seen: list = []
    work = MeasuringThread(settings=settings, knowledge=read_knowledge(settings), watch=seen.append)
    thread = threading.Thread(target=work.run, daemon=True)
    thread.start()
    try:
        assert until(), [each.error for each in seen]
    finally:
        work.stop.set()
        thread.join(60)
    return seen


def kept(settings):
    with psycopg.connect(settings.centre.url) as connection:
        return connection.execute(
            "SELECT dataset, criterion, baseline FROM lienthong.score_history ORDER BY 1, 2"
        ).fetchall()


def soon(condition, *, attempts=600):
    pause = threading.Event()
    return lambda: any(condition() or pause.wait(0.1) for _ in range(attempts))


def test_a_running_installation_keeps_its_first_score_as_the_baseline(linked):
    person(linked.centre.url, "a", "Nguyễn Văn Ánh")
    follow(linked, link_phase="stream", until=soon(lambda: kept(linked)))
    found = kept(linked)
    assert {dataset for dataset, _, _ in found} == {"doanh-nghiep", DATASET}
    assert len(found) == 2 * 7  # the index and the six words
    assert all(baseline for _, _, baseline in found)


def test_half_a_register_is_neither_measured_nor_kept_as_a_baseline(linked, monkeypatch):
    person(linked.centre.url, "a", "Nguyễn Văn Ánh")
    monkeypatch.setattr("lienthong.wiring.measuring.SETTLE_S", 0.05)
    looked = []
    whole = MeasuringThread._in_snapshot

    def looking(work):
        looked.append(1)
        if len(looked) == 3:
            assert kept(linked) == []
            with psycopg.connect(linked.centre.url, autocommit=True) as connection:
                connection.execute("UPDATE lienthong.link SET phase = 'stream'")
        return whole(work)

    monkeypatch.setattr(MeasuringThread, "_in_snapshot", looking)
    seen = follow(linked, link_phase="snapshot", until=soon(lambda: kept(linked)))
    assert len(looked) == 3
    assert len(kept(linked)) == 2 * 7
    assert {each.dataset for each in seen} == {"doanh-nghiep", DATASET}


def test_scores_that_cannot_be_kept_are_said_and_stop_nothing(linked):
    person(linked.centre.url, "a", "Nguyễn Văn Ánh")
    with psycopg.connect(linked.centre.url, autocommit=True) as connection:
        connection.execute("DROP TABLE lienthong.score_history CASCADE")
    seen: list = []
    work = MeasuringThread(settings=linked, knowledge=read_knowledge(linked), watch=seen.append)
    work._measure(frozenset({DatasetId(DATASET)}), Extent.CHANGED, first=True)
    work._measure(frozenset({DatasetId(DATASET)}), Extent.CHANGED, first=False)
    assert [(each.dataset, each.error is None) for each in seen] == [(DATASET, True), (SCORES, False)] * 2
