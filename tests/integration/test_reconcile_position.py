"""A position and the state that fits it: a commit can stand in the log before a new snapshot sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sources_agency import own_server

from lienthong.adapters.postgres.reconciling_source import PostgresReconcilable
from lienthong.adapters.postgres.server import PostgresServer
from lienthong.sources.change import Position, SourceId, TableName

TABLE = TableName(schema="public", table="t")
WAIT_S = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    # Who asks for more than "local" waits for a standby that never comes: its commit is in the log and not visible.
    with own_server(tmp_path_factory, synchronous_commit="local") as made:
        yield made


@pytest.fixture
def address(server: PostgresServer) -> str:
    return server.url("postgres", server.superuser, server.password)


@pytest.fixture
def admin(address: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS t")
        connection.execute("DROP PUBLICATION IF EXISTS lienthong")
        connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
        connection.execute("CREATE PUBLICATION lienthong FOR TABLE t")
        await_standby(connection, "nobody")
        yield connection
        await_standby(connection, "")


def await_standby(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    connection.execute("SELECT pg_reload_conf()")
    until(lambda: connection.execute("SHOW synchronous_standby_names").fetchone() == (name,))


def until(condition: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {WAIT_S} s"
        time.sleep(0.02)


def commit_that_waits(address: str, admin: psycopg.Connection[Any]) -> threading.Thread:
    """Begin a commit that is written and stays invisible; it ends when nobody asks for a standby any more."""

    def commit() -> None:
        with psycopg.connect(address) as connection:
            connection.execute("SET synchronous_commit = on")
            connection.execute("INSERT INTO t VALUES (1)")

    thread = threading.Thread(target=commit, daemon=True)
    thread.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    until(lambda: admin.execute(waiting).fetchone() == (1,))
    return thread


def reader(address: str, kind: type[PostgresReconcilable]) -> PostgresReconcilable:
    return kind(
        source=SourceId("agency"), url=address, password=None, publication="lienthong", slot="own", tables=[TABLE]
    )


def is_in_rows(made: PostgresReconcilable) -> bool:
    return any(batch.height for delivery in made.rows(TABLE) for batch in delivery.batches)


def written(admin: psycopg.Connection[Any]) -> Position:
    row = admin.execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint").fetchone()
    assert row is not None
    return Position(commit=row[0])


class Beside(PostgresReconcilable):
    """The mutant: a position read beside an ordinary snapshot."""

    def _make_slot(self, replication: Any) -> tuple[Position, str]:
        del replication
        holder = self.holder = psycopg.connect(self._url)  # type: ignore[attr-defined] # of the mutant only
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        row = holder.execute("SELECT pg_export_snapshot(), (pg_current_wal_lsn() - '0/0')::bigint").fetchone()
        return Position(commit=row[1]), row[0]


def test_a_commit_that_is_written_and_not_visible_yet_is_in_the_rows_or_after_the_position(
    address: str, admin: psycopg.Connection[Any]
) -> None:
    waiting = commit_that_waits(address, admin)
    end = written(admin)
    made = reader(address, PostgresReconcilable)
    release = threading.Timer(0.5, await_standby, (admin, ""))
    release.start()
    try:
        moment = made.fix()
        assert is_in_rows(made) or moment.position < end
        assert is_in_rows(made), "a slot waits for what is under way"
    finally:
        made.close()
        release.join(WAIT_S)
        waiting.join(WAIT_S)


def test_the_mutant_that_reads_a_position_beside_a_snapshot_has_it_in_neither(
    address: str, admin: psycopg.Connection[Any]
) -> None:
    waiting = commit_that_waits(address, admin)
    end = written(admin)
    made = reader(address, Beside)
    try:
        moment = made.fix()
        assert not is_in_rows(made)
        assert moment.position >= end, "the stream after the position does not have it either"
    finally:
        made.close()
        made.holder.close()  # type: ignore[attr-defined] # of the mutant only
        await_standby(admin, "")
        waiting.join(WAIT_S)


def test_no_slot_and_no_transaction_stay_at_the_source(address: str, admin: psycopg.Connection[Any]) -> None:
    made = reader(address, PostgresReconcilable)
    made.fix()
    until(lambda: admin.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,))
    made.close()
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lienthong:agency'"
    until(lambda: admin.execute(ours).fetchone() == (0,))
