"""Which way of reading an address asks for."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.adapters.mariadb.source import MariaDBSource
from lienthong.adapters.postgres.source import PostgresSource
from lienthong.sources.change import SourceId
from lienthong.sources.mapping import Mapping
from lienthong.sources.ports import ChangeSource

_MARIADB = ("mariadb://", "mysql://")


def open_source(
    *,
    name: str,
    url: str,
    password: str | None,
    publication: str,
    slot: str,
    mappings: Sequence[Mapping],
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
