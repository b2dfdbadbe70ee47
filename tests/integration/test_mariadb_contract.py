"""MariaDB as a source keeps the contract every source keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mariadb_server import MariaDBServer, mapping, programs, running

from lienthong.adapters.mariadb import binlog
from lienthong.adapters.mariadb.source import MariaDBSource
from lienthong.sources import assembly
from lienthong.sources.change import Position, SourceId
from lienthong.testing.source_contract import (
    CONTRACT,
    OF_RETENTION,
    Empty,
    Move,
    Put,
    Remove,
    Rename,
    a_changed_key_says_what_it_was,
    an_adjacent_commit_at_the_resume_point_is_not_lost,
    an_idle_source_moves_on,
)


class MariaDBHarness:
    def __init__(self, server: MariaDBServer) -> None:
        self.server = server
        self.sources: list[MariaDBSource] = []
        with server.connect() as connection:
            connection.cursor().execute("DROP DATABASE IF EXISTS contract")
            connection.cursor().execute("CREATE DATABASE contract CHARACTER SET utf8mb4")
        self.connection = server.connect("contract")
        self._run(
            "CREATE TABLE contract (`key` varchar(64) COLLATE utf8mb4_bin PRIMARY KEY, name text, body longtext)"
        )
        self._run("CREATE TABLE elsewhere (n int)")

    def _run(self, statement, values=None):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def _apply(self, operations):
        for each in operations:
            if isinstance(each, Put):
                self._run("INSERT INTO contract VALUES (%s, %s, %s)", [each.key, each.name, each.body])
            elif isinstance(each, Rename):
                self._run("UPDATE contract SET name = %s WHERE `key` = %s", [each.name, each.key])
            elif isinstance(each, Move):
                self._run("UPDATE contract SET `key` = %s WHERE `key` = %s", [each.to, each.key])
            elif isinstance(each, Remove):
                self._run("DELETE FROM contract WHERE `key` = %s", [each.key])
            elif isinstance(each, Empty):
                self._run("TRUNCATE contract")

    def commit(self, *operations):
        self._apply(operations)
        self.connection.commit()

    def roll_back(self, *operations):
        self._apply(operations)
        self.connection.rollback()

    def commit_adjacent(self, first, second):
        self.commit(first)
        between = self.written()  # in a binary log the next transaction always begins where the last one ended
        self.commit(second)
        return between

    def commit_elsewhere(self):
        self._run("INSERT INTO elsewhere VALUES (1)")
        self.connection.commit()

    def written(self):
        ((file, place, *_),) = self._run("SHOW MASTER STATUS")
        return Position(commit=binlog.file_number(file.encode()) << 32 | place)

    def kept_from(self):
        raise AssertionError("MariaDB keeps nothing for a reader")

    def rows(self):
        found = {key: (name, body) for key, name, body in self._run("SELECT * FROM contract")}
        self.connection.commit()
        return found

    def open(self):
        source = MariaDBSource(
            source=SourceId("maria"),
            url=self.server.url("contract"),
            password=None,
            mappings=[mapping("contract", "contract", "key", "name", "body")],
            heartbeat_s=0.05,
        )
        self.sources.append(source)
        return source

    def close(self):
        for source in self.sources:
            source.close()
        self.connection.close()


@pytest.fixture(scope="module")
def server(require) -> Iterator[MariaDBServer]:
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    with running() as made:
        yield made


@pytest.fixture
def harness(server, monkeypatch) -> Iterator[MariaDBHarness]:
    monkeypatch.setattr(assembly, "DELIVERY_CHANGES_MAX", 3)  # many small deliveries
    made = MariaDBHarness(server)
    yield made
    made.close()


@pytest.mark.parametrize(
    "rule", [rule for rule in CONTRACT if rule not in OF_RETENTION], ids=lambda rule: rule.__name__
)
def test_mariadb_keeps_the_contract(rule, harness):
    rule(harness)


def test_the_contract_catches_a_reader_that_resumes_after_instead_of_at_the_position(harness, monkeypatch):
    monkeypatch.setattr(assembly, "is_wanted", lambda commit, after: commit > after)
    with pytest.raises(AssertionError):
        an_adjacent_commit_at_the_resume_point_is_not_lost(harness)


def test_the_contract_catches_a_reader_that_forgets_what_a_row_was_before(harness, monkeypatch):
    honest = binlog.Decoder._rows

    def forget(self, event, kind, *how):
        for each in honest(self, event, kind, *how):
            yield each._replace(old=each.new) if isinstance(each, binlog.Update) else each

    monkeypatch.setattr(binlog.Decoder, "_rows", forget)
    with pytest.raises((AssertionError, KeyError)):
        a_changed_key_says_what_it_was(harness)


def test_the_contract_catches_a_reader_that_does_not_move_on_while_others_write(harness, monkeypatch):
    def stand_still(self):
        self._beaten = False
        yield binlog_idle(self)

    def binlog_idle(stream):
        from lienthong.sources.change import Idle

        return Idle(source=stream._source, end=Position(commit=stream._assembly._after))

    from lienthong.adapters.mariadb import source as module

    monkeypatch.setattr(module._Stream, "_sign_of_life", stand_still)
    with pytest.raises(AssertionError):
        an_idle_source_moves_on(harness)
