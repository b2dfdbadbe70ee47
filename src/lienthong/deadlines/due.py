"""When something is due, as precisely as the text says it and no more."""

from __future__ import annotations

import calendar
import enum
import re
from dataclasses import dataclass
from datetime import date

_MONTH = re.compile(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])")
_YEAR = re.compile(r"(?P<year>\d{4})")


class DueKind(enum.Enum):
    """How precisely a due date is given."""

    MONTH = "month"  # trong tháng
    YEAR = "year"  # trong năm
    ROADMAP = "roadmap"  # theo lộ trình
    NONE = "none"  # không nêu hạn
    UNKNOWN = "unknown"  # chưa xác định: the text we hold does not reach that far


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A due date (thời hạn): a month, a year, or the statement that there is no date."""

    kind: DueKind
    year: int | None = None
    month: int | None = None

    def __post_init__(self) -> None:
        assert (self.year is not None) == (self.kind in {DueKind.MONTH, DueKind.YEAR}), "only dates have a year"
        assert (self.month is not None) == (self.kind is DueKind.MONTH), "only months have a month"

    @property
    def last_day(self) -> date | None:
        """Return the last day on which it is still on time; None when no date is given.

        Vietnamese: ngày cuối của thời hạn.
        """
        if self.year is None:
            return None
        if self.month is None:
            return date(self.year, 12, 31)
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def in_vietnamese(self) -> str:
        """Return the due date in words: ``tháng 8/2025``, ``năm 2026``, ``theo lộ trình``."""
        match self.kind:
            case DueKind.MONTH:
                return f"tháng {self.month}/{self.year}"
            case DueKind.YEAR:
                return f"năm {self.year}"
            case DueKind.ROADMAP:
                return "theo lộ trình"
            case DueKind.NONE:
                return "không nêu hạn"
            case DueKind.UNKNOWN:
                return "chưa xác định"


def parse_due(text: str | None) -> Due:
    """Read ``2025-08``, ``2025``, ``roadmap``, ``none``; None means unknown.

    Raises:
        ValueError: the text is none of these.
    """
    if text is None:
        return Due(kind=DueKind.UNKNOWN)
    if text == DueKind.ROADMAP.value:
        return Due(kind=DueKind.ROADMAP)
    if text == DueKind.NONE.value:
        return Due(kind=DueKind.NONE)
    if month := _MONTH.fullmatch(text):
        return Due(kind=DueKind.MONTH, year=_real_year(month["year"]), month=int(month["month"]))
    if year := _YEAR.fullmatch(text):
        return Due(kind=DueKind.YEAR, year=_real_year(year["year"]))
    raise ValueError(f"{text!r} is not a due date: write YYYY-MM, YYYY, roadmap or none")


def _real_year(digits: str) -> int:
    year = int(digits)
    if year == 0:
        raise ValueError("year 0000 does not exist")
    return year
