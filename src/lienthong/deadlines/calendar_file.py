"""Read the working calendar from its file (``dictionary/plan/holidays.yaml``), and an operator's file over it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, Final

import yaml

from lienthong.deadlines.calendar import DayOff, DayUndecided, DayWorked, FixedDay, WorkCalendar, YearOfDays
from lienthong.deadlines.workhours import OfficeHours
from lienthong.errors import Actor, LienthongError

CALENDAR_BYTES_MAX: Final = 200_000
KINDS: Final = frozenset({"law", "tet", "adjacent", "in-lieu", "swapped"})
TRUSTS: Final = frozenset({"official", "summary", "vendor", "secondary", "own"})
_SPAN: Final = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})", re.ASCII)


class CalendarNotValid(LienthongError, code="OVS-101", actor=Actor.STEWARD):
    """The file of holidays and office hours cannot be used."""

    message = "working calendar {path} cannot be used: {reason}"
    hint = "correct the file after dictionary/plan/holidays.yaml; a day nobody decided stands under undecided"


def load_calendar(path: Path, *, more: Path | None = None) -> WorkCalendar:
    """Read the calendar; years and office hours of ``more``, an operator's file, take the place of the shipped ones.

    Raises:
        CalendarNotValid: a file is missing, too large, not YAML, or says something that cannot be.
    """
    shipped = _content(path)
    office, fixed, years = _office(shipped, path), _fixed(shipped, path), _years(shipped, path)
    if more is not None:
        own = _content(more)
        years |= _years(own, more)
        office = _office(own, more) if "office_hours" in own else office
    return WorkCalendar(years=years, fixed=fixed, office=office)


def _content(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > CALENDAR_BYTES_MAX:
            raise CalendarNotValid(path=path, reason=f"larger than {CALENDAR_BYTES_MAX} bytes")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise CalendarNotValid(path=path, reason=cause.strerror or "it cannot be read") from cause
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as cause:
        raise CalendarNotValid(path=path, reason="it is not YAML") from cause
    if not isinstance(content, dict):
        raise CalendarNotValid(path=path, reason="it holds no table")
    unknown = sorted(set(content) - {"version", "office_hours", "fixed", "years"}, key=str)
    if unknown:
        raise CalendarNotValid(path=path, reason=f"{unknown[0]} is not known")
    return content


def _office(content: Mapping[str, Any], path: Path) -> OfficeHours:
    given = content.get("office_hours")
    spans = given.get("spans") if isinstance(given, dict) else None
    if not isinstance(spans, list):
        raise CalendarNotValid(path=path, reason="office_hours.spans is missing")
    found = []
    for span in spans:
        read = _SPAN.fullmatch(span) if isinstance(span, str) else None
        if read is None:
            raise CalendarNotValid(path=path, reason='a span of office hours is written "07:30-11:30"')
        found.append([int(part) for part in read.groups()])
    try:
        return OfficeHours(spans=tuple((time(a, b), time(c, d)) for a, b, c, d in found))
    except ValueError as cause:
        raise CalendarNotValid(path=path, reason=f"office hours: {cause}") from cause


def _fixed(content: Mapping[str, Any], path: Path) -> tuple[FixedDay, ...]:
    found = []
    for each in _list(content, "fixed", path):
        try:
            day = date.fromisoformat(f"2001-{each['day']}")  # no leap year: 29 February is no holiday
            found.append(FixedDay(month=day.month, day=day.day, name=str(each["name"])))
        except (KeyError, TypeError, ValueError) as cause:
            raise CalendarNotValid(path=path, reason='a fixed day has day: "MM-DD" and a name') from cause
    return tuple(found)


def _years(content: Mapping[str, Any], path: Path) -> dict[int, YearOfDays]:
    given = content.get("years", {})
    if not isinstance(given, dict) or not all(isinstance(year, int) for year in given):
        raise CalendarNotValid(path=path, reason="years is a table with a year for each key")
    return {year: _year(year, what, path) for year, what in given.items()}


def _year(year: int, content: object, path: Path) -> YearOfDays:
    if not isinstance(content, dict) or not isinstance(content.get("decided"), bool):
        raise CalendarNotValid(path=path, reason=f"year {year} does not say whether it is decided")
    # YAML takes a bare `off` for false: a key that is not known is a day that would be lost.
    unknown = sorted(set(content) - {"decided", "days_off", "days_worked", "undecided"}, key=str)
    if unknown:
        raise CalendarNotValid(path=path, reason=f"{unknown[0]} of year {year} is not known")
    off = tuple(
        DayOff(
            on=_day(each, "day", year, path),
            name=_text(each, "name", year, path),
            kind=_one_of(each, "kind", KINDS, year, path),
            source=_text(each, "source", year, path),
            trust=_one_of(each, "trust", TRUSTS, year, path),
        )
        for each in _list(content, "days_off", path)
    )
    worked = tuple(
        DayWorked(
            on=_day(each, "day", year, path),
            instead_of=_day(each, "instead_of", None, path),
            source=_text(each, "source", year, path),
            trust=_one_of(each, "trust", TRUSTS, year, path),
        )
        for each in _list(content, "days_worked", path)
    )
    undecided = tuple(
        DayUndecided(
            on=_day(each, "day", year, path),
            name=_text(each, "name", year, path),
            note=_text(each, "note", year, path),
            source=_text(each, "source", year, path),
        )
        for each in _list(content, "undecided", path)
    )
    days = [each.on for each in off] + [each.on for each in worked] + [each.on for each in undecided]
    if len(set(days)) != len(days):
        raise CalendarNotValid(path=path, reason=f"year {year} names a day twice")
    return YearOfDays(year=year, decided=content["decided"], off=off, worked=worked, undecided=undecided)


def _list(content: Mapping[str, Any], name: str, path: Path) -> Sequence[Mapping[str, Any]]:
    given = content.get(name, [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise CalendarNotValid(path=path, reason=f"{name} is a list of tables")
    return given


def _day(content: Mapping[str, Any], name: str, year: int | None, path: Path) -> date:
    day = content.get(name)
    # YAML reads an unquoted date as one, and a moment is a date to Python.
    if type(day) is not date or (year is not None and day.year != year):
        raise CalendarNotValid(path=path, reason=f"{name} of a day is not a date of year {year}")
    return day


def _text(content: Mapping[str, Any], name: str, year: int, path: Path) -> str:
    text = content.get(name)
    if not isinstance(text, str) or not text.strip():
        raise CalendarNotValid(path=path, reason=f"a day of {year} has no {name}")
    return text.strip()


def _one_of(content: Mapping[str, Any], name: str, known: frozenset[str], year: int, path: Path) -> str:
    text = _text(content, name, year, path)
    if text not in known:
        raise CalendarNotValid(
            path=path, reason=f"a day of {year} has another {name} than {', '.join(sorted(known))}"
        )
    return text
