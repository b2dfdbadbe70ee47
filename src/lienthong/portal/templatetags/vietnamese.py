"""Numbers, dates and durations as people in Vietnam write them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal

from django import template

from lienthong.dictionary.model import DatasetId
from lienthong.oversight.assemble import VIETNAM
from lienthong.oversight.overview import DatabaseLine
from lienthong.portal import words
from lienthong.portal.services import services

register = template.Library()

UNKNOWN = "chưa xác định"
NOT_MEASURED = "chưa đo được"
JUST_NOW_S = 5
SHORTEST_SHOWN_S = 0.1
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


@register.filter
def vn_number(value: int | None) -> str:
    """Write a whole number with points between thousands: 3.943."""
    return UNKNOWN if value is None else f"{value:,}".replace(",", ".")


@register.filter
def vn_percent(value: float | None) -> str:
    """Write a percentage with one decimal, rounded down so that 99,96 never reads as 100."""
    if value is None:
        return NOT_MEASURED
    floored = Decimal(str(value)).quantize(Decimal("0.1"), rounding=ROUND_FLOOR)
    text = f"{floored}".removesuffix(".0").replace(".", ",")
    return f"{text}%" if floored or not value else "dưới 0,1%"


@register.filter
def dataset_vi(value: str) -> str:
    """Write the name of a dataset; one the dictionary no longer holds keeps its code."""
    known = services().dictionary.datasets.get(DatasetId(value))
    return value if known is None else known.label.vi


@register.filter
def vn_date(value: date | None) -> str:
    """Write a day: 23/11/2026."""
    return UNKNOWN if value is None else f"{value:%d/%m/%Y}"


@register.filter
def vn_moment(value: datetime | None) -> str:
    """Write a moment in Vietnam's time: 23/11/2026 14:05."""
    return UNKNOWN if value is None else f"{value.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


@register.filter
def vn_date_of(value: datetime) -> str:
    """Write the day of a moment in Vietnam: 23/11/2026."""
    return vn_date(value.astimezone(VIETNAM).date())


@register.filter
def vn_clock(value: datetime) -> str:
    """Write the time of day in Vietnam with seconds: 14:05:09."""
    return f"{value.astimezone(VIETNAM):%H:%M:%S}"


@register.filter
def vn_ago(value: datetime | None, now: datetime) -> str:
    """Write how long ago something was: vừa xong, 3 phút trước; after a day, the moment itself."""
    if value is None:
        return UNKNOWN
    seconds = int((now - value).total_seconds())
    if seconds < -JUST_NOW_S or seconds >= DAY_S:
        return vn_moment(value)
    if seconds < JUST_NOW_S:
        return "vừa xong"
    if seconds < MINUTE_S:
        return f"{seconds} giây trước"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} phút trước"
    return f"{seconds // HOUR_S} giờ trước"


@register.filter
def vn_seconds(value: float | None) -> str:
    """Write a duration: 0,4 giây; 3 phút 20 giây; 2 giờ 5 phút; 3 ngày."""
    if value is None:
        return UNKNOWN
    if value < SHORTEST_SHOWN_S:
        return "dưới 0,1 giây"
    if value < MINUTE_S:
        return f"{value:.1f}".removesuffix(".0").replace(".", ",") + " giây"
    whole = int(value)
    if whole < HOUR_S:
        return _two(whole // MINUTE_S, "phút", whole % MINUTE_S, "giây")
    if whole < DAY_S:
        return _two(whole // HOUR_S, "giờ", whole % HOUR_S // MINUTE_S, "phút")
    return f"{whole // DAY_S} ngày"


@register.filter
def bar_width(value: float | None) -> str:
    """Write a percentage as the width of a bar in an SVG of 100 units."""
    return f"{min(100.0, max(0.0, value or 0.0)):.2f}"


@register.filter
def as_percent(value: float | None) -> float | None:
    """Turn a share of 1 into a percentage."""
    return None if value is None else value * 100


@register.filter
def standing_word(value: str) -> words.Word:
    """Return the word for how a task stands."""
    return words.STANDING[value]


@register.filter
def colour_word(value: str) -> words.Word:
    """Return the word for the colour of a score."""
    return words.COLOUR[value]


@register.filter
def severity_word(value: str) -> words.Word:
    """Return the word for the severity of a rule."""
    return words.SEVERITY[value]


@register.filter
def annex_word(value: str) -> words.Word:
    """Return the word for how much of an annex is known."""
    return words.ANNEX[value]


@register.filter
def link_word(line: DatabaseLine) -> words.Word:
    """Return the word for how a database's link stands."""
    return words.link_word(line)


@register.filter
def is_beyond_promise(line: DatabaseLine) -> bool:
    """Return whether the newest change took longer than promised."""
    return words.is_beyond_promise(line)


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
