"""A due date says as much as its text, and no more."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.deadlines import Due, DueKind, parse_due


@pytest.mark.parametrize(
    ("text", "last_day", "words"),
    [
        ("2025-08", date(2025, 8, 31), "tháng 8/2025"),
        ("2024-02", date(2024, 2, 29), "tháng 2/2024"),
        ("2100-02", date(2100, 2, 28), "tháng 2/2100"),
        ("2025-12", date(2025, 12, 31), "tháng 12/2025"),
        ("2026", date(2026, 12, 31), "năm 2026"),
        ("roadmap", None, "theo lộ trình"),
        ("none", None, "không nêu hạn"),
        (None, None, "chưa xác định"),
    ],
)
def test_a_due_date_ends_on_its_last_day_and_reads_as_written(
    text: str | None, last_day: date | None, words: str
) -> None:
    due = parse_due(text)
    assert due.last_day == last_day
    assert due.in_vietnamese() == words


@pytest.mark.parametrize(
    "text",
    ["", "2025-8", "2025-13", "2025-00", "25-08", "2025-08-31", "0000", "0000-01", "Roadmap", " 2025", "unknown"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"due date|year 0000"):
        parse_due(text)


def test_unknown_and_no_date_are_told_apart() -> None:
    assert parse_due(None).kind is DueKind.UNKNOWN
    assert parse_due("none").kind is DueKind.NONE


@given(year=st.integers(1, 9998), month=st.integers(1, 12))
def test_the_day_after_the_last_day_of_a_month_lies_in_another_month(year: int, month: int) -> None:
    last = parse_due(f"{year:04d}-{month:02d}").last_day
    assert last is not None
    assert (last.year, last.month) == (year, month)
    assert date.fromordinal(last.toordinal() + 1).day == 1


def test_a_month_without_a_year_cannot_be_made() -> None:
    with pytest.raises(AssertionError):
        Due(kind=DueKind.MONTH, month=8)
