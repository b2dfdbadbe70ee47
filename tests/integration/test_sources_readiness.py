"""What can be missing at an agency's PostgreSQL, and what the link says of it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import conninfo
from sources_agency import Agency, line_of, mapping, own_server, read_snapshot, read_stream, rows_of, simple

from lienthong.adapters.postgres.source import PostgresSource
from lienthong.errors import LienthongError
from lienthong.sources.change import SourceId
from lienthong.sources.ports import Grade
from lienthong.sources.refusals import (
    AddressNotValid,
    AuthenticationRefused,
    DatabaseUnknown,
    NoRowIdentity,
    PublicationUnusable,
    ReadRightMissing,
    ReplicationRightMissing,
    SlotTaken,
    SourceUnreachable,
    TableNotFound,
    WalLevelTooLow,
)


@pytest.fixture
def agency(make_database) -> Iterator[Agency]:
    made = Agency(make_database("agency"))
    yield made
    made.close()


def refused(source: PostgresSource, kind: type[LienthongError], item: str) -> LienthongError:
    """Expect the same refusal from the check for people and at run time, and return it."""
    line = line_of(source, item)
    assert (line.grade, line.code) == (Grade.BLOCKING, kind.code)
    with pytest.raises(kind) as caught:
        source.begin_snapshot()
    return caught.value


def test_everything_ready_blocks_nothing(agency):
    source = simple(agency)
    assert {line.grade for line in source.readiness()} == {Grade.OK}
    assert source.tables()[0].key == ("id",)


def test_an_unreachable_server_is_transient(agency):
    source = agency.open(mapping("t", "v"), url="postgresql://nobody:s3cret@127.0.0.1:1/none?connect_timeout=2")
    error = refused(source, SourceUnreachable, "connection")
    assert error.transient
    assert "127.0.0.1:1" in str(error)
    assert "s3cret" not in f"{error} {error.remedy} {error.facts}"


def test_a_wrong_password_is_refused_and_not_repeated(agency):
    url = conninfo.make_conninfo(agency.database.superuser_url, password="wr0ng-word")
    error = refused(agency.open(mapping("t", "v"), url=url), AuthenticationRefused, "connection")
    assert not error.transient
    assert "wr0ng-word" not in f"{error} {error.remedy} {error.facts}"


def test_the_password_kept_apart_is_used(agency):
    given = conninfo.conninfo_to_dict(agency.database.superuser_url)
    password = given.pop("password")
    simple(agency)
    source = agency.open(mapping("t", "v"), url=conninfo.make_conninfo(**given), password=password)
    assert source.tables()


def test_an_unknown_account_is_refused(agency):
    url = conninfo.make_conninfo(agency.database.superuser_url, user="nobody_at_all")
    refused(agency.open(mapping("t", "v"), url=url), AuthenticationRefused, "connection")


def test_an_unknown_database_is_named(agency):
    url = conninfo.make_conninfo(agency.database.superuser_url, dbname="no_such_database")
    assert "no_such_database" in str(refused(agency.open(mapping("t", "v"), url=url), DatabaseUnknown, "connection"))


def test_an_address_that_is_none_is_refused_without_repeating_it():
    source = PostgresSource(
        source=SourceId("agency"),
        url="postgresql://u:s3cret@host:port:port/db?no=such",
        password=None,
        publication="p",
        slot="s",
        mappings=[],
    )
    with pytest.raises(AddressNotValid) as caught:
        source.tables()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_replication_right_names_the_statement(agency):
    simple(agency)
    url = agency.database.role("reader")
    source = agency.open(mapping("t", "v"), url=url)
    agency.sql(f"GRANT SELECT ON t TO {agency.database.user_of(url)}")
    refused(source, ReplicationRightMissing, "replication right")
    agency.sql(line_of(source, "replication right").repair)
    assert source.begin_snapshot()


def test_a_missing_read_right_names_the_statement(agency):
    simple(agency)
    source = agency.open(mapping("t", "v"), url=agency.database.role("reader", replication=True))
    refused(source, ReadRightMissing, "read right on public.t")
    agency.sql(line_of(source, "read right on public.t").repair)
    assert source.begin_snapshot()


def test_a_reader_with_the_least_rights_follows(agency):
    simple(agency)
    url = agency.database.role("reader", replication=True)
    agency.sql(f"GRANT SELECT ON t TO {agency.database.user_of(url)}")
    source = agency.open(mapping("t", "v"), url=url)
    start, snapshot = read_snapshot(source)
    agency.sql("UPDATE t SET v = 'two'")
    assert rows_of(snapshot)["v"].to_list() == ["one"]
    assert rows_of(read_stream(source, start, agency.written()))["v"].to_list() == ["two"]


def test_a_missing_publication_names_the_statement(agency):
    agency.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
    source = agency.open(mapping("t", "v"))
    refused(source, PublicationUnusable, "publication lienthong")
    agency.sql(line_of(source, "publication lienthong").repair)
    assert source.tables()


def test_a_publication_that_lacks_the_table_names_the_statement(agency):
    source = simple(agency)
    agency.sql("ALTER PUBLICATION lienthong DROP TABLE t")
    refused(source, PublicationUnusable, "public.t in publication lienthong")
    agency.sql(line_of(source, "public.t in publication lienthong").repair)
    assert source.tables()


def test_a_publication_that_keeps_deletes_back_is_refused(agency):
    source = simple(agency)
    agency.sql("ALTER PUBLICATION lienthong SET (publish = 'insert, update')")
    assert "delete, truncate" in str(refused(source, PublicationUnusable, "publication lienthong"))
    agency.sql(line_of(source, "publication lienthong").repair)
    assert source.tables()


def test_a_column_list_that_leaves_out_a_mapped_column_is_refused(agency):
    source = simple(agency)
    agency.sql("ALTER PUBLICATION lienthong SET TABLE t (id)")
    refused(source, PublicationUnusable, "public.t in publication lienthong")


@pytest.mark.parametrize(
    ("create", "reason"),
    [
        ("CREATE TABLE t (id int, v text)", "has no primary key"),
        ("CREATE TABLE t (id int UNIQUE NOT NULL, v text)", "has no primary key"),
        ("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, v text)", "has no primary key"),
        ("CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t REPLICA IDENTITY NOTHING", "NOTHING"),
        ("CREATE UNLOGGED TABLE t (id int PRIMARY KEY, v text)", "not logged"),
        ("CREATE VIEW t AS SELECT 1 AS id, 'x'::text AS v", "view"),
    ],
)
def test_a_table_whose_rows_nothing_identifies_is_refused(agency, create, reason):
    agency.sql(create)
    agency.sql("CREATE PUBLICATION lienthong")
    error = refused(agency.open(mapping("t", "v")), NoRowIdentity, "key of public.t")
    assert reason in str(error)


def test_a_unique_index_is_offered_as_identity(agency):
    agency.sql("CREATE TABLE t (id int UNIQUE NOT NULL, v text)", "CREATE PUBLICATION lienthong FOR TABLE t")
    source = agency.open(mapping("t", "v"))
    agency.sql(line_of(source, "key of public.t").repair)
    assert source.tables()[0].key == ("id",)


def test_a_table_that_is_not_there_is_named(agency):
    simple(agency)
    assert "public.gone" in str(refused(agency.open(mapping("gone", "v")), TableNotFound, "table public.gone"))


def test_a_slot_of_somebody_else_is_left_alone(agency):
    source = simple(agency)
    agency.sql(f"SELECT pg_create_physical_replication_slot('{agency.slot}')")
    refused(source, SlotTaken, f"slot {agency.slot}")
    assert agency.value(f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{agency.slot}'") == 1
    agency.sql(f"SELECT pg_drop_replication_slot('{agency.slot}')")


def test_a_server_without_logical_log_names_the_setting(tmp_path_factory):
    with own_server(tmp_path_factory, wal_level="replica") as server:
        source = PostgresSource(
            source=SourceId("agency"),
            url=server.url("postgres", server.superuser, server.password),
            password=None,
            publication="lienthong",
            slot="lienthong",
            mappings=[mapping("t", "v")],
        )
        refused(source, WalLevelTooLow, "wal_level")


def test_nothing_of_ours_can_write_at_the_agency(agency):
    simple(agency)
    source = agency.open(mapping("t", "v"))
    source.begin_snapshot()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        source._snapshot.connection.execute("DELETE FROM public.t")
    assert agency.value("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'lienthong:%'")
