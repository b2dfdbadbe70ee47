"""Every type of MariaDB comes out of the snapshot and out of the log as the same text, and as the right one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mariadb_server import FOLLOWED, MariaDBServer, mapping, programs, running

from lienthong.adapters.mariadb.source import MariaDBSource
from lienthong.errors import LienthongError
from lienthong.sources.change import DELETE, INSERT, UPDATE, Delivery, SourceId
from lienthong.sources.refusals import ColumnNotFollowed

# declared type → (SQL literal, text that must come out); every value beside nulls in the same row
VALUES: tuple[tuple[str, str, str | None], ...] = (
    ("tinyint", "-5", "-5"),
    ("tinyint unsigned", "250", "250"),
    ("smallint", "-32768", "-32768"),
    ("mediumint", "-70000", "-70000"),
    ("mediumint unsigned", "16777215", "16777215"),
    ("int", "-2147483648", "-2147483648"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
    ("int(8) unsigned zerofill", "42", "42"),
    ("year", "2024", "2024"),
    ("year", "0", "0000"),
    ("int unsigned", "4294967295", "4294967295"),  # after a year: both have a place in the list of signs
    ("decimal(20,5)", "-1234.5", "-1234.50000"),
    ("decimal(3,3)", "-0.5", "-0.500"),
    ("decimal(65,30)", "12345678901234567890123456789012345.123456789012345678901234567890",
     "12345678901234567890123456789012345.123456789012345678901234567890"),
    ("decimal(9,0)", "0", "0"),
    ("float", "0.1", "0.1"),
    ("float", "3.4028235e38", "3.4028235e38"),
    ("float(7,3)", "1.5", "1.5"),
    ("double", "1e-12", "1e-12"),
    ("double", "-1.7976931348623157e308", "-1.7976931348623157e308"),
    ("double", "100", "100"),
    ("double", "0.1", "0.1"),
    ("date", "'2024-02-29'", "2024-02-29"),
    ("date", "'0000-00-00'", "0000-00-00"),
    ("date", "'1950-00-00'", "1950-00-00"),
    ("date", "'9999-12-31'", "9999-12-31"),
    ("time", "'-838:59:59'", "-838:59:59"),
    ("time", "'24:00:00'", "24:00:00"),
    ("time(3)", "'-00:00:01.500'", "-00:00:01.500"),
    ("time(6)", "'-00:00:00.000001'", "-00:00:00.000001"),
    ("time(1)", "'12:34:56.7'", "12:34:56.7"),
    ("datetime", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
    ("datetime", "'9999-12-31 23:59:59'", "9999-12-31 23:59:59"),
    ("datetime(4)", "'2024-01-02 03:04:05.6789'", "2024-01-02 03:04:05.6789"),
    ("datetime(6)", "'1000-01-01 00:00:00.000001'", "1000-01-01 00:00:00.000001"),
    ("timestamp null", "'2024-01-01 00:00:00'", "2024-01-01 00:00:00+00"),
    ("timestamp(6) null", "'2038-01-19 03:14:07.999999'", "2038-01-19 03:14:07.999999+00"),
    ("timestamp null", "0", "0000-00-00 00:00:00"),
    ("char(10)", "'Nguyễn '", "Nguyễn"),
    ("varchar(100)", "'Đặng '", "Đặng "),
    ("varchar(100)", "''", ""),
    ("varchar(300) character set latin1", "'Tèo café €'", "Tèo café €"),
    ("char(5) character set gbk", "'中'", "中"),
    ("varchar(20) character set utf16", "'Việt'", "Việt"),
    ("char(3) character set cp1251", "'да'", "да"),
    ("text", "repeat('đ', 40000)", None),
    ("longtext", "'🇻🇳\\n\\t\\\\'", "🇻🇳\n\t\\"),
    ("json", """'{"a": "ễ"}'""", '{"a": "ễ"}'),
    ("binary(5)", "x'0100'", "\\x0100000000"),
    ("varbinary(20)", "x'00ff'", "\\x00ff"),
    ("blob", "x''", "\\x"),
    ("mediumblob", "x'0102'", "\\x0102"),
    ("bit(10)", "b'1010'", "0000001010"),
    ("bit(1)", "b'1'", "1"),
    ("bit(64)", "b'1'", "0" * 63 + "1"),
    ("enum('đỏ','xanh')", "'đỏ'", "đỏ"),
    ("enum('a','b') character set latin1", "'b'", "b"),
    ("enum('a','b')", "''", ""),
    ("set('a','b','c')", "'c,a'", "a,c"),
    ("set('a','b')", "''", ""),
    ("point", "ST_GeomFromText('POINT(1 2)')", "\\x000000000101000000000000000000f03f0000000000000040"),
)  # fmt: skip


@pytest.fixture(scope="module", params=["plain", "compressed"])
def server(request, require) -> Iterator[MariaDBServer]:
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    options = (
        (*FOLLOWED, "--log-bin-compress=ON", "--log-bin-compress-min-len=10") if request.param != "plain" else ()
    )
    with running(*options) as made:
        yield made


@pytest.fixture
def connection(server):
    made = server.connect(autocommit=True)
    with made.cursor() as cursor:
        cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
        cursor.execute("DROP DATABASE IF EXISTS kinds")
        cursor.execute("CREATE DATABASE kinds CHARACTER SET utf8mb4")
        cursor.execute("USE kinds")
    yield made
    made.close()


def follow(server: MariaDBServer, table: str) -> MariaDBSource:
    return MariaDBSource(
        source=SourceId("maria"), url=server.url("kinds"), password=None, mappings=[mapping("kinds", table)],
        heartbeat_s=0.05,
    )  # fmt: skip


def changes(source: MariaDBSource, start):
    """Return the batches up to the first sign of life."""
    found = []
    for arrived in source.stream(epoch=start.epoch, after=start.position):
        if not isinstance(arrived, Delivery):
            return found
        found += arrived.batches
    raise AssertionError


def test_snapshot_and_log_give_the_same_and_the_right_text(server, connection):
    names = [f"c{place}" for place in range(len(VALUES))]
    declared = ", ".join(f"{name} {kind}" for name, (kind, _, _) in zip(names, VALUES, strict=True))
    literals = ", ".join(literal for _, literal, _ in VALUES)
    nulls = ", ".join(["NULL"] * len(VALUES))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE kinds (id int PRIMARY KEY, {declared}, twice int AS (c0 * 2) VIRTUAL)")
        insert = f"INSERT INTO kinds (id, {', '.join(names)}) VALUES"
        cursor.execute(f"{insert} (1, {literals}), (2, {nulls})")
        source = follow(server, "kinds")
        start = source.begin_snapshot()
        (snapshot,) = [batch for delivery in source.snapshot() for batch in delivery.batches]
        cursor.execute("UPDATE kinds SET id = id + 10 ORDER BY id DESC")
        cursor.execute("DELETE FROM kinds")
        cursor.execute(f"{insert} (1, {literals}), (2, {nulls})")
    batches = changes(source, start)
    source.close()
    assert [batch.rows.columns for batch in batches] == [snapshot.rows.columns]
    rows, meta = batches[0].rows, batches[0].meta
    for operation in (UPDATE, DELETE, INSERT):
        mine = rows.filter(meta["operation"] == operation).sort("c0", nulls_last=True)
        assert mine.drop("id").equals(snapshot.rows.drop("id")), operation
    wrong = {
        f"{kind} {literal}": snapshot.rows[name][0]
        for name, (kind, literal, text) in zip(names, VALUES, strict=True)
        if text is not None and snapshot.rows[name][0] != text
    }
    assert wrong == {}
    assert snapshot.rows["twice"].to_list() == ["-10", None]
    assert snapshot.meta["damaged"].null_count() == meta["damaged"].null_count() + 2 - meta.height == 2


def test_bytes_that_are_no_text_are_marked_and_not_altered(server, connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE odd (id int PRIMARY KEY, g varchar(10) CHARACTER SET euckr)")
        cursor.execute("SET NAMES binary")
        source = follow(server, "odd")
        start = source.begin_snapshot()
        list(source.snapshot())
        cursor.execute("INSERT INTO odd VALUES (1, 'ok')")
        cursor.execute("SET character_set_client = euckr, character_set_connection = binary")
        cursor.execute("INSERT INTO odd VALUES (2, x'C9A1')")  # a place of the code page that no letter has
    (batch,) = changes(source, start)
    source.close()
    assert batch.meta["damaged"].to_list() == [None, ["g"]]
    assert "\\xc9\\xa1" in batch.rows["g"][1]


@pytest.mark.parametrize("kind", ["uuid", "inet6"])
def test_a_type_shown_otherwise_than_stored_is_refused_by_name(server, connection, kind):
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE strange (id int PRIMARY KEY, u {kind})")
    source = follow(server, "strange")
    with pytest.raises(ColumnNotFollowed, match=f"column u cannot be followed: type {kind}"):
        source.begin_snapshot()
    source.close()


def test_a_table_with_many_columns_and_odd_names_is_followed(server, connection):
    odd = ["a b", 'quo"te', "tick`", "đường", "select", "x.y", "per%cent"]
    names = odd + [f"n{place}" for place in range(990)]
    quoted = ", ".join("`" + name.replace("`", "``") + ("` text" if name in odd else "` tinyint") for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE `wide table` (id int PRIMARY KEY, {quoted})")
        cursor.execute("INSERT INTO `wide table` (id, `tick```) VALUES (1, 'x')")
        source = follow(server, "wide table")
        start = source.begin_snapshot()
        (snapshot,) = [batch for delivery in source.snapshot() for batch in delivery.batches]
        cursor.execute("INSERT INTO `wide table` (id, `per%%cent`) VALUES (%s, %s)", [2, "y"])
    (batch,) = changes(source, start)
    source.close()
    assert snapshot.rows.columns == batch.rows.columns == ["id", *names]
    assert snapshot.rows["tick`"].to_list() == ["x"]
    assert batch.rows["per%cent"].to_list() == ["y"]


def test_a_refusal_names_no_value(server, connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE secret (id int PRIMARY KEY, name text)")
        source = follow(server, "secret")
        start = source.begin_snapshot()
        list(source.snapshot())
        cursor.execute("SET binlog_format = 'STATEMENT'")
        cursor.execute("INSERT INTO secret VALUES (1, 'Nguyễn Văn Kín')")
        cursor.execute("SET binlog_format = 'ROW'")
    with pytest.raises(LienthongError) as refused:
        changes(source, start)
    source.close()
    assert refused.value.code == "SRC-062"
    assert "Kín" not in f"{refused.value} {refused.value.remedy}"
