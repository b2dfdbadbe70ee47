"""What is written down of measurements: that they began, how they ended, what they found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import cast

import psycopg

from lienthong.adapters.postgres.measuring_evaluation import Base, Evaluation, RuleResult
from lienthong.centre.measuring import Extent, Measurement, ResultState, RunState
from lienthong.centre.refusals import ComparedNothing, MeasurementInterrupted, MeasurementVoid
from lienthong.check.verdict import Letter, RuleSet
from lienthong.dictionary.model import DatasetId

ENGINE = "postgres"
RULES = "rules"

Connection = psycopg.Connection[tuple[object, ...]]
Cursor = psycopg.Cursor[tuple[object, ...]]

MEASUREMENT_COLUMNS = (
    "id, dataset, extent, engine, rule_set, dictionary_version, began_at, ended_at, run_state, result_state, error,"
    " rows_present, rows_examined, up_to_batch, opened, closed, rows_touched"
)


class DoesNotAddUp(Exception):
    """Records examined are not records present, or open findings are not failed records."""


def measurement_of(row: Sequence[object]) -> Measurement:
    """Return a measurement from a row of ``MEASUREMENT_COLUMNS``."""
    return Measurement(
        id=cast("int", row[0]),
        dataset=DatasetId(cast("str", row[1])),
        extent=Extent(row[2]),
        engine=cast("str", row[3]),
        rule_set=cast("str", row[4]),
        dictionary_version=cast("str", row[5]),
        began_at=cast("datetime", row[6]),
        ended_at=cast("datetime | None", row[7]),
        run_state=RunState(row[8]),
        result_state=None if row[9] is None else ResultState(row[9]),
        error=cast("str | None", row[10]),
        rows_present=cast("int | None", row[11]),
        rows_examined=cast("int | None", row[12]),
        up_to_batch=cast("int | None", row[13]),
        opened=cast("int", row[14]),
        closed=cast("int", row[15]),
        rows_touched=cast("int | None", row[16]),
    )


def base_of(connection: Connection, rules: RuleSet, *, method: int) -> Base | None:
    """Return the run that a run of what changed can build on; none where the newest result is not whole."""
    row = connection.execute(_NEWEST_RESULT, [rules.dataset.identity.id, RULES]).fetchone()
    if row is None:
        return None
    number, result_state, rule_set, known_method, bounds, day = row
    if result_state == ResultState.VOID.value or (rule_set, known_method) != (rules.digest, method):
        return None
    counts = connection.execute(_RULES_OF, [number]).fetchall()
    errors = {cast("str", rule): cast("str", error) for rule, *_, error in counts if error is not None}
    if set(errors.values()) - {ComparedNothing.code}:
        return None
    order = (Letter.PASS, Letter.FAIL, Letter.NOT_APPLICABLE, Letter.NOT_EVALUATED)
    return Base(
        bounds=cast("Mapping[str, int]", bounds),
        letters={
            cast("str", rule): Counter(dict(zip(order, cast("list[int]", numbers), strict=True)))
            for rule, *numbers, _ in counts
        },
        day=cast("date", day),
        errors=errors,
    )


def begin(
    connection: Connection,
    rules: RuleSet,
    *,
    kind: str = RULES,
    extent: Extent,
    method: int,
    dictionary_version: str,
    day: date,
    at: datetime,
) -> int:
    """Write down that a run begins, and return its number."""
    row = connection.execute(
        _BEGIN,
        [rules.dataset.identity.id, extent.value, kind, ENGINE, method, rules.digest, dictionary_version, day, at],
    ).fetchone()
    assert row is not None, "RETURNING gives the inserted row"
    return cast("int", row[0])


def running(connection: Connection) -> tuple[str, ...]:
    """Return the datasets with a run that has not ended."""
    rows = connection.execute("SELECT DISTINCT dataset FROM lienthong.measurement WHERE run_state = 'running'")
    return tuple(cast("str", dataset) for (dataset,) in rows.fetchall())


def mark_interrupted(connection: Connection, dataset: str, *, at: datetime) -> int:
    """Mark the runs of a dataset that never ended as failed; the caller holds the dataset's lock."""
    return connection.execute(_INTERRUPTED, [MeasurementInterrupted.code, at, dataset]).rowcount


def fail(connection: Connection, number: int, *, code: str, at: datetime) -> None:
    """Write down that a run could not be carried out."""
    connection.execute(_FAIL, [code, at, number])


def void(
    connection: Connection, number: int, *, extent: Extent, present: int, examined: int, at: datetime
) -> Measurement:
    """Write down that a run came to no result: it did not look at every record, or its counts contradict findings."""
    row = connection.execute(_VOID, [MeasurementVoid.code, extent.value, present, examined, at, number]).fetchone()
    assert row is not None, "the run was begun"
    return measurement_of(row)


def keep(cursor: Cursor, number: int, rules: RuleSet, found: Evaluation, *, at: datetime) -> Measurement:
    """Keep what a run found: findings opened and closed, counts, and how it ended, all or nothing.

    Raises:
        DoesNotAddUp: open findings are not the records that failed.
    """
    dataset = rules.dataset.identity.id
    facts: dict[str, object] = {"dataset": dataset, "measurement": number, "at": at}
    cursor.execute("SELECT FROM lienthong.dataset_state WHERE dataset = %s FOR UPDATE", [dataset])
    sound = [each for each in found.results if each.error is None]
    close = _CLOSE_ALL if found.extent is Extent.WHOLE else _CLOSE_AFFECTED
    closed = sum(cursor.execute(close, facts | _place_of(each)).rowcount for each in sound)
    known = [rule.name for rule in rules.rules]
    closed += cursor.execute(_CLOSE_UNKNOWN, facts | {"known": known}).rowcount
    opened = cursor.execute(_OPEN, facts).rowcount
    for each in sound:
        row = cursor.execute(_COUNT_OPEN, facts | {"rule": each.rule}).fetchone()
        if row is None or row[0] != each.letters[Letter.FAIL]:
            raise DoesNotAddUp
    cursor.executemany(_RULE, [_rule_row(number, each) for each in found.results])
    cursor.execute(
        "UPDATE lienthong.dataset_state SET findings = findings + %s WHERE dataset = %s", [opened - closed, dataset]
    )
    row = cursor.execute(_COMPLETE, [
        found.extent.value, _result(found).value, found.present, found.examined, found.touched,
        found.bounds[dataset], json.dumps(dict(found.bounds)), opened, closed, at, number,
    ]).fetchone()  # fmt: skip
    assert row is not None, "the run was begun"
    return measurement_of(row)


def _place_of(result: RuleResult) -> dict[str, object]:
    scope = result.place if result.scope is None else result.scope
    return {"rule": result.rule, "place": result.place, "scope": scope}


def _result(found: Evaluation) -> ResultState:
    if any(each.letters[Letter.FAIL] for each in found.results):
        return ResultState.FOUND
    return ResultState.PARTIAL if any(each.error for each in found.results) else ResultState.PASSED


def _rule_row(number: int, result: RuleResult) -> tuple[object, ...]:
    letters = result.letters
    counts = (letters[letter] for letter in (Letter.PASS, Letter.FAIL, Letter.NOT_APPLICABLE, Letter.NOT_EVALUATED))
    return (number, result.place, result.rule, *counts, result.error)


_NEWEST_RESULT = """
SELECT id, result_state, rule_set, method, bounds, measured_day FROM lienthong.measurement
WHERE dataset = %s AND kind = %s AND run_state = 'completed' ORDER BY id DESC LIMIT 1
"""
_RULES_OF = """
SELECT rule, passed, failed, not_applicable, not_evaluated, error FROM lienthong.measurement_rule
WHERE measurement = %s
"""
_BEGIN = """
INSERT INTO lienthong.measurement (dataset, extent, kind, engine, method, rule_set, dictionary_version,
    measured_day, began_at, run_state) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'running') RETURNING id
"""
_INTERRUPTED = """
UPDATE lienthong.measurement SET run_state = 'failed', result_state = 'void', error = %s, ended_at = %s
WHERE dataset = %s AND run_state = 'running'
"""
_FAIL = """
UPDATE lienthong.measurement SET run_state = 'failed', result_state = 'void', error = %s, ended_at = %s
WHERE id = %s AND run_state = 'running'
"""
_VOID = f"""
UPDATE lienthong.measurement SET run_state = 'completed', result_state = 'void', error = %s, extent = %s,
    rows_present = %s, rows_examined = %s, ended_at = %s
WHERE id = %s RETURNING {MEASUREMENT_COLUMNS}
"""  # noqa: S608 - the columns are a constant
_COMPLETE = f"""
UPDATE lienthong.measurement SET run_state = 'completed', extent = %s, result_state = %s, rows_present = %s,
    rows_examined = %s, rows_touched = %s, up_to_batch = %s, bounds = %s, opened = %s, closed = %s, ended_at = %s
WHERE id = %s RETURNING {MEASUREMENT_COLUMNS}
"""  # noqa: S608 - the columns are a constant
_CLOSE_ALL = """
UPDATE lienthong.finding g SET closed_measurement = %(measurement)s, closed_at = %(at)s
WHERE g.dataset = %(dataset)s AND g.rule = %(rule)s AND g.closed_at IS NULL
AND NOT EXISTS (SELECT FROM pg_temp.failed f WHERE f.place = %(place)s AND f.record_id = g.record_id)
"""
_CLOSE_AFFECTED = """
UPDATE lienthong.finding g SET closed_measurement = %(measurement)s, closed_at = %(at)s
FROM pg_temp.affected a WHERE a.place = %(scope)s AND g.record_id = a.record_id
AND g.dataset = %(dataset)s AND g.rule = %(rule)s AND g.closed_at IS NULL
AND NOT EXISTS (SELECT FROM pg_temp.failed f WHERE f.place = %(place)s AND f.record_id = g.record_id)
"""
# A rule that is no longer asked leaves no open finding.
_CLOSE_UNKNOWN = """
UPDATE lienthong.finding g SET closed_measurement = %(measurement)s, closed_at = %(at)s
WHERE g.dataset = %(dataset)s AND g.opened_measurement IS NOT NULL AND g.closed_at IS NULL
AND g.rule <> ALL (%(known)s::text[])
"""
_OPEN = """
INSERT INTO lienthong.finding (dataset, record_id, rule, severity, element, observed, opened_measurement, opened_at)
SELECT %(dataset)s, record_id, rule, severity, element, observed, %(measurement)s, %(at)s FROM pg_temp.opening
"""
_COUNT_OPEN = """
SELECT count(*) FROM lienthong.finding WHERE dataset = %(dataset)s AND rule = %(rule)s AND closed_at IS NULL
"""
_RULE = """
INSERT INTO lienthong.measurement_rule
    (measurement, place, rule, passed, failed, not_applicable, not_evaluated, error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
