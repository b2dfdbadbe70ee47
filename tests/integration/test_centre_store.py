"""What a batch does to the centre on PostgreSQL: one rule a test."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from centre_opened import AT, numbers, open_centre, start
from centre_rows import (
    DATASET,
    DICTIONARY,
    FULL,
    KEY_RULE,
    MONEY_RULE,
    NAME_RULE,
    RULES,
    SOURCE,
    START,
    UNIQUE_RULE,
    R,
    judged,
    make_batch,
    make_rules,
    truncation,
)

from lienthong.adapters.postgres import centre_store
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.centre.batch import BatchOutOfBalance
from lienthong.centre.refusals import (
    DatasetNotPrepared,
    EpochDiffers,
    PhaseDiffers,
    RecordNotStorable,
)
from lienthong.dictionary.model import DatasetId
from lienthong.sources.change import Epoch, Position, SourceId, TableName


@pytest.fixture
def database(make_database):
    return make_database("centre")


@pytest.fixture
def centre(database):
    with open_centre(database.url) as centre:
        yield centre


# -- one change at a time ------------------------------------------------------------------------------------------


def test_an_insert_is_kept_with_all_its_types_and_where_it_comes_from(centre):
    receipt = centre.apply([R(id="a", at=110, number=3, event="NEW")], end=120)
    assert numbers(receipt) == (1, 1, 0, 0, 0)
    row = centre.current["a"]
    assert {name: row[name] for name in FULL} == FULL
    assert (row["ma_so"], row["ten"]) == ("0101", "Công ty A")
    assert (row["_event"], row["_version"], row["_number"], row["_source"], row["_table"]) == (
        "NEW",
        110,
        3,
        "ca-mau",
        "public.doanh_nghiep",
    )
    assert (row["_batch"], row["_applied_at"], row["_dictionary"]) == (receipt.batch_id, AT, "1")
    assert row["_source_time"] == row["_valid_from"] == START + timedelta(seconds=110)
    assert row["_image"] == {"ma": "0101", "ten": "Công ty A"}
    assert row["_judgement"] == "pppp"


def test_an_update_moves_the_old_version_to_history(centre):
    centre.apply([R(id="a", at=110, event="NEW", name="Cũ")], end=120)
    receipt = centre.apply([R(id="a", at=130, name="Mới")], end=140)
    assert numbers(receipt) == (1, 1, 0, 0, 0)
    assert centre.current["a"]["ten"] == "Mới"
    (old,) = centre.history("a")
    assert (old["ten"], old["_version"], old["_ended_by"], old["_ended_version"]) == ("Cũ", 110, "UPDATE", 130)
    assert old["_valid_to"] == centre.current["a"]["_valid_from"] == START + timedelta(seconds=130)
    assert old["_ended_batch"] == receipt.batch_id


def test_a_cancel_moves_the_record_to_history_and_closes_its_findings(centre):
    centre.apply([R(id="a", at=110, event="NEW", failed=(NAME_RULE,))], end=120)
    receipt = centre.apply([R(id="a", at=130, event="CANCEL")], end=140)
    assert numbers(receipt) == (1, 1, 0, 0, 0)
    assert centre.current == {}
    assert [old["_ended_by"] for old in centre.history("a")] == ["CANCEL"]
    assert centre.open_findings() == set()
    assert receipt.findings_closed == 1
    assert set(centre.counters().values()) == {(0, 0, 0, 0)}


def test_a_key_change_is_one_change_that_cancels_one_record_and_makes_another(centre):
    centre.apply([R(id="a", at=110, event="NEW")], end=120)
    moved = [
        R(id="a", at=130, event="CANCEL"),
        R(id="b", at=130, event="NEW", counted=False),
    ]
    receipt = centre.apply(moved, end=140)
    assert numbers(receipt) == (1, 1, 0, 0, 0)
    assert set(centre.current) == {"b"}


def test_a_record_that_comes_back_after_a_cancel_starts_a_new_interval(centre):
    centre.apply([R(id="a", at=110, event="NEW")], end=120)
    centre.apply([R(id="a", at=130, event="CANCEL")], end=140)
    centre.apply([R(id="a", at=150, event="NEW")], end=160)
    (old,) = centre.history("a")
    assert old["_valid_to"] < centre.current["a"]["_valid_from"]


def test_a_source_clock_that_goes_back_never_makes_intervals_overlap(centre):
    centre.apply([R(id="a", at=110, event="NEW", seconds=500)], end=120)
    centre.apply([R(id="a", at=130, seconds=20), R(id="a", at=131, seconds=10)], end=140)
    spans = [(old["_valid_from"], old["_valid_to"]) for old in centre.history("a")]
    assert all(begin <= end for begin, end in spans)
    assert spans[0][1] == spans[1][0]
    assert spans[1][1] == centre.current["a"]["_valid_from"]
    assert centre.current["a"]["_source_time"] == START + timedelta(seconds=10)


def test_changes_no_mapping_takes_are_counted_as_filtered(centre):
    receipt = centre.apply([R(id="a", at=110)], end=120, filtered=3)
    assert numbers(receipt) == (4, 1, 0, 0, 3)


def test_a_batch_without_rows_moves_the_position(centre):
    centre.apply(end=120, filtered=2)
    assert centre.store.link(SOURCE).position == Position(commit=120)


# -- several changes of one record in a batch ----------------------------------------------------------------------


def test_versions_inside_a_batch_are_all_in_history(centre):
    rows = [R(id="a", at=110 + place, event="NEW" if not place else "UPDATE", name=str(place)) for place in range(3)]
    receipt = centre.apply(rows, end=120)
    assert numbers(receipt) == (3, 1, 0, 2, 0)
    assert [old["ten"] for old in centre.history("a")] == ["0", "1"]
    assert [old["_ended_version"] for old in centre.history("a")] == [111, 112]
    assert centre.current["a"]["ten"] == "2"


def test_an_insert_and_a_delete_in_one_batch_leave_history_only(centre):
    receipt = centre.apply([R(id="a", at=110, event="NEW"), R(id="a", at=111, event="CANCEL")], end=120)
    assert numbers(receipt) == (2, 1, 0, 1, 0)
    assert centre.current == {}
    assert [old["_ended_by"] for old in centre.history("a")] == ["CANCEL"]


def test_a_bad_row_settled_in_its_own_batch_is_kept_as_superseded(centre):
    receipt = centre.apply([R(id="a", at=110, bad=True), R(id="a", at=111)], end=120)
    assert numbers(receipt) == (2, 1, 0, 1, 0)
    assert centre.cases("a") == [("superseded", 110)]
    assert "a" in centre.current
    assert centre.open_findings() == set()


def test_a_good_row_before_a_bad_one_in_a_batch_becomes_current(centre):
    receipt = centre.apply([R(id="a", at=110, name="tốt"), R(id="a", at=111, bad=True)], end=120)
    assert numbers(receipt) == (2, 1, 1, 0, 0)
    assert centre.current["a"]["ten"] == "tốt"
    assert centre.cases("a") == [("open", 111)]


def test_two_parts_of_a_batch_are_applied_in_order(centre):
    receipt = centre.apply([R(id="a", at=110, name="một")], [R(id="a", at=111, name="hai")], end=120)
    assert numbers(receipt) == (2, 2, 0, 0, 0)
    assert centre.current["a"]["ten"] == "hai"
    assert [old["ten"] for old in centre.history("a")] == ["một"]


# -- quarantine ----------------------------------------------------------------------------------------------------


def test_a_bad_row_opens_a_case_with_its_image_and_reasons(centre):
    receipt = centre.apply([R(id="a", at=110, bad=True, key="07", failed=(NAME_RULE,))], end=120)
    assert numbers(receipt) == (1, 0, 1, 0, 0)
    (case,) = centre.rows("SELECT * FROM lienthong.quarantine")
    assert json.loads(case["image"]) == {"ma": "07", "ten": "Công ty A"}
    assert (case["rules"], case["business_key"], case["state"]) == ([KEY_RULE], ["07"], "open")
    assert (case["opened_batch"], case["opened_at"]) == (receipt.batch_id, AT)
    assert centre.current == {}
    assert centre.open_findings() == {("a", KEY_RULE), ("a", NAME_RULE)}


def test_the_last_good_version_stays_while_a_newer_bad_one_is_held(centre):
    centre.apply([R(id="a", at=110, name="tốt")], end=120)
    centre.apply([R(id="a", at=130, bad=True, name="xấu")], end=140)
    assert centre.current["a"]["ten"] == "tốt"
    assert centre.history("a") == []
    assert centre.cases("a") == [("open", 130)]
    assert json.loads(centre.store.images(DATASET, ["a"])["a"])["ten"] == "xấu"


def test_a_later_good_change_closes_the_case(centre):
    centre.apply([R(id="a", at=110, bad=True)], end=120)
    centre.apply([R(id="a", at=130)], end=140, at=AT + timedelta(days=1))
    assert centre.cases("a") == [("closed", 110)]
    assert centre.rows("SELECT closed_at FROM lienthong.quarantine")[0]["closed_at"] == AT + timedelta(days=1)
    assert centre.open_findings() == set()


def test_a_later_bad_change_takes_the_place_of_the_open_case(centre):
    centre.apply([R(id="a", at=110, bad=True)], end=120)
    centre.apply([R(id="a", at=130, bad=True)], end=140)
    assert centre.cases("a") == [("superseded", 110), ("open", 130)]


def test_a_cancel_closes_the_case_as_gone_and_cancels_the_kept_version(centre):
    centre.apply([R(id="a", at=110)], end=120)
    centre.apply([R(id="a", at=130, bad=True)], end=140)
    centre.apply([R(id="a", at=150, event="CANCEL")], end=160)
    assert centre.cases("a") == [("gone", 130)]
    assert centre.current == {}
    assert [old["_ended_by"] for old in centre.history("a")] == ["CANCEL"]
    assert set(centre.counters().values()) == {(0, 0, 0, 0)}


def test_a_key_that_cannot_be_indexed_does_not_stop_its_quarantine(centre):
    centre.apply([R(id="a", at=110, bad=True, key="7" * 5_000)], end=120)
    assert centre.rows("SELECT business_key FROM lienthong.quarantine") == [{"business_key": None}]


# -- findings and counters -----------------------------------------------------------------------------------------


def test_a_finding_keeps_the_day_it_was_found_while_it_stays(centre):
    centre.apply([R(id="a", at=110, failed=(NAME_RULE,))], end=120)
    receipt = centre.apply([R(id="a", at=130, failed=(NAME_RULE, MONEY_RULE))], end=140, at=AT + timedelta(days=2))
    found = centre.rows("SELECT rule, opened_at, severity, element FROM lienthong.finding ORDER BY rule")
    assert [(f["rule"], f["opened_at"], f["severity"], f["element"]) for f in found] == [
        (NAME_RULE, AT, "warning", "ten"),
        (MONEY_RULE, AT + timedelta(days=2), "error", "von"),
    ]
    assert (receipt.findings_opened, receipt.findings_closed) == (1, 0)


def test_a_finding_that_stays_shows_what_is_wrong_now(centre):
    centre.apply([R(id="a", at=110, name="cũ", failed=(NAME_RULE,))], end=120)
    centre.apply([R(id="a", at=130, name="mới", failed=(NAME_RULE,))], end=140)
    assert centre.rows("SELECT observed, opened_batch <= 2 AS first FROM lienthong.finding") == [
        {"observed": "mới•", "first": True}
    ]


def test_a_finding_that_is_no_longer_there_is_closed_and_kept(centre):
    centre.apply([R(id="a", at=110, failed=(NAME_RULE,))], end=120)
    receipt = centre.apply([R(id="a", at=130)], end=140)
    assert centre.open_findings() == set()
    (closed,) = centre.rows("SELECT closed_batch, closed_at FROM lienthong.finding")
    assert closed == {"closed_batch": receipt.batch_id, "closed_at": AT}


def test_only_the_last_row_of_a_record_has_open_findings(centre):
    centre.apply([R(id="a", at=110, failed=(MONEY_RULE,)), R(id="a", at=111, failed=(NAME_RULE,))], end=120)
    assert centre.open_findings() == {("a", NAME_RULE)}


def test_counters_follow_kept_and_held_records(centre):
    centre.apply(
        [R(id="a", at=110, key="1"), R(id="b", at=111, key="2", failed=(NAME_RULE,)), R(id="c", at=112, bad=True)],
        end=120,
    )
    assert centre.counters() == {
        KEY_RULE: (2, 1, 0, 0),
        NAME_RULE: (2, 1, 0, 0),
        UNIQUE_RULE: (2, 0, 1, 0),
        MONEY_RULE: (3, 0, 0, 0),
    }
    centre.apply([R(id="b", at=130, key="2"), R(id="c", at=131, event="CANCEL")], end=140)
    assert centre.counters()[NAME_RULE] == (2, 0, 0, 0)
    assert centre.counters()[KEY_RULE] == (2, 0, 0, 0)


def test_counters_of_another_rule_set_are_kept_apart(centre):
    centre.apply([R(id="a", at=110, key="1"), R(id="b", at=111, key="2")], end=120)
    newer = make_rules(DICTIONARY, digest="r2", reverse=True)
    centre.store.prepare(DICTIONARY, {DATASET: newer})
    centre.apply([R(id="a", at=130, key="1")], end=140, rules=newer)
    found = centre.rows("SELECT rule_set, rule, passed FROM lienthong.rule_counter WHERE place = 1 ORDER BY rule_set")
    assert [(row["rule"], row["passed"]) for row in found] == [(KEY_RULE, 1), (MONEY_RULE, 1)]


# -- uniqueness ----------------------------------------------------------------------------------------------------


def test_two_records_that_claim_one_key_both_fail(centre):
    centre.apply([R(id="a", at=110, key="5"), R(id="b", at=111, key="6")], end=120)
    receipt = centre.apply([R(id="c", at=130, key="5")], end=140)
    assert centre.open_findings() == {("a", UNIQUE_RULE), ("c", UNIQUE_RULE)}
    assert receipt.findings_opened == 2
    assert centre.counters()[UNIQUE_RULE] == (1, 2, 0, 0)
    assert centre.current["a"]["_judgement"] == "ppfp"
    assert centre.history("a") == []


@pytest.mark.parametrize(
    "change", [R(id="c", at=150, key="7"), R(id="c", at=150, event="CANCEL")], ids=["another-key", "cancel"]
)
def test_the_other_claimant_is_cleared_when_one_gives_up(centre, change):
    centre.apply([R(id="a", at=110, key="5"), R(id="c", at=111, key="5")], end=120)
    assert centre.open_findings() == {("a", UNIQUE_RULE), ("c", UNIQUE_RULE)}
    centre.apply([change], end=160)
    assert centre.open_findings() == set()
    assert centre.current["a"]["_judgement"] == "pppp"


def test_the_observed_value_of_a_shared_key_is_masked(centre):
    centre.apply([R(id="a", at=110, key="0101234567"), R(id="c", at=111, key="0101234567")], end=120)
    for finding in centre.rows("SELECT observed FROM lienthong.finding"):
        assert finding["observed"]
        assert "0101234567" not in finding["observed"]


def test_a_record_without_the_value_claims_nothing(centre):
    centre.apply([R(id="a", at=110, key=None), R(id="b", at=111, key=None)], end=120)
    assert centre.open_findings() == set()
    assert centre.counters()[UNIQUE_RULE] == (0, 0, 2, 0)


def test_a_held_newer_version_does_not_withdraw_the_claim_of_the_kept_one(centre):
    centre.apply([R(id="a", at=110, key="5"), R(id="b", at=111, key="6")], end=120)
    centre.apply([R(id="a", at=130, bad=True, key="9")], end=140)
    centre.apply([R(id="b", at=150, key="5")], end=160)
    assert {("a", UNIQUE_RULE), ("b", UNIQUE_RULE)} <= centre.open_findings()
    assert centre.counters()[UNIQUE_RULE] == (0, 2, 0, 0)


def test_claims_made_through_two_links_are_seen(centre):
    other, epoch = SourceId("bac-lieu"), Epoch(system="7002", timeline=1, database="agency", slot="s")
    start(centre.store, 5, epoch=epoch, source=other)
    centre.store.finish_snapshot(other, tables=[], position=Position(commit=5), at=AT)
    centre.apply([R(id="a", at=110, key="5")], end=120)
    centre.apply([R(id="z", at=6, key="5")], end=7, source=other, epoch=epoch)
    assert centre.open_findings() == {("a", UNIQUE_RULE), ("z", UNIQUE_RULE)}


def test_a_claim_judged_by_an_older_rule_set_is_cleared_too(centre):
    centre.apply([R(id="a", at=110, key="5"), R(id="b", at=111, key="5")], end=120)
    newer = make_rules(DICTIONARY, digest="r2", reverse=True)
    centre.store.prepare(DICTIONARY, {DATASET: newer})
    centre.apply([R(id="a", at=130, key="7")], end=140, rules=newer)
    assert centre.open_findings() == set()
    assert {row["_judgement"] for row in centre.current.values()} == {"pppp"}


def test_a_batch_sees_the_claims_of_a_batch_that_commits_while_it_waits(centre, database, monkeypatch):
    other, epoch = SourceId("bac-lieu"), Epoch(system="7002", timeline=1, database="agency", slot="s")
    start(centre.store, 5, epoch=epoch, source=other)
    centre.store.finish_snapshot(other, tables=[], position=Position(commit=5), at=AT)
    second = PostgresCentreStore(database.url)
    second.prepare(DICTIONARY, {DATASET: RULES})
    about_to_commit, go_on, settle = threading.Event(), threading.Event(), centre_store._settle

    def settle_slowly(work, **facts):
        receipt = settle(work, **facts)
        if work.batch.source == SOURCE:
            about_to_commit.set()
            assert go_on.wait(60)
        return receipt

    monkeypatch.setattr(centre_store, "_settle", settle_slowly)
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(centre.apply, [R(id="a", at=110, key="5")], end=120)
        assert about_to_commit.wait(60)
        batch = make_batch([R(id="z", at=6, key="5")], end=7, source=other, epoch=epoch)
        later = pool.submit(second.apply, batch, at=AT)
        while not centre.rows(waiting) and not later.done():
            time.sleep(0.01)
        go_on.set()
        first.result()
        later.result()
    second.close()
    assert centre.open_findings() == {("a", UNIQUE_RULE), ("z", UNIQUE_RULE)}


# -- truncation ----------------------------------------------------------------------------------------------------


def test_a_truncated_table_cancels_its_records_and_cases_and_counts_as_one_change(centre):
    other = TableName(schema="public", table="khac")
    centre.apply(
        [R(id="a", at=110, key="1"), R(id="b", at=111, bad=True)],
        judged([R(id="o", at=112, key="1")], table=other),
        end=120,
    )
    receipt = centre.apply(truncation(130), [R(id="n", at=130, number=1, key="3", event="NEW")], end=140)
    assert numbers(receipt) == (2, 2, 0, 0, 0)
    assert set(centre.current) == {"o", "n"}
    assert [old["_ended_by"] for old in centre.history("a")] == ["CANCEL"]
    assert centre.cases("b") == [("gone", 111)]
    assert centre.open_findings() == set()
    assert centre.counters()[UNIQUE_RULE] == (2, 0, 0, 0)


# -- again, late, wrong --------------------------------------------------------------------------------------------


def test_a_batch_sent_again_changes_nothing_and_gives_the_earlier_receipt(centre):
    batch = make_batch([R(id="a", at=110), R(id="b", at=111, bad=True)], end=120)
    first = centre.store.apply(batch, at=AT)
    again = centre.store.apply(batch, at=AT + timedelta(hours=1))
    assert again == first
    assert len(centre.rows("SELECT FROM lienthong.batch WHERE NOT snapshot")) == 1
    assert centre.history("a") == []


def test_an_earlier_batch_with_other_limits_has_no_effect(centre):
    centre.apply([R(id="a", at=110), R(id="a", at=125, event="CANCEL")], end=130)
    receipt = centre.apply([R(id="a", at=110)], end=120, filtered=1)
    assert (receipt.batch_id, *numbers(receipt)) == (0, 2, 0, 0, 1, 1)
    assert centre.current == {}


def test_changes_that_come_again_inside_a_new_batch_are_superseded(centre):
    centre.apply([R(id="a", at=110, event="NEW", name="một"), R(id="b", at=112, event="CANCEL")], end=120)
    receipt = centre.apply(
        [
            R(id="a", at=110, event="NEW", name="một"),
            R(id="b", at=112, event="CANCEL"),
            R(id="a", at=125, name="hai"),
        ],
        end=130,
    )
    assert numbers(receipt) == (3, 1, 0, 2, 0)
    assert [old["ten"] for old in centre.history("a")] == ["một"]


def test_a_row_older_than_what_is_stored_is_refused_by_the_guard(centre):
    """Two transports: the newer change came first, by a batch that says it ends earlier than it does."""
    centre.apply([R(id="a", at=150, name="mới")], end=120)
    receipt = centre.apply([R(id="a", at=130, name="cũ"), R(id="a", at=150, name="mới")], end=160)
    assert numbers(receipt) == (2, 0, 0, 2, 0)
    assert centre.current["a"]["ten"] == "mới"
    assert centre.history("a") == []


@pytest.mark.parametrize("event", ["UPDATE", "CANCEL"])
def test_a_change_that_is_stored_already_is_refused_by_the_guard_alone(centre, event):
    centre.apply([R(id="a", at=140, name="một"), R(id="a", at=150, event=event, name="hai")], end=120)
    before = (centre.current, centre.history("a"))
    receipt = centre.apply([R(id="a", at=150, event=event, name="hai")], end=160)
    assert numbers(receipt) == (1, 0, 0, 1, 0)
    assert (centre.current, centre.history("a")) == before


def test_a_truncation_that_comes_again_inside_a_new_batch_is_superseded(centre):
    centre.apply([R(id="a", at=110)], truncation(112), [R(id="b", at=115, key="2")], end=120)
    receipt = centre.apply(truncation(112), [R(id="b", at=115, key="2"), R(id="c", at=125, key="3")], end=130)
    assert numbers(receipt) == (3, 1, 0, 2, 0)
    assert set(centre.current) == {"b", "c"}


def test_a_row_older_than_the_cancel_does_not_bring_the_record_back(centre):
    centre.apply([R(id="a", at=150), R(id="a", at=155, event="CANCEL")], end=120)
    receipt = centre.apply([R(id="a", at=150)], end=160)
    assert numbers(receipt) == (1, 0, 0, 1, 0)
    assert centre.current == {}


def test_a_change_committed_exactly_at_the_stored_position_is_applied(centre):
    centre.apply([R(id="a", at=110)], end=120)
    receipt = centre.apply([R(id="a", at=120, name="kề")], end=130)
    assert numbers(receipt) == (1, 1, 0, 0, 0)
    assert centre.current["a"]["ten"] == "kề"


def test_a_batch_that_does_not_balance_is_rolled_back_whole(centre):
    with pytest.raises(BatchOutOfBalance):
        centre.apply([R(id="a", at=110)], end=120, read=2)
    assert centre.current == {}
    assert centre.store.link(SOURCE).position == Position(commit=100)
    assert centre.rows("SELECT FROM lienthong.batch WHERE NOT snapshot") == []


def test_the_journal_itself_refuses_a_line_that_does_not_balance(centre):
    with pytest.raises(psycopg.errors.CheckViolation):
        centre.execute(
            "INSERT INTO lienthong.batch (source, epoch_number, position, snapshot, read, applied, quarantined,"
            " superseded, filtered, findings_opened, findings_closed, applied_at, dictionary_version)"
            " VALUES ('x', 1, 1, false, 3, 1, 0, 0, 1, 0, 0, now(), '1')"
        )


def test_a_batch_of_another_epoch_is_refused(centre):
    other = Epoch(system="7001", timeline=2, database="agency", slot="lienthong")
    with pytest.raises(EpochDiffers) as refusal:
        centre.apply([R(id="a", at=110)], end=120, epoch=other)
    assert "7001/2" in str(refusal.value)
    assert centre.current == {}


def test_a_link_nobody_started_takes_no_batch(centre):
    with pytest.raises(PhaseDiffers):
        centre.apply([R(id="a", at=110)], end=120, source=SourceId("la"))


def test_a_stream_batch_during_a_snapshot_is_refused(centre):
    start(centre.store, 200)
    with pytest.raises(PhaseDiffers):
        centre.apply([R(id="a", at=210)], end=220)


def test_a_dataset_that_was_not_prepared_is_refused(database):
    store = PostgresCentreStore(database.url)
    with pytest.raises(DatasetNotPrepared):
        store.images(DatasetId("la"), ["a"])


# -- rows the database refuses -------------------------------------------------------------------------------------


def test_rows_the_database_refuses_go_to_quarantine_and_the_others_stay(centre):
    rows = [R(id=f"r{place}", at=110, number=place, key=str(place)) for place in range(50)]
    rows[7] = R(id="r7", at=110, number=7, key="7", values={"von": Decimal("123456789012.00")})
    rows[31] = R(id="r31", at=110, number=31, key="31", values={"ngay_sinh": "1950-13"})
    receipt = centre.apply(rows, end=120)
    assert numbers(receipt) == (50, 48, 2, 0, 0)
    held = centre.rows("SELECT record_id, detail, business_key, image FROM lienthong.quarantine ORDER BY record_id")
    assert [(case["record_id"], case["detail"], case["business_key"]) for case in held] == [
        ("r31", "SQLSTATE 23514", ["31"]),
        ("r7", "SQLSTATE 22003", ["7"]),
    ]
    assert json.loads(held[1]["image"])["ma"] == "7"
    assert len(centre.current) == 48
    assert centre.counters()[MONEY_RULE] == (50, 0, 0, 0)


def test_a_key_too_long_for_the_index_goes_to_quarantine(centre):
    noise = "".join(chr(0x4E00 + (place * 7919) % 20_000) for place in range(4_000))
    receipt = centre.apply([R(id="a", at=110, key="1"), R(id="b", at=111, key=noise)], end=120)
    assert numbers(receipt) == (2, 1, 1, 0, 0)
    assert set(centre.current) == {"a"}
    assert centre.cases("b") == [("open", 111)]


def test_counters_stay_right_when_the_database_refuses_a_row_late(centre):
    """A key too long for the index is refused after the verdicts of the records were already counted."""
    noise = "".join(chr(0x4E00 + (place * 7919) % 20_000) for place in range(4_000))
    centre.apply([R(id=name, at=110, key=name, failed=(NAME_RULE,)) for name in "abc"], end=120)
    centre.apply([R(id="a", at=130, key="a"), R(id="b", at=131, key=noise), R(id="c", at=132, key="c")], end=140)
    counted = {
        count.rule: (count.passed, count.failed, count.not_applicable, count.not_evaluated)
        for count in centre.store.recount(DATASET)
    }
    assert centre.counters() == counted
    assert counted[NAME_RULE] == (3, 0, 0, 0)
    assert centre.rows("SELECT rows, quarantined, history, findings FROM lienthong.dataset_state") == [
        {"rows": 3, "quarantined": 1, "history": 2, "findings": 0}
    ]


def test_a_refused_row_in_the_middle_of_a_chain_keeps_the_versions_around_it(centre):
    rows = [
        R(id="a", at=110, event="NEW", name="một"),
        R(id="a", at=111, name="hai", values={"von": Decimal("123456789012.00")}),
        R(id="a", at=112, name="ba"),
    ]
    receipt = centre.apply(rows, end=120)
    assert receipt.read == 3
    assert [old["ten"] for old in centre.history("a")] == ["một"]
    assert centre.current["a"]["ten"] == "ba"
    assert [state for state, _ in centre.cases("a")] == ["closed"]


def test_a_change_that_fits_nowhere_stops_the_link_and_stores_nothing(centre):
    with pytest.raises(RecordNotStorable) as refusal:
        centre.apply([R(id="a", at=110, key="1"), R(id="x" * 2_000 + "\x00", at=111, bad=True)], end=120)
    assert "0/6F" in str(refusal.value)
    assert centre.current == {}


# -- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\\N",
        "\\.",
        "a\tb\nc\rd\\e",
        '"',
        "'; DROP TABLE x; --",
        "Nguye\u0302\u0303n",
        "\u202e",
        "😀",
        "NULL",
    ],
)
def test_a_text_is_kept_exactly(centre, text):
    row = R(id="a", at=110, name=text, values={"nganh": [text, "NULL", "{}", "a,b"]}, image=json.dumps({"ten": text}))
    centre.apply([row], end=120)
    stored = centre.current["a"]
    assert stored["ten"] == text
    assert stored["nganh"] == [text, "NULL", "{}", "a,b"]
    assert stored["_image"] == {"ten": text}


def test_absent_values_are_null_and_an_empty_list_is_empty(centre):
    centre.apply([R(id="a", at=110, values={**dict.fromkeys(FULL), "nganh": []})], end=120)
    row = centre.current["a"]
    assert row["nganh"] == []
    assert {row[name] for name in FULL if name != "nganh"} == {None}


def test_an_image_of_ten_megabytes_with_escapes_is_kept_and_given_back_exactly(centre):
    image = json.dumps({"ghi_chu": 'Ghi "chú"\\\n\u0007' + "đ" * 5_000_000, "nul": "\u0000"}, ensure_ascii=False)
    centre.apply([R(id="a", at=110, image=image), R(id="b", at=111, image=image, bad=True)], end=120)
    assert centre.store.images(DATASET, ["a", "b", "c"]) == {"a": image, "b": image}


def test_extreme_values_of_each_type_are_exact(centre):
    extreme = {
        "von": Decimal("-99999999.99"),
        "so_lao_dong": -(2**63),
        "cap_nhat": datetime(1, 1, 1, tzinfo=UTC),
        "ngay_sinh": "0001",
        "hoat_dong": False,
    }
    centre.apply([R(id="a", at=110, values=extreme)], end=120)
    stored = centre.current["a"]
    assert {name: stored[name] for name in extreme} == extreme
