"""Working hours: the hours of an office on its working days, in Vietnam's one time zone."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from lienthong.deadlines.workdays import WORKDAYS_MAX, is_workday

# Vietnam has one time zone and no summer time.
VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_NOTHING = timedelta(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeHours:
    """When an office works on a working day (giờ làm việc): spans in order, half-open, none touching the next."""

    spans: tuple[tuple[time, time], ...]

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError("an office without hours never works")
        before = time.min
        for begins, ends in self.spans:
            if not before <= begins < ends:
                raise ValueError("spans of office hours stand in order and do not overlap")
            before = ends

    @property
    def length(self) -> timedelta:
        """Return how long a working day is."""
        return sum((ends - begins for begins, ends in self.on(date(2000, 1, 1))), _NOTHING)

    def on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Return the spans of a day as moments."""
        for begins, ends in self.spans:
            yield datetime.combine(day, begins, VIETNAM), datetime.combine(day, ends, VIETNAM)


def add_work_hours(
    start: datetime, hours: float, *, office: OfficeHours, holidays: Container[date], worked: Container[date] = ()
) -> datetime:
    """Return the moment at which a number of working hours has passed since ``start``.

    Vietnamese: giờ làm việc. Time outside the office's hours does not count; the answer lies inside them: eight hours
    that end with the day end at its last minute, not at the first of the next. With 0 hours it is ``start``, or the
    next moment at which the office works.

    Raises:
        ValueError: ``start`` names no time zone, or the number is negative or over ``WORKDAYS_MAX`` days.
    """
    if start.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    left = timedelta(hours=hours)
    if not _NOTHING <= left <= WORKDAYS_MAX * office.length:
        raise ValueError(f"{hours} working hours is outside 0 to {WORKDAYS_MAX} days")
    for begins, ends in _spans_from(start, office=office, holidays=holidays, worked=worked):
        room = ends - begins
        if left < room or (left == room and left > _NOTHING):
            return begins + left
        left -= room
    raise AssertionError("working days never end")


def work_hours_between(
    start: datetime, end: datetime, *, office: OfficeHours, holidays: Container[date], worked: Container[date] = ()
) -> float:
    """Return how many working hours lie between two moments; 0 when ``end`` is not after ``start``.

    Raises:
        ValueError: a moment names no time zone, or there are more than ``WORKDAYS_MAX`` days between them.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    if end <= start:
        return 0.0
    if (end - start).days > WORKDAYS_MAX:
        raise ValueError(f"{(end - start).days} days is over {WORKDAYS_MAX}")
    total = _NOTHING
    for begins, ends in _spans_from(start, office=office, holidays=holidays, worked=worked):
        if begins >= end:
            break
        total += min(ends, end) - begins
    return total / timedelta(hours=1)


def _spans_from(
    start: datetime, *, office: OfficeHours, holidays: Container[date], worked: Container[date]
) -> Iterator[tuple[datetime, datetime]]:
    """Return what is left of the span ``start`` lies in, then all later ones."""
    local = start.astimezone(VIETNAM)
    day = local.date()
    while True:
        if is_workday(day, holidays=holidays, worked=worked):
            for begins, ends in office.on(day):
                if ends > local:
                    yield max(begins, local), ends
        day += timedelta(days=1)
