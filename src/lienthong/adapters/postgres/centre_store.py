"""The centre's state on PostgreSQL: one connection that writes, one transaction a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import psycopg
from psycopg import sql

from lienthong.adapters.postgres import centre_apply
from lienthong.adapters.postgres.centre_apply import Cursor, Step, Tally, Target, Unique
from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.adapters.postgres.centre_links import SELECT_LINKS, link_state
from lienthong.adapters.postgres.centre_schema import (
    Connection,
    prepare_bookkeeping,
    prepare_dataset,
    register_rules,
    statements_of,
)
from lienthong.adapters.postgres.centre_statements import compose, compose_unique
from lienthong.centre.batch import Batch, BatchReceipt, Truncation
from lienthong.centre.measuring import measured_kind
from lienthong.centre.ports import LinkState, LinkStatus, Phase
from lienthong.centre.reading import RuleCount
from lienthong.centre.refusals import DatasetNotPrepared, EpochDiffers, PhaseDiffers
from lienthong.centre.staging import Lag, flatten, lag_of, unique_rules
from lienthong.centre.tables import SCHEMA, TableSpec, derive_table
from lienthong.check.verdict import JudgedBatch, Letter, RuleSet
from lienthong.dictionary.model import DatasetId, Dictionary, Sensitivity
from lienthong.sources.change import Epoch, Position, SourceId, TableName

LOCK_TIMEOUT_S = 30
UNSEEN_CHANGES_MIN = 1_000
UNSEEN_CHANGES_MAX = 1_000_000  # past this the server's own look is early enough
# The figures of a working session: it has no statement limit, since a huge batch is still one batch, and it never
# compiles, since no statement runs long enough to pay for it.
_SESSION = (
    f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'; SET statement_timeout = 0; SET TimeZone = 'UTC'; SET jit = off;"
    " SET random_page_cost = 1.1; SET client_encoding = 'UTF8'; SET search_path = pg_catalog;"
    " SET standard_conforming_strings = on"
)
EVERYTHING = Sensitivity.SENSITIVE_PERSONAL  # how a value of several elements is masked


@dataclass(frozen=True, kw_only=True, slots=True)
class _LockedLink:
    phase: Phase
    epoch: Epoch | None
    epoch_number: int
    position: int


@dataclass(kw_only=True, slots=True)
class _Work:
    """One batch under way."""

    cursor: Cursor
    batch: Batch
    link: _LockedLink
    batch_id: int
    at: datetime
    tallies: dict[str, Tally] = field(default_factory=dict)
    lags: list[tuple[str, int, Lag]] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)


class PostgresCentreStore:
    """Keep the centre's state in a PostgreSQL database whose role owns it; for one thread at a time."""

    def __init__(self, url: str, *, password: str | None = None) -> None:
        self._url = url
        self._password = password
        self._connection: Connection | None = None
        self._staged: set[str] = set()  # datasets whose working table exists in this session
        self._dictionary: Dictionary | None = None
        self._specs: dict[str, TableSpec] = {}
        self._targets: dict[tuple[str, str], Target] = {}  # by dataset and digest of the rules
        self._unseen: Counter[str] = Counter()  # changes by dataset since the server last looked at its tables
        self._look_after: dict[str, int] = {}

    # -- what the port asks ------------------------------------------------------------------------------------

    def prepare(self, dictionary: Dictionary, rule_sets: Mapping[DatasetId, RuleSet]) -> None:
        """Create or extend the derived tables.

        Raises:
            TableDiffers: a stored table has another shape.
            SchemaTooNew: the database belongs to a later version of the product.
        """
        specs = {str(name): derive_table(dictionary, dictionary.datasets[name]) for name in rule_sets}
        targets: dict[tuple[str, str], Target] = {}
        with refusals(), self._session() as connection, connection.transaction():
            prepare_bookkeeping(connection)
            for name, rules in rule_sets.items():
                number = prepare_dataset(connection, specs[name], rules)
                targets[name, rules.digest] = _target(dictionary, specs[name], rules, number)
        self._dictionary, self._specs, self._targets = dictionary, specs, targets
        self.close()  # working tables of another shape go with their session

    def link(self, source: SourceId) -> LinkState | None:
        """Return what is remembered of a link."""
        with refusals(), self._session() as connection:
            row = connection.execute(f"{SELECT_LINKS} WHERE source = %s", [source]).fetchone()
        return None if row is None else link_state(row)

    def begin_snapshot(
        self,
        source: SourceId,
        *,
        epoch: Epoch,
        position: Position,
        plan_digest: str,
        rows_estimated: int,
        at: datetime,
    ) -> None:
        """Note that a snapshot starts; rows stored before it stay until it ends."""
        with refusals(), self._session() as connection, connection.transaction():
            connection.execute(_BEGIN_SNAPSHOT, [
                source, epoch.system, epoch.timeline, epoch.database, epoch.slot, position.commit, plan_digest, at,
                rows_estimated,
            ])  # fmt: skip

    def finish_snapshot(
        self, source: SourceId, *, tables: Sequence[tuple[TableName, DatasetId]], position: Position, at: datetime
    ) -> int:
        """Cancel the records the snapshot did not see, go over to streaming; return how many were cancelled."""
        with self._writing() as cursor:
            link = self._lock_link(cursor, source, [str(dataset) for _, dataset in tables])
            if link.phase is not Phase.SNAPSHOT or link.position != position.commit:
                raise PhaseDiffers(source=source, phase=link.phase.value, needed=f"a snapshot at {position}")
            batch = Batch(
                source=source, epoch=cast("Epoch", link.epoch), end=position, snapshot=True, read=0, filtered=0,
                parts=(), dictionary_version=self._known_dictionary().version,
            )  # fmt: skip
            work = _Work(cursor=cursor, batch=batch, link=link, batch_id=_next_batch(cursor), at=at)
            withdrawn = 0
            for table, dataset in tables:
                step = self._step(work, self._any_target(dataset), str(table))
                # Every row the snapshot read stands at its position with number -1: it is not before itself.
                withdrawn += centre_apply.withdraw(step, version=position.commit, number=-1, source_time=at)
                # From here on the dataset is known of this source, whether or not the table had a row.
                work.lags.append((dataset, self._allowed_lag_s(dataset), Lag(changes=0, within=0, worst_s=None)))
            _settle(work, withdrawn=withdrawn)
            cursor.execute(_FINISH_SNAPSHOT, [at, source])
        return withdrawn

    def images(self, dataset: DatasetId, record_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the raw images (JSON) of records that are kept or in open quarantine, by record id."""
        if not record_ids:
            return {}
        statements = self._any_target(dataset).statements
        with refusals(), self._session() as connection:
            rows = connection.execute(statements.images, {"dataset": dataset, "ids": list(record_ids)}).fetchall()
        return {cast("str", record_id): cast("str", image) for record_id, image in rows}

    def apply(self, batch: Batch, *, at: datetime) -> BatchReceipt:
        """Apply a batch in one transaction with its position; apply nothing if it was applied before.

        Raises:
            EpochDiffers: the batch belongs to another history of the source.
            BatchOutOfBalance: the counts do not add up; nothing was stored.
            CentreDiskFull, CentreUnreachable, CentreBusy: nothing was stored; try again.
        """
        datasets = sorted({_dataset_of(part) for part in batch.parts})
        self._let_server_look(datasets)  # before the batch: once it is stored, nothing may fail any more
        with self._writing(datasets) as cursor:
            link = self._lock_link(cursor, batch.source, datasets)
            _require_fitting(batch, link)
            if not batch.snapshot and batch.end.commit <= link.position:
                return _earlier_receipt(cursor, batch, link, at)
            work = _Work(cursor=cursor, batch=batch, link=link, batch_id=_next_batch(cursor), at=at)
            for part in batch.parts:
                self._apply_part(work, part)
            receipt = _settle(work)
            newest = max(work.times, default=None)
            rows = batch.read if batch.snapshot else 0
            cursor.execute(
                _MOVE_LINK, [None if batch.snapshot else batch.end.commit, at, at, newest, rows, batch.source]
            )
        self._unseen.update(dict.fromkeys(datasets, batch.read))
        return receipt

    def apply_apart(self, batch: Batch, *, at: datetime) -> BatchReceipt:
        """Apply rows read again as of a position that the link has passed, beside its stream; the link stays there.

        A row that the stream has changed since the position has no effect.

        Raises:
            EpochDiffers: the rows belong to another history of the source.
            PhaseDiffers: the link does not stream, or has not passed the position.
        """
        assert batch.snapshot, "rows read again follow the rules of a snapshot"
        datasets = sorted({_dataset_of(part) for part in batch.parts})
        with self._writing(datasets) as cursor:
            link = self._lock_link(cursor, batch.source, datasets)
            if batch.epoch != link.epoch:
                raise EpochDiffers(source=batch.source, delivered=batch.epoch, stored=link.epoch)
            if link.phase is not Phase.STREAM or batch.end.commit > link.position:
                raise PhaseDiffers(source=batch.source, phase=link.phase.value, needed=f"a stream past {batch.end}")
            work = _Work(cursor=cursor, batch=batch, link=link, batch_id=_next_batch(cursor), at=at)
            for part in batch.parts:
                self._apply_part(work, part)
            return _settle(work)

    def heartbeat(self, source: SourceId, *, position: Position, at: datetime) -> None:
        """Note that the source answered and has nothing new before ``position``."""
        with refusals(), self._session() as connection:
            connection.execute(_HEARTBEAT, [at, position.commit, source])

    def report(
        self, source: SourceId, *, status: LinkStatus, reason: str | None, next_action: str | None, at: datetime
    ) -> None:
        """Note the state of a link; a link nobody knows yet is written down as new."""
        del at  # the moment of a report is not kept: heartbeat and batches have theirs
        with refusals(), self._session() as connection:
            connection.execute(_REPORT, [source, status.value, reason, next_action])

    def ask_snapshot(self, source: SourceId) -> bool:
        """Have the next start of a link take a new snapshot; return whether the link is known."""
        with refusals(), self._session() as connection:
            return connection.execute(_ASK_SNAPSHOT, [source]).rowcount == 1

    def close(self) -> None:
        """Give back the connection; the next call makes a new one."""
        connection, self._connection = self._connection, None
        self._staged.clear()
        if connection is not None:
            connection.close()

    # -- beyond the port ---------------------------------------------------------------------------------------

    def recount(self, dataset: DatasetId) -> tuple[RuleCount, ...]:
        """Count every record's verdict anew; the counters kept by the batches must say the same."""
        target = self._any_target(dataset)
        question = sql.SQL(_RECOUNT).format(current=sql.Identifier(SCHEMA, target.spec.table))
        with refusals(), self._session() as connection:
            rows = connection.execute(question, {"dataset": dataset, "rule_set": target.rule_set}).fetchall()
        return tuple(_rule_count(row) for row in rows)

    # -- inside ------------------------------------------------------------------------------------------------

    def _let_server_look(self, datasets: Sequence[str]) -> None:
        """Have the server gather statistics of a table that grew: without them it chooses indexes by guessing.

        Its own look comes a minute late and, in a young table, after the damage: look-ups by the wrong index made
        every batch slower than the one before. A table is looked at again when as much has changed as it held.
        """
        for dataset in datasets:
            if self._unseen[dataset] < UNSEEN_CHANGES_MIN:
                continue
            spec = self._any_target(dataset).spec
            with refusals(), self._session() as connection:
                if dataset not in self._look_after:
                    self._look_after[dataset] = _look_after(connection, spec)
                if self._unseen[dataset] < self._look_after[dataset]:
                    continue
                connection.execute(
                    sql.SQL("ANALYZE {}, {}, lienthong.finding, lienthong.quarantine").format(
                        sql.Identifier(SCHEMA, spec.table), sql.Identifier(SCHEMA, spec.history)
                    )
                )
                self._unseen[dataset] = 0
                self._look_after[dataset] = _look_after(connection, spec)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """Lend the connection, a new one where the old one is gone."""
        if self._connection is not None and self._connection.closed:
            self.close()
        if self._connection is None:
            connection = psycopg.connect(self._url, password=self._password, autocommit=True, prepare_threshold=3)
            try:
                connection.execute(_SESSION.encode())
                connection.execute(statements_of("centre_temporary.sql"))
            except psycopg.Error:
                connection.close()
                raise
            self._connection = connection
        yield self._connection

    @contextmanager
    def _writing(self, datasets: Sequence[str] = ()) -> Iterator[Cursor]:
        """Open the one transaction of a batch."""
        with refusals(), self._session() as connection:
            for dataset in datasets or self._specs:
                self._ensure_stage(connection, dataset)
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor

    def _ensure_stage(self, connection: Connection, dataset: str) -> None:
        if dataset not in self._staged:
            connection.execute(self._any_target(dataset).statements.create_stage)
            self._staged.add(dataset)

    def _lock_link(self, cursor: Cursor, source: SourceId, datasets: Sequence[str]) -> _LockedLink:
        """Take the link and the datasets, always in this order, so that two batches never wait for each other."""
        row = cursor.execute(_LOCK_LINK, [source]).fetchone()
        if row is None or row[0] == Phase.NEW.value:
            raise PhaseDiffers(source=source, phase=Phase.NEW.value, needed="begin_snapshot first")
        cursor.execute(_LOCK_DATASETS, [sorted(datasets)])
        phase, number, position, *epoch = row
        return _LockedLink(
            phase=Phase(phase),
            epoch=Epoch(
                system=cast("str", epoch[0]), timeline=cast("int", epoch[1]), database=cast("str", epoch[2]),
                slot=cast("str", epoch[3]),
            ),
            epoch_number=cast("int", number),
            position=cast("int", position),
        )  # fmt: skip

    def _apply_part(self, work: _Work, part: JudgedBatch | Truncation) -> None:
        dataset = _dataset_of(part)
        stream_from = None if work.batch.snapshot else work.link.position
        tally = work.tallies.setdefault(dataset, Tally())
        if isinstance(part, Truncation):
            work.times.append(part.source_time)
            if stream_from is not None and part.version < stream_from:
                tally.superseded += 1
                return
            step = self._step(work, self._any_target(dataset), str(part.table))
            centre_apply.withdraw(step, version=part.version, number=part.number, source_time=part.source_time)
            tally.applied += 1
            return
        target = self._target_for(work.cursor, dataset, part.rules)
        frame = flatten(part, spec=target.spec, snapshot=work.batch.snapshot)
        if frame.is_empty():
            return
        work.times.append(cast("datetime", frame["_source_time"].max()))
        if stream_from is not None:
            # Everything committed before the position has been applied: what comes again has no effect.
            again = frame["_version"] < stream_from
            tally.superseded += int(frame.filter(again)["_counted"].sum())
            frame = frame.filter(~again)
        allowed = part.records.dataset.allowed_lag_s
        work.lags.append((dataset, allowed, lag_of(frame, at=work.at, allowed_lag_s=allowed)))
        centre_apply.apply_rows(self._step(work, target, str(part.records.table)), frame, part)

    def _step(self, work: _Work, target: Target, table: str) -> Step:
        return Step(
            cursor=work.cursor, target=target, tally=work.tallies.setdefault(target.spec.dataset, Tally()),
            source=work.batch.source, table=table, epoch=work.link.epoch_number, batch=work.batch_id, at=work.at,
            dictionary_version=work.batch.dictionary_version, snapshot=work.batch.snapshot,
        )  # fmt: skip

    def _allowed_lag_s(self, dataset: DatasetId) -> int:
        return self._known_dictionary().datasets[dataset].allowed_lag_s

    def _known_dictionary(self) -> Dictionary:
        if self._dictionary is None:
            raise DatasetNotPrepared(dataset="(any)")
        return self._dictionary

    def _any_target(self, dataset: str) -> Target:
        for (name, _), target in self._targets.items():
            if name == dataset:
                return target
        raise DatasetNotPrepared(dataset=dataset)

    def _target_for(self, cursor: Cursor, dataset: str, rules: RuleSet) -> Target:
        known = self._targets.get((dataset, rules.digest))
        if known is not None:
            return known
        if dataset not in self._specs:
            raise DatasetNotPrepared(dataset=dataset)
        number = register_rules(cursor.connection, dataset, rules)
        return _target(self._known_dictionary(), self._specs[dataset], rules, number)


def _target(dictionary: Dictionary, spec: TableSpec, rules: RuleSet, number: int) -> Target:
    sensitivities = {element.technical_name: element.sensitivity for element in dictionary.elements.values()}
    return Target(
        spec=spec,
        statements=compose(spec),
        uniques=tuple(
            Unique(
                rule=rule,
                statements=compose_unique(spec, rule.columns),
                sensitivity=EVERYTHING if rule.element is None else sensitivities[rule.element],
            )
            for rule in unique_rules(rules, spec)
        ),
        measured=tuple(rule.name for rule in rules.rules if measured_kind(rule) is not None),
        rule_set=number,
    )


def _look_after(connection: Connection, spec: TableSpec) -> int:
    """Return after how many changes the server must look at a table again: as many as it saw rows, within limits."""
    row = connection.execute(
        "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass", [f"{SCHEMA}.{spec.table}"]
    ).fetchone()
    seen = cast("int", row[0]) if row is not None else 0
    return min(max(seen, UNSEEN_CHANGES_MIN), UNSEEN_CHANGES_MAX)


def _dataset_of(part: JudgedBatch | Truncation) -> str:
    dataset = part.dataset if isinstance(part, Truncation) else part.records.dataset
    return dataset.identity.id


def _require_fitting(batch: Batch, link: _LockedLink) -> None:
    if batch.epoch != link.epoch:
        raise EpochDiffers(source=batch.source, delivered=batch.epoch, stored=link.epoch)
    needed = Phase.SNAPSHOT if batch.snapshot else Phase.STREAM
    if link.phase is not needed:
        raise PhaseDiffers(source=batch.source, phase=link.phase.value, needed=needed.value)


def _next_batch(cursor: Cursor) -> int:
    row = cursor.execute("SELECT nextval(pg_get_serial_sequence('lienthong.batch', 'id'))").fetchone()
    assert row is not None, "a sequence always has a next value"
    return cast("int", row[0])


def _earlier_receipt(cursor: Cursor, batch: Batch, link: _LockedLink, at: datetime) -> BatchReceipt:
    """Return what the batch did when it was applied; with other limits it only repeats what others did."""
    row = cursor.execute(_EARLIER, [batch.source, link.epoch_number, batch.end.commit]).fetchone()
    numbers = (0, batch.read, 0, 0, batch.read - batch.filtered, batch.filtered, 0, 0, at) if row is None else row
    names = (
        "batch_id", "read", "applied", "quarantined", "superseded", "filtered", "findings_opened", "findings_closed",
        "applied_at",
    )  # fmt: skip
    facts = cast("dict[str, int]", dict(zip(names, numbers, strict=True)))
    applied_at = cast("datetime", facts.pop("applied_at"))
    return BatchReceipt(source=batch.source, end=batch.end, applied_at=applied_at, **facts)


def _settle(work: _Work, *, withdrawn: int = 0) -> BatchReceipt:
    """Write the journal and the counters; the receipt refuses a batch that does not balance."""
    batch, tallies = work.batch, list(work.tallies.values())
    receipt = BatchReceipt(
        batch_id=work.batch_id,
        source=batch.source,
        end=batch.end,
        read=batch.read,
        applied=sum(tally.applied for tally in tallies),
        quarantined=sum(tally.quarantined for tally in tallies),
        superseded=sum(tally.superseded for tally in tallies),
        filtered=batch.filtered,
        findings_opened=sum(tally.opened for tally in tallies),
        findings_closed=sum(tally.closed for tally in tallies),
        applied_at=work.at,
    )
    work.cursor.execute(_JOURNAL, [
        work.batch_id, batch.source, work.link.epoch_number, batch.end.commit, batch.snapshot, receipt.read,
        receipt.applied, receipt.quarantined, receipt.superseded, receipt.filtered, withdrawn,
        receipt.findings_opened, receipt.findings_closed, max(work.times, default=None), work.at,
        batch.dictionary_version,
    ])  # fmt: skip
    _write_lags(work)
    for dataset in sorted(work.tallies):
        tally = work.tallies[dataset]
        work.cursor.execute(
            _MOVE_STATE, [tally.rows, tally.open_cases, tally.history, tally.opened - tally.closed, dataset]
        )
        _move_counters(work.cursor, tally)
    return receipt


def _write_lags(work: _Work) -> None:
    by_dataset: dict[str, tuple[int, list[Lag]]] = {}
    for dataset, allowed, lag in work.lags:
        by_dataset.setdefault(dataset, (allowed, []))[1].append(lag)
    for dataset, (allowed, lags) in by_dataset.items():
        worst = max((lag.worst_s for lag in lags if lag.worst_s is not None), default=None)
        work.cursor.execute(_LAG, [
            work.batch_id, dataset, work.batch.snapshot, work.at, sum(lag.changes for lag in lags), allowed,
            sum(lag.within for lag in lags), worst,
        ])  # fmt: skip


def _move_counters(cursor: Cursor, tally: Tally) -> None:
    letters = (Letter.PASS, Letter.FAIL, Letter.NOT_APPLICABLE, Letter.NOT_EVALUATED)
    moves: Counter[tuple[int, int, str]] = Counter()
    for (rule_set, judgement), count in tally.judgements.items():
        if count:
            for place, letter in enumerate(judgement, start=1):
                moves[rule_set, place, letter] += count
    keys = sorted({(rule_set, place) for (rule_set, place, _), count in moves.items() if count})
    if keys:
        columns = [[moves[rule_set, place, letter] for rule_set, place in keys] for letter in letters]
        cursor.execute(_MOVE_COUNTERS, [[key[0] for key in keys], [key[1] for key in keys], *columns])


def _rule_count(row: tuple[object, ...]) -> RuleCount:
    rule, *counts = row
    passed, failed, not_applicable, not_evaluated = cast("list[int]", counts)
    return RuleCount(
        rule=cast("str", rule),
        passed=passed,
        failed=failed,
        not_applicable=not_applicable,
        not_evaluated=not_evaluated,
    )


_LOCK_LINK = """
SELECT phase, epoch_number, position, epoch_system, epoch_timeline, epoch_database, epoch_slot
FROM lienthong.link WHERE source = %s FOR UPDATE
"""
_LOCK_DATASETS = "SELECT FROM lienthong.dataset_state WHERE dataset = ANY (%s) ORDER BY dataset FOR UPDATE"
_BEGIN_SNAPSHOT = """
INSERT INTO lienthong.link AS l (source, phase, epoch_number, epoch_system, epoch_timeline, epoch_database,
    epoch_slot, position, plan_digest, status, heartbeat_at, rows_done, rows_estimated)
VALUES (%s, 'snapshot', 1, %s, %s, %s, %s, %s, %s, 'catching-up', %s, 0, %s)
ON CONFLICT (source) DO UPDATE SET phase = 'snapshot', status = 'catching-up', reason = NULL, next_action = NULL,
    epoch_number = CASE WHEN (l.epoch_system, l.epoch_timeline, l.epoch_database, l.epoch_slot) IS NOT DISTINCT FROM
        (excluded.epoch_system, excluded.epoch_timeline, excluded.epoch_database, excluded.epoch_slot)
        THEN l.epoch_number ELSE l.epoch_number + 1 END,
    epoch_system = excluded.epoch_system, epoch_timeline = excluded.epoch_timeline,
    epoch_database = excluded.epoch_database, epoch_slot = excluded.epoch_slot, position = excluded.position,
    plan_digest = excluded.plan_digest, heartbeat_at = excluded.heartbeat_at, rows_done = 0,
    rows_estimated = excluded.rows_estimated
"""
_FINISH_SNAPSHOT = """
UPDATE lienthong.link SET phase = 'stream', status = 'healthy', reason = NULL, next_action = NULL, applied_at = %s
WHERE source = %s
"""
_MOVE_LINK = """
UPDATE lienthong.link SET position = coalesce(%s, position), applied_at = %s, heartbeat_at = %s,
    source_time = greatest(%s, source_time), rows_done = rows_done + %s
WHERE source = %s
"""
_HEARTBEAT = """
UPDATE lienthong.link SET heartbeat_at = %s,
    position = CASE WHEN phase = 'stream' THEN greatest(position, %s) ELSE position END
WHERE source = %s
"""
_ASK_SNAPSHOT = "UPDATE lienthong.link SET plan_digest = '' WHERE source = %s"
_REPORT = """
INSERT INTO lienthong.link (source, phase, status, reason, next_action) VALUES (%s, 'new', %s, %s, %s)
ON CONFLICT (source) DO UPDATE SET status = excluded.status, reason = excluded.reason,
    next_action = excluded.next_action
"""
_EARLIER = """
SELECT id, read, applied, quarantined, superseded, filtered, findings_opened, findings_closed, applied_at
FROM lienthong.batch WHERE source = %s AND epoch_number = %s AND position = %s AND NOT snapshot
"""
_JOURNAL = """
INSERT INTO lienthong.batch (id, source, epoch_number, position, snapshot, read, applied, quarantined, superseded,
    filtered, withdrawn, findings_opened, findings_closed, source_time, applied_at, dictionary_version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LAG = "INSERT INTO lienthong.batch_dataset VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
_MOVE_STATE = """
UPDATE lienthong.dataset_state SET rows = rows + %s, quarantined = quarantined + %s, history = history + %s,
    findings = findings + %s
WHERE dataset = %s
"""
_MOVE_COUNTERS = """
UPDATE lienthong.rule_counter c SET passed = c.passed + d.p, failed = c.failed + d.f,
    not_applicable = c.not_applicable + d.n, not_evaluated = c.not_evaluated + d.e
FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS d (rule_set, place, p, f, n, e)
WHERE c.rule_set = d.rule_set AND c.place = d.place
"""
_RECOUNT = """
SELECT r.name, count(*) FILTER (WHERE l.letter = 'p'), count(*) FILTER (WHERE l.letter = 'f'),
    count(*) FILTER (WHERE l.letter = 'n'), count(*) FILTER (WHERE l.letter = 'e')
FROM (SELECT name, place FROM lienthong.rule_set, unnest(names) WITH ORDINALITY AS n (name, place)
      WHERE id = %(rule_set)s) r
LEFT JOIN (
    SELECT u.place, u.letter FROM {current} t
    FULL JOIN (SELECT * FROM lienthong.quarantine WHERE dataset = %(dataset)s AND state = 'open') q
        ON q.record_id = t._record_id
    CROSS JOIN LATERAL string_to_table(coalesce(q.judgement, t._judgement), NULL) WITH ORDINALITY AS u (letter, place)
    WHERE coalesce(q.rule_set, t._rule_set) = %(rule_set)s
) l ON l.place = r.place
GROUP BY r.name, r.place ORDER BY r.place
"""
