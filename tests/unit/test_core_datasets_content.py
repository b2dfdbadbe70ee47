"""The datasets of the core domains: what sources give is there, what they do not give is not made up."""

from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from lienthong.dictionary.code_mappings import CodeMapping, exact_codes, read_code_mappings
from lienthong.dictionary.load import load
from lienthong.dictionary.model import (
    CodeListId,
    DatasetId,
    Dictionary,
    DomainId,
    ElementId,
    Relation,
    Sensitivity,
    Trust,
)
from lienthong.dictionary.refusals import DictionaryNotValid
from lienthong.dictionary.shipped import shipped_folder

ANNEX = Path(__file__).resolve().parents[1] / "data" / "nq66_7_annex_1.csv"
CORE = {
    "bao-hiem-xa-hoi",
    "bao-hiem-y-te",
    "co-so-giao-duc",
    "cu-tru",
    "dang-ky-xe",
    "doanh-nghiep",
    "giay-phep-lai-xe",
    "ho-kinh-doanh",
    "hoc-sinh",
    "ket-hon",
    "khai-sinh",
    "khai-tu",
    "nhan-khau",
    "thu-tuc-hanh-chinh",
    "thua-dat",
}
SEXES = [CodeListId(name) for name in ("gioi-tinh", "gioi-tinh-qd4750", "gioi-tinh-tu-dien")]


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.fixture(scope="module")
def mappings(dictionary: Dictionary) -> tuple[CodeMapping, ...]:
    return read_code_mappings(shipped_folder("dictionary"), dictionary)


def test_every_core_domain_has_its_datasets(dictionary: Dictionary) -> None:
    assert set(dictionary.datasets) >= CORE
    domains = {dataset.domain for dataset in dictionary.datasets.values()}
    assert domains == {"Con người", "Pháp nhân/Tổ chức", "Tài sản", "Địa chính", "Địa chỉ", "Nền địa lý"}


@pytest.mark.parametrize(("dataset", "fields"), [("khai-sinh", 15), ("khai-tu", 10)], ids=str)
def test_civil_status_has_the_fields_of_the_decision(dictionary: Dictionary, dataset: str, fields: int) -> None:
    members = [one.element for one in dictionary.datasets[DatasetId(dataset)].members if one.element != "IdBanGhi"]
    assert len(members) == fields


def test_a_marriage_does_not_claim_fields_that_could_not_be_read(dictionary: Dictionary) -> None:
    members = {one.element for one in dictionary.datasets[DatasetId("ket-hon")].members}
    assert not any("DangKy" in name or "SoGiay" in name for name in members)


def test_a_field_without_type_and_length_in_its_source_says_so(dictionary: Dictionary) -> None:
    for name in ("NoiSinh", "QueQuan", "NoiCuTru", "GiayToTuyThan", "CoQuanDangKyKhaiSinh"):
        told = dictionary.elements[ElementId(name)].technical_attributes
        assert set(told.values()) == {"chưa xác định"}


def test_the_old_identity_card_is_never_a_key(dictionary: Dictionary) -> None:
    old = DomainId("vd-so-cmnd")
    for dataset in dictionary.datasets.values():
        for member in dataset.members:
            if dictionary.elements[member.element].value_domain.id == old:
                assert not member.key
                assert not member.unique


def test_health_religion_and_ethnic_group_are_sensitive(dictionary: Dictionary) -> None:
    names = ("NhomMau", "ChieuCao", "CanNang", "MaLoaiKhuyetTat", "TonGiao", "DanToc", "DanTocVo", "DanTocChong")
    assert {dictionary.elements[ElementId(name)].sensitivity for name in names} == {Sensitivity.SENSITIVE_PERSONAL}


def test_required_fields_that_breed_junk_stand_as_a_conflict_and_not_as_a_rule(dictionary: Dictionary) -> None:
    members = {one.element: one for one in dictionary.datasets[DatasetId("co-so-giao-duc")].members}
    for name in ("Fax", "Website", "Email"):
        assert not members[ElementId(name)].required
        assert {conflict.descriptor for conflict in dictionary.elements[ElementId(name)].conflicts} == {"required"}


def test_two_forms_of_the_parcel_code_stand_side_by_side(dictionary: Dictionary) -> None:
    conflicts = dictionary.elements[ElementId("MaThuaDat")].conflicts
    assert {conflict.source.trust for conflict in conflicts} == {Trust.SECONDARY}
    assert len(conflicts) == 2


def test_procedures_are_those_of_the_annex_without_the_damaged_ones(dictionary: Dictionary) -> None:
    with ANNEX.open(encoding="utf-8", newline="") as file:
        written = {row["ma_tthc"] for row in csv.DictReader(file)}
    good = {code for code in written if re.fullmatch(r"[0-9]\.[0-9]{6}", code)}
    listed = {code.code for code in dictionary.code_lists[CodeListId("thu-tuc-hanh-chinh")].codes}
    assert len(written) == 766
    assert listed == good
    head = (shipped_folder("dictionary") / "codelists" / "thu-tuc-hanh-chinh.yaml").read_text(encoding="utf-8")
    assert all(damaged in head for damaged in written - good)


def test_the_agencies_of_2020_have_no_invented_end(dictionary: Dictionary) -> None:
    agencies = dictionary.code_lists[CodeListId("co-quan-2020")]
    assert not agencies.complete
    assert len(agencies.codes) == 26
    assert all(code.valid_to is None and not code.replaced_by for code in agencies.codes)
    assert any("sáp nhập" in (source.note or "") for source in agencies.sources)


def test_forty_four_kinds_of_insured_persons_are_known(dictionary: Dictionary) -> None:
    kinds = dictionary.code_lists[CodeListId("doi-tuong-bhyt")]
    assert len(kinds.codes) == 44
    assert not kinds.complete


def test_the_personal_tax_code_has_twelve_digits_beside_the_ten(dictionary: Dictionary) -> None:
    pattern = dictionary.domain_of(ElementId("MaSoThue")).pattern
    assert pattern is not None
    taken = [bool(re.search(pattern, text)) for text in ("0100109106", "0100109106-001", "096086001234")]
    refused = [bool(re.search(pattern, text)) for text in ("0100109106-000", "010010910", "0100109106001")]
    assert all(taken)
    assert not any(refused)


def test_every_code_of_sex_is_decided_for_both_other_codings(
    dictionary: Dictionary, mappings: tuple[CodeMapping, ...]
) -> None:
    decided = Counter((one.code_list, one.code, one.other_list) for one in mappings if one.code_list in SEXES)
    wanted = {
        (mine, code.code, other)
        for mine in SEXES
        for code in dictionary.code_lists[mine].codes
        for other in SEXES
        if other != mine
    }
    assert set(decided) == wanted
    assert set(decided.values()) == {1}


def test_an_exact_mapping_leads_back(mappings: tuple[CodeMapping, ...]) -> None:
    exact = {
        (one.code_list, one.code, one.other_list, one.other_code)
        for one in mappings
        if one.relation is Relation.EXACT
    }
    assert {(other, code, mine, own) for mine, own, other, code in exact} == exact


def test_every_ethnic_group_of_one_list_is_exactly_one_of_the_other(
    dictionary: Dictionary, mappings: tuple[CodeMapping, ...]
) -> None:
    old, new = CodeListId("dan-toc-1979"), CodeListId("dan-toc-tong-dieu-tra")
    forth, back = exact_codes(mappings, old, new), exact_codes(mappings, new, old)
    assert set(forth) == {one.code for one in dictionary.code_lists[old].codes}
    assert set(back) == {one.code for one in dictionary.code_lists[new].codes}
    assert {other: code for code, other in forth.items()} == back
    assert (forth["12"], forth["05"]) == ("11", "05")  # Ê Đê, Khmer


def test_other_and_unknown_sex_are_not_turned_into_each_other(mappings: tuple[CodeMapping, ...]) -> None:
    assert exact_codes(mappings, SEXES[1], SEXES[0]) == {"1": "1", "2": "2"}
    assert exact_codes(mappings, SEXES[2], SEXES[0]) == {"Nam": "1", "Nữ": "2"}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("gioi-tinh,9,gioi-tinh-qd4750,1,exact,own", "unknown-code"),
        ("gioi-tinh,1,khong-co,1,exact,own", "unknown-reference"),
        ("gioi-tinh,1,gioi-tinh-qd4750,,exact,own", "undecided"),
        ("gioi-tinh,1,gioi-tinh-qd4750,1,none,own", "undecided"),
        ("gioi-tinh,1,gioi-tinh-qd4750,1,same,own", "unknown-value"),
        ("gioi-tinh,1", "csv-row"),
        ("gioi-tinh,1,gioi-tinh-qd4750,1,exact,own\ngioi-tinh,1,gioi-tinh-qd4750,2,exact,own", "duplicate-value"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_line(
    dictionary: Dictionary, tmp_path: Path, row: str, rule: str
) -> None:
    (tmp_path / "code_mappings").mkdir()
    file = tmp_path / "code_mappings" / "x.csv"
    file.write_text(f"list,code,other_list,other_code,relation,source\n{row}\n", encoding="utf-8")
    with pytest.raises(DictionaryNotValid) as refusal:
        read_code_mappings(tmp_path, dictionary)
    assert rule in str(refusal.value)
    shutil.rmtree(tmp_path / "code_mappings")
    assert read_code_mappings(tmp_path, dictionary) == ()
