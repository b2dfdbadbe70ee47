"""What a term sheet says is what it was written from: nothing is lost in 25 columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.adapters.spreadsheet import read_workbook, write_workbook
from lienthong.dictionary.exports import cells
from lienthong.dictionary.exports.selection import chosen_datasets
from lienthong.dictionary.exports.term_columns import COLUMNS, term_row
from lienthong.dictionary.exports.term_reading import read_workbook_terms
from lienthong.dictionary.exports.term_sheet import TERM_SHEET, dictionary_workbook
from lienthong.dictionary.exports.workbook import FoundSheet
from lienthong.dictionary.load import load
from lienthong.dictionary.model import (
    Conflict,
    Dictionary,
    Element,
    ElementId,
    Identity,
    Level,
    OutsideMapping,
    Ref,
    Relation,
    Sensitivity,
    Source,
    Status,
    Text,
    Trust,
)
from lienthong.dictionary.shipped import shipped_folder

DAY = date(2026, 1, 1)

words = (
    st.text(alphabet="aăđêôơưÀỆỹ Bcz019:#'\"-?[]{}()&*!|>%@,.=~\\\n_x", min_size=1, max_size=20)
    .map(lambda text: normalize("NFC", text.strip()))
    .filter(bool)
) | st.sampled_from(["chưa xác định", "[en] x", "[nguồn]", "a | b", "a: b", "\\n", "=1+1", "x (close)", "_x0041_"])
texts = st.builds(Text, vi=words, en=st.none() | words)
# An object no element of the dictionary speaks of: one concept in one domain has one element.
concepts = st.from_regex(r"mau-thu\.[a-z0-9]{1,8}(-[a-z0-9]{1,5})?", fullmatch=True)
sources = st.builds(
    Source,
    document=words,
    trust=st.sampled_from(Trust),
    article=st.none() | words,
    address=st.none() | words,
    note=st.none() | words,
)
lists_of_words = st.lists(words, max_size=3, unique=True).map(tuple)
days = st.none() | st.dates(date(1900, 1, 1), date(2000, 1, 1))
names = st.dictionaries(words, words | st.just(""), max_size=3)

elements = st.builds(
    Element,
    identity=st.builds(
        Identity,
        id=st.just("MauXe"),
        version=st.sampled_from(["1.2.3", "0.0.1"]),
        status=st.just(Status.PROPOSED),
        level=st.sampled_from(Level),
        valid_from=days,
        valid_to=st.none() | st.dates(date(2000, 1, 2), date(2100, 1, 1)),
    ),
    label=texts,
    # Two definitions that agree are refused, so this one is told apart from those of the dictionary.
    definition=texts.map(lambda text: Text(vi=f"Mẫu thử 77: {text.vi}.", en=text.en)),
    concept=concepts,
    value_domain=st.sampled_from(["vd-ho-ten", "vd-gioi-tinh", "vd-so-tien-dong", "vd-ngay-sinh"]).map(
        lambda name: Ref(id=name, version="1.0.0")
    ),
    technical_name=st.just("mau_xe"),
    usage=st.none() | texts,
    group=st.none() | texts,
    entity_relation=st.none() | words,
    creator=st.none() | words,
    owner=st.none() | words,
    languages=st.sampled_from([("vi",), ("vi", "en"), ("en",)]),
    legal_basis=st.lists(sources, max_size=2).map(tuple),
    synonyms=lists_of_words,
    abbreviations=lists_of_words,
    related=st.sampled_from([(), ("HoVaTen",), ("NgaySinh", "HoVaTen")]),
    business_attributes=names,
    technical_attributes=names,
    mappings=st.lists(st.builds(OutsideMapping, to=words, relation=st.sampled_from(Relation)), max_size=2).map(tuple),
    sensitivity=st.sampled_from(Sensitivity),
    identifier=st.booleans(),
    sources=st.lists(sources, min_size=1, max_size=2).map(tuple),
    conflicts=st.lists(st.builds(Conflict, descriptor=words, value=words, source=sources), max_size=2).map(tuple),
)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def with_element(dictionary: Dictionary, element: Element) -> Dictionary:
    return replace(dictionary, elements={**dictionary.elements, ElementId(element.identity.id): element})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(elements)
def test_a_term_survives_its_25_cells(dictionary: Dictionary, element: Element) -> None:
    row = term_row(with_element(dictionary, element), element)
    assert len(row) == len(COLUMNS) == 25
    assert all(row)
    sheet = FoundSheet(name=TERM_SHEET, rows=(COLUMNS, row))
    found = read_workbook_terms(dictionary, [sheet], file="t.xlsx")
    assert found.faults == ()
    assert found.elements == (element,)
    assert [one.path for one in found.proposals] == ["elements/MauXe.yaml"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(elements)
def test_a_term_survives_a_real_spreadsheet(dictionary: Dictionary, tmp_path: Path, element: Element) -> None:
    sheets = dictionary_workbook(with_element(dictionary, element), [], everything=False)
    row = term_row(with_element(dictionary, element), element)
    terms = next(one for one in sheets if one.name == TERM_SHEET)
    path = tmp_path / "t.xlsx"
    path.write_bytes(write_workbook([replace(terms, rows=(COLUMNS, row))], created=DAY))
    found = read_workbook_terms(dictionary, read_workbook(path), file="t.xlsx")
    assert found.faults == ()
    assert found.elements == (element,)


def test_the_whole_shipped_dictionary_survives_a_real_spreadsheet(dictionary: Dictionary, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    sheets = dictionary_workbook(dictionary, chosen_datasets(dictionary, []))
    path.write_bytes(write_workbook(sheets, created=DAY))
    found = read_workbook_terms(dictionary, read_workbook(path), file="t.xlsx")
    assert found.faults == ()
    assert {one.identity.id: one for one in found.elements} == dictionary.elements
    assert {one.identity.id: one for one in found.code_lists} == dictionary.code_lists
    assert found.proposals == ()
    assert found.unchanged == len(dictionary.elements) + len(dictionary.code_lists)


@given(texts)
def test_a_text_survives_its_cell(text: Text) -> None:
    read = cells.read_text(cells.text_cell(text))
    assert Text(vi=read["vi"], en=read.get("en")) == text


@given(words)
def test_an_escaped_text_stands_on_one_line_and_begins_no_tag(text: str) -> None:
    line = cells.escaped(text)
    assert "\n" not in line
    assert not line.startswith("[")
    assert cells.unescaped(line) == text


@given(st.lists(words, min_size=1, max_size=4))
def test_parts_of_a_line_are_told_apart(parts: list[str]) -> None:
    line = cells.BETWEEN_PARTS.join(cells.escaped(one, also="|") for one in parts)
    assert [cells.unescaped(one) for one in cells.split(line, cells.BETWEEN_PARTS)] == parts


@given(st.text(max_size=60), st.integers(0, 24))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_cell_breaks_the_reader(dictionary: Dictionary, cell: str, column: int) -> None:
    row = list(term_row(dictionary, dictionary.elements[ElementId("HoVaTen")]))
    row[column] = cell
    found = read_workbook_terms(dictionary, [FoundSheet(name="s", rows=(COLUMNS, tuple(row)))], file="t.xlsx")
    assert found.faults or found.elements
    assert all(fault.row == 2 for fault in found.faults)
