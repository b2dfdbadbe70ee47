"""Versions of records by batches, for the analytical copy: one read-only transaction sees one state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, cast

import polars as pl
import psycopg
from psycopg import sql

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.centre.copying import BUCKET, BUCKET_DIGITS, COPIED_END, COPIED_META, copied_schema
from lienthong.centre.refusals import DatasetNotPrepared
from lienthong.centre.tables import SCHEMA, TableSpec, derive_table
from lienthong.dictionary.model import DatasetId, Dictionary

BLOCK_ROWS: Final = 50_000


class PostgresChangeFeed:
    """Read with the role that can only read; everything between ``opened`` and its end is of one state."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], dictionary: Dictionary) -> None:
        self._connection = connection
        self._specs = {str(name): derive_table(dictionary, each) for name, each in dictionary.datasets.items()}

    def newest(self, dataset: DatasetId) -> tuple[int, datetime | None]:
        """Return the newest batch that changed the dataset, and when it was applied; 0 when none did."""
        spec = self._spec(dataset)
        with refusals():
            row = self._connection.execute(
                sql.SQL(
                    "SELECT m.id, b.applied_at FROM (SELECT greatest((SELECT max(_batch) FROM {current}),"
                    " (SELECT max(_ended_batch) FROM {history}))) m (id) LEFT JOIN lienthong.batch b ON b.id = m.id"
                ).format(current=sql.Identifier(SCHEMA, spec.table), history=sql.Identifier(SCHEMA, spec.history))
            ).fetchone()
        assert row is not None, "an aggregate returns one row"
        return cast("int", row[0] or 0), cast("datetime | None", row[1])

    def versions(self, dataset: DatasetId, *, after: int, buckets: int) -> Iterator[pl.DataFrame]:
        """Yield what began or ended after a batch, with the bucket of each."""
        spec = self._spec(dataset)
        schema = {**copied_schema(spec), BUCKET: pl.Int32()}
        with refusals(), self._connection.cursor(name="lienthong_copy") as cursor:
            cursor.itersize = BLOCK_ROWS
            cursor.execute(_question(spec), {"after": after, "buckets": buckets})
            while rows := cursor.fetchmany(BLOCK_ROWS):
                yield pl.DataFrame(rows, schema=schema, orient="row")

    def _spec(self, dataset: str) -> TableSpec:
        if dataset not in self._specs:
            raise DatasetNotPrepared(dataset=dataset)
        return self._specs[dataset]


@contextmanager
def opened(url: str, dictionary: Dictionary, *, password: str | None) -> Iterator[PostgresChangeFeed]:
    """Open a feed on one state of the centre."""
    with (
        refusals(),
        psycopg.connect(
            url, password=password, options="-c default_transaction_read_only=on -c TimeZone=UTC"
        ) as connection,
    ):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield PostgresChangeFeed(connection, dictionary)
        connection.rollback()


def _question(spec: TableSpec) -> sql.Composed:
    names = [name for name, _ in COPIED_META]
    own = [(column.name, column.type) for column in spec.columns]
    plain = copied_schema(spec)
    stored = sql.SQL(", ").join(
        [
            *(sql.Identifier("t", name) for name in names),
            # An exact number without a fixed scale has no column type that every engine reads.
            *(
                sql.SQL("{}::text").format(sql.Identifier("t", name))
                if plain[name] == pl.String
                else sql.Identifier("t", name)
                for name, _ in own
            ),
        ]
    )
    bucket = sql.SQL("(('x' || substr(md5(t._record_id), 1, {digits}))::bit({bits})::int %% %(buckets)s)").format(
        digits=sql.Literal(BUCKET_DIGITS), bits=sql.Literal(BUCKET_DIGITS * 4)
    )
    return sql.SQL(
        "SELECT {stored}, {ends}, {bucket} FROM {history} t WHERE t._ended_batch > %(after)s"
        " UNION ALL SELECT {stored}, {no_ends}, {bucket} FROM {current} t WHERE t._batch > %(after)s"
    ).format(
        stored=stored,
        ends=sql.SQL(", ").join(sql.Identifier("t", name) for name, _ in COPIED_END),
        no_ends=sql.SQL("NULL::timestamptz, NULL::text, NULL::bigint"),
        bucket=bucket,
        history=sql.Identifier(SCHEMA, spec.history),
        current=sql.Identifier(SCHEMA, spec.table),
    )
