"""Proposals and decisions about the dictionary in PostgreSQL: only ever added to, one writer at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from lienthong.dictionary.governance import History, ItemKey, StatusEvent, advance, advance_all, chained
from lienthong.dictionary.governance_refusals import LedgerBroken, RegisterFault, RegisterUnreachable
from lienthong.dictionary.model import AgencyId, Ref, Status
from lienthong.dictionary.proposals import YAML, Draft, Given, read_item
from lienthong.errors import LienthongError

CONNECT_S_MAX: Final = 5
STATEMENT_MS_MAX: Final = 30_000
WAIT_MS_MAX: Final = 10_000  # for another decision to be written
_LOCK: Final = 0x6C69_6467

Connection = psycopg.Connection[DictRow]


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One review task: what somebody proposed together, and how it differed from the dictionary then."""

    number: int
    actor: str
    agency: AgencyId
    reason: str
    diff: Sequence[Mapping[str, Any]]
    proposed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Approved:
    """The hashes of an approved version: what it replaced, and what it is."""

    key: ItemKey
    version: str
    base_hash: str | None
    content_hash: str


def as_refusal(error: psycopg.Error) -> LienthongError:
    """Return the refusal that says who can act, without the driver's text."""
    unreachable = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return (RegisterUnreachable if unreachable else RegisterFault)(sqlstate=error.sqlstate or "none")


def install(url: str, *, password: str | None, reader_role: str | None = None) -> None:
    """Make the tables; ``reader_role`` may read them. Repeating it changes nothing."""
    with _connected(url, password) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        _create(connection)
        if reader_role is not None:
            role = sql.Identifier(reader_role)
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA lienthong TO {}").format(role))
            connection.execute(
                sql.SQL(
                    "GRANT SELECT ON lienthong.dictionary_task, lienthong.dictionary_draft,"
                    " lienthong.dictionary_event TO {}"
                ).format(role)
            )


def _create(connection: Connection) -> None:
    connection.execute(resources.files(__package__).joinpath("sql", "dictionary_drafts.sql").read_bytes())


@contextmanager
def _connected(url: str, password: str | None) -> Iterator[Connection]:
    extra = {} if password is None else {"password": password}
    limits = f"-c statement_timeout={STATEMENT_MS_MAX} -c lock_timeout={WAIT_MS_MAX} -c timezone=UTC"
    address = make_conninfo(
        url, connect_timeout=CONNECT_S_MAX, options=limits, application_name="lienthong:dictionary", **extra
    )
    try:
        with psycopg.Connection[DictRow].connect(address, row_factory=dict_row) as connection:
            yield connection
    except psycopg.Error as error:
        raise as_refusal(error) from type(error)(f"SQLSTATE {error.sqlstate}")


@contextmanager
def deciding(url: str, *, password: str | None) -> Iterator[DraftRegister]:
    """Open the register for one decision: nobody else decides meanwhile, and all of it is kept or none.

    Raises:
        LedgerBroken: what is kept is not what was written.
    """
    with _connected(url, password) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        row = connection.execute("SELECT to_regclass('lienthong.dictionary_event') IS NULL AS missing").fetchone()
        if row is not None and row["missing"]:
            _create(connection)
        yield DraftRegister(connection)


@contextmanager
def looking(url: str, *, password: str | None) -> Iterator[DraftRegister]:
    """Open the register to read it, as a role that may do no more."""
    with _connected(url, password) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield DraftRegister(connection)


class DraftRegister:
    """The register inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = 0
        self._chain = ""
        self.history = self._read()

    def _read(self) -> History:
        """Read every event and check that each follows from the one before."""
        by_item: dict[ItemKey, list[StatusEvent]] = {}
        if self._missing():
            return History()
        rows = self._connection.execute(
            "SELECT number, kind, item, version, status_before, status_after, agency, actor, content_hash,"
            " recorded_at, task, reason, decision, decision_hash, effective, successor_id, successor_version,"
            " stewards, chain FROM lienthong.dictionary_event ORDER BY number"
        )
        for row in rows:
            event = _event(row)
            self._chain = chained(self._chain, event)
            self._last += 1
            if row["chain"] != self._chain or row["number"] != self._last:
                raise LedgerBroken(number=row["number"])
            by_item.setdefault(event.key, []).append(event)
        return History(by_item=MappingProxyType({key: tuple(events) for key, events in by_item.items()}))

    def _missing(self) -> bool:
        row = self._connection.execute(
            "SELECT to_regclass('lienthong.dictionary_event') IS NULL AS missing"
        ).fetchone()
        return row is None or bool(row["missing"])

    def check(self, events: Sequence[StatusEvent]) -> None:
        """Refuse events that the rules do not allow, without writing them."""
        advance_all(self.history, events)

    def append(self, events: Sequence[StatusEvent]) -> None:
        """Write events down, if the rules allow every one of them.

        Raises:
            LienthongError: the rule that is broken; nothing is written.
        """
        history, chain, rows = self.history, self._chain, []
        for number, event in enumerate(events, start=self._last + 1):
            history = advance(history, event)
            chain = chained(chain, event)
            rows.append(_event_row(number, event, chain))
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO lienthong.dictionary_event (number, kind, item, version, status_before, status_after,"
                " agency, actor, content_hash, recorded_at, task, reason, decision, decision_hash, effective,"
                " successor_id, successor_version, stewards, chain)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                rows,
            )
        self.history, self._chain, self._last = history, chain, self._last + len(events)

    def add_task(self, *, actor: str, agency: AgencyId, reason: str, diff: object, at: datetime) -> int:
        """Write a review task down and return its number."""
        row = self._connection.execute(
            "INSERT INTO lienthong.dictionary_task (number, actor, agency, reason, diff, proposed_at)"
            " SELECT coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s FROM lienthong.dictionary_task"
            " RETURNING number",
            [actor, agency, reason, json.dumps(diff, ensure_ascii=False), at],
        ).fetchone()
        assert row is not None, "RETURNING gives the inserted row"
        return int(row["number"])

    def add_drafts(self, task: int, drafts: Sequence[Draft]) -> None:
        """Write the drafts of a task down."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO lienthong.dictionary_draft (task, kind, item, version, place, base_hash, content_hash,"
                " files) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (
                        task,
                        one.key.kind,
                        one.key.id,
                        one.version,
                        one.place,
                        one.base_hash,
                        one.content_hash,
                        json.dumps(dict(one.files), ensure_ascii=False),
                    )
                    for one in drafts
                ],
            )

    def tasks(self) -> tuple[Task, ...]:
        """Return all review tasks, oldest first."""
        if self._missing():
            return ()
        rows = self._connection.execute(
            "SELECT number, actor, agency, reason, diff, proposed_at FROM lienthong.dictionary_task ORDER BY number"
        )
        return tuple(
            Task(
                number=row["number"],
                actor=row["actor"],
                agency=AgencyId(row["agency"]),
                reason=row["reason"],
                diff=row["diff"],
                proposed_at=row["proposed_at"].astimezone(UTC),
            )
            for row in rows
        )

    def drafts(self, task: int) -> tuple[Draft, ...]:
        """Return the drafts of a task, by kind and id."""
        rows = self._connection.execute(
            "SELECT kind, item, version, place, base_hash, content_hash, files"
            " FROM lienthong.dictionary_draft WHERE task = %s ORDER BY kind, item",
            [task],
        )
        return tuple(_draft(row) for row in rows)

    def approvals(self) -> tuple[Approved, ...]:
        """Return the hashes of every version that was approved, without its files."""
        if self._missing():
            return ()
        rows = self._connection.execute(
            "SELECT d.kind, d.item, d.version, d.base_hash, d.content_hash"
            " FROM lienthong.dictionary_draft d JOIN lienthong.dictionary_event e"
            " ON (e.kind, e.item, e.version, e.task, e.content_hash)"
            " = (d.kind, d.item, d.version, d.task, d.content_hash)"
            " WHERE e.status_after = 'approved' ORDER BY d.kind, d.item, d.version"
        )
        return tuple(
            Approved(
                key=ItemKey(kind=row["kind"], id=row["item"]),
                version=row["version"],
                base_hash=row["base_hash"],
                content_hash=row["content_hash"],
            )
            for row in rows
        )

    def approved_draft(self, key: ItemKey, version: str) -> Draft:
        """Return an approved version with its files."""
        approval = self.history.approval(key, version)
        assert approval is not None, "only what was approved is asked for"
        row = self._connection.execute(
            "SELECT kind, item, version, place, base_hash, content_hash, files FROM lienthong.dictionary_draft"
            " WHERE task = %s AND kind = %s AND item = %s",
            [approval.task, key.kind, key.id],
        ).fetchone()
        if row is None:
            raise LedgerBroken(number=f"on {approval.subject}")
        return _draft(row)


def _event_row(number: int, event: StatusEvent, chain: str) -> tuple[object, ...]:
    return (
        number,
        event.key.kind,
        event.key.id,
        event.version,
        None if event.before is None else event.before.value,
        event.after.value,
        event.agency,
        event.actor,
        event.content_hash,
        event.recorded_at,
        event.task,
        event.reason,
        event.decision,
        event.decision_hash,
        event.effective,
        None if event.successor is None else event.successor.id,
        None if event.successor is None else event.successor.version,
        list(event.stewards),
        chain,
    )


def _event(row: DictRow) -> StatusEvent:
    successor = None
    if row["successor_id"] is not None:
        successor = Ref(id=row["successor_id"], version=row["successor_version"])
    return StatusEvent(
        key=ItemKey(kind=row["kind"], id=row["item"]),
        version=row["version"],
        before=None if row["status_before"] is None else Status(row["status_before"]),
        after=Status(row["status_after"]),
        agency=AgencyId(row["agency"]),
        actor=row["actor"],
        content_hash=row["content_hash"],
        recorded_at=row["recorded_at"].astimezone(UTC),
        task=row["task"],
        reason=row["reason"],
        decision=row["decision"],
        decision_hash=row["decision_hash"],
        effective=row["effective"],
        successor=successor,
        stewards=tuple(row["stewards"]),
    )


def _draft(row: DictRow) -> Draft:
    files: dict[str, str] = row["files"]
    draft = Draft(
        key=ItemKey(kind=row["kind"], id=row["item"]),
        version=row["version"],
        place=row["place"],
        item=read_item(Given(file=f"{row['item']}{YAML}", place=row["place"], files=files)),
        files=files,
        base_hash=row["base_hash"],
    )
    if draft.content_hash != row["content_hash"]:
        raise LedgerBroken(number=f"on {row['item']}@{row['version']}")
    return draft
