"""What the dictionary shows: descriptors, JSON Schema, search, patterns."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lienthong.dictionary import ids
from lienthong.dictionary.descriptors import descriptors
from lienthong.dictionary.finding import find, folded
from lienthong.dictionary.json_schema import json_schema
from lienthong.dictionary.load import load
from lienthong.dictionary.model import UNKNOWN_VI, CodeListId, Dataset, DatasetId, Dictionary, Member, Text
from lienthong.dictionary.names import name_fault
from lienthong.dictionary.patterns import pattern_fault
from lienthong.dictionary.refusals import DatasetUnknown, ElementAmbiguous, ElementUnknown
from lienthong.dictionary.shipped import shipped_folder

TODAY = date(2026, 11, 1)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def test_every_element_has_the_25_descriptors_in_order(dictionary: Dictionary) -> None:
    for element in dictionary.elements:
        shown = descriptors(dictionary, element)
        assert [one.n for one in shown] == list(range(1, 26))
        assert all(one.value for one in shown)


def test_descriptors_carry_the_official_titles(dictionary: Dictionary) -> None:
    shown = descriptors(dictionary, ids.HO_VA_TEN)
    assert (shown[0].title, shown[9].title, shown[24].title) == (
        "Mã định danh duy nhất",
        "Phiên bản / trạng thái",
        "Miền giá trị hợp lệ",
    )


def test_descriptors_say_what_the_files_say(dictionary: Dictionary) -> None:
    shown = {one.key: one.value for one in descriptors(dictionary, ids.SO_DINH_DANH)}
    assert shown["id"] == "SoDinhDanh"
    assert shown["technical_name"].startswith("so_dinh_danh, ")
    assert "nhan_khau.so_dinh_danh" in shown["technical_name"].split(", ")
    assert shown["length_format"] == "đúng 12 ký tự"
    assert shown["validation"] == "^[0-9]{12}$"
    assert "GET /api/v1/datasets/nhan-khau/records/{khóa}" in shown["api"].split("; ")
    assert shown["version_status"].startswith("1.0.0; Đề xuất")


def test_what_no_source_says_is_shown_as_unknown(dictionary: Dictionary) -> None:
    shown = {one.key: one.value for one in descriptors(dictionary, ids.TEN_HUYEN_TRU_SO)}
    assert shown["owner"] == shown["allowed_values"] == shown["international_mapping"] == UNKNOWN_VI


def test_a_list_of_values_shows_codes_that_still_stand(dictionary: Dictionary) -> None:
    shown = {one.key: one.value for one in descriptors(dictionary, ids.MA_TINH)}
    assert "96 " not in shown["allowed_values"]
    assert "08 Tỉnh Tuyên Quang" in shown["allowed_values"]
    assert "Hà Giang" not in shown["allowed_values"]
    assert shown["allowed_values"].endswith("và 24 mã nữa")


def person(**changes: Any) -> dict[str, Any]:
    return {
        "so_dinh_danh": "096090000001",
        "ho_va_ten": "Nguyễn Văn Thử",
        "ngay_sinh": "1990",
        "gioi_tinh": "1",
        "dan_toc": None,
        "quoc_tich": "VN",
        "ma_xa_thuong_tru": "00008",
        "ma_tinh_thuong_tru": "01",
    } | changes


@pytest.fixture(scope="module")
def people(dictionary: Dictionary) -> Draft202012Validator:
    schema = json_schema(dictionary, DatasetId("nhan-khau"), on=TODAY)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ngay_sinh": "1990-02"},
        {"ngay_sinh": "1990-02-28"},
        {"dia_chi_thuong_tru": None},
        {"quoc_tich": "ZZ"},  # the list is not complete
        {"gioi_tinh": "0"},
    ],
)
def test_a_right_person_is_valid(people: Draft202012Validator, changes: dict[str, Any]) -> None:
    assert [error.message for error in people.iter_errors(person(**changes))] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"so_dinh_danh": "96090000001"},
        {"so_dinh_danh": 96090000001},
        {"ho_va_ten": ""},
        {"ho_va_ten": "A" * 151},
        {"ho_va_ten": None},
        {"ngay_sinh": "1990-13"},
        {"ngay_sinh": "01/02/1990"},
        {"gioi_tinh": "Nam"},
        {"gioi_tinh": "3"},
        {"ma_tinh_thuong_tru": "95"},  # Bạc Liêu until 2025-06-30
        {"ma_xa_thuong_tru": "00016"},  # not in force today
        {"la": "x"},
    ],
)
def test_a_wrong_person_is_not_valid(people: Draft202012Validator, changes: dict[str, Any]) -> None:
    assert not people.is_valid(person(**changes))


def test_the_schema_follows_the_day(dictionary: Dictionary) -> None:
    old = Draft202012Validator(json_schema(dictionary, DatasetId("nhan-khau"), on=date(2025, 6, 30)))
    assert old.is_valid(person(ma_tinh_thuong_tru="95", ma_xa_thuong_tru="00016"))


def company(**changes: Any) -> dict[str, Any]:
    return {
        "ma_so_doanh_nghiep": "2000109850",
        "ten_to_chuc": "CÔNG TY XĂNG DẦU CÀ MAU",
        "dia_chi_tru_so": "Số 989, đường Lý Thường Kiệt",
        "ngay_cap_dang_ky": "1994-04-26",
        "loai_hinh_doanh_nghiep": "Công ty cổ phần",
        "von_dieu_le": "98800000000.00",
        "nganh_nghe_kinh_doanh": ["4661", "4663"],
    } | changes


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"ma_so_doanh_nghiep": "2000109850-001"}, True),
        ({"ma_so_doanh_nghiep": "2000109850001"}, False),
        ({"nganh_nghe_kinh_doanh": "4661"}, False),
        ({"nganh_nghe_kinh_doanh": ["466"]}, False),
        ({"nganh_nghe_kinh_doanh": ["4661", "4661"]}, False),
        ({"von_dieu_le": "1e9"}, False),
        ({"von_dieu_le": "-5"}, False),
        ({"von_dieu_le": 5}, False),
    ],
)
def test_companies_are_judged_by_their_schema(dictionary: Dictionary, changes: dict[str, Any], valid: bool) -> None:
    schema = json_schema(dictionary, DatasetId("doanh-nghiep"), on=TODAY)
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid(company(**changes)) is valid


def test_the_schema_names_element_and_version_and_titles_in_vietnamese(dictionary: Dictionary) -> None:
    schema = json_schema(dictionary, DatasetId("nhan-khau"), on=TODAY)
    sex = schema["properties"]["gioi_tinh"]
    assert (sex["title"], sex["$comment"]) == ("Giới tính", "GioiTinh@1.0.0")
    assert {"const": "2", "title": "Nữ"} in sex["oneOf"]
    assert len(schema["properties"]["ma_xa_thuong_tru"]["enum"]) == 3_321
    assert json.loads(json.dumps(schema)) == schema


def test_every_datatype_has_its_json_form(dictionary: Dictionary) -> None:
    envelope = Dataset(
        identity=dictionary.datasets[DatasetId("nhan-khau")].identity,
        label=Text(vi="Bản ghi"),
        definition=Text(vi="Phong bì của một bản ghi."),
        table="ban_ghi",
        domain="Con người",
        members=tuple(
            Member(element=element, required=True)
            for element in (ids.ID_BAN_GHI, ids.SU_KIEN, ids.PHIEN_BAN, ids.THOI_GIAN_CAP_NHAT, ids.NGAY_HIEU_LUC)
        ),
    )
    name = DatasetId("ban-ghi")
    schema = json_schema(replace(dictionary, datasets={name: envelope}), name, on=TODAY)
    Draft202012Validator.check_schema(schema)
    checker = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    right = {
        "id_ban_ghi": "ca-mau/1",
        "su_kien": "NEW",
        "phien_ban": 1,
        "thoi_gian_cap_nhat": "2026-11-01T08:00:00+07:00",
        "ngay_hieu_luc": "2026-11-01",
    }
    assert checker.is_valid(right)
    for wrong in ({"phien_ban": 0}, {"phien_ban": "1"}, {"su_kien": "UPdate"}, {"ngay_hieu_luc": "2026-02-30"}):
        assert not checker.is_valid(right | wrong)


def test_a_complete_list_without_codes_on_the_day_lets_nothing_in(dictionary: Dictionary) -> None:
    name = CodeListId("gioi-tinh")
    future = tuple(replace(code, valid_from=date(2030, 1, 1)) for code in dictionary.code_lists[name].codes)
    lists = {**dictionary.code_lists, name: replace(dictionary.code_lists[name], codes=future)}
    schema = json_schema(replace(dictionary, code_lists=lists), DatasetId("nhan-khau"), on=TODAY)
    assert not Draft202012Validator(schema).is_valid(person())


def test_an_unknown_dataset_is_refused_with_those_that_exist(dictionary: Dictionary) -> None:
    with pytest.raises(DatasetUnknown) as refused:
        json_schema(dictionary, DatasetId("nhan_khau"), on=TODAY)
    assert "nhan-khau" in refused.value.remedy


@pytest.mark.parametrize(
    "wanted", ["HoVaTen", "hovaten", "ho_va_ten", "Họ và tên", "ho va ten", "HỌ VÀ TÊN", "HOTEN", "full name"]
)
def test_an_element_is_found_by_whatever_people_call_it(dictionary: Dictionary, wanted: str) -> None:
    assert find(dictionary, wanted) == "HoVaTen"


def test_a_miss_is_refused_with_a_suggestion(dictionary: Dictionary) -> None:
    with pytest.raises(ElementUnknown) as refused:
        find(dictionary, "ngay sin")
    assert "NgaySinh" in refused.value.remedy


def test_nonsense_gets_no_suggestion(dictionary: Dictionary) -> None:
    with pytest.raises(ElementUnknown) as refused:
        find(dictionary, "qqqqqqqq")
    assert "did you mean" not in refused.value.remedy


def test_a_name_of_several_elements_is_never_picked_silently(dictionary: Dictionary) -> None:
    with pytest.raises(ElementAmbiguous, match=r"DiaChiThuongTru.*DiaChiTruSo"):
        find(dictionary, "DIA_CHI")


def test_folding_reads_d_with_a_stroke_as_d() -> None:
    assert folded("Địa chỉ ĐKKD") == "diachidkkd"


@pytest.mark.parametrize(
    "pattern",
    [
        "^[0-9]{12}$",
        "^[0-9]{10}(-[0-9]{3})?$",
        r"^[0-9]\.[0-9]{6}$",
        "^(a|b)$",
        "^[^0-9]{1,5}$",
        "^x{0,255}$",
        r"^[A-Z\-]$",
    ],
)
def test_patterns_of_the_closed_subset_are_accepted(pattern: str) -> None:
    assert pattern_fault(pattern) is None
    re.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "^",
        "[0-9]",
        "^[0-9]",
        r"^a\$",
        r"^\d$",
        r"^\w$",
        r"^(a)\1$",
        "^(?:a)$",
        "^(?!a)b$",
        "^a*$",
        "^a+$",
        "^a{2,}$",
        "^a{,2}$",
        "^a{256}$",
        "^a{3,2}$",
        "^.$",
        "^a|b$",
        "^(a$",
        "^a)$",
        "^?$",
        "^a??$",
        "^(a{1,2}){2}?$",
        "^[]a]$",
        "^[[:alpha:]]$",
        "^[z-a]$",
        "^ă$",
        "^a^b$",
        "^" + "a" * 500 + "$",
    ],
)
def test_patterns_that_engines_read_differently_are_refused(pattern: str) -> None:
    assert pattern_fault(pattern) is not None


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("a", True),
        ("a" * 48, True),
        ("a" * 49, False),
        ("a1_2b", True),
        ("1a", False),
        ("a_", False),
        ("", False),
        ("user", False),
    ],
)
def test_physical_names_work_everywhere_or_are_refused(name: str, right: bool) -> None:
    assert (name_fault(name, bytes_max=48) is None) is right
