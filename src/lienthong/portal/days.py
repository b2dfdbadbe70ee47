"""The day a reader asks about, as it stands in an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)

_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_VIETNAMESE: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


@dataclass(frozen=True, kw_only=True, slots=True)
class DayAsked:
    """A day, or why what was asked is none; ``day`` is today when nothing was asked."""

    day: date
    given: bool
    refused: bool = False


def read_day(text: str | None, *, today: date) -> DayAsked:
    """Read ``2024-01-01`` or, as people write it, ``1/1/2024``; anything else is refused, never guessed."""
    if text is None or not text.strip():
        return DayAsked(day=today, given=False)
    written = text.strip()
    if found := _ISO.fullmatch(written):
        year, month, day = (int(part) for part in found.groups())
    elif found := _VIETNAMESE.fullmatch(written):
        day, month, year = (int(part) for part in found.groups())
    else:
        return DayAsked(day=today, given=True, refused=True)
    try:
        asked = date(year, month, day)
    except ValueError:
        return DayAsked(day=today, given=True, refused=True)
    if not FIRST_DAY <= asked <= LAST_DAY:
        return DayAsked(day=today, given=True, refused=True)
    return DayAsked(day=asked, given=True)
