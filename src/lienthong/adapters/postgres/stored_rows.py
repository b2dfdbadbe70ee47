"""Everything the centre keeps of a dataset with its raw images, as of one moment, some thousand records at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import polars as pl
import psycopg
from psycopg import sql

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.centre.tables import SCHEMA, derive_table
from lienthong.check.verdict import RuleSet
from lienthong.dictionary.model import Dictionary
from lienthong.pipeline.recheck import STORED_SCHEMA, StoredRows
from lienthong.standardise.plan import schema_of

CHUNK_ROWS = 10_000
_SESSION = (
    "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; SET jit = off; SET client_encoding = 'UTF8';"
    " SET search_path = pg_catalog"
)

Cursor = psycopg.Cursor[tuple[object, ...]]


class PostgresStoredRows:
    """Read a dataset whole in one snapshot; for one recheck at a time."""

    def __init__(self, url: str, dictionary: Dictionary, *, password: str | None = None) -> None:
        self._url = url
        self._password = password
        self._dictionary = dictionary

    @contextmanager
    def snapshot(self, rules: RuleSet) -> Iterator[tuple[Iterator[StoredRows], bool]]:
        """Yield the records, and whether the counters of the batches are what a count of the letters gives."""
        with refusals(), psycopg.connect(self._url, password=self._password, autocommit=True) as connection:
            connection.execute(_SESSION.encode())
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield self._rows(connection, rules), self._counters_hold(connection, rules)

    def _rows(self, connection: psycopg.Connection[tuple[object, ...]], rules: RuleSet) -> Iterator[StoredRows]:
        dataset = rules.dataset
        schema = schema_of(self._dictionary, dataset)
        spec = derive_table(self._dictionary, dataset)
        question = sql.SQL(_STORED).format(
            current=sql.Identifier(SCHEMA, spec.table),
            values=sql.SQL(", ").join(sql.Identifier("t", name) for name in schema),
        )
        facts = {"dataset": dataset.identity.id, "digest": rules.digest, "dictionary": self._dictionary.version}
        with connection.cursor(name="stored") as cursor:
            cursor.execute(question, facts)
            while rows := cursor.fetchmany(CHUNK_ROWS):
                names = {"_source": pl.String, "_table": pl.String, **STORED_SCHEMA, **schema}
                frame = pl.DataFrame(rows, schema=names, orient="row")
                for (source, table), part in frame.partition_by("_source", "_table", as_dict=True).items():
                    yield StoredRows(
                        source=cast("str", source),
                        table=cast("str", table),
                        rows=part.select(*STORED_SCHEMA),
                        values=part.select(*schema),
                    )

    def _counters_hold(self, connection: psycopg.Connection[tuple[object, ...]], rules: RuleSet) -> bool:
        spec = derive_table(self._dictionary, rules.dataset)
        question = sql.SQL(_COUNTERS).format(current=sql.Identifier(SCHEMA, spec.table))
        row = connection.execute(question, {"dataset": rules.dataset.identity.id, "digest": rules.digest}).fetchone()
        return row is None or row[0] == 0


# What is in quarantine wins over what is kept of a record: it is newer, and its verdict is the one that counts.
_STORED = """
SELECT coalesce(q.source, t._source), coalesce(q."table", t._table), coalesce(q.record_id, t._record_id),
    coalesce(t._event, 'UPDATE'), coalesce(q.version, t._version), coalesce(q.number, t._number),
    coalesce(q.source_time, t._source_time), coalesce(q.image, t._image::text), coalesce(q.judgement, t._judgement),
    r.digest = %(digest)s AND (q.id IS NOT NULL OR t._dictionary = %(dictionary)s), q.id IS NOT NULL, {values}
FROM {current} t FULL JOIN (SELECT * FROM lienthong.quarantine WHERE dataset = %(dataset)s AND state = 'open'
    AND detail IS NULL) q ON q.record_id = t._record_id
JOIN lienthong.rule_set r ON r.id = coalesce(q.rule_set, t._rule_set)
"""
_COUNTERS = """
SELECT count(*) FROM (
    SELECT l.place::int, count(*) FILTER (WHERE l.letter = 'p') AS p, count(*) FILTER (WHERE l.letter = 'f') AS f,
        count(*) FILTER (WHERE l.letter = 'n') AS n, count(*) FILTER (WHERE l.letter = 'e') AS e
    FROM {current} t
    FULL JOIN (SELECT * FROM lienthong.quarantine WHERE dataset = %(dataset)s AND state = 'open') q
        ON q.record_id = t._record_id
    JOIN lienthong.rule_set r ON r.id = coalesce(q.rule_set, t._rule_set) AND r.digest = %(digest)s
    CROSS JOIN LATERAL string_to_table(coalesce(q.judgement, t._judgement), NULL)
        WITH ORDINALITY AS l (letter, place)
    GROUP BY l.place
) counted
FULL JOIN (
    SELECT c.place, c.passed, c.failed, c.not_applicable, c.not_evaluated
    FROM lienthong.rule_counter c JOIN lienthong.rule_set r ON r.id = c.rule_set
    WHERE r.dataset = %(dataset)s AND r.digest = %(digest)s
) kept ON kept.place = counted.place
WHERE (coalesce(p, 0), coalesce(f, 0), coalesce(n, 0), coalesce(e, 0))
    <> (coalesce(passed, 0), coalesce(failed, 0), coalesce(not_applicable, 0), coalesce(not_evaluated, 0))
"""
