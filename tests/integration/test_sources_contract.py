from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from lienthong.adapters.postgres import replication
from lienthong.adapters.postgres.pgoutput import decode
from lienthong.adapters.postgres.source import PostgresSource
from lienthong.dictionary.model import DatasetId, ElementId, Relation
from lienthong.sources import assembly
from lienthong.sources.change import Position, SourceId, TableName
from lienthong.sources.events import Commit
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.testing.source_contract import (
    CONTRACT,
    Empty,
    Move,
    Put,
    Remove,
    Rename,
    an_adjacent_commit_at_the_resume_point_is_not_lost,
    nothing_is_confirmed_before_confirm,
    unchanged_large_values_are_marked,
)

TABLE = TableName(schema="public", table="contract")
PUBLICATION = "contract"
ADJACENT_TRIES_MAX = 50

MAPPING = Mapping(
    source=SourceId("contract"),
    table=TABLE,
    dataset=DatasetId("none"),
    owner="nobody",
    columns=tuple(
        ColumnMapping(column=name, element=ElementId("X"), relation=Relation.EXACT)
        for name in ("key", "name", "body")
    ),
    digest="0",
)


class PostgresHarness:
    def __init__(self, database) -> None:
        self.database = database
        self.slot = f"contract_{database.name}"
        self.sources: list[PostgresSource] = []
        self.connection = psycopg.connect(database.superuser_url)
        self.second = psycopg.connect(database.superuser_url)
        self.connection.execute("CREATE TABLE contract (key text PRIMARY KEY, name text, body text)")
        self.connection.execute("CREATE TABLE elsewhere (n int)")
        self.connection.execute("CREATE PUBLICATION contract FOR TABLE contract")
        self.connection.commit()

    @staticmethod
    def _apply(connection, operations):
        for each in operations:
            if isinstance(each, Put):
                connection.execute("INSERT INTO contract VALUES (%s, %s, %s)", [each.key, each.name, each.body])
            elif isinstance(each, Rename):
                connection.execute("UPDATE contract SET name = %s WHERE key = %s", [each.name, each.key])
            elif isinstance(each, Move):
                connection.execute("UPDATE contract SET key = %s WHERE key = %s", [each.to, each.key])
            elif isinstance(each, Remove):
                connection.execute("DELETE FROM contract WHERE key = %s", [each.key])
            elif isinstance(each, Empty):
                connection.execute("TRUNCATE contract")

    def commit(self, *operations):
        self._apply(self.connection, operations)
        self.connection.commit()

    def roll_back(self, *operations):
        self._apply(self.connection, operations)
        self.connection.rollback()

    def _commits(self) -> list[Commit]:
        """Return the commits the slot still has to send."""
        rows = self.connection.execute(
            "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL,"
            " 'proto_version', '1', 'publication_names', 'contract')",
            [self.slot],
        ).fetchall()
        self.connection.commit()
        return [event for (data,) in rows if isinstance(event := decode(data), Commit)]

    def commit_adjacent(self, first, second):
        for _ in range(ADJACENT_TRIES_MAX):
            self._apply(self.connection, [first])
            self._apply(self.second, [second])
            self.connection.commit()
            self.second.commit()
            one, two = self._commits()[-2:]
            if one.end == two.commit:
                return Position(commit=one.end)
            # Something else wrote between the two: take both back and try again.
            self._apply(self.connection, [Remove(key=first.key), Remove(key=second.key)])
            self.connection.commit()
        pytest.fail("no two adjacent commits in many tries")

    def commit_elsewhere(self):
        self.connection.execute("INSERT INTO elsewhere VALUES (1)")
        self.connection.commit()

    def _position(self, statement, *values):
        row = self.connection.execute(statement, values).fetchone()
        self.connection.commit()
        return Position(commit=int(row[0]))

    def written(self):
        return self._position("SELECT pg_current_wal_lsn() - '0/0'")

    def kept_from(self):
        return self._position(
            "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = %s", self.slot
        )

    def rows(self):
        found = {key: (name, body) for key, name, body in self.connection.execute("TABLE contract")}
        self.connection.commit()
        return found

    def open(self):
        source = PostgresSource(
            source=SourceId("contract"),
            url=self.database.superuser_url,
            password=None,
            publication=PUBLICATION,
            slot=self.slot,
            mappings=[MAPPING],
            heartbeat_s=0.05,
        )
        self.sources.append(source)
        return source

    def close(self):
        for source in self.sources:
            source.close()
        self.connection.close()
        self.second.close()


@pytest.fixture
def harness(make_database, monkeypatch) -> Iterator[PostgresHarness]:
    monkeypatch.setattr(assembly, "DELIVERY_CHANGES_MAX", 3)  # many small deliveries
    made = PostgresHarness(make_database("contract"))
    yield made
    made.close()


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_postgresql_keeps_the_contract(rule, harness):
    rule(harness)


def test_the_contract_catches_a_reader_that_resumes_after_instead_of_at_the_position(harness, monkeypatch):
    monkeypatch.setattr(assembly, "is_wanted", lambda commit, after: commit > after)
    with pytest.raises(AssertionError):
        an_adjacent_commit_at_the_resume_point_is_not_lost(harness)


def test_the_contract_catches_a_reader_that_confirms_what_the_server_says_it_has_sent(harness, monkeypatch):
    """What psycopg2's replication cursor does on its own with every keepalive."""
    honest = replication.Stream._keep_alive

    def forward(self, message):
        honest(self, message)
        self._connection.confirmed = max(self._connection.confirmed, self._seen)

    monkeypatch.setattr(replication.Stream, "_keep_alive", forward)
    with pytest.raises(AssertionError):
        nothing_is_confirmed_before_confirm(harness)


def test_the_contract_catches_a_reader_that_takes_an_unsent_value_for_null(harness, monkeypatch):
    honest = assembly.Assembly._complete

    def forget(self, changes, event):
        honest(self, changes, event._replace(unchanged=()))

    monkeypatch.setattr(assembly.Assembly, "_complete", forget)
    with pytest.raises(AssertionError):
        unchanged_large_values_are_marked(harness)


def test_stop_from_another_thread_ends_the_stream_at_once(harness):
    source = harness.open()
    start = source.begin_snapshot()
    list(source.snapshot())
    idle = threading.Event()

    def follow():
        for _ in source.stream(epoch=start.epoch, after=start.position):
            idle.set()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert idle.wait(20)
    source.stop()
    thread.join(20)
    assert not thread.is_alive()
