"""An agency's MariaDB as a ``ChangeSource``: a consistent snapshot, then the binary log in row format."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from lienthong.adapters.mariadb.binlog import FILE_SHIFT, Beat, Decoder, file_number
from lienthong.adapters.mariadb.catalogue import (
    ServerFacts,
    TableFacts,
    read_charsets,
    read_logs,
    read_server,
    read_table,
)
from lienthong.adapters.mariadb.connection import (
    Address,
    Packets,
    Session,
    event_of,
    read_address,
    reader_number,
    start_dump,
)
from lienthong.adapters.mariadb.readiness import judge_server, judge_table
from lienthong.adapters.mariadb.snapshot import enter_snapshot, read_rows
from lienthong.errors import LienthongError
from lienthong.sources.assembly import Assembly
from lienthong.sources.change import Delivery, Epoch, Idle, Position, SourceColumn, SourceId, SourceTable, TableName
from lienthong.sources.drift import compare, refusal
from lienthong.sources.events import Commit, Relation
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.sources.ports import Readiness, SnapshotStart
from lienthong.sources.readiness import Judgement, blocking
from lienthong.sources.refusals import LogGone, SourceChanged, StreamInterrupted, TableNotFound

HEARTBEAT_S: Final = 1.0
LINGER_S_MAX: Final = 0.1  # a stream that never pauses still hands over so often
SILENCE_S_MAX: Final = 30.0
FIRST_EVENT: Final = 4  # after the four bytes every log file begins with
PLACE_MAX: Final = 2**32 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Snapshot:
    session: Session
    start: SnapshotStart
    tables: tuple[TableFacts, ...]
    time: datetime


class MariaDBSource:
    """Follow tables of one MariaDB database; connects when first asked, never writes, asks for no lock.

    The server keeps its log by age and knows nothing of its readers: there is nothing to confirm to it.
    """

    def __init__(
        self,
        *,
        source: SourceId,
        url: str,
        password: str | None,
        mappings: Sequence[ColumnDecisions],
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._source = source
        self._url = url
        self._password = password
        self._mappings = {mapping.table: mapping for mapping in mappings}
        self._heartbeat_s = heartbeat_s
        self._snapshot: _Snapshot | None = None
        self._packets: Packets | None = None
        self._session: Session | None = None
        self._stopped = False

    @property
    def source(self) -> SourceId:
        """Return the name of the link."""
        return self._source

    def _address(self) -> Address:
        return read_address(self._source, self._url, self._password)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    def readiness(self) -> tuple[Readiness, ...]:
        """Look at everything that could stop the link, without changing anything at the source."""
        try:
            with closing(Session(self._address())) as session:
                return tuple(judgement.line for judgement in self._judge(session, read_server(session)))
        except LienthongError as error:
            return (blocking("connection", str(error), error).line,)

    def _judge(self, session: Session, server: ServerFacts) -> Iterator[Judgement]:
        yield from judge_server(self._source, server, account=session.address.user)
        for name, mapping in self._mappings.items():
            table = read_table(session, name)
            yield from judge_table(self._source, name, table)
            if table is not None:
                found = refusal(compare(mapping, table.table), source=self._source, table=table.table)
                if found is not None:
                    yield blocking(f"columns of {name}", str(found), found)

    def tables(self) -> tuple[SourceTable, ...]:
        """Return the tables of the link as they are now; raise if one cannot be followed."""
        with closing(Session(self._address())) as session:
            return tuple(each.table for each in self._follow(session, read_server(session)))

    def _follow(self, session: Session, server: ServerFacts) -> tuple[TableFacts, ...]:
        for judgement in self._judge(session, server):
            if judgement.refusal is not None:
                raise judgement.refusal
        tables: list[TableFacts] = []
        for name in self._mappings:
            table = read_table(session, name)
            if table is None:
                raise TableNotFound(source=self._source, table=name)  # dropped since it was judged
            tables.append(table)
        return tuple(tables)

    def _epoch(self, server: ServerFacts, database: str) -> Epoch:
        return Epoch(system=server.identity, timeline=1, database=database, slot=server.log_name)

    # ── snapshot ────────────────────────────────────────────────────────────────────────────────────────────

    def begin_snapshot(self) -> SnapshotStart:
        """Fix a moment at which all tables are read, and where the log stands then; no lock is taken."""
        self._end_snapshot()
        session = Session(self._address())
        try:
            server = read_server(session)
            tables = self._follow(session, server)
            file, place, moment = enter_snapshot(session)
        except BaseException:
            session.close()
            raise
        start = SnapshotStart(
            epoch=self._epoch(server, session.address.database),
            position=Position(commit=file_number(file.encode()) << FILE_SHIFT | place),
            tables=tuple(each.table for each in tables),
            rows_estimated=sum(each.rows_estimated for each in tables),
        )
        self._snapshot = _Snapshot(session=session, start=start, tables=tables, time=moment)
        return start

    def snapshot(self) -> Iterator[Delivery]:
        """Yield all rows as of the starting point; only after ``begin_snapshot`` on the same object."""
        begun = self._snapshot
        assert begun is not None, "begin_snapshot comes first"
        try:
            for table in begun.tables:
                yield from read_rows(
                    begun.session, source=self._source, table=table, position=begun.start.position, time=begun.time
                )
        finally:
            self._end_snapshot()

    def _end_snapshot(self) -> None:
        begun, self._snapshot = self._snapshot, None
        if begun is not None:
            begun.session.close()

    # ── stream ──────────────────────────────────────────────────────────────────────────────────────────────

    def stream(self, *, epoch: Epoch, after: Position) -> Iterator[Delivery | Idle]:
        """Yield changes committed at or after ``after``; ``Idle`` when there are none; ends only by ``stop``."""
        self._end_stream()
        session = self._session = Session(self._address())
        packets: Packets | None = None
        try:
            server = read_server(session)
            tables = self._follow(session, server)
            observed = self._epoch(server, session.address.database)
            if observed != epoch:
                raise SourceChanged(source=self._source, expected=epoch, observed=observed)
            file, place = self._place(read_logs(session), after, server)
            charsets = read_charsets(session)
            number = reader_number(self._source, session.address.database)
            packets = self._packets = start_dump(
                session, file=file, place=place, number=number, heartbeat_s=self._heartbeat_s
            )
            if self._stopped:
                packets.stop()
            names = _Tables(source=self._source, address=session.address, tables=tables, mappings=self._mappings)
            assembly = Assembly(source=self._source, after=after, table_of=names.table_of, origin_us=0)
            decoder = Decoder(
                followed=frozenset(self._mappings), charsets=charsets, file_number=file_number(file.encode())
            )
            yield from _Stream(packets, decoder, assembly, source=self._source, heartbeat_s=self._heartbeat_s).run()
        finally:
            if packets is not None:
                packets.close()
            session.close()

    def _place(self, logs: Mapping[str, int], after: Position, server: ServerFacts) -> tuple[str, int]:
        """Return the file and place a position stands for, if the server still keeps it."""
        number, place = after.commit >> FILE_SHIFT, after.commit & PLACE_MAX
        by_number = {file_number(name.encode()): name for name in logs}
        if number not in by_number:
            if by_number and number < min(by_number):
                raise LogGone(
                    source=self._source, position=after, reason=f"the oldest log is {by_number[min(by_number)]}"
                )
            raise SourceChanged(
                source=self._source,
                expected=f"a server that has written log {number} of {server.log_name}",
                observed=f"a server that has written only up to {max(by_number, default=0)}",
            )
        name = by_number[number]
        if place > logs[name]:
            raise SourceChanged(
                source=self._source,
                expected=f"a server that has written {place} bytes of {name}",
                observed=f"a server that has written only {logs[name]}",
            )
        return name, max(place, FIRST_EVENT)

    def confirm(self, position: Position) -> None:
        """Do nothing: the server keeps its log by age, whoever reads it."""

    def stop(self) -> None:
        """End ``stream`` soon; from any thread or signal handler."""
        self._stopped = True
        packets = self._packets
        if packets is not None:
            packets.stop()

    def close(self) -> None:
        """Give back connections."""
        self.stop()
        self._end_stream()
        self._end_snapshot()

    def _end_stream(self) -> None:
        """Close what a stream before this one holds; whoever still reads it sees it end."""
        (packets, self._packets), (session, self._session) = (self._packets, None), (self._session, None)
        if packets is not None:
            packets.close()
        if session is not None:
            session.close()


class _Stream:
    """Read a started log and yield deliveries; ends when stopped."""

    def __init__(
        self, packets: Packets, decoder: Decoder, assembly: Assembly, *, source: SourceId, heartbeat_s: float
    ) -> None:
        self._packets = packets
        self._decoder = decoder
        self._assembly = assembly
        self._source = source
        self._heartbeat_s = heartbeat_s
        self._seen = assembly.end
        self._beaten = False
        self._heard_at = self._yielded_at = time.monotonic()

    def run(self) -> Iterator[Delivery | Idle]:
        """Yield deliveries and signs of life until stopped."""
        while not self._packets.stopped:
            waiting = self._assembly.changes and not self._assembly.in_transaction
            packets = self._packets.arrived(0 if waiting else self._heartbeat_s)
            now = time.monotonic()
            if packets:
                self._heard_at = now
                yield from self._take(packets)
            elif waiting:
                yield from self._hand_over()
            elif now - self._heard_at > SILENCE_S_MAX + self._heartbeat_s:
                raise StreamInterrupted(source=self._source, reason=f"no answer for {SILENCE_S_MAX:.0f} s")
            if self._beaten and not self._assembly.changes and not self._assembly.in_transaction:
                yield from self._sign_of_life()

    def _take(self, packets: list[bytes]) -> Iterator[Delivery]:
        assembly, decoder = self._assembly, self._decoder
        for packet in packets:
            try:
                event = event_of(packet, source=self._source, position=Position(commit=assembly.end))
                committed = False
                for each in decoder.decode(event):
                    if isinstance(each, Beat):
                        if not assembly.in_transaction:
                            self._seen = max(self._seen, each.position)
                            self._beaten = True
                    else:
                        assembly.take(each, len(event))
                        committed = isinstance(each, Commit)
            except LienthongError:
                # What was complete before the trouble is handed over first: the position then stands right at it.
                assembly.abandon()
                yield from self._hand_over()
                raise
            if committed:
                now = time.monotonic()
                if assembly.full or (assembly.changes and now - self._yielded_at >= LINGER_S_MAX):
                    yield from self._hand_over()
                elif not assembly.changes and now - self._yielded_at >= self._heartbeat_s:
                    self._beaten = True

    def _hand_over(self) -> Iterator[Delivery]:
        delivery = self._assembly.deliver()
        if delivery is not None:
            yield delivery
            self._yielded_at = time.monotonic()

    def _sign_of_life(self) -> Iterator[Idle]:
        self._beaten = False
        yield Idle(source=self._source, end=Position(commit=max(self._seen, self._assembly.end)))
        self._yielded_at = time.monotonic()


class _Tables:
    """Say what a table map of the stream means; ask the catalogue where the map does not say it."""

    def __init__(
        self,
        *,
        source: SourceId,
        address: Address,
        tables: Sequence[TableFacts],
        mappings: Mapping[TableName, ColumnDecisions],
    ) -> None:
        self._source = source
        self._address = address
        self._mappings = mappings
        self._known = {each.name: each for each in tables}
        self._keys = {each.name: each.key for each in tables}  # as the rows before were identified
        self._declared: set[TableName] = set()  # tables the log has declared: once more means changed

    def table_of(self, relation: Relation) -> SourceTable:
        """Return the table a message declares.

        Raises:
            MappedColumnGone, MappedColumnTypeChanged, KeyChanged: the mapping does not fit it.
        """
        name = TableName(schema=relation.schema, table=relation.table)
        names = [column.name for column in relation.columns]
        known = self._known[name]
        if not names:  # a truncation: nothing but the name is known of the table then
            return known.table
        if name in self._declared or [each.column.name for each in known.columns] != names:
            known = self._looked_up(name) or known
        self._declared.add(name)
        declared = {each.column.name: each for each in known.columns}
        columns = tuple(
            declared[each].column if each in declared else SourceColumn(name=each, type_name="unknown")
            for each in names
        )
        in_log = tuple(column.name for column in relation.columns if column.identifies)
        key = in_log or tuple(each for each in known.key if each in names)
        table = SourceTable(name=name, columns=columns, key=key)
        mapping = self._mappings[name]
        if not mapping.key:
            mapping = replace(mapping, key=self._keys[name])
        found = refusal(compare(mapping, table), source=self._source, table=table)
        if found is not None:
            raise found
        return table

    def _looked_up(self, name: TableName) -> TableFacts | None:
        """Ask the catalogue again: the table has changed since the stream began."""
        with closing(Session(self._address)) as session:
            table = read_table(session, name)
        if table is not None:
            self._known[name] = table
        return table
