"""The repair loop's cases in PostgreSQL, for officers: read them, take steps; nothing here can close one.

``install`` works as the owner of the centre's database; ``PostgresRepairDesk`` as the officers' role, which may
change where a case stands but not how many of its records are open.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from lienthong.adapters.postgres.repair_rows import (
    CASE_COLUMNS,
    Connection,
    add_event,
    address,
    case_of,
    claim_of,
    event_of,
    refusals,
)
from lienthong.deadlines import WorkCalendar
from lienthong.oversight.repair import Doing, RepairCase, Step, act, deadlines
from lienthong.oversight.repair_desk import CASES_MAX, MEMBERS_MAX, CaseFilter, CaseMember, CaseView, Look, Wish
from lienthong.oversight.repair_policy import RepairPolicy
from lienthong.oversight.repair_refusals import CaseUnknown, RecordsNotOfCase, StepNotPossible

CONNECTIONS_MAX: Final = 4
WAIT_S_MAX: Final = 3.0
STATEMENT_MS_MAX: Final = 10_000
LOCK_MS_MAX: Final = 5_000
INSTALL_MS_MAX: Final = 600_000  # the index over findings of a large centre
LINES_MAX: Final = 2_000
CASE_NUMBER_MAX: Final = 2**62
_INSTALL_LOCK: Final = 0x6C69_7265
_BLOCK: Final = 64  # bytes of a block of SHA-256

_OPEN_ONES: Final = (
    " WHERE m.case_id = %(case)s AND m.ended_at IS NULL AND m.excepted IS NULL"
    " AND (%(all)s OR m.record_id = ANY (%(records)s))"
)
_OFFICER_RIGHTS: Final = (
    "GRANT USAGE ON SCHEMA lienthong TO {}",
    """GRANT SELECT ON lienthong.repair_case, lienthong.repair_member, lienthong.repair_event, lienthong.repair_claim,
    lienthong.repair_look, lienthong.repair_exception TO {}""",
    "GRANT UPDATE (state, hard, acknowledged_at, planned_on, before_claim) ON lienthong.repair_case TO {}",
    "GRANT UPDATE (claimed) ON lienthong.repair_member TO {}",
    """GRANT INSERT (case_id, at, what, state_before, state_after, actor, agency, reason, facts)
    ON lienthong.repair_event TO {}""",
    "GRANT INSERT (case_id, at, actor, agency, reason, rule_version, records) ON lienthong.repair_claim TO {}",
    """GRANT UPDATE (decided_at, decided_by, decided_agency, accepted, decision_reason)
    ON lienthong.repair_claim TO {}""",
    "GRANT SELECT (id, observed) ON lienthong.finding TO {}",
    "GRANT SELECT (dataset, record_id, state) ON lienthong.quarantine TO {}",
)
_GATEWAY_RIGHTS: Final = (
    "GRANT USAGE ON SCHEMA lienthong TO {}",
    """GRANT EXECUTE ON FUNCTION lienthong.repair_note_look(text, text[], text, text, text, text, text, text[],
    timestamptz, timestamptz, integer, integer, integer) TO {}""",
    "GRANT EXECUTE ON FUNCTION lienthong.repair_case_of(bigint, text) TO {}",
)


def install(
    url: str, *, password: str | None, officer_role: str | None = None, gateway_role: str | None = None
) -> None:
    """Make the tables and give the roles exactly what they need; repeating it changes nothing."""
    where = address(url, password, statement_ms=INSTALL_MS_MAX, lock_ms=LOCK_MS_MAX)
    with refusals(), psycopg.connect(where) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_INSTALL_LOCK])
        connection.execute(resources.files(__package__).joinpath("sql", "repair.sql").read_bytes())
        key = secrets.token_bytes(_BLOCK)
        connection.execute(
            "INSERT INTO lienthong.repair_secret (inner_pad, outer_pad) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)],
        )
        for role, rights in ((officer_role, _OFFICER_RIGHTS), (gateway_role, _GATEWAY_RIGHTS)):
            for right in rights if role is not None else ():
                assert role is not None, "only rights of named roles are gone through"
                connection.execute(sql.SQL(right).format(sql.Identifier(role)))


class PostgresRepairDesk:
    """A ``RepairDesk`` over a pool of connections that opens when it is first asked."""

    def __init__(
        self, url: str, *, calendar: WorkCalendar, policy: RepairPolicy, password: str | None = None
    ) -> None:
        self._calendar, self._policy = calendar, policy
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            address(url, password, statement_ms=STATEMENT_MS_MAX, lock_ms=LOCK_MS_MAX),
            min_size=0,
            max_size=CONNECTIONS_MAX,
            timeout=WAIT_S_MAX,
            kwargs={"row_factory": dict_row},
            check=ConnectionPool.check_connection,
            open=False,
            name="repair",
        )

    def __repr__(self) -> str:
        return "PostgresRepairDesk()"  # the address may hold a password

    def cases(self, wanted: CaseFilter) -> Sequence[RepairCase]:
        """Return cases, newest first."""
        question = f"""
            SELECT {CASE_COLUMNS} FROM lienthong.repair_case c
            WHERE (%(agency)s::text IS NULL OR c.agency = %(agency)s)
              AND (%(dataset)s::text IS NULL OR c.dataset = %(dataset)s)
              AND (%(kind)s::text IS NULL OR c.kind = %(kind)s)
              AND (%(state)s::text IS NULL OR c.state = %(state)s)
              AND (%(state)s::text IS NOT NULL OR NOT %(only_open)s OR c.closed_at IS NULL)
              AND (%(opened_since)s::timestamptz IS NULL OR c.opened_at >= %(opened_since)s)
              AND (%(ended_since)s::timestamptz IS NULL OR c.closed_at IS NULL OR c.closed_at >= %(ended_since)s)
            ORDER BY c.id DESC LIMIT %(limit)s"""  # noqa: S608 - column names are a constant
        facts = {
            "agency": wanted.agency,
            "dataset": wanted.dataset,
            "kind": None if wanted.kind is None else wanted.kind.value,
            "state": None if wanted.state is None else wanted.state.value,
            "only_open": wanted.only_open,
            "opened_since": wanted.opened_since,
            "ended_since": wanted.ended_since,
            "limit": CASES_MAX,
        }
        with self._connection() as connection:
            return tuple(case_of(row) for row in connection.execute(question.encode(), facts))

    def case(self, number: int) -> CaseView:
        """Return a case with its record."""
        with self._connection() as connection:
            case = _case(connection, number, lock=False)
            events = connection.execute(
                "SELECT * FROM lienthong.repair_event WHERE case_id = %s ORDER BY id LIMIT %s", [number, LINES_MAX]
            ).fetchall()
            claims = connection.execute(
                "SELECT * FROM lienthong.repair_claim WHERE case_id = %s ORDER BY id LIMIT %s", [number, LINES_MAX]
            ).fetchall()
            looks = connection.execute(
                "SELECT at, requester, purpose, outcome FROM lienthong.repair_look WHERE case_id = %s"
                " ORDER BY id LIMIT %s",
                [number, LINES_MAX],
            ).fetchall()
        return CaseView(
            case=case,
            events=tuple(event_of(row) for row in events),
            claims=tuple(claim_of(row) for row in claims),
            looks=tuple(Look(**{**row, "at": row["at"].astimezone(UTC)}) for row in looks),
        )

    def members(self, number: int, *, after: int = 0, limit: int, only_open: bool = True) -> Sequence[CaseMember]:
        """Return records of a case in the order of their findings, from behind one of them."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT m.finding, m.record_id, f.observed, m.opened_at, m.ended_at, m.ended, m.unproven,"
                " m.claimed IS NOT NULL AS claimed, m.excepted IS NOT NULL AS excepted,"
                " EXISTS (SELECT FROM lienthong.quarantine q WHERE q.record_id = m.record_id"
                "  AND q.dataset = c.dataset AND q.state = 'open') AS quarantined"
                " FROM lienthong.repair_member m JOIN lienthong.repair_case c ON c.id = m.case_id"
                " LEFT JOIN lienthong.finding f ON f.id = m.finding"
                " WHERE m.case_id = %s AND m.finding > %s AND (NOT %s OR m.ended_at IS NULL)"
                " ORDER BY m.finding LIMIT %s",
                [number, after, only_open, max(0, min(limit, MEMBERS_MAX))],
            ).fetchall()
        return tuple(CaseMember(**row) for row in rows)

    def take(self, number: int, wish: Wish, *, at: datetime) -> RepairCase:
        """Take a step and return the case after it."""
        with self._connection() as connection:
            case = _case(connection, number, lock=True)
            claim = _open_claim(connection, number)
            due = deadlines(case, calendar=self._calendar, policy=self._policy)
            doing = Doing(step=wish.step, by=wish.by, at=at, reason=wish.reason, planned_on=wish.planned_on)
            after, event = act(case, doing, due=due, claim_by=None if claim is None else claim["actor"])
            if wish.step is Step.CLAIM:
                _claim(connection, case, wish, at=at)
            if wish.step in {Step.ACCEPT, Step.REJECT}:
                if claim is None:
                    raise StepNotPossible(number=case.name, state=case.state.value, step=wish.step.value)
                _decide(connection, claim["id"], wish, at=at)
            connection.execute(
                "UPDATE lienthong.repair_case SET state = %s, hard = %s, acknowledged_at = %s, planned_on = %s,"
                " before_claim = %s WHERE id = %s",
                [
                    after.state.value,
                    after.hard,
                    after.acknowledged_at,
                    after.planned_on,
                    None if after.before_claim is None else after.before_claim.value,
                    number,
                ],
            )
            add_event(connection, event)
        return after

    def close(self) -> None:
        """Give back connections."""
        self._pool.close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with refusals():
            if self._pool.closed:
                self._pool.open()
            with self._pool.connection() as connection:
                yield connection


def _case(connection: Connection, number: int, *, lock: bool) -> RepairCase:
    if not 0 < number <= CASE_NUMBER_MAX:
        raise CaseUnknown(number=number)
    question = f"SELECT {CASE_COLUMNS} FROM lienthong.repair_case c WHERE c.id = %s"  # noqa: S608 - constant names
    question += " FOR UPDATE" if lock else ""
    row = connection.execute(question.encode(), [number]).fetchone()
    if row is None:
        raise CaseUnknown(number=number)
    return case_of(row)


def _open_claim(connection: Connection, number: int) -> DictRow | None:
    return connection.execute(
        "SELECT id, actor FROM lienthong.repair_claim"
        " WHERE case_id = %s AND decided_at IS NULL AND lapsed_at IS NULL",
        [number],
    ).fetchone()


def _claim(connection: Connection, case: RepairCase, wish: Wish, *, at: datetime) -> None:
    """Keep what is claimed; a look-up has no findings, so its claim is about the case."""
    records = list(dict.fromkeys(wish.records))
    facts: dict[str, Any] = {"case": case.number, "records": records, "all": not records}
    row = connection.execute(
        f"SELECT count(*) AS n, count(DISTINCT m.record_id) AS r FROM lienthong.repair_member m{_OPEN_ONES}".encode(),  # noqa: S608 - a constant
        facts,
    ).fetchone()
    assert row is not None, "a count has one row"
    if records and row["r"] < len(records):
        raise RecordsNotOfCase(number=case.name, count=len(records) - row["r"])
    made = connection.execute(
        "INSERT INTO lienthong.repair_claim (case_id, at, actor, agency, reason, rule_version, records)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        [
            case.number,
            at,
            wish.by.name,
            wish.by.agency,
            (wish.reason or "").strip(),
            wish.rule_version,
            max(1, row["n"]),
        ],
    ).fetchone()
    assert made is not None, "RETURNING gives the inserted row"
    connection.execute(
        f"UPDATE lienthong.repair_member m SET claimed = %(claim)s{_OPEN_ONES}".encode(),  # noqa: S608 - a constant
        facts | {"claim": made["id"]},
    )


def _decide(connection: Connection, claim: int, wish: Wish, *, at: datetime) -> None:
    connection.execute(
        "UPDATE lienthong.repair_claim SET decided_at = %s, decided_by = %s, decided_agency = %s, accepted = %s,"
        " decision_reason = %s WHERE id = %s",
        [at, wish.by.name, wish.by.agency, wish.step is Step.ACCEPT, (wish.reason or "").strip(), claim],
    )
    if wish.step is Step.REJECT:
        connection.execute("UPDATE lienthong.repair_member SET claimed = NULL WHERE claimed = %s", [claim])
