"""Scores over time: every one is kept, the first of each dataset and criterion as its baseline."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.centre.measuring import ScorePoint

_LOCK = 0x7363_6F72  # one session at a time decides what is the first


class PostgresScoreKeeper:
    """Keep scores in the centre's database as the role that owns it."""

    def __init__(self, url: str, *, password: str | None = None) -> None:
        self._url = url
        self._password = password

    def record_scores(self, points: Sequence[ScorePoint]) -> int:
        """Keep scores and return how many are new; the first of a dataset and criterion becomes its baseline.

        The same score said twice is kept once. What a point says of itself as a baseline is not asked.
        """
        if not points:
            return 0
        with (
            refusals(),
            psycopg.connect(self._url, password=self._password) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            kept = 0
            for point in sorted(points, key=lambda each: each.measured_at):
                kept += cursor.execute(_KEEP, [
                    point.dataset, point.measured_at, point.criterion, point.percent, point.known, point.passed,
                    point.applicable, point.rule_set, point.scoring, point.dataset, point.criterion,
                ]).rowcount  # fmt: skip
        return kept


_KEEP = """
INSERT INTO lienthong.score_history (dataset, measured_at, criterion, percent, known, passed, applicable, rule_set,
    scoring, baseline)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s,
    NOT EXISTS (SELECT FROM lienthong.score_history WHERE dataset = %s AND criterion = %s))
ON CONFLICT (dataset, measured_at, criterion, rule_set, scoring) DO NOTHING
"""
