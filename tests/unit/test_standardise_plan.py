"""How dictionary and mapping become a plan, and what a batch becomes by it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from lienthong.dictionary.model import (
    Code,
    CodeList,
    CodeListId,
    Dataset,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Identity,
    Level,
    Member,
    Ref,
    Relation,
    Sensitivity,
    Status,
    Text,
    ValueDomain,
)
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.standardise import plan as plan_module
from lienthong.standardise.batch import Outcome
from lienthong.standardise.plan import (
    VALUE_BYTES_MAX,
    ColumnMissing,
    ElementMappedTwice,
    ElementOutsideDataset,
    FormUnknown,
    KernelUnknown,
    ScaleUnknown,
    StandardiserPlan,
    build_plan,
    schema_of,
)

MEMBERS: dict[str, tuple[str, Datatype, str]] = {
    "HoVaTen": ("ho_va_ten", Datatype.TEXT, "person-name"),
    "NgayCap": ("ngay_cap", Datatype.DATE, "date"),
    "VonDieuLe": ("von_dieu_le", Datatype.DECIMAL, "decimal"),
    "GioiTinh": ("gioi_tinh", Datatype.CODE, "code"),
    "NganhNghe": ("nganh_nghe", Datatype.CODES, "codes"),
    "GhiChu": ("ghi_chu", Datatype.TEXT, "text"),
}
COLUMNS = {"ten": "HoVaTen", "ngay": "NgayCap", "von": "VonDieuLe", "phai": "GioiTinh", "nganh": "NganhNghe"}


def identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)


def dictionary_of(**standardisers: str) -> Dictionary:
    """Build a dictionary of six elements; keywords replace a standardiser by element."""
    domains = {
        DomainId(f"vd-{code}"): ValueDomain(
            identity=identity(f"vd-{code}"),
            label=Text(vi=code),
            datatype=datatype,
            rdf_type="xsd:string",
            precision=20 if datatype is Datatype.DECIMAL else None,
            scale=2 if datatype is Datatype.DECIMAL else None,
            code_list=CodeListId("gioi-tinh") if code == "GioiTinh" else None,
            standardiser=standardisers.get(code, kernel),
        )
        for code, (_, datatype, kernel) in MEMBERS.items()
    }
    elements = {
        ElementId(code): Element(
            identity=identity(code),
            label=Text(vi=code),
            definition=Text(vi=code),
            concept=code,
            value_domain=Ref(id=f"vd-{code}", version="1.0.0"),
            technical_name=name,
            business_attributes={},
            technical_attributes={},
            sensitivity=Sensitivity.INTERNAL,
        )
        for code, (name, _, _) in MEMBERS.items()
    }
    dataset = Dataset(
        identity=identity("thu"),
        label=Text(vi="thử"),
        definition=Text(vi="thử"),
        table="thu",
        domain="thử",
        members=tuple(Member(element=element) for element in elements),
    )
    sexes = CodeList(
        identity=identity("gioi-tinh"),
        label=Text(vi="giới tính"),
        codes=(Code(code="1", label=Text(vi="Nam"), valid_from=None),),
    )
    return Dictionary(
        version="1.0.0",
        digest="",
        elements=elements,
        domains=domains,
        code_lists={CodeListId("gioi-tinh"): sexes},
        datasets={DatasetId("thu"): dataset},
    )


def mapping_of(*columns: ColumnMapping) -> Mapping:
    return Mapping(
        source=SourceId("ca-mau"),
        table=TableName(schema="public", table="thu"),
        dataset=DatasetId("thu"),
        owner="cơ quan",
        columns=columns,
        digest="",
    )


def column(name: str, element: str | None, form: str | None = None) -> ColumnMapping:
    mapped = None if element is None else ElementId(element)
    return ColumnMapping(column=name, element=mapped, relation=Relation.EXACT, form=form, reason="thử")


ALL_COLUMNS = tuple(column(name, element) for name, element in COLUMNS.items())


def plan_of(*columns: ColumnMapping, dictionary: Dictionary | None = None) -> StandardiserPlan:
    known = dictionary or dictionary_of()
    return build_plan(known, known.datasets[DatasetId("thu")], mapping_of(*(columns or ALL_COLUMNS)))


def rows(**changes: list[str | None]) -> pl.DataFrame:
    plain: dict[str, list[str | None]] = {
        "ten": ["NGUYỄN VĂN AN", None],
        "ngay": ["03/07/1990", "31/02/1980"],
        "von": ["1.000.000", "1.234"],
        "phai": ["nam", "9"],
        "nganh": ["4661:Bán buôn, lẻ,5022:Vận tải", ""],
    }
    return pl.DataFrame({**plain, **changes}, schema=dict.fromkeys({**plain, **changes}, pl.String))


def test_a_batch_comes_out_in_the_words_and_types_of_the_dictionary() -> None:
    done = plan_of().run(rows())
    assert done.values.to_dicts() == [
        {
            "ho_va_ten": "Nguyễn Văn An",
            "ngay_cap": date(1990, 7, 3),
            "von_dieu_le": Decimal("1000000.00"),
            "gioi_tinh": "1",
            "nganh_nghe": ["4661", "5022"],
            "ghi_chu": None,
        },
        {
            "ho_va_ten": None,
            "ngay_cap": None,
            "von_dieu_le": None,
            "gioi_tinh": "9",
            "nganh_nghe": None,
            "ghi_chu": None,
        },
    ]


def test_every_value_has_an_outcome() -> None:
    done = plan_of().run(rows())
    assert [[Outcome(outcome).name for outcome in row] for row in done.outcomes.rows()] == [
        ["CHANGED", "CHANGED", "CHANGED", "CHANGED", "CHANGED", "EMPTY"],
        ["EMPTY", "REFUSED", "AMBIGUOUS", "UNCHANGED", "EMPTY", "EMPTY"],
    ]


def test_the_schema_follows_from_the_dictionary_alone() -> None:
    known = dictionary_of()
    schema = schema_of(known, known.datasets[DatasetId("thu")])
    plan = plan_of()
    assert dict(plan.schema) == schema
    assert dict(plan.run(rows()).values.schema) == schema
    assert schema["von_dieu_le"] == pl.Decimal(38, 2)


@pytest.mark.parametrize("height", [0, 1])
def test_columns_without_a_source_are_empty_and_typed(height: int) -> None:
    done = plan_of(column("ten", "HoVaTen")).run(pl.DataFrame({"ten": ["A"] * height}, schema={"ten": pl.String}))
    assert dict(done.values.schema) == dict(plan_of().schema)
    assert done.outcomes["ngay_cap"].to_list() == [Outcome.EMPTY] * height
    assert done.values.height == done.outcomes.height == done.oversized.len() == height


def test_a_value_over_the_limit_is_refused_and_its_column_named() -> None:
    long = "A" * (VALUE_BYTES_MAX + 1)
    done = plan_of().run(rows(ten=["AN", long], ngay=["03/07/1990", long]))
    assert done.values["ho_va_ten"].to_list() == ["An", None]
    assert done.outcomes["ho_va_ten"].to_list() == [Outcome.CHANGED, Outcome.REFUSED]
    assert done.outcomes["ngay_cap"].to_list() == [Outcome.CHANGED, Outcome.REFUSED]
    assert done.oversized.to_list() == [[], ["ten", "ngay"]]


def test_a_value_of_the_limit_is_kept() -> None:
    done = plan_of(column("ten", "GhiChu")).run(pl.DataFrame({"ten": ["A" * VALUE_BYTES_MAX]}))
    assert done.outcomes["ghi_chu"].to_list() == [Outcome.UNCHANGED]
    assert done.oversized.to_list() == [[]]


def test_the_limit_counts_bytes_not_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "VALUE_BYTES_MAX", 4)
    done = plan_of(column("ten", "GhiChu")).run(pl.DataFrame({"ten": ["abcd", "ễễ"]}))
    assert done.outcomes["ghi_chu"].to_list() == [Outcome.UNCHANGED, Outcome.REFUSED]


def test_an_oversized_value_of_a_column_without_element_is_named_too() -> None:
    long = "A" * (VALUE_BYTES_MAX + 1)
    done = plan_of(column("ten", "HoVaTen"), column("anh", None)).run(pl.DataFrame({"ten": ["A"], "anh": [long]}))
    assert done.oversized.to_list() == [["anh"]]
    assert done.outcomes["ho_va_ten"].to_list() == [Outcome.UNCHANGED]


def test_the_form_of_the_mapping_reaches_the_kernel() -> None:
    frame = pl.DataFrame({"ngay": ["35614"]})
    plain = plan_of(column("ngay", "NgayCap")).run(frame)
    serial = plan_of(column("ngay", "NgayCap", "excel-serial")).run(frame)
    assert plain.outcomes["ngay_cap"].to_list() == [Outcome.REFUSED]
    assert serial.values["ngay_cap"].to_list() == [date(1997, 7, 3)]


def test_a_form_the_kernel_does_not_know_is_refused_when_the_plan_is_built() -> None:
    with pytest.raises(FormUnknown) as refusal:
        plan_of(column("ngay", "NgayCap", "month-first"))
    assert refusal.value.code == "STD-001"
    assert "excel-serial" in refusal.value.remedy


def test_a_form_of_another_kernel_is_refused() -> None:
    with pytest.raises(FormUnknown):
        plan_of(column("ten", "HoVaTen", "excel-serial"))


@pytest.mark.parametrize("kernel", ["khong-co", "date"])
def test_a_domain_without_a_fitting_kernel_is_refused(kernel: str) -> None:
    with pytest.raises(KernelUnknown) as refusal:
        plan_of(dictionary=dictionary_of(HoVaTen=kernel))
    assert refusal.value.code == "STD-002"
    assert "person-name" in refusal.value.remedy


def test_two_columns_for_one_element_are_refused() -> None:
    with pytest.raises(ElementMappedTwice, match="ten, ten_khac"):
        plan_of(column("ten", "HoVaTen"), column("ten_khac", "HoVaTen"))


def test_a_column_for_an_element_outside_the_dataset_is_refused() -> None:
    with pytest.raises(ElementOutsideDataset, match="MaSoThue"):
        plan_of(column("ma", "MaSoThue"))


def test_rows_without_a_mapped_column_are_refused_by_name_of_the_column() -> None:
    with pytest.raises(ColumnMissing, match="public.thu of ca-mau came without the mapped columns: ngay, von"):
        plan_of().run(rows().drop("ngay", "von"))


@pytest.mark.parametrize(("precision", "scale"), [(20, None), (2, 3), (39, 2)])
def test_a_decimal_domain_whose_digits_do_not_fit_is_refused(precision: int, scale: int | None) -> None:
    known = dictionary_of()
    good = known.domains[DomainId("vd-VonDieuLe")]
    bad = ValueDomain(
        identity=good.identity,
        label=good.label,
        datatype=Datatype.DECIMAL,
        rdf_type="xsd:decimal",
        precision=precision,
        scale=scale,
        standardiser="decimal",
    )
    broken = Dictionary(
        version="1.0.0",
        digest="",
        elements=known.elements,
        domains={**known.domains, DomainId("vd-VonDieuLe"): bad},
        code_lists=known.code_lists,
        datasets=known.datasets,
    )
    with pytest.raises(ScaleUnknown):
        plan_of(dictionary=broken)


def test_the_plan_says_which_version_of_which_kernel_made_a_column() -> None:
    versions = plan_of(column("ten", "HoVaTen")).versions
    assert versions == {"ho_va_ten": "person-name@1.0.0"}
