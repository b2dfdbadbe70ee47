"""The access register in PostgreSQL: keys as fingerprints, grants, and a journal nobody can rewrite.

The functions work as the owner of the centre's database; ``PostgresAccess`` as the gateway's role, which can read
keys and grants and add to the journal, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib import resources
from typing import cast

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from lienthong.dictionary.model import DatasetId
from lienthong.errors import LienthongError
from lienthong.exchange.grants import Grant
from lienthong.exchange.keys import AccessKey, fingerprint, make_key, matches, parse_key
from lienthong.exchange.refusals import AgencyUnknown, RegisterFault, RegisterUnreachable

CONNECTIONS_MAX = 8
WAIT_S_MAX = 2.0  # for a free connection
CONNECT_S_MAX = 3
STATEMENT_MS_MAX = 3_000
GRANTS_MAX = 100  # of one agency for one dataset
LINES_MAX = 10_000
VIETNAM = timezone(timedelta(hours=7))
_INSTALL_LOCK = 0x6C69_6163

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldKey:
    """A key as the register knows it."""

    mark: str  # first characters of the fingerprint: enough to name it, useless for entering
    agency: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldGrant:
    """A grant as the register keeps it."""

    number: int
    grant: Grant
    withdrawn_at: datetime | None


def as_refusal(error: psycopg.Error) -> LienthongError:
    """Return the refusal that says who can act, without the driver's text."""
    unreachable = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return (RegisterUnreachable if unreachable else RegisterFault)(sqlstate=error.sqlstate or "none")


@contextmanager
def _owner(url: str, password: str | None) -> Iterator[Connection]:
    try:
        with psycopg.connect(_address(url, password)) as connection:
            yield connection
    except psycopg.Error as error:
        raise as_refusal(error) from type(error)(f"SQLSTATE {error.sqlstate}")


def _address(url: str, password: str | None) -> str:
    extra = {} if password is None else {"password": password}
    limits = f"-c statement_timeout={STATEMENT_MS_MAX} -c lock_timeout={STATEMENT_MS_MAX} -c timezone=UTC"
    return make_conninfo(
        url, connect_timeout=CONNECT_S_MAX, options=limits, application_name="lienthong:access", **extra
    )


def install(url: str, *, password: str | None, gateway_role: str, reader_role: str | None = None) -> None:
    """Make the register's tables and give the gateway's role exactly what it needs; repeating it changes nothing.

    ``reader_role`` may count who reads what and who may; it sees no keys, no elements and no purposes.
    """
    with _owner(url, password) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_INSTALL_LOCK])
        connection.execute(resources.files(__package__).joinpath("sql", "access.sql").read_bytes())
        gateway = sql.Identifier(gateway_role)
        for statement in (
            "REVOKE ALL ON lienthong.access_key, lienthong.grant_of_access, lienthong.access_journal FROM {}",
            "GRANT USAGE ON SCHEMA lienthong TO {}",
            "GRANT SELECT ON lienthong.access_key, lienthong.grant_of_access TO {}",
            "GRANT SELECT (id) ON lienthong.access_journal TO {}",
            "GRANT INSERT (agency, dataset, purpose, outcome, records) ON lienthong.access_journal TO {}",
        ):
            connection.execute(sql.SQL(statement).format(gateway))
        if reader_role is not None:
            reader = sql.Identifier(reader_role)
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA lienthong TO {}").format(reader))
            connection.execute(sql.SQL("GRANT SELECT ON lienthong.access_journal TO {}").format(reader))
            connection.execute(
                sql.SQL(
                    "GRANT SELECT (agency, dataset, valid_from, valid_to, withdrawn_at)"
                    " ON lienthong.grant_of_access TO {}"
                ).format(reader)
            )


def issue(url: str, *, password: str | None, random: bytes, grant: Grant) -> AccessKey:
    """Write a grant down and return a new key for its agency; the key is shown this once and kept nowhere."""
    key = make_key(random)
    # A key ends with the grant it was issued for, at midnight in Vietnam.
    end = datetime.combine(grant.valid_to, time(), VIETNAM)
    with _owner(url, password) as connection:
        _insert_grant(connection, grant)
        connection.execute(
            "INSERT INTO lienthong.access_key (fingerprint, agency, expires_at) VALUES (%s, %s, %s)",
            [fingerprint(key), grant.agency, end],
        )
    return key


def add_grant(url: str, *, password: str | None, grant: Grant) -> None:
    """Write down a further grant of an agency that has a key already."""
    with _owner(url, password) as connection:
        held = connection.execute(
            "UPDATE lienthong.access_key SET expires_at = greatest(expires_at, %s)"
            " WHERE agency = %s AND revoked_at IS NULL AND expires_at > now()",
            [datetime.combine(grant.valid_to, time(), VIETNAM), grant.agency],
        ).rowcount
        if not held:
            raise AgencyUnknown(agency=grant.agency, what="no key")
        _insert_grant(connection, grant)


def _insert_grant(connection: Connection, grant: Grant) -> None:
    connection.execute(
        "INSERT INTO lienthong.grant_of_access"
        " (agency, dataset, elements, purpose, legal_basis, valid_from, valid_to)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [
            grant.agency,
            grant.dataset,
            sorted(grant.elements),
            grant.purpose,
            grant.legal_basis,
            grant.valid_from,
            grant.valid_to,
        ],
    )


def revoke(url: str, *, password: str | None, agency: str, mark: str | None = None) -> int:
    """Revoke the keys of an agency, or the one with a mark, and return how many there were.

    Raises:
        AgencyUnknown: there was none.
    """
    with _owner(url, password) as connection:
        count = connection.execute(
            "UPDATE lienthong.access_key SET revoked_at = now()"
            " WHERE agency = %s AND revoked_at IS NULL AND starts_with(encode(fingerprint, 'hex'), %s)",
            [agency, mark or ""],
        ).rowcount
    if not count:
        raise AgencyUnknown(agency=agency, what="no such key" if mark else "no key")
    return count


def withdraw(url: str, *, password: str | None, agency: str, dataset: DatasetId | None = None) -> int:
    """Withdraw the grants of an agency, or those for a dataset, and return how many there were.

    Raises:
        AgencyUnknown: there was none.
    """
    with _owner(url, password) as connection:
        count = connection.execute(
            "UPDATE lienthong.grant_of_access SET withdrawn_at = now()"
            " WHERE agency = %(agency)s AND withdrawn_at IS NULL"
            " AND dataset = coalesce(%(dataset)s::text, dataset)",
            {"agency": agency, "dataset": dataset},
        ).rowcount
    if not count:
        raise AgencyUnknown(agency=agency, what="no grant")
    return count


def held_keys(url: str, *, password: str | None) -> tuple[HeldKey, ...]:
    """Return all keys, newest first."""
    with _owner(url, password) as connection:
        rows = connection.execute(
            "SELECT left(encode(fingerprint, 'hex'), 8), agency, issued_at, expires_at, revoked_at"
            " FROM lienthong.access_key ORDER BY issued_at DESC, fingerprint LIMIT %s",
            [LINES_MAX],
        ).fetchall()
    return tuple(
        HeldKey(
            mark=cast("str", mark),
            agency=cast("str", agency),
            issued_at=cast("datetime", issued_at).astimezone(UTC),
            expires_at=cast("datetime", expires_at).astimezone(UTC),
            revoked_at=cast("datetime | None", revoked_at),
        )
        for mark, agency, issued_at, expires_at, revoked_at in rows
    )


def held_grants(url: str, *, password: str | None) -> tuple[HeldGrant, ...]:
    """Return all grants, newest first."""
    with _owner(url, password) as connection:
        rows = connection.execute(
            "SELECT id, withdrawn_at, agency, dataset, elements, purpose, legal_basis, valid_from, valid_to"
            " FROM lienthong.grant_of_access ORDER BY id DESC LIMIT %s",
            [LINES_MAX],
        ).fetchall()
    return tuple(
        HeldGrant(number=cast("int", row[0]), withdrawn_at=cast("datetime | None", row[1]), grant=_grant(row[2:]))
        for row in rows
    )


def _grant(row: tuple[object, ...]) -> Grant:
    agency, dataset, elements, purpose, legal_basis, valid_from, valid_to = row
    return Grant(
        agency=cast("str", agency),
        dataset=DatasetId(cast("str", dataset)),
        elements=frozenset(cast("list[str]", elements)),
        purpose=cast("str", purpose),
        legal_basis=cast("str", legal_basis),
        valid_from=cast("date", valid_from),
        valid_to=cast("date", valid_to),
    )


class PostgresAccess:
    """An ``AccessRegister`` over a pool of connections that opens when it is first asked."""

    def __init__(self, url: str, *, password: str | None = None) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            _address(url, password),
            min_size=0,
            max_size=CONNECTIONS_MAX,
            timeout=WAIT_S_MAX,
            max_waiting=CONNECTIONS_MAX * 16,
            kwargs={"autocommit": True},
            check=ConnectionPool.check_connection,  # a server that was started anew is not a reason to refuse
            open=False,
            name="access",
        )

    def __repr__(self) -> str:
        return "PostgresAccess()"  # the address may hold a password

    def agency_of(self, key: str) -> str | None:
        """Return the agency a key was issued to, if the key is in force."""
        wanted = parse_key(key)
        if wanted is None:
            return None
        with self._connection() as connection:
            row = connection.execute(
                "SELECT agency, fingerprint FROM lienthong.access_key"
                " WHERE fingerprint = %s AND revoked_at IS NULL AND expires_at > now()",
                [fingerprint(wanted)],
            ).fetchone()
        if row is None or not matches(wanted, cast("bytes", row[1])):
            return None
        return cast("str", row[0])

    def grants(self, agency: str, dataset: DatasetId) -> tuple[Grant, ...]:
        """Return the agency's grants for a dataset that were not withdrawn, in force or not, the newest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT agency, dataset, elements, purpose, legal_basis, valid_from, valid_to"
                " FROM lienthong.grant_of_access WHERE agency = %s AND dataset = %s AND withdrawn_at IS NULL"
                " ORDER BY id DESC LIMIT %s",
                [agency, dataset, GRANTS_MAX],
            ).fetchall()
        return tuple(_grant(row) for row in rows)

    def note(self, *, agency: str, dataset: DatasetId, purpose: str, outcome: str, records: int) -> int:
        """Write a line to the access journal and return its number; it is on the disk when this returns."""
        with self._connection() as connection:
            row = connection.execute(
                "INSERT INTO lienthong.access_journal (agency, dataset, purpose, outcome, records)"
                " VALUES (%s, %s, %s, %s, %s) RETURNING id",
                [agency, dataset, purpose, outcome, records],
            ).fetchone()
        assert row is not None, "RETURNING gives the inserted row"
        return cast("int", row[0])

    def close(self) -> None:
        """Give back connections."""
        self._pool.close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection
        except psycopg.Error as error:
            raise as_refusal(error) from type(error)(f"SQLSTATE {error.sqlstate}")
