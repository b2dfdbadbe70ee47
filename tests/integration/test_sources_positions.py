"""Drift of tables, positions and slots: stop right there, say why, lose nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from sources_agency import Agency, mapping, own_server, read_snapshot, read_stream, rows_of, simple

from lienthong.adapters.postgres.source import PostgresSource
from lienthong.errors import LienthongError
from lienthong.sources import assembly
from lienthong.sources.change import Delivery, Idle, Position, SourceId
from lienthong.sources.refusals import (
    KeyChanged,
    MappedColumnGone,
    MappedColumnTypeChanged,
    SlotBusy,
    SlotLost,
    SlotMissing,
    SlotMoved,
    SourceChanged,
    TransactionTooLarge,
)


@pytest.fixture
def agency(make_database) -> Iterator[Agency]:
    made = Agency(make_database("agency"))
    yield made
    made.close()


def start_stream(source: PostgresSource, start, after: Position | None = None) -> None:
    next(source.stream(epoch=start.epoch, after=after or start.position))


def drifted(agency: Agency, source: PostgresSource, kind: type[LienthongError], *statements: str) -> None:
    """Expect that what was committed before the change arrives, and nothing after it."""
    start, _ = read_snapshot(source)
    agency.sql("INSERT INTO t VALUES (2, 'before')")
    seen = []
    stream = source.stream(epoch=start.epoch, after=start.position)
    first = next(stream)
    assert isinstance(first, Delivery)
    seen.append(first)
    agency.sql("INSERT INTO t VALUES (3, 'before too')", *statements)

    def follow() -> None:
        seen.extend(arrived for arrived in stream if isinstance(arrived, Delivery))

    with pytest.raises(kind):
        follow()
    assert rows_of(seen)["v"].to_list() == ["before", "before too"]
    # The next start says the same, and the position still stands before the change.
    with pytest.raises(kind):
        next(agency.open(*source._mappings.values()).stream(epoch=start.epoch, after=seen[-1].end))


def test_a_mapped_column_that_is_gone_stops_after_what_came_before(agency):
    source = simple(agency)
    drifted(agency, source, MappedColumnGone, "ALTER TABLE t RENAME v TO w", "INSERT INTO t VALUES (4, 'after')")


def test_a_mapped_column_of_another_type_stops_after_what_came_before(agency):
    simple(agency)
    source = agency.open(mapping("t", "v", types={"v": "text"}))
    drifted(
        agency,
        source,
        MappedColumnTypeChanged,
        "ALTER TABLE t ALTER v TYPE varchar(30)",
        "INSERT INTO t VALUES (4, 'after')",
    )


def test_another_key_stops_after_what_came_before(agency):
    simple(agency)
    source = agency.open(mapping("t", "v", key=("id",)))
    drifted(
        agency,
        source,
        KeyChanged,
        "BEGIN; ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id, v); COMMIT",
        "INSERT INTO t VALUES (4, 'after')",
    )


def test_another_key_is_noticed_while_streaming_even_when_the_mapping_names_none(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    stream = source.stream(epoch=start.epoch, after=start.position)
    next(stream)
    agency.sql(
        "BEGIN; ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id, v); COMMIT",
        "INSERT INTO t VALUES (4, 'after')",
    )
    with pytest.raises(KeyChanged):
        for _ in stream:
            pass


def test_a_new_column_goes_on_and_is_in_the_rows(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql(
        "INSERT INTO t VALUES (2, 'x')",
        "ALTER TABLE t ADD COLUMN extra text DEFAULT 'e'",
        "INSERT INTO t VALUES (3, 'y')",
    )
    stream = read_stream(source, start, agency.written())
    batches = [batch for each in stream for batch in each.batches]
    assert [batch.rows.columns for batch in batches] == [["id", "v"], ["id", "v", "extra"]]
    assert batches[1].rows["extra"].to_list() == ["e"]


def test_columns_are_matched_by_name_when_their_order_changes_mid_stream(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql(
        "INSERT INTO t VALUES (2, 'x')",
        "BEGIN; ALTER TABLE t ADD COLUMN n text; ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN v text; COMMIT",
        "INSERT INTO t (id, v, n) VALUES (3, 'y', 'n')",
    )
    stream = read_stream(source, start, agency.written())
    last = [batch for each in stream for batch in each.batches][-1]
    assert last.rows.to_dicts() == [{"id": "3", "n": "n", "v": "y"}]


def test_a_dropped_slot_is_refused(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql(f"SELECT pg_drop_replication_slot('{agency.slot}')")
    with pytest.raises(SlotMissing):
        start_stream(source, start)


def test_a_slot_made_again_under_the_same_name_is_a_gap_and_refused(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql(
        f"SELECT pg_drop_replication_slot('{agency.slot}')",
        "INSERT INTO t VALUES (2, 'lost')",
        f"SELECT pg_create_logical_replication_slot('{agency.slot}', 'pgoutput')",
    )
    with pytest.raises(SlotMoved):
        start_stream(source, start)


def test_a_slot_moved_by_hand_is_a_gap_and_refused(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql(
        "INSERT INTO t VALUES (2, 'lost')",
        f"SELECT pg_replication_slot_advance('{agency.slot}', pg_current_wal_lsn())",
    )
    with pytest.raises(SlotMoved):
        start_stream(source, start)


@pytest.mark.parametrize("field", ["system", "timeline", "database", "slot"])
def test_a_position_of_another_history_is_refused(agency, field):
    source = simple(agency)
    start, _ = read_snapshot(source)
    other = replace(start, epoch=replace(start.epoch, **{field: 99 if field == "timeline" else "other"}))
    with pytest.raises(SourceChanged):
        start_stream(source, other)


def test_a_server_put_back_behind_the_position_is_refused(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    with pytest.raises(SourceChanged):
        start_stream(source, start, Position(commit=agency.written().commit + 2**32))


def test_a_slot_in_use_is_busy_and_transient(agency, monkeypatch):
    monkeypatch.setattr("lienthong.adapters.postgres.source.SLOT_RELEASE_S_MAX", 0.2)
    source = simple(agency)
    start, _ = read_snapshot(source)
    with closing(source.stream(epoch=start.epoch, after=start.position)) as stream:
        next(stream)
        with pytest.raises(SlotBusy) as caught:
            start_stream(agency.open(mapping("t", "v")), start)
        with pytest.raises(SlotBusy):
            agency.open(mapping("t", "v")).begin_snapshot()
    assert caught.value.transient


def test_a_slot_the_server_gave_up_is_a_state_with_a_reason(tmp_path_factory):
    with own_server(tmp_path_factory, min_wal_size="32MB", max_wal_size="32MB") as server:
        url = server.url("postgres", server.superuser, server.password)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
            connection.execute("CREATE PUBLICATION lienthong FOR TABLE t")
            source = PostgresSource(
                source=SourceId("agency"),
                url=url,
                password=None,
                publication="lienthong",
                slot="lienthong",
                mappings=[mapping("t", "v")],
                heartbeat_s=0.05,
            )
            start, _ = read_snapshot(source)
            for _ in range(4):
                connection.execute("SELECT pg_switch_wal()")
                connection.execute("INSERT INTO t SELECT 1, 'x' WHERE false")
                connection.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000))")
            connection.execute("CHECKPOINT")
            with pytest.raises(SlotLost):
                start_stream(source, start)
            # What was lost is not for ever: a new snapshot makes a new slot.
            again, _ = read_snapshot(source)
            start_stream(source, again)
            source.close()


def test_a_transaction_over_the_limit_is_refused_after_what_came_before(agency, monkeypatch):
    monkeypatch.setattr(assembly, "TRANSACTION_CHANGES_MAX", 10)
    monkeypatch.setattr(assembly, "CHUNK_CHANGES", 4)
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql(
        "INSERT INTO t SELECT n, 'fits' FROM generate_series(10, 19) AS n",
        "INSERT INTO t SELECT n, 'too large' FROM generate_series(20, 30) AS n",
        "INSERT INTO t VALUES (40, 'after')",
    )
    seen = []

    def follow() -> None:
        stream = source.stream(epoch=start.epoch, after=start.position)
        seen.extend(arrived for arrived in stream if isinstance(arrived, Delivery))

    with pytest.raises(TransactionTooLarge):
        follow()
    assert rows_of(seen)["v"].to_list() == ["fits"] * 10
    # A lasting state: the same again from the position kept.
    with pytest.raises(TransactionTooLarge):
        for _ in agency.open(mapping("t", "v")).stream(epoch=start.epoch, after=seen[-1].end):
            pass


def test_a_transaction_larger_than_a_delivery_stays_whole(agency, monkeypatch):
    monkeypatch.setattr(assembly, "DELIVERY_CHANGES_MAX", 10)
    monkeypatch.setattr(assembly, "CHUNK_CHANGES", 7)
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql("INSERT INTO t SELECT n, 'x' FROM generate_series(10, 3009) AS n", "INSERT INTO t VALUES (4000, 'y')")
    stream = read_stream(source, start, agency.written())
    assert stream[0].read in {3000, 3001}
    assert stream[0].batches[0].meta["number"].to_list()[:3000] == list(range(3000))


def test_the_server_closing_the_connection_is_transient_and_loses_nothing(agency):
    source = simple(agency)
    start, _ = read_snapshot(source)
    agency.sql("INSERT INTO t VALUES (2, 'x')")
    stream = source.stream(epoch=start.epoch, after=start.position)
    first = next(stream)
    agency.sql(f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{agency.slot}'")
    with pytest.raises(LienthongError) as caught:
        for _ in stream:
            pass
    assert caught.value.transient
    agency.sql("INSERT INTO t VALUES (3, 'y')")
    again = read_stream(agency.open(mapping("t", "v")), start, agency.written(), after=first.end)
    assert rows_of(again)["v"].to_list() == ["y"]


def test_a_quiet_stream_answers_the_server_within_its_patience(agency):
    agency.sql(f"ALTER DATABASE {agency.database.name} SET wal_sender_timeout = '600ms'")
    simple(agency)
    source = agency.open(mapping("t", "v"), heartbeat_s=60.0)  # only the server's own questions are heard
    start, _ = read_snapshot(source)
    stream = source.stream(epoch=start.epoch, after=start.position)
    # The server asks at half of its patience: with the sixth answer three times its patience have passed.
    signs = [arrived for _, arrived in zip(range(6), stream, strict=False)]
    assert all(isinstance(arrived, Idle) for arrived in signs)
    assert len(signs) == 6


def test_the_agency_s_server_can_shut_down_while_it_is_followed(tmp_path_factory):
    with own_server(tmp_path_factory) as server:
        url = server.url("postgres", server.superuser, server.password)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
            connection.execute("CREATE PUBLICATION lienthong FOR TABLE t")
            source = PostgresSource(
                source=SourceId("agency"),
                url=url,
                password=None,
                publication="lienthong",
                slot="lienthong",
                mappings=[mapping("t", "v")],
                heartbeat_s=60.0,
            )
            start, _ = read_snapshot(source)
        seen = threading.Event()
        ended: list[LienthongError] = []

        def follow() -> None:
            try:
                for arrived in source.stream(epoch=start.epoch, after=start.position):
                    source.confirm(arrived.end)
                    seen.set()
            except LienthongError as error:
                ended.append(error)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("INSERT INTO t VALUES (1, 'x')")
        assert seen.wait(20)
        server.stop()  # waits for senders whose readers have not confirmed everything
        thread.join(20)
        assert not thread.is_alive()
        assert [error.transient for error in ended] == [True]
