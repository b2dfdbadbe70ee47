"""All open findings of a dataset at the centre, as of one moment, some thousand at a time; masked as kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl
import psycopg

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.dictionary.model import DatasetId

CHUNK_ROWS = 10_000
OPEN_FINDING_SCHEMA: dict[str, pl.DataType] = {
    "record_id": pl.String(),
    "rule": pl.String(),
    "severity": pl.String(),
    "element": pl.String(),
    "observed": pl.String(),
    "opened_at": pl.Datetime("us", "UTC"),
}
_SESSION = (
    "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; SET jit = off; SET client_encoding = 'UTF8';"
    " SET search_path = pg_catalog"
)
# What a measurement closed has a moment of closing and no batch.
_COUNTS = """
SELECT rule, severity, count(*) FROM lienthong.finding
WHERE dataset = %(dataset)s AND closed_at IS NULL GROUP BY rule, severity ORDER BY rule, severity
"""
_ALL = """
SELECT record_id, rule, severity, element, observed, opened_at FROM lienthong.finding
WHERE dataset = %(dataset)s AND closed_at IS NULL ORDER BY record_id, rule
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenFindings:
    """What is open: how many by rule and severity, and each of them; both are of the same moment."""

    counts: tuple[tuple[str, str, int], ...]  # rule, severity, findings
    rows: Iterator[pl.DataFrame]  # OPEN_FINDING_SCHEMA, by record and rule; asked for when read


@contextmanager
def open_findings(url: str, dataset: DatasetId, *, password: str | None = None) -> Iterator[OpenFindings]:
    """Read the open findings of a dataset in one snapshot, with a role that can only read."""
    with refusals(), psycopg.connect(url, password=password, autocommit=True) as connection:
        connection.execute(_SESSION.encode())
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            counts = connection.execute(_COUNTS.encode(), {"dataset": dataset}).fetchall()
            yield OpenFindings(
                counts=tuple((str(rule), str(severity), int(count)) for rule, severity, count in counts),
                rows=_rows(connection, dataset),
            )


def _rows(connection: psycopg.Connection[tuple[object, ...]], dataset: DatasetId) -> Iterator[pl.DataFrame]:
    with connection.cursor(name="open_findings") as cursor:
        cursor.execute(_ALL.encode(), {"dataset": dataset})
        while rows := cursor.fetchmany(CHUNK_ROWS):
            yield pl.DataFrame(rows, schema=OPEN_FINDING_SCHEMA, orient="row")
