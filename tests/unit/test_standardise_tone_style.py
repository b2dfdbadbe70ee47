"""The place of tone marks: kept, or as the value domain decides; what is compared has one style always."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.dictionary.documents import read_document
from lienthong.dictionary.items import STANDARDISERS, TONED, value_domain
from lienthong.dictionary.model import (
    Code,
    CodeList,
    DatasetId,
    Datatype,
    ElementId,
    Identity,
    Level,
    Relation,
    Status,
    Text,
    ValueDomain,
)
from lienthong.dictionary.refusals import Problem
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.standardise.batch import Outcome
from lienthong.standardise.code_lookup import CodeLookup
from lienthong.standardise.kernel import KernelContext
from lienthong.standardise.plan import build_plan
from lienthong.standardise.references.registry import Registry
from lienthong.standardise.references.spelling import words
from lienthong.standardise.registry import all_kernels
from lienthong.standardise.tone_marks import ToneStyle, matching_key, place
from lienthong.testing.fakes import small_dictionary

IDENTITY = Identity(id="thu", version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)
KEPT, MOVED = Outcome.UNCHANGED.value, Outcome.CHANGED.value
SYLLABLES = st.sampled_from(["Hòa", "Hoà", "Thúy", "Thuý", "Khỏe", "Nguyễn", "Quý", "Văn", "Đăk", "Hoàn"])


def run(kernel: str, style: str | None, *values: str | None) -> tuple[list[str | None], list[int]]:
    domain = ValueDomain(
        identity=IDENTITY,
        label=Text(vi="thử"),
        datatype=Datatype.TEXT,
        rdf_type="xsd:string",
        max_length=200,
        standardiser=kernel,
        tone_style=style,
    )
    done = all_kernels()[kernel].run(pl.Series("c", values, dtype=pl.String), KernelContext(domain=domain))
    return done.values.to_list(), done.outcomes.to_list()


@pytest.mark.parametrize("kernel", sorted(TONED))
@pytest.mark.parametrize("style", [None, "keep"])
def test_without_a_decision_the_marks_stay(kernel, style):
    assert run(kernel, style, "Hòa Bình", "Hoà Bình") == (["Hòa Bình", "Hoà Bình"], [KEPT, KEPT])


@pytest.mark.parametrize("kernel", sorted(TONED))
def test_a_value_domain_decides_for_a_style(kernel):
    both = ("Hòa Bình", "Hoà Bình", None)
    assert run(kernel, "new", *both) == (["Hoà Bình", "Hoà Bình", None], [MOVED, KEPT, Outcome.EMPTY.value])
    assert run(kernel, "old", *both) == (["Hòa Bình", "Hòa Bình", None], [KEPT, MOVED, Outcome.EMPTY.value])


def test_a_refused_value_stays_refused():
    assert run("person-name", "new", "Hòa 2") == ([None], [Outcome.REFUSED.value])


@given(st.lists(SYLLABLES, min_size=1, max_size=4).map(" ".join), st.sampled_from(["old", "new"]))
def test_placing_marks_twice_changes_nothing(name: str, style: str) -> None:
    (once,), _ = run("organisation-name", style, name)
    assert run("organisation-name", style, once) == ([once], [KEPT])


def test_kernels_that_place_marks_are_kernels_of_text():
    assert {STANDARDISERS[name] for name in TONED} == {Datatype.TEXT}


def test_the_plan_says_that_marks_are_placed():
    dictionary = small_dictionary()
    element = ElementId("HoVaTen")
    domain = replace(dictionary.domain_of(element), standardiser="person-name", tone_style="old")
    dictionary = replace(dictionary, domains={**dictionary.domains, domain.identity.id: domain})
    mapping = Mapping(
        source=SourceId("s"),
        table=TableName(schema="public", table="t"),
        dataset=DatasetId("nhan-khau"),
        owner="x",
        columns=(ColumnMapping(column="ten", element=element, relation=Relation.EXACT),),
        digest="",
    )
    made = build_plan(dictionary, dictionary.datasets[DatasetId("nhan-khau")], mapping)
    assert made.versions["ho_va_ten"].split(" ")[1].startswith("tone-old@")
    done = made.run(pl.DataFrame({"ten": ["Trần Thuý Hoà"]}))
    assert done.values["ho_va_ten"].to_list() == ["Trần Thúy Hòa"]


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────


def test_matching_keys_are_the_same_in_both_styles():
    names = pl.Series(["Trần Thị Hoà", "Nguyễn Thuý", "Khoẻ", "Uỷ ban"])
    assert matching_key(place(names, ToneStyle.OLD)).equals(matching_key(place(names, ToneStyle.NEW)))


def test_codes_are_looked_up_in_both_styles():
    code_list = CodeList(
        identity=IDENTITY,
        label=Text(vi="thử"),
        codes=(
            Code(code="1", label=Text(vi="Góa"), valid_from=None),
            Code(code="2", label=Text(vi="Khoẻ"), valid_from=None),
        ),
        aliases=(("thuỷ", "3"),),
    )
    found = CodeLookup.of(code_list).resolve(pl.Series(["Goá", "góa", "KHỎE", "khoẻ", "Thủy", "Thuỷ"]))
    assert found.codes.to_list() == ["1", "1", "2", "2", "3", "3"]


def test_references_are_matched_in_both_styles():
    assert words("Bộ Y tế, Uỷ ban Hoà Bình") == words("Bộ Y tế, Ủy ban Hòa Bình")
    code_list = CodeList(
        identity=IDENTITY,
        label=Text(vi="thử"),
        codes=(Code(code="H", label=Text(vi="Sở Thuỷ lợi Khánh Hoà"), valid_from=None),),
    )
    registry = Registry.of(code_list)
    assert set(registry.phrases) >= {words("Sở Thủy lợi Khánh Hòa")}


@pytest.mark.parametrize(("style", "kernel"), [("newest", "text"), ("new", "tax-code")])
def test_a_domain_that_cannot_place_marks_so_is_refused(style, kernel):
    lines = {
        "datatype": "text", "id": "vd-thu", "label": "{vi: thử}", "level": "national", "max_length": "20",
        "rdf_type": "xsd:string", "sources": "[]", "standardiser": kernel, "status": "proposed", "tone_style": style,
        "version": "1.0.0",
    }  # fmt: skip
    problems: list[Problem] = []
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    document = read_document("vd-thu.yaml", text, problems)
    assert document is not None
    value_domain(document, "vd-thu")
    assert "tone" in str(problems)
