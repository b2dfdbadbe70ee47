"""The centre as of a moment: two clocks, what is not known, and SQL that says the same as the reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from centre_rows import (
    DATASET,
    DICTIONARY,
    EPOCH,
    KEY_RULE,
    NAME_RULE,
    RULES,
    START,
    TABLE,
    R,
    make_batch,
    make_dictionary,
)

from lienthong.adapters.postgres.centre_reader import PostgresCentreReader
from lienthong.adapters.postgres.centre_schema import grant_reader
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.time_travel import install
from lienthong.centre.reading import LookupOutcome
from lienthong.centre.refusals import DatasetNotPrepared
from lienthong.centre.time_travel import Knowledge
from lienthong.centre.time_travel_refusals import ElementWithoutCodes, MomentWithoutZone, PastInUse, PastNotPrepared
from lienthong.dictionary.model import DatasetId, Datatype, ElementId
from lienthong.sources.change import Position, SourceId

KEY = "0101234567"
SECOND = timedelta(seconds=1)
CENTRE = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)  # the centre's clock, a day behind the sources'
OTHER = SourceId("bac-lieu")


def source_at(seconds):
    return START + seconds * SECOND


def centre_at(minutes):
    return CENTRE + timedelta(minutes=minutes)


@pytest.fixture
def database(make_database):
    return make_database("past")


class Told:
    """A centre that read its source whole at second 0, and what is asked of it."""

    def __init__(self, database):
        self.database = database
        self.store = PostgresCentreStore(database.url)
        self.store.prepare(DICTIONARY, {DATASET: RULES})
        install(database.url, password=None, dictionary=DICTIONARY)
        self.guest_url = database.role("reader")
        with psycopg.connect(database.url) as connection:
            grant_reader(connection, database.user_of(self.guest_url))
        self.reader = PostgresCentreReader(self.guest_url, DICTIONARY)
        self.past = self.reader.history()

    def snapshot(self, *rows, minute, at=0, source=None, finish=True):
        named = {} if source is None else {"source": source}
        start = Position(commit=100 + at)
        self.store.begin_snapshot(
            named.get("source", SourceId("ca-mau")), epoch=EPOCH, position=start, plan_digest="p", rows_estimated=1,
            at=centre_at(minute),
        )  # fmt: skip
        if rows:
            self.store.apply(make_batch(list(rows), end=100 + at, snapshot=True, **named), at=centre_at(minute))
        if finish:
            self.store.finish_snapshot(
                named.get("source", SourceId("ca-mau")),
                tables=[(TABLE, DATASET)],
                position=start,
                at=centre_at(minute),
            )

    def apply(self, *rows, end, minute):
        return self.store.apply(make_batch(list(rows), end=end), at=centre_at(minute))

    def outcome(self, seconds, *, minute=None, key=KEY):
        known_at = None if minute is None else centre_at(minute)
        return self.past.record_as_of(DATASET, [key], source_at(seconds), known_at).outcome

    def name(self, seconds, *, minute=None, key=KEY):
        known_at = None if minute is None else centre_at(minute)
        found = self.past.record_as_of(DATASET, [key], source_at(seconds), known_at)
        return found.versions[0].record.values["ten"] if found.outcome is LookupOutcome.FOUND else None

    def sql(self, question, *facts):
        with psycopg.connect(self.guest_url) as connection:
            return connection.execute(question, facts).fetchall()

    def close(self):
        self.reader.close()
        self.store.close()


@pytest.fixture
def told(database):
    made = Told(database)
    yield made
    made.close()


def good(at, *, second, key=KEY, name="Công ty A", record="a", **more):
    return R(id=record, at=at, seconds=second, key=key, name=name, **more)


def test_each_version_is_valid_from_its_commit_to_the_next_one(told):
    told.snapshot(good(100, second=0, name="Một"), minute=0)
    told.apply(good(110, second=10, name="Hai"), good(120, second=20, name="Ba"), end=130, minute=1)
    assert [told.name(second) for second in (0, 9.999, 10, 19.999, 20, 9_999)] == [
        *("Một", "Một", "Hai", "Hai", "Ba", "Ba")
    ]


def test_what_arrived_late_was_not_known_before_it_arrived(told):
    told.snapshot(good(100, second=0, name="Một"), minute=0)
    told.apply(good(110, second=10, name="Hai"), end=120, minute=60)
    assert told.name(15) == "Hai"
    assert told.name(15, minute=59) == "Một"
    assert told.name(15, minute=60) == "Hai"
    (version,) = told.past.record_as_of(DATASET, [KEY], source_at(15), centre_at(59)).versions
    assert (version.valid_to, version.ended_by, version.ended_at) == (None, None, None)
    (version,) = told.past.record_as_of(DATASET, [KEY], source_at(5)).versions
    assert (version.valid_to, version.ended_by, version.ended_at) == (source_at(10), "UPDATE", centre_at(60))


def test_a_moment_before_the_first_snapshot_is_not_known_and_never_empty(told):
    assert told.outcome(5) is None
    assert told.past.count_as_of(DATASET, source_at(5)).rows is None
    told.snapshot(good(100, second=0), minute=0)
    for answer in (
        told.past.record_as_of(DATASET, [KEY], source_at(-1)),
        told.past.count_as_of(DATASET, source_at(-1)),
        told.past.count_as_of(DATASET, source_at(5), centre_at(-1)),
    ):
        assert answer.knowledge is Knowledge.NOT_KNOWN
        assert getattr(answer, "rows", None) is None
        assert getattr(answer, "outcome", None) is None
    with pytest.raises(psycopg.Error) as refused:
        told.sql("SELECT count(*) FROM dataset.doanh_nghiep_as_of(%s)", source_at(-1))
    assert refused.value.sqlstate == "LT303"


def test_a_first_snapshot_under_way_tells_nothing_yet(told):
    told.snapshot(good(100, second=0), minute=0, finish=False)
    assert told.outcome(1) is None
    assert told.past.count_as_of(DATASET, source_at(1)).knowledge is Knowledge.NOT_KNOWN


def test_an_empty_table_is_known_to_be_empty(told):
    told.snapshot(minute=0)
    known_from = told.past.count_as_of(DATASET, source_at(0)).sources[0].known_from
    count = told.past.count_as_of(DATASET, known_from)
    assert (count.knowledge, count.rows) == (Knowledge.KNOWN, 0)
    assert told.past.record_as_of(DATASET, [KEY], known_from).outcome is LookupOutcome.NOT_FOUND


def test_a_source_that_joined_later_makes_a_missing_record_unknown(told):
    told.snapshot(good(100, second=0), minute=0)
    told.snapshot(good(150, second=50, key="9", record="z"), minute=1, at=50, source=OTHER)
    count = told.past.count_as_of(DATASET, source_at(10))
    assert (count.knowledge, count.rows) == (Knowledge.PARTLY, 1)
    assert {each.source: each.known_from for each in count.sources} == {
        "ca-mau": source_at(0),
        OTHER: source_at(50),
    }
    assert told.outcome(10, key="9") is None
    assert told.outcome(10) is LookupOutcome.FOUND
    assert told.outcome(60, key="9") is LookupOutcome.FOUND
    assert told.outcome(60, key="8") is LookupOutcome.NOT_FOUND


def test_a_record_is_found_under_the_key_it_had_then(told):
    told.snapshot(good(100, second=0, key="1"), minute=0)
    told.apply(good(110, second=10, key="2"), end=120, minute=1)
    assert told.outcome(5, key="1") is LookupOutcome.FOUND
    assert told.outcome(5, key="2") is LookupOutcome.NOT_FOUND
    assert told.outcome(15, key="1") is LookupOutcome.NOT_FOUND
    assert told.outcome(15, key="2") is LookupOutcome.FOUND


def test_a_withdrawn_record_is_cancelled_from_its_end_on_and_found_again_after_its_return(told):
    told.snapshot(good(100, second=0), minute=0)
    told.apply(good(110, second=10, event="CANCEL"), end=120, minute=1)
    told.apply(good(130, second=30, event="NEW", name="Về lại"), end=140, minute=2)
    assert [told.outcome(second) for second in (5, 10, 29)] == [
        *(LookupOutcome.FOUND, LookupOutcome.CANCELLED, LookupOutcome.CANCELLED)
    ]
    assert told.name(30) == "Về lại"
    assert told.outcome(20, minute=0) is LookupOutcome.FOUND


def test_two_records_claiming_a_key_at_one_moment_are_disputed_then_only(told):
    told.snapshot(good(100, second=0), minute=0)
    told.apply(good(110, second=10, record="b"), end=120, minute=1)
    told.apply(good(130, second=30, record="b", key="7"), end=140, minute=2)
    assert [told.outcome(second) for second in (5, 15, 35)] == [
        *(LookupOutcome.FOUND, LookupOutcome.DISPUTED, LookupOutcome.FOUND)
    ]


def test_a_record_held_in_quarantine_is_incomplete_until_its_release(told):
    told.snapshot(minute=0)
    told.apply(good(200_110, second=200_010, bad=True), end=200_120, minute=1)
    told.apply(good(200_130, second=200_030, name="Sửa rồi"), end=200_140, minute=2)
    held = told.past.record_as_of(DATASET, [KEY], source_at(200_015))
    assert held.outcome is LookupOutcome.INCOMPLETE
    assert [(reason.rule, reason.element, reason.observed) for reason in held.reasons] == [(KEY_RULE, "ma_so", None)]
    assert told.name(200_030) == "Sửa rồi"
    assert told.outcome(200_029) is LookupOutcome.INCOMPLETE
    assert told.outcome(200_035, minute=1) is LookupOutcome.INCOMPLETE
    assert told.outcome(200_005) is LookupOutcome.NOT_FOUND


def test_a_bad_change_leaves_the_version_before_it_valid(told):
    told.snapshot(good(100, second=0, name="Một"), minute=0)
    told.apply(good(110, second=10, name="Hỏng", bad=True), end=120, minute=1)
    assert told.name(15) == "Một"


def test_a_new_snapshot_that_finds_the_same_makes_no_version(told):
    told.snapshot(good(100, second=0, name="Một"), minute=0)
    told.snapshot(good(150, second=50, name="Một"), minute=1, at=50)
    told.snapshot(good(160, second=60, name="Hai"), minute=2, at=60)
    versions = told.past.versions(DATASET, "a")
    assert [(each.record.values["ten"], each.valid_from, each.valid_to) for each in versions] == [
        ("Một", source_at(0), source_at(60)),
        ("Hai", source_at(60), None),
    ]


def test_a_version_names_the_rules_it_failed_and_not_what_was_seen(told):
    told.snapshot(good(100, second=0, failed=(NAME_RULE,)), minute=0)
    told.apply(good(110, second=10), end=120, minute=1)
    before, after = (told.past.record_as_of(DATASET, [KEY], source_at(second)).versions[0] for second in (5, 15))
    assert [(f.rule, f.element, f.severity, f.observed) for f in before.record.findings] == [
        (NAME_RULE, "ten", "warning", None)
    ]
    assert after.record.findings == ()


def test_a_version_says_where_it_came_from(told):
    told.snapshot(good(100, second=0), minute=0)
    receipt = told.apply(good(110, second=10), end=120, minute=1)
    told.apply(good(130, second=30), end=140, minute=2)
    (version,) = told.past.record_as_of(DATASET, [KEY], source_at(15)).versions
    origin = version.record.provenance
    assert (origin.record_id, origin.version, origin.batch_id, origin.applied_at, origin.source_time) == (
        *("a", 110, receipt.batch_id, centre_at(1), source_at(10)),
    )


@pytest.mark.parametrize("key", [[], [""], [KEY, "2"], ["x" * 100_000], [KEY + "\x00"], ["' OR '1'='1"]])
def test_a_key_no_record_can_have_is_not_found(told, key):
    told.snapshot(good(100, second=0), minute=0)
    assert told.past.record_as_of(DATASET, key, source_at(5)).outcome is LookupOutcome.NOT_FOUND


def test_moments_without_a_time_zone_are_refused_by_every_question(told):
    naive = datetime(2026, 11, 1, 15, 0)  # noqa: DTZ001 - the wrong case itself
    for ask in (
        lambda: told.past.record_as_of(DATASET, [KEY], naive),
        lambda: told.past.record_as_of(DATASET, [KEY], source_at(1), naive),
        lambda: told.past.count_as_of(DATASET, naive),
    ):
        with pytest.raises(MomentWithoutZone) as refused:
            ask()
        assert "2026-11-01T15:00:00+07:00" in refused.value.remedy


def test_sql_gives_typed_rows_and_the_versions_of_a_record_to_a_reading_role(told):
    told.snapshot(good(100, second=0, name="Một"), minute=0)
    told.apply(good(110, second=10, name="Hai"), end=120, minute=60)
    (row,) = told.sql(
        "SELECT ten, von + 1, ngay_cap, _valid_to FROM dataset.doanh_nghiep_as_of(%s) WHERE ma_so = %s",
        *(source_at(5), KEY),
    )
    assert (row[0], str(row[1]), str(row[2]), row[3]) == ("Một", "1500001.50", "2019-04-30", source_at(10))
    question = "SELECT ten FROM dataset.doanh_nghiep_as_of(%s, %s)"
    assert told.sql(question, source_at(15), centre_at(59)) == [("Một",)]
    assert told.sql("SELECT ten, _known_to FROM dataset.doanh_nghiep_versions('a')") == [
        ("Một", centre_at(60)),
        ("Hai", None),
    ]
    with pytest.raises(psycopg.errors.NullValueNotAllowed):
        told.sql("SELECT * FROM dataset.doanh_nghiep_as_of(NULL)")


def test_a_role_without_rights_on_the_tables_gets_nothing_through_the_functions(told, database):
    told.snapshot(good(100, second=0), minute=0)
    stranger = database.role("stranger")
    with psycopg.connect(stranger) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM dataset.doanh_nghiep_as_of(now())")


def test_one_record_is_looked_up_by_index_and_a_count_reads_no_rows(told):
    told.snapshot(good(100, second=0), minute=0)
    rows = [good(110, second=1, record=f"r{each}", key=f"k{each}") for each in range(3_000)]
    told.apply(*rows, end=120, minute=1)
    changed = [good(130, second=2, record=f"r{each}", key=f"k{each}", name="B") for each in range(3_000)]
    told.apply(*changed, end=140, minute=2)
    with psycopg.connect(told.database.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE dataset.doanh_nghiep, dataset.doanh_nghiep_history, lienthong.batch")
        plan = "\n".join(
            str(line)
            for (line,) in connection.execute(
                "EXPLAIN SELECT * FROM dataset.doanh_nghiep_as_of(%s) WHERE ma_so = 'k77'", [source_at(1.5)]
            )
        )
    assert "doanh_nghiep_history_key" in plan
    assert "Seq Scan on doanh_nghiep" not in plan
    assert "Function Scan" not in plan
    assert told.past.count_as_of(DATASET, source_at(1.5)).rows == 3_001


# -- making the functions -----------------------------------------------------------------------------------------


def test_making_the_functions_again_changes_nothing_and_a_new_field_appears(told, database):
    told.snapshot(good(100, second=0), minute=0)
    oids = told.sql("SELECT oid FROM pg_proc WHERE proname LIKE 'doanh_nghiep\\_%%' ORDER BY 1")
    install(database.url, password=None, dictionary=DICTIONARY)
    assert told.sql("SELECT oid FROM pg_proc WHERE proname LIKE 'doanh_nghiep\\_%%' ORDER BY 1") == oids
    with psycopg.connect(database.url) as connection:
        for table in ("doanh_nghiep", "doanh_nghiep_history"):
            connection.execute(f"ALTER TABLE dataset.{table} ADD COLUMN mo_ta text")
    wider = make_dictionary(types={"ma_so": Datatype.TEXT, "mo_ta": Datatype.TEXT}, version="2")
    install(database.url, password=None, dictionary=wider)
    assert told.sql("SELECT mo_ta FROM dataset.doanh_nghiep_as_of(%s)", source_at(1)) == [(None,)]


def test_a_view_of_the_operator_on_a_function_that_must_change_is_refused_and_kept(told, database):
    told.snapshot(good(100, second=0), minute=0)
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "CREATE VIEW dataset.cua_toi AS SELECT * FROM dataset.doanh_nghiep_as_of('2026-11-01 08:00:01+00')"
        )
    wider = make_dictionary(types={"ma_so": Datatype.TEXT, "ten": Datatype.TEXT}, version="2")
    with pytest.raises(PastInUse):
        install(database.url, password=None, dictionary=wider)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) FROM dataset.cua_toi").fetchone() == (1,)


def test_a_centre_made_before_says_what_to_do_and_knows_its_snapshots_afterwards(database):
    made = Told(database)
    try:
        made.snapshot(good(100, second=0), minute=0)
        with psycopg.connect(database.url) as connection:
            connection.execute("DELETE FROM lienthong.batch_dataset WHERE changes = 0")
            connection.execute("DROP FUNCTION lienthong.known_sources")
        with pytest.raises(PastNotPrepared):
            made.past.count_as_of(DATASET, source_at(1))
        install(database.url, password=None, dictionary=DICTIONARY)
        assert made.past.count_as_of(DATASET, source_at(1)).rows == 1
    finally:
        made.close()


def test_what_is_no_dataset_or_no_coded_element_is_refused(told):
    with pytest.raises(DatasetNotPrepared):
        told.past.count_as_of(DatasetId("khong-co"), source_at(1))
    with pytest.raises(ElementWithoutCodes):
        told.past.conformance_as_of(DATASET, ElementId("ten"), source_at(1))
