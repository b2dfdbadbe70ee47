"""Measurements over live data: what a rule over other records says, how runs end, what they keep."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta

import psycopg
import pytest
from measuring_rows import (
    AGE_RULE,
    AGED,
    AGREEMENT_RULE,
    CARD,
    CARD_RULES,
    DICTIONARY,
    NEAR_RULE,
    PERSON,
    REFERENCE_RULE,
    ROW_RULE,
    RULE_SETS,
    SEVERAL_RULE,
    SHARED_RULE,
    START,
    TO_PERSON,
    Two,
    judged,
    rule,
    rule_set,
)

from lienthong.adapters.postgres.measuring import PostgresMeasuring
from lienthong.adapters.resemblance import JaroWinkler
from lienthong.centre.measuring import BLOCK_RECORDS_MAX, Extent, ResultState, RunState
from lienthong.centre.refusals import MeasurementFault, MeasurementTooLong, MeasurementUnderWay
from lienthong.check.engine import Checker
from lienthong.check.verdict import Comparison
from lienthong.clock import FixedClock

NOW = START + timedelta(days=1)


@pytest.fixture
def two(make_database):
    made = Two(url=make_database("centre").url)
    with closing(made.store):
        yield made


@pytest.fixture
def alike():
    with closing(JaroWinkler()) as resembles:
        yield resembles


@pytest.fixture
def measuring(two, alike):
    return PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=FixedClock(NOW))


def ask(two, question, *facts):
    with psycopg.connect(two.url) as connection:
        return connection.execute(question, facts).fetchall()


def letters(two, measurement, name):
    rows = ask(
        two,
        "SELECT passed, failed, not_applicable, not_evaluated FROM lienthong.measurement_rule"
        " WHERE measurement = %s AND rule = %s",
        measurement.id,
        name,
    )
    return rows[0]


def open_findings(two, name):
    return {
        row[0]
        for row in ask(two, "SELECT record_id FROM lienthong.finding WHERE rule = %s AND closed_at IS NULL", name)
    }


def person(so, **values):
    return (so, {"so": so, "ten": "An", "ngay_sinh": "1990-01-02", "gioi": "1", "diem": 3, **values})


def card(ma, so, **values):
    return (ma, {"ma": ma, "so": so, "ten": "An", "ngay_sinh": "1990-01-02", "gioi": "1", "diem": 3, **values})


def test_a_reference_fails_where_the_compared_record_is_missing_and_does_not_apply_without_a_value(two, measuring):
    two.change((PERSON, [person("1")]), (CARD, [card("a", "1"), card("b", "2"), card("c", None)]))
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert (run.run_state, run.result_state) == (RunState.COMPLETED, ResultState.FOUND)
    assert (run.rows_present, run.rows_examined) == (3, 3)
    assert letters(two, run, REFERENCE_RULE) == (1, 1, 1, 0)
    assert open_findings(two, REFERENCE_RULE) == {"the/b"}


def test_agreement_tells_a_difference_from_what_cannot_be_known(two, measuring):
    two.change(
        (PERSON, [person("1"), person("2", ngay_sinh=None), person("3", ngay_sinh="1990")]),
        (
            CARD,
            [
                card("same", "1"),
                card("differs", "1", ngay_sinh="1991-01-02"),
                card("empty", "1", ngay_sinh=None),
                card("lacking", "2"),
                card("less", "3"),
                card("nobody", "9"),
            ],
        ),
    )
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert letters(two, run, AGREEMENT_RULE) == (1, 1, 2, 2)
    assert open_findings(two, AGREEMENT_RULE) == {"the/differs"}
    (observed,) = ask(two, "SELECT observed FROM lienthong.finding WHERE rule = %s", AGREEMENT_RULE)
    assert observed == ("1991-01-02 ≠ 1990-01-02",)


def test_a_finding_shows_personal_values_masked(two, measuring):
    two.change((PERSON, [person("1", ten="Bình")]), (CARD, [card("a", "1", ten="Nguyễn Văn An")]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    ((observed,),) = ask(two, "SELECT observed FROM lienthong.finding WHERE rule = %s", SEVERAL_RULE)
    assert "Nguyễn" not in observed
    assert "Bình" not in observed
    assert observed.startswith("N")


def test_people_who_claim_one_number_and_disagree_leave_the_agreement_open(two, measuring):
    first, second = person("1"), person("1", ngay_sinh="1980-01-01")
    two.change((PERSON, [first, ("other", second[1])]), (CARD, [card("a", "1")]))
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert letters(two, run, AGREEMENT_RULE) == (0, 0, 0, 1)


def test_names_that_differ_in_tone_marks_only_are_near_duplicates(two, measuring):
    two.change(
        (
            CARD,
            [
                card("a", "1", ten="Nguyễn Văn Ánh"),
                card("b", "2", ten="NGUYEN VAN ANH"),
                card("c", "3", ten="Lê Thị Hồng Đào"),
                card("d", "4", ten="Nguyễn Văn Ánh", gioi="2"),
                card("e", "5", ten=None),
            ],
        )
    )
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert open_findings(two, NEAR_RULE) == {"the/a", "the/b"}
    assert letters(two, run, NEAR_RULE) == (2, 2, 1, 0)


def test_a_block_too_large_to_compare_is_reported_as_not_evaluated(two, measuring):
    many = BLOCK_RECORDS_MAX + 1
    two.change((CARD, [card(f"{n}", None, ten=f"Người {n}") for n in range(many)]))
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert letters(two, run, NEAR_RULE) == (0, 0, 0, many)
    assert open_findings(two, NEAR_RULE) == set()


def test_records_that_share_a_number_exactly_all_fail_however_many_there_are(two, measuring):
    many = BLOCK_RECORDS_MAX + 1
    two.change((CARD, [card(f"{n}", "1", gioi=f"{n}") for n in range(many)] + [card("x", "2"), card("y", None)]))
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert letters(two, run, SHARED_RULE) == (1, many, 1, 0)


def test_a_database_that_never_sent_a_record_says_nothing_about_anybody(make_database, alike):
    two = Two(url=make_database("centre").url, met=False)
    with closing(two.store):
        measuring = PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=FixedClock(NOW))
        two.change((CARD, [card("a", "1")]))
        run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
        assert letters(two, run, REFERENCE_RULE) == (0, 0, 0, 1)
        assert open_findings(two, REFERENCE_RULE) == set()
        assert measuring.run(CARD_RULES, extent=Extent.CHANGED).extent is Extent.CHANGED
        two.change((PERSON, [person("2")]))
        run = measuring.run(CARD_RULES, extent=Extent.CHANGED)
        assert letters(two, run, REFERENCE_RULE) == (0, 1, 0, 0)


def test_a_rule_about_age_tells_another_thing_on_another_day(two, alike):
    rules = rule_set(CARD, [ROW_RULE, AGED])
    two.change((CARD, [card("a", "1")]))
    clock = FixedClock(START + timedelta(days=10))
    measuring = PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=clock)
    assert letters(two, measuring.run(rules, extent=Extent.CHANGED), AGE_RULE) == (1, 0, 0, 0)
    clock.moment = START + timedelta(days=11)
    assert letters(two, measuring.run(rules, extent=Extent.CHANGED), AGE_RULE) == (0, 1, 0, 0)
    clock.moment = START - timedelta(days=1)
    assert letters(two, measuring.run(rules, extent=Extent.CHANGED), AGE_RULE) == (0, 0, 1, 0)


def test_a_batch_leaves_the_finding_of_a_rule_about_age_to_the_next_measurement(make_database, alike):
    rules = rule_set(CARD, [ROW_RULE, AGED])
    two = Two(url=make_database("centre").url, rule_sets={**RULE_SETS, CARD: rules})
    with closing(two.store):
        two.change((CARD, [card("a", "1")]))
        clock = FixedClock(START + timedelta(days=100))
        PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=clock).run(rules, extent=Extent.WHOLE)
        two.change((CARD, [card("a", "2")]))
        assert open_findings(two, AGE_RULE) == {"the/a"}


def test_a_mended_record_closes_its_finding_and_a_recurrence_opens_a_new_one(two, measuring):
    two.change((CARD, [card("a", "1")]))
    first = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    two.change((PERSON, [person("1")]))
    second = measuring.run(CARD_RULES, extent=Extent.CHANGED)
    two.change((PERSON, [("1", None)]))
    third = measuring.run(CARD_RULES, extent=Extent.CHANGED)
    assert ask(
        two,
        "SELECT opened_measurement, closed_measurement, opened_batch, closed_batch FROM lienthong.finding"
        " WHERE rule = %s ORDER BY id",
        REFERENCE_RULE,
    ) == [(first.id, second.id, None, None), (third.id, None, None, None)]


def test_a_batch_leaves_the_findings_of_measurements_alone(two, measuring):
    two.change((CARD, [card("a", "1")]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    two.change((CARD, [card("a", "1", diem=4)]))
    assert open_findings(two, REFERENCE_RULE) == {"the/a"}
    two.empty(CARD)
    assert open_findings(two, REFERENCE_RULE) == {"the/a"}
    run = measuring.run(CARD_RULES, extent=Extent.CHANGED)
    assert open_findings(two, REFERENCE_RULE) == set()
    assert run.rows_present == run.rows_examined == 0
    assert ask(two, "SELECT findings FROM lienthong.dataset_state WHERE dataset = 'the'") == [(0,)]


def test_a_cancelled_record_leaves_the_counts_of_the_next_run(two, measuring):
    two.change((CARD, [card(f"{n}", "1") for n in range(30)]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    two.change((CARD, [("7", None)]))
    run = measuring.run(CARD_RULES, extent=Extent.CHANGED)
    assert (run.extent, run.rows_present, run.rows_examined) == (Extent.CHANGED, 29, 29)
    assert letters(two, run, REFERENCE_RULE) == (0, 29, 0, 0)


def test_a_run_of_what_changed_touches_only_that(two, measuring):
    two.change((CARD, [card(f"{n}", f"{n}", gioi=f"{n}") for n in range(30)]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert measuring.run(CARD_RULES, extent=Extent.CHANGED).rows_touched == 0
    two.change((PERSON, [person("3")]), (CARD, [card("5", "5", gioi="5", diem=9)]))
    assert measuring.run(CARD_RULES, extent=Extent.CHANGED).rows_touched == 2


def test_where_much_has_changed_everything_is_looked_at(two, measuring):
    two.change((CARD, [card(f"{n}", "1") for n in range(30)]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    two.change((CARD, [card(f"{n}", "2") for n in range(10)]))
    assert measuring.run(CARD_RULES, extent=Extent.CHANGED).extent is Extent.WHOLE


def test_findings_of_a_dataset_are_counted_with_those_of_measurements(two, measuring):
    two.change((CARD, [card("a", "1"), card("b", "2")]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    ((kept,),) = ask(two, "SELECT findings FROM lienthong.dataset_state WHERE dataset = 'the'")
    ((counted,),) = ask(two, "SELECT count(*) FROM lienthong.finding WHERE closed_at IS NULL AND dataset = 'the'")
    assert kept == counted > 0


def test_a_run_of_what_changed_without_a_run_before_it_looks_at_everything(two, measuring):
    two.change((CARD, [card("a", "1")]))
    assert measuring.run(CARD_RULES, extent=Extent.CHANGED).extent is Extent.WHOLE


def test_another_rule_set_has_everything_measured_again(two, measuring):
    two.change((CARD, [card("a", "1")]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert measuring.run(CARD_RULES, extent=Extent.CHANGED).extent is Extent.CHANGED
    newer = rule_set(CARD, CARD_RULES.rules, digest="r2")
    assert measuring.run(newer, extent=Extent.CHANGED).extent is Extent.WHOLE


def test_a_rule_that_is_no_longer_asked_leaves_no_open_finding(two, measuring):
    two.change((CARD, [card("a", "1")]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    fewer = rule_set(CARD, [ROW_RULE], digest="r2")
    run = measuring.run(fewer, extent=Extent.CHANGED)
    assert (run.result_state, run.closed) == (ResultState.PASSED, 2)
    assert open_findings(two, REFERENCE_RULE) == set()


@pytest.mark.parametrize(
    "comparison",
    [
        Comparison(dataset="khong-co", on=TO_PERSON),
        Comparison(dataset=PERSON, on=(("so", "khong_co"),)),
        Comparison(dataset=PERSON, on=(("diem", "so"),)),
    ],
)
def test_a_rule_that_cannot_be_carried_out_is_never_a_pass(two, measuring, comparison):
    two.change((CARD, [card("a", "1")]), (PERSON, [person("1")]))
    sound = rule(AGREEMENT_RULE, "reference", Comparison(dataset=PERSON, on=TO_PERSON))
    rules = rule_set(CARD, [rule(REFERENCE_RULE, "reference", comparison), sound])
    run = measuring.run(rules, extent=Extent.WHOLE)
    assert run.result_state is ResultState.PARTIAL
    assert letters(two, run, REFERENCE_RULE) == (0, 0, 0, 1)
    assert letters(two, run, AGREEMENT_RULE) == (1, 0, 0, 0)
    assert ask(two, "SELECT error FROM lienthong.measurement_rule WHERE rule = %s", REFERENCE_RULE) == [("CEN-105",)]


def test_an_empty_dataset_passes_with_nothing_measured(two, measuring):
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert (run.result_state, run.rows_present, run.rows_examined) == (ResultState.PASSED, 0, 0)


def test_a_run_that_counts_other_records_than_there_are_is_void_and_keeps_nothing(two, measuring):
    two.change((CARD, [card("a", "1")]))
    with psycopg.connect(two.url) as connection:
        connection.execute("UPDATE lienthong.dataset_state SET rows = 7 WHERE dataset = 'the'")
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert (run.run_state, run.result_state, run.error) == (RunState.COMPLETED, ResultState.VOID, "CEN-103")
    assert (run.rows_present, run.rows_examined, run.opened) == (7, 1, 0)
    assert open_findings(two, REFERENCE_RULE) == set()


def test_after_a_void_run_everything_is_looked_at(two, measuring):
    two.change((CARD, [card("a", "1"), card("b", "1")]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    with psycopg.connect(two.url) as connection:
        connection.execute(
            "UPDATE lienthong.finding SET closed_batch = 1, closed_at = now() WHERE rule = %s AND record_id = 'the/a'",
            [REFERENCE_RULE],
        )
    assert measuring.run(CARD_RULES, extent=Extent.CHANGED).result_state is ResultState.VOID
    mended = measuring.run(CARD_RULES, extent=Extent.CHANGED)
    assert (mended.extent, mended.result_state, mended.opened) == (Extent.WHOLE, ResultState.FOUND, 1)


def test_two_runs_of_one_dataset_exclude_each_other(two, measuring):
    with psycopg.connect(two.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [0x6D656173, "the"])
        with pytest.raises(MeasurementUnderWay):
            measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert measuring.run(CARD_RULES, extent=Extent.WHOLE).run_state is RunState.COMPLETED


def test_a_run_whose_process_was_killed_is_marked_by_the_next_one(two, measuring):
    left = ask_written(
        two,
        "INSERT INTO lienthong.measurement (dataset, extent, engine, method, rule_set, dictionary_version, measured_day,"
        " began_at, run_state) VALUES ('the', 'whole', 'postgres', 1, 'r', '1', now(), now(), 'running') RETURNING id",
    )
    assert measuring.sweep() == 1
    assert ask(two, "SELECT run_state, result_state, error FROM lienthong.measurement WHERE id = %s", left) == [
        ("failed", "void", "CEN-102")
    ]
    assert measuring.sweep() == 0


def test_a_run_under_way_is_not_taken_for_a_killed_one(two, measuring):
    ask_written(
        two,
        "INSERT INTO lienthong.measurement (dataset, extent, engine, method, rule_set, dictionary_version, measured_day,"
        " began_at, run_state) VALUES ('the', 'whole', 'postgres', 1, 'r', '1', now(), now(), 'running') RETURNING id",
    )
    with psycopg.connect(two.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [0x6D656173, "the"])
        assert measuring.sweep() == 0


def ask_written(two, statement):
    with psycopg.connect(two.url) as connection:
        return connection.execute(statement).fetchone()[0]


def test_a_run_that_takes_too_long_fails_and_leaves_the_results_before_it(two, alike):
    two.change((CARD, [card("a", "1")]))
    clock = FixedClock(NOW)
    good = PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=clock)
    before = good.run(CARD_RULES, extent=Extent.WHOLE)
    hasty = PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=clock, statement_limit_s=0.5)
    with psycopg.connect(two.url) as blocker:
        blocker.execute("LOCK TABLE dataset.nguoi IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(MeasurementTooLong):
            hasty.run(CARD_RULES, extent=Extent.WHOLE)
        blocker.rollback()
    newest = ask(two, "SELECT run_state, result_state, error FROM lienthong.measurement ORDER BY id DESC LIMIT 1")
    assert newest == [("failed", "void", "CEN-104")]
    assert letters(two, before, REFERENCE_RULE) == (0, 1, 0, 0)
    assert open_findings(two, REFERENCE_RULE) == {"the/a"}


def test_a_fault_of_the_product_is_a_failed_run_without_values(two):
    two.change((CARD, [card("a", "1", ten="An Nguyen"), card("b", "2", ten="An Nguyenn")]))

    def broken(left, right):
        raise ValueError(f"{left[0]}")

    measuring = PostgresMeasuring(two.url, DICTIONARY, resembles=broken, clock=FixedClock(NOW))
    with pytest.raises(MeasurementFault) as refused:
        measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert "nguyen" not in str(refused.value).lower()
    assert ask(two, "SELECT run_state, error FROM lienthong.measurement") == [("failed", "CEN-106")]


def test_findings_and_measurements_are_never_deleted(two, measuring):
    two.change((CARD, [card("a", "1")]))
    measuring.run(CARD_RULES, extent=Extent.WHOLE)
    for table in ("finding", "measurement_rule", "measurement", "score_history"):
        with psycopg.connect(two.url) as connection, pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute(f"DELETE FROM lienthong.{table}")


def test_the_rules_of_a_measurement_do_not_apply_in_batches():
    batch = judged(CARD, [card("a", "1")], at=1, rules=CARD_RULES)
    verdict = Checker(DICTIONARY, CARD_RULES).judge(batch.records)
    assert verdict.judgement.to_list() == ["p" + "n" * (len(CARD_RULES.rules) - 1)]


def test_times_of_a_run_come_from_the_clock(two, measuring):
    run = measuring.run(CARD_RULES, extent=Extent.WHOLE)
    assert (run.began_at, run.ended_at) == (NOW, NOW)
    assert isinstance(run.began_at, datetime)
