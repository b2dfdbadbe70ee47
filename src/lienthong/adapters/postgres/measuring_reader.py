"""Answers about measurements and scores over time, through the reading role's connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, cast

from lienthong.adapters.postgres.measuring_records import MEASUREMENT_COLUMNS, RULES, measurement_of
from lienthong.centre.measuring import MeasuredRule, Measurement, ScorePoint
from lienthong.centre.reading import RuleCount
from lienthong.dictionary.model import DatasetId

MEASUREMENTS_MAX = 1_000


class Rows(Protocol):
    """Ask a question that is a constant of its module, under the reader's limits."""

    def __call__(self, question: str, facts: Mapping[str, object]) -> list[tuple[object, ...]]:
        """Return the rows of the answer."""
        ...


class PostgresMeasuringReader:
    """Read what measurements found; borrows the connections of the centre's reader."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def measurements(self, dataset: DatasetId, *, limit: int) -> Sequence[Measurement]:
        """Return the newest runs of a dataset, newest first."""
        facts = {"dataset": dataset, "kind": RULES, "limit": max(0, min(limit, MEASUREMENTS_MAX))}
        return tuple(measurement_of(row) for row in self._rows(_MEASUREMENTS, facts))

    def measured_rules(self, dataset: DatasetId) -> Sequence[MeasuredRule]:
        """Return how each rule of a measurement stood after its last completed, not void run."""
        return tuple(
            MeasuredRule(
                count=RuleCount(
                    rule=cast("str", rule),
                    passed=cast("int", passed),
                    failed=cast("int", failed),
                    not_applicable=cast("int", not_applicable),
                    not_evaluated=cast("int", not_evaluated),
                ),
                measurement=cast("int", number),
                measured_at=cast("datetime", ended_at),
                error=cast("str | None", error),
            )
            for rule, passed, failed, not_applicable, not_evaluated, error, number, ended_at in self._rows(
                _MEASURED_RULES, {"dataset": dataset, "kind": RULES}
            )
        )

    def score_history(self, dataset: DatasetId, *, since: datetime) -> Sequence[ScorePoint]:
        """Return the scores since a moment, oldest first, and before them the baselines, however old."""
        return tuple(
            ScorePoint(
                dataset=DatasetId(cast("str", row[0])),
                measured_at=cast("datetime", row[1]),
                criterion=cast("str", row[2]),
                percent=cast("float", row[3]),
                known=cast("bool", row[4]),
                passed=cast("int", row[5]),
                applicable=cast("int", row[6]),
                rule_set=cast("str", row[7]),
                scoring=cast("str", row[8]),
                baseline=cast("bool", row[9]),
            )
            for row in self._rows(_SCORES, {"dataset": dataset, "since": since})
        )


_MEASUREMENTS = f"""
SELECT {MEASUREMENT_COLUMNS} FROM lienthong.measurement
WHERE dataset = %(dataset)s AND kind = %(kind)s ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608 - the columns are a constant
_MEASURED_RULES = """
SELECT r.rule, r.passed, r.failed, r.not_applicable, r.not_evaluated, r.error, m.id, m.ended_at
FROM lienthong.measurement_rule r JOIN lienthong.measurement m ON m.id = r.measurement
WHERE m.id = (SELECT max(id) FROM lienthong.measurement WHERE dataset = %(dataset)s AND kind = %(kind)s
              AND run_state = 'completed' AND result_state <> 'void')
ORDER BY r.place
"""
_SCORES = """
SELECT dataset, measured_at, criterion, percent, known, passed, applicable, rule_set, scoring, baseline
FROM lienthong.score_history WHERE dataset = %(dataset)s AND (measured_at >= %(since)s OR baseline)
ORDER BY measured_at, criterion, id LIMIT 100000
"""
