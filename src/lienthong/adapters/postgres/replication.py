"""Speak the replication protocol: identify the server, make a slot, follow it, confirm what is kept.

The protocol runs on libpq as psycopg 3 hands it out (``psycopg.pq``). psycopg2's replication cursor was measured and
left: on every keepalive it confirms the server's position by itself as soon as the last message was confirmed
(``docs/decisions/replication-over-libpq.md``), so the slot would run ahead of what the centre has kept.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import pq
from psycopg.errors import lookup

from lienthong.adapters.postgres.connection import Address, connect_replication, refused_statement
from lienthong.adapters.postgres.pgoutput import decode
from lienthong.errors import LienthongError
from lienthong.sources.assembly import Assembly
from lienthong.sources.change import Delivery, Idle, Position
from lienthong.sources.refusals import PublicationUnusable, SourceRefused, SourceTooBusy, StreamInterrupted

HEARTBEAT_S = 2.0  # a quiet source says at least so often that it is there and how far it is
SILENCE_S_MAX = 30.0  # without an answer for so long the connection is given up
FEEDBACK_S = 1.0  # a busy stream tells the source at least so often what is kept
LINGER_S_MAX = 0.25  # a stream that never pauses hands over at least so often
SLOT_CREATION_S_MAX = 600.0  # a new slot waits for every transaction that is open at the source
BURST_MESSAGES_MAX = 512

_XLOG_DATA, _KEEPALIVE = ord("w"), ord("k")
_XLOG_HEADER_BYTES = 25
_COMMIT = ord("C")
_keepalive = struct.Struct(">cqqB").unpack_from
_status = struct.Struct(">cqqqqB").pack

POSTGRES_EPOCH_S = 946_684_800


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """What the server says it is."""

    identifier: str
    timeline: int
    position: Position
    database: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSlot:
    """A slot just made, and the snapshot that fits it exactly."""

    position: Position
    snapshot: str


def read_lsn(text: str) -> int:
    """Return an LSN written as ``16/B374D848`` as a number."""
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def quoted(name: str) -> str:
    """Return a name quoted for a replication command."""
    return '"' + name.replace('"', '""') + '"'


class ReplicationConnection:
    """One replication connection; ``stop`` may be called from any thread and from a signal handler."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection = connect_replication(address)
        self._pgconn = self._connection.pgconn
        self._using = threading.Lock()  # close() may come from another thread
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        self.stopped = False
        self.confirmed = 0
        self._told = 0

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────

    def command(self, text: str, *, what: str, within_s: float = SILENCE_S_MAX) -> pq.abc.PGresult:
        """Run a replication command; wait no longer than ``within_s`` and no longer than until ``stop``."""
        deadline = time.monotonic() + within_s
        try:
            with self._using:
                self._pgconn.send_query(text.encode())
                self._pgconn.flush()
            while True:
                with self._using:
                    self._pgconn.consume_input()
                    busy = self._pgconn.is_busy()
                if not busy:
                    break
                if self.stopped or time.monotonic() > deadline:
                    self._pgconn.get_cancel().cancel()
                    raise SourceTooBusy(source=self._address.source, what=what, reason=f"{within_s:.0f} s")
                self.wait(deadline - time.monotonic())
            return self._result(what)
        except psycopg.Error as cause:
            raise refused_statement(self._address, cause, what=what) from cause

    def _result(self, what: str) -> pq.abc.PGresult:
        with self._using:
            result = self._pgconn.get_result()
            if result is not None and result.status == pq.ExecStatus.COPY_BOTH:
                return result
            while self._pgconn.get_result() is not None:
                pass
        if result is None:
            raise StreamInterrupted(source=self._address.source, reason=f"no answer while trying to {what}")
        if result.status not in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
            raise self._refused(result, what)
        return result

    def _refused(self, result: pq.abc.PGresult, what: str) -> LienthongError:
        raw = result.error_field(pq.DiagnosticField.SQLSTATE)
        state = raw.decode() if raw else None
        if state is None:
            return StreamInterrupted(source=self._address.source, reason=f"connection lost while trying to {what}")
        try:
            cause = lookup(state)()
        except KeyError:
            return SourceRefused(source=self._address.source, what=what, sqlstate=state)
        return refused_statement(self._address, cause, what=what)

    def identify(self) -> System:
        """Ask which server this is."""
        result = self.command("IDENTIFY_SYSTEM", what="identify the server")
        identifier, timeline, position, database = (
            (result.get_value(0, place) or b"").decode("utf-8", "backslashreplace") for place in range(4)
        )
        return System(
            identifier=identifier,
            timeline=int(timeline),
            position=Position(commit=read_lsn(position)),
            database=database,
        )

    def create_slot(self, slot: str) -> NewSlot:
        """Make a slot with an exported snapshot, which lives until the next command here."""
        options = "(SNAPSHOT 'export')" if self._connection.info.server_version >= 150000 else "EXPORT_SNAPSHOT"  # noqa: PLR2004 - PostgreSQL 15
        result = self.command(
            f"CREATE_REPLICATION_SLOT {quoted(slot)} LOGICAL pgoutput {options}",
            what="make a replication slot",
            within_s=SLOT_CREATION_S_MAX,
        )
        position, snapshot = result.get_value(0, 1), result.get_value(0, 2)
        assert position is not None, "a new slot has a consistent point"
        assert snapshot is not None, "a new slot has an exported snapshot"
        return NewSlot(position=Position(commit=read_lsn(position.decode())), snapshot=snapshot.decode())

    def drop_slot(self, slot: str) -> None:
        """Drop a slot nobody uses."""
        self.command(f"DROP_REPLICATION_SLOT {quoted(slot)}", what="drop its replication slot")

    def start(self, *, slot: str, publication: str, after: Position) -> None:
        """Begin to follow the slot; from here on only ``read``, ``wait``, ``tell`` and ``close``."""
        if self._connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            # Such a database promises no encoding: take the bytes as they are and judge them here.
            self.command("SET client_encoding TO 'SQL_ASCII'", what="set the encoding")
        names = quoted(publication).replace("'", "''")
        self.command(
            f"START_REPLICATION SLOT {quoted(slot)} LOGICAL {after} (proto_version '1', publication_names '{names}')",
            what="start replication",
        )
        self._pgconn.nonblocking = 1

    # ── the stream ──────────────────────────────────────────────────────────────────────────────────────────

    def read(self) -> list[bytes]:
        """Return the messages that are there, at most a burst of them; none when the stream is empty."""
        messages: list[bytes] = []
        with self._using:
            if self.stopped:
                return messages
            try:
                self._pgconn.consume_input()
                get = self._pgconn.get_copy_data
                while len(messages) < BURST_MESSAGES_MAX:
                    size, data = get(1)
                    if size == 0:
                        break
                    if size < 0:
                        if messages:
                            break  # hand over what came before the end; the next call finds it again
                        raise self._ended()
                    messages.append(bytes(data))
            except psycopg.Error as cause:
                raise StreamInterrupted(
                    source=self._address.source, reason="the server closed the connection"
                ) from cause
        return messages

    def _ended(self) -> LienthongError:
        """Say why the server ended the stream."""
        result = self._pgconn.get_result()
        raw = None if result is None else result.error_field(pq.DiagnosticField.SQLSTATE)
        state = "" if raw is None else raw.decode()
        if state == "42704":  # undefined object: decoding did not find the publication at that point of history
            return PublicationUnusable(
                source=self._address.source,
                publication="of the link",
                reason="did not exist yet, or not any more, at the position of the stream",
                repair="CREATE PUBLICATION … before a new snapshot is taken",
            )
        if state and not state.startswith(("08", "57", "55", "XX")):
            return SourceRefused(source=self._address.source, what="go on with the stream", sqlstate=state)
        return StreamInterrupted(
            source=self._address.source, reason=f"the server ended it (SQLSTATE {state or 'unknown'})"
        )

    def wait(self, seconds: float) -> None:
        """Wait until something arrives, ``stop`` is called or the time is over."""
        with self._using:
            if self.stopped:
                return
            poll = select.poll()
            poll.register(self._wake_read, select.POLLIN)
            poll.register(self._pgconn.socket, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)

    def tell(self, *, ask: bool = False) -> None:
        """Tell the source what is confirmed, nothing else; ``ask`` wants an answer."""
        with self._using:
            if self.stopped and self._pgconn.status != pq.ConnStatus.OK:
                return
            at = self.confirmed
            now_us = int((time.time() - POSTGRES_EPOCH_S) * 1_000_000)
            try:
                self._pgconn.put_copy_data(_status(b"r", at, at, at, now_us, ask))
                self._pgconn.flush()
            except psycopg.Error as cause:
                raise StreamInterrupted(
                    source=self._address.source, reason="the server closed the connection"
                ) from cause
            self._told = at

    @property
    def untold(self) -> bool:
        """Return whether something was confirmed that the source has not heard."""
        return self.confirmed > self._told

    def stop(self) -> None:
        """End waiting and reading soon."""
        self.stopped = True
        with suppress(OSError):  # closed, or asked to stop many times: awake already
            self._wake_write.send(b"s")

    def close(self) -> None:
        """Tell what is confirmed and give the connection back."""
        if self._pgconn.status == pq.ConnStatus.OK and self.untold:
            with suppress(StreamInterrupted):  # the centre keeps the position; the source hears of it next time
                self.tell()
        self.stop()
        with self._using:
            self._connection.close()
            self._wake_read.close()
            self._wake_write.close()


class Stream:
    """Read a started connection and yield deliveries; ends when the connection is stopped."""

    def __init__(
        self, connection: ReplicationConnection, assembly: Assembly, *, address: Address, heartbeat_s: float
    ) -> None:
        self._connection = connection
        self._assembly = assembly
        self._source = address.source
        self._heartbeat_s = heartbeat_s
        self._seen = assembly.end  # the server has sent everything before it
        self._answer_now = False
        self._asked = False
        self._heard_at = self._told_at = self._yielded_at = self._asked_last = time.monotonic()

    def run(self) -> Iterator[Delivery | Idle]:
        """Yield deliveries and signs of life until stopped."""
        while not self._connection.stopped:
            messages = self._connection.read()
            now = time.monotonic()
            if messages:
                self._heard_at = now
                yield from self._take(messages)
            elif self._assembly.changes and not self._assembly.in_transaction:
                yield from self._hand_over()
            elif self._answer_now or self._is_heartbeat(now):
                yield from self._sign_of_life()
            else:
                self._ask_and_wait(now)
            if self._connection.untold and (not messages or now - self._told_at >= FEEDBACK_S):
                self._connection.tell()
                self._told_at = now

    def _is_heartbeat(self, now: float) -> bool:
        """Return whether a sign of life is due, and the server gave one since the last."""
        return (
            not self._assembly.in_transaction
            and self._heard_at > self._yielded_at
            and now - self._yielded_at >= self._heartbeat_s
        )

    def _hand_over(self) -> Iterator[Delivery]:
        delivery = self._assembly.deliver()
        if delivery is not None:
            yield delivery
            self._yielded_at = time.monotonic()

    def _sign_of_life(self) -> Iterator[Idle]:
        self._answer_now = False
        yield Idle(source=self._source, end=Position(commit=max(self._seen, self._assembly.end)))
        self._yielded_at = time.monotonic()

    def _take(self, messages: list[bytes]) -> Iterator[Delivery | Idle]:
        """Feed messages to the assembly; hand over between transactions when enough is there."""
        assembly = self._assembly
        for message in messages:
            kind = message[0]
            if kind == _XLOG_DATA:
                try:
                    assembly.take(decode(message[_XLOG_HEADER_BYTES:]), len(message))
                except LienthongError:
                    # What was complete before the trouble is handed over first: the position then stands right at it.
                    assembly.abandon()
                    yield from self._hand_over()
                    raise
                if message[_XLOG_HEADER_BYTES] == _COMMIT:
                    now = time.monotonic()
                    if assembly.full or (assembly.changes and now - self._yielded_at >= LINGER_S_MAX):
                        yield from self._hand_over()
                    elif not assembly.changes and self._is_heartbeat(now):
                        yield from self._sign_of_life()
            elif kind == _KEEPALIVE:
                self._keep_alive(message)

    def _keep_alive(self, message: bytes) -> None:
        _, end, _, wants_answer = _keepalive(message)
        if not self._assembly.in_transaction:
            self._seen = max(self._seen, end)  # every commit before it has been sent
        if wants_answer:
            self._connection.tell()
        if wants_answer or self._asked:
            self._answer_now = not self._assembly.in_transaction
            self._asked = False

    def _ask_and_wait(self, now: float) -> None:
        """Wait for the next message; after a quiet while ask whether the source is still there."""
        if self._connection.untold:
            return  # what was confirmed is told first
        quiet_s = now - max(self._heard_at, self._yielded_at)
        if quiet_s >= SILENCE_S_MAX:
            raise StreamInterrupted(source=self._source, reason=f"no answer for {SILENCE_S_MAX:.0f} s")
        rest_s = self._heartbeat_s - (now - max(self._yielded_at, self._asked_last))
        if not self._asked and rest_s <= 0:
            self._connection.tell(ask=True)
            self._asked = True
            self._asked_last = self._told_at = now
        self._connection.wait(SILENCE_S_MAX - quiet_s if self._asked else rest_s)
