"""The working calendar of Vietnam as data: who decided which day off, and what nobody has decided yet.

Fixed days are fixed by law; the days of Tết, the day beside 2 September and the exchanged working days are decided
every year. A year without data is reckoned with the fixed days only, and every deadline that touches it says so.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lienthong.deadlines.workdays import add_workdays, is_workday, workdays_between
from lienthong.deadlines.workhours import OfficeHours, add_work_hours, work_hours_between


@dataclass(frozen=True, kw_only=True, slots=True)
class DayOff:
    """A day on which offices do not work (ngày nghỉ lễ, nghỉ bù, ngày nghỉ hoán đổi)."""

    on: date
    name: str
    kind: str  # "law" | "tet" | "adjacent" | "in-lieu" | "swapped"
    source: str
    trust: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DayWorked:
    """A day of a weekend that is worked in exchange (ngày làm bù)."""

    on: date
    instead_of: date
    source: str
    trust: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DayUndecided:
    """A day of which we do not know whether it is off; it counts as a working day and is named."""

    on: date
    name: str
    note: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class YearOfDays:
    """What is known of one year; ``decided`` says that the authorities' decisions for it are known to us."""

    year: int
    decided: bool
    off: tuple[DayOff, ...]
    worked: tuple[DayWorked, ...] = ()
    undecided: tuple[DayUndecided, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedDay:
    """A holiday with the same date every year."""

    month: int
    day: int
    name: str


class _Off:
    """The days off of all years, those of years without data reckoned when asked for."""

    def __init__(self, known: frozenset[date], years: frozenset[int], fixed: tuple[FixedDay, ...]) -> None:
        self._known, self._years, self._fixed = known, years, fixed

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date):
            return False
        return day in (self._known if day.year in self._years else fixed_days(day.year, self._fixed))


@functools.lru_cache(maxsize=512)
def fixed_days(year: int, fixed: tuple[FixedDay, ...]) -> frozenset[date]:
    """Return the fixed holidays of a year, with the next working day for each that falls on a weekend.

    Vietnamese: nghỉ bù, Bộ luật Lao động 2019, Điều 111 khoản 3.
    """
    days = {date(year, each.month, each.day) for each in fixed}
    for day in sorted(days):
        if is_workday(day, holidays=()):
            continue
        free = day
        while not is_workday(free, holidays=days):
            free += timedelta(days=1)
        if free.year == year:
            days.add(free)
    return frozenset(days)


class WorkCalendar:
    """Reckon in working days and hours, and say what the reckoning rests on."""

    def __init__(self, *, years: Mapping[int, YearOfDays], fixed: tuple[FixedDay, ...], office: OfficeHours) -> None:
        self.years, self.fixed, self.office = dict(years), fixed, office
        self._off = _Off(frozenset(each.on for year in years.values() for each in year.off), frozenset(years), fixed)
        self._worked = frozenset(each.on for year in years.values() for each in year.worked)

    def is_workday(self, day: date) -> bool:
        """Return whether offices work on a day."""
        return is_workday(day, holidays=self._off, worked=self._worked)

    def add_workdays(self, start: date, workdays: int) -> date:
        """Return the day that lies a number of working days after ``start``."""
        return add_workdays(start, workdays, holidays=self._off, worked=self._worked)

    def workdays_between(self, start: date, end: date) -> int:
        """Return how many working days lie after ``start`` and up to ``end``."""
        return workdays_between(start, end, holidays=self._off, worked=self._worked)

    def add_work_hours(self, start: datetime, hours: float) -> datetime:
        """Return the moment at which a number of working hours has passed."""
        return add_work_hours(start, hours, office=self.office, holidays=self._off, worked=self._worked)

    def work_hours_between(self, start: datetime, end: datetime) -> float:
        """Return how many working hours lie between two moments."""
        return work_hours_between(start, end, office=self.office, holidays=self._off, worked=self._worked)

    def first_day_within(self, today: date, workdays: int) -> date:
        """Return the earliest day from which ``workdays`` working days have not run out before ``today``."""
        day = today
        while self.add_workdays(day - timedelta(days=1), workdays) >= today:
            day -= timedelta(days=1)
        return day

    def notes(self, first: date, last: date) -> tuple[str, ...]:
        """Return in Vietnamese what is not certain about the days between two days, both included."""
        found = []
        for year in range(first.year, last.year + 1):
            known = self.years.get(year)
            if known is None or not known.decided:
                reach = "chỉ trừ ngày nghỉ cố định" if known is None else "trừ ngày nghỉ tính theo luật"
                found.append(f"lịch nghỉ năm {year} chưa xác định ({reach})")
            if known is not None:
                found += [
                    f"ngày {each.on:%d/%m/%Y} ({each.name}): {each.note}"
                    for each in known.undecided
                    if first <= each.on <= last
                ]
        return tuple(found)

    def off_between(self, first: date, last: date) -> tuple[DayOff, ...]:
        """Return the named days off after ``first`` and up to ``last``, for whoever wants to count again."""
        found = [each for year in self.years.values() for each in year.off if first < each.on <= last]
        return tuple(sorted(found, key=lambda each: each.on))

    def worked_between(self, first: date, last: date) -> tuple[DayWorked, ...]:
        """Return the worked weekend days after ``first`` and up to ``last``."""
        found = [each for year in self.years.values() for each in year.worked if first < each.on <= last]
        return tuple(sorted(found, key=lambda each: each.on))
