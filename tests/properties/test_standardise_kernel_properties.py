"""What every kernel promises, whatever the agency typed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from unicodedata import is_normalized, normalize

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.dictionary.model import Code, CodeList, Datatype, Identity, Level, Status, Text, ValueDomain
from lienthong.standardise.batch import Outcome
from lienthong.standardise.kernel import KernelContext, KernelResult
from lienthong.standardise.kernels.person_name import title_case
from lienthong.standardise.plan import dtype_of
from lienthong.standardise.registry import all_kernels

IDENTITY = Identity(id="any", version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)
CODES = CodeList(
    identity=IDENTITY,
    label=Text(vi="any"),
    codes=tuple(
        Code(code=code, label=Text(vi=label), valid_from=None)
        for code, label in (("1", "Nam"), ("2", "Nữ"), ("3", "Tân Thành"), ("4", "Tân Thành"))
    ),
    aliases=(("trai", "1"),),
)
KERNELS = sorted(all_kernels())
TEXT_KERNELS = ["text", "organisation-name", "address", "person-name", "identifier", "personal-number", "tax-code"]

VIETNAMESE = "aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
TROUBLE = "\u00a0\u200b\ufeff\u00ad\t\n\x00\x07\x85ÐðƉɖ’ʼ–−ßŉİıǰ?\u0301\u0323\u031b ,.;:/|-+()0123456789"
raw_texts = st.one_of(
    st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + TROUBLE, max_size=24),
    st.text(max_size=16),
    st.from_regex(r"[0-9 _]{0,2}[/.-][0-9 _]{0,2}[/.-][0-9]{2,4}", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,4}([.,][0-9]{1,4}){0,3}", fullmatch=True),
    st.from_regex(r"(\+84|0|84)[0-9]{7,11}", fullmatch=True),
    st.from_regex(r"[0-9]{4,14}", fullmatch=True),
    st.from_regex(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](Z|\+07)?", fullmatch=True),
    st.sampled_from(["Nam", "trai", "tân thành", "1:Nam", "1;2", "1:Nam, nữ,2:Nữ", "có", "false", "NaN", "Infinity"]),
)


def context_of(name: str) -> KernelContext:
    datatype = min(all_kernels()[name].datatypes, key=lambda kind: kind.value)
    domain = ValueDomain(
        identity=IDENTITY,
        label=Text(vi="any"),
        datatype=datatype,
        rdf_type="xsd:string",
        precision=20 if datatype is Datatype.DECIMAL else None,
        scale=2 if datatype is Datatype.DECIMAL else None,
        standardiser=name,
    )
    return KernelContext(domain=domain, code_list=CODES)


def run(name: str, sources: list[str | None]) -> KernelResult:
    return all_kernels()[name].run(pl.Series("c", sources, dtype=pl.String), context_of(name))


def spelled(value: object) -> str | None:
    """Write a typed value the way the dictionary writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)
    if isinstance(value, date):
        return value.isoformat()
    assert isinstance(value, int | Decimal)
    return str(value)


@pytest.mark.parametrize("name", KERNELS)
@given(sources=st.lists(st.none() | raw_texts, max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_value_is_null_exactly_where_the_outcome_says_so(name: str, sources: list[str | None]) -> None:
    result = run(name, sources)
    kept = [outcome in (Outcome.UNCHANGED, Outcome.CHANGED) for outcome in result.outcomes]
    assert [value is not None for value in result.values.to_list()] == kept
    assert result.values.dtype == dtype_of(context_of(name).domain)
    assert result.outcomes.dtype == pl.UInt8
    assert result.outcomes.null_count() == 0


@pytest.mark.parametrize("name", KERNELS)
@given(sources=st.lists(raw_texts, min_size=1, max_size=8))
@settings(max_examples=80, deadline=None)
def test_a_standard_value_standardises_to_itself_unchanged(name: str, sources: list[str]) -> None:
    values = [value for value in run(name, sources).values.to_list() if value is not None]
    again = run(name, [spelled(value) for value in values])
    assert again.values.to_list() == values
    assert set(again.outcomes) <= {Outcome.UNCHANGED}


@pytest.mark.parametrize("name", KERNELS)
@given(source=raw_texts)
@settings(max_examples=80, deadline=None)
def test_composed_and_decomposed_spellings_agree(name: str, source: str) -> None:
    result = run(name, [normalize("NFC", source), normalize("NFD", source)])
    values = result.values.to_list()
    assert values[0] == values[1]


@pytest.mark.parametrize("name", KERNELS)
@given(sources=st.lists(st.none() | raw_texts, max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_value_does_not_depend_on_its_neighbours(name: str, sources: list[str | None]) -> None:
    together = run(name, sources)
    alone = [run(name, [source]) for source in sources]
    assert together.values.to_list() == [
        one.values[0] if name != "codes" else one.values.to_list()[0] for one in alone
    ]
    assert together.outcomes.to_list() == [one.outcomes[0] for one in alone]


@pytest.mark.parametrize("name", TEXT_KERNELS)
@given(source=raw_texts)
@settings(max_examples=80, deadline=None)
def test_standard_text_is_nfc_without_outer_spaces_and_control_characters(name: str, source: str) -> None:
    value = run(name, [source]).values[0]
    if value is not None:
        assert is_normalized("NFC", value)
        assert value == value.strip()
        assert "  " not in value
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in value)


@pytest.mark.parametrize("name", KERNELS)
@given(
    control=st.sampled_from([chr(n) for n in (*range(9), 11, 12, *range(14, 32), *range(127, 160))]), before=raw_texts
)
@settings(max_examples=40, deadline=None)
def test_a_control_character_is_never_kept(name: str, control: str, before: str) -> None:
    assert run(name, [before + control + "1"]).outcomes[0] in (Outcome.REFUSED, Outcome.AMBIGUOUS)


@given(st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + "ăčñŏŭĕ '-.", min_size=1, max_size=30))
@settings(max_examples=300, deadline=None)
def test_casing_by_letter_and_by_column_agree(name: str) -> None:
    text = " ".join(name.split())
    if text and "Ê ban" not in text:
        assert run("person-name", [text]).values[0] == title_case(text)


@given(st.text(alphabet=VIETNAMESE + " '-", min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_a_name_in_capitals_and_in_small_letters_is_the_same_name(name: str) -> None:
    result = run("person-name", [name.upper(), name.lower()]).values.to_list()
    assert result[0] == result[1]


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(2999, 12, 31)))
@settings(max_examples=200, deadline=None)
def test_every_spelling_of_a_day_gives_that_day(day: date) -> None:
    spellings = [
        day.isoformat(),
        f"{day.day:02}/{day.month:02}/{day.year}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day.day:02}-{day.month:02}-{day.year}",
        f"{day.day:02}.{day.month:02}.{day.year}",
        f"{day.year}{day.month:02}{day.day:02}",
    ]
    assert run("date", spellings).values.to_list() == [day] * len(spellings)
    assert run("partial-date", spellings).values.to_list() == [day.isoformat()] * len(spellings)


@given(year=st.integers(1000, 2999), month=st.integers(0, 99), day=st.integers(0, 99))
@settings(max_examples=300, deadline=None)
def test_a_day_that_is_not_in_the_calendar_is_never_given(year: int, month: int, day: int) -> None:
    try:
        expected = date(year, month, day)
    except ValueError:
        expected = None
    assert run("date", [f"{day:02}/{month:02}/{year}"]).values.to_list() == [expected]


@given(st.decimals(min_value=-(10**18) + 1, max_value=10**18 - 1, places=2))
@settings(max_examples=200, deadline=None)
def test_grouped_numbers_are_read_exactly(number: Decimal) -> None:
    english = f"{number:,.2f}"
    vietnamese = english.translate(str.maketrans(",.", ".,"))
    assert run("decimal", [f"{number:.2f}", english, vietnamese]).values.to_list() == [number] * 3


@given(st.from_regex(r"0[1-9][0-9]{6,10}", fullmatch=True))
@settings(max_examples=500, deadline=None)
def test_a_number_valid_by_phonenumbers_is_kept_as_it_is(number: str) -> None:
    value = run("phone", [number]).values[0]
    if phonenumbers.is_valid_number(phonenumbers.parse(number, "VN")) and not number.startswith(("01800", "01900")):
        assert value == number
    elif value is not None:
        assert value != number
        assert phonenumbers.is_valid_number(phonenumbers.parse(value, "VN"))


@given(
    prefix=st.sampled_from(["024", "028", "0290", "0912", "0703", "0321", "0561", "0862", "0592", "01800", "06"]),
    rest=st.integers(0, 9_999_999),
)
@settings(max_examples=500, deadline=None)
def test_validity_is_that_of_phonenumbers(prefix: str, rest: int) -> None:
    number = f"{prefix}{rest:07}"
    result = run("phone", [number])
    if phonenumbers.is_valid_number(phonenumbers.parse(number, "VN")):
        assert result.outcomes[0] in (Outcome.UNCHANGED, Outcome.CHANGED)
    else:
        assert result.outcomes[0] != Outcome.UNCHANGED
