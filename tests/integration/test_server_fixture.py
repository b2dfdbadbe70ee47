from __future__ import annotations

import psycopg
import pytest


def test_the_owner_of_a_fresh_database_may_create_tables(make_database):
    database = make_database("plain")
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE t (a int)")


def test_a_guest_of_a_fresh_database_may_connect_and_nothing_more(make_database):
    database = make_database("plain")
    with psycopg.connect(database.role("guest")) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE t (a int)")


def test_the_server_offers_logical_replication(superuser_url):
    with psycopg.connect(superuser_url) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
