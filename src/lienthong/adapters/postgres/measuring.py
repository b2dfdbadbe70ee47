"""Measurements on PostgreSQL: a run looks at one moment, judges by sets, and keeps its result in one transaction.

A run works in three steps. It is written down as running; it judges in one snapshot that other sessions do not
disturb and that disturbs nobody; it keeps what it found. What fails between the steps leaves a failed run, and the
results of the run before it as they were.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import psycopg
from psycopg import sql

from lienthong.adapters.postgres import measuring_records as records
from lienthong.adapters.postgres.centre_faults import as_refusal, blames_a_row
from lienthong.adapters.postgres.measuring_evaluation import (
    WORKING_TABLES,
    Base,
    Cursor,
    Evaluation,
    RuleResult,
    Step,
    evaluate,
    evaluate_together,
)
from lienthong.adapters.postgres.measuring_sql import Plan, changed_since, newest_batch, plan_rule, wanted_indexes
from lienthong.adapters.postgres.measuring_together import crews_of
from lienthong.centre.measuring import FRESHNESS, REFERENCE, Extent, Measurement, measured_kind
from lienthong.centre.near_duplicates import Resemblance
from lienthong.centre.refusals import (
    ComparedNothing,
    DatasetNotPrepared,
    MeasurementFault,
    MeasurementTooLong,
    MeasurementUnderWay,
    QuestionTooLong,
    RuleNotMeasurable,
)
from lienthong.centre.tables import SCHEMA, TableSpec, derive_table
from lienthong.check.verdict import Letter, RuleSet
from lienthong.clock import Clock
from lienthong.dictionary.model import Dictionary
from lienthong.errors import LienthongError

METHOD = 1  # of judging; after another one everything is measured anew
STATEMENT_LIMIT_S = 900
LOCK_LIMIT_S = 30
CHANGED_SHARE_MAX = 0.1  # where more of the records were touched, looking at all of them is quicker
VIETNAM_OFFSET = timedelta(hours=7)  # one time zone, no summer time
_LOCK_CLASS = 0x6D656173
_SESSION = (
    f"SET lock_timeout = '{LOCK_LIMIT_S}s'; SET TimeZone = 'UTC'; SET jit = off; SET random_page_cost = 1.1;"
    " SET work_mem = '64MB'; SET client_encoding = 'UTF8'; SET search_path = pg_catalog;"
    " SET standard_conforming_strings = on; SET application_name = 'lienthong:measuring'"
)

Connection = psycopg.Connection[tuple[object, ...]]
Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """One run under way."""

    number: int
    rules: RuleSet
    plans: tuple[Plan, ...]
    broken: tuple[RuleResult, ...]  # rules that could not even be planned
    base: Base | None  # to build on; None: the whole is asked
    day: date
    progress: Progress


class PostgresMeasuring:
    """Measure datasets in a PostgreSQL database as the role that owns it; for one thread at a time."""

    def __init__(
        self,
        url: str,
        dictionary: Dictionary,
        *,
        password: str | None = None,
        resembles: Resemblance,
        clock: Clock,
        statement_limit_s: float = STATEMENT_LIMIT_S,
    ) -> None:
        self._url = url
        self._password = password
        self._dictionary = dictionary
        self._resembles = resembles
        self._clock = clock
        self._limit_s = statement_limit_s
        self._specs = {str(name): derive_table(dictionary, each) for name, each in dictionary.datasets.items()}

    def run(self, rules: RuleSet, *, extent: Extent, progress: Progress = _silent) -> Measurement:
        """Measure a dataset by the rules that look at other records, and return the completed run.

        Without a run to build on, after another rule set, or where much has changed, every record is looked at. The
        result may be void: then nothing was kept, and the next run looks at every record.

        Raises:
            MeasurementUnderWay: another run measures the dataset.
            MeasurementTooLong, CentreUnreachable, MeasurementFault, …: the run is written down as failed.
        """
        dataset = rules.dataset.identity.id
        if dataset not in self._specs:
            raise DatasetNotPrepared(dataset=dataset)
        day = (self._clock.now() + VIETNAM_OFFSET).date()
        with self._session(dataset) as connection:
            with self._translated(dataset):
                if not _lock(connection, dataset):
                    raise MeasurementUnderWay(dataset=dataset)
                # Whoever had this lock before is gone: what it left as running never ended.
                records.mark_interrupted(connection, dataset, at=self._clock.now())
                number = records.begin(
                    connection,
                    rules,
                    extent=extent,
                    method=METHOD,
                    dictionary_version=self._dictionary.version,
                    day=day,
                    at=self._clock.now(),
                )
            try:
                with self._translated(dataset):
                    plans, broken = self._plans(rules)
                    _make_indexes(connection, plans)
                    base = records.base_of(connection, rules, method=METHOD) if extent is Extent.CHANGED else None
                    run = _Run(
                        number=number, rules=rules, plans=plans, broken=broken, base=base, day=day, progress=progress
                    )
                    return self._carry_out(connection, run)
            except LienthongError as error:
                self._note_failure(connection, dataset, number, error)
                raise

    def sweep(self) -> int:
        """Mark runs whose process is gone as failed, and return how many there were."""
        marked = 0
        with self._session("(any)") as connection, self._translated("(any)"):
            for dataset in records.running(connection):
                if _lock(connection, dataset):
                    marked += records.mark_interrupted(connection, dataset, at=self._clock.now())
                    connection.execute(_UNLOCK, [_LOCK_CLASS, dataset])
        return marked

    # -- inside ------------------------------------------------------------------------------------------------

    @contextmanager
    def _session(self, dataset: str) -> Iterator[Connection]:
        """Open a connection of this run alone; closing it gives back its lock and its working tables."""
        with self._translated(dataset):
            connection = psycopg.connect(self._url, password=self._password, autocommit=True)
        try:
            with self._translated(dataset):
                connection.execute(_SESSION.encode())
                limit_ms = max(1, round(self._limit_s * 1000))
                connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(limit_ms)])
            yield connection
        finally:
            # The server notices a closed connection a moment later; the next run need not wait for that.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock_all()")
            connection.close()

    @contextmanager
    def _translated(self, dataset: str) -> Iterator[None]:
        """Turn what the driver raises, and faults of our own, into refusals without values of records."""
        try:
            yield
        except psycopg.Error as error:
            refusal = as_refusal(error, limit_s=self._limit_s)
            if isinstance(refusal, QuestionTooLong):
                refusal = MeasurementTooLong(dataset=dataset, limit_s=self._limit_s)
            # The driver's text can quote a value of a record, so it does not travel on as the cause.
            raise refusal from type(error)(f"SQLSTATE {error.sqlstate}")
        except LienthongError:
            raise
        except Exception as fault:  # noqa: BLE001 - the end of a run: a fault is said, never swallowed
            raise MeasurementFault(dataset=dataset, kind=type(fault).__name__, place=_place(fault)) from None

    def _plans(self, rules: RuleSet) -> tuple[tuple[Plan, ...], tuple[RuleResult, ...]]:
        plans, broken = [], []
        for place, rule in enumerate(rules.rules):
            if measured_kind(rule) is None:
                continue
            try:
                plans.append(plan_rule(self._dictionary, self._specs, rules.dataset, place=place, rule=rule))
            except RuleNotMeasurable as refusal:
                broken.append(RuleResult(place=place, rule=rule.name, error=refusal.code))
        return tuple(plans), tuple(broken)

    def _carry_out(self, connection: Connection, run: _Run) -> Measurement:
        connection.execute(WORKING_TABLES)
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            found = self._judge(cursor, run)
        run.progress("findings")
        if found.examined == found.present:
            try:
                with connection.transaction(), connection.cursor() as cursor:
                    return records.keep(cursor, run.number, run.rules, found, at=self._clock.now())
            except records.DoesNotAddUp:
                pass  # what it would have kept contradicts itself: the run is void
        return records.void(
            connection,
            run.number,
            extent=found.extent,
            present=found.present,
            examined=found.examined,
            at=self._clock.now(),
        )

    def _judge(self, cursor: Cursor, run: _Run) -> Evaluation:
        """Judge what is visible at one moment."""
        dataset = run.rules.dataset.identity.id
        specs = {dataset: self._specs[dataset]} | {plan.other.dataset: plan.other for plan in run.plans}
        bounds = {name: _number(cursor.execute(newest_batch(spec))) for name, spec in specs.items()}
        present = _number(cursor.execute("SELECT rows FROM lienthong.dataset_state WHERE dataset = %s", [dataset]))
        base = _usable_base(cursor, run, specs, bounds, present)
        step = Step(cursor=cursor, dictionary=self._dictionary, resembles=self._resembles, base=base, day=run.day)
        results = list(run.broken)
        ready = []
        for plan in run.plans:
            if plan.kind == REFERENCE and plan.other.dataset != dataset and not bounds[plan.other.dataset]:
                # A database that is not connected says nothing about anybody.
                results.append(RuleResult(place=plan.place, rule=plan.rule.name, error=ComparedNothing.code))
            else:
                ready.append(plan)
        for group in crews_of(ready):
            run.progress(", ".join(plan.rule.name for plan in group))
            results += _judged(step, group)
        seen = [sum(each.letters.values()) for each in results if each.error is None]
        if base is None:
            table = sql.Identifier(SCHEMA, specs[dataset].table)
            seen.append(_number(cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table))))
            touched = seen[-1]
        else:
            touched = _number(cursor.execute("SELECT count(DISTINCT record_id) FROM pg_temp.affected"))
        # One rule that saw other records than the rest is enough to make the run void.
        examined = next((number for number in seen if number != present), present)
        for each in results:
            if each.error is not None:
                each.letters[Letter.NOT_EVALUATED] = examined
        return Evaluation(
            extent=Extent.WHOLE if base is None else Extent.CHANGED,
            results=tuple(sorted(results, key=lambda each: each.place)),
            bounds=bounds,
            present=present,
            examined=examined,
            touched=touched,
        )

    def _note_failure(self, connection: Connection, dataset: str, number: int, error: LienthongError) -> None:
        """Write down how a run ended; where its connection is gone, with a new one."""
        at = self._clock.now()
        try:
            if connection.closed or connection.broken:
                with self._session(dataset) as other:
                    records.fail(other, number, code=error.code, at=at)
            else:
                records.fail(connection, number, code=error.code, at=at)
        except (LienthongError, psycopg.Error):
            return  # the database is away: the next run finds this one running without its lock, and marks it


def _usable_base(
    cursor: Cursor, run: _Run, specs: Mapping[str, TableSpec], bounds: Mapping[str, int], present: int
) -> Base | None:
    """Return the run to build on, unless something else than records changed, or most of them did."""
    base = run.base
    if base is None or run.broken or not run.plans:
        return None
    if not set(specs) <= set(base.bounds) or any(plan.rule.name not in base.letters for plan in run.plans):
        return None
    if base.day != run.day and any(plan.kind == FRESHNESS for plan in run.plans):
        return None
    if any(base.errors.get(plan.rule.name) and bounds[plan.other.dataset] for plan in run.plans):
        return None  # what could not be compared with anything now can
    changed = sum(
        _number(cursor.execute(changed_since(spec), {"bound": base.bounds[name]})) for name, spec in specs.items()
    )
    return base if changed <= CHANGED_SHARE_MAX * present else None


def _judged(step: Step, group: tuple[Plan, ...]) -> list[RuleResult]:
    if step.base is not None and len(group) > 1:
        try:
            with step.cursor.connection.transaction():
                return evaluate_together(step, group)
        except psycopg.Error as error:
            if not _blames_a_rule(error):
                raise
    return [_one_rule(step, plan) for plan in group]


def _blames_a_rule(error: psycopg.Error) -> bool:
    return blames_a_row(error) or (error.sqlstate or "").startswith("42")


def _one_rule(step: Step, plan: Plan) -> RuleResult:
    """Judge one rule; one that the database refuses costs no other rule."""
    try:
        with step.cursor.connection.transaction():
            return evaluate(step, plan)
    except psycopg.Error as error:
        if not _blames_a_rule(error):
            raise
    return RuleResult(place=plan.place, rule=plan.rule.name, error=RuleNotMeasurable.code)


_UNLOCK = "SELECT pg_advisory_unlock(%s, hashtext(%s))"


def _lock(connection: Connection, dataset: str) -> bool:
    """Take a dataset for this session, if nobody measures it; the lock goes with the session, however that ends."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_LOCK_CLASS, dataset]).fetchone()
    return row is not None and row[0] is True


def _number(cursor: Cursor) -> int:
    row = cursor.fetchone()
    return 0 if row is None else cast("int", row[0])


def _place(fault: Exception) -> str:
    """Return file and line where a fault arose; its text is left out, it may hold values of records."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


def _make_indexes(connection: Connection, plans: Sequence[Plan]) -> None:
    """Make the indexes by which a change on one side finds the other; batches go on meanwhile."""
    wanted = dict.fromkeys(index for plan in plans for index in wanted_indexes(plan))
    for table, name, columns in wanted:
        row = connection.execute(_INDEX_STANDS, [SCHEMA, name]).fetchone()
        if row is not None and row[0]:
            continue
        if row is not None:  # an earlier attempt was broken off
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(SCHEMA, name)))
        connection.execute(
            sql.SQL("CREATE INDEX CONCURRENTLY {} ON {} ({})").format(
                sql.Identifier(name),
                sql.Identifier(SCHEMA, table),
                sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            )
        )
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(SCHEMA, table)))


_INDEX_STANDS = """
SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s
"""
