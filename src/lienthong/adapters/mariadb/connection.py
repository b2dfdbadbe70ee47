"""Connect to an agency's MariaDB, gently, and say in our words why it did not work."""

from __future__ import annotations

import hashlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit

import pymysql
from pymysql.constants import COMMAND

from lienthong.errors import LienthongError
from lienthong.sources.change import SourceId
from lienthong.sources.refusals import (
    AddressNotValid,
    AuthenticationRefused,
    DatabaseUnknown,
    EncryptionRefused,
    LogGone,
    MessageNotUnderstood,
    SourceRefused,
    SourceTooBusy,
    SourceUnreachable,
    StreamInterrupted,
)

CONNECT_S_MAX: Final = 10
READ_S_MAX: Final = 120  # without a sign of life while an answer is read
STATEMENT_S_MAX: Final = 30  # for looking into the catalogue; reading a snapshot has none
READ_BYTES: Final = 262_144
PACKET_BYTES_WHOLE: Final = 0xFFFFFF
_SCHEMES: Final = frozenset({"mariadb", "mysql"})
_SSL_MODES: Final = frozenset({"disable", "require", "verify-ca", "verify-full"})
_KNOWN: Final = frozenset({"sslmode", "sslrootcert", "socket"})

_DENIED: Final = frozenset({1044, 1045, 1698, 1524})
_LOST: Final = frozenset({2006, 2013, 1053, 1927, 2055})
_BUSY: Final = frozenset({1205, 1969, 3024, 1040, 1226})
_LOG_GONE: Final = 1236


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Address:
    """Where a source is and who we are there; never shown whole, it holds a password."""

    source: SourceId
    place: str
    user: str
    database: str
    options: dict[str, Any]  # arguments of the driver

    def __repr__(self) -> str:
        return f"Address({self.place}/{self.database})"


def read_address(source: SourceId, url: str, password: str | None) -> Address:
    """Read ``mariadb://account@host:port/database?sslmode=verify-full&sslrootcert=…``, or ``?socket=…``.

    Without ``sslmode`` the connection is not encrypted on a local socket or the loopback, and must be elsewhere.

    Raises:
        AddressNotValid: it is not such a URL.
    """
    try:
        parts = urlsplit(url)
        given = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        host, port = parts.hostname or "localhost", parts.port or 3306
    except ValueError:
        raise AddressNotValid(source=source) from None
    database = unquote(parts.path.lstrip("/"))
    local = "socket" in given or host in {"localhost", "127.0.0.1", "::1"}
    mode = given.get("sslmode", "disable" if local else "verify-full")
    if parts.scheme not in _SCHEMES or not database or set(given) - _KNOWN or mode not in _SSL_MODES:
        raise AddressNotValid(source=source)
    secret = password if password is not None else unquote(parts.password or "")
    options: dict[str, Any] = {
        "host": host, "port": port, "user": unquote(parts.username or ""), "password": secret, "database": database,
        "charset": "utf8mb4", "connect_timeout": CONNECT_S_MAX, "read_timeout": READ_S_MAX,
        "autocommit": True,
        "program_name": f"lienthong:{source}",
    }  # fmt: skip
    if "socket" in given:
        options["unix_socket"] = given["socket"]
    if mode == "disable":
        options["ssl_disabled"] = True
    else:
        options["ssl"] = _context(source, mode, given.get("sslrootcert"))
    place = given.get("socket") or f"{host}:{port}"
    return Address(source=source, place=place, user=str(options["user"]), database=database, options=options)


def _context(source: SourceId, mode: str, roots: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=roots)
    except (OSError, ssl.SSLError):
        raise AddressNotValid(source=source) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE  # what the word says: encrypted, whoever answers
    return context


def number_of(error: Exception) -> int:
    """Return the server's number of an error; 0 when there is none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _called(address: Address) -> socket.socket:
    """Return a socket to the server: made here, so that it is closed whatever happens next."""
    options = address.options
    try:
        if "unix_socket" in options:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                line.settimeout(CONNECT_S_MAX)
                line.connect(options["unix_socket"])
            except OSError:
                line.close()
                raise
        else:
            line = socket.create_connection((options["host"], options["port"]), CONNECT_S_MAX)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        line.settimeout(None)
    except OSError as cause:
        reason = cause.strerror or type(cause).__name__
        raise SourceUnreachable(source=address.source, place=address.place, reason=reason) from cause
    return line


def refused_connection(address: Address, error: pymysql.MySQLError | OSError) -> LienthongError:
    """Return what a failed connection means; the server's text stays out."""
    number = number_of(error)
    common = {"source": address.source, "place": address.place}
    if number in _DENIED:
        return AuthenticationRefused(user=address.user, sqlstate="28000", **common)
    if number == 1049:  # noqa: PLR2004 - unknown database
        return DatabaseUnknown(database=address.database, **common)
    if number in _BUSY:
        return SourceTooBusy(source=address.source, what="connect", reason="too many connections")
    if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error):
        return EncryptionRefused(reason="the handshake failed", **common)
    return SourceUnreachable(reason=f"error {number}", **common)


def refused_statement(address: Address, error: pymysql.MySQLError, *, what: str) -> LienthongError:
    """Return what a failed statement means; the server's text stays out, it may quote values."""
    number = number_of(error)
    if number in _LOST or number == 0:
        return StreamInterrupted(source=address.source, reason=f"connection lost while trying to {what}")
    if number in _BUSY:
        return SourceTooBusy(source=address.source, what=what, reason="a lock is held or the time is over")
    return SourceRefused(source=address.source, what=what, sqlstate=f"MariaDB error {number}")


class Session:
    """One ordinary connection that cannot write and gives way quickly."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.driver: pymysql.connections.Connection[Any] = pymysql.connect(**address.options, defer_connect=True)
        line = _called(address)
        try:
            self.driver.connect(line)
        except (pymysql.MySQLError, OSError) as cause:
            line.close()
            raise refused_connection(address, cause) from cause
        try:
            # What the server writes as text must not depend on its settings; nothing of ours may wait or write.
            self.execute(
                "SET SESSION time_zone = '+00:00', sql_mode = '', lock_wait_timeout = 2, innodb_lock_wait_timeout = 2"
                f", max_statement_time = {STATEMENT_S_MAX}, net_write_timeout = 600"
            )
            self.execute("SET SESSION TRANSACTION READ ONLY")
        except LienthongError:
            self.close()
            raise

    def execute(self, statement: str, values: Sequence[object] = (), *, what: str = "prepare the session") -> None:
        """Carry out a statement whose answer does not matter."""
        self.rows(statement, values, what=what)

    def rows(self, statement: str, values: Sequence[object] = (), *, what: str) -> list[dict[str, Any]]:
        """Return the rows of a question about the catalogue.

        Raises:
            LienthongError: of the SRC family.
        """
        try:
            with self.driver.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute(statement, values or None)
                return list(cast("Sequence[dict[str, Any]]", cursor.fetchall()))
        except pymysql.MySQLError as cause:
            raise refused_statement(self.address, cause, what=what) from cause

    # The driver has no public way to its socket and to commands of the protocol; other readers of logs do the same.

    @property
    def socket(self) -> socket.socket:
        """Return the socket, whose next bytes answer the last command."""
        return cast("Any", self.driver)._sock  # type: ignore[no-any-return] # noqa: SLF001 - as said

    @property
    def incoming(self) -> Any:
        """Return the buffered reader over the socket; the driver has read the head of an answer from it."""
        return cast("Any", self.driver)._rfile  # noqa: SLF001 - as said

    def command(self, kind: int, content: bytes) -> None:
        """Send a command of the protocol."""
        cast("Any", self.driver)._execute_command(kind, content)  # noqa: SLF001 - as said

    def close(self) -> None:
        """Give the connection back."""
        with suppress(pymysql.MySQLError):
            self.driver.close()


class Packets:
    """The packets a server sends after a command, read in large pieces.

    The driver reads a packet at a time through three layers; a binary log has one for every few rows.
    """

    def __init__(self, session: Session) -> None:
        self._address = session.address
        self._socket = session.socket
        self._socket.settimeout(None)
        self._buffer = b""
        self._at = 0
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        self._using = threading.Lock()
        self.stopped = False

    def arrived(self, seconds: float) -> list[bytes]:
        """Return the whole packets that have arrived, waiting for the first; empty when the time is over.

        Raises:
            StreamInterrupted: the server closed the connection.
        """
        packets = list(self._whole())
        if packets:
            return packets
        with self._using:
            if self.stopped:
                return []
            waits = select.poll()
            waits.register(self._wake_read, select.POLLIN)
            waits.register(self._socket, select.POLLIN)
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
        if not pending and not waits.poll(max(0.0, seconds) * 1000):
            return []
        data = self._received()
        if not data:
            return []
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        return list(self._whole())

    def _received(self) -> bytes:
        """Return what has arrived; nothing when somebody asked to stop meanwhile."""
        data, reason = b"", "the server closed the connection"
        try:
            data = self._socket.recv(READ_BYTES)
        except (OSError, ValueError):
            reason = "the connection broke"
        if not data and not self.stopped:
            raise StreamInterrupted(source=self._address.source, reason=reason)
        return b"" if self.stopped else data

    def _whole(self) -> Iterator[bytes]:
        buffer, at, held = self._buffer, self._at, len(self._buffer)
        while True:
            start = at
            parts: list[bytes] = []
            while True:
                if held - start < 4:  # noqa: PLR2004 - the head of a packet
                    parts = []
                    break
                size = buffer[start] | buffer[start + 1] << 8 | buffer[start + 2] << 16
                if held - start - 4 < size:
                    parts = []
                    break
                parts.append(buffer[start + 4 : start + 4 + size])
                start += 4 + size
                if size < PACKET_BYTES_WHOLE:
                    break
            if not parts:
                self._at = at
                return
            at = self._at = start
            yield parts[0] if len(parts) == 1 else b"".join(parts)

    def stop(self) -> None:
        """End waiting soon; from any thread."""
        self.stopped = True
        with suppress(OSError):
            self._wake_write.send(b"s")

    def close(self) -> None:
        """Forget the connection; the session closes it."""
        self.stop()
        with self._using:
            self._wake_read.close()
            self._wake_write.close()


def reader_number(source: SourceId, database: str) -> int:
    """Return the number under which this link reads the log: two readers with one number push each other out."""
    digest = hashlib.sha256(f"lienthong\0{source}\0{database}".encode()).digest()
    return 0x8000_0000 | int.from_bytes(digest[:4], "big") >> 1


def start_dump(session: Session, *, file: str, place: int, number: int, heartbeat_s: float) -> Packets:
    """Ask the server for its log from a place on."""
    session.execute(
        "SET @master_binlog_checksum = 'CRC32', @mariadb_slave_capability = 4,"
        f" @master_heartbeat_period = {int(heartbeat_s * 1_000_000_000)}",
        what="prepare the stream",
    )
    session.execute("SET SESSION net_read_timeout = 600, net_write_timeout = 600, max_statement_time = 0")
    command = struct.pack("<IHI", place, 0, number) + file.encode()
    try:
        session.command(COMMAND.COM_BINLOG_DUMP, command)
    except pymysql.MySQLError as cause:
        raise refused_statement(session.address, cause, what="start the stream") from cause
    return Packets(session)


def event_of(packet: bytes, *, source: SourceId, position: object) -> bytes:
    """Return the event inside a packet of the log.

    Raises:
        LogGone: the server does not keep that part of its log.
        StreamInterrupted: the server ended the stream.
    """
    if packet[:1] == b"\0":
        return packet[1:]
    if packet[:1] == b"\xff":
        number = packet[1] | packet[2] << 8
        if number == _LOG_GONE:
            raise LogGone(source=source, position=position, reason="MariaDB error 1236")
        raise StreamInterrupted(source=source, reason=f"the server ended it (MariaDB error {number})")
    if packet[:1] == b"\xfe":
        raise StreamInterrupted(source=source, reason="the server says its log ends")
    raise MessageNotUnderstood(reason="a packet of an unknown kind")
