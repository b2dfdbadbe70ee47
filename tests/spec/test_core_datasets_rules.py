"""Every dataset of the dictionary can be standardised and judged: a good row passes, damage is found."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from check_samples import batch
from lienthong.check.engine import Checker
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Letter
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Datatype, ElementId, Relation
from lienthong.dictionary.shipped import shipped_folder
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.standardise.batch import Outcome
from lienthong.standardise.plan import build_plan

DICTIONARY = load(shipped_folder("dictionary"))

# A value that is right, as an agency may write it, by value domain.
WRITTEN = {
    "vd-so-dinh-danh": "096 190 012 345",
    "vd-so-cmnd": "271.450.001",
    "vd-ma-so-thue": "0100109106 - 001",
    "vd-ma-so-doanh-nghiep": "0100109106",
    "vd-the-bhyt": "dn 4 01 0120860538",
    "vd-ma-so-bhxh": "0120 860 538",
    "vd-so-ho-chieu": "b1234567",
    "vd-bien-so-xe": "29a-123.45",
    "vd-ma-thua-dat": "W7ER8U9EV9KK",
    "vd-ma-tthc": "1.010818",
    "vd-ma-co-so-kcb": "01001",
    "vd-ma-xa": "00004",
    "vd-ma-tinh": "01",
    "vd-ma-huyen": "001",
    "vd-dan-toc": "01",
    "vd-gioi-tinh": "Nữ",
    "vd-quoc-tich": "VN",
    "vd-ma-quoc-gia-dia-chi": "VNM",
    "vd-so-dien-thoai": "0912345678",
    "vd-thu-dien-tu": "truong@example.vn",
    "vd-dung-sai": "có",
    "vd-co-so-du-lieu": "dan-cu;ho-tich",
    "vd-co-quan-chu-quan": "bo-cong-an",
    "vd-ngay-sinh": "03/07/1990",
    "vd-ngay-thanh-lap": "1990",
}
BY_TYPE = {
    Datatype.DATE: "05/01/2007",
    Datatype.PARTIAL_DATE: "1990",
    Datatype.DECIMAL: "12.5",
    Datatype.INTEGER: "1",
    Datatype.TEXT: "An Giang",
    Datatype.CODE: "4661",
    Datatype.CODES: "4661",
}
# Where one row has several people, they differ; where it has several days, they come in their order.
WRITTEN_HERE = {
    ("khai-sinh", "SoDinhDanhMe"): "096 160 012 345",
    ("khai-sinh", "SoDinhDanhCha"): "096 058 012 345",
    ("ket-hon", "HoVaTenChong"): "Bình Dương",
    ("giay-phep-lai-xe", "NgayCap"): "05/01/2010",
    ("nguoi-nuoc-ngoai", "QuocTich"): "LA",
}
# Districts ended before the day of the sample batch; a code with no district behind it would be wrong as well.
LEFT_EMPTY = {ElementId("DiaChi_MaHuyen")}


def written(element: ElementId, dataset: str) -> str:
    if (dataset, element) in WRITTEN_HERE:
        return WRITTEN_HERE[dataset, element]
    domain = DICTIONARY.domain_of(element)
    if domain.identity.id in WRITTEN:
        return WRITTEN[domain.identity.id]
    if domain.code_list is not None:
        return DICTIONARY.code_lists[domain.code_list].codes[0].code
    return BY_TYPE[domain.datatype]


def standardised(dataset: str, **changed: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Standardise one row whose columns are named by their elements."""
    one = DICTIONARY.datasets[DatasetId(dataset)]
    raw = {m.element: None if m.element in LEFT_EMPTY else written(m.element, dataset) for m in one.members}
    raw |= {ElementId(name): value for name, value in changed.items()}
    mapping = Mapping(
        source=SourceId("nguon"),
        table=TableName(schema="public", table="bang"),
        dataset=DatasetId(dataset),
        owner="cơ quan thử",
        digest="0" * 64,
        columns=tuple(ColumnMapping(column=name, element=name, relation=Relation.EXACT) for name in raw),
    )
    plan = build_plan(DICTIONARY, one, mapping)
    done = plan.run(pl.DataFrame({name: pl.Series([value], dtype=pl.String) for name, value in raw.items()}))
    return done.values, done.outcomes


def letters(dataset: str, **changed: str | None) -> tuple[dict[str, str], bool]:
    values, outcomes = standardised(dataset, **changed)
    one = DICTIONARY.datasets[DatasetId(dataset)]
    rules = derive_rules(DICTIONARY, one)
    row: dict[str, Any] = values.row(0, named=True)
    said = {name: Outcome(outcome) for name, outcome in outcomes.row(0, named=True).items()}
    judged = Checker(DICTIONARY, rules).judge(
        batch(DICTIONARY, one, [row], outcomes=[said]), oversized=pl.Series([[]], dtype=pl.List(pl.String))
    )
    names = [rule.name for rule in rules.rules]
    return dict(zip(names, judged.judgement[0], strict=True)), bool(judged.quarantined[0])


def core() -> list[str]:
    return sorted(str(name) for name in DICTIONARY.datasets)


@pytest.mark.parametrize("dataset", core())
def test_a_row_as_agencies_write_it_is_accepted_without_findings(dataset: str) -> None:
    judged, quarantined = letters(dataset)
    assert [name for name, letter in judged.items() if letter in {Letter.FAIL, Letter.NOT_EVALUATED}] == []
    assert not quarantined


@pytest.mark.parametrize("dataset", core())
def test_a_row_without_its_key_is_held_back(dataset: str) -> None:
    key = DICTIONARY.datasets[DatasetId(dataset)].key[0]
    _, quarantined = letters(dataset, **{key: None})
    assert quarantined


@pytest.mark.parametrize(
    ("dataset", "element", "value", "rule"),
    [
        ("thay-giay-to", "MaTTHC", "1,010818", "CL05:ma_tthc"),
        ("cong-dan", "SoCMND", "12345678", "CL05:so_cmnd"),
        ("cong-dan", "SoCMND", "096190012345", "CL02:so_cmnd"),
        ("bao-hiem-y-te", "MaSoBHXH", "120860538", "CL05:ma_so_bhxh"),
        ("bao-hiem-y-te", "MaTheBHYT", "ZZ4010120860538", "CR21:ma_the_bhyt"),
        ("bao-hiem-y-te", "MaTheBHYT", "DN4010120860539", "CR23:ma_the_bhyt"),
        ("dang-ky-xe", "BienSoXe", "13A-12345", "CR22:bien_so_xe"),
        ("dang-ky-xe", "BienSoXe", "29A12345", "CL05:bien_so_xe"),
        ("thua-dat", "MaThuaDat", "u4pruydqqvj8", "CL02:ma_thua_dat"),
        ("thua-dat", "MaThuaDat", "w7er8u9evo1k", "CL05:ma_thua_dat"),
        ("ho-kinh-doanh", "MaSoThue", "0100109106-000", "CR20:ma_so_thue"),
        ("ho-kinh-doanh", "MaSoThue", "0100109107", "CR01:ma_so_thue"),
        ("thua-dat", "DienTichThuaDat", "0", "CL06:dien_tich_thua_dat"),
        ("thay-giay-to", "CoSoDuLieuThayThe", "công chứng", "UN01:co_so_du_lieu_thay_the"),
    ],
)
def test_damage_of_an_identifier_is_found(dataset: str, element: str, value: str, rule: str) -> None:
    judged, _ = letters(dataset, **{element: value})
    assert judged[rule] == Letter.FAIL


def test_a_household_business_may_pay_tax_under_a_personal_number() -> None:
    judged, quarantined = letters("ho-kinh-doanh", MaSoThue="096190012345")
    assert not quarantined
    assert Letter.FAIL not in judged.values()
