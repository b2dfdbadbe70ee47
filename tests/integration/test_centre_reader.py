"""What the faces may ask of the centre, with a role that can only read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from centre_rows import (
    DATASET,
    DICTIONARY,
    FULL,
    KEY_RULE,
    NAME_RULE,
    NOW,
    RULES,
    SOURCE,
    START,
    TABLE,
    UNIQUE_RULE,
    R,
    make_batch,
    make_dictionary,
    make_rules,
)

from lienthong.adapters.postgres.centre_reader import PostgresCentreReader
from lienthong.adapters.postgres.centre_schema import grant_reader
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.centre.ports import Phase
from lienthong.centre.reading import LookupOutcome
from lienthong.centre.refusals import CentreUnreachable, DatasetNotPrepared, QuestionTooLong, RightsMissing
from lienthong.dictionary.model import DatasetId, Datatype
from lienthong.sources.change import Position

KEY = "0101234567"


@pytest.fixture
def database(make_database):
    return make_database("centre")


@pytest.fixture
def store(database):
    store = PostgresCentreStore(database.url)
    store.prepare(DICTIONARY, {DATASET: RULES})
    begin(store)
    yield store
    store.close()


def begin(store):
    from centre_rows import EPOCH

    store.begin_snapshot(
        SOURCE, epoch=EPOCH, position=Position(commit=100), plan_digest="plan", rows_estimated=0, at=NOW
    )
    store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=100), at=NOW)


@pytest.fixture
def guest_url(database, store):
    url = database.role("reader")
    with psycopg.connect(database.url) as connection:
        grant_reader(connection, database.user_of(url))
    return url


@pytest.fixture
def reader(guest_url):
    reader = PostgresCentreReader(guest_url, DICTIONARY)
    yield reader
    reader.close()


def apply(store, *parts, end, at=NOW):
    return store.apply(make_batch(*parts, end=end), at=at)


# -- look-up -------------------------------------------------------------------------------------------------------


def test_a_record_is_found_with_values_provenance_and_findings(store, reader):
    receipt = apply(store, [R(id="a", at=110, key=KEY, event="NEW", failed=(NAME_RULE,))], end=120)
    answer = reader.lookup(DATASET, [KEY])
    assert answer.outcome is LookupOutcome.FOUND
    (record,) = answer.records
    assert record.values == {
        "ma_so": KEY,
        "ten": "Công ty A",
        "von": "1500000.50",
        "ngay_cap": "2019-04-30",
        "ngay_sinh": "1950-03",
        "nganh": ["0111", "46"],
        "so_lao_dong": 12,
        "hoat_dong": True,
        "cap_nhat": "2024-02-29T23:59:59.123456+00:00",
    }
    facts = record.provenance
    assert (facts.record_id, facts.event, facts.version, facts.source, facts.table, facts.position) == (
        "a",
        "NEW",
        110,
        "ca-mau",
        "public.doanh_nghiep",
        "0/6E",
    )
    assert (facts.batch_id, facts.applied_at, facts.dictionary_version) == (receipt.batch_id, NOW, "1")
    assert facts.source_time == START + timedelta(seconds=110)
    assert [(f.rule, f.element, f.severity) for f in record.findings] == [(NAME_RULE, "ten", "warning")]


def test_a_key_nobody_has_is_not_found(store, reader):
    apply(store, [R(id="a", at=110, key=KEY)], end=120)
    assert reader.lookup(DATASET, ["1"]).outcome is LookupOutcome.NOT_FOUND


@pytest.mark.parametrize("key", [[], [""], [KEY, "2"], ["x" * 100_000], [KEY + "\x00"], ["' OR '1'='1"]])
def test_an_impossible_key_is_not_found(store, reader, key):
    apply(store, [R(id="a", at=110, key=KEY)], end=120)
    assert reader.lookup(DATASET, key).outcome is LookupOutcome.NOT_FOUND


def test_a_key_two_records_claim_is_disputed_and_both_are_given(store, reader):
    apply(store, [R(id="a", at=110, key=KEY), R(id="b", at=111, key=KEY)], end=120)
    answer = reader.lookup(DATASET, [KEY])
    assert answer.outcome is LookupOutcome.DISPUTED
    assert [record.provenance.record_id for record in answer.records] == ["a", "b"]
    assert {f.rule for record in answer.records for f in record.findings} == {UNIQUE_RULE}


def test_a_record_only_in_quarantine_is_incomplete_and_says_why(store, reader):
    apply(store, [R(id="a", at=110, key=KEY, bad=True)], end=120)
    answer = reader.lookup(DATASET, [KEY])
    assert answer.outcome is LookupOutcome.INCOMPLETE
    assert answer.records == ()
    assert [reason.rule for reason in answer.reasons] == [KEY_RULE]


def test_a_kept_version_is_found_while_a_newer_one_is_held(store, reader):
    apply(store, [R(id="a", at=110, key=KEY)], end=120)
    apply(store, [R(id="a", at=130, key=KEY, bad=True)], end=140)
    assert reader.lookup(DATASET, [KEY]).outcome is LookupOutcome.FOUND


def test_a_withdrawn_record_is_cancelled(store, reader):
    apply(store, [R(id="a", at=110, key=KEY)], end=120)
    apply(store, [R(id="a", at=130, event="CANCEL")], end=140)
    assert reader.lookup(DATASET, [KEY]).outcome is LookupOutcome.CANCELLED


def test_a_key_a_living_record_once_had_is_not_found(store, reader):
    apply(store, [R(id="a", at=110, key=KEY)], end=120)
    apply(store, [R(id="a", at=130, key="0209999999")], end=140)
    assert reader.lookup(DATASET, [KEY]).outcome is LookupOutcome.NOT_FOUND


def test_a_withdrawn_and_returned_record_is_found(store, reader):
    apply(store, [R(id="a", at=110, key=KEY), R(id="a", at=111, event="CANCEL")], end=120)
    apply(store, [R(id="a", at=130, key=KEY, event="NEW")], end=140)
    assert reader.lookup(DATASET, [KEY]).outcome is LookupOutcome.FOUND


def test_a_text_that_is_no_value_of_the_keys_type_is_not_found(make_database):
    database = make_database("centre")
    numbered = make_dictionary(types={"ma_so": Datatype.INTEGER, "ten": Datatype.TEXT, "von": Datatype.DECIMAL})
    store = PostgresCentreStore(database.url)
    store.prepare(numbered, {DATASET: make_rules(numbered)})
    store.close()
    reader = PostgresCentreReader(database.url, numbered)
    assert reader.lookup(DATASET, ["abc"]).outcome is LookupOutcome.NOT_FOUND
    assert reader.lookup(DATASET, ["12"]).outcome is LookupOutcome.NOT_FOUND
    reader.close()


def test_exact_numbers_stay_exact(store, reader):
    apply(store, [R(id="a", at=110, key=KEY, values={"von": Decimal("0.10")})], end=120)
    assert reader.lookup(DATASET, [KEY]).records[0].values["von"] == "0.10"


# -- counts and lists ----------------------------------------------------------------------------------------------


def test_counts_come_from_the_batches(store, reader):
    apply(store, [R(id="a", at=110, key="1", failed=(NAME_RULE,)), R(id="b", at=111, bad=True)], end=120)
    apply(store, [R(id="a", at=130, key="1")], end=140)
    count = reader.counts()[DATASET]
    assert (count.rows, count.quarantined, count.history, count.findings) == (1, 1, 1, 1)


def test_rule_counts_are_the_newest_rule_sets_that_judged_something(store, reader):
    apply(store, [R(id="a", at=110, key="1", failed=(NAME_RULE,)), R(id="b", at=111, bad=True)], end=120)
    store.prepare(DICTIONARY, {DATASET: make_rules(DICTIONARY, digest="r2", reverse=True)})
    found = {count.rule: (count.passed, count.failed, count.not_applicable) for count in reader.rule_counts(DATASET)}
    assert found == {KEY_RULE: (1, 1, 0), NAME_RULE: (1, 1, 0), UNIQUE_RULE: (1, 0, 1), "CO05:von": (2, 0, 0)}
    assert next(iter(found)) == KEY_RULE


def test_failing_rows_are_masked_and_newest_first(store, reader):
    apply(store, [R(id="a", at=110, key=KEY, failed=(NAME_RULE,))], end=120)
    receipt = apply(store, [R(id="b", at=130, key="0309876543", bad=True, failed=(NAME_RULE,))], end=140)
    rows = reader.failing_rows(DATASET, NAME_RULE, limit=10)
    assert [(row.record_id, row.quarantined, row.source) for row in rows] == [
        ("b", True, "ca-mau"),
        ("a", False, "ca-mau"),
    ]
    assert rows[0].batch_id == receipt.batch_id
    for row, key in zip(rows, ["0309876543", KEY], strict=True):
        assert row.label
        assert key not in row.label
    assert len(reader.failing_rows(DATASET, NAME_RULE, limit=1)) == 1
    assert reader.failing_rows(DATASET, "XX:none", limit=10) == ()


def test_a_failing_row_without_a_key_has_an_empty_label(store, reader):
    apply(store, [R(id="a", at=110, key=None, bad=True)], end=120)
    assert [row.label for row in reader.failing_rows(DATASET, KEY_RULE, limit=10)] == [""]


def test_batches_are_listed_newest_first_with_their_equation(store, reader):
    apply(store, [R(id="a", at=110), R(id="b", at=111, bad=True, key="2")], end=0x120)
    line, start = reader.batches(limit=5)
    assert (line.read, line.applied, line.quarantined, line.superseded, line.filtered) == (2, 1, 1, 0, 0)
    assert (line.position, line.snapshot, line.source_time) == ("0/120", False, START + timedelta(seconds=111))
    assert start.snapshot
    assert len(reader.batches(limit=1)) == 1


def test_links_are_given_as_the_store_remembers_them(store, reader):
    (link,) = reader.links()
    assert link == store.link(SOURCE)
    assert link.phase is Phase.STREAM


# -- lag -----------------------------------------------------------------------------------------------------------


def test_the_share_of_changes_within_the_promise_is_counted_change_by_change(store, reader):
    rows = [R(id=str(seconds), key=str(seconds), at=110, number=seconds, seconds=0) for seconds in range(4)]
    apply(store, [*rows[:3], R(id="late", key="l", at=111, seconds=-100)], end=120, at=START + timedelta(seconds=60))
    assert reader.lag_share(DATASET, since=START, allowed_lag_s=60) == (3, 4)
    assert reader.lag_share(DATASET, since=START, allowed_lag_s=200) == (4, 4)
    assert reader.lag_share(DATASET, since=START, allowed_lag_s=1) == (0, 4)
    assert reader.lag_share(DATASET, since=START + timedelta(hours=1), allowed_lag_s=60) == (0, 0)


def test_rows_of_a_snapshot_have_no_lag(store, reader):
    from centre_rows import EPOCH

    store.begin_snapshot(
        SOURCE, epoch=EPOCH, position=Position(commit=200), plan_digest="p", rows_estimated=1, at=NOW
    )
    store.apply(make_batch([R(id="a", at=200)], end=200, snapshot=True), at=NOW)
    assert reader.lag_share(DATASET, since=START - timedelta(days=9), allowed_lag_s=60) == (0, 0)


# -- readers of the access journal ---------------------------------------------------------------------------------


def test_no_agency_has_read_where_no_gateway_keeps_a_journal(store, reader):
    assert reader.readers(DATASET, since=START) == 0


def test_agencies_that_got_a_record_are_counted_once(store, database, guest_url, reader):
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "CREATE TABLE lienthong.access_journal (at timestamptz, agency text, dataset text, records integer)"
        )
        connection.execute(
            "INSERT INTO lienthong.access_journal VALUES ('2026-11-10', 'A', 'doanh-nghiep', 1),"
            " ('2026-11-11', 'A', 'doanh-nghiep', 1), ('2026-11-11', 'B', 'doanh-nghiep', 0),"
            " ('2026-11-11', 'C', 'nhan-khau', 1), ('2026-10-01', 'D', 'doanh-nghiep', 1)"
        )
        connection.execute(f"GRANT SELECT ON lienthong.access_journal TO {database.user_of(guest_url)}")
    assert reader.readers(DATASET, since=START) == 1


# -- rights and trouble --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dataset.doanh_nghiep SET ten = 'x'",
        "DELETE FROM lienthong.quarantine",
        "INSERT INTO lienthong.finding DEFAULT VALUES",
        "CREATE TABLE lienthong.mine (a int)",
        "CREATE TABLE dataset.mine (a int)",
        "TRUNCATE dataset.doanh_nghiep_history",
        "SELECT nextval('lienthong.batch_id_seq')",
    ],
)
def test_the_readers_role_cannot_write(store, guest_url, statement):
    with (
        psycopg.connect(guest_url) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)),
    ):
        connection.execute(statement)


def test_a_role_without_the_grant_reads_nothing(store, database):
    reader = PostgresCentreReader(database.role("stranger"), DICTIONARY)
    with pytest.raises(RightsMissing):
        reader.links()
    reader.close()


def test_tables_made_after_the_grant_can_be_read(store, database, guest_url):
    wider = make_dictionary(types={"ma_so": Datatype.TEXT, "ten": Datatype.TEXT, "von": Datatype.DECIMAL})
    with psycopg.connect(database.url) as connection:
        connection.execute("DROP TABLE dataset.doanh_nghiep, dataset.doanh_nghiep_history")
    store.prepare(wider, {DATASET: make_rules(wider, digest="r3")})
    reader = PostgresCentreReader(guest_url, wider)
    assert reader.lookup(DATASET, ["1"]).outcome is LookupOutcome.NOT_FOUND
    reader.close()


def test_a_question_that_takes_too_long_is_given_up(store, guest_url, monkeypatch):
    monkeypatch.setitem(
        __import__("lienthong.adapters.postgres.centre_reader", fromlist=["_SESSION"])._SESSION,
        "statement_timeout",
        "100ms",
    )
    reader = PostgresCentreReader(guest_url, DICTIONARY)
    with pytest.raises(QuestionTooLong):
        reader._rows("SELECT pg_sleep(5)", {})
    reader.close()


def test_an_unknown_dataset_is_refused(reader):
    with pytest.raises(DatasetNotPrepared):
        reader.lookup(DatasetId("la"), ["1"])


def test_a_server_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr("lienthong.adapters.postgres.centre_reader.CONNECTION_WAIT_S", 0.2)
    reader = PostgresCentreReader("postgresql://u@127.0.0.1:1/centre", DICTIONARY)
    with pytest.raises(CentreUnreachable):
        reader.links()
    reader.close()


def test_a_connection_lost_between_questions_is_replaced(store, database, reader):
    reader.links()
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert len(reader.links()) == 1


def test_values_of_every_type_are_plain(store, reader):
    apply(store, [R(id="a", at=110, key=KEY, values=dict.fromkeys(FULL))], end=120)
    values = reader.lookup(DATASET, [KEY]).records[0].values
    assert {name for name, value in values.items() if value is not None} == {"ma_so", "ten"}
