"""What snapshots, links, tables and trouble with the database do to the centre on PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import polars as pl
import psycopg
import pytest
from centre_opened import AT, numbers, open_centre, start
from centre_rows import (
    DATASET,
    DICTIONARY,
    EPOCH,
    KEY_RULE,
    NAME_RULE,
    RULES,
    SOURCE,
    TABLE,
    TYPES,
    UNIQUE_RULE,
    R,
    judged,
    make_batch,
    make_dictionary,
    make_rules,
)

from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.centre.ports import LinkStatus, Phase
from lienthong.centre.refusals import (
    CentreBusy,
    CentreDiskFull,
    CentreUnreachable,
    SchemaTooNew,
    TableDiffers,
)
from lienthong.centre.tables import derive_table, render_ddl
from lienthong.dictionary.model import Datatype
from lienthong.sources.change import Epoch, Position, SourceId


@pytest.fixture
def database(make_database):
    return make_database("centre")


@pytest.fixture
def centre(database):
    with open_centre(database.url) as centre:
        yield centre


# -- snapshot ------------------------------------------------------------------------------------------------------


def everything(centre):
    """Return the content of the centre without the numbers of batches and moments of writing."""
    current = {
        record_id: {name: value for name, value in row.items() if name not in {"_batch", "_applied_at"}}
        for record_id, row in centre.current.items()
    }
    history = centre.rows("SELECT _record_id, _version, ten, _ended_by FROM dataset.doanh_nghiep_history")
    return current, Counter(tuple(row.values()) for row in history), centre.open_findings(), centre.counters()


def test_a_snapshot_killed_and_started_again_ends_like_one_that_ran_through(centre):
    seen = [R(id=f"r{place}", at=200, event="NEW", key=str(place)) for place in range(6)]
    start(centre.store, 200)
    centre.apply(seen[:4], end=200, snapshot=True)
    assert centre.store.link(SOURCE).rows_done == 4
    changed = [
        R(id=row.id, at=300, event="NEW", key=row.key, name="đổi" if row.id == "r1" else row.name, seconds=300)
        for row in seen
        if row.id != "r2"
    ]
    start(centre.store, 300)
    assert centre.store.link(SOURCE).rows_done == 0
    centre.apply(changed[:2], end=300, snapshot=True)
    centre.apply(changed[2:], end=300, snapshot=True)
    gone = centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=300), at=AT)
    assert gone == 1
    assert set(centre.current) == {"r0", "r1", "r3", "r4", "r5"}
    assert {row["_version"] for row in centre.current.values()} == {300}
    assert [old["_ended_by"] for old in centre.history("r2")] == ["CANCEL"]
    assert [old["_ended_by"] for old in centre.history("r1")] == ["UPDATE"]
    assert centre.history("r0") == []
    link = centre.store.link(SOURCE)
    assert (link.phase, link.position, link.status) == (Phase.STREAM, Position(commit=300), LinkStatus.HEALTHY)
    assert centre.counters()[KEY_RULE] == (5, 0, 0, 0)


def test_a_snapshot_read_twice_at_new_positions_adds_nothing(centre):
    rows = [
        R(id="a", at=200, event="NEW", key="1", failed=(NAME_RULE,)),
        R(id="b", at=200, event="NEW", key="1"),
        R(id="c", at=200, event="NEW", bad=True),
    ]
    start(centre.store, 200)
    centre.apply(rows, end=200, snapshot=True)
    before = everything(centre)
    opened = centre.rows("SELECT opened_batch, opened_at FROM lienthong.quarantine")
    receipt = centre.apply(rows, end=200, snapshot=True, at=AT + timedelta(days=1))
    assert numbers(receipt) == (3, 2, 1, 0, 0)
    assert (receipt.findings_opened, receipt.findings_closed) == (0, 0)
    assert everything(centre) == before
    assert centre.rows("SELECT opened_batch, opened_at FROM lienthong.quarantine") == opened


@pytest.mark.parametrize(
    "again",
    [R(id="a", at=300, image='{"khac": "1"}'), R(id="a", at=300, image='{"ma": "1"}', values={"so_lao_dong": 13})],
    ids=["another-image", "the-same-image-read-by-another-mapping"],
)
def test_a_row_read_again_with_another_content_is_a_new_version(centre, again):
    start(centre.store, 200)
    centre.apply([R(id="a", at=200, image='{"ma": "1"}')], end=200, snapshot=True)
    start(centre.store, 300)
    centre.apply([again], end=300, snapshot=True)
    assert [old["_ended_version"] for old in centre.history("a")] == [300]


def test_snapshot_batches_leave_the_position_where_it_is(centre):
    start(centre.store, 200)
    centre.apply([R(id="a", at=200)], end=200, snapshot=True)
    assert centre.store.link(SOURCE).position == Position(commit=200)
    assert centre.store.link(SOURCE).phase is Phase.SNAPSHOT


def test_a_change_committed_at_the_position_of_the_snapshot_follows_it(centre):
    start(centre.store, 200)
    centre.apply([R(id="a", at=200, event="NEW", name="ảnh")], end=200, snapshot=True)
    centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=200), at=AT)
    receipt = centre.apply([R(id="a", at=200, number=0, name="sau")], end=210)
    assert numbers(receipt) == (1, 1, 0, 0, 0)
    assert centre.current["a"]["ten"] == "sau"


def test_a_record_the_snapshot_found_bad_keeps_its_last_good_version(centre):
    centre.apply([R(id="a", at=110, name="tốt")], end=120)
    start(centre.store, 200)
    centre.apply([R(id="a", at=200, bad=True)], end=200, snapshot=True)
    assert centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=200), at=AT) == 0
    assert centre.current["a"]["ten"] == "tốt"
    assert centre.cases("a") == [("open", 200)]


def test_a_case_the_snapshot_did_not_see_is_gone(centre):
    centre.apply([R(id="a", at=110, bad=True)], end=120)
    start(centre.store, 200)
    assert centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=200), at=AT) == 1
    assert centre.cases("a") == [("gone", 110)]
    assert centre.open_findings() == set()


def test_a_ghost_gives_its_key_back(centre):
    centre.apply([R(id="a", at=110, key="5"), R(id="b", at=111, key="5")], end=120)
    start(centre.store, 200)
    centre.apply([R(id="a", at=200, key="5")], end=200, snapshot=True)
    assert centre.open_findings() == {("a", UNIQUE_RULE), ("b", UNIQUE_RULE)}
    centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=200), at=AT)
    assert centre.open_findings() == set()


def test_after_a_new_epoch_lower_positions_are_newer(centre):
    centre.apply([R(id="a", at=110, name="cũ"), R(id="ghost", at=111, key="9")], end=120)
    restored = Epoch(system="9009", timeline=1, database="agency", slot="lienthong")
    start(centre.store, 10, epoch=restored)
    receipt = centre.apply([R(id="a", at=10, name="mới")], end=10, snapshot=True, epoch=restored)
    assert numbers(receipt) == (1, 1, 0, 0, 0)
    assert centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=10), at=AT) == 1
    centre.apply([R(id="a", at=11, name="tiếp")], end=12, epoch=restored)
    assert centre.current["a"]["ten"] == "tiếp"
    assert set(centre.current) == {"a"}


# -- the link ------------------------------------------------------------------------------------------------------


def test_a_link_remembers_what_was_reported(centre):
    centre.store.report(SOURCE, status=LinkStatus.BROKEN, reason="SRC-001 gone", next_action="look", at=AT)
    link = centre.store.link(SOURCE)
    assert (link.status, link.reason, link.next_action) == (LinkStatus.BROKEN, "SRC-001 gone", "look")
    assert link.epoch == EPOCH


def test_a_link_that_never_started_can_be_reported(centre):
    centre.store.report(SourceId("moi"), status=LinkStatus.WAITING_FOR_SOURCE, reason="r", next_action=None, at=AT)
    link = centre.store.link(SourceId("moi"))
    assert (link.phase, link.position, link.epoch) == (Phase.NEW, None, None)
    start(centre.store, 5, source=SourceId("moi"))
    assert centre.store.link(SourceId("moi")).phase is Phase.SNAPSHOT


def test_a_heartbeat_moves_the_position_forward_only(centre):
    centre.store.heartbeat(SOURCE, position=Position(commit=150), at=AT + timedelta(minutes=1))
    centre.store.heartbeat(SOURCE, position=Position(commit=140), at=AT + timedelta(minutes=2))
    link = centre.store.link(SOURCE)
    assert (link.position, link.heartbeat_at) == (Position(commit=150), AT + timedelta(minutes=2))


def test_an_unknown_link_is_none(centre):
    assert centre.store.link(SourceId("la")) is None


# -- tables --------------------------------------------------------------------------------------------------------


def test_preparing_again_changes_nothing(centre):
    centre.apply([R(id="a", at=110)], end=120)
    centre.store.prepare(DICTIONARY, {DATASET: RULES})
    assert set(centre.current) == {"a"}
    assert len(centre.rows("SELECT FROM lienthong.rule_set")) == 1


def test_an_element_added_to_the_dictionary_becomes_a_column(centre):
    centre.apply([R(id="a", at=110)], end=120)
    wider = make_dictionary(types={**TYPES, "them": Datatype.TEXT})
    rules = make_rules(wider, digest="r2")
    centre.store.prepare(wider, {DATASET: rules})
    assert centre.current["a"]["them"] is None
    part = judged([R(id="a", at=130, name="mới")], rules=rules)
    values = part.records.values.with_columns(pl.lit("thêm").alias("them"))
    outcomes = part.records.outcomes.with_columns(pl.lit(0, dtype=pl.UInt8).alias("them"))
    records = dataclasses.replace(part.records, values=values, outcomes=outcomes)
    centre.apply(dataclasses.replace(part, records=records), end=140)
    assert centre.current["a"]["them"] == "thêm"
    assert [old["them"] for old in centre.history("a")] == [None]


def test_an_element_taken_out_of_the_dictionary_keeps_its_column(centre):
    centre.apply([R(id="a", at=110)], end=120)
    smaller = make_dictionary(types={name: kind for name, kind in TYPES.items() if name != "hoat_dong"})
    rules = make_rules(smaller, digest="r2")
    centre.store.prepare(smaller, {DATASET: rules})
    centre.apply([R(id="b", at=130, key="2")], end=140, rules=rules)
    assert (centre.current["a"]["hoat_dong"], centre.current["b"]["hoat_dong"]) == (True, None)


def test_a_changed_type_is_refused_and_says_how_to_rebuild(centre):
    other = make_dictionary(precision=12)
    with pytest.raises(TableDiffers) as refusal:
        centre.store.prepare(other, {DATASET: make_rules(other, digest="r2")})
    assert "numeric(10,2)" in str(refusal.value)
    assert "RENAME" in refusal.value.remedy


def test_columns_and_tables_are_explained_in_vietnamese(centre):
    (table,) = centre.rows("SELECT obj_description('dataset.doanh_nghiep'::regclass) AS comment")
    (column,) = centre.rows(
        "SELECT col_description(attrelid, attnum) AS comment FROM pg_attribute"
        " WHERE attrelid = 'dataset.doanh_nghiep'::regclass AND attname = 'ten'"
    )
    assert table["comment"] == "Doanh nghiệp"
    assert column["comment"] == "Nhãn của ten (ten): Định nghĩa có dấu ' và \\"


def test_a_schema_of_a_later_version_is_refused(centre):
    centre.execute("INSERT INTO lienthong.schema_version VALUES (99)")
    with pytest.raises(SchemaTooNew):
        centre.store.prepare(DICTIONARY, {DATASET: RULES})


# -- trouble with the database -------------------------------------------------------------------------------------


def test_a_full_disk_rolls_back_and_the_batch_can_be_sent_again(centre, database):
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"
        )
        connection.execute("CREATE TRIGGER full_disk BEFORE INSERT ON lienthong.batch EXECUTE FUNCTION full_disk()")
    batch = make_batch([R(id="a", at=110), R(id="b", at=111, bad=True, key="2")], end=120)
    with pytest.raises(CentreDiskFull):
        centre.store.apply(batch, at=AT)
    assert centre.store.link(SOURCE).position == Position(commit=100)
    assert centre.current == {}
    assert centre.cases("b") == []
    centre.execute("DROP TRIGGER full_disk ON lienthong.batch")
    assert numbers(centre.store.apply(batch, at=AT)) == (2, 1, 1, 0, 0)


def test_a_lost_connection_is_refused_and_the_next_call_connects_again(centre, database):
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(CentreUnreachable):
        centre.apply([R(id="a", at=110)], end=120)
    assert numbers(centre.apply([R(id="a", at=110)], end=120)) == (1, 1, 0, 0, 0)


def test_a_server_that_is_not_there_is_refused_without_its_address():
    store = PostgresCentreStore("postgresql://u:geheim@127.0.0.1:1/centre")
    with pytest.raises(CentreUnreachable) as refusal:
        store.link(SOURCE)
    assert "geheim" not in str(refusal.value)
    assert "geheim" not in str(refusal.value.__cause__)


@pytest.mark.parametrize("held", ["lienthong.link", "lienthong.dataset_state"])
def test_a_batch_waits_for_whoever_works_on_its_link_or_dataset_and_then_gives_up(centre, monkeypatch, held):
    centre.store.close()
    monkeypatch.setattr(
        "lienthong.adapters.postgres.centre_store._SESSION",
        "SET lock_timeout = '200ms'; SET search_path = pg_catalog",
    )
    with psycopg.connect(centre.url) as connection:
        connection.execute(f"SELECT FROM {held} FOR UPDATE")
        with pytest.raises(CentreBusy):
            centre.apply([R(id="a", at=110)], end=120)
    assert numbers(centre.apply([R(id="a", at=110)], end=120)) == (1, 1, 0, 0, 0)


def test_a_refusal_never_quotes_a_value(centre):
    centre.execute("ALTER TABLE lienthong.link ADD CHECK (position <> 120)")
    with pytest.raises(Exception, match="SQLSTATE 23514") as refusal:
        centre.apply([R(id="a", at=110, name="Nguyễn Thị Bí Mật")], end=120)
    assert "Bí Mật" not in str(refusal.value) + str(refusal.value.__cause__)


def test_the_statements_rendered_for_people_make_the_same_tables(centre, database):
    shape = (
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,"
        " col_description(a.attrelid, a.attnum) AS comment FROM pg_attribute a"
        " WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 ORDER BY a.attnum"
    )
    names = ["dataset.doanh_nghiep", "dataset.doanh_nghiep_history"]
    made = [centre.rows(shape, name) for name in names]
    centre.execute("DROP TABLE dataset.doanh_nghiep, dataset.doanh_nghiep_history")
    centre.execute(render_ddl(derive_table(DICTIONARY, DICTIONARY.datasets[DATASET])))
    assert [centre.rows(shape, name) for name in names] == made
    assert all(made)


def test_two_links_that_claim_one_key_at_the_same_moment_are_both_found_out(centre, database):
    other, epoch = SourceId("bac-lieu"), Epoch(system="7002", timeline=1, database="agency", slot="s")
    start(centre.store, 5, epoch=epoch, source=other)
    centre.store.finish_snapshot(other, tables=[], position=Position(commit=5), at=AT)
    second = PostgresCentreStore(database.url)
    second.prepare(DICTIONARY, {DATASET: RULES})

    def claim(store, prefix, first, **facts):
        for turn in range(12):
            rows = [R(id=f"{prefix}{turn}", at=first + 2 * turn, key=f"k{turn}")]
            store.apply(make_batch(rows, end=first + 2 * turn + 1, **facts), at=AT)

    with ThreadPoolExecutor(2) as pool:
        for job in [
            pool.submit(claim, centre.store, "a", 110),
            pool.submit(claim, second, "z", 10, source=other, epoch=epoch),
        ]:
            job.result()
    second.close()
    assert centre.open_findings() == {(f"{prefix}{turn}", UNIQUE_RULE) for prefix in "az" for turn in range(12)}
    assert centre.counters()[UNIQUE_RULE] == (0, 24, 0, 0)


def test_a_connection_killed_in_the_middle_of_a_batch_leaves_nothing_of_it(centre, database):
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
        )
        connection.execute("CREATE TRIGGER die BEFORE INSERT ON lienthong.batch EXECUTE FUNCTION die()")
    batch = make_batch([R(id="a", at=110), R(id="b", at=111, bad=True, key="2")], end=120)
    with pytest.raises(CentreUnreachable):
        centre.store.apply(batch, at=AT)
    assert centre.current == {}
    assert centre.cases("b") == []
    centre.execute("DROP TRIGGER die ON lienthong.batch")
    assert numbers(centre.store.apply(batch, at=AT)) == (2, 1, 1, 0, 0)


def test_the_history_of_a_record_that_changes_all_the_time_does_not_slow_its_next_change(centre):
    """The end of the last version is found by one step in an index, however many versions there are."""
    centre.execute(
        "INSERT INTO dataset.doanh_nghiep_history (_record_id, _event, _epoch, _version, _number, _source, _table,"
        " _source_time, _valid_from, _batch, _applied_at, _image, _judgement, _rule_set, _dictionary, _valid_to,"
        " _ended_by, _ended_epoch, _ended_version, _ended_number, _ended_batch)"
        " SELECT 'a', 'UPDATE', 1, v, 0, 's', 't', now(), now(), 1, now(), '{}', '', 1, '1', now(), 'UPDATE', 1, v, 0, 1"
        " FROM generate_series(1, 5000) v"
    )
    plan = centre.rows(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT _valid_to FROM dataset.doanh_nghiep_history h WHERE _record_id = 'a'"
        " ORDER BY _ended_epoch DESC, _ended_version DESC, _ended_number DESC LIMIT 1"
    )[0]["QUERY PLAN"][0]["Plan"]
    assert plan["Plans"][0]["Actual Rows"] == 1
