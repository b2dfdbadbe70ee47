"""Connect to an agency's PostgreSQL, gently, and say in our words why it did not work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import conninfo
from psycopg.rows import dict_row

from lienthong.errors import LienthongError
from lienthong.sources.change import SourceId
from lienthong.sources.refusals import (
    AddressNotValid,
    AuthenticationRefused,
    DatabaseUnknown,
    EncryptionRefused,
    NoFreeSlot,
    ReplicationRightMissing,
    SourceRefused,
    SourceTooBusy,
    SourceUnreachable,
    StreamInterrupted,
)

CONNECT_S_MAX = 10
STATEMENT_MS_MAX = 30_000  # for looking into the catalogue; reading a snapshot has none
LOCK_MS_MAX = 2_000
IDLE_TRANSACTION_MS_MAX = 600_000  # between two tables of a snapshot, while the centre is slow

# Snapshot and stream must write every value alike, whatever the server, the database or the role prefer.
TEXT_FORM = {
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "timezone": "UTC",
    "xmlbinary": "base64",
    "search_path": "pg_catalog",
}
RESTRAINT = {
    "default_transaction_read_only": "on",
    "statement_timeout": str(STATEMENT_MS_MAX),
    "lock_timeout": str(LOCK_MS_MAX),
    "idle_in_transaction_session_timeout": str(IDLE_TRANSACTION_MS_MAX),
}

_AUTHENTICATION = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|role .* does not exist"
    r"|not permitted to log in|authentication failed|permission denied for database"
)
_REPLICATION = re.compile(
    r"must be superuser or replication role|permission denied to start WAL sender"
    r"|no pg_hba\.conf entry for replication"
)
_SENDERS = re.compile(r"max_wal_senders|remaining connection slots|too many clients|too many connections")
_TLS = re.compile(r"SSL|TLS|certificate")


def statement(name: str) -> bytes:
    """Return a statement kept beside this module."""
    return resources.files(__package__).joinpath("sql", f"{name}.sql").read_bytes()


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Address:
    """Where a source is and who we are there; never shown whole, it may hold a password."""

    source: SourceId
    text: str
    place: str
    user: str
    database: str

    def __repr__(self) -> str:
        return f"Address({self.place}/{self.database})"


def read_address(source: SourceId, url: str, password: str | None) -> Address:
    """Read a libpq URL, with the password kept apart from it.

    Raises:
        AddressNotValid: libpq does not understand the URL.
    """
    extra: dict[str, str] = {} if password is None else {"password": password}
    try:
        given = conninfo.conninfo_to_dict(url)
        options = str(given.get("options") or "")
        settings = " ".join(f"-c {name}={value}" for name, value in TEXT_FORM.items())
        text = conninfo.make_conninfo(
            url,
            **{"connect_timeout": CONNECT_S_MAX, "keepalives_idle": 30, "keepalives_interval": 10}
            | {name: value for name, value in given.items() if name in {"connect_timeout", "keepalives_idle"}}
            | extra,
            options=f"{options} {settings}".strip(),
            application_name=f"lienthong:{source}",
            client_encoding="UTF8",
        )
    except psycopg.Error:
        # The message of libpq repeats the address, password included: it is cut off here.
        raise AddressNotValid(source=source) from None
    host = str(given.get("host") or given.get("hostaddr") or "local socket")
    return Address(
        source=source,
        text=text,
        place=f"{host}:{given.get('port') or 5432}",
        user=str(given.get("user") or ""),
        database=str(given.get("dbname") or given.get("user") or ""),
    )


def refused_connection(address: Address, text: str) -> LienthongError:
    """Return what a failed connection means; libpq gives only a text, no SQLSTATE."""
    line = text.strip().splitlines()[0] if text.strip() else "no reason given"
    reason = line.rpartition("failed: ")[2] or line
    common = {"source": address.source, "place": address.place}
    if _REPLICATION.search(text):
        return ReplicationRightMissing(source=address.source, user=address.user)
    if re.search(r'database ".*" does not exist', text):
        return DatabaseUnknown(database=address.database, **common)
    if _SENDERS.search(text):
        return NoFreeSlot(source=address.source, what="connection or WAL sender", setting="max_wal_senders")
    if _AUTHENTICATION.search(text):
        return AuthenticationRefused(user=address.user, sqlstate="28000", **common)
    if _TLS.search(text):
        return EncryptionRefused(reason=reason, **common)
    return SourceUnreachable(reason=reason, **common)


def refused_statement(address: Address, error: psycopg.Error, *, what: str) -> LienthongError:
    """Return what a failed statement means; the server's text stays out, it may quote values."""
    state = error.sqlstate
    common = {"source": address.source, "what": what}
    if state is None or state.startswith(("08", "57P")):
        return StreamInterrupted(source=address.source, reason=f"connection lost while trying to {what}")
    if state in {"57014", "55P03", "25P03"}:
        return SourceTooBusy(reason={"55P03": "a lock is held"}.get(state, "time limit"), **common)
    if state in {"53300", "53400"}:
        return NoFreeSlot(source=address.source, what="replication slot", setting="max_replication_slots")
    return SourceRefused(sqlstate=state, **common)


def connect(address: Address) -> psycopg.Connection[dict[str, object]]:
    """Open an ordinary connection that cannot write and gives way quickly.

    Raises:
        LienthongError: of the SRC family, by the reason.
    """
    try:
        connection = psycopg.connect(address.text, autocommit=True, row_factory=dict_row)
    except psycopg.Error as cause:
        raise refused_connection(address, str(cause)) from cause
    try:
        for name, value in RESTRAINT.items():
            connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, value])
    except psycopg.Error as cause:
        connection.close()
        raise refused_statement(address, cause, what="prepare the session") from cause
    return connection


def connect_replication(address: Address) -> psycopg.Connection:
    """Open a replication connection.

    Raises:
        LienthongError: of the SRC family, by the reason.
    """
    try:
        return psycopg.connect(conninfo.make_conninfo(address.text, replication="database"), autocommit=True)
    except psycopg.Error as cause:
        raise refused_connection(address, str(cause)) from cause
