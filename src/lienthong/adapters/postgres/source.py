"""An agency's PostgreSQL as a ``ChangeSource``: snapshot by COPY, then logical replication."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg

from lienthong.adapters.postgres.catalogue import (
    Connection,
    PublicationFacts,
    PublishedTable,
    SlotFacts,
    TableFacts,
    as_source_table,
    read_publication,
    read_server,
    read_slot,
    read_table,
    read_types,
)
from lienthong.adapters.postgres.connection import Address, connect, read_address, refused_statement
from lienthong.adapters.postgres.readiness import (
    PLUGIN,
    judge_absent,
    judge_publication,
    judge_published,
    judge_server,
    judge_slot,
    judge_table,
)
from lienthong.adapters.postgres.replication import HEARTBEAT_S, ReplicationConnection, Stream, System
from lienthong.adapters.postgres.snapshot import enter_snapshot, read_rows
from lienthong.errors import LienthongError
from lienthong.sources.assembly import Assembly
from lienthong.sources.change import Delivery, Epoch, Idle, Position, SourceColumn, SourceId, SourceTable, TableName
from lienthong.sources.drift import compare, refusal
from lienthong.sources.events import Relation
from lienthong.sources.mapping import Mapping
from lienthong.sources.ports import Readiness, SnapshotStart
from lienthong.sources.readiness import Judgement, blocking
from lienthong.sources.refusals import (
    SlotBusy,
    SlotLost,
    SlotMissing,
    SlotMoved,
    SourceChanged,
    TableNotFound,
)

Mappings = dict[TableName, Mapping]

SLOT_RELEASE_S_MAX = 5.0  # after a lost connection the server needs a moment to let go of the slot
SLOT_RELEASE_STEP_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class _Followed:
    """A table of the link: how it is, and how the publication carries it."""

    facts: TableFacts
    published: PublishedTable

    @property
    def table(self) -> SourceTable:
        return as_source_table(self.facts, self.published)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Snapshot:
    """A snapshot that has begun: the connection stands in its transaction."""

    connection: Connection
    start: SnapshotStart
    followed: tuple[_Followed, ...]
    time: datetime


class PostgresSource:
    """Follow tables of one PostgreSQL database; connects when first asked, never writes but for its own slot.

    One ordinary connection while looking or reading a snapshot, one replication connection while streaming, both
    called ``lienthong:<source>`` in the agency's list of sessions.
    """

    def __init__(
        self,
        *,
        source: SourceId,
        url: str,
        password: str | None,
        publication: str,
        slot: str,
        mappings: Sequence[Mapping],
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._source = source
        self._url = url
        self._password = password
        self._publication = publication
        self._slot = slot
        self._mappings = {mapping.table: mapping for mapping in mappings}
        self._heartbeat_s = heartbeat_s
        self._snapshot: _Snapshot | None = None
        self._replication: ReplicationConnection | None = None
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
            address = self._address()
            with closing(connect(address)) as connection:
                return tuple(judgement.line for judgement in self._judge(address, connection))
        except LienthongError as error:
            return (blocking("connection", str(error), error).line,)

    def _judge(self, address: Address, connection: Connection) -> Iterator[Judgement]:
        try:
            server = read_server(connection)
            slot, database, _ = read_slot(connection, self._slot)
            yield from judge_server(self._source, server, slot)
            yield from judge_slot(self._source, self._slot, slot, database)
            if server.may_replicate and server.senders_used < server.senders_max:
                yield from self._judge_replication(address)
            publication = read_publication(connection, self._publication)
            yield from judge_publication(self._source, self._publication, publication, list(self._mappings))
            for name, mapping in self._mappings.items():
                table = read_table(connection, name)
                if table is None:
                    yield judge_absent(self._source, name)
                    continue
                yield from judge_table(self._source, table, server.account)
                if publication is not None:
                    needed = [each.column for each in mapping.columns if each.element is not None]
                    yield from judge_published(self._source, publication, table, needed)
                yield from self._judge_drift(mapping, table, publication)
        except psycopg.Error as cause:
            raise refused_statement(address, cause, what="read the catalogue") from cause

    def _judge_replication(self, address: Address) -> Iterator[Judgement]:
        """Try a replication connection: pg_hba.conf may refuse what the role is allowed."""
        try:
            ReplicationConnection(address).close()
        except LienthongError as error:
            yield blocking("replication connection", str(error), error)

    def _judge_drift(
        self, mapping: Mapping, table: TableFacts, publication: PublicationFacts | None
    ) -> Iterator[Judgement]:
        published = None if publication is None else publication.tables.get(table.name)
        declared = as_source_table(table, published or PublishedTable(columns=None, row_filter=None))
        found = refusal(compare(mapping, declared), source=self._source, table=declared)
        if found is not None:
            yield blocking(f"columns of {table.name}", str(found), found)

    def tables(self) -> tuple[SourceTable, ...]:
        """Return the tables of the link as they are now; raise if one cannot be followed."""
        address = self._address()
        with closing(connect(address)) as connection:
            return tuple(followed.table for followed in self._follow(address, connection))

    def _follow(self, address: Address, connection: Connection) -> tuple[_Followed, ...]:
        """Return the tables of the link, or raise the first thing that blocks."""
        for judgement in self._judge(address, connection):
            if judgement.refusal is not None:
                raise judgement.refusal
        try:
            publication = read_publication(connection, self._publication)
            followed = []
            for name in self._mappings:
                facts = read_table(connection, name)
                if facts is None or publication is None or name not in publication.tables:
                    raise TableNotFound(source=self._source, table=name)  # dropped since it was judged
                followed.append(_Followed(facts=facts, published=publication.tables[name]))
        except psycopg.Error as cause:
            raise refused_statement(address, cause, what="read the catalogue") from cause
        return tuple(followed)

    # ── snapshot ────────────────────────────────────────────────────────────────────────────────────────────

    def begin_snapshot(self) -> SnapshotStart:
        """Drop our own slot of an earlier attempt, make a new one and enter the snapshot that fits it.

        Raises:
            LienthongError: of the SRC family; nothing is left behind but, at worst, our idle slot.
        """
        address = self._address()
        self._end_snapshot()
        connection = connect(address)
        try:
            followed = self._follow(address, connection)
            raw = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
            self._wait_for_slot(address, connection)
            self._replication = replication = ReplicationConnection(address)
            try:
                system = replication.identify()
                if self._read_slot(address, connection)[0] is not None:
                    replication.drop_slot(self._slot)
                slot = replication.create_slot(self._slot)
                moment = enter_snapshot(connection, snapshot=slot.snapshot, raw=raw)
            finally:
                replication.close()
                self._replication = None
        except psycopg.Error as cause:
            connection.close()
            raise refused_statement(address, cause, what="enter the snapshot") from cause
        except BaseException:
            connection.close()
            raise
        start = SnapshotStart(
            epoch=self._epoch(system),
            position=slot.position,
            tables=tuple(each.table for each in followed),
            rows_estimated=sum(each.facts.rows_estimated for each in followed),
        )
        self._snapshot = _Snapshot(connection=connection, start=start, followed=followed, time=moment.astimezone(UTC))
        return start

    def snapshot(self) -> Iterator[Delivery]:
        """Yield all rows as of the starting point; only after ``begin_snapshot`` on the same object."""
        begun = self._snapshot
        assert begun is not None, "begin_snapshot comes first"
        try:
            for each in begun.followed:
                yield from read_rows(
                    begun.connection,
                    source=self._source,
                    table=each.facts,
                    published=each.published,
                    position=begun.start.position,
                    time=begun.time,
                )
        except psycopg.Error as cause:
            raise refused_statement(self._address(), cause, what="read the snapshot") from cause
        finally:
            self._end_snapshot()

    def _end_snapshot(self) -> None:
        begun, self._snapshot = self._snapshot, None
        if begun is not None:
            begun.connection.close()

    # ── stream ──────────────────────────────────────────────────────────────────────────────────────────────

    def stream(self, *, epoch: Epoch, after: Position) -> Iterator[Delivery | Idle]:
        """Yield changes committed at or after ``after``; ``Idle`` when there are none; ends only by ``stop``.

        While the consumer works on a delivery nothing is answered to the source: work that takes longer than the
        source's ``wal_sender_timeout`` (60 s as shipped) costs a new connection, never a change.
        """
        address = self._address()
        connection = connect(address)
        try:
            followed = self._follow(address, connection)
            replication = self._replication = ReplicationConnection(address)
            system = replication.identify()
            if self._epoch(system) != epoch:
                raise SourceChanged(source=self._source, expected=epoch, observed=self._epoch(system))
            self._wait_for_slot(address, connection)
            self._check_slot(address, connection, after)
            connection.close()
            replication.start(slot=self._slot, publication=self._publication, after=after)
            if self._stopped:
                return
            tables = _Tables(source=self._source, address=address, followed=followed, mappings=self._mappings)
            assembly = Assembly(source=self._source, after=after, table_of=tables.table_of)
            yield from Stream(replication, assembly, address=address, heartbeat_s=self._heartbeat_s).run()
        finally:
            connection.close()
            if self._replication is not None:
                self._replication.close()
                self._replication = None

    def _epoch(self, system: System) -> Epoch:
        return Epoch(system=system.identifier, timeline=system.timeline, database=system.database, slot=self._slot)

    def _read_slot(self, address: Address, connection: Connection) -> tuple[SlotFacts | None, str, int]:
        try:
            return read_slot(connection, self._slot)
        except psycopg.Error as cause:
            raise refused_statement(address, cause, what="read the state of the slot") from cause

    def _wait_for_slot(self, address: Address, connection: Connection) -> None:
        """Wait for the server to let go of a slot whose reader is gone."""
        deadline = time.monotonic() + SLOT_RELEASE_S_MAX
        while True:
            slot, _, _ = self._read_slot(address, connection)
            if slot is None or slot.active_pid is None:
                return
            if self._stopped or time.monotonic() >= deadline:
                raise SlotBusy(source=self._source, slot=self._slot, pid=slot.active_pid)
            time.sleep(SLOT_RELEASE_STEP_S)

    def _check_slot(self, address: Address, connection: Connection, after: Position) -> None:
        """Refuse a slot that cannot give everything after the position."""
        slot, _, written = self._read_slot(address, connection)
        if slot is None:
            raise SlotMissing(source=self._source, slot=self._slot)
        assert slot.plugin == PLUGIN, "the readiness check refused other plugins"
        if slot.lost is not None:
            raise SlotLost(source=self._source, slot=self._slot, reason=slot.lost)
        if slot.confirmed > after.commit:
            raise SlotMoved(
                source=self._source,
                slot=self._slot,
                slot_position=Position(commit=slot.confirmed),
                position=after,
            )
        if after.commit > written:
            # The server was put back to an earlier state: it would swallow what it writes up to our position.
            raise SourceChanged(
                source=self._source,
                expected=f"a server that has written {after}",
                observed=f"a server that has written only {Position(commit=written)}",
            )

    def confirm(self, position: Position) -> None:
        """Tell the source that everything up to ``position`` is kept at the centre."""
        replication = self._replication
        if replication is not None:
            replication.confirmed = max(replication.confirmed, position.commit)

    def stop(self) -> None:
        """End ``stream`` soon; from any thread or signal handler."""
        self._stopped = True
        replication = self._replication
        if replication is not None:
            replication.stop()

    def close(self) -> None:
        """Give back connections; the position at the source stays."""
        self.stop()
        replication = self._replication
        if replication is not None:
            replication.close()
        self._end_snapshot()


class _Tables:
    """Say what a relation message of the stream means; ask the catalogue for the names of unknown types."""

    def __init__(
        self,
        *,
        source: SourceId,
        address: Address,
        followed: Sequence[_Followed],
        mappings: Mappings,
    ) -> None:
        self._source = source
        self._address = address
        self._mappings = mappings
        self._now = {each.facts.name: each for each in followed}
        self._types = {
            (column.type_oid, column.type_modifier): column.column.type_name
            for each in followed
            for column in each.facts.columns
        }

    def table_of(self, relation: Relation) -> SourceTable:
        """Return the table a message declares.

        Raises:
            MappedColumnGone, MappedColumnTypeChanged, KeyChanged: the mapping does not fit it.
        """
        name = TableName(schema=relation.schema, table=relation.table)
        known = self._now.get(name)
        comments = {} if known is None else {column.name: column for column in known.table.columns}
        types = self._type_names(relation)
        columns = tuple(
            replace(comments[column.name], type_name=type_name)
            if column.name in comments
            else SourceColumn(name=column.name, type_name=type_name)
            for column, type_name in zip(relation.columns, types, strict=True)
        )
        key = tuple(column.name for column in relation.columns if column.identifies)
        if relation.identity == "f" and known is not None:
            # Every column is flagged under FULL; what tells rows apart is the key found in the catalogue.
            key = known.table.key
        table = SourceTable(name=name, columns=columns, key=key)
        mapping = self._mappings.get(name)
        if mapping is not None:
            if not mapping.key and known is not None:
                mapping = replace(mapping, key=known.table.key)
            found = refusal(compare(mapping, table), source=self._source, table=table)
            if found is not None:
                raise found
        return table

    def _type_names(self, relation: Relation) -> list[str]:
        wanted = [(column.type_oid, column.type_modifier) for column in relation.columns]
        unknown = sorted({each for each in wanted if each not in self._types})
        if unknown:
            with closing(connect(self._address)) as connection:
                try:
                    self._types |= read_types(connection, unknown)
                except psycopg.Error as cause:
                    raise refused_statement(self._address, cause, what="read the names of types") from cause
        return [self._types[each] for each in wanted]
