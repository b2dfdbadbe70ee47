"""Source and centre are equal at a position: MariaDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from mariadb_server import MariaDBServer, programs, running
from reconcile_opened import ROWS, Pair, Writers, fill, open_pair

from lienthong.adapters.mariadb import source
from lienthong.pipeline import reconcile
from lienthong.sources.events import Event, Insert

ROUNDS = 4


@pytest.fixture(scope="module")
def server(require: Callable[[object, str], None]) -> Iterator[MariaDBServer]:
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    with running() as made:
        yield made


@pytest.fixture
def pair(server: MariaDBServer, make_database: Callable[..., Any], tmp_path: Path) -> Iterator[Pair]:
    with server.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE agency CHARACTER SET utf8mb4")

    def connect() -> pymysql.connections.Connection[Any]:
        return server.connect("agency")

    with connect() as connection:
        fill(connection)
    made = open_pair(
        tmp_path, centre=make_database("centre"), source_url=server.url("agency"), connect=connect, schema="agency"
    )
    try:
        yield made
    finally:
        made.stop()
        with server.connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("DROP DATABASE agency")


def test_mariadb_and_the_centre_are_equal_at_a_position_while_several_writers_go_on(pair: Pair) -> None:
    first = pair.compared()
    assert (first.equal, first.rows_source) == (True, ROWS)
    with Writers(pair.connect, seed=6) as writers:
        for _ in range(ROUNDS):
            before = writers.commits
            result = pair.compared()
            assert result.equal, result
            assert writers.commits > before, "somebody wrote meanwhile"
    assert pair.compared().equal


def test_what_was_written_to_mariadb_after_the_position_changes_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = reconcile.Reconciler._wait_until_passed

    def changed(self: Any, moment: Any) -> None:
        pair.agency("UPDATE nhan_khau SET ho_ten = 'Trần Văn Sau' WHERE id = 901")
        pair.agency("DELETE FROM nhan_khau WHERE id = 902")
        pair.citizen(905)
        pair.until(lambda: pair.kept(905))
        inner(self, moment)

    pair.citizen(901)
    pair.citizen(902, ho_ten=None)
    pair.until(lambda: pair.kept(901) and pair.held(902))
    monkeypatch.setattr(reconcile.Reconciler, "_wait_until_passed", changed)
    result = pair.compared()
    assert result.equal, result


def test_a_row_that_the_reader_of_the_binary_log_missed_is_found_and_put_right(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(source.Assembly):
        def take(self, event: Event, size: int) -> None:
            if not (isinstance(event, Insert) and event.new[0] == b"901"):
                super().take(event, size)

    pair.stop()
    monkeypatch.setattr(source, "Assembly", Forgetful)
    pair.start()
    pair.citizen(901)
    found = pair.compared()
    assert [(each.record_id, each.kind.value) for each in found.differences] == [(pair.record(901), "missing")]
    repaired = pair.reconciled(repair=True)
    assert repaired.equal
    assert pair.kept(901)


def test_a_record_the_source_no_longer_has_is_found_and_cancelled(pair: Pair) -> None:
    pair.citizen(901)
    pair.until(lambda: pair.kept(901))
    with pair.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_log_bin = 0")  # a change that the binary log never sees
        cursor.execute("DELETE FROM nhan_khau WHERE id = 901")
        connection.commit()
    found = pair.compared()
    assert [(each.record_id, each.kind.value) for each in found.differences] == [(pair.record(901), "surplus")]
    assert pair.reconciled(repair=True).equal
    assert not pair.kept(901)
    ended = "SELECT _ended_by FROM dataset.nhan_khau_history WHERE _record_id = %s"
    assert pair.centre(ended, pair.record(901)) == [("CANCEL",)]
