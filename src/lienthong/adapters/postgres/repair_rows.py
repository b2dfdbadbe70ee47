"""Repair cases as rows: read, written, and the faults of their store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final, cast

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow

from lienthong.check.verdict import ErrorClass
from lienthong.dictionary.model import DatasetId
from lienthong.errors import LienthongError
from lienthong.oversight.repair import CaseEvent, CaseKind, CaseState, Claim, Counts, RepairCase
from lienthong.oversight.repair_policy import Colour
from lienthong.oversight.repair_refusals import RepairNotInstalled, RepairStoreAway, RepairStoreFault

CONNECT_S_MAX: Final = 3
CASE_COLUMNS: Final = (
    "c.id, c.kind, c.agency, c.dataset, c.rule, c.element, c.source, c.error_class, c.colour, c.state, c.found_at,"
    " c.opened_at, c.check_workdays, c.correct_workdays, c.hard_workdays, c.answer_by, c.hard, c.acknowledged_at,"
    " c.planned_on, c.before_claim, c.reopened_at, c.reopen_count, c.reopened_records, c.closed_at, c.open_records,"
    " c.passed, c.withdrawn, c.rule_gone, c.excepted, c.looks"
)
_AWAY: Final = frozenset({"55P03", "40P01", "40001", "53200", "53300", "57014", "53100"})
_MISSING: Final = frozenset({"42P01", "42501", "42883", "3F000"})

Connection = psycopg.Connection[DictRow]


def as_refusal(error: psycopg.Error) -> LienthongError:
    """Return the refusal that says who can act, without the driver's text."""
    state = error.sqlstate or "none"
    if state in _MISSING:
        return RepairNotInstalled()
    if state in _AWAY or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RepairStoreAway(sqlstate=state)
    return RepairStoreFault(sqlstate=state)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn errors of the driver inside the block into refusals."""
    try:
        yield
    except psycopg.Error as error:
        raise as_refusal(error) from type(error)(f"SQLSTATE {error.sqlstate}")


def address(url: str, password: str | None, *, statement_ms: int, lock_ms: int) -> str:
    """Return how to connect, with limits."""
    extra = {} if password is None else {"password": password}
    limits = f"-c statement_timeout={statement_ms} -c lock_timeout={lock_ms} -c timezone=UTC"
    return make_conninfo(
        url, connect_timeout=CONNECT_S_MAX, options=limits, application_name="lienthong:repair", **extra
    )


def case_of(row: Mapping[str, Any]) -> RepairCase:
    """Return the case a row holds."""
    return RepairCase(
        number=row["id"],
        kind=CaseKind(row["kind"]),
        agency=row["agency"],
        dataset=DatasetId(row["dataset"]),
        rule=row["rule"],
        element=row["element"],
        source=row["source"],
        error_class=None if row["error_class"] is None else ErrorClass(row["error_class"]),
        colour=Colour(row["colour"]),
        state=CaseState(row["state"]),
        found_at=_moment(row["found_at"]),
        opened_at=_moment(row["opened_at"]),
        check_workdays=row["check_workdays"],
        correct_workdays=row["correct_workdays"],
        hard_workdays=row["hard_workdays"],
        counts=Counts(
            open=row["open_records"],
            passed=row["passed"],
            withdrawn=row["withdrawn"],
            rule_gone=row["rule_gone"],
            excepted=row["excepted"],
        ),
        answer_by=_moment_or_none(row["answer_by"]),
        hard=row["hard"],
        acknowledged_at=_moment_or_none(row["acknowledged_at"]),
        planned_on=cast("date | None", row["planned_on"]),
        before_claim=None if row["before_claim"] is None else CaseState(row["before_claim"]),
        reopened_at=_moment_or_none(row["reopened_at"]),
        reopen_count=row["reopen_count"],
        reopened_records=row["reopened_records"],
        closed_at=_moment_or_none(row["closed_at"]),
        looks=row["looks"],
    )


def event_of(row: Mapping[str, Any]) -> CaseEvent:
    """Return the line of a case's record a row holds."""
    return CaseEvent(
        case=row["case_id"],
        at=_moment(row["at"]),
        what=row["what"],
        before=None if row["state_before"] is None else CaseState(row["state_before"]),
        after=CaseState(row["state_after"]),
        actor=row["actor"],
        agency=row["agency"],
        reason=row["reason"],
        facts=MappingProxyType(row["facts"]),
    )


def claim_of(row: Mapping[str, Any]) -> Claim:
    """Return the claim a row holds."""
    return Claim(
        number=row["id"],
        case=row["case_id"],
        at=_moment(row["at"]),
        actor=row["actor"],
        agency=row["agency"],
        reason=row["reason"],
        records=row["records"],
        rule_version=row["rule_version"],
        decided_at=_moment_or_none(row["decided_at"]),
        decided_by=row["decided_by"],
        decided_agency=row["decided_agency"],
        accepted=row["accepted"],
        decision_reason=row["decision_reason"],
        lapsed_at=_moment_or_none(row["lapsed_at"]),
    )


def add_event(connection: Connection, event: CaseEvent) -> None:
    """Write a line of a case's record."""
    connection.execute(
        "INSERT INTO lienthong.repair_event (case_id, at, what, state_before, state_after, actor, agency, reason,"
        " facts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            event.case,
            event.at,
            event.what,
            None if event.before is None else event.before.value,
            event.after.value,
            event.actor,
            event.agency,
            event.reason,
            json.dumps(dict(event.facts), ensure_ascii=False),
        ],
    )


def _moment(value: object) -> datetime:
    return cast("datetime", value).astimezone(UTC)


def _moment_or_none(value: object) -> datetime | None:
    return None if value is None else _moment(value)
