"""Working days are Monday to Friday less the holidays that were named."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.deadlines import add_workdays, is_workday, workdays_between
from lienthong.deadlines.workdays import WORKDAYS_MAX

NATIONAL_DAY = {date(2026, 9, 1), date(2026, 9, 2)}
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
holidays_near = st.frozensets(st.dates(date(2000, 1, 1), date(2100, 1, 1)), max_size=10)


def test_weekends_and_holidays_are_no_working_days() -> None:
    assert is_workday(date(2026, 8, 31), holidays=NATIONAL_DAY)
    assert not is_workday(date(2026, 9, 2), holidays=NATIONAL_DAY)
    assert not is_workday(date(2026, 9, 5), holidays=())
    assert not is_workday(date(2026, 9, 6), holidays=())


@pytest.mark.parametrize(
    ("start", "workdays", "end"),
    [
        (date(2026, 8, 31), 1, date(2026, 9, 3)),  # over the holidays
        (date(2026, 9, 4), 1, date(2026, 9, 7)),  # over the weekend
        (date(2026, 9, 3), 5, date(2026, 9, 10)),
        (date(2026, 9, 5), 0, date(2026, 9, 7)),  # a Saturday becomes the Monday
        (date(2026, 9, 4), 0, date(2026, 9, 4)),
        (date(2026, 9, 5), 1, date(2026, 9, 7)),
    ],
)
def test_a_number_of_working_days_later(start: date, workdays: int, end: date) -> None:
    assert add_workdays(start, workdays, holidays=NATIONAL_DAY) == end


@pytest.mark.parametrize("workdays", [-1, WORKDAYS_MAX + 1])
def test_a_number_out_of_limits_is_refused(workdays: int) -> None:
    with pytest.raises(ValueError, match="working days"):
        add_workdays(date(2026, 9, 1), workdays, holidays=())


def test_too_long_a_stretch_is_refused() -> None:
    with pytest.raises(ValueError, match="days"):
        workdays_between(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=WORKDAYS_MAX + 1), holidays=())


@given(start=days, workdays=st.integers(1, 60), holidays=holidays_near)
def test_counting_back_gives_the_number_that_was_added(start: date, workdays: int, holidays: frozenset[date]) -> None:
    end = add_workdays(start, workdays, holidays=holidays)
    assert is_workday(end, holidays=holidays)
    assert workdays_between(start, end, holidays=holidays) == workdays


@given(start=days, back=st.integers(0, 60))
def test_nothing_lies_between_a_day_and_an_earlier_one(start: date, back: int) -> None:
    assert workdays_between(start, start - timedelta(days=back), holidays=()) == 0
