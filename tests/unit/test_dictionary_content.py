"""The dictionary that ships: facts about Vietnam that must not drift."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from lienthong.dictionary import ids, shipped
from lienthong.dictionary.canonical import item_hash, items
from lienthong.dictionary.codes import alias_frame, code_frame, codes_on, is_in_force, lookup, periods
from lienthong.dictionary.items import STANDARDISERS
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeListId, DatasetId, Datatype, Dictionary, DomainId, ElementId, Status, Trust
from lienthong.dictionary.refusals import ShippedDataMissing
from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import CATALOGUE
from lienthong.standardise.registry import all_kernels

ROOT = Path(__file__).resolve().parents[2]
PROVINCES = CodeListId("don-vi-hanh-chinh-tinh")
COMMUNES = CodeListId("don-vi-hanh-chinh-xa")
# Second codings of a field, and reference data: no element has them as its list.
BESIDE = {
    CodeListId(name)
    for name in (
        "dan-toc-tong-dieu-tra",
        "dau-so-dien-thoai",
        "gioi-tinh-qd4750",
        "gioi-tinh-tu-dien",
        "thu-tuc-hanh-chinh",
    )
}
BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.mark.parametrize(
    ("day", "provinces", "communes"),
    [(BEFORE, 63, 10_035), (AFTER, 34, 3_321), (date(2026, 1, 1), 34, 3_321), (date(2026, 11, 1), 34, 3_321)],
)
def test_units_are_counted_as_the_decisions_say(
    dictionary: Dictionary, day: date, provinces: int, communes: int
) -> None:
    assert len(codes_on(dictionary.code_lists[PROVINCES], day)) == provinces
    assert len(codes_on(dictionary.code_lists[COMMUNES], day)) == communes


def test_a_commune_code_changes_its_meaning_with_the_day(dictionary: Dictionary) -> None:
    communes = dictionary.code_lists[COMMUNES]
    before, after = lookup(communes, "00008", BEFORE), lookup(communes, "00008", AFTER)
    assert before is not None
    assert after is not None
    assert (before.label.vi, after.label.vi) == ("Phường Liễu Giai", "Phường Ngọc Hà")


def test_a_split_commune_keeps_every_successor(dictionary: Dictionary) -> None:
    communes = dictionary.code_lists[COMMUNES]
    (old,) = periods(communes, "00016")
    assert old.label.vi == "Phường Ngọc Hà"
    assert old.replaced_by == ("00004", "00008")
    assert lookup(communes, "00016", AFTER) is None


def test_dong_nai_becomes_a_city_on_30_april_2026(dictionary: Dictionary) -> None:
    provinces = dictionary.code_lists[PROVINCES]
    names = [lookup(provinces, "75", day) for day in (BEFORE, date(2026, 4, 29), date(2026, 4, 30))]
    assert [one.label.vi for one in names if one] == ["Tỉnh Đồng Nai", "Tỉnh Đồng Nai", "Thành phố Đồng Nai"]
    assert len(periods(provinces, "75")) == 3


def test_ten_communes_of_dong_nai_become_wards_the_same_day(dictionary: Dictionary) -> None:
    changed = [
        one
        for one in dictionary.code_lists[COMMUNES].codes
        if one.valid_from == date(2026, 4, 30) and one.parent == "75"
    ]
    assert len(changed) == 10
    assert all(one.label.vi.startswith("Phường ") for one in changed)


def test_every_commune_lies_in_a_province_of_its_own_time(dictionary: Dictionary) -> None:
    for day in (BEFORE, AFTER):
        provinces = {one.code for one in codes_on(dictionary.code_lists[PROVINCES], day)}
        assert {one.parent for one in codes_on(dictionary.code_lists[COMMUNES], day)} == provinces


def test_the_two_lists_of_ethnic_groups_give_one_number_to_two_peoples(dictionary: Dictionary) -> None:
    first, second = (dictionary.code_lists[CodeListId(name)] for name in ("dan-toc-1979", "dan-toc-tong-dieu-tra"))
    assert len(first.codes) == len(second.codes) == 54
    one, other = lookup(first, "04", AFTER), lookup(second, "04", AFTER)
    assert one is not None
    assert other is not None
    assert (one.label.vi, other.label.vi) == ("Hoa", "Mường")


def test_spellings_of_sex_lead_to_the_coding_of_qcvn_109(dictionary: Dictionary) -> None:
    aliases = dict(dictionary.code_lists[CodeListId("gioi-tinh")].aliases)
    assert {aliases[spelling] for spelling in ("NAM", "nam", "M")} == {"1"}
    assert {aliases[spelling] for spelling in ("nữ", "Nu", "F")} == {"2"}
    assert "0" not in aliases.values()


def test_the_code_frame_has_the_codes_as_columns(dictionary: Dictionary) -> None:
    frame = code_frame(dictionary.code_lists[PROVINCES])
    assert frame.columns == ["code", "label_vi", "valid_from", "valid_to", "parent"]
    assert frame.height == 99
    assert frame["valid_from"].null_count() == 63
    aliases = alias_frame(dictionary.code_lists[CodeListId("gioi-tinh")])
    assert aliases.columns == ["spelling", "code"]
    assert alias_frame(dictionary.code_lists[PROVINCES]).height == 0


def test_a_period_holds_its_first_day_and_not_its_last(dictionary: Dictionary) -> None:
    (middle,) = [one for one in periods(dictionary.code_lists[PROVINCES], "75") if one.valid_from == AFTER]
    assert is_in_force(middle, on=AFTER)
    assert not is_in_force(middle, on=date(2026, 4, 30))
    assert not is_in_force(middle, on=BEFORE)


@pytest.mark.parametrize(
    ("dataset", "table", "columns", "required"),
    [
        (
            "doanh-nghiep",
            "doanh_nghiep",
            (
                "ma_so_doanh_nghiep ten_to_chuc dia_chi_tru_so ten_huyen_tru_so von_dieu_le nganh_nghe_chinh "
                "nganh_nghe_kinh_doanh ngay_cap_dang_ky loai_hinh_doanh_nghiep"
            ),
            "ma_so_doanh_nghiep ten_to_chuc dia_chi_tru_so ngay_cap_dang_ky loai_hinh_doanh_nghiep",
        ),
        (
            "nhan-khau",
            "nhan_khau",
            (
                "so_dinh_danh ho_va_ten ngay_sinh gioi_tinh dan_toc quoc_tich ma_xa_thuong_tru ma_tinh_thuong_tru "
                "dia_chi_thuong_tru so_dien_thoai tinh_trang_hon_nhan"
            ),
            "so_dinh_danh ho_va_ten ngay_sinh gioi_tinh ma_xa_thuong_tru ma_tinh_thuong_tru",
        ),
    ],
)
def test_the_datasets_have_the_agreed_columns(
    dictionary: Dictionary, dataset: str, table: str, columns: str, required: str
) -> None:
    one = dictionary.datasets[DatasetId(dataset)]
    names = {member.element: dictionary.elements[member.element].technical_name for member in one.members}
    assert one.table == table
    assert list(names.values()) == columns.split()
    assert [names[member.element] for member in one.members if member.required] == required.split()
    assert [names[element] for element in one.key] == columns.split()[:1]


def test_disputed_lengths_of_a_name_stand_side_by_side(dictionary: Dictionary) -> None:
    name = dictionary.elements[ids.HO_VA_TEN]
    lengths = {each.value for each in name.conflicts if each.descriptor == "max_length"}
    assert lengths == {"50", "100", "150"}
    assert str(dictionary.domain_of(ids.HO_VA_TEN).max_length) in lengths


def test_nothing_claims_to_be_approved(dictionary: Dictionary) -> None:
    assert {item.identity.status for _, item in items(dictionary)} == {Status.PROPOSED}


def test_every_item_names_a_source_and_how_far_it_goes(dictionary: Dictionary) -> None:
    for _, item in items(dictionary):
        assert item.sources
        assert all(isinstance(source.trust, Trust) for source in item.sources)


def test_every_domain_and_code_list_is_used(dictionary: Dictionary) -> None:
    used = {DomainId(one.value_domain.id) for one in dictionary.elements.values()}
    assert used == set(dictionary.domains)
    lists = {one.code_list for one in dictionary.domains.values()} | BESIDE
    assert set(dictionary.code_lists) <= lists


def test_identifiers_are_texts_so_that_no_leading_zero_is_lost(dictionary: Dictionary) -> None:
    for name, one in dictionary.elements.items():
        if one.identifier:
            assert dictionary.domain_of(name).datatype in {Datatype.TEXT, Datatype.CODE}


def test_every_hash_is_its_own(dictionary: Dictionary) -> None:
    hashes = [item_hash(item) for _, item in items(dictionary)]
    assert len(set(hashes)) == len(hashes)
    assert len(dictionary.digest) == 64


def test_the_generated_constants_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_element_has_a_constant(dictionary: Dictionary) -> None:
    constants = {value for name, value in vars(ids).items() if name.isupper()}
    assert constants == set(dictionary.elements)


def test_an_element_without_a_code_list_has_none(dictionary: Dictionary) -> None:
    assert dictionary.code_list_of(ElementId("HoVaTen")) is None


def test_the_loader_and_the_standardisers_know_the_same_kernels() -> None:
    kernels = all_kernels()
    assert set(STANDARDISERS) == set(kernels)
    assert all(datatype in kernels[name].datatypes for name, datatype in STANDARDISERS.items())


@pytest.mark.parametrize("name", ["dictionary", "contracts", "errors"])
def test_shipped_data_is_found_in_the_repository(name: str) -> None:
    assert shipped_folder(name).is_dir()


def test_data_of_an_installed_wheel_wins_over_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shipped" / "dictionary").mkdir(parents=True)
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path)
    assert shipped_folder("dictionary") == tmp_path / "shipped" / "dictionary"


def test_an_installation_without_its_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path)
    monkeypatch.setattr(shipped, "_REPOSITORY", tmp_path)
    with pytest.raises(ShippedDataMissing, match="dictionary"):
        shipped_folder("dictionary")


def test_every_refusal_of_the_dictionary_has_a_page() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "reference" / "errors").glob("DIC-*.md")}
    # Which codes are known here depends on what was imported; tests/repo asks it of all of them, both ways.
    assert {code for code in CATALOGUE if code.startswith("DIC-")} <= pages
