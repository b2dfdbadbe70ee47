"""From findings to repair cases: incremental, in sets, as the owner of the centre's database.

Each dataset is one transaction over one snapshot. The snapshot is taken while the dataset's write lock is shared, so
every finding up to the sequence's last number is in it: nothing is passed over, and no writer waits for the work.
Closings are found by their time with an overlap; afterwards the open records of all cases must be as many as the open
findings the centre counts, else everything is compared once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from lienthong.adapters.postgres.repair_rows import CASE_COLUMNS, Connection, add_event, address, case_of, refusals
from lienthong.centre.tables import SCHEMA
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.repair import CaseEvent, CaseState, Counts, Happening, RepairCase, measured
from lienthong.oversight.repair_desk import SyncResult
from lienthong.oversight.repair_refusals import RepairStoreAway

STATEMENT_MS_MAX: Final = 600_000
LOCK_MS_MAX: Final = 5_000
TRIES: Final = 3  # an officer took a step on the same case meanwhile
CLOSED_OVERLAP: Final = timedelta(hours=1)  # longer than a batch can take from its clock to its commit
RECONCILE_AFTER: Final = timedelta(days=1)
ANALYSE_FROM: Final = 1_000  # rows of a working table for which the planner has to know its size
_SYNC_LOCK: Final = 0x6C69_7273
_CONFLICT: Final = frozenset({"40001", "40P01"})


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleFacts:
    """What a case takes over from its rule."""

    name: str
    version: int
    colour: str
    error_class: str | None
    judged: bool  # its letter stands in the judgement of each record


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncPlan:
    """What the platform knows of a dataset."""

    dataset: DatasetId
    table: str  # of schema "dataset"
    key: tuple[str, ...]  # columns of the business key
    rules: tuple[RuleFacts, ...]
    owners: Mapping[str, str]  # "source/schema.table": agency
    unknown_agency: str
    severity_colours: Mapping[str, str]  # of findings whose rule is gone
    check_workdays: int
    correct_workdays: int
    hard_workdays: int
    reopen_within_days: int
    gather_since: datetime  # cases opened since then take in further records


def sync(
    url: str, *, password: str | None, plans: Sequence[SyncPlan], at: datetime, full: bool = False
) -> tuple[SyncResult, ...]:
    """Bring the cases of some datasets up to date; one process does so at a time.

    Raises:
        RepairStoreAway: another process is at it, or the database does not answer.
    """
    where = address(url, password, statement_ms=STATEMENT_MS_MAX, lock_ms=LOCK_MS_MAX)
    with refusals(), _connect(where) as gate, _connect(where) as work:
        work.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        taken = gate.execute("SELECT pg_try_advisory_lock(%s) AS taken", [_SYNC_LOCK]).fetchone()
        gate.commit()
        if taken is None or not taken["taken"]:
            raise RepairStoreAway(sqlstate="55P03")
        return tuple(_again(gate, work, plan, at=at, full=full) for plan in plans)


@contextlib.contextmanager
def _connect(where: str) -> Iterator[Connection]:
    with psycopg.Connection[DictRow].connect(where, row_factory=dict_row) as connection:
        yield connection


def _again(gate: Connection, work: Connection, plan: SyncPlan, *, at: datetime, full: bool) -> SyncResult:
    for left in reversed(range(TRIES)):
        try:
            return _dataset(gate, work, plan, at=at, full=full)
        except psycopg.Error as error:
            work.rollback()
            gate.rollback()
            if error.sqlstate not in _CONFLICT or not left:
                raise
    raise AssertionError("the last try returns or raises")


def _dataset(gate: Connection, work: Connection, plan: SyncPlan, *, at: datetime, full: bool) -> SyncResult:
    with gate.transaction():
        gate.execute("SELECT FROM lienthong.dataset_state WHERE dataset = %s FOR SHARE", [plan.dataset])
        # The first statement takes the snapshot, while nobody writes findings of this dataset.
        seen = work.execute(_SEEN, {"dataset": plan.dataset}).fetchone()
    assert seen is not None, "a sequence has one row"
    whole = full or seen["reconciled_at"] is None or at - seen["reconciled_at"] > RECONCILE_AFTER
    facts = _facts(plan, seen, at=at)
    with work.transaction():
        for statement in _WORKING_TABLES:
            work.execute(statement)
        result = _pass(work, plan, facts, at=at, whole=whole)
        if not whole and _open_records(work, plan) != seen["findings"]:
            more = _pass(work, plan, facts, at=at, whole=True)
            result = replace(
                result,
                opened=result.opened + more.opened,
                closed=result.closed + more.closed,
                reopened=result.reopened + more.reopened,
                joined=result.joined + more.joined,
                ended=result.ended + more.ended,
                reconciled=True,
            )
        looked = _look_ups(work, plan, facts, at=at)
        work.execute(_LAPSE, facts)
        work.execute(_PROGRESS, facts | {"whole": result.reconciled})
    work.commit()
    return replace(result, closed=result.closed + looked)


def _facts(plan: SyncPlan, seen: DictRow, *, at: datetime) -> dict[str, Any]:
    closed_to = seen["closed_to"]
    return {
        "dataset": plan.dataset,
        "after": seen["after"],
        "upto": seen["upto"],
        "batch": seen["batch"],
        "closed_from": None if closed_to is None else closed_to - CLOSED_OVERLAP,
        "at": at,
        "reopen_since": timedelta(days=plan.reopen_within_days),
        "gather_since": plan.gather_since,
        "unknown": plan.unknown_agency,
        "prefixes": list(plan.owners),
        "agencies": list(plan.owners.values()),
        "rules": [rule.name for rule in plan.rules],
        "versions": [rule.version for rule in plan.rules],
        "colours": [rule.colour for rule in plan.rules],
        "classes": [rule.error_class for rule in plan.rules],
        "judged": [rule.name for rule in plan.rules if rule.judged],
        "severities": list(plan.severity_colours),
        "severity_colours": list(plan.severity_colours.values()),
        "check": plan.check_workdays,
        "correct": plan.correct_workdays,
        "hard": plan.hard_workdays,
    }


def _pass(work: Connection, plan: SyncPlan, facts: dict[str, Any], *, at: datetime, whole: bool) -> SyncResult:
    """End what ended, then take in what is new, then let each case touched draw its conclusion."""
    for statement in _EMPTY:
        work.execute(statement)
    current = sql.Identifier(SCHEMA, plan.table)
    work.execute(_ENDED_ALL if whole else _ENDED_LATELY, facts)
    work.execute(sql.SQL(_JUDGE).format(current=current), facts)
    work.execute(_UNPROVEN, facts)
    ended = work.execute(_END, facts).rowcount
    for statement in (_SETTLE_CLAIMS, _VOID_EXCEPTIONS):
        work.execute(statement, facts)
    fresh = work.execute(_FRESH, facts | {"after": 0 if whole else facts["after"]}).rowcount
    if fresh > ANALYSE_FROM:
        work.execute("ANALYZE pg_temp.repair_fresh")
    opened: list[int] = []
    if fresh:
        for statement in (_UNPROVEN_AGAIN, _END_AGAIN, _REOPENS, _JOINS):
            work.execute(statement, facts)
        opened = [row["id"] for row in work.execute(_OPEN, facts)]
        for statement in (_JOINS_NEW, _MEMBERS, _COUNT_MEMBERS):
            work.execute(statement, facts)
    closed, reopened = _conclude(work, set(opened), at=at)
    return SyncResult(
        dataset=plan.dataset,
        opened=len(opened),
        closed=closed,
        reopened=reopened,
        joined=fresh,
        ended=ended,
        reconciled=whole,
    )


def _conclude(work: Connection, opened: set[int], *, at: datetime) -> tuple[int, int]:
    """Let the state machine draw its conclusion for each case whose records changed; few cases, whatever the rows."""
    rows = work.execute(_TOUCHED).fetchall()
    closed = reopened = 0
    for row in rows:
        before = case_of(row)
        counts = Counts(
            open=before.counts.open + row["d_open"],
            passed=before.counts.passed + row["d_passed"],
            withdrawn=before.counts.withdrawn + row["d_withdrawn"],
            rule_gone=before.counts.rule_gone + row["d_rule_gone"],
            excepted=before.counts.excepted + row["d_excepted"],
        )
        after, events = measured(before, counts, at=at, again=row["d_again"])
        if before.number in opened:
            events = (_opening(after, at=at), *(each for each in events if each.what != Happening.MEASURED.value))
        write_case(work, after)
        for event in events:
            if event.what == Happening.MEASURED.value and row["told_lately"]:
                continue  # progress is in the counts; one line an hour is enough of a record
            add_event(work, event)
        closed += before.is_open and not after.is_open
        reopened += after.state is CaseState.REOPENED and before.state is not CaseState.REOPENED
    return closed, reopened


def _opening(case: RepairCase, *, at: datetime) -> CaseEvent:
    return CaseEvent(
        case=case.number,
        at=at,
        what=Happening.OPENED.value,
        before=None,
        after=CaseState.OPEN,
        facts={"records": case.counts.total},
    )


def write_case(work: Connection, case: RepairCase) -> None:
    """Write what a measurement changed of a case."""
    work.execute(
        "UPDATE lienthong.repair_case SET state = %s, before_claim = %s, planned_on = %s, reopened_at = %s,"
        " reopen_count = %s, reopened_records = %s, closed_at = %s, open_records = %s, passed = %s, withdrawn = %s,"
        " rule_gone = %s, excepted = %s WHERE id = %s",
        [
            case.state.value,
            None if case.before_claim is None else case.before_claim.value,
            case.planned_on,
            case.reopened_at,
            case.reopen_count,
            case.reopened_records,
            case.closed_at,
            case.counts.open,
            case.counts.passed,
            case.counts.withdrawn,
            case.counts.rule_gone,
            case.counts.excepted,
            case.number,
        ],
    )


def _open_records(work: Connection, plan: SyncPlan) -> int:
    row = work.execute(
        "SELECT (SELECT coalesce(sum(open_records + excepted), 0) FROM lienthong.repair_case"
        "  WHERE dataset = %(dataset)s AND kind = 'data')"
        " - (SELECT count(*) FROM lienthong.repair_member m JOIN lienthong.repair_case c ON c.id = m.case_id"
        "  WHERE m.unproven AND m.ended_at IS NULL AND c.dataset = %(dataset)s) AS n",
        {"dataset": plan.dataset},
    ).fetchone()
    assert row is not None, "a sum has one row"
    return int(row["n"])


def _look_ups(work: Connection, plan: SyncPlan, facts: dict[str, Any], *, at: datetime) -> int:
    """Close the cases of look-ups whose record is there now, alone; the digest is reckoned, no key is kept."""
    work.execute(
        sql.SQL(_LOOK_UPS).format(
            current=sql.Identifier(SCHEMA, plan.table),
            key=sql.SQL("ARRAY[{}]").format(
                sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier("t", name)) for name in plan.key)
            ),
        ),
        facts,
    )
    rows = work.execute(_TOUCHED).fetchall()
    for row in rows:
        case = case_of(row)
        excepted = 0 if row["d_passed"] else 1
        after, events = measured(case, replace(case.counts, open=0, passed=1 - excepted, excepted=excepted), at=at)
        write_case(work, after)
        for event in events:
            add_event(work, event)
    return len(rows)


_SEEN: LiteralString = """
SELECT s.last_value - (NOT s.is_called)::integer AS upto, coalesce(p.finding, 0) AS after, p.closed_to,
    p.reconciled_at, coalesce(p.looked_at_batch, 0) AS batch, coalesce(d.findings, 0) AS findings
FROM lienthong.finding_id_seq s
LEFT JOIN lienthong.repair_progress p ON p.dataset = %(dataset)s
LEFT JOIN lienthong.dataset_state d ON d.dataset = %(dataset)s
"""
_WORKING_TABLES: tuple[LiteralString, ...] = (
    """CREATE TEMPORARY TABLE IF NOT EXISTS repair_fresh (id bigint, record_id text, rule text, element text,
    opened_at timestamptz, source text, agency text, colour text, error_class text, version integer,
    case_id bigint, again boolean NOT NULL DEFAULT false) ON COMMIT DELETE ROWS""",
    "CREATE TEMPORARY TABLE IF NOT EXISTS repair_candidate (finding bigint) ON COMMIT DELETE ROWS",
    """CREATE TEMPORARY TABLE IF NOT EXISTS repair_settled (finding bigint, case_id bigint, ended text,
    excepted boolean) ON COMMIT DELETE ROWS""",
    """CREATE TEMPORARY TABLE IF NOT EXISTS repair_delta (case_id bigint, d_open bigint DEFAULT 0,
    d_passed bigint DEFAULT 0, d_withdrawn bigint DEFAULT 0, d_rule_gone bigint DEFAULT 0,
    d_excepted bigint DEFAULT 0, d_again bigint DEFAULT 0) ON COMMIT DELETE ROWS""",
)
_EMPTY: tuple[LiteralString, ...] = (
    "DELETE FROM pg_temp.repair_fresh",
    "DELETE FROM pg_temp.repair_candidate",
    "DELETE FROM pg_temp.repair_settled",
    "DELETE FROM pg_temp.repair_delta",
)
# A claim about a case that ended before anybody decided has nothing left to decide.
_LAPSE: LiteralString = """
UPDATE lienthong.repair_claim k SET lapsed_at = %(at)s FROM lienthong.repair_case c
WHERE c.id = k.case_id AND c.dataset = %(dataset)s AND k.decided_at IS NULL AND k.lapsed_at IS NULL
  AND c.closed_at IS NOT NULL
"""
_ENDED_LATELY: LiteralString = """
INSERT INTO pg_temp.repair_candidate
SELECT f.id FROM lienthong.finding f
WHERE f.closed_at >= %(closed_from)s AND f.dataset = %(dataset)s
UNION
SELECT m.finding FROM lienthong.repair_member m JOIN lienthong.repair_case c ON c.id = m.case_id
WHERE m.unproven AND m.ended_at IS NULL AND c.dataset = %(dataset)s
"""
_ENDED_ALL: LiteralString = """
INSERT INTO pg_temp.repair_candidate
SELECT m.finding FROM lienthong.repair_member m JOIN lienthong.repair_case c ON c.id = m.case_id
JOIN lienthong.finding f ON f.id = m.finding
WHERE m.ended_at IS NULL AND f.closed_at IS NOT NULL AND c.dataset = %(dataset)s
"""
# A finding is closed when its record was judged again without it. Whether the rule then passed is read from the
# record's own judgement: a rule that could not be evaluated proves nothing.
_JUDGE: LiteralString = """
INSERT INTO pg_temp.repair_settled
SELECT m.finding, m.case_id,
    CASE WHEN t._record_id IS NULL AND q.record_id IS NULL THEN 'withdrawn'
         WHEN c.rule <> ALL (%(rules)s::text[]) THEN 'rule-gone'
         WHEN c.rule = ANY (%(judged)s::text[])
              AND substr(coalesce(q.judgement, t._judgement), p.place::integer, 1) IN ('f', 'e') THEN NULL
         ELSE 'passed' END,
    m.excepted IS NOT NULL
FROM pg_temp.repair_candidate x
JOIN lienthong.repair_member m ON m.finding = x.finding AND m.ended_at IS NULL
JOIN lienthong.repair_case c ON c.id = m.case_id
JOIN lienthong.finding f ON f.id = m.finding AND f.closed_at IS NOT NULL
LEFT JOIN {current} t ON t._record_id = m.record_id
LEFT JOIN lienthong.quarantine q ON q.record_id = m.record_id AND q.dataset = %(dataset)s AND q.state = 'open'
LEFT JOIN (SELECT s.id AS rule_set, n.name, n.place FROM lienthong.rule_set s
           CROSS JOIN LATERAL unnest(s.names) WITH ORDINALITY n(name, place) WHERE s.dataset = %(dataset)s) p
    ON p.rule_set = coalesce(q.rule_set, t._rule_set) AND p.name = c.rule
"""
_UNPROVEN: LiteralString = """
UPDATE lienthong.repair_member m SET unproven = true FROM pg_temp.repair_settled s
WHERE m.finding = s.finding AND s.ended IS NULL AND NOT m.unproven
"""
_END: LiteralString = """
WITH done AS (
    UPDATE lienthong.repair_member m SET ended = s.ended, ended_at = %(at)s, unproven = false
    FROM pg_temp.repair_settled s WHERE m.finding = s.finding AND s.ended IS NOT NULL
    RETURNING s.case_id, s.ended, s.excepted)
, counted AS (
    INSERT INTO pg_temp.repair_delta (case_id, d_open, d_passed, d_withdrawn, d_rule_gone, d_excepted)
    SELECT case_id, -count(*) FILTER (WHERE NOT excepted), count(*) FILTER (WHERE ended = 'passed'),
        count(*) FILTER (WHERE ended = 'withdrawn'), count(*) FILTER (WHERE ended = 'rule-gone'),
        -count(*) FILTER (WHERE excepted)
    FROM done GROUP BY case_id)
SELECT FROM done
"""
_SETTLE_CLAIMS: LiteralString = """
WITH moved AS (
    UPDATE lienthong.repair_member m SET excepted = m.claimed
    FROM lienthong.repair_claim k JOIN lienthong.repair_case c ON c.id = k.case_id
    WHERE k.accepted AND c.dataset = %(dataset)s AND m.case_id = c.id AND m.claimed = k.id
      AND m.excepted IS NULL AND m.ended_at IS NULL
    RETURNING m.case_id, m.record_id, c.rule, k.id AS claim, k.rule_version)
, kept AS (
    INSERT INTO lienthong.repair_exception (dataset, record_id, rule, rule_version, claim_id, made_at)
    SELECT DISTINCT %(dataset)s, record_id, rule, rule_version, claim, %(at)s::timestamptz FROM moved
    ON CONFLICT DO NOTHING)
INSERT INTO pg_temp.repair_delta (case_id, d_open, d_excepted)
SELECT case_id, -count(*), count(*) FROM moved GROUP BY case_id
"""
# An exception was accepted against one wording of a rule; another wording has to be looked at anew.
_VOID_EXCEPTIONS: LiteralString = """
WITH void AS (
    UPDATE lienthong.repair_member m SET excepted = NULL, claimed = NULL
    FROM lienthong.repair_claim k JOIN lienthong.repair_case c ON c.id = k.case_id
    JOIN unnest(%(rules)s::text[], %(versions)s::integer[]) v(rule, version) ON v.rule = c.rule
    WHERE m.case_id = c.id AND m.excepted = k.id AND m.ended_at IS NULL AND c.dataset = %(dataset)s
      AND k.rule_version <> v.version
    RETURNING m.case_id)
INSERT INTO pg_temp.repair_delta (case_id, d_open, d_excepted)
SELECT case_id, count(*), -count(*) FROM void GROUP BY case_id
"""
_FRESH: LiteralString = """
INSERT INTO pg_temp.repair_fresh
SELECT f.id, f.record_id, f.rule, f.element, f.opened_at, split_part(f.record_id, '/', 1),
    coalesce(o.agency, %(unknown)s), coalesce(r.colour, s.colour), r.error_class, coalesce(r.version, 1), NULL, false
FROM lienthong.finding f
LEFT JOIN unnest(%(prefixes)s::text[], %(agencies)s::text[]) o(prefix, agency)
    ON o.prefix = split_part(f.record_id, '/', 1) || '/' || split_part(f.record_id, '/', 2)
LEFT JOIN unnest(%(rules)s::text[], %(versions)s::integer[], %(colours)s::text[], %(classes)s::text[])
    r(rule, version, colour, error_class) ON r.rule = f.rule
JOIN unnest(%(severities)s::text[], %(severity_colours)s::text[]) s(severity, colour) ON s.severity = f.severity
WHERE f.dataset = %(dataset)s AND f.id > %(after)s AND f.id <= %(upto)s AND f.closed_at IS NULL
  AND NOT EXISTS (SELECT FROM lienthong.repair_member m WHERE m.finding = f.id)
"""
# Wrong once more before anything proved it right: the same trouble, not a new one.
_UNPROVEN_AGAIN: LiteralString = """
UPDATE pg_temp.repair_fresh x SET case_id = m.case_id
FROM lienthong.repair_member m JOIN lienthong.repair_case c ON c.id = m.case_id
WHERE m.unproven AND m.ended_at IS NULL AND c.dataset = %(dataset)s AND c.rule = x.rule AND m.record_id = x.record_id
"""
_END_AGAIN: LiteralString = """
WITH gone AS (
    UPDATE lienthong.repair_member m SET ended = 'again', ended_at = %(at)s, unproven = false
    FROM pg_temp.repair_fresh x
    WHERE m.unproven AND m.ended_at IS NULL AND m.case_id = x.case_id AND m.record_id = x.record_id
    RETURNING m.case_id, m.excepted IS NOT NULL AS excepted)
INSERT INTO pg_temp.repair_delta (case_id, d_open, d_excepted)
SELECT case_id, -count(*) FILTER (WHERE NOT excepted), -count(*) FILTER (WHERE excepted) FROM gone GROUP BY case_id
"""
_REOPENS: LiteralString = """
UPDATE pg_temp.repair_fresh x SET case_id = p.case_id, again = true
FROM (SELECT DISTINCT ON (y.id) y.id, m.case_id
      FROM pg_temp.repair_fresh y
      JOIN lienthong.repair_member m ON m.record_id = y.record_id AND m.ended_at IS NOT NULL
      JOIN lienthong.repair_case c ON c.id = m.case_id
      WHERE y.case_id IS NULL AND c.dataset = %(dataset)s AND c.rule = y.rule AND c.agency = y.agency
        AND m.ended IN ('passed', 'withdrawn') AND m.ended_at >= y.opened_at - %(reopen_since)s
      ORDER BY y.id, m.ended_at DESC) p
WHERE p.id = x.id
"""
# A case takes in what is found while its owner still has time to check; later finds have a clock of their own.
_JOINS: LiteralString = """
UPDATE pg_temp.repair_fresh x SET case_id = c.id
FROM (SELECT DISTINCT ON (agency, rule, source, element) id, agency, rule, source, element
      FROM lienthong.repair_case
      WHERE dataset = %(dataset)s AND kind = 'data' AND opened_at >= %(gather_since)s
        AND state IN ('open', 'acknowledged', 'correcting') AND reopened_at IS NULL
      ORDER BY agency, rule, source, element, id DESC) c
WHERE x.case_id IS NULL AND c.agency = x.agency AND c.rule = x.rule AND c.source = x.source
  AND c.element IS NOT DISTINCT FROM x.element
"""
_OPEN: LiteralString = """
INSERT INTO lienthong.repair_case (kind, agency, dataset, rule, element, source, error_class, colour, state, found_at,
    opened_at, check_workdays, correct_workdays, hard_workdays)
SELECT 'data', agency, %(dataset)s, rule, element, source, error_class,
    CASE WHEN bool_or(colour = 'red') THEN 'red' WHEN bool_or(colour = 'yellow') THEN 'yellow' ELSE 'green' END,
    'open',
    least(min(opened_at), %(at)s), %(at)s, %(check)s, %(correct)s, %(hard)s
FROM pg_temp.repair_fresh WHERE case_id IS NULL
GROUP BY agency, rule, element, source, error_class
ORDER BY agency, rule, element, source
RETURNING id
"""
_JOINS_NEW: LiteralString = _JOINS
_MEMBERS: LiteralString = """
INSERT INTO lienthong.repair_member (finding, case_id, record_id, opened_at, claimed, excepted)
SELECT x.id, x.case_id, x.record_id, x.opened_at, e.claim_id, e.claim_id
FROM pg_temp.repair_fresh x
LEFT JOIN lienthong.repair_exception e ON e.record_id = x.record_id AND e.rule = x.rule
    AND e.rule_version = x.version AND e.dataset = %(dataset)s
ORDER BY x.id
"""
_COUNT_MEMBERS: LiteralString = """
INSERT INTO pg_temp.repair_delta (case_id, d_open, d_excepted, d_again)
SELECT x.case_id, count(*) FILTER (WHERE m.excepted IS NULL), count(*) FILTER (WHERE m.excepted IS NOT NULL),
    count(*) FILTER (WHERE x.again AND m.excepted IS NULL)
FROM pg_temp.repair_fresh x JOIN lienthong.repair_member m ON m.finding = x.id
GROUP BY x.case_id
"""
_TOUCHED: bytes = f"""
SELECT {CASE_COLUMNS}, d.d_open, d.d_passed, d.d_withdrawn, d.d_rule_gone, d.d_excepted, d.d_again,
    EXISTS (SELECT FROM lienthong.repair_event e WHERE e.case_id = c.id AND e.what = 'measured'
            AND e.at > now() - interval '1 hour') AS told_lately
FROM lienthong.repair_case c
JOIN (SELECT case_id, sum(d_open)::bigint AS d_open, sum(d_passed)::bigint AS d_passed,
          sum(d_withdrawn)::bigint AS d_withdrawn, sum(d_rule_gone)::bigint AS d_rule_gone,
          sum(d_excepted)::bigint AS d_excepted, sum(d_again)::bigint AS d_again
      FROM pg_temp.repair_delta GROUP BY case_id) d ON d.case_id = c.id
ORDER BY c.id FOR UPDATE OF c
""".encode()  # noqa: S608 - names of columns, a constant
# A record that changed since the last look, or one the look-up itself saw: right when one record alone has the key.
# Batches of several links get their numbers before their turn, so a few are looked at again.
_LOOK_UPS: LiteralString = """
WITH wanted AS (SELECT id, key_digest, record_ids, opened_at FROM lienthong.repair_case
                WHERE dataset = %(dataset)s AND kind = 'look-up' AND closed_at IS NULL),
present AS (
    SELECT w.id, t._record_id FROM wanted w
    JOIN {current} t ON t._record_id = ANY (w.record_ids)
        AND lienthong.repair_digest(%(dataset)s, {key}) = w.key_digest
    UNION
    SELECT w.id, t._record_id FROM {current} t
    JOIN wanted w ON w.key_digest = lienthong.repair_digest(%(dataset)s, {key})
    WHERE t._batch > %(batch)s - 100 AND EXISTS (SELECT FROM wanted)),
emptied AS (DELETE FROM pg_temp.repair_delta)
INSERT INTO pg_temp.repair_delta (case_id, d_passed)
SELECT id, 1 FROM present GROUP BY id HAVING count(*) = 1
UNION ALL
SELECT w.id, 0 FROM wanted w
WHERE w.id NOT IN (SELECT id FROM present)
  AND EXISTS (SELECT FROM lienthong.repair_claim k WHERE k.case_id = w.id AND k.accepted)
"""
_PROGRESS: LiteralString = """
INSERT INTO lienthong.repair_progress AS p (dataset, finding, closed_to, looked_at_batch, synced_at, reconciled_at)
SELECT %(dataset)s, %(upto)s, coalesce((SELECT max(closed_at) FROM lienthong.finding), %(at)s),
    coalesce((SELECT max(id) FROM lienthong.batch), 0), %(at)s, CASE WHEN %(whole)s THEN %(at)s::timestamptz END
ON CONFLICT (dataset) DO UPDATE SET finding = greatest(p.finding, excluded.finding), closed_to = excluded.closed_to,
    looked_at_batch = excluded.looked_at_batch, synced_at = excluded.synced_at,
    reconciled_at = coalesce(excluded.reconciled_at, p.reconciled_at)
"""
