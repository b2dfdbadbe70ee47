"""Look into the catalogue of an agency's PostgreSQL, read-only, and return facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from lienthong.adapters.postgres.connection import statement
from lienthong.adapters.postgres.replication import read_lsn
from lienthong.sources.change import SourceColumn, SourceTable, TableName

Connection = psycopg.Connection[dict[str, Any]]  # rows of the catalogue, parsed into facts right here
Row = dict[str, Any]

PARTITIONED = "p"
ORDINARY = "r"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """What of the server decides whether it can be followed."""

    version: int
    encoding: str
    wal_level: str
    slots_max: int
    slots_used: int
    senders_max: int
    senders_used: int
    keep_size: str
    standby: bool
    account: str
    may_replicate: bool
    standby_slots: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotFacts:
    """A replication slot as it stands, with the end of the log beside it."""

    plugin: str | None
    database: str | None
    active_pid: int | None
    confirmed: int  # LSN up to which the slot forgets
    lost: str | None  # why the server gave it up


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicationFacts:
    """A publication and what it carries."""

    name: str
    all_tables: bool
    inserts: bool
    updates: bool
    deletes: bool
    truncates: bool
    via_root: bool
    tables: Mapping[TableName, PublishedTable]


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedTable:
    """How a publication carries one table."""

    columns: tuple[str, ...] | None  # None: the server is too old to say, all of them
    row_filter: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnFacts:
    """A column with what the account may do with it."""

    column: SourceColumn
    type_oid: int
    type_modifier: int
    generated: bool
    may_read: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyFacts:
    """A unique index that can identify a row."""

    name: str
    is_primary: bool
    is_identity: bool
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFacts:
    """A table as it is now."""

    name: TableName
    oid: int
    kind: str
    identity: str  # replica identity: d default, n nothing, f full, i index
    persistence: str
    rows_estimated: int
    comment: str | None
    may_read: bool
    columns: tuple[ColumnFacts, ...]
    keys: tuple[KeyFacts, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Return the columns that identify a row in the stream; empty when there are none."""
        if self.identity == "i":
            return next((each.columns for each in self.keys if each.is_identity), ())
        primary = next((each.columns for each in self.keys if each.is_primary), ())
        if self.identity == "d":
            return primary
        if self.identity == "f":  # every value is sent, so any unique index will do
            return primary or next((each.columns for each in self.keys), ())
        return ()


def quoted(name: str) -> str:
    """Return a name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def quoted_table(name: TableName) -> str:
    """Return a table's name quoted for SQL."""
    return f"{quoted(name.schema)}.{quoted(name.table)}"


def _one(connection: Connection, name: str, **values: object) -> Row | None:
    return connection.execute(statement(name), values).fetchone()


def read_server(connection: Connection) -> ServerFacts:
    """Read the facts of the server."""
    row = _one(connection, "source_server")
    assert row is not None, "the statement has no FROM: one row always"
    return ServerFacts(**row)


def read_slot(connection: Connection, slot: str) -> tuple[SlotFacts | None, str, int]:
    """Read a slot (None when there is none), the name of this database and the end of the log."""
    row = _one(connection, "source_slot", slot=slot)
    assert row is not None, "the statement has no FROM: one row always"
    facts = row["slot"]
    if facts is None:
        return None, row["database"], row["written"]
    lost = facts.get("invalidation_reason")
    if lost is None and facts.get("wal_status") == "lost":
        lost = "wal_removed"
    found = SlotFacts(
        plugin=facts["plugin"],
        database=facts["database"],
        active_pid=facts["active_pid"],
        confirmed=read_lsn(facts["confirmed_flush_lsn"]) if facts["confirmed_flush_lsn"] else 0,
        lost=lost,
    )
    return found, row["database"], row["written"]


def read_publication(connection: Connection, publication: str) -> PublicationFacts | None:
    """Read a publication and its tables; None when there is none."""
    row = _one(connection, "source_publication", publication=publication)
    if row is None:
        return None
    tables = {}
    for each in connection.execute(statement("source_published"), {"publication": publication}):
        facts = each["published"]
        columns = facts.get("attnames")
        tables[TableName(schema=facts["schemaname"], table=facts["tablename"])] = PublishedTable(
            columns=None if columns is None else tuple(columns), row_filter=facts.get("rowfilter")
        )
    return PublicationFacts(**row, tables=tables)


def read_table(connection: Connection, name: TableName) -> TableFacts | None:
    """Read a table with its columns and keys; None when there is none, or it cannot be seen."""
    row = _one(connection, "source_table", schema=name.schema, table=name.table)
    if row is None:
        return None
    columns = tuple(
        ColumnFacts(
            column=SourceColumn(
                name=each["name"], type_name=each["type_name"], nullable=each["nullable"], comment=each["comment"]
            ),
            type_oid=each["type_oid"],
            type_modifier=each["type_modifier"],
            generated=each["generated"],
            may_read=each["may_read"],
        )
        for each in connection.execute(statement("source_columns"), {"oid": row["oid"]})
    )
    keys = tuple(
        KeyFacts(
            name=each["name"],
            is_primary=each["is_primary"],
            is_identity=each["is_identity"],
            columns=tuple(each["columns"]),
        )
        for each in connection.execute(statement("source_keys"), {"oid": row["oid"]})
    )
    return TableFacts(
        name=name,
        oid=row["oid"],
        kind=row["kind"],
        identity=row["identity"],
        persistence=row["persistence"],
        rows_estimated=row["rows_estimated"],
        comment=row["comment"],
        may_read=row["may_enter"] and (row["may_read"] or (bool(columns) and all(each.may_read for each in columns))),
        columns=columns,
        keys=keys,
    )


def published_columns(table: TableFacts, published: PublishedTable) -> tuple[ColumnFacts, ...]:
    """Return the columns the stream carries, in order: the snapshot must carry the same ones."""
    if published.columns is None:
        return tuple(each for each in table.columns if not each.generated)
    return tuple(each for each in table.columns if each.column.name in published.columns)


def as_source_table(table: TableFacts, published: PublishedTable) -> SourceTable:
    """Return the table as the rest of the platform sees it."""
    return SourceTable(
        name=table.name,
        columns=tuple(each.column for each in published_columns(table, published)),
        key=table.key,
    )


def read_types(connection: Connection, wanted: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], str]:
    """Return the names of types by (oid, modifier)."""
    rows = connection.execute(
        statement("source_types"),
        {"oids": [oid for oid, _ in wanted], "modifiers": [modifier for _, modifier in wanted]},
    )
    return {(row["oid"], row["modifier"]): row["name"] for row in rows}
