"""What differs between two dictionaries, how much it matters, and for whom it breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from governance_dictionary import write_dictionary
from lienthong.dictionary.affected import Usage, Using, affected
from lienthong.dictionary.changes import Action, Impact
from lienthong.dictionary.diff import compare, item_changes
from lienthong.dictionary.load import load
from lienthong.dictionary.model import (
    Code,
    CodeListId,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    ElementId,
    Member,
    Ref,
    Sensitivity,
    Status,
    Text,
)
from lienthong.wiring.releases import column_changes

TEN, MAU = ElementId("TenXe"), ElementId("MauXe")
TEXT, XE, COLOURS = DomainId("vd-ten-xe"), DatasetId("xe"), CodeListId("mau-xe")


@pytest.fixture
def before(tmp_path: Path) -> Dictionary:
    return load(write_dictionary(tmp_path / "before"))


def with_domain(dictionary: Dictionary, **facts: Any) -> Dictionary:
    domain = replace(dictionary.domains[TEXT], **facts)
    return replace(dictionary, domains={**dictionary.domains, TEXT: domain})


def with_element(dictionary: Dictionary, **facts: Any) -> Dictionary:
    return replace(dictionary, elements={**dictionary.elements, TEN: replace(dictionary.elements[TEN], **facts)})


def with_members(dictionary: Dictionary, *members: Member) -> Dictionary:
    return replace(dictionary, datasets={XE: replace(dictionary.datasets[XE], members=members)})


def with_codes(dictionary: Dictionary, *codes: Code) -> Dictionary:
    return replace(dictionary, code_lists={COLOURS: replace(dictionary.code_lists[COLOURS], codes=codes)})


def test_nothing_changed_is_no_difference(before: Dictionary):
    assert compare(before, before).changes == ()
    assert compare(before, before).impact is None


@pytest.mark.parametrize(
    ("old", "new", "impact", "text"),
    [
        ({"max_length": 50}, {"max_length": 40}, Impact.BREAKING, "length narrowed"),
        ({"max_length": 50}, {"max_length": 60}, Impact.EXTENDING, "length widened"),
        ({"min_length": None}, {"min_length": 2}, Impact.BREAKING, "least length added"),
        ({"min_length": 2}, {"min_length": 1}, Impact.EXTENDING, "least length widened"),
        ({"pattern": None}, {"pattern": "^[0-9]{2}$"}, Impact.BREAKING, "tightened"),
        ({"pattern": "^[0-9]{2}$"}, {"pattern": None}, Impact.EXTENDING, "lifted"),
        ({"pattern": "^([0-9]{2})$"}, {"pattern": "^([0-9]{2}|[A-Z])$"}, Impact.EXTENDING, "further forms"),
        ({"pattern": "^([0-9]{2}|[A-Z])$"}, {"pattern": "^([A-Z])$"}, Impact.BREAKING, "no longer admitted"),
        ({"pattern": "^[0-9]{2}$"}, {"pattern": "^[0-9]{1,2}$"}, Impact.BREAKING, "is another"),
        ({"pattern": "^a(b|c)d$"}, {"pattern": "^a(b|c|e)d$"}, Impact.BREAKING, "is another"),
        ({"minimum": "1"}, {"minimum": "2"}, Impact.BREAKING, "narrowed"),
        ({"maximum": "9"}, {"maximum": "10"}, Impact.EXTENDING, "widened"),
        ({"maximum": "2020-01-01"}, {"maximum": "2021-01-01"}, Impact.EXTENDING, "widened"),
        ({"maximum": "2020-01-01"}, {"maximum": "today"}, Impact.BREAKING, "is another"),
        ({"datatype": Datatype.TEXT}, {"datatype": Datatype.INTEGER}, Impact.BREAKING, "type"),
        ({"check_digit": None}, {"check_digit": "mst"}, Impact.BREAKING, "check digit added"),
        ({"unit": "m"}, {"unit": "km"}, Impact.BREAKING, "unit"),
        ({"precision": 20, "scale": 2}, {"precision": 22, "scale": 2}, Impact.EXTENDING, "more digits"),
        ({"precision": 20, "scale": 2}, {"precision": 20, "scale": 4}, Impact.BREAKING, "before the point"),
        ({"precision": 20, "scale": 2}, {"precision": 20, "scale": 1}, Impact.BREAKING, "after the point"),
        ({"label": Text(vi="Một")}, {"label": Text(vi="Hai")}, Impact.EDITORIAL, "changed"),
        ({"rdf_type": "xsd:string"}, {"rdf_type": "xsd:token"}, Impact.EXTENDING, "changed"),
    ],
)
def test_a_change_of_a_domain_is_judged(
    before: Dictionary, old: dict[str, Any], new: dict[str, Any], impact: Impact, text: str
):
    changes = compare(with_domain(before, **old), with_domain(before, **new)).changes
    assert [one.impact for one in changes] == [impact]
    assert text in changes[0].text
    assert changes[0].descriptor in new


@pytest.mark.parametrize(
    ("facts", "impact", "number"),
    [
        ({"technical_name": "ten_cua_xe"}, Impact.BREAKING, 15),
        ({"definition": Text(vi="Khác")}, Impact.EXTENDING, 3),
        ({"label": Text(vi="Khác")}, Impact.EDITORIAL, 2),
        ({"sensitivity": Sensitivity.SENSITIVE_PERSONAL}, Impact.BREAKING, None),
        ({"identifier": True}, Impact.BREAKING, None),
        ({"owner": "G09"}, Impact.EXTENDING, 8),
        ({"synonyms": ("Tên gọi",)}, Impact.EDITORIAL, 12),
        ({"value_domain": Ref(id="vd-mau-xe", version="1.0.0")}, Impact.BREAKING, 25),
    ],
)
def test_a_change_of_an_element_names_its_official_descriptor(
    before: Dictionary, facts: dict[str, Any], impact: Impact, number: int | None
):
    (change,) = compare(before, with_element(before, **facts)).changes
    assert (change.impact, change.number) == (impact, number)


def test_a_new_version_of_the_same_domain_has_the_impact_of_what_changed_in_it(before: Dictionary):
    ref = Ref(id=TEXT, version="1.1.0")
    wider = with_element(with_domain(before, max_length=60), value_domain=ref)
    assert compare(before, wider).impact is Impact.EXTENDING
    narrower = with_element(with_domain(before, max_length=40), value_domain=ref)
    assert {one.impact for one in compare(before, narrower).changes} == {Impact.BREAKING}


def test_an_item_that_is_gone_is_breaking_and_a_new_one_is_not(before: Dictionary):
    without = replace(before, elements={MAU: before.elements[MAU]})
    assert [(one.action, one.impact) for one in compare(before, without).changes] == [
        (Action.REMOVED, Impact.BREAKING)
    ]
    assert [(one.action, one.impact) for one in compare(without, before).changes] == [
        (Action.ADDED, Impact.EXTENDING)
    ]


def test_a_retired_item_is_told_with_its_day(before: Dictionary):
    identity = replace(before.elements[TEN].identity, status=Status.RETIRED, valid_to=date(2027, 1, 1))
    (change,) = compare(before, with_element(before, identity=identity)).changes
    assert (change.action, change.impact, change.effective) == (Action.RETIRED, Impact.BREAKING, date(2027, 1, 1))


def test_what_happened_to_codes_is_told_with_days(before: Dictionary):
    red, green = before.code_lists[COLOURS].codes
    new = Code(code="V", label=Text(vi="Vàng"), valid_from=date(2026, 1, 1))
    ended = replace(red, valid_to=date(2025, 1, 1), replaced_by=("V",))
    changes = compare(before, with_codes(before, ended, replace(green, label=Text(vi="Lục")), new)).changes
    told = {(one.code, one.action, one.impact, one.effective) for one in changes}
    assert ("D", Action.RETIRED, Impact.BREAKING, date(2025, 1, 1)) in told
    assert ("V", Action.ADDED, Impact.EXTENDING, date(2026, 1, 1)) in told
    assert ("X", Action.CHANGED, Impact.EXTENDING, date(2000, 1, 1)) in told


def test_a_code_removed_is_breaking(before: Dictionary):
    red, _ = before.code_lists[COLOURS].codes
    (change,) = compare(before, with_codes(before, red)).changes
    assert (change.action, change.impact, change.code) == (Action.REMOVED, Impact.BREAKING, "X")


def test_each_period_of_a_code_is_compared_with_itself(before: Dictionary):
    red, green = before.code_lists[COLOURS].codes
    again = replace(green, valid_from=date(2022, 1, 1), valid_to=None, label=Text(vi="Xanh lá"))
    (change,) = compare(before, with_codes(before, red, green, again)).changes
    assert (change.code, change.action, change.effective) == ("X", Action.ADDED, date(2022, 1, 1))


@pytest.mark.parametrize(
    ("member", "impact", "text"),
    [
        (Member(element=MAU, required=True), Impact.BREAKING, "became required"),
        (Member(element=MAU, unique=True), Impact.BREAKING, "became unique"),
        (Member(element=MAU, many=True), Impact.BREAKING, "several values"),
    ],
)
def test_a_stricter_field_of_a_dataset_is_breaking(before: Dictionary, member: Member, impact: Impact, text: str):
    key = before.datasets[XE].members[0]
    (change,) = compare(before, with_members(before, key, member)).changes
    assert (change.impact, change.member) == (impact, MAU)
    assert text in change.text


def test_a_field_in_another_place_is_editorial(before: Dictionary):
    first, second = before.datasets[XE].members
    assert compare(before, with_members(before, second, first)).impact is Impact.EDITORIAL


def test_an_optional_field_added_extends_and_a_required_one_breaks(before: Dictionary):
    first, second = before.datasets[XE].members
    less = with_members(before, first)
    assert compare(less, before).impact is Impact.EXTENDING
    assert compare(less, with_members(before, first, replace(second, required=True))).impact is Impact.BREAKING


def test_a_lost_conflict_is_seen(before: Dictionary):
    changes = item_changes("data-element", before.elements[TEN], replace(before.elements[TEN], conflicts=()))
    assert [one.descriptor for one in changes] == ["conflicts"]


MAPPING = Usage(using=Using.MAPPING, name="nguon: public.xe.ten", who="Sở A", dataset=XE, elements=frozenset({TEN}))
GRANT = Usage(using=Using.GRANT, name="grant 1", who="G09", dataset=XE, elements=frozenset({MAU}))


def test_a_narrower_domain_breaks_the_columns_mapped_to_it_and_nobody_else(before: Dictionary):
    after = with_domain(before, max_length=10)
    found = affected(compare(before, after).changes, [MAPPING, GRANT], before=before, after=after)
    assert [(one.usage.name, one.element) for one in found] == [("nguon: public.xe.ten", TEN)]


def test_an_ended_code_breaks_those_who_use_elements_with_its_list(before: Dictionary):
    red, green = before.code_lists[COLOURS].codes
    after = with_codes(before, replace(red, valid_to=date(2025, 1, 1)), green)
    found = affected(compare(before, after).changes, [MAPPING, GRANT], before=before, after=after)
    assert [one.usage.who for one in found] == ["G09"]


def test_what_extends_breaks_for_nobody(before: Dictionary):
    after = with_domain(before, max_length=99)
    assert affected(compare(before, after).changes, [MAPPING, GRANT], before=before, after=after) == ()


def test_a_required_field_breaks_a_mapping_that_lacks_it(before: Dictionary):
    less = with_members(before, before.datasets[XE].members[0])
    after = with_members(before, before.datasets[XE].members[0], Member(element=MAU, required=True))
    found = affected(compare(less, after).changes, [MAPPING], before=less, after=after)
    assert [(one.usage.using, one.element) for one in found] == [(Using.MAPPING, MAU)]


def test_a_dataset_that_is_renamed_breaks_for_all_its_users(before: Dictionary):
    after = replace(before, datasets={XE: replace(before.datasets[XE], table="xe_co")})
    found = affected(compare(before, after).changes, [MAPPING, GRANT], before=before, after=after)
    assert {one.usage.who for one in found} == {"Sở A", "G09"}


def test_a_domain_exchanged_for_another_breaks_once(before: Dictionary):
    after = with_element(before, value_domain=Ref(id="vd-mau-xe", version="1.0.0"))
    found = affected(compare(before, after).changes, [MAPPING, GRANT], before=before, after=after)
    assert [one.usage.who for one in found] == ["Sở A"]


def test_columns_of_the_centre_that_change_type_are_named(before: Dictionary):
    number = with_domain(
        before, datatype=Datatype.DECIMAL, max_length=None, precision=20, scale=2, standardiser="decimal"
    )
    (change,) = column_changes(before, number)
    assert (change.table, change.column, change.before, change.after) == (
        "dataset.xe",
        "ten_xe",
        "text",
        "numeric(20,2)",
    )


def test_a_renamed_field_is_a_column_gone_and_a_column_come(before: Dictionary):
    found = column_changes(before, with_element(before, technical_name="ten_cua_xe"))
    assert [(one.column, one.before, one.after) for one in found] == [
        ("ten_xe", "text", None),
        ("ten_cua_xe", None, "text"),
    ]
