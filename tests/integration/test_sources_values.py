"""Values and tables of an agency's PostgreSQL: nothing altered, snapshot and stream alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import polars as pl
import psycopg
import pytest
from psycopg import conninfo, sql
from sources_agency import Agency, line_of, mapping, read_snapshot, read_stream, rows_of, simple

from lienthong.sources.change import Position
from lienthong.sources.ports import Grade


@pytest.fixture
def agency(make_database) -> Iterator[Agency]:
    made = Agency(make_database("agency"))
    yield made
    made.close()


AWKWARD_VALUES = {
    "numeric": ["NaN", "Infinity", "-Infinity", "0.000000000001", "1" * 49, "1.10"],
    "double precision": ["NaN", "-Infinity", "0.1", "1e-307", "123456789012345680"],
    "real": ["0.1", "3.4028235e38"],
    "date": ["0044-03-15 BC", "infinity", "-infinity", "5874897-12-31"],
    "timestamp": ["294276-12-31 23:59:59.999999", "0044-03-15 12:00:00 BC", "infinity"],
    "timestamptz": ["2026-01-01 00:00:00.123456+07", "infinity", "0044-03-15 12:00:00+07 BC"],
    "time": ["24:00:00", "00:00:00.000001"],
    "timetz": ["24:00:00+07", "12:00:00-03:30"],
    "interval": ["1 year -2 days +03:00:00.5", "-00:00:01"],
    "bytea": ["\\x00ff", "\\x"],
    "boolean": ["true", "false"],
    "char(5)": ["ab", "ấp"],
    "varchar(3)": ["Đất"],
    "oid": ["4294967295"],
    "money": ["$1,000.50"],
    "point": ["(1.1,2)"],
    "tsvector": ["'a':1 'b':2"],
    "text[]": ['{"a b",NULL,"NULL","\\"q\\"","ấp"}'],
    "json": ['{"b": 1,\n "a": [null, "ấp"]}'],
    "jsonb": ['{"b": 1, "a": "\\u0041"}'],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "inet": ["10.0.0.1/8"],
    "int4range": ["[1,5)"],
    "regclass": ["pg_class"],
    "bit varying": ["0101"],
}


def test_every_type_reads_the_same_in_snapshot_and_stream(agency):
    columns = ", ".join(f'"{place}" {name}' for place, name in enumerate(AWKWARD_VALUES))
    longest = max(map(len, AWKWARD_VALUES.values()))
    agency.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns})", "CREATE PUBLICATION lienthong FOR TABLE t")
    # What the server, the database or the role prefer must make no difference.
    agency.sql(
        f"ALTER DATABASE {agency.database.name} SET datestyle = 'German, DMY'",
        f"ALTER DATABASE {agency.database.name} SET intervalstyle = 'iso_8601'",
        f"ALTER DATABASE {agency.database.name} SET timezone = 'Asia/Ho_Chi_Minh'",
        f"ALTER DATABASE {agency.database.name} SET bytea_output = 'escape'",
        f"ALTER DATABASE {agency.database.name} SET extra_float_digits = -5",
    )
    marks = ", ".join(f"%s::{name}" for name in AWKWARD_VALUES)

    def insert(first: int) -> None:
        for place in range(longest):
            values = [each[place] if place < len(each) else None for each in AWKWARD_VALUES.values()]
            agency.connection.execute(f"INSERT INTO t VALUES ({first + place}, {marks})", values)

    insert(0)
    source = agency.open(mapping("t", "0"))
    start, snapshot = read_snapshot(source)
    insert(100)
    stream = read_stream(source, start, agency.written())
    one = rows_of(snapshot).sort(pl.col("id").cast(pl.Int32)).drop("id")
    two = rows_of(stream).sort(pl.col("id").cast(pl.Int32)).drop("id")
    assert one.to_dicts() == two.to_dicts()
    numeric = one["0"].to_list()
    assert numeric[:4] == ["NaN", "Infinity", "-Infinity", "0.000000000001"]
    assert "24:00:00" in one[str(list(AWKWARD_VALUES).index("time"))].to_list()
    assert "0044-03-15 BC" in one[str(list(AWKWARD_VALUES).index("date"))].to_list()


def test_decomposed_text_passes_through_untouched(agency):
    source = simple(agency)
    decomposed = unicodedata.normalize("NFD", "Nguyễn Thị Đức")
    agency.connection.execute("INSERT INTO t VALUES (2, %s)", [decomposed])
    start, snapshot = read_snapshot(source)
    agency.connection.execute("INSERT INTO t VALUES (3, %s)", [decomposed])
    stream = read_stream(source, start, agency.written())
    assert decomposed in rows_of(snapshot)["v"].to_list()
    assert rows_of(stream)["v"].to_list() == [decomposed]


def test_a_text_of_ten_megabytes_passes(agency):
    source = simple(agency)
    agency.sql("INSERT INTO t SELECT 2, repeat('ấp', 5000000)")
    start, snapshot = read_snapshot(source)
    agency.sql("INSERT INTO t SELECT 3, repeat('ấp', 5000000)")
    stream = read_stream(source, start, agency.written())
    assert rows_of(snapshot)["v"].str.len_chars().to_list() == [3, 10_000_000]
    assert rows_of(stream)["v"][0] == "ấp" * 5_000_000


def test_a_column_of_nothing_but_nulls_keeps_its_rows(agency):
    agency.sql("CREATE TABLE t (v text UNIQUE NOT NULL)", "ALTER TABLE t REPLICA IDENTITY FULL")
    agency.sql("INSERT INTO t VALUES (''), ('x')", "CREATE PUBLICATION lienthong FOR TABLE t")
    _, snapshot = read_snapshot(agency.open(mapping("t", "v")))
    assert sorted(rows_of(snapshot)["v"].to_list()) == ["", "x"]


def test_blocks_of_a_snapshot_add_up(agency):
    source = simple(agency)
    agency.sql("INSERT INTO t SELECT n, 'row ' || n FROM generate_series(2, 50000) AS n", "ANALYZE t")
    start, snapshot = read_snapshot(source)
    assert len(snapshot) == 3
    assert start.rows_estimated == 50_000
    assert rows_of(snapshot)["id"].cast(pl.Int64).sum() == sum(range(1, 50_001))
    assert {delivery.end for delivery in snapshot} == {start.position}


def test_bytes_that_are_no_utf8_are_escaped_and_named(postgres_server, superuser_url, make_database):
    agency = Agency(make_database("agency"))
    name = f"{agency.database.name}_ascii"
    url = conninfo.make_conninfo(superuser_url, dbname=name)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER libc"
        )
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET client_encoding TO 'SQL_ASCII'")
            connection.execute("CREATE TABLE t (id int PRIMARY KEY, v text, w text)")
            connection.execute("CREATE PUBLICATION lienthong FOR TABLE t")
            connection.execute(b"INSERT INTO t VALUES (1, E'K\\xFF\\xE1', E'\xc4\x91\xc6\xb0\xe1\xbb\xa3c')")
            source = agency.open(mapping("t", "v", "w"), url=url)
            start, snapshot = read_snapshot(source)
            connection.execute(b"INSERT INTO t VALUES (2, E'K\\xFF\\xE1', E'\xc4\x91\xc6\xb0\xe1\xbb\xa3c')")
            connection.execute(b"INSERT INTO t VALUES (3, 'fine', 'fine')")
            until = Position(commit=int(connection.execute("SELECT pg_current_wal_lsn() - '0/0'").fetchone()[0]))
            stream = read_stream(source, start, until)
        for deliveries, height in ((snapshot, 1), (stream, 2)):
            rows = rows_of(deliveries)
            damaged = pl.concat([batch.meta for each in deliveries for batch in each.batches])["damaged"].to_list()
            assert rows["v"][0] == "K\\xff\\xe1"
            assert rows["w"][0] == "được"
            assert damaged == [["v"], None][:height]
    finally:
        agency.close()
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", [name]
            )
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_that_need_quotes_are_followed(agency):
    table = 'Hộ "khẩu" \'; DROP'
    name = sql.Identifier(table)
    for statement in (
        'CREATE TABLE {} ("Số %s ID" int PRIMARY KEY, "Họ, tên" text)',
        "CREATE PUBLICATION lienthong FOR TABLE {}",
        "INSERT INTO {} VALUES (1, 'a')",
    ):
        agency.connection.execute(sql.SQL(statement).format(name))
    source = agency.open(mapping(table, "Họ, tên"), slot=agency.slot)
    start, snapshot = read_snapshot(source)
    agency.connection.execute(sql.SQL('UPDATE {} SET "Số %s ID" = 2').format(name))
    stream = read_stream(source, start, agency.written())
    assert rows_of(snapshot).to_dicts() == [{"Số %s ID": "1", "Họ, tên": "a"}]
    assert stream[0].batches[0].meta["old_key"].to_list() == [["1"]]
    assert stream[0].batches[0].table.name.table == table


def test_a_composite_key_is_followed(agency):
    agency.sql(
        "CREATE TABLE t (v text, b int, a int, PRIMARY KEY (a, b))",
        "INSERT INTO t VALUES ('x', 1, 2)",
        "CREATE PUBLICATION lienthong FOR TABLE t",
    )
    source = agency.open(mapping("t", "v", key=("a", "b")))
    start, _ = read_snapshot(source)
    agency.sql("UPDATE t SET a = 3", "DELETE FROM t")
    batches = [batch for each in read_stream(source, start, agency.written()) for batch in each.batches]
    assert batches[0].table.key == ("b", "a")
    rows = pl.concat([batch.rows for batch in batches]).to_dicts()
    meta = pl.concat([batch.meta for batch in batches])
    assert meta["old_key"].to_list() == [["1", "2"], None]
    assert rows[1] == {"v": None, "b": "1", "a": "3"}


def test_a_table_of_1600_columns_is_followed(agency):
    columns = ", ".join(f"c{place} text" for place in range(1599))
    agency.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns})", "CREATE PUBLICATION lienthong FOR TABLE t")
    agency.sql("INSERT INTO t (id, c1598) VALUES (1, 'last')")
    source = agency.open(mapping("t", "c0"))
    start, snapshot = read_snapshot(source)
    agency.sql("INSERT INTO t (id, c1598) VALUES (2, 'last')")
    stream = read_stream(source, start, agency.written())
    for deliveries in (snapshot, stream):
        assert rows_of(deliveries)["c1598"].to_list() == ["last"]
        assert rows_of(deliveries).width == 1600


def test_generated_columns_are_in_neither_snapshot_nor_stream(agency):
    agency.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text, g text GENERATED ALWAYS AS (upper(v)) STORED)",
        "INSERT INTO t VALUES (1, 'a')",
        "CREATE PUBLICATION lienthong FOR TABLE t",
    )
    source = agency.open(mapping("t", "v"))
    start, snapshot = read_snapshot(source)
    agency.sql("INSERT INTO t VALUES (2, 'b')")
    stream = read_stream(source, start, agency.written())
    assert rows_of(snapshot).columns == rows_of(stream).columns == ["id", "v"]


def test_a_row_filter_holds_for_the_snapshot_too_and_is_told(agency):
    agency.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "INSERT INTO t SELECT n, 'x' FROM generate_series(1, 10) AS n",
        "CREATE PUBLICATION lienthong FOR TABLE t WHERE (id > 7)",
    )
    source = agency.open(mapping("t", "v"))
    assert line_of(source, "public.t in publication lienthong").grade is Grade.WARNING
    _, snapshot = read_snapshot(source)
    assert rows_of(snapshot).height == 3


def test_a_partitioned_table_is_followed_through_its_root_and_refused_otherwise(agency):
    agency.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)",
        "INSERT INTO t VALUES (1, 'a'), (11, 'b')",
        "CREATE PUBLICATION lienthong FOR TABLE t",
    )
    source = agency.open(mapping("t", "v"))
    line = line_of(source, "public.t in publication lienthong")
    assert (line.grade, line.code) == (Grade.BLOCKING, "SRC-007")
    agency.sql(line.repair)
    start, snapshot = read_snapshot(source)
    agency.sql("INSERT INTO t VALUES (2, 'c'), (12, 'd')")
    stream = read_stream(source, start, agency.written())
    assert sorted(rows_of(snapshot)["v"].to_list() + rows_of(stream)["v"].to_list()) == ["a", "b", "c", "d"]


def test_a_published_table_without_a_mapping_is_delivered_too(agency):
    source = simple(agency)
    agency.sql("CREATE TABLE other (n int, t timestamptz)", "ALTER PUBLICATION lienthong ADD TABLE other")
    start, _ = read_snapshot(source)
    agency.sql("INSERT INTO other VALUES (1, NULL)", "INSERT INTO t VALUES (2, 'x')")
    stream = read_stream(source, start, agency.written())
    tables = {batch.table.name.table: batch.table for each in stream for batch in each.batches}
    assert set(tables) == {"other", "t"}
    assert [column.type_name for column in tables["other"].columns] == ["integer", "timestamp with time zone"]


def test_under_full_identity_large_values_and_old_keys_come_from_the_old_row(agency):
    agency.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text, w text)",
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "ALTER TABLE t ALTER COLUMN v SET STORAGE EXTERNAL",
        "INSERT INTO t VALUES (1, repeat('x', 100000), 'w')",
        "CREATE PUBLICATION lienthong FOR TABLE t",
    )
    source = agency.open(mapping("t", "v"))
    line = line_of(source, "key of public.t")
    assert line.grade is Grade.WARNING
    start, _ = read_snapshot(source)
    agency.sql("UPDATE t SET w = 'changed'", "UPDATE t SET id = 2", "DELETE FROM t")
    stream = read_stream(source, start, agency.written())
    rows = rows_of(stream)
    meta = pl.concat([batch.meta for each in stream for batch in each.batches])
    assert rows["v"].str.len_chars().to_list() == [100_000] * 3
    assert meta["unchanged"].to_list() == [None] * 3
    assert meta["old_key"].to_list() == [None, ["1"], None]


def test_an_identity_index_is_a_key(agency):
    agency.sql(
        "CREATE TABLE t (id int PRIMARY KEY, ma text NOT NULL UNIQUE)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX t_ma_key",
        "CREATE PUBLICATION lienthong FOR TABLE t",
    )
    assert agency.open(mapping("t", "ma")).tables()[0].key == ("ma",)
