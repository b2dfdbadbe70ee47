"""The centre as it was at a position of a link, and the results of comparing it with the source.

A record's state at a position is the newest of what was kept (current row or history) and what was held (quarantine)
before it. Every version carries its position, so what was written later changes nothing. One thing is not written
down: at which position a record that was only ever held was deleted; such a row is marked as doubtful when it went in
the batch that the position falls into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Final, LiteralString, cast

import polars as pl
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.adapters.postgres.centre_links import SELECT_LINKS, link_state
from lienthong.adapters.postgres.snapshot import blocks, parse
from lienthong.centre.ports import LinkState
from lienthong.centre.reconciling import Reconciliation
from lienthong.centre.reconciling_refusals import LinkNotStreaming, ReconciliationUnderWay, SnapshotMeanwhile
from lienthong.centre.refusals import EpochDiffers
from lienthong.centre.tables import SCHEMA, derive_table
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.sources.change import Epoch, Position, SourceId, TableName

CONNECT_S_MAX: Final = 5
STATEMENT_S_MAX: Final = 7_200  # reading one table of the centre whole
QUESTION_S_MAX: Final = 5
WAIT_S_MAX: Final = 30
_LOCK: Final = 0x6C69_7271
_TABLES: Final = sql.SQL("lienthong.reconciliation, lienthong.reconciliation_difference")

Connection = psycopg.Connection[DictRow]


def _connect(url: str, password: str | None, *, statement_s: int = STATEMENT_S_MAX) -> Connection:
    limits = (
        f"-c statement_timeout={statement_s}s -c lock_timeout={WAIT_S_MAX}s -c timezone=UTC -c datestyle=ISO"
        " -c jit=off -c search_path=pg_catalog -c client_encoding=UTF8"
    )
    extra = {} if password is None else {"password": password}
    address = make_conninfo(
        url, connect_timeout=CONNECT_S_MAX, options=limits, application_name="lienthong:reconciling", **extra
    )
    return psycopg.Connection[DictRow].connect(address, row_factory=dict_row, autocommit=True)


def install(url: str, *, password: str | None, reader_role: str | None = None) -> None:
    """Make the tables; ``reader_role`` may read them. Repeating it changes nothing."""
    with refusals(), _connect(url, password) as connection, connection.transaction():
        _create(connection)
        if reader_role is not None:
            connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(_TABLES, sql.Identifier(reader_role)))


def _create(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    connection.execute(resources.files(__package__).joinpath("sql", "reconciling.sql").read_bytes())


class PostgresReconciling:
    """Look at the centre as it was, and keep results; the role owns the centre's database. For one thread."""

    def __init__(self, url: str, dictionary: Dictionary, *, password: str | None = None) -> None:
        self._url, self._password = url, password
        self._dictionary = dictionary
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        return "PostgresReconciling()"  # the address may hold a password

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        with refusals(limit_s=STATEMENT_S_MAX):
            if self._connection is None or self._connection.closed:
                self._connection = _connect(self._url, self._password)
                with self._connection.transaction():
                    _create(self._connection)
            yield self._connection

    def link(self, source: SourceId) -> LinkState | None:
        """Return what is remembered of a link."""
        with self._session() as connection, connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
            row = cursor.execute(f"{SELECT_LINKS} WHERE source = %s", [source]).fetchone()
        return None if row is None else link_state(row)

    @contextmanager
    def alone(self, source: SourceId) -> Iterator[None]:
        """Let no other reconciliation of this link run meanwhile.

        Raises:
            ReconciliationUnderWay: another one runs.
        """
        # A connection of its own: the lock lasts as long as it does, whatever happens to the others.
        with refusals(), _connect(self._url, self._password) as connection:
            row = connection.execute(
                "SELECT pg_try_advisory_lock(%s, hashtext(%s)) AS mine", [_LOCK, source]
            ).fetchone()
            if row is None or not row["mine"]:
                raise ReconciliationUnderWay(source=source)
            try:
                yield
            finally:
                # A closed connection lives on at the server for a moment, and with it its locks.
                connection.execute("SELECT pg_advisory_unlock_all()")

    @contextmanager
    def then(self, source: SourceId, *, epoch: Epoch, position: Position) -> Iterator[_Then]:
        """Look at the centre as it was at a position that the link has passed.

        Raises:
            SnapshotMeanwhile: a snapshot taken after the position has moved the versions of what is kept.
        """
        with self._session() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            facts = connection.execute(_STANDING, {"source": source, "position": position.commit}).fetchone()
            if facts is None or facts["phase"] != "stream":
                raise LinkNotStreaming(source=source, phase="new" if facts is None else facts["phase"])
            observed = (facts["epoch_system"], facts["epoch_timeline"], facts["epoch_database"], facts["epoch_slot"])
            if observed != (epoch.system, epoch.timeline, epoch.database, epoch.slot):
                raise EpochDiffers(source=source, delivered=epoch, stored="/".join(str(each) for each in observed))
            if facts["snapshots_after"]:
                raise SnapshotMeanwhile(source=source, position=position)
            assert facts["position"] >= position.commit, "the link has passed the position"
            yield _Then(
                connection=connection,
                dictionary=self._dictionary,
                source=source,
                epoch=facts["epoch_number"],
                position=position.commit,
                # The batch the position falls into, or the first one after it; none: nothing happened since.
                batch=facts["first_after"],
            )

    def keep(self, result: Reconciliation) -> Reconciliation:
        """Keep a result for ever and return it with its number."""
        with self._session() as connection, connection.transaction():
            row = connection.execute(_KEEP, _stored(result)).fetchone()
            assert row is not None, "RETURNING gives the inserted row"
            with connection.cursor() as cursor:
                cursor.executemany(
                    _KEEP_DIFFERENCE,
                    [
                        (row["number"], place, each.kind.value, each.shown)
                        for place, each in enumerate(result.differences, start=1)
                    ],
                )
        return replace(result, number=row["number"])

    def close(self) -> None:
        """Give back connections."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Then:
    """The centre at a position, inside one transaction."""

    connection: Connection
    dictionary: Dictionary
    source: SourceId
    epoch: int
    position: int
    batch: int | None

    def rows(self, table: TableName, dataset: DatasetId) -> Iterator[pl.DataFrame]:
        """Yield what was kept or held of a source table: ``record_id``, ``image`` (JSON), ``doubtful``."""
        spec = derive_table(self.dictionary, self.dictionary.datasets[dataset])
        at = sql.SQL("({}, {}, 0)").format(sql.Literal(self.epoch), sql.Literal(self.position))
        question = sql.SQL(_ROWS).format(
            current=sql.Identifier(SCHEMA, spec.table),
            history=sql.Identifier(SCHEMA, spec.history),
            source=sql.Literal(str(self.source)),
            table=sql.Literal(str(table)),
            dataset=sql.Literal(str(dataset)),
            at=at,
            batch=sql.Literal(self.batch) if self.batch is not None else sql.SQL("NULL::bigint"),
        )
        for rows in blocks(cast("Any", self.connection), question.as_string(self.connection)):
            frame, _ = parse(("record_id", "image", "doubtful"), rows)
            yield frame.with_columns(pl.col("doubtful") == "t")


class PostgresReconciliationReader:
    """Show results in a role that can only read; safe for several threads."""

    def __init__(self, url: str, *, password: str | None = None) -> None:
        self._url, self._password = url, password

    def __repr__(self) -> str:
        return "PostgresReconciliationReader()"  # the address may hold a password

    def newest(self) -> tuple[Reconciliation, ...]:
        """Return the newest result of every table of every link."""
        return self._newest("true")

    def newest_equal(self) -> tuple[Reconciliation, ...]:
        """Return the newest result of every table that was equal."""
        return self._newest("equal")

    def _newest(self, which: LiteralString) -> tuple[Reconciliation, ...]:
        with (
            refusals(limit_s=QUESTION_S_MAX),
            _connect(self._url, self._password, statement_s=QUESTION_S_MAX) as connection,
        ):
            known = connection.execute(_KNOWN).fetchone()
            if known is None or not known["known"]:
                return ()  # nothing was compared yet, or an older installation was not prepared again
            rows = connection.execute(sql.SQL(_NEWEST).format(which=sql.SQL(which))).fetchall()
        return tuple(_read(row) for row in rows)


_PLAIN: Final = (
    "began_at", "ended_at", "moment", "equal", "rows_source", "rows_centre", "buckets", "buckets_differing",
    "buckets_unopened", "missing", "surplus", "differing", "salt", "digest_source", "digest_centre", "error",
)  # fmt: skip


def _stored(result: Reconciliation) -> dict[str, object]:
    return {name: getattr(result, name) for name in _PLAIN} | {
        "link": result.link,
        "table": result.table.table,
        "table_schema": result.table.schema,
        "dataset": result.dataset,
        "position": None if result.position is None else result.position.commit,
        "columns": list(result.columns),
    }


def _read(row: Mapping[str, Any]) -> Reconciliation:
    return Reconciliation(
        number=row["number"],
        link=SourceId(row["link"]),
        table=TableName(schema=row["table_schema"], table=row["table"]),
        dataset=DatasetId(row["dataset"]),
        position=None if row["position"] is None else Position(commit=row["position"]),
        columns=tuple(row["columns"]),
        **{name: row[name] for name in _PLAIN},
    )


_STANDING = """
SELECT l.phase, l.position, l.epoch_number, l.epoch_system, l.epoch_timeline, l.epoch_database, l.epoch_slot,
    EXISTS (SELECT FROM lienthong.batch b WHERE b.source = l.source AND b.epoch_number = l.epoch_number AND b.snapshot
        AND b.position > %(position)s) AS snapshots_after,
    (SELECT min(b.id) FROM lienthong.batch b WHERE b.source = l.source AND b.epoch_number = l.epoch_number
        AND NOT b.snapshot AND b.position > %(position)s) AS first_after
FROM lienthong.link l WHERE l.source = %(source)s
"""
# A row read by a snapshot has the snapshot's position and number -1; one streamed has its commit and a number from 0:
# (epoch, commit, number) < (epoch, position, 0) is "before the position" for both.
_ROWS = """
COPY (
    WITH held AS MATERIALIZED (
        SELECT DISTINCT ON (record_id) record_id, image, epoch, version, number,
            closed_batch IS NOT NULL AND closed_batch = {batch}
            AND (state = 'gone' OR (state = 'superseded' AND opened_batch = closed_batch)) AS doubtful
        FROM lienthong.quarantine q
        WHERE q.dataset = {dataset} AND q.source = {source} AND q."table" = {table}
        AND (q.epoch, q.version, q.number) < {at} AND (q.state = 'open' OR q.closed_batch >= {batch})
        ORDER BY record_id, epoch DESC, version DESC, number DESC
    ), kept AS (
        SELECT t._record_id, t._image, t._epoch, t._version, t._number FROM {current} t
        WHERE t._source = {source} AND t._table = {table} AND (t._epoch, t._version, t._number) < {at}
        UNION ALL
        SELECT h._record_id, h._image, h._epoch, h._version, h._number FROM {history} h
        WHERE h._ended_batch >= {batch} AND h._source = {source} AND h._table = {table}
        AND (h._epoch, h._version, h._number) < {at}
        AND (h._ended_epoch, h._ended_version, h._ended_number) >= {at}
    )
    SELECT k._record_id, k._image::text, false FROM kept k
    WHERE NOT EXISTS (SELECT FROM held q WHERE q.record_id = k._record_id
        AND (q.epoch, q.version, q.number) > (k._epoch, k._version, k._number))
    UNION ALL
    SELECT q.record_id, q.image, q.doubtful FROM held q
    WHERE NOT EXISTS (SELECT FROM {current} t WHERE t._record_id = q.record_id
        AND (t._epoch, t._version, t._number) < {at}
        AND (t._epoch, t._version, t._number) > (q.epoch, q.version, q.number))
    -- The end of a version is an event of the record too: a cancel leaves no other trace.
    AND NOT EXISTS (SELECT FROM {history} h WHERE h._record_id = q.record_id
        AND (((h._epoch, h._version, h._number) < {at}
            AND (h._epoch, h._version, h._number) > (q.epoch, q.version, q.number))
        OR ((h._ended_epoch, h._ended_version, h._ended_number) < {at}
            AND (h._ended_epoch, h._ended_version, h._ended_number) > (q.epoch, q.version, q.number))))
) TO STDOUT (FORMAT csv)
"""
_KEEP = """
INSERT INTO lienthong.reconciliation (link, "table", table_schema, dataset, began_at, ended_at, position, moment,
    equal, rows_source, rows_centre, buckets, buckets_differing, buckets_unopened, missing, surplus, differing,
    columns, salt, digest_source, digest_centre, error)
VALUES (%(link)s, %(table)s, %(table_schema)s, %(dataset)s, %(began_at)s, %(ended_at)s, %(position)s, %(moment)s,
    %(equal)s, %(rows_source)s, %(rows_centre)s, %(buckets)s, %(buckets_differing)s, %(buckets_unopened)s,
    %(missing)s, %(surplus)s, %(differing)s, %(columns)s, %(salt)s, %(digest_source)s, %(digest_centre)s, %(error)s)
RETURNING number
"""
_KEEP_DIFFERENCE = "INSERT INTO lienthong.reconciliation_difference VALUES (%s, %s, %s, %s)"
_KNOWN = """
SELECT CASE WHEN to_regclass('lienthong.reconciliation') IS NULL THEN false
    ELSE has_table_privilege('lienthong.reconciliation', 'SELECT') END AS known
"""
_NEWEST = """
SELECT DISTINCT ON (link, table_schema, "table") * FROM lienthong.reconciliation WHERE {which}
ORDER BY link, table_schema, "table", number DESC
"""
