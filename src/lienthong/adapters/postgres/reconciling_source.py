"""An agency's PostgreSQL as it was at one position of its log: read as often as needed, text as in the stream."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import psycopg

from lienthong.adapters.postgres.catalogue import (
    Connection,
    PublishedTable,
    TableFacts,
    as_source_table,
    read_publication,
    read_table,
)
from lienthong.adapters.postgres.connection import Address, connect, read_address, refused_statement
from lienthong.adapters.postgres.replication import (
    SLOT_CREATION_S_MAX,
    ReplicationConnection,
    System,
    quoted,
    read_lsn,
)
from lienthong.adapters.postgres.snapshot import enter_snapshot, read_rows
from lienthong.sources.change import Delivery, Epoch, Position, SourceId, TableName
from lienthong.sources.reconcilable import Moment
from lienthong.sources.refusals import TableNotFound

READ_S_MAX: Final = 7_200  # for one table
_SLOT_NAME_MAX: Final = 63


@dataclass(frozen=True, kw_only=True, slots=True)
class _Followed:
    facts: TableFacts
    published: PublishedTable


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    connection: Connection
    moment: Moment
    followed: dict[TableName, _Followed]


class PostgresReconcilable:
    """Read tables of one PostgreSQL database at a position; never writes, leaves nothing behind.

    The position and the state that fits it come together from a temporary logical slot: a commit can stand in the log
    before a new snapshot sees it, so no reading of the log's end beside a snapshot would do. The slot is gone as soon
    as the snapshot is entered.
    """

    def __init__(
        self,
        *,
        source: SourceId,
        url: str,
        password: str | None,
        publication: str,
        slot: str,
        tables: Sequence[TableName],
    ) -> None:
        self._source = source
        self._url = url
        self._password = password
        self._publication = publication
        self._slot = slot
        self._tables = tuple(tables)
        self._standing: _Standing | None = None

    @property
    def source(self) -> SourceId:
        """Return the name of the link."""
        return self._source

    def _address(self) -> Address:
        return read_address(self._source, self._url, self._password)

    def fix(self) -> Moment:
        """Enter a new moment and give up the one before; waits for transactions that are open at the source.

        Raises:
            LienthongError: of the SRC family.
        """
        self.close()
        address = self._address()
        connection = connect(address)
        try:
            followed = self._follow(connection)
            raw = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
            replication = ReplicationConnection(address)
            try:
                system = replication.identify()
                position, snapshot = self._make_slot(replication)
                moment = enter_snapshot(connection, snapshot=snapshot, raw=raw)
            finally:
                replication.close()  # the temporary slot goes with it, and holds back no log any more
            connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{READ_S_MAX}s"])
        except psycopg.Error as cause:
            connection.close()
            raise refused_statement(address, cause, what="enter the state to compare") from cause
        except BaseException:
            connection.close()
            raise
        standing = Moment(
            epoch=self._epoch(system),
            position=position,
            time=_as_utc(moment),
            tables=tuple(as_source_table(each.facts, each.published) for each in followed.values()),
        )
        self._standing = _Standing(connection=connection, moment=standing, followed=followed)
        return standing

    def _follow(self, connection: Connection) -> dict[TableName, _Followed]:
        publication = read_publication(connection, self._publication)
        followed = {}
        for name in self._tables:
            facts = read_table(connection, name)
            if facts is None or publication is None or name not in publication.tables:
                raise TableNotFound(source=self._source, table=name)
            followed[name] = _Followed(facts=facts, published=publication.tables[name])
        return followed

    def _make_slot(self, replication: ReplicationConnection) -> tuple[Position, str]:
        """Make a slot that ends with its connection; return its consistent point and the snapshot that fits it."""
        ending = f"_{secrets.token_hex(4)}"
        name = self._slot[: _SLOT_NAME_MAX - len(ending)] + ending
        # The older form is understood by all versions; PostgreSQL 15 brought another, and keeps this one.
        result = replication.command(
            f"CREATE_REPLICATION_SLOT {quoted(name)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT",
            what="make a temporary replication slot",
            within_s=SLOT_CREATION_S_MAX,
        )
        position, snapshot = result.get_value(0, 1), result.get_value(0, 2)
        assert position is not None, "a new slot has a consistent point"
        assert snapshot is not None, "a new slot has an exported snapshot"
        return Position(commit=read_lsn(position.decode())), snapshot.decode()

    def _epoch(self, system: System) -> Epoch:
        return Epoch(system=system.identifier, timeline=system.timeline, database=system.database, slot=self._slot)

    def rows(self, table: TableName) -> Iterator[Delivery]:
        """Yield all rows of a table as of the moment; only after ``fix``, and again as often as asked."""
        standing = self._standing
        assert standing is not None, "fix comes first"
        followed = standing.followed[table]
        try:
            yield from read_rows(
                standing.connection,
                source=self._source,
                table=followed.facts,
                published=followed.published,
                position=standing.moment.position,
                time=standing.moment.time,
            )
        except psycopg.Error as cause:
            raise refused_statement(self._address(), cause, what="read the rows to compare") from cause

    def close(self) -> None:
        """Leave the moment and give back connections."""
        standing, self._standing = self._standing, None
        if standing is not None:
            standing.connection.close()


def _as_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
