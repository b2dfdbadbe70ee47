"""What is kept of measurements and scores, who may read it, and that an older centre is brought to it in place."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from measuring_rows import CARD, CARD_RULES, DICTIONARY, PERSON, REFERENCE_RULE, RULE_SETS, START, Two
from psycopg.conninfo import conninfo_to_dict

from lienthong.adapters.postgres import centre_schema
from lienthong.adapters.postgres.centre_reader import PostgresCentreReader
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.measuring import PostgresMeasuring
from lienthong.adapters.postgres.provision import allow_reading
from lienthong.adapters.postgres.score_history import PostgresScoreKeeper
from lienthong.adapters.resemblance import JaroWinkler
from lienthong.centre.measuring import Extent, ResultState, RunState, ScorePoint
from lienthong.clock import FixedClock

NOW = START + timedelta(days=1)


@pytest.fixture
def database(make_database):
    return make_database("centre")


@pytest.fixture
def two(database):
    made = Two(url=database.url)
    with closing(made.store):
        yield made


@pytest.fixture
def reader(database, two):
    url = database.role()
    allow_reading(database.url, password=None, role=database.user_of(url))
    with closing(PostgresCentreReader(url, DICTIONARY)) as made:
        yield made


def measure(two, rules=CARD_RULES, extent=Extent.WHOLE, at=NOW):
    with closing(JaroWinkler()) as alike:
        measuring = PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=FixedClock(at))
        return measuring.run(rules, extent=extent)


def point(day, percent, **facts):
    values = {
        "dataset": CARD,
        "measured_at": START + timedelta(days=day),
        "criterion": "unified",
        "percent": percent,
        "known": True,
        "passed": 1,
        "applicable": 2,
        "rule_set": "r",
        "scoring": "s",
    }
    return ScorePoint(**(values | facts))


def test_the_reading_role_sees_runs_and_rules(two, reader):
    two.change((CARD, [("a", {"ma": "a", "so": "9"})]))
    run = measure(two)
    measurements = reader.measuring()
    assert measurements.measurements(CARD, limit=10) == (run,)
    (rule,) = (each for each in measurements.measured_rules(CARD) if each.count.rule == REFERENCE_RULE)
    assert (rule.count.failed, rule.measurement, rule.measured_at, rule.error) == (1, run.id, NOW, None)
    assert measurements.measured_rules(PERSON) == ()


def test_a_void_or_failed_run_leaves_the_rules_of_the_run_before_it_with_their_date(two, reader):
    two.change((CARD, [("a", {"ma": "a", "so": "9"})]))
    before = measure(two)
    with psycopg.connect(two.url) as connection:
        connection.execute("UPDATE lienthong.dataset_state SET rows = 5 WHERE dataset = 'the'")
    void = measure(two, at=NOW + timedelta(hours=1))
    assert void.result_state is ResultState.VOID
    rules = reader.measuring().measured_rules(CARD)
    assert {(each.measurement, each.measured_at) for each in rules} == {(before.id, NOW)}
    newest = reader.measuring().measurements(CARD, limit=1)
    assert [(each.run_state, each.result_state) for each in newest] == [(RunState.COMPLETED, ResultState.VOID)]


def test_a_failing_row_of_a_measurement_names_the_batch_that_brought_the_record(two, reader):
    two.change((CARD, [("a", {"ma": "a", "so": "9"})]))
    measure(two)
    (row,) = reader.failing_rows(CARD, REFERENCE_RULE, limit=5)
    with psycopg.connect(two.url) as connection:
        ((batch,),) = connection.execute("SELECT _batch FROM dataset.the").fetchall()
    assert (row.record_id, row.batch_id) == ("the/a", batch)


def test_the_first_score_stays_the_baseline_whatever_comes_after_it(two, reader):
    keeper = PostgresScoreKeeper(two.url)
    assert keeper.record_scores([point(2, 60.0), point(1, 50.0)]) == 2
    assert keeper.record_scores([point(9, 70.0), point(2, 60.0)]) == 1
    assert keeper.record_scores([]) == 0
    found = reader.measuring().score_history(CARD, since=START + timedelta(days=5))
    assert [(each.percent, each.baseline) for each in found] == [(50.0, True), (70.0, False)]


def test_a_score_that_is_unknown_is_zero(two):
    with pytest.raises(Exception, match="23514"):
        PostgresScoreKeeper(two.url).record_scores([point(1, 50.0, known=False)])


def test_a_score_is_never_changed(two):
    PostgresScoreKeeper(two.url).record_scores([point(1, 50.0)])
    with psycopg.connect(two.url) as connection, pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        connection.execute("UPDATE lienthong.score_history SET percent = 100")


def test_a_centre_of_the_version_before_is_brought_up_in_place(database, monkeypatch):
    guest = database.role()
    monkeypatch.setattr(centre_schema, "SCHEMA_VERSION", 1)
    with closing(PostgresCentreStore(database.url)) as store, psycopg.connect(database.url) as connection:
        store.prepare(DICTIONARY, {})
        connection.execute(
            "INSERT INTO lienthong.finding (dataset, record_id, rule, severity, opened_batch, opened_at, closed_batch,"
            " closed_at) VALUES ('the', 'a', 'CP01', 'error', 1, now(), 2, now()),"
            " ('the', 'a', 'CP01', 'error', 3, now(), NULL, NULL)"
        )
        who = psycopg.sql.Identifier(conninfo_to_dict(guest)["user"])
        connection.execute(psycopg.sql.SQL("GRANT USAGE ON SCHEMA lienthong TO {}").format(who))
        connection.execute(psycopg.sql.SQL("GRANT SELECT ON lienthong.finding TO {}").format(who))
    monkeypatch.undo()
    with closing(PostgresCentreStore(database.url)) as store:
        store.prepare(DICTIONARY, RULE_SETS)
        store.prepare(DICTIONARY, RULE_SETS)
    with psycopg.connect(database.url) as connection:
        kept = connection.execute(
            "SELECT opened_batch, opened_measurement, closed_batch, closed_measurement FROM lienthong.finding"
            " ORDER BY id"
        ).fetchall()
        assert kept == [(1, None, 2, None), (3, None, None, None)]
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(
                "INSERT INTO lienthong.finding (dataset, record_id, rule, severity, opened_batch, opened_at)"
                " VALUES ('the', 'a', 'CP01', 'error', 4, now())"
            )
    with psycopg.connect(guest) as connection:
        assert connection.execute("SELECT count(*) FROM lienthong.measurement").fetchone() == (0,)
