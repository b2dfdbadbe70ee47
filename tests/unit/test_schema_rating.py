"""What schemas are remarked on, and that each point lost has its reason."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.schema_rating.names import is_about, is_code, is_date, together
from lienthong.oversight.schema_rating.rate import Rating, all_rules, rate
from lienthong.oversight.schema_rating.reading import (
    SchemaNotReadable,
    from_dataset,
    from_sql,
    from_survey,
    kind_of,
    length_of,
)
from lienthong.oversight.schema_rating.schema import POINTS, TIMES_MAX, Column, Kind, Schema, Table
from lienthong.sources.change import SourceColumn, SourceTable, TableName
from lienthong.sources.profile import ColumnProfile, TableProfile

GOLDEN = Path(__file__).parents[1] / "golden" / "schema_rating"


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def columns_of(rating: Rating, rule: str) -> set[tuple[str, ...]]:
    return {remark.place.columns for remark in rating.remarks if remark.rule == rule}


@pytest.mark.parametrize("code", sorted(all_rules()))
def test_a_rule_finds_its_example_and_leaves_the_good_one_alone(code: str, dictionary: Dictionary) -> None:
    example = tomllib.loads((GOLDEN / f"{code}.toml").read_text("utf-8"))
    bad = rate(from_sql(example["bad"], name="bad", dictionary=dictionary))
    assert tuple(example["columns"]) in columns_of(bad, code)
    good = rate(from_sql(example["good"], name="good", dictionary=dictionary))
    assert not columns_of(good, code)


@pytest.mark.parametrize("code", sorted(all_rules()))
def test_a_rule_speaks_both_languages(code: str) -> None:
    sentence = all_rules()[code].sentence
    assert sentence.en
    assert any(letter in sentence.vi.lower() for letter in "ạảãàáâậầấẩẫăắằặẳẵêệểễếềôốồộổỗơớờợởỡưứừựửữđ")


SCHOOLS = """
CREATE TABLE `truong` (
  `MaTruong` varchar(20) NOT NULL, `ViTriBanDo` float DEFAULT NULL, `SoDienThoai` varchar(20) NOT NULL,
  `Email` varchar(100) NOT NULL, `Fax` varchar(20) NOT NULL, `Website` varchar(200) NOT NULL,
  PRIMARY KEY (`MaTruong`)
) ENGINE=InnoDB;
CREATE TABLE `diem_truong` (
  `MaDiemTruong` varchar(20) NOT NULL, `SoDienThoai` varchar(12) NOT NULL, PRIMARY KEY (`MaDiemTruong`)
) ENGINE=InnoDB;
"""


def test_the_school_schema_of_the_field_is_remarked_on_for_everything_known_to_be_wrong_with_it() -> None:
    rating = rate(from_sql(SCHOOLS, name="book1", dialect="mysql"))
    assert columns_of(rating, "SR01") == {("Email",), ("Fax",), ("Website",)}
    assert columns_of(rating, "SR02") == {("ViTriBanDo",)}
    assert columns_of(rating, "SR03") == {("SoDienThoai",)}
    lengths = next(each.place for each in rating.remarks if each.rule == "SR03")
    assert lengths.seen == "diem_truong.SoDienThoai: 12; truong.SoDienThoai: 20"
    assert rating.points < 50


def test_a_clean_schema_loses_nothing() -> None:
    text = """
    CREATE TABLE doanh_nghiep (
      ma_so varchar(10) PRIMARY KEY COMMENT 'mã số', ten varchar(200) COMMENT 'tên',
      ngay_cap date COMMENT 'ngày cấp', thoi_gian_cap_nhat timestamp COMMENT 'lúc cập nhật'
    )"""
    rating = rate(from_sql(text, name="dn", dialect="mysql"))
    assert (rating.points, rating.remarks) == (100.0, ())


def test_every_point_lost_has_its_reason() -> None:
    rating = rate(from_sql(SCHOOLS, name="book1", dialect="mysql"))
    assert rating.points == max(0.0, 100.0 - sum(each.points for each in rating.lost))
    assert {each.rule for each in rating.lost} == {each.rule for each in rating.remarks}
    for each in rating.lost:
        assert each.points == POINTS[all_rules()[each.rule].weight] * min(each.times, TIMES_MAX)


@given(st.lists(st.sampled_from(["fax", "vi_tri_ban_do", "ma_xa", "ngay_cap"]), max_size=6, unique=True))
def test_adding_a_bad_column_never_raises_a_rating(names: list[str]) -> None:
    def table(given: list[str]) -> Schema:
        columns = tuple(
            Column(name=name, type_name="float", kind=Kind.NUMBER, required=True) for name in ["ten", *given]
        )
        return Schema(name="s", tables=(Table(name="t", columns=columns, key=("ten",)),))

    assert rate(table(names)).points <= rate(table(names[:-1])).points


def test_a_dataset_of_the_dictionary_is_rated_by_the_same_rules(dictionary: Dictionary) -> None:
    dataset = dictionary.datasets[DatasetId("co-so-giao-duc")]
    rating = rate(from_dataset(dictionary, dataset))
    assert not columns_of(rating, "SR08"), "the platform stamps every record"
    assert not columns_of(rating, "SR01"), "the dictionary does not ask for what nobody has"
    assert columns_of(rating, "SR02") == {("vi_tri_ban_do",)}
    lengths = next(remark.place for remark in rating.remarks if remark.rule == "SR03")
    assert "20" in lengths.seen
    assert "12" in lengths.seen


def test_a_mandatory_fax_of_a_dataset_is_remarked_on(dictionary: Dictionary) -> None:
    dataset = dictionary.datasets[DatasetId("co-so-giao-duc")]
    asked = replace(
        dataset,
        members=tuple(replace(each, required=each.required or each.element == "Fax") for each in dataset.members),
    )
    assert columns_of(rate(from_dataset(dictionary, asked)), "SR01") == {("so_fax",)}


def profile(name: str, type_name: str, **shapes: float) -> ColumnProfile:
    return ColumnProfile(
        name=name,
        type_name=type_name,
        comment=None,
        sampled=100,
        null_share=0.0,
        distinct=100,
        length_min=1,
        length_max=10,
        shapes=shapes,
        patterns={},
        codes={},
    )


def test_a_survey_shows_days_by_what_values_look_like_and_duty_by_what_the_table_declares(
    dictionary: Dictionary,
) -> None:
    name = TableName(schema="public", table="so_luu")
    seen = TableProfile(
        name=name,
        comment=None,
        rows_estimated=10,
        key=("id",),
        columns=(profile("id", "bigint"), profile("luc", "text", **{"day-first date": 0.97}), profile("fax", "text")),
    )
    live = SourceTable(
        name=name,
        columns=(
            SourceColumn(name="id", type_name="bigint", nullable=False),
            SourceColumn(name="luc", type_name="text"),
            SourceColumn(name="fax", type_name="text", nullable=False),
        ),
        key=("id",),
    )
    rating = rate(from_survey("so-luu", [(seen, None, live)], dictionary=dictionary))
    assert columns_of(rating, "SR04") == {("luc",)}
    assert columns_of(rating, "SR01") == {("fax",)}
    unknown = rate(from_survey("so-luu", [(seen, None, None)], dictionary=dictionary))
    assert not columns_of(unknown, "SR01"), "what is not known to be mandatory is not held against anybody"


@pytest.mark.parametrize(
    ("type_name", "kind", "length"),
    [
        ("character varying(20)", Kind.TEXT, 20),
        ("VARCHAR2(20 CHAR)", Kind.TEXT, 20),
        ("text", Kind.TEXT, None),
        ("numeric(14,2)", Kind.NUMBER, None),
        ("double precision", Kind.NUMBER, None),
        ("bigint", Kind.INTEGER, None),
        ("timestamp with time zone", Kind.TIMESTAMP, None),
        ("datetime", Kind.TIMESTAMP, None),
        ("date", Kind.DATE, None),
        ("boolean", Kind.BOOLEAN, None),
        ("point", Kind.OTHER, None),
        ("json", Kind.OTHER, None),
    ],
)
def test_native_types_are_read(type_name: str, kind: Kind, length: int | None) -> None:
    assert (kind_of(type_name), length_of(type_name)) == (kind, length)


@pytest.mark.parametrize("name", ["ViTriBanDo", "vi_tri_ban_do", "VI_TRI_BAN_DO", "vị trí bản đồ"])
def test_a_name_is_read_however_it_is_written(name: str) -> None:
    assert is_about(name, "map position")


@pytest.mark.parametrize(("name", "code", "day"), [("ma_xa", True, False), ("so_cccd", True, False),
                                                  ("NgaySinh", False, True), ("man_hinh", False, False),
                                                  ("ngan_hang", False, False)])  # fmt: skip
def test_a_name_says_code_or_day_by_whole_words(name: str, code: bool, day: bool) -> None:
    assert (is_code(name), is_date(name)) == (code, day)


def test_numbered_names_are_one_thing() -> None:
    assert together("dien_thoai_1") == together("DienThoai2") == "dienthoai"


@pytest.mark.parametrize("text", ["", "SELECT 1", "CREATE TABLE", "CREATE VIEW v AS SELECT 1", "xin chào ((("])
def test_what_makes_no_table_is_refused(text: str) -> None:
    with pytest.raises(SchemaNotReadable) as refusal:
        from_sql(text, name="x.sql")
    assert refusal.value.code == "OVS-221"


def test_every_rule_has_a_golden_example_and_every_example_a_rule() -> None:
    assert {path.stem for path in GOLDEN.glob("*.toml")} == set(all_rules())


def test_every_rule_is_a_file_named_after_its_code() -> None:
    folder = Path(__file__).parents[2] / "src/lienthong/oversight/schema_rating/rules"
    assert {path.name[:4].upper() for path in folder.glob("sr*.py")} == set(all_rules())
