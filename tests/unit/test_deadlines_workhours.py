"""Working hours and the working calendar: only the office's hours on its days count, and what is unknown is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.deadlines import (
    OfficeHours,
    add_work_hours,
    add_workdays,
    is_workday,
    load_calendar,
    work_hours_between,
    workdays_between,
)
from lienthong.deadlines.calendar import FixedDay, fixed_days
from lienthong.deadlines.calendar_file import CalendarNotValid
from lienthong.deadlines.workhours import VIETNAM
from lienthong.dictionary.shipped import shipped_folder

SHIPPED = shipped_folder("dictionary") / "plan" / "holidays.yaml"
CALENDAR = load_calendar(SHIPPED)
OFFICE = OfficeHours(spans=((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0))))
moments = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=VIETNAM) + timedelta(minutes=minutes)
)
hours = st.integers(0, 400).map(lambda quarters: quarters / 4)
days = st.dates(date(2024, 1, 1), date(2028, 12, 31))


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("start", "added", "end"),
    [
        (at(19, 7, 30), 7.5, at(19, 17)),  # a whole day ends with the day
        (at(19, 15), 2, at(19, 17)),
        (at(19, 15), 2.25, at(20, 7, 45)),
        (at(19, 11), 1, at(19, 14)),  # over noon
        (at(19, 12), 0, at(19, 13, 30)),  # noon is not office time
        (at(20, 16), 8, at(23, 16, 30)),  # over a weekend
        (at(21, 9), 1, at(23, 8, 30)),  # asked on a Saturday
        (at(19, 23), 8, at(23, 8)),
        (at(1, 16, 0, month=9), 1, at(3, 8, 30, month=9)),  # over National Day
    ],
)
def test_hours_outside_the_office_do_not_count(start: datetime, added: float, end: datetime) -> None:
    assert CALENDAR.add_work_hours(start, added) == end


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    start = at(19, 15)
    assert CALENDAR.add_work_hours(start.astimezone(UTC), 3) == CALENDAR.add_work_hours(start, 3)


@given(moments, hours)
def test_hours_added_are_the_hours_between(start: datetime, added: float) -> None:
    end = CALENDAR.add_work_hours(start, added)
    assert end >= start
    assert CALENDAR.work_hours_between(start, end) == pytest.approx(added)
    assert CALENDAR.is_workday(end.date())


@given(moments, hours, hours)
def test_adding_twice_is_adding_the_sum(start: datetime, first: float, second: float) -> None:
    once = CALENDAR.add_work_hours(start, first + second)
    twice = CALENDAR.add_work_hours(CALENDAR.add_work_hours(start, first), second)
    # The last minute of an afternoon and the first of a morning are the same working moment.
    assert CALENDAR.work_hours_between(min(once, twice), max(once, twice)) == 0
    assert CALENDAR.work_hours_between(start, once) == pytest.approx(first + second)


@given(days, st.integers(0, 60))
def test_days_added_are_the_days_between_in_a_calendar_with_worked_saturdays(start: date, number: int) -> None:
    end = CALENDAR.add_workdays(start, number)
    assert CALENDAR.is_workday(end)
    if number or not CALENDAR.is_workday(start):
        assert CALENDAR.workdays_between(start, end) == max(number, 1)


@given(days, st.integers(1, 20))
def test_the_first_day_within_is_the_earliest_whose_days_have_not_run_out(today: date, number: int) -> None:
    first = CALENDAR.first_day_within(today, number)
    assert CALENDAR.add_workdays(first, number) >= today
    assert CALENDAR.add_workdays(first - timedelta(days=1), number) < today


def test_a_worked_saturday_counts_and_the_day_it_was_exchanged_for_does_not() -> None:
    assert CALENDAR.is_workday(date(2026, 8, 22))
    assert not CALENDAR.is_workday(date(2026, 8, 31))
    assert CALENDAR.add_workdays(date(2026, 8, 20), 5) == date(2026, 8, 26)
    assert CALENDAR.add_workdays(date(2026, 8, 28), 1) == date(2026, 9, 3)


def test_a_worked_day_counts_even_where_a_holiday_is_named() -> None:
    day = date(2026, 9, 5)
    assert is_workday(day, holidays={day}, worked={day})
    assert add_workdays(date(2026, 9, 4), 1, holidays=(), worked={day}) == day
    assert workdays_between(date(2026, 9, 4), date(2026, 9, 7), holidays=(), worked={day}) == 2


def test_every_swapped_day_off_is_paid_for_by_a_worked_day_of_a_weekend() -> None:
    for year in CALENDAR.years.values():
        swapped = {each.on for each in year.off if each.kind == "swapped"}
        assert {each.instead_of for each in year.worked} == swapped
        assert all(each.on.weekday() >= 5 for each in year.worked)
        assert all(each.on.weekday() < 5 for each in year.off), "a day off on a weekend changes nothing"


def test_a_decided_year_has_five_days_of_tet_beside_weekends_and_all_fixed_days() -> None:
    for year in CALENDAR.years.values():
        assert sum(each.kind == "tet" for each in year.off) == 5
        known = {each.on for each in year.off}
        weekdays = {day for day in fixed_days(year.year, CALENDAR.fixed) if day.weekday() < 5}
        assert weekdays <= known


def test_a_year_without_data_has_the_fixed_days_and_says_that_it_is_unknown() -> None:
    assert not CALENDAR.is_workday(date(2031, 5, 1))
    assert CALENDAR.is_workday(date(2031, 1, 24))  # in the days of Tết, which nobody has decided
    (note,) = CALENDAR.notes(date(2031, 5, 1), date(2031, 5, 20))
    assert "năm 2031 chưa xác định" in note
    assert CALENDAR.notes(date(2026, 3, 1), date(2026, 4, 1)) == ()


def test_a_day_nobody_decided_is_named_only_where_it_matters() -> None:
    (note,) = CALENDAR.notes(date(2026, 11, 23), date(2026, 12, 4))
    assert note.startswith("ngày 24/11/2026")
    assert CALENDAR.is_workday(date(2026, 11, 24))


def test_a_fixed_holiday_on_a_weekend_frees_the_next_working_day() -> None:
    fixed = (FixedDay(month=4, day=30, name="a"), FixedDay(month=5, day=1, name="b"))
    assert fixed_days(2028, fixed) == {date(2028, 4, 30), date(2028, 5, 1), date(2028, 5, 2)}


@pytest.mark.parametrize(
    "spans", [(), ((time(9), time(8)),), ((time(8), time(12)), (time(11), time(17)))], ids=["none", "back", "overlap"]
)
def test_office_hours_that_cannot_be_are_refused(spans: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="office"):
        OfficeHours(spans=spans)


def test_moments_without_a_zone_and_impossible_numbers_are_refused() -> None:
    naive = at(19, 8).replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        add_work_hours(naive, 1, office=OFFICE, holidays=())
    with pytest.raises(ValueError, match="time zone"):
        work_hours_between(naive, at(19, 9), office=OFFICE, holidays=())
    for number in (-1, 10_001 * 24):
        with pytest.raises(ValueError, match="outside"):
            add_work_hours(at(19, 8), number, office=OFFICE, holidays=())
    assert work_hours_between(at(19, 9), at(19, 8), office=OFFICE, holidays=()) == 0


GOOD = """
office_hours: {spans: ["08:00-12:00"]}
fixed: [{day: "01-01", name: Tết}]
years:
  2030: {decided: true, days_off: [{day: 2030-01-01, name: Tết, kind: law, source: luật, trust: official}]}
"""


def test_an_operators_file_takes_the_place_of_a_year_and_of_the_hours(tmp_path: Path) -> None:
    more = tmp_path / "holidays.yaml"
    more.write_text(GOOD, encoding="utf-8")
    calendar = load_calendar(SHIPPED, more=more)
    assert calendar.notes(date(2030, 1, 1), date(2030, 2, 1)) == ()
    assert calendar.office.length == timedelta(hours=4)
    assert not calendar.is_workday(date(2026, 8, 31)), "the shipped years stay"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("08:00-12:00", "8-12", "span"),
        ("08:00-12:00", "08:00-25:00", "office hours"),
        ('day: "01-01"', 'day: "02-30"', "fixed day"),
        ("day: 2030-01-01", "day: 2031-01-01", "2030"),
        ("decided: true, ", "", "decided"),
        ("kind: law", "kind: lawful", "kind"),
        ("days_off:", "off:", "not known"),
        ("trust: official", "trust: sure", "trust"),
        ("fixed:", "fixd:", "not known"),
        ("years:", "years: [", "YAML"),
        ("2030:", "x2030:", "year"),
    ],
)
def test_a_calendar_that_means_nothing_is_refused_with_the_reason(
    old: str, new: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "holidays.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(CalendarNotValid, match=reason):
        load_calendar(path)


def test_a_calendar_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalendarNotValid):
        load_calendar(tmp_path / "none.yaml")
