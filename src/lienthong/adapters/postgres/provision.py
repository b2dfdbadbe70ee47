"""Create roles and databases of an installation, as a person with the superuser's rights would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from lienthong.adapters.postgres.centre_schema import grant_reader
from lienthong.errors import Actor, LienthongError


class ProvisionRefused(LienthongError, code="PGS-020", actor=Actor.OPERATOR):
    """Roles or databases could not be created."""

    message = "cannot create role or database {name}: SQLSTATE {sqlstate}"
    hint = "look at the server's log in the data folder; the account used must be a superuser"


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role that may log in."""

    name: str
    password: str
    replication: bool = False

    def __repr__(self) -> str:
        return f"Role({self.name!r})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """A database, who owns it and who else may connect to it."""

    name: str
    owner: str
    guests: tuple[str, ...] = ()


def provision(superuser_url: str, *, password: str, roles: Sequence[Role], databases: Sequence[Database]) -> None:
    """Create what is missing and set every password; running it again changes nothing else.

    Nobody but the owner and the named guests may connect to a database.
    """
    with psycopg.connect(superuser_url, password=password, autocommit=True) as connection:
        for role in roles:
            _role(connection, role)
        for database in databases:
            _database(connection, database)


def allow_reading(url: str, *, password: str | None, role: str) -> None:
    """Let a role read the centre's tables, as their owner; it can write nothing."""
    with psycopg.connect(url, password=password, autocommit=True) as connection:
        try:
            grant_reader(connection, role)
        except psycopg.Error as cause:
            raise ProvisionRefused(name=role, sqlstate=cause.sqlstate) from cause


def user_of(url: str) -> str:
    """Return the role an address logs in as; empty when it names none."""
    return str(conninfo_to_dict(url).get("user") or "")


def _role(connection: psycopg.Connection, role: Role) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name]).fetchone()
    verb = sql.SQL("ALTER ROLE" if known else "CREATE ROLE")
    replication = sql.SQL("REPLICATION" if role.replication else "NOREPLICATION")
    try:
        connection.execute(
            sql.SQL("{} {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS {} PASSWORD {}").format(
                verb, sql.Identifier(role.name), replication, sql.Literal(role.password)
            )
        )
    except psycopg.Error as cause:
        # The statement holds the password: the cause is cut off so that no trace shows it.
        raise ProvisionRefused(name=role.name, sqlstate=cause.sqlstate) from None


def _database(connection: psycopg.Connection, database: Database) -> None:
    name = sql.Identifier(database.name)
    try:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database.name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(database.owner)))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        for guest in database.guests:
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(guest)))
    except psycopg.Error as cause:
        raise ProvisionRefused(name=database.name, sqlstate=cause.sqlstate) from cause
