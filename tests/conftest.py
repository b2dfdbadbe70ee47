"""One embedded PostgreSQL server for the whole run; a fresh database with its own owner for each test that asks."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.cli import output
from lienthong.errors import LienthongError

# Tables for people fold at the width of the terminal, which is read when the console is made: the same for every order
# in which tests may run.
output.console.width = output.stderr.width = 400

# How long one example takes says how busy the machine is, and nothing about what a property states.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

REQUIRE_ALL = "LIENTHONG_REQUIRE_ALL"


def require_or_skip(condition: object, reason: str) -> None:
    """Skip a test whose surroundings are missing; fail it where everything is promised to be there."""
    if condition:
        return
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{REQUIRE_ALL}=1 and {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def require() -> Callable[[object, str], None]:
    return require_or_skip


@dataclass(frozen=True, kw_only=True)
class FreshDatabase:
    """A database made for one test; every URL holds its password."""

    server: PostgresServer
    name: str
    owner: str
    url: str
    superuser_url: str  # the superuser in this database
    roles: list[str] = field(default_factory=list)

    def role(self, prefix: str = "guest", *, replication: bool = False) -> str:
        """Make one more role that may connect to this database, and return its URL."""
        name, password = f"{prefix}_{secrets.token_hex(4)}", secrets.token_hex(12)
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.Identifier(name),
                    sql.SQL("REPLICATION" if replication else "NOREPLICATION"),
                    sql.Literal(password),
                )
            )
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(self.name), sql.Identifier(name))
            )
        self.roles.append(name)
        return self.server.url(self.name, name, password)

    def user_of(self, url: str) -> str:
        """Return the role a URL logs in as."""
        return str(psycopg.conninfo.conninfo_to_dict(url)["user"])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start the embedded server once; nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-test-"))
    folder.chmod(0o711)  # as root the server runs as another account and has to pass through
    home = folder / "postgresql"
    try:
        server = PostgresServer.start(
            ServerConfig(
                folder=home,
                # Nobody pulls the plug during this run: tests of durability start servers of their own.
                extra={
                    "fsync": "off",
                    "max_connections": "100",
                    "max_replication_slots": "40",
                    "max_wal_senders": "40",
                },
            )
        )
    except LienthongError as error:
        shutil.rmtree(folder, ignore_errors=True)
        require_or_skip(condition=False, reason=f"the embedded PostgreSQL does not start: {error.code} {error}")
        raise
    try:
        yield server
    finally:
        server.stop()
        remove(home)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def superuser_url(postgres_server: PostgresServer) -> str:
    return postgres_server.url("postgres", postgres_server.superuser, postgres_server.password)


@pytest.fixture
def make_database(postgres_server: PostgresServer, superuser_url: str) -> Iterator[Callable[..., FreshDatabase]]:
    """Return a function that makes a database with an owner role; all are dropped after the test."""
    made: list[FreshDatabase] = []

    def make(prefix: str = "test", *, replication: bool = False) -> FreshDatabase:
        suffix, password = secrets.token_hex(4), secrets.token_hex(12)
        name, owner = f"{prefix}_{suffix}", f"{prefix}_owner_{suffix}"
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.Identifier(owner),
                    sql.SQL("REPLICATION" if replication else "NOREPLICATION"),
                    sql.Literal(password),
                )
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        database = FreshDatabase(
            server=postgres_server,
            name=name,
            owner=owner,
            url=postgres_server.url(name, owner, password),
            superuser_url=postgres_server.url(name, postgres_server.superuser, postgres_server.password),
        )
        made.append(database)
        return database

    yield make
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for database in made:
            _drop(connection, database)


def _drop(connection: psycopg.Connection[Any], database: FreshDatabase) -> None:
    # A logical slot keeps its database alive, and a walsender keeps its slot.
    connection.execute(
        "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
        " WHERE database = %s AND active_pid IS NOT NULL",
        [database.name],
    )
    connection.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", [database.name]
    )
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name)))
    for role in (*database.roles, database.owner):
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
