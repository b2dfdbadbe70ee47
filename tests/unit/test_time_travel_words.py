"""Moments as people write them, what is known of them, and codes in force on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.centre.time_travel import (
    Knowledge,
    SourceKnown,
    coded_element,
    codes_on,
    day_in_vietnam,
    knowledge_of,
    parse_moment,
    require_past,
)
from lienthong.centre.time_travel_refusals import (
    ElementWithoutCodes,
    MomentInFuture,
    MomentNotValid,
    MomentWithoutZone,
)
from lienthong.dictionary.model import Code, CodeList, Identity, Level, Status, Text
from lienthong.testing.fakes import small_dictionary

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-11-23T12:00:00+07:00", "2026-11-23 12:00+07:00", "2026-11-23T05:00:00Z", " 20261123T050000Z "]
)
def test_a_moment_with_its_zone_is_read_and_brought_to_utc(text: str) -> None:
    assert parse_moment(text, name="m") == NOON
    assert parse_moment(text, name="m").tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "offered"),
    [("2026-11-23T12:00:00", "2026-11-23T12:00:00+07:00"), ("2026-11-23", "2026-11-23T00:00:00+07:00")],
)
def test_a_moment_without_a_zone_is_refused_and_the_time_in_vietnam_offered(text: str, offered: str) -> None:
    with pytest.raises(MomentWithoutZone) as refused:
        parse_moment(text, name="m")
    assert offered in refused.value.remedy


@pytest.mark.parametrize(
    "text",
    ["", "hôm qua", "2026-13-01T00:00:00Z", "2026-11-23T12:00:00 07:00", "0001-01-01T00:00:00+23:00", "x" * 10_000],
)
def test_what_is_no_moment_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(MomentNotValid) as refused:
        parse_moment(text, name="m")
    assert not text or text not in str(refused.value)


@given(st.text(max_size=45))
def test_any_text_is_a_moment_or_a_refusal(text: str) -> None:
    try:
        found = parse_moment(text, name="m")
    except (MomentNotValid, MomentWithoutZone):
        return
    assert found.utcoffset() == timedelta(0)


def test_a_moment_that_has_not_come_is_refused() -> None:
    assert require_past(NOON, now=NOON) == NOON
    with pytest.raises(MomentInFuture):
        require_past(NOON + timedelta(microseconds=1), now=NOON)


def known(*moments: datetime | None) -> list[SourceKnown]:
    return [SourceKnown(source=str(place), known_from=each, read_until=None) for place, each in enumerate(moments)]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (known(), Knowledge.NOT_KNOWN),
        (known(None), Knowledge.NOT_KNOWN),
        (known(NOON + timedelta(seconds=1)), Knowledge.NOT_KNOWN),
        (known(NOON), Knowledge.KNOWN),
        (known(NOON, None), Knowledge.PARTLY),
        (known(NOON, NOON + timedelta(seconds=1)), Knowledge.PARTLY),
    ],
)
def test_a_moment_is_known_where_every_source_was_read_by_then(
    sources: list[SourceKnown], expected: Knowledge
) -> None:
    assert knowledge_of(sources, NOON) is expected


def test_the_day_of_a_moment_is_the_day_in_vietnam() -> None:
    assert day_in_vietnam(datetime(2025, 6, 30, 17, 0, tzinfo=UTC)) == date(2025, 7, 1)
    assert day_in_vietnam(datetime(2025, 6, 30, 16, 59, 59, tzinfo=UTC)) == date(2025, 6, 30)


def test_a_code_is_in_force_on_the_days_of_any_of_its_periods() -> None:
    def code(name: str, first: date | None, last: date | None) -> Code:
        return Code(code=name, label=Text(vi=name), valid_from=first, valid_to=last)

    july = date(2025, 7, 1)
    codes = (
        code("old", None, july),
        code("new", july, None),
        code("back", None, date(2020, 1, 1)),
        code("back", july, None),
    )
    identity = Identity(id="l", version="1", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)
    code_list = CodeList(identity=identity, label=Text(vi="l"), codes=codes)
    assert codes_on(code_list, date(2025, 6, 30)) == {"old": True, "new": False, "back": False}
    assert codes_on(code_list, july) == {"old": False, "new": True, "back": True}


def test_an_element_without_a_list_is_refused_with_those_that_have_one() -> None:
    dictionary = small_dictionary()
    for dataset in dictionary.datasets.values():
        with pytest.raises(ElementWithoutCodes):
            coded_element(dictionary, dataset, "khong_co")
