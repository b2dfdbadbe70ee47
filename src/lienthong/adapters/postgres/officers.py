"""Accounts and sessions of the portal in PostgreSQL: secrets as digests, attempts counted before they are examined.

The functions work as the owner of the centre's database; ``PostgresOfficers`` as the portal's role, which can look
accounts up, count attempts, keep sessions and change a password, and can neither make an account nor give a role.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from lienthong.errors import LienthongError
from lienthong.oversight.officer_refusals import (
    OfficerFactRefused,
    OfficersFault,
    OfficersUnreachable,
    OfficerUnknown,
    PasswordRefused,
    SignInRefused,
    SignInTooOften,
)
from lienthong.oversight.officers import (
    ONE_TIME_MAX,
    Account,
    Officer,
    Role,
    Session,
    check_officer,
    is_name,
    wait_after,
)
from lienthong.oversight.passwords import (
    PASSWORD_LETTERS_MIN,
    SALT_BYTES,
    KeptPassword,
    check_password,
    is_right,
    keep,
    nobodys,
)

CONNECTIONS_MAX: Final = 4
WAIT_S_MAX: Final = 2.0  # for a free connection
CONNECT_S_MAX: Final = 3
STATEMENT_MS_MAX: Final = 3_000
OFFICERS_MAX: Final = 10_000
SECRET_BYTES: Final = 32
SECRET_LETTERS_MAX: Final = 100
HASHING_AT_ONCE_MAX: Final = 2  # each takes 32 MiB and a core for a moment
FAILURES_A_MINUTE_MAX: Final = 60  # of one process, whatever the names
SEEN_EVERY: Final = timedelta(minutes=1)  # a busy session is written down as seen no more often
_INSTALL_LOCK: Final = 0x6C69_6F66

Connection = psycopg.Connection[DictRow]

_ACCOUNT: Final = """
SELECT o.id, o.name, o.full_name, o.agency, o.salt, o.digest, o.cost, o.block, o.lanes, o.must_change,
       o.one_time_until, o.failures, o.waits_until, o.made_at, o.signed_in_at, o.locked_at, o.closed_at,
       ARRAY(SELECT r.role FROM lienthong.officer_role r WHERE r.officer = o.id) AS roles
FROM lienthong.officer o
"""


def as_refusal(error: psycopg.Error) -> LienthongError:
    """Return the refusal that says who can act, without the driver's text."""
    unreachable = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return (OfficersUnreachable if unreachable else OfficersFault)(sqlstate=error.sqlstate or "none")


def _address(url: str, password: str | None) -> str:
    extra = {} if password is None else {"password": password}
    limits = f"-c statement_timeout={STATEMENT_MS_MAX} -c lock_timeout={STATEMENT_MS_MAX} -c timezone=UTC"
    return make_conninfo(
        url, connect_timeout=CONNECT_S_MAX, options=limits, application_name="lienthong:officers", **extra
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """The centre's database as its owner reaches it, and the person who acts."""

    url: str
    password: str | None
    actor: str

    def __repr__(self) -> str:
        return f"Owner({self.actor!r})"  # the address may hold a password

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Open one transaction."""
        try:
            with psycopg.Connection[DictRow].connect(
                _address(self.url, self.password), row_factory=dict_row
            ) as connection:
                yield connection
        except psycopg.Error as error:
            raise as_refusal(error) from type(error)(f"SQLSTATE {error.sqlstate}")


def install(url: str, *, password: str | None, portal_role: str | None = None) -> None:
    """Make the tables and give the portal's role exactly what it needs; repeating it changes nothing."""
    with Owner(url=url, password=password, actor="installation").connected() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_INSTALL_LOCK])
        connection.execute(resources.files(__package__).joinpath("sql", "officers.sql").read_bytes())
        if portal_role is None:
            return
        role = sql.Identifier(portal_role)
        for statement in (
            (
                "REVOKE ALL ON lienthong.officer, lienthong.officer_role, lienthong.officer_session,"
                " lienthong.sign_in_attempt, lienthong.officer_event FROM {}"
            ),
            "GRANT USAGE ON SCHEMA lienthong TO {}",
            "GRANT SELECT ON lienthong.officer, lienthong.officer_role TO {}",
            (
                "GRANT UPDATE (salt, digest, cost, block, lanes, must_change, one_time_until, failures, waits_until,"
                " signed_in_at) ON lienthong.officer TO {}"
            ),
            "GRANT SELECT, INSERT, DELETE, UPDATE (seen_at) ON lienthong.officer_session TO {}",
            "GRANT INSERT (at, officer, outcome) ON lienthong.sign_in_attempt TO {}",
            "GRANT INSERT (at, actor, officer, act) ON lienthong.officer_event TO {}",
            # What it says of proposals and releases: drafts to be added to, grants to see whom a change touches.
            (
                "GRANT SELECT, INSERT ON lienthong.dictionary_task, lienthong.dictionary_draft,"
                " lienthong.dictionary_event TO {}"
            ),
            "GRANT SELECT ON lienthong.grant_of_access TO {}",
        ):
            connection.execute(sql.SQL(statement).format(role))


def add_officer(owner: Owner, officer: Officer, *, password: str, one_time: bool, at: datetime) -> None:
    """Make an account.

    Raises:
        OfficerFactRefused: a fact cannot be kept, or the name was given before.
        PasswordRefused: the password breaks a rule.
    """
    check_officer(officer)
    check_password(password, name=officer.name, full_name=officer.full_name)
    kept = keep(password, salt=secrets.token_bytes(SALT_BYTES))
    with owner.connected() as connection:
        row = connection.execute(
            "INSERT INTO lienthong.officer (name, full_name, agency, salt, digest, cost, block, lanes, must_change,"
            " one_time_until, made_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (name) DO NOTHING RETURNING id",
            [
                *(officer.name, officer.full_name, officer.agency),
                *(kept.salt, kept.digest, kept.cost, kept.block, kept.lanes),
                *(one_time, at + ONE_TIME_MAX if one_time else None, at),
            ],
        ).fetchone()
        if row is None:
            raise OfficerFactRefused(name=officer.name, fact="the name", reason="was given before")
        _give(connection, row["id"], officer.roles)
        _note(connection, owner, officer.name, "added", at=at, roles=officer.roles)


def set_roles(owner: Owner, name: str, roles: frozenset[Role], *, at: datetime) -> None:
    """Give an officer exactly these roles; their sessions end.

    Raises:
        OfficerUnknown: there is no open account of that name.
    """
    with owner.connected() as connection:
        account = _open_account(connection, name)
        connection.execute("DELETE FROM lienthong.officer_role WHERE officer = %s", [account["id"]])
        _give(connection, account["id"], roles)
        _end_sessions(connection, account["id"])
        _note(connection, owner, name, "roles", at=at, roles=roles)


def reset_password(owner: Owner, name: str, *, password: str, at: datetime) -> None:
    """Set a one-time password, and end waiting, locking and all sessions.

    Raises:
        OfficerUnknown: there is no open account of that name.
        PasswordRefused: the password breaks a rule.
    """
    with owner.connected() as connection:
        account = _open_account(connection, name)
        check_password(password, name=name, full_name=account["full_name"])
        _set_password(connection, account["id"], password, one_time_until=at + ONE_TIME_MAX)
        connection.execute(
            "UPDATE lienthong.officer SET failures = 0, waits_until = NULL, locked_at = NULL WHERE id = %s",
            [account["id"]],
        )
        _note(connection, owner, name, "reset", at=at)


def lock(owner: Owner, name: str, *, undo: bool = False, at: datetime) -> None:
    """Let nobody sign in with an account until this is undone; its sessions end.

    Raises:
        OfficerUnknown: there is no open account of that name.
    """
    with owner.connected() as connection:
        account = _open_account(connection, name)
        connection.execute(
            "UPDATE lienthong.officer SET locked_at = %s WHERE id = %s", [None if undo else at, account["id"]]
        )
        _end_sessions(connection, account["id"])
        _note(connection, owner, name, "unlocked" if undo else "locked", at=at)


def close_account(owner: Owner, name: str, *, at: datetime) -> None:
    """Close an account for good; its name stays, because decisions bear it.

    Raises:
        OfficerUnknown: there is no open account of that name.
    """
    with owner.connected() as connection:
        account = _open_account(connection, name)
        connection.execute("UPDATE lienthong.officer SET closed_at = %s WHERE id = %s", [at, account["id"]])
        _end_sessions(connection, account["id"])
        _note(connection, owner, name, "closed", at=at)


def accounts(owner: Owner, *, every: bool = False) -> tuple[Account, ...]:
    """Return the accounts by name; closed ones only when all are wanted."""
    with owner.connected() as connection:
        rows = connection.execute(
            _ACCOUNT + "WHERE o.closed_at IS NULL OR %s ORDER BY o.name LIMIT %s", [every, OFFICERS_MAX]
        ).fetchall()
    return tuple(_account(row) for row in rows)


def _open_account(connection: Connection, name: str) -> DictRow:
    row = connection.execute(
        _ACCOUNT + "WHERE o.name = %s AND o.closed_at IS NULL FOR UPDATE OF o", [name]
    ).fetchone()
    if row is None:
        raise OfficerUnknown(name=name)
    return row


def _give(connection: Connection, officer: int, roles: Iterable[Role]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO lienthong.officer_role (officer, role) VALUES (%s, %s)",
            [(officer, role.value) for role in sorted(roles, key=lambda role: role.value)],
        )


def _note(
    connection: Connection, owner: Owner, name: str, act: str, *, at: datetime, roles: Iterable[Role] | None = None
) -> None:
    connection.execute(
        "INSERT INTO lienthong.officer_event (at, actor, officer, act, roles) VALUES (%s, %s, %s, %s, %s)",
        [at, owner.actor, name, act, None if roles is None else sorted(role.value for role in roles)],
    )


def _set_password(connection: Connection, officer: int, password: str, *, one_time_until: datetime | None) -> None:
    kept = keep(password, salt=secrets.token_bytes(SALT_BYTES))
    connection.execute(
        "UPDATE lienthong.officer SET salt = %s, digest = %s, cost = %s, block = %s, lanes = %s, must_change = %s,"
        " one_time_until = %s WHERE id = %s",
        [
            *(kept.salt, kept.digest, kept.cost, kept.block, kept.lanes),
            *(one_time_until is not None, one_time_until, officer),
        ],
    )
    _end_sessions(connection, officer)


def _end_sessions(connection: Connection, officer: int) -> None:
    connection.execute("DELETE FROM lienthong.officer_session WHERE officer = %s", [officer])


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _officer(row: DictRow) -> Officer:
    return Officer(
        name=row["name"],
        full_name=row["full_name"],
        agency=row["agency"],
        roles=frozenset(Role(role) for role in row["roles"]),
    )


def _account(row: DictRow) -> Account:
    return Account(
        officer=_officer(row),
        made_at=row["made_at"].astimezone(UTC),
        must_change_password=row["must_change"],
        failures=row["failures"],
        waits_until=_utc(row["waits_until"]),
        locked_at=_utc(row["locked_at"]),
        closed_at=_utc(row["closed_at"]),
        signed_in_at=_utc(row["signed_in_at"]),
    )


def _kept(row: DictRow) -> KeptPassword:
    return KeptPassword(
        salt=bytes(row["salt"]),
        digest=bytes(row["digest"]),
        cost=row["cost"],
        block=row["block"],
        lanes=row["lanes"],
    )


def fingerprint(secret: str) -> bytes:
    """Return what is kept of a session's secret; the secret is chance enough to need no salt."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class PostgresOfficers:
    """An ``OfficerRegister`` over a pool of connections that opens when it is first asked."""

    def __init__(
        self, url: str, *, password: str | None = None, session_max: timedelta, session_idle_max: timedelta
    ) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            _address(url, password),
            min_size=0,
            max_size=CONNECTIONS_MAX,
            timeout=WAIT_S_MAX,
            max_waiting=CONNECTIONS_MAX * 16,
            kwargs={"row_factory": dict_row},
            check=ConnectionPool.check_connection,  # a server that was started anew is not a reason to refuse
            open=False,
            name="officers",
        )
        self._session_max, self._session_idle_max = session_max, session_idle_max
        self._hashing = threading.BoundedSemaphore(HASHING_AT_ONCE_MAX)
        self._failures: deque[datetime] = deque(maxlen=FAILURES_A_MINUTE_MAX)
        self._failures_lock = threading.Lock()

    def __repr__(self) -> str:
        return "PostgresOfficers()"  # the address may hold a password

    def sign_in(self, name: str, password: str, *, at: datetime) -> tuple[str, Session]:
        """Return a new session's secret and the session.

        Raises:
            SignInRefused: name or password is wrong, the account is locked or closed: never says which.
            SignInTooOften: too many attempts of this process failed within a minute.
        """
        row = self._proved(name, password, at=at)
        secret, ends_at = secrets.token_urlsafe(SECRET_BYTES), at + self._session_max
        with self._connection() as connection:
            self._still(connection, row)
            connection.execute(
                "UPDATE lienthong.officer SET failures = 0, waits_until = NULL, signed_in_at = %s WHERE id = %s",
                [at, row["id"]],
            )
            connection.execute(
                "DELETE FROM lienthong.officer_session WHERE ends_at <= %s OR seen_at <= %s",
                [at, at - self._session_idle_max],
            )
            connection.execute(
                "INSERT INTO lienthong.officer_session (fingerprint, officer, began_at, seen_at, ends_at)"
                " VALUES (%s, %s, %s, %s, %s)",
                [fingerprint(secret), row["id"], at, at, ends_at],
            )
            _attempt(connection, row["id"], "taken", at=at)
        return secret, Session(
            officer=_officer(row), began_at=at, ends_at=ends_at, must_change_password=row["must_change"]
        )

    def session(self, secret: str, *, at: datetime) -> Session | None:
        """Return the session of a secret while it holds, and note that it is used."""
        if not secret or len(secret) > SECRET_LETTERS_MAX:
            return None
        mark = fingerprint(secret)
        with self._connection() as connection:
            row = connection.execute(
                "SELECT o.name, o.full_name, o.agency, o.must_change, s.began_at, s.ends_at, s.seen_at,"
                " ARRAY(SELECT r.role FROM lienthong.officer_role r WHERE r.officer = o.id) AS roles"
                " FROM lienthong.officer_session s JOIN lienthong.officer o ON o.id = s.officer"
                " WHERE s.fingerprint = %s AND s.ends_at > %s AND s.seen_at > %s"
                " AND o.closed_at IS NULL AND o.locked_at IS NULL",
                [mark, at, at - self._session_idle_max],
            ).fetchone()
            if row is None:
                return None
            if at - row["seen_at"] >= SEEN_EVERY:
                connection.execute(
                    "UPDATE lienthong.officer_session SET seen_at = greatest(seen_at, %s) WHERE fingerprint = %s",
                    [at, mark],
                )
        return Session(
            officer=_officer(row),
            began_at=row["began_at"].astimezone(UTC),
            ends_at=row["ends_at"].astimezone(UTC),
            must_change_password=row["must_change"],
        )

    def sign_out(self, secret: str) -> None:
        """End a session."""
        if len(secret) > SECRET_LETTERS_MAX:
            return
        with self._connection() as connection:
            connection.execute("DELETE FROM lienthong.officer_session WHERE fingerprint = %s", [fingerprint(secret)])

    def change_password(self, name: str, password: str, new: str, *, at: datetime) -> None:
        """Give an officer a new password of their own; all their sessions end.

        Raises:
            SignInRefused: the present password is wrong, the account is locked or closed.
            PasswordRefused: the new password breaks a rule.
        """
        check_password(new, name=name)
        if new == password:
            raise PasswordRefused(rule="same", reason="it is the present one", least=PASSWORD_LETTERS_MIN)
        row = self._proved(name, password, at=at)
        check_password(new, name=name, full_name=row["full_name"])
        with self._connection() as connection:
            self._still(connection, row)
            _set_password(connection, row["id"], new, one_time_until=None)
            connection.execute(
                "UPDATE lienthong.officer SET failures = 0, waits_until = NULL WHERE id = %s", [row["id"]]
            )
            connection.execute(
                "INSERT INTO lienthong.officer_event (at, actor, officer, act) VALUES (%s, %s, %s, 'password')",
                [at, name, name],
            )

    def officers(self) -> Sequence[Officer]:
        """Return all open accounts by name."""
        with self._connection() as connection:
            rows = connection.execute(
                _ACCOUNT + "WHERE o.closed_at IS NULL ORDER BY o.name LIMIT %s", [OFFICERS_MAX]
            ).fetchall()
        return tuple(_officer(row) for row in rows)

    def full_names(self) -> dict[str, str]:
        """Return the full name behind every name that was ever given, for what was signed with it."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT name, full_name FROM lienthong.officer ORDER BY name LIMIT %s", [OFFICERS_MAX]
            ).fetchall()
        return {row["name"]: row["full_name"] for row in rows}

    def close(self) -> None:
        """Give back connections."""
        self._pool.close()

    def _proved(self, name: str, password: str, *, at: datetime) -> DictRow:
        """Return the account whose password this is; every way to a refusal does the same work."""
        self._check_rate(at)
        with self._connection() as connection:
            row, outcome = self._begin_attempt(connection, name, at=at)
        examined = outcome is None and row is not None
        kept = _kept(row) if examined and row is not None else nobodys(secrets.token_bytes(SALT_BYTES))
        with self._hashing:
            right = is_right(password, kept)
        if examined and right and row is not None:
            return row
        with self._failures_lock:
            self._failures.append(at)
        if row is not None:
            with self._connection() as connection:
                _attempt(connection, row["id"], outcome or "wrong", at=at)
        raise SignInRefused

    @staticmethod
    def _begin_attempt(connection: Connection, name: str, *, at: datetime) -> tuple[DictRow | None, str | None]:
        """Count an attempt before it is examined, so that many at once are not worth more than one after another."""
        if not is_name(name):  # a zero byte is not even a text for the database
            return None, None
        row = connection.execute(_ACCOUNT + "WHERE o.name = %s FOR UPDATE OF o", [name]).fetchone()
        if row is None:
            return None, None
        if row["closed_at"] is not None or row["locked_at"] is not None:
            return row, "shut"
        if row["waits_until"] is not None and row["waits_until"] > at:
            return row, "waiting"
        if row["one_time_until"] is not None and row["one_time_until"] <= at:
            return row, "expired"
        wait = wait_after(row["failures"] + 1)
        connection.execute(
            "UPDATE lienthong.officer SET failures = failures + 1, waits_until = %s WHERE id = %s",
            [at + wait if wait else None, row["id"]],
        )
        return row, None

    @staticmethod
    def _still(connection: Connection, row: DictRow) -> None:
        """Refuse when the account was changed while the password was examined."""
        now: dict[str, Any] | None = connection.execute(
            "SELECT digest, locked_at, closed_at FROM lienthong.officer WHERE id = %s FOR UPDATE", [row["id"]]
        ).fetchone()
        if now is None or now["closed_at"] or now["locked_at"] or bytes(now["digest"]) != bytes(row["digest"]):
            raise SignInRefused

    def _check_rate(self, at: datetime) -> None:
        with self._failures_lock:
            full = len(self._failures) == FAILURES_A_MINUTE_MAX
            if full and at - self._failures[0] < timedelta(minutes=1):
                raise SignInTooOften

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection
        except psycopg.Error as error:
            raise as_refusal(error) from type(error)(f"SQLSTATE {error.sqlstate}")


def _attempt(connection: Connection, officer: int, outcome: str, *, at: datetime) -> None:
    connection.execute(
        "INSERT INTO lienthong.sign_in_attempt (at, officer, outcome) VALUES (%s, %s, %s)", [at, officer, outcome]
    )
