"""The names of a file's columns, or why they cannot be used (dòng tiêu đề)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from unicodedata import normalize

from lienthong.sources.file_refusals import HeaderNotValid

COLUMNS_MAX: Final = 2_000
NAME_CHARACTERS_MAX: Final = 200
UNNAMED_SHARE_MAX: Final = 0.5
PLACES_SHOWN_MAX: Final = 5

_VALUE: Final = re.compile(r"[+-]?[\d.,/: -]*\d[\d.,/: -]*")  # digits and their signs only: a number, a date, a phone
_FIX: Final = "write one line with a name for every column, or say where it is with --header-row"


def header_names(names: Sequence[str | None], *, path: Path, line: int, chosen: bool) -> tuple[str, ...]:
    """Return the column names, composed and with single spaces; a column without a name is called by its place.

    Raises:
        HeaderNotValid: a name stands twice, most are missing, or the line holds values instead of names.
    """
    clean = [normalize("NFC", " ".join((name or "").replace("\ufeff", "").split())) for name in names]
    filled = sum(bool(name) for name in clean)

    def refuse(reason: str, fix: str = _FIX) -> HeaderNotValid:
        return HeaderNotValid(path=path, line=line, reason=reason, fix=fix)

    if len(clean) > COLUMNS_MAX:
        raise refuse(f"{len(clean)} columns, more than {COLUMNS_MAX}", "check the delimiter: --delimiter")
    if not chosen and filled == 1 and len(clean) > 1:
        raise refuse("only one cell is filled: this looks like a title, not like the names of the columns")
    # A name is shown by its place only: where the header is missing, the first line holds values of a record.
    values = [place for place, name in enumerate(clean, start=1) if _VALUE.fullmatch(name)]
    if values and not chosen:
        raise refuse(f"looks like values, not names, in {_places(values)}: the header seems to be missing")
    empty = [place for place, name in enumerate(clean, start=1) if not name]
    if len(empty) > UNNAMED_SHARE_MAX * len(clean):
        raise refuse(f"no name in {_places(empty)}", "give the columns names, and check --delimiter and --header-row")
    long = [place for place, name in enumerate(clean, start=1) if len(name) > NAME_CHARACTERS_MAX]
    if long:
        raise refuse(f"more than {NAME_CHARACTERS_MAX} characters in {_places(long)}")
    times = Counter(clean)
    twice = [place for place, name in enumerate(clean, start=1) if name and times[name] > 1]
    if twice:
        raise refuse(f"the same name in {_places(twice)}", "give every column a name of its own")
    return tuple(name or unnamed(place) for place, name in enumerate(clean, start=1))


def unnamed(place: int) -> str:
    """Return what a column without a name is called."""
    return f"({place})"


def _places(places: Sequence[int]) -> str:
    shown = ", ".join(str(place) for place in places[:PLACES_SHOWN_MAX])
    more = f" and {len(places) - PLACES_SHOWN_MAX} more" if len(places) > PLACES_SHOWN_MAX else ""
    return f"column {shown}{more}"
