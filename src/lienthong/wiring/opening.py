"""Which way of reading an address asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lienthong.adapters.mariadb import profiling as of_mariadb
from lienthong.adapters.mariadb.source import MariaDBSource
from lienthong.adapters.postgres import profiling as of_postgres
from lienthong.adapters.postgres.source import PostgresSource
from lienthong.sources.change import SourceId, SourceTable, TableName
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.sources.ports import ChangeSource
from lienthong.sources.profile import Questions, ReadText, TableProfile

_MARIADB = ("mariadb://", "mysql://")


def open_source(
    *,
    name: str,
    url: str,
    password: str | None,
    publication: str,
    slot: str,
    mappings: Sequence[ColumnDecisions],
) -> ChangeSource:
    """Return the reader for an address; nothing connects yet.

    ``mariadb://…`` follows the binary log of a MariaDB, anything else is taken for a libpq URL of a PostgreSQL, the
    only one that needs a publication and a slot.
    """
    if url.startswith(_MARIADB):
        return MariaDBSource(source=SourceId(name), url=url, password=password, mappings=mappings)
    return PostgresSource(
        source=SourceId(name), url=url, password=password, publication=publication, slot=slot, mappings=mappings
    )


def survey_tables(
    *,
    source: SourceId,
    url: str,
    password: str | None,
    tables: Sequence[TableName],
    questions: Questions,
    read: ReadText | None = None,
) -> Iterator[TableProfile]:
    """Yield a profile of each named table of the database an address stands for, or of every readable one.

    Raises:
        LienthongError: of the SRC family.
    """
    survey = of_mariadb.survey_tables if url.startswith(_MARIADB) else of_postgres.survey_tables
    return survey(source=source, url=url, password=password, tables=tables, questions=questions, read=read)


def live_tables(
    *, source: SourceId, url: str, password: str | None, tables: Sequence[TableName]
) -> Mapping[TableName, SourceTable]:
    """Return the named tables as they are now, whether or not they can be followed.

    Raises:
        LienthongError: of the SRC family.
    """
    look = of_mariadb.live_tables if url.startswith(_MARIADB) else of_postgres.live_tables
    return look(source=source, url=url, password=password, tables=tables)
