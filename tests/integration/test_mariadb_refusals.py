"""What stops a link to MariaDB, and that it stops instead of losing something."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pymysql
import pytest
from mariadb_server import MariaDBServer, mapping, programs, running

from lienthong.adapters.mariadb.connection import read_address
from lienthong.adapters.mariadb.source import MariaDBSource
from lienthong.errors import LienthongError
from lienthong.sources.change import Delivery, Idle, Position, SourceId
from lienthong.sources.ports import Grade
from lienthong.sources.refusals import AddressNotValid


@pytest.fixture(scope="module")
def server(require) -> Iterator[MariaDBServer]:
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    with running() as made:
        yield made


@pytest.fixture
def run(server):
    connection = server.connect(autocommit=True)

    def execute(*statements: str):
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    execute(
        "DROP DATABASE IF EXISTS agency",
        "CREATE DATABASE agency CHARACTER SET utf8mb4",
        "USE agency",
        "CREATE TABLE people (id int PRIMARY KEY, name varchar(30), born date)",
        "INSERT INTO people VALUES (1, 'An', '1990-01-01')",
    )
    yield execute
    connection.close()


def follow(server: MariaDBServer, table: str = "people", *columns: str, user: str = "root", **types) -> MariaDBSource:
    return MariaDBSource(
        source=SourceId("maria"),
        url=server.url("agency", user),
        password=None,
        mappings=[mapping("agency", table, *(columns or ("id", "name")), types=types)],
        heartbeat_s=0.05,
    )


def begun(source: MariaDBSource):
    start = source.begin_snapshot()
    list(source.snapshot())
    return start


def until_idle(source: MariaDBSource, start, *, after=None) -> tuple[list[Delivery], Position]:
    found: list[Delivery] = []
    for arrived in source.stream(epoch=start.epoch, after=after or start.position):
        if isinstance(arrived, Idle):
            return found, arrived.end
        found.append(arrived)
    raise AssertionError


def refused(source: MariaDBSource, start, **how) -> LienthongError:
    with pytest.raises(LienthongError) as error:
        until_idle(source, start, **how)
    source.close()
    return error.value


@pytest.mark.parametrize(
    "url",
    ["postgresql://a@h/d", "mariadb://a@h", "mariadb://a@h/d?sslmode=maybe", "mariadb://a@h:notaport/d", "mariadb://a@h/d?x=1",
     "mariadb://a@h/d?sslmode=verify-full&sslrootcert=/nowhere.pem"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_repeating_it(url):
    with pytest.raises(AddressNotValid) as error:
        read_address(SourceId("maria"), url.replace("//a@", "//a:geheim@"), None)
    assert "geheim" not in str(error.value)


def test_beyond_this_machine_the_connection_must_be_encrypted():
    address = read_address(SourceId("maria"), "mariadb://a@db.example/d", "geheim")
    assert address.options["ssl"].check_hostname
    assert "geheim" not in repr(address)


def test_nobody_answers(tmp_path):
    source = MariaDBSource(
        source=SourceId("maria"), url=f"mariadb://a@localhost/d?socket={tmp_path}/none", password=None, mappings=[]
    )
    (line,) = source.readiness()
    assert (line.grade, line.code) == (Grade.BLOCKING, "SRC-001")


def test_a_wrong_password_is_said_without_the_password(server, run):
    run("CREATE OR REPLACE USER guest@localhost IDENTIFIED BY 'right'")
    source = MariaDBSource(source=SourceId("maria"), url=server.url("agency", "guest"), password="wrong", mappings=[])
    (line,) = source.readiness()
    assert line.code == "SRC-002"
    assert "wrong" not in f"{line.observed} {line.repair}"


def test_the_check_names_every_missing_right_and_the_statement_that_grants_it(server, run):
    run("CREATE OR REPLACE USER reader@localhost", "GRANT SELECT ON agency.* TO reader@localhost")
    lines = {line.item: line for line in follow(server, user="reader").readiness()}
    assert lines["replication right"].grade is Grade.BLOCKING
    assert "GRANT REPLICATION SLAVE, BINLOG MONITOR" in lines["replication right"].repair
    run("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO reader@localhost")
    source = follow(server, user="reader")
    assert {line.grade for line in source.readiness()} == {Grade.OK}
    start = begun(source)
    run("INSERT INTO people VALUES (2, 'Bình', NULL)")
    (delivery,), _ = until_idle(source, start)
    assert delivery.batches[0].rows["name"].to_list() == ["Bình"]
    source.close()


def test_a_server_without_a_log_and_without_full_rows_is_refused_by_setting(require):
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    with running("--binlog-format=MIXED", "--binlog-row-image=MINIMAL") as poor:
        with poor.connect() as connection:
            connection.cursor().execute("CREATE DATABASE agency")
            connection.cursor().execute("CREATE TABLE agency.people (id int PRIMARY KEY, name text)")
        lines = {line.item: line for line in follow(poor).readiness()}
        for item in ("log_bin", "binlog_format", "binlog_row_image", "binlog_row_metadata"):
            assert (lines[item].grade, lines[item].code) == (Grade.BLOCKING, "SRC-064"), item
        with pytest.raises(LienthongError, match="log_bin is OFF"):
            follow(poor).begin_snapshot()


def test_a_table_without_a_key_is_refused_and_one_with_another_unique_key_is_followed(server, run):
    run("CREATE TABLE bare (id int, name text)", "CREATE TABLE other (id int NOT NULL, name text, UNIQUE (id))")
    with pytest.raises(LienthongError, match="has no primary key"):
        follow(server, "bare").begin_snapshot()
    source = follow(server, "other")
    start = begun(source)
    run("INSERT INTO other VALUES (1, 'x')", "UPDATE other SET id = 2")
    (delivery,), _ = until_idle(source, start)
    assert delivery.batches[0].table.key == ("id",)
    assert delivery.batches[0].meta["old_key"].to_list() == [None, ["1"]]
    source.close()


def test_a_log_that_was_thrown_away_is_a_gap_and_not_silence(server, run):
    source = follow(server)
    start = begun(source)
    run("INSERT INTO people VALUES (2, 'x', NULL)", "FLUSH BINARY LOGS")
    newest = run("SHOW MASTER STATUS")[0][0]
    for _ in range(100):  # a reader that has just left may still hold a file
        run(f"PURGE BINARY LOGS TO '{newest}'")
        if len(run("SHOW BINARY LOGS")) == 1:
            break
        time.sleep(0.1)
    assert refused(source, start).code == "SRC-063"


def test_a_server_set_back_is_another_history(server, run):
    source = follow(server)
    start = begun(source)
    later = Position(commit=start.position.commit + (5 << 32))
    assert refused(source, start, after=later).code == "SRC-016"
    beyond = Position(commit=start.position.commit + 10_000_000)
    assert refused(follow(server), start, after=beyond).code == "SRC-016"


def test_a_place_inside_an_event_is_refused(server, run):
    source = follow(server)
    start = begun(source)
    run("INSERT INTO people VALUES (2, 'x', NULL)")
    assert refused(source, start, after=Position(commit=start.position.commit + 7)).code == "SRC-063"


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        (("SET binlog_format = 'STATEMENT'", "UPDATE people SET name = 'y'", "SET binlog_format = 'ROW'"), "SRC-062"),
        (("SET binlog_row_image = 'MINIMAL'", "UPDATE people SET name = 'y'", "SET binlog_row_image = 'FULL'"), "SRC-062"),
        (("XA START 'x'", "UPDATE people SET name = 'y'", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'"), "SRC-062"),
        (("DROP TABLE people",), "SRC-062"),
        (("RENAME TABLE people TO persons",), "SRC-062"),
        (("ALTER TABLE people RENAME TO persons",), "SRC-062"),
        (("ALTER TABLE people DROP COLUMN name", "INSERT INTO people VALUES (2, NULL)"), "SRC-020"),
        (("ALTER TABLE people RENAME COLUMN name TO ten", "INSERT INTO people VALUES (2, 'x', NULL)"), "SRC-020"),
        (("ALTER TABLE people MODIFY name varchar(90)", "INSERT INTO people VALUES (2, 'x', NULL)"), "SRC-021"),
        (("ALTER TABLE people DROP PRIMARY KEY, ADD PRIMARY KEY (id, name)",
          "INSERT INTO people VALUES (2, 'x', NULL)"), "SRC-022"),
    ],
    ids=["statement", "image", "xa", "drop", "rename", "alter-rename", "drop-column", "rename-column", "type", "key"],
)  # fmt: skip
def test_what_cannot_be_followed_stops_the_link_after_handing_over_what_came_before(server, run, statements, code):
    source = follow(server, name="varchar(30)")
    start = begun(source)
    stream = source.stream(epoch=start.epoch, after=start.position)
    assert isinstance(next(stream), Idle)  # the check of the tables as they are now is over
    run("INSERT INTO people VALUES (7, 'before', NULL)", *statements)
    handed: list[str | None] = []

    def drain() -> None:
        for arrived in stream:
            handed.extend(arrived.batches[0].rows["name"] if isinstance(arrived, Delivery) else [])

    with pytest.raises(LienthongError) as error:
        drain()
    source.close()
    assert error.value.code == code
    assert handed == ["before"]


def test_a_column_that_was_added_comes_along(server, run):
    source = follow(server)
    start = begun(source)
    stream = source.stream(epoch=start.epoch, after=start.position)
    run("INSERT INTO people VALUES (2, 'x', NULL)")
    first = next(arrived for arrived in stream if isinstance(arrived, Delivery))
    run("ALTER TABLE people ADD COLUMN sex char(1) DEFAULT 'F'", "INSERT INTO people VALUES (3, 'y', NULL, 'M')")
    second = next(arrived for arrived in stream if isinstance(arrived, Delivery))
    stream.close()
    source.close()
    assert first.batches[0].rows.columns == ["id", "name", "born"]
    assert second.batches[0].rows.columns == ["id", "name", "born", "sex"]
    assert second.batches[0].rows["sex"].to_list() == ["M"]


def test_statements_about_other_tables_are_passed_by(server, run):
    source = follow(server)
    start = begun(source)
    run(
        "CREATE TABLE people_old (id int)", "SET binlog_format = 'STATEMENT'", "INSERT INTO people_old VALUES (1)",
        "SET binlog_format = 'ROW'", "DROP TABLE people_old", "TRUNCATE mysql.column_stats",
        "INSERT INTO people VALUES (2, 'x', NULL)",
    )  # fmt: skip
    (delivery,), _ = until_idle(source, start)
    source.close()
    assert delivery.read == 1


def test_a_new_log_file_is_followed_without_a_gap(server, run):
    source = follow(server)
    start = begun(source)
    for number in range(2, 8):
        run(f"INSERT INTO people VALUES ({number}, 'x', NULL)", "FLUSH BINARY LOGS")
    found, end = until_idle(source, start)
    assert [key for delivery in found for key in delivery.batches[0].rows["id"]] == [str(n) for n in range(2, 8)]
    again, _ = until_idle(follow(server), start, after=end)
    assert again == []
    source.close()


def test_a_killed_server_comes_back_and_nothing_is_missing(require):
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    with running() as own:
        with own.connect(autocommit=True) as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE DATABASE agency")
            cursor.execute("CREATE TABLE agency.people (id int PRIMARY KEY, name text)")
            source = follow(own)
            start = begun(source)
            cursor.execute("INSERT INTO agency.people VALUES (1, 'x')")
        (first,), end = until_idle(source, start)
        own.stop(kill=True)
        with pytest.raises((LienthongError, pymysql.MySQLError)):
            until_idle(source, start, after=end)
        own.start()
        with own.connect(autocommit=True) as connection:
            connection.cursor().execute("INSERT INTO agency.people VALUES (2, 'y')")
        (second,), _ = until_idle(source, start, after=end)
        source.close()
    assert [first.batches[0].rows["id"][0], second.batches[0].rows["id"][0]] == ["1", "2"]


def test_the_log_is_checked_against_its_sums(server, run, monkeypatch):
    from lienthong.adapters.mariadb import source as module

    source = follow(server)
    start = begun(source)
    run("INSERT INTO people VALUES (2, 'Bình Minh', NULL)")
    honest = module.event_of

    def damaged(packet, **how):
        event = honest(packet, **how)
        return event.replace(b"Minh", b"Minx")

    monkeypatch.setattr(module, "event_of", damaged)
    error = refused(source, start)
    assert (error.code, "checksum is wrong" in str(error)) == ("SRC-019", True)
