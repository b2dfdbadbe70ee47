"""Laws of the dictionary that hold for every item."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from unicodedata import normalize

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lienthong.dictionary import items
from lienthong.dictionary.canonical import canonical_json, item_hash, plain
from lienthong.dictionary.code_tables import read_codes
from lienthong.dictionary.codes import codes_on, lookup
from lienthong.dictionary.documents import read_document
from lienthong.dictionary.load import load
from lienthong.dictionary.model import (
    Code,
    CodeList,
    Conflict,
    Dictionary,
    Element,
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
from lienthong.dictionary.patterns import pattern_fault
from lienthong.dictionary.refusals import Problem
from lienthong.dictionary.shipped import shipped_folder
from lienthong.dictionary.writing import as_yaml, codes_csv

words = (
    st.text(alphabet="aăâđêôơưÀỆỹ Bcz019:#'\"-?[]{}&*!|>%@,.=~", min_size=1, max_size=30)
    .map(lambda text: normalize("NFC", text.strip()))
    .filter(bool)
)
texts = st.builds(Text, vi=words, en=st.none() | words)
# An object no element of the dictionary speaks of: one concept in one domain has one element.
concepts = st.from_regex(r"mau-thu\.[a-z0-9]{1,8}(-[a-z0-9]{1,5})?", fullmatch=True)
sources = st.builds(
    Source, document=words, trust=st.sampled_from(Trust), article=st.none() | words, note=st.none() | words
)
lists_of_words = st.lists(words, max_size=3, unique=True).map(tuple)
days = st.none() | st.dates(date(1900, 1, 1), date(2000, 1, 1))

elements = st.builds(
    Element,
    identity=st.builds(
        Identity,
        id=st.just("MauXe"),
        version=st.just("1.2.3"),
        status=st.sampled_from([status for status in Status if status is not Status.SUPERSEDED]),
        level=st.sampled_from(Level),
        valid_from=days,
        valid_to=st.none() | st.dates(date(2000, 1, 2), date(2100, 1, 1)),
    ),
    label=texts,
    definition=texts,
    concept=concepts,
    value_domain=st.just(Ref(id="vd-mau", version="1.0.0")),
    technical_name=st.just("mau_xe"),
    usage=st.none() | texts,
    group=st.none() | texts,
    owner=st.none() | words,
    legal_basis=st.lists(sources, max_size=2).map(tuple),
    synonyms=lists_of_words,
    abbreviations=lists_of_words,
    business_attributes=st.dictionaries(words, words, max_size=3),
    technical_attributes=st.dictionaries(words, words, max_size=3),
    mappings=st.lists(st.builds(OutsideMapping, to=words, relation=st.sampled_from(Relation)), max_size=2).map(tuple),
    sensitivity=st.sampled_from(Sensitivity),
    identifier=st.booleans(),
    sources=st.lists(sources, min_size=1, max_size=2).map(tuple),
    conflicts=st.lists(st.builds(Conflict, descriptor=words, value=words, source=sources), max_size=2).map(tuple),
)


@given(elements)
def test_an_element_survives_being_written_and_read(element: Element) -> None:
    problems: list[Problem] = []
    document = read_document("elements/MauXe.yaml", as_yaml(element), problems)
    assert problems == []
    assert document is not None
    again = items.element(document, "MauXe")
    assert problems == []
    assert again == element
    assert item_hash(again) == item_hash(element)


@given(elements, st.randoms(use_true_random=False))
def test_a_hash_does_not_depend_on_the_order_of_keys(element: Element, random: object) -> None:
    pairs = list(element.business_attributes.items())
    random.shuffle(pairs)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    assert item_hash(replace(element, business_attributes=dict(pairs))) == item_hash(element)


@given(elements, words)
def test_a_hash_changes_with_the_content(element: Element, added: str) -> None:
    changed = replace(element, definition=Text(vi=element.definition.vi + added, en=element.definition.en))
    assert item_hash(changed) != item_hash(element)


@given(elements)
def test_the_hashed_bytes_are_plain_canonical_json(element: Element) -> None:
    """Anyone can compute them with a standard library."""
    expected = json.dumps(plain(element), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical_json(element).decode() == expected


@given(st.dictionaries(words, words | st.integers(0, 10**9) | st.booleans() | st.dates(), max_size=6))
def test_keys_out_of_order_are_always_noticed(value: dict[str, object]) -> None:
    problems: list[Problem] = []
    keys = sorted(value, reverse=True)
    text = yaml.dump({key: value[key] for key in keys} or {"a": 1}, allow_unicode=True, sort_keys=False)
    read_document("x.yaml", text, problems)
    assert bool(problems) is (len(keys) > 1)
    assert {problem.rule for problem in problems} <= {"unsorted-keys"}


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    problems: list[Problem] = []
    document = read_document("x.yaml", text, problems)
    assert document is not None or problems
    assert all(problem.line >= 1 for problem in problems)


@given(st.text(max_size=200))
def test_no_table_breaks_the_reader(text: str) -> None:
    problems: list[Problem] = []
    codes, lines = read_codes("x.csv", text, problems)
    assert len(codes) == len(lines)
    assert codes or problems or text == ""


atoms = st.sampled_from(["a", "0", "-", "[0-9]", "[A-Z]", "[^a]", r"\.", "(ab|c)", "(-[0-9]{3})"])
parts = st.tuples(atoms, st.sampled_from(["", "?", "{2}", "{1,3}", "{0,2}"])).map("".join)
patterns = st.lists(parts, min_size=1, max_size=4).map(lambda body: "^" + "".join(body) + "$")


@given(patterns, st.lists(st.text(alphabet="abc0-9.AZ", max_size=8), min_size=1, max_size=10))
def test_patterns_let_in_mean_the_same_to_python_and_to_rust(pattern: str, tried: list[str]) -> None:
    assert pattern_fault(pattern) is None
    by_rust = pl.Series(tried, dtype=pl.String).str.contains(pattern).to_list()
    assert by_rust == [re.search(pattern, text) is not None for text in tried]


@given(st.text(alphabet="^$[]{}()*+?.|\\-09azAZ,", max_size=30).map(lambda body: f"^{body}$"))
def test_every_pattern_let_in_compiles_everywhere(pattern: str) -> None:
    if pattern_fault(pattern) is None:
        re.compile(pattern)
        pl.Series(["a"]).str.contains(pattern, strict=True)


code_lists = st.lists(
    st.tuples(st.sampled_from(["01", "02", "3"]), words, st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=8
)
DAY_ZERO = date(2020, 1, 1)


def with_periods(rows: list[tuple[str, str, int, int]]) -> CodeList:
    """Build a list whose periods follow each other."""
    ends: dict[str, int] = {}
    codes = []
    for code, label, gap, length in rows:
        start = ends.get(code, 0) + gap
        ends[code] = start + length
        since, until = (DAY_ZERO + timedelta(days=number) for number in (start, start + length))
        codes.append(Code(code=code, label=Text(vi=label), valid_from=since, valid_to=until))
    identity = Identity(id="x", version="1.0.0", status=Status.PROPOSED, level=Level.SECTOR, valid_from=None)
    return CodeList(identity=identity, label=Text(vi="x"), codes=tuple(codes))


@given(code_lists)
def test_codes_survive_being_written_and_read(rows: list[tuple[str, str, int, int]]) -> None:
    problems: list[Problem] = []
    code_list = with_periods(rows)
    codes, _ = read_codes("x.csv", codes_csv(code_list), problems)
    assert problems == []
    assert codes == code_list.codes


@given(code_lists, st.integers(-3, 90))
def test_on_one_day_a_code_means_at_most_one_thing(rows: list[tuple[str, str, int, int]], offset: int) -> None:
    code_list, day = with_periods(rows), DAY_ZERO + timedelta(days=offset)
    now = codes_on(code_list, day)
    assert len({code.code for code in now}) == len(now)
    assert {code.code: code for code in now} == {
        name: found for name in ("01", "02", "3") if (found := lookup(code_list, name, day)) is not None
    }


@given(code_lists, st.integers(0, 7), st.integers(0, 4))
def test_two_periods_on_one_day_are_always_noticed(
    rows: list[tuple[str, str, int, int]], which: int, shift: int
) -> None:
    code_list = with_periods(rows)
    code = code_list.codes[which % len(code_list.codes)]
    assert code.valid_from is not None
    assert code.valid_to is not None
    inside = code.valid_from + timedelta(days=shift % (code.valid_to - code.valid_from).days)
    double = replace(code, valid_from=inside, valid_to=inside + timedelta(days=1))
    problems: list[Problem] = []
    read_codes("x.csv", codes_csv(replace(code_list, codes=(*code_list.codes, double))), problems)
    assert "overlapping-periods" in {problem.rule for problem in problems}


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def test_every_shipped_item_survives_being_written_and_read(dictionary: Dictionary) -> None:
    problems: list[Problem] = []
    readers = {
        **dict.fromkeys(dictionary.elements, items.element),
        **dict.fromkeys(dictionary.domains, items.value_domain),
    }
    readers |= dict.fromkeys(dictionary.datasets, items.dataset)
    for name, item in {**dictionary.elements, **dictionary.domains, **dictionary.datasets}.items():
        document = read_document(f"{name}.yaml", as_yaml(item), problems)
        assert document is not None
        assert readers[name](document, name) == item
    assert problems == []


def test_every_shipped_table_survives_being_written_and_read(dictionary: Dictionary) -> None:
    for code_list in dictionary.code_lists.values():
        problems: list[Problem] = []
        codes, _ = read_codes("x.csv", codes_csv(code_list), problems)
        assert codes == code_list.codes
        assert problems == []
