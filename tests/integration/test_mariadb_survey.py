"""A MariaDB is surveyed and a mapping compared with it like any other database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mariadb_server import MariaDBServer, programs, running

from lienthong.dictionary.load import load
from lienthong.dictionary.model import ElementId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import LienthongError
from lienthong.sources.change import SourceId, TableName
from lienthong.wiring.opening import live_tables
from lienthong.wiring.sources import survey


@pytest.fixture(scope="module")
def server(require) -> Iterator[MariaDBServer]:
    require(programs(), "this machine has no MariaDB server (apt-get install mariadb-server)")
    with running() as made:
        with made.connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE agency CHARACTER SET utf8mb4")
            cursor.execute(
                "CREATE TABLE agency.nhan_khau (id int PRIMARY KEY, so_cccd varchar(20), ho_ten varchar(60),"
                " ngay_sinh varchar(10), gioi_tinh varchar(5), anh blob, vi_tri point, `phần %` int)"
            )
            cursor.execute(
                "INSERT INTO agency.nhan_khau VALUES"
                " (1, '001088000123', 'Nguyễn Văn An', '05/03/1988', 'Nam', x'00ff', ST_GeomFromText('POINT(1 2)'), 1),"
                " (2, '001188000124', 'Trần Thị Bình', '16/04/1988', 'Nữ', NULL, NULL, NULL)"
            )
        yield made


def test_the_survey_proposes_what_columns_mean(server):
    dictionary = load(shipped_folder("dictionary"))
    (found,) = survey(server.url("agency"), password=None, source="maria", tables=[], dictionary=dictionary)
    assert (found.profile.name, found.profile.key) == (TableName(schema="agency", table="nhan_khau"), ("id",))
    assert found.proposal is not None
    meant = {column.column: column.element for column in found.proposal.mapping.columns}
    assert meant["so_cccd"] == ElementId("SoDinhDanh")
    assert meant["ho_ten"] == ElementId("HoVaTen")
    assert meant["ngay_sinh"] == ElementId("NgaySinh")
    assert meant["gioi_tinh"] == ElementId("GioiTinh")
    assert set(meant) == {"id", "so_cccd", "ho_ten", "ngay_sinh", "gioi_tinh", "anh", "vi_tri", "phần %"}


def test_a_table_that_is_not_there_is_named(server):
    name = TableName(schema="agency", table="khong_co")
    with pytest.raises(LienthongError, match=r"agency\.khong_co"):
        live_tables(source=SourceId("maria"), url=server.url("agency"), password=None, tables=[name])


def test_a_mapping_can_be_compared_with_the_table_as_it_is(server):
    name = TableName(schema="agency", table="nhan_khau")
    found = live_tables(source=SourceId("maria"), url=server.url("agency"), password=None, tables=[name])
    assert {column.name: column.type_name for column in found[name].columns}["ho_ten"] == "character varying(60)"


def test_a_database_without_tables_says_so(server):
    with server.connect(autocommit=True) as connection:
        connection.cursor().execute("CREATE DATABASE IF NOT EXISTS bare")
    with pytest.raises(LienthongError) as refused:
        list(
            survey(
                server.url("bare"), password=None, source="maria", tables=[],
                dictionary=load(shipped_folder("dictionary")),
            )
        )  # fmt: skip
    assert refused.value.code == "SRC-031"
