"""Answers of the centre to the faces: a pool of read-only connections with a limit on every question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.adapters.postgres.centre_links import SELECT_LINKS, link_state
from lienthong.adapters.postgres.centre_questions import NotAValue, ask, impossible, key_facts, key_is, shown
from lienthong.adapters.postgres.measuring_reader import PostgresMeasuringReader
from lienthong.adapters.postgres.time_travel import PostgresHistoryReader
from lienthong.centre.ports import LinkState
from lienthong.centre.reading import (
    BatchLine,
    DatasetCount,
    FailingRow,
    LookupOutcome,
    LookupResult,
    Provenance,
    RecordFinding,
    RuleCount,
    StoredRecord,
)
from lienthong.centre.refusals import DatasetNotPrepared
from lienthong.centre.tables import SCHEMA, TableSpec, derive_table
from lienthong.check.masking import mask_text
from lienthong.dictionary.model import DatasetId, Dictionary, Sensitivity
from lienthong.sources.change import Position

QUESTION_LIMIT_S = 5
POOL_CONNECTIONS_MAX = 8
CONNECTION_WAIT_S = 5
CLAIMS_MAX = 20  # records shown when several claim one key
ROWS_MAX = 1_000  # of any list
LABEL_JOINER = " · "

# Several questions of one look-up see one moment: a record on its way out of quarantine is never missed.
_SESSION = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": r"repeatable\ read",
    "statement_timeout": f"{QUESTION_LIMIT_S}s",
    "TimeZone": "UTC",
    "jit": "off",
    "search_path": "pg_catalog",
}

_Row = tuple[object, ...]
_Connection = psycopg.Connection[_Row]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """A dataset's tables, and how the parts of its key are masked."""

    spec: TableSpec
    sensitivities: Mapping[str, Sensitivity]


class PostgresCentreReader:
    """Read the centre's state with a role that can only read; safe for several threads."""

    def __init__(
        self,
        url: str,
        dictionary: Dictionary,
        *,
        password: str | None = None,
        connections_max: int = POOL_CONNECTIONS_MAX,
    ) -> None:
        self._dictionary = dictionary
        self._shapes = {
            str(name): _Shape(
                spec=derive_table(dictionary, dataset),
                sensitivities={
                    dictionary.elements[member.element].technical_name: dictionary.elements[
                        member.element
                    ].sensitivity
                    for member in dataset.members
                },
            )
            for name, dataset in dictionary.datasets.items()
        }
        options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
        self._pool = ConnectionPool(
            url,
            kwargs={"autocommit": True, "options": options} | ({} if password is None else {"password": password}),
            min_size=1,
            max_size=connections_max,
            timeout=CONNECTION_WAIT_S,
            check=ConnectionPool.check_connection,
            name="centre-reader",
            open=False,
        )

    def links(self) -> tuple[LinkState, ...]:
        """Return all links."""
        return tuple(link_state(row) for row in self._rows(f"{SELECT_LINKS} ORDER BY source", {}))

    def counts(self) -> Mapping[DatasetId, DatasetCount]:
        """Return how much each dataset holds, from counters kept by the batches."""
        rows = self._rows("SELECT dataset, rows, quarantined, history, findings FROM lienthong.dataset_state", {})
        return {
            DatasetId(cast("str", row[0])): DatasetCount(
                dataset=DatasetId(cast("str", row[0])),
                rows=cast("int", row[1]),
                quarantined=cast("int", row[2]),
                history=cast("int", row[3]),
                findings=cast("int", row[4]),
            )
            for row in rows
        }

    def rule_counts(self, dataset: DatasetId) -> tuple[RuleCount, ...]:
        """Return how each rule stands by the newest rule set that has judged a record."""
        return tuple(
            RuleCount(
                rule=cast("str", row[0]),
                passed=cast("int", row[1]),
                failed=cast("int", row[2]),
                not_applicable=cast("int", row[3]),
                not_evaluated=cast("int", row[4]),
            )
            for row in self._rows(_RULE_COUNTS, {"dataset": dataset})
        )

    def lag_share(self, dataset: DatasetId, *, since: datetime, allowed_lag_s: int) -> tuple[int, int]:
        """Return (changes visible within the promise, changes) of streamed batches applied since then.

        A batch counts change by change for the promise it was applied under; for another promise it counts as a
        whole by its slowest change.
        """
        row = self._rows(_LAG_SHARE, {"dataset": dataset, "since": since, "allowed": allowed_lag_s})[0]
        return cast("int", row[0]), cast("int", row[1])

    def readers(self, dataset: DatasetId, *, since: datetime) -> int:
        """Return how many distinct agencies read records since then; none where no gateway keeps a journal."""
        known = self._rows("SELECT to_regclass('lienthong.access_journal') IS NOT NULL", {})[0][0]
        if not known:
            return 0
        return cast("int", self._rows(_READERS, {"dataset": dataset, "since": since})[0][0])

    def grantees(self, dataset: DatasetId, *, on: date) -> int:
        """Return how many distinct agencies hold a grant in force on a day; none where no grants are kept."""
        known = self._rows("SELECT to_regclass('lienthong.grant_of_access') IS NOT NULL", {})[0][0]
        if not known:
            return 0
        return cast("int", self._rows(_GRANTEES, {"dataset": dataset, "on": on})[0][0])

    def failing_rows(self, dataset: DatasetId, rule: str, *, limit: int) -> tuple[FailingRow, ...]:
        """Return open findings of a rule, newest first."""
        shape = self._shape(dataset)
        key = sql.SQL("ARRAY[{}]::text[]").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier("t", name)) for name in shape.spec.key)
        )
        question = sql.SQL(_FAILING_ROWS).format(current=sql.Identifier(SCHEMA, shape.spec.table), key=key)
        facts = {"dataset": dataset, "rule": rule, "limit": _bounded(limit)}
        return tuple(
            FailingRow(
                record_id=cast("str", row[0]),
                label=_label(shape, cast("list[str | None] | None", row[1])),
                observed=cast("str | None", row[2]),
                quarantined=cast("bool", row[3]),
                opened_at=cast("datetime", row[4]),
                batch_id=cast("int", row[5]),
                source=cast("str", row[6]),
            )
            for row in self._rows(question, facts)
        )

    def batches(self, *, limit: int) -> tuple[BatchLine, ...]:
        """Return the newest batches."""
        return tuple(
            BatchLine(
                batch_id=cast("int", row[0]),
                source=cast("str", row[1]),
                position=str(Position(commit=cast("int", row[2]))),
                snapshot=cast("bool", row[3]),
                read=cast("int", row[4]),
                applied=cast("int", row[5]),
                quarantined=cast("int", row[6]),
                superseded=cast("int", row[7]),
                filtered=cast("int", row[8]),
                source_time=cast("datetime | None", row[9]),
                applied_at=cast("datetime", row[10]),
            )
            for row in self._rows(_BATCHES, {"limit": _bounded(limit)})
        )

    def lookup(self, dataset: DatasetId, key: Sequence[str]) -> LookupResult:
        """Return the record with this business key, given as the texts of its parts."""
        shape = self._shape(dataset)
        nothing = LookupResult(outcome=LookupOutcome.NOT_FOUND, records=())
        if impossible(key, shape.spec):
            return nothing
        try:
            with refusals(limit_s=QUESTION_LIMIT_S), self._connection() as connection, connection.transaction():
                return self._look_up(connection, shape, key) or nothing
        except NotAValue:
            return nothing  # the text cannot be a value of the key's type, so no record has it

    def measuring(self) -> PostgresMeasuringReader:
        """Return a reader of measurements on the same connections."""
        return PostgresMeasuringReader(self._rows)

    def history(self, *, limit_s: int = QUESTION_LIMIT_S) -> PostgresHistoryReader:
        """Return a reader of the past on the same connections; counting may need a longer limit than a look-up."""
        return PostgresHistoryReader(connect=self._connection, dictionary=self._dictionary, limit_s=limit_s)

    def close(self) -> None:
        """Give back connections."""
        self._pool.close()

    # -- inside ------------------------------------------------------------------------------------------------

    def _shape(self, dataset: str) -> _Shape:
        if dataset not in self._shapes:
            raise DatasetNotPrepared(dataset=dataset)
        return self._shapes[dataset]

    def _connection(self) -> AbstractContextManager[_Connection]:
        if self._pool.closed:
            self._pool.open()
        return self._pool.connection()

    def _rows(self, question: str | sql.Composed, facts: Mapping[str, object]) -> list[_Row]:
        with refusals(limit_s=QUESTION_LIMIT_S), self._connection() as connection:
            return ask(connection, question, facts)

    def _look_up(self, connection: _Connection, shape: _Shape, key: Sequence[str]) -> LookupResult | None:
        found = _current(connection, shape, key)
        if found:
            outcome = LookupOutcome.FOUND if len(found) == 1 else LookupOutcome.DISPUTED
            return LookupResult(outcome=outcome, records=found)
        facts = {"dataset": shape.spec.dataset, "key": list(key)}
        held = [cast("str", row[0]) for row in ask(connection, _HELD, facts)]
        if held:
            reasons = _findings(connection, shape.spec.dataset, held)
            return LookupResult(
                outcome=LookupOutcome.INCOMPLETE,
                records=(),
                reasons=tuple(reason for record_id in held for reason in reasons.get(record_id, ())),
            )
        if _withdrawn(connection, shape, key):
            return LookupResult(outcome=LookupOutcome.CANCELLED, records=())
        return None


def _current(connection: _Connection, shape: _Shape, key: Sequence[str]) -> tuple[StoredRecord, ...]:
    question = sql.SQL(
        "SELECT t._record_id, t._event, t._version, t._source, t._table, t._source_time, t._batch, t._applied_at,"
        " t._dictionary, {values} FROM {current} t WHERE {key_is} ORDER BY t._record_id LIMIT %(limit)s"
    ).format(
        values=sql.SQL(", ").join(shown(column.name, column.type) for column in shape.spec.columns),
        current=sql.Identifier(SCHEMA, shape.spec.table),
        key_is=key_is(shape.spec, "t"),
    )
    facts = key_facts(key)
    rows = ask(connection, question, facts | {"limit": CLAIMS_MAX})
    findings = _findings(connection, shape.spec.dataset, [cast("str", row[0]) for row in rows])
    return tuple(_record(shape, row, findings.get(cast("str", row[0]), ())) for row in rows)


def _findings(connection: _Connection, dataset: str, records: Sequence[str]) -> dict[str, tuple[RecordFinding, ...]]:
    if not records:
        return {}
    rows = ask(connection, _RECORD_FINDINGS, {"dataset": dataset, "records": list(records)})
    found: dict[str, tuple[RecordFinding, ...]] = {}
    for record_id, rule, element, severity, observed, opened_at in rows:
        finding = RecordFinding(
            rule=cast("str", rule),
            element=cast("str | None", element),
            severity=cast("str", severity),
            observed=cast("str | None", observed),
            opened_at=cast("datetime", opened_at),
        )
        found[cast("str", record_id)] = (*found.get(cast("str", record_id), ()), finding)
    return found


def _withdrawn(connection: _Connection, shape: _Shape, key: Sequence[str]) -> bool:
    question = sql.SQL(
        "SELECT 1 FROM {history} h WHERE {key_is} AND h._ended_by = 'CANCEL'"
        " AND NOT EXISTS (SELECT FROM {current} t WHERE t._record_id = h._record_id) LIMIT 1"
    ).format(
        history=sql.Identifier(SCHEMA, shape.spec.history),
        current=sql.Identifier(SCHEMA, shape.spec.table),
        key_is=key_is(shape.spec, "h"),
    )
    return bool(ask(connection, question, key_facts(key)))


def _bounded(limit: int) -> int:
    return max(0, min(limit, ROWS_MAX))


def _record(shape: _Shape, row: tuple[object, ...], findings: tuple[RecordFinding, ...]) -> StoredRecord:
    record_id, event, version, source, table, source_time, batch_id, applied_at, dictionary, *values = row
    return StoredRecord(
        values=dict(zip(shape.spec.column_names, values, strict=True)),
        provenance=Provenance(
            record_id=cast("str", record_id),
            event=cast("str", event),
            version=cast("int", version),
            source=cast("str", source),
            table=cast("str", table),
            position=str(Position(commit=cast("int", version))),
            source_time=cast("datetime", source_time),
            batch_id=cast("int", batch_id),
            applied_at=cast("datetime", applied_at),
            dictionary_version=cast("str", dictionary),
        ),
        findings=findings,
    )


def _label(shape: _Shape, key: list[str | None] | None) -> str:
    """Return the masked business key; empty where the record has none."""
    if key is None:
        return ""
    return LABEL_JOINER.join(
        shown
        for name, part in zip(shape.spec.key, key, strict=True)
        if (shown := mask_text(part, shape.sensitivities[name])) is not None
    )


_RULE_COUNTS = """
SELECT rule, passed, failed, not_applicable, not_evaluated FROM lienthong.rule_counter
WHERE rule_set = (
    SELECT rule_set FROM lienthong.rule_counter WHERE dataset = %(dataset)s
    ORDER BY passed + failed + not_applicable + not_evaluated > 0 DESC, rule_set DESC LIMIT 1)
ORDER BY place
"""
_LAG_SHARE = """
SELECT coalesce(sum(CASE
    WHEN lag_max_s <= %(allowed)s THEN changes
    WHEN allowed_lag_s = %(allowed)s THEN lag_within
    ELSE 0 END), 0)::bigint, coalesce(sum(changes), 0)::bigint
FROM lienthong.batch_dataset WHERE dataset = %(dataset)s AND NOT snapshot AND applied_at >= %(since)s
"""
_READERS = """
SELECT count(DISTINCT agency) FROM lienthong.access_journal
WHERE dataset = %(dataset)s AND at >= %(since)s AND records > 0
"""
_GRANTEES = """
SELECT count(DISTINCT agency) FROM lienthong.grant_of_access
WHERE dataset = %(dataset)s AND valid_from <= %(on)s AND %(on)s < valid_to AND withdrawn_at IS NULL
"""
_FAILING_ROWS = """
SELECT f.record_id, coalesce(q.business_key, {key}), f.observed, q.id IS NOT NULL, f.opened_at,
    coalesce(f.opened_batch, q.opened_batch, t._batch, 0),
    coalesce(q.source, t._source, '')
FROM (SELECT * FROM lienthong.finding WHERE dataset = %(dataset)s AND rule = %(rule)s AND closed_at IS NULL
      ORDER BY id DESC LIMIT %(limit)s) f
LEFT JOIN {current} t ON t._record_id = f.record_id
LEFT JOIN lienthong.quarantine q ON q.dataset = f.dataset AND q.record_id = f.record_id AND q.state = 'open'
ORDER BY f.id DESC
"""
_BATCHES = """
SELECT id, source, position, snapshot, read, applied, quarantined, superseded, filtered, source_time, applied_at
FROM lienthong.batch ORDER BY id DESC LIMIT %(limit)s
"""
_HELD = """
SELECT record_id FROM lienthong.quarantine
WHERE dataset = %(dataset)s AND state = 'open' AND business_key = %(key)s ORDER BY record_id LIMIT 20
"""
_RECORD_FINDINGS = """
SELECT record_id, rule, element, severity, observed, opened_at FROM lienthong.finding
WHERE dataset = %(dataset)s AND record_id = ANY (%(records)s) AND closed_at IS NULL ORDER BY record_id, id
"""
