"""Source and centre are equal at a position: PostgreSQL."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from reconcile_opened import ROWS, Pair, Writers, fill, open_pair
from typer.testing import CliRunner

from lienthong.adapters.postgres import reconciling, source
from lienthong.centre.reconciling_refusals import (
    LinkBehind,
    LinkNotStreaming,
    ReconciliationInterrupted,
    TooManyToRepair,
)
from lienthong.cli.main import app
from lienthong.clock import FixedClock
from lienthong.pipeline import reconcile
from lienthong.sources.events import Event, Update
from lienthong.wiring import reconciling as wired
from lienthong.wiring.reconciling import open_reconciliations
from lienthong.wiring.services import read_knowledge

ROUNDS = 4


@pytest.fixture
def pair(make_database: Callable[..., Any], tmp_path: Path) -> Iterator[Pair]:
    agency, centre = make_database("agency"), make_database("centre")

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(agency.url)

    source = agency.role("source", replication=True)
    with connect() as connection:
        fill(connection)
        connection.execute(f"GRANT SELECT ON nhan_khau TO {agency.user_of(source)}")
        connection.execute("CREATE PUBLICATION lienthong FOR TABLE nhan_khau")
    made = open_pair(
        tmp_path, centre=centre, source_url=source, connect=connect, schema="public",
        extra=f'slot = "reconcile_{centre.name}"\n',
    )  # fmt: skip
    try:
        yield made
    finally:
        made.stop()


def test_a_quiet_source_and_its_centre_are_equal_with_every_row_counted_held_ones_too(pair: Pair) -> None:
    result = pair.compared()
    assert (result.equal, result.rows_source, result.rows_centre, result.count) == (True, ROWS, ROWS, 0)
    assert result.digest_source == result.digest_centre
    assert pair.centre("SELECT count(*) FROM lienthong.quarantine WHERE state = 'open'") > [(0,)]


def test_source_and_centre_are_equal_at_a_position_while_several_writers_go_on(pair: Pair) -> None:
    with Writers(pair.connect, seed=5) as writers:
        for _ in range(ROUNDS):
            before = writers.commits
            result = pair.compared()
            assert result.equal, result
            assert writers.commits > before, "somebody wrote meanwhile"
    assert pair.compared().equal


# -- what is planted is found, and put right when that is asked for ----------------------------------------------


def plant(pair: Pair, what: str) -> None:
    one = f"_record_id = '{pair.record(901)}'"
    if what == "lost at the centre":
        pair.centre(f"DELETE FROM dataset.nhan_khau WHERE {one}")
    elif what == "lost from quarantine":
        pair.centre(f"UPDATE lienthong.quarantine SET state = 'gone', closed_batch = opened_batch, closed_at = now()"
                    f" WHERE record_id = '{pair.record(902)}'")  # fmt: skip
    elif what == "altered":
        altered = "(replace(_image::text, 'Nguyễn Văn Thử', 'Nguyễn Văn Thừ'))::json"
        pair.centre(f"UPDATE dataset.nhan_khau SET _image = {altered} WHERE {one}")
    elif what == "altered to something else":
        pair.centre(f"UPDATE dataset.nhan_khau SET _image = '[1]' WHERE {one}")
    else:
        names = [row[0] for row in pair.centre(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'nhan_khau'"
            " AND table_schema = 'dataset' AND column_name <> '_record_id'"
        )]  # fmt: skip
        columns = ", ".join(names)
        pair.centre(f"INSERT INTO dataset.nhan_khau (_record_id, {columns})"
                    f" SELECT '{pair.record(999)}', {columns} FROM dataset.nhan_khau WHERE {one}")  # fmt: skip


PLANTED = {
    "lost at the centre": ("missing", 901),
    "lost from quarantine": ("missing", 902),
    "altered": ("differing", 901),
    "altered to something else": ("differing", 901),
    "surplus": ("surplus", 999),
}


def with_two(pair: Pair) -> None:
    """Add a citizen that is kept and one that is held."""
    pair.citizen(901)
    pair.citizen(902, ho_ten=None)
    pair.until(lambda: pair.kept(901) and pair.held(902))


def test_every_planted_difference_is_found_named_by_side_and_put_right(pair: Pair) -> None:
    with_two(pair)
    for what, (kind, number) in PLANTED.items():
        plant(pair, what)
        found = pair.compared()
        assert (what, found.equal, found.count, found.buckets_differing) == (what, False, 1, 1)
        assert [(each.record_id, each.kind.value) for each in found.differences] == [(pair.record(number), kind)]
        assert found.digest_source != found.digest_centre
        repaired = pair.reconciled(repair=True)
        assert repaired.error is None, repaired.error
        assert [each.equal for each in (*repaired.before, *repaired.results)] == [False, True], what
    assert pair.compared().equal, "a repair stays"


def test_a_repair_is_a_version_of_its_own_and_history_keeps_what_was_wrong(pair: Pair) -> None:
    with_two(pair)
    plant(pair, "altered")
    assert pair.reconciled(repair=True).equal
    versions = pair.centre(
        "SELECT _ended_by, _image::text LIKE '%%Thừ%%' FROM dataset.nhan_khau_history WHERE _record_id = %s",
        pair.record(901),
    )
    assert versions == [("UPDATE", True)]
    pair.agency("UPDATE nhan_khau SET ho_ten = 'Trần Văn Sau' WHERE id = 901")
    pair.until(lambda: pair.centre("SELECT 1 FROM dataset.nhan_khau WHERE ho_va_ten = 'Trần Văn Sau'"))
    assert pair.compared().equal


def test_repairing_while_writers_go_on_ends_equal(pair: Pair) -> None:
    with_two(pair)
    with Writers(pair.connect, seed=9):
        pair.centre("DELETE FROM dataset.nhan_khau WHERE _record_id LIKE %s", pair.record(1) + "%")
        repaired = pair.reconciled(repair=True)
        assert repaired.before[-1].missing > 0
        assert repaired.equal, repaired
    assert pair.compared().equal


def test_a_result_names_no_key_and_is_kept_for_ever(pair: Pair) -> None:
    pair.citizen(123456789012)
    pair.until(lambda: pair.kept(123456789012))
    pair.centre("DELETE FROM dataset.nhan_khau WHERE _record_id = %s", pair.record(123456789012))
    result = pair.compared()
    shown = pair.centre("SELECT kind, record FROM lienthong.reconciliation_difference")
    assert shown == [("missing", "agency/public.nhan_khau/123•••••••12")]
    for statement in ("UPDATE lienthong.reconciliation SET equal = true", "DELETE FROM lienthong.reconciliation"):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            pair.centre(statement)
    (newest,) = open_reconciliations(pair.settings).newest()
    assert (newest.number, newest.equal, newest.position) == (result.number, False, result.position)


def test_a_change_that_the_reader_missed_is_found(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(source.Assembly):
        def take(self, event: Event, size: int) -> None:
            if not (isinstance(event, Update) and event.new[0] == b"901"):
                super().take(event, size)

    with_two(pair)
    pair.stop()
    monkeypatch.setattr(source, "Assembly", Forgetful)
    pair.start()
    pair.agency("UPDATE nhan_khau SET ho_ten = 'Trần Văn Sau' WHERE id = 901")
    found = pair.compared()
    assert [(each.record_id, each.kind.value) for each in found.differences] == [(pair.record(901), "differing")]
    assert pair.reconciled(repair=True).equal


# -- the position is what makes it right ---------------------------------------------------------------------------


def changed_while_compared(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything change and arrive at the centre between the reading of the source and that of the centre."""
    inner = reconcile.Reconciler._wait_until_passed

    def changed(self: Any, moment: Any) -> None:
        pair.agency("UPDATE nhan_khau SET ho_ten = 'Trần Văn Sau' WHERE id = 901")
        pair.agency("UPDATE nhan_khau SET ho_ten = 'Trần Văn Sau' WHERE id = 902")
        pair.agency("DELETE FROM nhan_khau WHERE id = 903")
        pair.agency("DELETE FROM nhan_khau WHERE id = 904")
        pair.citizen(905)
        pair.citizen(906, ho_ten=None)
        pair.until(lambda: pair.held(906) and not pair.held(904))
        inner(self, moment)

    with_two(pair)
    pair.citizen(903)
    pair.citizen(904, ho_ten=None)
    pair.until(lambda: pair.kept(903) and pair.held(904))
    monkeypatch.setattr(reconcile.Reconciler, "_wait_until_passed", changed)


def test_what_was_written_after_the_position_changes_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    changed_while_compared(pair, monkeypatch)
    result = pair.compared()
    assert result.equal, result


def test_the_mutant_that_compares_with_the_centre_as_it_is_now_reports_differences_that_are_none(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_while_compared(pair, monkeypatch)
    monkeypatch.setattr(reconciling, "_ROWS", NOW)
    result = pair.compared()
    assert not result.equal
    assert (result.missing, result.surplus, result.differing) == (2, 2, 2)


NOW = """
COPY (SELECT t._record_id, t._image::text, false FROM {current} t WHERE t._source = {source} AND t._table = {table}
    AND NOT EXISTS (SELECT FROM lienthong.quarantine q WHERE q.record_id = t._record_id AND q.state = 'open')
    UNION ALL SELECT q.record_id, q.image, false FROM lienthong.quarantine q
    WHERE q.dataset = {dataset} AND q.state = 'open') TO STDOUT (FORMAT csv)
"""


def test_a_link_that_is_behind_is_waited_for(pair: Pair) -> None:
    pair.stop()
    pair.citizen(901)
    started = []

    def pause(_: float) -> bool:
        if not started:
            started.append(pair.start())
        time.sleep(0.05)
        return False

    assert pair.compared(pause=pause).equal
    assert started


def test_a_link_that_stays_behind_is_said_and_is_no_result(pair: Pair) -> None:
    pair.stop()
    pair.citizen(901)
    found = pair.reconciled(pause=lambda _: False)
    assert isinstance(found.error, LinkBehind)
    assert not found.equal
    (kept,) = open_reconciliations(pair.settings).newest()
    assert (kept.equal, (kept.error or "")[:7]) == (None, "CEN-201")
    with pair.connect() as connection:
        slots = connection.execute(
            "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
        ).fetchone()
    assert slots == (1,), "nothing is left at the source"


def test_a_comparison_told_to_stop_ends_and_keeps_no_result(pair: Pair) -> None:
    pair.stop()
    pair.citizen(901)
    assert isinstance(pair.reconciled(pause=lambda _: True).error, ReconciliationInterrupted)
    assert open_reconciliations(pair.settings).newest() == ()


def test_a_link_without_a_complete_copy_does_not_trouble_the_source(pair: Pair) -> None:
    pair.stop()
    pair.centre("UPDATE lienthong.link SET phase = 'snapshot'")
    assert isinstance(pair.reconciled().error, LinkNotStreaming)


def test_a_column_added_at_the_source_and_not_mapped_yet_is_no_difference(pair: Pair) -> None:
    pair.agency("ALTER TABLE nhan_khau ADD COLUMN them text DEFAULT 'có sẵn'")
    pair.citizen(901, them="mới")
    result = pair.compared()
    assert result.equal, result
    assert "them" not in result.columns


def test_many_differing_records_are_counted_as_a_lower_bound_and_left_to_a_snapshot(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile.Reconciler.__init__, "__kwdefaults__", {"opened_rows_max": 20})
    pair.centre("DELETE FROM dataset.nhan_khau")
    found = pair.compared()
    assert found.buckets_unopened > 0
    assert 0 < found.count <= 20
    assert isinstance(pair.reconciled(repair=True).error, TooManyToRepair)


# -- faces ---------------------------------------------------------------------------------------------------------


def test_the_command_says_equal_with_0_and_different_with_1_and_status_and_page_show_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: str) -> tuple[int, Any]:
        result = CliRunner().invoke(app, ["sync", *arguments, "--json"])
        return result.exit_code, json.loads(result.stdout)

    monkeypatch.setenv("LIENTHONG_CONFIG", str(pair.settings.path))
    code, told = run("reconcile")
    (found,) = told["links"][0]["results"]
    assert (code, found["equal"], found["rows_source"], found["differences"]) == (0, True, ROWS, [])
    pair.centre("DELETE FROM dataset.nhan_khau WHERE _record_id = %s", kept_one := kept_record(pair))
    code, told = run("reconcile", "agency")
    (found,) = told["links"][0]["results"]
    assert (code, found["equal"], found["missing"]) == (1, False, 1)
    assert [(each["kind"], "•" in each["record"]) for each in found["differences"]] == [("missing", True)]
    assert kept_one not in json.dumps(told)
    code, told = run("status")
    assert (code, told["reconciliations"][0]["reconciliation"]) == (0, found["reconciliation"])
    code, told = run("reconcile", "nobody")
    assert (code, told["error"]["code"]) == (1, "CLI-012")
    shown = CliRunner().invoke(app, ["sync", "reconcile", "--repair"])
    assert shown.exit_code == 0
    assert "equal" in shown.stdout


def kept_record(pair: Pair) -> str:
    """Return a record that is kept, with a key too short to be shown at all."""
    return str(pair.centre("SELECT min(_record_id) FROM dataset.nhan_khau")[0][0])


def test_the_thread_beside_the_links_compares_at_night_and_says_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wired, "POLL_S", 0.01)
    clock = FixedClock(datetime(2026, 11, 23, 5, 0, tzinfo=UTC))
    said: list[wired.LinkReconciled] = []
    work = wired.ReconcilingThread(
        settings=pair.settings, knowledge=read_knowledge(pair.settings), links=("agency",), watch=said.append,
        clock=clock,
    )  # fmt: skip
    thread = threading.Thread(target=work.run, daemon=True)
    thread.start()
    time.sleep(0.1)
    assert not said
    clock.moment += timedelta(hours=13)
    pair.until(lambda: said)
    work.stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert [found.equal for found in said] == [True]
