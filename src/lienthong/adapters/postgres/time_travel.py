"""The centre as of a moment on PostgreSQL: functions for people who write SQL, and the reader of the faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

import psycopg
from psycopg import sql

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.adapters.postgres.centre_questions import (
    Connection,
    NotAValue,
    Row,
    ask,
    impossible,
    key_facts,
    key_is,
    shown,
)
from lienthong.adapters.postgres.centre_schema import statements_of
from lienthong.adapters.postgres.time_travel_sql import (
    MARK,
    all_versions,
    as_of_function,
    as_of_name,
    in_order,
    valid_at,
    versions_function,
    versions_name,
)
from lienthong.centre.reading import LookupOutcome, Provenance, RecordFinding, StoredRecord
from lienthong.centre.refusals import CentreFault, DatasetNotPrepared
from lienthong.centre.tables import SCHEMA, TableSpec, derive_table
from lienthong.centre.time_travel import (
    CodeTally,
    ConformanceAsOf,
    CountAsOf,
    Knowledge,
    RecordAsOf,
    RecordVersion,
    SourceKnown,
    coded_element,
    codes_on,
    day_in_vietnam,
    knowledge_of,
    require_zone,
)
from lienthong.centre.time_travel_refusals import PastInUse, PastNotPrepared
from lienthong.check.verdict import Letter
from lienthong.dictionary.model import DatasetId, Dictionary, ElementId
from lienthong.sources.change import Position

CLAIMS_MAX: Final = 20  # records shown when several claim one key
VERSIONS_MAX: Final = 1_000  # of one record
LOOK_LIMIT_S: Final = 5
_MISSING_FUNCTION: Final = "42883"
_IN_USE: Final = "2BP01"
_INSTALL_LOCK: Final = 0x6C69_7474
_MOMENT: Final = sql.Placeholder("moment")
_KNOWN_AT: Final = sql.SQL("%(known_at)s::timestamptz")


def install(url: str, *, password: str | None, dictionary: Dictionary) -> None:
    """Make the functions and indexes of the past, as the owner of the centre; repeating it changes nothing.

    Raises:
        PastInUse: a function has to change and a view of the operator's own stands on it.
    """
    with (
        refusals(),
        psycopg.connect(url, password=password, autocommit=True) as connection,
        connection.transaction(),
    ):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_INSTALL_LOCK])
        connection.execute(statements_of("time_travel.sql"))
        for dataset in dictionary.datasets.values():
            spec = derive_table(dictionary, dataset)
            for name, (statement, mark) in (
                (as_of_name(spec), as_of_function(spec)),
                (versions_name(spec), versions_function(spec)),
            ):
                _make(connection, name, statement, explained=_EXPLAINED[name.rpartition("_")[2]], mark=mark)


# By the last word of a function's name.
_EXPLAINED: Final = {
    "of": "Bản ghi có giá trị tại một thời điểm của nguồn; tham số thứ hai: theo hiểu biết của Trung tâm lúc nào",
    "versions": "Mọi phiên bản của một bản ghi, cũ nhất trước",
}


def _make(connection: Connection, name: str, statement: sql.Composed, *, explained: str, mark: str) -> None:
    known = connection.execute(
        "SELECT p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc') FROM pg_proc p"
        " WHERE p.pronamespace = %s::regnamespace AND p.proname = %s",
        [SCHEMA, name],
    ).fetchall()
    if len(known) == 1 and str(known[0][1]).endswith(f"{MARK}{mark}"):
        return
    for signature, _ in known:
        try:
            # The server itself wrote this name with its types, quoted as it must be.
            connection.execute(b"DROP FUNCTION " + str(signature).encode())
        except psycopg.Error as error:
            if error.sqlstate != _IN_USE:
                raise
            raise PastInUse(function=f"{SCHEMA}.{name}") from error
    connection.execute(statement)
    connection.execute(
        sql.SQL("COMMENT ON FUNCTION {} IS {}").format(
            sql.Identifier(SCHEMA, name), sql.Literal(f"{explained} {MARK}{mark}")
        )
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """One question: where, of which dataset, as of when, as known when."""

    connection: Connection
    spec: TableSpec
    moment: datetime
    known_at: datetime | None
    sources: tuple[SourceKnown, ...]

    @property
    def knowledge(self) -> Knowledge:
        return knowledge_of(self.sources, self.moment)

    @property
    def facts(self) -> dict[str, object]:
        return {"dataset": self.spec.dataset, "moment": self.moment, "known_at": self.known_at}

    @property
    def valid(self) -> sql.Composed:
        return valid_at(self.spec, moment=_MOMENT, known_at=_KNOWN_AT)


@dataclass(frozen=True, kw_only=True)
class PostgresHistoryReader:
    """Answer about the past through connections of a role that can only read; safe for several threads."""

    connect: Callable[[], AbstractContextManager[Connection]]
    dictionary: Dictionary
    limit_s: int = LOOK_LIMIT_S  # of every statement
    _specs: dict[str, TableSpec] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._specs.update(
            {str(name): derive_table(self.dictionary, each) for name, each in self.dictionary.datasets.items()}
        )

    def record_as_of(
        self, dataset: DatasetId, key: Sequence[str], moment: datetime, known_at: datetime | None = None
    ) -> RecordAsOf:
        """Return the record with this business key as of a moment."""
        with self._asking(dataset, moment, known_at) as asked:
            outcome, versions, reasons = self._look_up(asked, key)
        return RecordAsOf(
            dataset=dataset, moment=asked.moment, known_at=asked.known_at, knowledge=asked.knowledge,
            sources=asked.sources, outcome=outcome, versions=versions, reasons=reasons,
        )  # fmt: skip

    def versions(self, dataset: DatasetId, record_id: str) -> tuple[RecordVersion, ...]:
        """Return every version of a record, oldest first."""
        spec = self._spec(dataset)
        if "\x00" in record_id:
            return ()
        versions = sql.SQL("SELECT v.* FROM ({}) v WHERE v._record_id = %(record)s").format(all_versions(spec))
        with self._transaction() as connection:
            return _versions(connection, spec, versions, {"record": record_id}, limit=VERSIONS_MAX)

    def count_as_of(self, dataset: DatasetId, moment: datetime, known_at: datetime | None = None) -> CountAsOf:
        """Return how many records a dataset had at a moment."""
        rows: int | None = None
        with self._asking(dataset, moment, known_at) as asked:
            if asked.knowledge is not Knowledge.NOT_KNOWN:
                question = _count_now_known(asked.spec) if known_at is None else _count(asked)
                rows = cast("int", ask(asked.connection, question, asked.facts)[0][0])
        return CountAsOf(
            dataset=dataset, moment=asked.moment, known_at=asked.known_at, knowledge=asked.knowledge,
            sources=asked.sources, rows=rows,
        )  # fmt: skip

    def conformance_as_of(
        self, dataset: DatasetId, element: ElementId, moment: datetime, known_at: datetime | None = None
    ) -> ConformanceAsOf:
        """Return how many values of a coded element were in force in their list on the day of a moment."""
        self._spec(dataset)
        found, code_list = coded_element(self.dictionary, self.dictionary.datasets[dataset], element)
        day = day_in_vietnam(require_zone(moment))
        tally: CodeTally | None = None
        with self._asking(dataset, moment, known_at) as asked:
            if asked.knowledge is not Knowledge.NOT_KNOWN:
                codes = codes_on(code_list, day)
                facts = asked.facts | {"codes": list(codes), "in_force": list(codes.values())}
                question = _conformance(asked, self.dictionary.elements[found].technical_name)
                counts = cast("list[int]", ask(asked.connection, question, facts)[0])
                tally = CodeTally(in_force=counts[0], not_in_force=counts[1], not_listed=counts[2], missing=counts[3])
        return ConformanceAsOf(
            dataset=dataset, element=found, code_list=code_list.identity.id,
            list_version=code_list.identity.version, moment=asked.moment, day=day, known_at=asked.known_at,
            knowledge=asked.knowledge, sources=asked.sources, tally=tally,
        )  # fmt: skip

    # -- inside ------------------------------------------------------------------------------------------------

    def _spec(self, dataset: str) -> TableSpec:
        if dataset not in self._specs:
            raise DatasetNotPrepared(dataset=dataset)
        return self._specs[dataset]

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _prepared(), refusals(limit_s=self.limit_s), self.connect() as connection, connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{self.limit_s}s"])
            yield connection

    @contextmanager
    def _asking(self, dataset: str, moment: datetime, known_at: datetime | None) -> Iterator[_Asked]:
        """Open one look at the centre: all its questions see one state."""
        spec, moment = self._spec(dataset), require_zone(moment)
        known_at = None if known_at is None else require_zone(known_at, name="known_at")
        with self._transaction() as connection:
            rows = ask(connection, _SOURCES, {"dataset": dataset, "known_at": known_at})
            sources = tuple(
                SourceKnown(
                    source=cast("str", row[0]),
                    known_from=cast("datetime | None", row[1]),
                    read_until=cast("datetime | None", row[2]),
                )
                for row in rows
            )
            yield _Asked(connection=connection, spec=spec, moment=moment, known_at=known_at, sources=sources)

    def _look_up(
        self, asked: _Asked, key: Sequence[str]
    ) -> tuple[LookupOutcome | None, tuple[RecordVersion, ...], tuple[RecordFinding, ...]]:
        if asked.knowledge is Knowledge.NOT_KNOWN:
            return None, (), ()
        # A source that joined later may have had it: without a trace the answer is that nobody knows.
        nothing = LookupOutcome.NOT_FOUND if asked.knowledge is Knowledge.KNOWN else None
        facts = asked.facts | key_facts(key) | {"key": list(key)}
        found = None if impossible(key, asked.spec) else _valid(asked, facts)
        if found is None:  # no record can have such a key
            return nothing, (), ()
        if found:
            return (LookupOutcome.FOUND if len(found) == 1 else LookupOutcome.DISPUTED), found, ()
        reasons = _held(asked, facts)
        if reasons is not None:
            return LookupOutcome.INCOMPLETE, (), reasons
        return (LookupOutcome.CANCELLED if ask(asked.connection, _cancelled(asked), facts) else nothing), (), ()


@contextmanager
def _prepared() -> Iterator[None]:
    """Say what to do where the functions were never made."""
    try:
        yield
    except CentreFault as fault:
        if fault.facts["sqlstate"] == _MISSING_FUNCTION:
            raise PastNotPrepared from fault
        raise


def _valid(asked: _Asked, facts: Mapping[str, object]) -> tuple[RecordVersion, ...] | None:
    """Return the versions with a key that were valid; None where the text is no value of the key's type."""
    chosen = sql.SQL("SELECT v.*, {ended} AS _known_to FROM ({valid}) v WHERE {key_is}").format(
        ended=_ENDED_AT, valid=asked.valid, key_is=key_is(asked.spec, "v")
    )
    try:
        with asked.connection.transaction():
            return _versions(asked.connection, asked.spec, chosen, facts, limit=CLAIMS_MAX)
    except NotAValue:
        return None


def _versions(
    connection: Connection, spec: TableSpec, chosen: sql.Composed, facts: Mapping[str, object], *, limit: int
) -> tuple[RecordVersion, ...]:
    question = sql.SQL(
        "SELECT t._record_id, t._event, t._version, t._source, t._table, t._source_time, t._batch, t._applied_at,"
        " t._dictionary, t._rule_set, t._judgement, t._valid_from, t._valid_to, t._ended_by, t._known_to, {values}"
        " FROM ({chosen}) t ORDER BY t._record_id, {order} LIMIT %(limit)s"
    ).format(
        values=sql.SQL(", ").join(shown(column.name, column.type) for column in spec.columns),
        chosen=chosen,
        order=in_order("t"),
    )
    rows = ask(connection, question, {**facts, "limit": limit})
    rules = _rules(connection, {cast("int", row[9]) for row in rows})
    return tuple(_version(spec, row, rules) for row in rows)


def _version(spec: TableSpec, row: Row, rules: Mapping[int, Sequence[Mapping[str, str | None]]]) -> RecordVersion:
    head, verdict, period, values = row[:9], row[9:11], row[11:15], row[15:]
    record_id, event, version, source, table, source_time, batch_id, applied_at, dictionary = head
    rule_set, judgement = cast("tuple[int, str]", verdict)
    findings = tuple(
        _reason(rule, cast("datetime", applied_at))
        for rule, letter in zip(rules.get(rule_set, ()), judgement, strict=False)
        if letter == Letter.FAIL
    )
    record = StoredRecord(
        values=dict(zip(spec.column_names, values, strict=True)),
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
    valid_from, valid_to, ended_by, ended_at = period
    return RecordVersion(
        record=record,
        valid_from=cast("datetime", valid_from),
        valid_to=cast("datetime | None", valid_to),
        ended_by=cast("str | None", ended_by),
        ended_at=cast("datetime | None", ended_at),
    )


def _rules(connection: Connection, rule_sets: set[int]) -> dict[int, Sequence[Mapping[str, str | None]]]:
    if not rule_sets:
        return {}
    rows = ask(connection, _RULES, {"rule_sets": sorted(rule_sets)})
    return {cast("int", row[0]): cast("list[dict[str, str | None]]", row[1]) for row in rows}


def _reason(rule: Mapping[str, str | None], at: datetime) -> RecordFinding:
    return RecordFinding(
        rule=rule["name"] or "",
        element=rule["element"],
        severity=rule["severity"] or "",
        observed=None,
        opened_at=at,
    )


def _held(asked: _Asked, facts: Mapping[str, object]) -> tuple[RecordFinding, ...] | None:
    """Return why a record was held in quarantine at the moment; None when none with this key was."""
    question = sql.SQL(_HELD).format(
        current=sql.Identifier(SCHEMA, asked.spec.table), history=sql.Identifier(SCHEMA, asked.spec.history)
    )
    rows = ask(asked.connection, question, facts)
    if not rows:
        return None
    rules = _rules(asked.connection, {cast("int", row[0]) for row in rows})
    return tuple(
        _reason(rule, cast("datetime", opened_at))
        for rule_set, names, opened_at in rows
        for rule in rules.get(cast("int", rule_set), ())
        if rule["name"] in cast("list[str]", names)
    )


def _cancelled(asked: _Asked) -> sql.Composed:
    return sql.SQL(
        "SELECT 1 FROM {history} h WHERE {key_is} AND h._ended_by = 'CANCEL' AND h._valid_to <= {moment}"
        " AND h._ended_batch <= (SELECT lienthong.batch_known_at({known_at}))"
        " AND NOT EXISTS (SELECT FROM ({valid}) v WHERE v._record_id = h._record_id) LIMIT 1"
    ).format(
        history=sql.Identifier(SCHEMA, asked.spec.history),
        key_is=key_is(asked.spec, "h"),
        moment=_MOMENT,
        known_at=_KNOWN_AT,
        valid=asked.valid,
    )


def _count(asked: _Asked) -> sql.Composed:
    return sql.SQL("SELECT count(*) FROM ({valid}) v").format(valid=asked.valid)


def _count_now_known(spec: TableSpec) -> sql.Composed:
    """Count without the second clock: two ranges of two indexes, no row is read."""
    return sql.SQL(
        "SELECT (SELECT count(*) FROM {current} t WHERE t._valid_from <= {moment})"
        " + (SELECT count(*) FROM {history} h WHERE h._valid_from <= {moment} AND h._valid_to > {moment})"
    ).format(current=sql.Identifier(SCHEMA, spec.table), history=sql.Identifier(SCHEMA, spec.history), moment=_MOMENT)


def _conformance(asked: _Asked, column: str) -> sql.Composed:
    name = sql.Identifier("v", column)
    several = asked.spec.column(column).type.endswith("[]")
    values = (
        sql.SQL("(SELECT x.code FROM ({valid}) v LEFT JOIN LATERAL unnest({name}) x (code) ON true)")
        if several
        else sql.SQL("(SELECT {name} AS code FROM ({valid}) v)")
    ).format(valid=asked.valid, name=name)
    return sql.SQL(
        "SELECT count(*) FILTER (WHERE c.in_force), count(*) FILTER (WHERE NOT c.in_force),"
        " count(*) FILTER (WHERE w.code IS NOT NULL AND c.code IS NULL), count(*) FILTER (WHERE w.code IS NULL)"
        " FROM {values} w LEFT JOIN unnest(%(codes)s::text[], %(in_force)s::boolean[]) c (code, in_force)"
        " ON c.code = w.code"
    ).format(values=values)


_ENDED_AT: Final = sql.SQL("(SELECT b.applied_at FROM lienthong.batch b WHERE b.id = v._ended_batch)")
_SOURCES: Final = "SELECT * FROM lienthong.known_sources(%(dataset)s, %(known_at)s)"
_RULES: Final = "SELECT id, rules FROM lienthong.rule_set WHERE id = ANY (%(rule_sets)s)"
# A case ends when the source's next change settles it: the version, the end or the case which that batch brought.
_HELD: Final = """
SELECT q.rule_set, q.rules, q.opened_at FROM lienthong.quarantine q
WHERE q.dataset = %(dataset)s AND q.business_key = %(key)s AND q.source_time <= %(moment)s
AND q.opened_batch <= (SELECT lienthong.batch_known_at(%(known_at)s::timestamptz))
AND (q.closed_batch IS NULL OR q.closed_batch > (SELECT lienthong.batch_known_at(%(known_at)s::timestamptz))
    OR %(moment)s < coalesce(
        least((SELECT t._valid_from FROM {current} t WHERE t._record_id = q.record_id AND t._batch = q.closed_batch),
              (SELECT min(h._valid_from) FROM {history} h
               WHERE h._record_id = q.record_id AND h._batch = q.closed_batch)),
        (SELECT min(h._valid_to) FROM {history} h
         WHERE h._record_id = q.record_id AND h._ended_batch = q.closed_batch),
        (SELECT min(n.source_time) FROM lienthong.quarantine n
         WHERE n.dataset = q.dataset AND n.record_id = q.record_id AND n.id > q.id
         AND n.opened_batch = q.closed_batch),
        (SELECT b.source_time FROM lienthong.batch b WHERE b.id = q.closed_batch), q.closed_at))
ORDER BY q.id LIMIT 20
"""
