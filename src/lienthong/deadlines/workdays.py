"""Working days: Monday to Friday, less the holidays and with the worked weekends the caller names."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta

WORKDAYS_MAX = 10_000  # about forty years; beyond it a number is a mistake
_SATURDAY = 5


def is_workday(day: date, *, holidays: Container[date], worked: Container[date] = ()) -> bool:
    """Return whether people work on a day.

    Vietnamese: ngày làm việc. Holidays (ngày nghỉ lễ, kể cả nghỉ bù) are decided every year, so they are an argument;
    so are the Saturdays worked in exchange for one (làm bù), which count even where a holiday is named too.
    """
    return day in worked or (day.weekday() < _SATURDAY and day not in holidays)


def add_workdays(start: date, workdays: int, *, holidays: Container[date], worked: Container[date] = ()) -> date:
    """Return the day that lies a number of working days after ``start``; the start itself is not counted.

    With 0 the answer is ``start`` if people work on it, else the next working day.

    Raises:
        ValueError: the number is negative or over ``WORKDAYS_MAX``.
    """
    if not 0 <= workdays <= WORKDAYS_MAX:
        raise ValueError(f"{workdays} working days is outside 0 to {WORKDAYS_MAX}")
    day = start
    left = workdays
    while left > 0 or not is_workday(day, holidays=holidays, worked=worked):
        day += timedelta(days=1)
        if left > 0 and is_workday(day, holidays=holidays, worked=worked):
            left -= 1
    return day


def workdays_between(start: date, end: date, *, holidays: Container[date], worked: Container[date] = ()) -> int:
    """Return how many working days lie in ``start < day <= end``; 0 when ``end`` is not after ``start``.

    Raises:
        ValueError: there are more than ``WORKDAYS_MAX`` days between them.
    """
    days = max(0, (end - start).days)
    if days > WORKDAYS_MAX:
        raise ValueError(f"{days} days is over {WORKDAYS_MAX}")
    return sum(is_workday(start + timedelta(days=n), holidays=holidays, worked=worked) for n in range(1, days + 1))
