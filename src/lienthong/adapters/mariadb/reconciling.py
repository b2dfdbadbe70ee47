"""An agency's MariaDB as it was at one position of its binary log: read as often as needed, text as in the stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lienthong.adapters.mariadb.binlog import FILE_SHIFT, file_number
from lienthong.adapters.mariadb.catalogue import TableFacts, read_server, read_table
from lienthong.adapters.mariadb.connection import Session, read_address
from lienthong.adapters.mariadb.snapshot import enter_snapshot, read_rows
from lienthong.sources.change import Delivery, Epoch, Position, SourceId, TableName
from lienthong.sources.reconcilable import Moment
from lienthong.sources.refusals import TableNotFound

READ_S_MAX: Final = 7_200  # for one table


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    session: Session
    moment: Moment
    tables: dict[TableName, TableFacts]


class MariaDBReconcilable:
    """Read tables of one MariaDB database at a position; never writes, asks for no lock, leaves nothing behind."""

    def __init__(self, *, source: SourceId, url: str, password: str | None, tables: Sequence[TableName]) -> None:
        self._source = source
        self._url = url
        self._password = password
        self._tables = tuple(tables)
        self._standing: _Standing | None = None

    @property
    def source(self) -> SourceId:
        """Return the name of the link."""
        return self._source

    def fix(self) -> Moment:
        """Enter a new moment and give up the one before.

        Raises:
            LienthongError: of the SRC family.
        """
        self.close()
        session = Session(read_address(self._source, self._url, self._password))
        try:
            server = read_server(session)
            tables = {name: self._table(session, name) for name in self._tables}
            file, place, time = enter_snapshot(session)
            session.execute(f"SET SESSION max_statement_time = {READ_S_MAX}", what="enter the state to compare")
        except BaseException:
            session.close()
            raise
        moment = Moment(
            epoch=Epoch(system=server.identity, timeline=1, database=session.address.database, slot=server.log_name),
            position=Position(commit=file_number(file.encode()) << FILE_SHIFT | place),
            time=time,
            tables=tuple(each.table for each in tables.values()),
        )
        self._standing = _Standing(session=session, moment=moment, tables=tables)
        return moment

    def _table(self, session: Session, name: TableName) -> TableFacts:
        table = read_table(session, name)
        if table is None:
            raise TableNotFound(source=self._source, table=name)
        return table

    def rows(self, table: TableName) -> Iterator[Delivery]:
        """Yield all rows of a table as of the moment; only after ``fix``, and again as often as asked."""
        standing = self._standing
        assert standing is not None, "fix comes first"
        yield from read_rows(
            standing.session,
            source=self._source,
            table=standing.tables[table],
            position=standing.moment.position,
            time=standing.moment.time,
        )

    def close(self) -> None:
        """Leave the moment and give back the connection."""
        standing, self._standing = self._standing, None
        if standing is not None:
            standing.session.close()
