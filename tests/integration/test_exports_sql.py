"""PostgreSQL is the judge of the SQL export: it builds the tables, takes sound rows and refuses the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.odcs import odcs_contract
from lienthong.dictionary.exports.selection import chosen_datasets
from lienthong.dictionary.exports.sql_ddl import sql_ddl
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.wiring.exporting import quality_rules

ENTERPRISE = {
    "ma_so_doanh_nghiep": "0100109106",
    "ten_to_chuc": "Công ty thử",
    "dia_chi_tru_so": "Số 1",
    "von_dieu_le": "1000.50",
    "nganh_nghe_chinh": "4661",
    "nganh_nghe_kinh_doanh": ["4661", "46632"],
    "ngay_cap_dang_ky": "2020-01-02",
    "loai_hinh_doanh_nghiep": "Công ty TNHH",
}
PERSON = {
    "so_dinh_danh": "001090012345",
    "ho_va_ten": "Nguyễn Văn A",
    "ngay_sinh": "1990-02",
    "gioi_tinh": "1",
    "ma_xa_thuong_tru": "00004",
    "ma_tinh_thuong_tru": "01",
}
ROWS = {"doanh_nghiep": ENTERPRISE, "nhan_khau": PERSON}

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.fixture(scope="module")
def script(dictionary: Dictionary) -> str:
    return sql_ddl(dictionary, chosen_datasets(dictionary, ["doanh-nghiep", "nhan-khau"]))


@pytest.fixture
def database(make_database: Any, script: str) -> Iterator[Connection]:
    with psycopg.connect(make_database().url, autocommit=True) as connection:
        connection.execute(script)
        yield connection


def insert(connection: Connection, table: str, **changes: object) -> None:
    row = {**ROWS[table], **changes}
    connection.execute(
        sql.SQL("INSERT INTO du_lieu.{} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() for _ in row),
        ),
        list(row.values()),
    )


def one(connection: Connection, query: str, *given: object) -> Any:
    found = connection.execute(query, given or None).fetchone()  # a % of its own is one, when nothing is given
    assert found is not None
    return found[0]


def test_postgresql_builds_the_tables_of_every_dataset(make_database: Any, dictionary: Dictionary) -> None:
    datasets = chosen_datasets(dictionary, [])
    with psycopg.connect(make_database().url, autocommit=True) as connection:
        connection.execute(sql_ddl(dictionary, datasets))
        built = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'du_lieu'")
        assert {name for (name,) in built} == {dataset.table for dataset in datasets}
        enums = one(connection, "SELECT count(*) FROM pg_type WHERE typtype = 'e' AND typnamespace > 16383")
        assert enums == 0


def test_sound_rows_are_taken_unaltered(database: Connection) -> None:
    for table in ROWS:
        insert(database, table)
    assert one(database, "SELECT von_dieu_le::text FROM du_lieu.doanh_nghiep") == "1000.50"
    assert one(database, "SELECT ngay_sinh FROM du_lieu.nhan_khau") == "1990-02"
    insert(database, "doanh_nghiep", ma_so_doanh_nghiep="0100109106-001", von_dieu_le=None, nganh_nghe_kinh_doanh=[])
    insert(database, "nhan_khau", so_dinh_danh="001090012346", ngay_sinh="2024-02-29")


WRONG = (
    ("doanh_nghiep", "ma_so_doanh_nghiep", "0100109107", errors.CheckViolation),  # check digit
    ("doanh_nghiep", "ma_so_doanh_nghiep", "100109106", errors.CheckViolation),  # the lost zero
    ("doanh_nghiep", "ma_so_doanh_nghiep", "0100109106\n", errors.CheckViolation),
    ("doanh_nghiep", "ten_to_chuc", None, errors.NotNullViolation),
    ("doanh_nghiep", "ten_to_chuc", "", errors.CheckViolation),
    ("doanh_nghiep", "ten_to_chuc", "Co\u0302ng ty", errors.CheckViolation),  # NFD
    ("doanh_nghiep", "von_dieu_le", "-1", errors.CheckViolation),
    ("doanh_nghiep", "von_dieu_le", "0.005", errors.CheckViolation),  # never rounded
    ("doanh_nghiep", "von_dieu_le", "1e18", errors.CheckViolation),
    ("doanh_nghiep", "von_dieu_le", "NaN", errors.CheckViolation),
    ("doanh_nghiep", "nganh_nghe_kinh_doanh", ["4661", "x"], errors.CheckViolation),
    ("doanh_nghiep", "nganh_nghe_kinh_doanh", ["4661", None], errors.CheckViolation),
    ("doanh_nghiep", "ngay_cap_dang_ky", "9999-01-01", errors.CheckViolation),
    ("nhan_khau", "ngay_sinh", "1990-02-30", errors.CheckViolation),
    ("nhan_khau", "ngay_sinh", "1990-2", errors.CheckViolation),
    ("nhan_khau", "ngay_sinh", "0000", errors.CheckViolation),
    ("nhan_khau", "ngay_sinh", "9999", errors.CheckViolation),
    ("nhan_khau", "gioi_tinh", "7", errors.ForeignKeyViolation),
    ("nhan_khau", "ma_xa_thuong_tru", "4", errors.CheckViolation),
    ("nhan_khau", "ma_xa_thuong_tru", "99999", errors.ForeignKeyViolation),
)


def test_a_wrong_value_is_refused_for_what_is_wrong_in_it(database: Connection) -> None:
    others = []
    for table, column, value, refusal in WRONG:
        try:
            insert(database, table, **{column: value})
        except refusal as error:
            if refusal is not errors.CheckViolation or (error.diag.constraint_name or "").startswith(column):
                continue
            others.append((column, value, error.diag.constraint_name))
        else:
            others.append((column, value, "taken"))
    assert others == []


def test_a_key_is_taken_once(database: Connection) -> None:
    insert(database, "nhan_khau")
    with pytest.raises(errors.UniqueViolation):
        insert(database, "nhan_khau")


def test_a_list_that_may_lack_codes_refuses_none(database: Connection, dictionary: Dictionary) -> None:
    assert not dictionary.code_lists["quoc-tich"].complete
    insert(database, "nhan_khau", quoc_tich="ZZ")


def test_the_lookup_tables_tell_what_a_code_means_on_a_day(database: Connection) -> None:
    query = "SELECT label_vi FROM danh_muc.don_vi_hanh_chinh_xa_vao_ngay(%s) WHERE code = '00008'"
    assert one(database, query, "2024-01-01") == "Phường Liễu Giai"
    assert one(database, query, "2025-06-30") == "Phường Liễu Giai"
    assert one(database, query, "2025-07-01") == "Phường Ngọc Hà"


def test_two_periods_of_one_code_may_not_share_a_day(database: Connection) -> None:
    insert_period = (
        "INSERT INTO danh_muc.gioi_tinh_hieu_luc (code, label_vi, valid_from, valid_to) VALUES ('9', %s, %s, %s)"
    )
    database.execute("INSERT INTO danh_muc.gioi_tinh (code) VALUES ('9'), ('90')")
    database.execute(insert_period, ["cũ", None, "2020-01-01"])
    database.execute(insert_period, ["mới", "2020-01-01", "2021-01-01"])
    database.execute(insert_period, ["sau", "2021-01-01", None])
    for wrong in (["x", "2019-12-31", "2020-01-01"], ["x", None, None], ["x", "2020-06-01", "2020-06-02"]):
        with pytest.raises(errors.ExclusionViolation):
            database.execute(insert_period, wrong)
    database.execute("INSERT INTO danh_muc.gioi_tinh_hieu_luc (code, label_vi) VALUES ('90', 'khác mã')")
    with pytest.raises(errors.CheckViolation):
        database.execute(insert_period, ["ngược", "2030-01-01", "2029-01-01"])


def test_the_lookup_tables_hold_every_row_of_the_list(database: Connection, dictionary: Dictionary) -> None:
    for name in ("don-vi-hanh-chinh-xa", "gioi-tinh"):
        table = sql.Identifier("danh_muc", f"{name.replace('-', '_')}_hieu_luc")
        found = database.execute(
            sql.SQL("SELECT code, label_vi, valid_from, valid_to, parent, replaced_by FROM {} ORDER BY id").format(
                table
            )
        ).fetchall()
        assert found == [
            (code.code, code.label.vi, code.valid_from, code.valid_to, code.parent, list(code.replaced_by))
            for code in dictionary.code_lists[name].codes
        ]


def test_comments_are_vietnamese_and_name_the_element(database: Connection) -> None:
    comment = one(
        database,
        "SELECT col_description('du_lieu.nhan_khau'::regclass, attnum) FROM pg_attribute"
        " WHERE attrelid = 'du_lieu.nhan_khau'::regclass AND attname = 'ho_va_ten'",
    )
    assert comment.startswith("Họ và tên (HoVaTen@")


def test_the_sql_rules_of_a_contract_run_and_count_what_breaks_them(
    database: Connection, dictionary: Dictionary
) -> None:
    insert(database, "doanh_nghiep")
    insert(database, "nhan_khau")
    for constraint in ("so_dinh_danh_mau", "so_dinh_danh_dai"):
        database.execute(
            sql.SQL("ALTER TABLE du_lieu.nhan_khau DROP CONSTRAINT {}").format(sql.Identifier(constraint))
        )
    insert(database, "nhan_khau", so_dinh_danh="12345")
    counted: dict[str, int] = {}
    for name in ("doanh-nghiep", "nhan-khau"):
        dataset = dictionary.datasets[DatasetId(name)]
        rules = quality_rules(dictionary, dataset)
        contract = odcs_contract(dictionary, dataset, rules=rules, addresses=Addresses())
        table = contract["schema"][0]
        told = [*table.get("quality", []), *(rule for column in table["properties"] for rule in column["quality"])]
        assert len(told) == len(rules)
        for rule in told:
            if rule["type"] == "sql":
                counted[rule["name"]] = one(database, rule["query"])
    assert counted.pop("CL02:so_dinh_danh") == 1
    assert counted
    assert set(counted.values()) == {0}
