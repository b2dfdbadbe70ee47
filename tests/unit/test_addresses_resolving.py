from __future__ import annotations

import unicodedata
from datetime import date

import polars as pl
import pytest

from lienthong.dictionary.conversion import Converter
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeListId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.addresses import RESOLVED_SCHEMA, resolve
from lienthong.standardise.addresses.today import PLACES_SCHEMA, carried_over

OLD, NEW = date(2025, 6, 30), date(2026, 6, 1)


def one(address: str | None, *, on: date | None = OLD, structure: str = "auto") -> dict:
    return resolve(pl.Series([address], dtype=pl.String), on=on, structure=structure).row(0, named=True)


def code(address: str, **how) -> str | None:
    return one(address, **how)["commune_code"]


def test_an_address_of_three_levels_has_all_its_parts():
    answer = one("Số 16, khóm 1, Phường 7, Thành phố Cà Mau, Tỉnh Cà Mau, Việt Nam", on=date(2024, 2, 1))
    assert answer == {
        "outcome": "ONE",
        "commune_code": "32020",
        "province_code": "96",
        "district_code": "964",
        "district_name": "Thành phố Cà Mau",
        "structure": "old",
        "list_date": date(2024, 2, 1),
        "street": "Số 16, khóm 1",
        "confidence": 1.0,
        "alternatives": [],
    }


def test_an_address_of_two_levels_has_no_district():
    answer = one("Số 1, Phường Ngọc Hà, Thành phố Hà Nội", on=NEW)
    assert (answer["commune_code"], answer["district_code"], answer["structure"]) == ("00008", None, "new")
    assert answer["list_date"] == NEW


@pytest.mark.parametrize(
    "address",
    [
        "Phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh",
        "P. Bến Nghé, Q.1, TP.HCM",
        "P.Bến Nghé,Q1,TPHCM",
        "phuong ben nghe quan 1 thanh pho ho chi minh",
        "PBến Nghé, Q.1, TP Hồ Chí Minh",
        "Bến Nghé - Quận 1 - Tp. HCM",
        "Phường BếnNghé, Quận1, TP.HồChíMinh",
        "Phường Bến Nghéé, Quận 1, TP. Hồ Chí Minh",
        "phườgn Bến Nghé; Quận 01; Hồ Chí Minh",
        "Quận 1, TP HCM, phường Bến Nghé",
        "Phường Bến Nghé (Quận 1, TP. Hồ Chí Minh)",
        "Phường Bến\u00a0Nghé,\u200b Quận 1, Sài Gòn, Vietnam",
    ],
)
def test_one_ward_is_written_in_many_ways(address):
    assert code(address) == "26740"


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_composed_and_decomposed_letters_agree(form):
    assert code(unicodedata.normalize(form, "Xã Nghĩa Thọ, Huyện Nghĩa Đàn, Tỉnh Nghệ An")) == "16969"


def test_the_place_of_the_tone_does_not_matter():
    with_old = one("Xã Hoà Tiến, Huyện Hoà Vang, Thành phố Đà Nẵng")
    assert with_old["commune_code"] is not None
    assert with_old == one("Xã Hòa Tiến, Huyện Hòa Vang, Thành phố Đà Nẵng")


@pytest.mark.parametrize(
    ("address", "street"),
    [
        ("Số 5, ngõ 7 - Láng Hạ, Phường 7, TP Cà Mau, Cà Mau", "Số 5, ngõ 7 - Láng Hạ"),
        ("Phường 7, TP Cà Mau, Cà Mau", ""),
        ("so 5 duong Ly Bon phuong 7 tp ca mau tinh ca mau", "so 5 duong Ly Bon"),
        ("TP Cà Mau, Cà Mau, Phường 7", ""),
    ],
)
def test_the_street_is_what_stands_before_the_units(address, street):
    answer = one(address)
    assert answer["commune_code"] == "32020"
    assert answer["street"] == street


def test_numbered_wards_need_their_kind():
    assert code("Phường 3, Thành phố Đà Lạt, Tỉnh Lâm Đồng") == "24802"
    assert code("P3, TP Đà Lạt, Lâm Đồng") == "24802"
    assert code("3, TP Đà Lạt, Lâm Đồng") is None


def test_a_name_that_begins_like_a_kind_is_a_name():
    assert code("Phương Liệt, Thanh Xuân, TP Hà Nội") == "00358"


def test_a_street_named_like_a_commune_is_no_commune():
    assert one("12 Nguyễn Trãi, Hà Nội")["outcome"] == "UNKNOWN"
    assert code("Số 8 đường Bến Nghé, Phường 7, Thành phố Cà Mau, Cà Mau") == "32020"


@pytest.mark.parametrize(
    "address", [None, "", " ,, ", "Việt Nam", "Hà Nội", "Quận 1, TP HCM", "12 Main Street", "x" * 900]
)
def test_what_names_no_commune_is_unknown(address):
    answer = one(address)
    assert answer["outcome"] == "UNKNOWN"
    assert answer["commune_code"] is None
    assert answer["confidence"] == 0.0


def test_two_units_of_one_plain_name_are_several_without_marks_and_one_with():
    plain = one("Xa Phu Thanh, Huyen Phu Tan, Tinh An Giang")
    assert plain["outcome"] == "SEVERAL"
    assert set(plain["alternatives"]) == {"30427", "30433"}
    assert code("Xã Phú Thành, Huyện Phú Tân, Tỉnh An Giang") is not None
    assert code("Xã Phú Thạnh, Huyện Phú Tân, Tỉnh An Giang") is not None


def test_a_commune_and_a_township_of_one_name_need_their_kind():
    assert one("Thới Bình, Thới Bình, Cà Mau")["outcome"] == "SEVERAL"
    assert code("Thị trấn Thới Bình, Thới Bình, Cà Mau") == "32065"
    assert code("Xã Thới Bình, Thới Bình, Cà Mau") == "32077"


def test_a_ward_that_changed_its_code_is_read_by_the_day():
    address = "Phường 2, Thành phố Cà Mau, Tỉnh Cà Mau"
    assert code(address, on=date(2024, 2, 1)) == "32011"
    assert code(address, on=date(2025, 3, 1)) == "32002"
    for unclear in (None, date(2024, 12, 1), date(2026, 1, 1)):
        answer = one(address, on=unclear)
        assert answer["outcome"] == "SEVERAL"
        assert set(answer["alternatives"]) == {"32011", "32002"}


def test_a_unit_gone_before_the_day_is_found_with_a_day_on_which_it_was():
    answer = one("P. Thảo Điền, Q.2, TP.HCM", on=date(2024, 6, 1))
    assert answer["outcome"] == "ONE"
    assert (answer["district_name"], answer["list_date"] < date(2021, 2, 3)) == ("Quận 2", True)


def test_two_levels_without_a_day_may_be_three_with_one_left_out():
    assert one("Xã Tân Thành, Lâm Đồng", on=None)["outcome"] == "SEVERAL"
    assert code("Xã Tân Thành, Lâm Đồng", on=NEW) == "23143"


def test_three_levels_are_not_read_as_two():
    answer = one("Kim Mã, Ba Đình, Hà Nội", on=NEW)
    assert (answer["structure"], answer["district_name"]) == ("old", "Quận Ba Đình")


def test_a_changed_letter_lowers_the_confidence():
    sure = one("Xã Thanh Yên, Huyện Điện Biên, Tỉnh Điện Biên")
    unsure = one("Xã Thnh Yên, Huyện Điện Biên, Tỉnh Điện Biên")
    assert sure["commune_code"] == unsure["commune_code"]
    assert unsure["confidence"] < sure["confidence"]


def test_two_letters_of_a_long_name_are_forgiven():
    assert code("Xã Khánh Bìh Tâ Bắc, Huyện Trần Văn Thời, Tỉnh Cà Mau") == "32101"


def test_a_longer_name_is_not_cut_to_a_shorter_one():
    assert code("Xã Bình Thạnh Trumg, Huyện Lấp Vò, Tỉnh Đồng Tháp") == "30205"


def test_answers_stand_in_the_order_of_the_addresses():
    texts = ["Phường 7, TP Cà Mau, Cà Mau", None, "x", "Phường 8, TP Cà Mau, Cà Mau", "Phường 7, TP Cà Mau, Cà Mau"]
    answer = resolve(pl.Series(texts), on=OLD)
    assert answer["commune_code"].to_list() == ["32020", None, None, "32014", "32020"]
    assert dict(answer.schema) == dict(RESOLVED_SCHEMA)


def test_no_address_gives_no_row():
    assert resolve(pl.Series([], dtype=pl.String), on=OLD).height == 0


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter.of(load(shipped_folder("dictionary")).code_lists[CodeListId("don-vi-hanh-chinh-xa")])


def test_an_old_address_is_carried_over_to_the_new_unit(converter):
    resolved = resolve(pl.Series(["Phường Phúc Xá, Quận Ba Đình, Hà Nội", "đâu đó"]), on=OLD)
    over = carried_over(resolved, converter, on=NEW)
    assert over.rows() == [("one", "00097", ["00097"], None), ("unknown", None, [], "not-resolved")]


def test_a_divided_commune_stays_open_until_the_street_decides(converter):
    address = "Ngõ 5 Đội Cấn, Phường Cống Vị, Quận Ba Đình, Hà Nội"
    resolved = resolve(pl.Series([address]), on=OLD)
    assert resolved["commune_code"].to_list() == ["00007"]
    open_ = carried_over(resolved, converter, on=NEW)
    assert open_["kind"].to_list() == ["several"]
    candidates = open_["candidates"].to_list()[0]
    places = pl.DataFrame(
        [("00007", "Đội Cấn", candidates[1]), ("00007", "Đội", "99999")], schema=PLACES_SCHEMA, orient="row"
    )
    decided = carried_over(resolved, converter, on=NEW, places=places)
    assert (decided["kind"].to_list(), decided["code"].to_list()) == (["one"], [candidates[1]])


def test_two_places_that_disagree_decide_nothing(converter):
    resolved = resolve(pl.Series(["Ngõ 5 Đội Cấn, Phường Cống Vị, Quận Ba Đình, Hà Nội"]), on=OLD)
    candidates = carried_over(resolved, converter, on=NEW)["candidates"].to_list()[0]
    places = pl.DataFrame(
        [("00007", "Đội Cấn", candidates[0]), ("00007", "Ngõ 5", candidates[1])], schema=PLACES_SCHEMA, orient="row"
    )
    assert carried_over(resolved, converter, on=NEW, places=places)["kind"].to_list() == ["several"]
