"""Days as sources write them, brought to ``YYYY-MM-DD``; the month never comes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

EXCEL_SERIAL = "excel-serial"  # days since 1900 as table programs count them
DAY_FIRST = "day-first"  # said aloud; without it the day comes first too
DAY_FORMS = frozenset({EXCEL_SERIAL, DAY_FIRST})

SERIAL_MAX = 2_958_465  # 9999-12-31
SERIAL_NO_DAY = 60  # 29 February 1900, which never was

TWO_DIGIT_YEAR = r"^[0-9]{1,2} ?[/.-] ?[0-9]{1,2} ?[/.-] ?[0-9]{2}$"

_YEAR = "[12][0-9]{3}"  # years 1000 to 2999
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,9})?)?"

_DAY = pl.col("day")
_NO_DAY = pl.Series([None], dtype=pl.Date)


@dataclass(frozen=True, kw_only=True, slots=True)
class Days:
    """Days of the calendar, null where the text names none."""

    days: pl.Series
    ambiguous: pl.Series  # a year of two digits: the century is not guessed


def _serial_day(day: pl.Expr) -> pl.Expr:
    serial = day.str.extract(r"^([0-9]{1,7})(?:\.[0-9]+)?$").cast(pl.Int32)
    real = serial.is_between(1, SERIAL_MAX) & (serial != SERIAL_NO_DAY)
    since = pl.when(serial < SERIAL_NO_DAY).then(pl.lit(date(1899, 12, 31))).otherwise(pl.lit(date(1899, 12, 30)))
    return pl.when(real).then(since + pl.duration(days=serial)).cast(pl.Date)


def _spaced_day(day: pl.Expr) -> pl.Expr:
    return (
        day.str.replace_all(" ", "", literal=True).str.replace_all("[.-]", "/").str.to_date("%d/%m/%Y", strict=False)
    )


# What a day looks like, and which day it is then. The shapes exclude each other: a text has one or none.
_SHAPES: tuple[tuple[str, pl.Expr], ...] = (
    (f"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}$", _DAY.str.to_date("%Y-%m-%d", strict=False)),
    (f"^[0-9]{{1,2}}/[0-9]{{1,2}}/{_YEAR}$", _DAY.str.to_date("%d/%m/%Y", strict=False)),
    (f"^[0-9]{{1,2}}-[0-9]{{1,2}}-{_YEAR}$", _DAY.str.to_date("%d-%m-%Y", strict=False)),
    (f"^[0-9]{{1,2}}\\.[0-9]{{1,2}}\\.{_YEAR}$", _DAY.str.to_date("%d.%m.%Y", strict=False)),
    (f"^{_YEAR}[0-9]{{4}}$", _DAY.str.to_date("%Y%m%d", strict=False)),
    (
        f"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}[T ]{_CLOCK}$",
        _DAY.str.head(10).str.to_date("%Y-%m-%d", strict=False),
    ),
    (f"^[0-9]{{1,2}}(?: / ?| ?/ )[0-9]{{1,2}} ?/ ?{_YEAR}$", _spaced_day(_DAY)),
)
_SERIAL = (r"^[0-9]{1,7}(?:\.[0-9]{1,12})?$", _serial_day(_DAY))  # the fraction is a time of day


def read_days(text: pl.Series, *, form: str | None) -> Days:
    """Read whole days; an impossible day (31 February, serial 60) and every other text is null."""
    shapes = (_SERIAL, *_SHAPES) if form == EXCEL_SERIAL else _SHAPES
    looks = {str(place): _DAY.str.contains(shape) for place, (shape, _) in enumerate(shapes)}
    frame = pl.DataFrame({"day": text})
    frame = frame.with_columns(**looks, short=_DAY.str.contains(TWO_DIGIT_YEAR).fill_null(value=False))
    there = frame.select(pl.col(list(looks)).any()).row(0)
    read = [pl.when(name).then(shapes[int(name)][1]) for name, some in zip(looks, there, strict=True) if some]
    days = frame.select(pl.coalesce(read)).to_series() if read else _NO_DAY.new_from_index(0, text.len())
    return Days(days=days, ambiguous=frame["short"])
