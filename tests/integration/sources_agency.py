"""An agency's database for tests, and ways to read it through a link."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psycopg

from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.adapters.postgres.source import PostgresSource
from lienthong.dictionary.model import DatasetId, ElementId, Relation
from lienthong.sources.change import Delivery, Position, SourceId, TableName
from lienthong.sources.mapping import ColumnMapping, Mapping


def mapping(table: str, *columns: str, types: dict[str, str] | None = None, key: tuple[str, ...] = ()) -> Mapping:
    return Mapping(
        source=SourceId("agency"),
        table=TableName(schema="public", table=table),
        dataset=DatasetId("none"),
        owner="nobody",
        columns=tuple(
            ColumnMapping(
                column=name,
                element=ElementId("X"),
                relation=Relation.EXACT,
                native_type=None if types is None else types.get(name),
            )
            for name in columns
        ),
        digest="0",
        key=key,
    )


class Agency:
    def __init__(self, database) -> None:
        self.database = database
        self.slot = f"agency_{database.name}"
        self.connection = psycopg.connect(database.superuser_url, autocommit=True)
        self.sources: list[PostgresSource] = []

    def sql(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement.encode())

    def value(self, statement: str):
        return self.connection.execute(statement.encode()).fetchone()[0]

    def written(self) -> Position:
        return Position(commit=int(self.value("SELECT pg_current_wal_lsn() - '0/0'")))

    def open(self, *mappings: Mapping, url: str | None = None, **changes) -> PostgresSource:
        settings = {
            "source": SourceId("agency"),
            "url": url or self.database.superuser_url,
            "password": None,
            "publication": "lienthong",
            "slot": self.slot,
            "mappings": mappings,
            "heartbeat_s": 0.05,
        }
        source = PostgresSource(**(settings | changes))
        self.sources.append(source)
        return source

    def close(self) -> None:
        for source in self.sources:
            source.close()
        self.connection.close()


def read_snapshot(source: PostgresSource):
    start = source.begin_snapshot()
    deliveries = list(source.snapshot())
    return start, deliveries


def read_stream(source: PostgresSource, start, until: Position, after: Position | None = None) -> list[Delivery]:
    deliveries = []
    for arrived in source.stream(epoch=start.epoch, after=after or start.position):
        if isinstance(arrived, Delivery):
            deliveries.append(arrived)
        if arrived.end >= until:
            break
    return deliveries


def rows_of(deliveries: list[Delivery]) -> pl.DataFrame:
    return pl.concat([batch.rows for delivery in deliveries for batch in delivery.batches])


def line_of(source: PostgresSource, item: str):
    lines = [line for line in source.readiness() if line.item == item]
    assert lines, f"{item} is not among {[line.item for line in source.readiness()]}"
    return lines[0]


def simple(agency: Agency) -> PostgresSource:
    agency.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "INSERT INTO t VALUES (1, 'one')",
        "CREATE PUBLICATION lienthong FOR TABLE t",
    )
    return agency.open(mapping("t", "v"))


@contextmanager
def own_server(tmp_path_factory, *, wal_level: str = "logical", **extra: str) -> Iterator[PostgresServer]:
    """Start a server of its own for tests that need other settings."""
    folder = tmp_path_factory.mktemp("server")
    for each in (folder, *folder.parents):
        if each == Path(tempfile.gettempdir()):
            break
        each.chmod(0o755)  # as root the server runs as another account and has to pass through
    home = folder / "postgresql"
    server = PostgresServer.start(
        ServerConfig(folder=home, wal_level=wal_level, max_slot_wal_keep_size="1MB", extra={"fsync": "off", **extra})
    )
    try:
        yield server
    finally:
        server.stop()
        remove(home)
