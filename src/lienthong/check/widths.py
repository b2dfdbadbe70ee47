"""How short and how long a text can be that a pattern of the closed subset accepts."""

from __future__ import annotations

import re
from typing import Final

from lienthong.dictionary.patterns import pattern_fault

_ATOM: Final = re.compile(r"\\.|\[\^?(?:\\.|[^\\\]])+\]|[^()|]")
_TIMES: Final = re.compile(r"\?|\{([0-9]+)(?:,([0-9]+))?\}")


def pattern_widths(pattern: str) -> tuple[int, int]:
    """Return the least and the greatest number of characters a matching text has."""
    assert pattern_fault(pattern) is None, "only patterns of the closed subset have limits"
    body = pattern[1:-1]
    widths, place = _alternatives(body, 0)
    assert place == len(body), "a pattern of the subset is read to its end"
    return widths


def _alternatives(body: str, place: int) -> tuple[tuple[int, int], int]:
    found: list[tuple[int, int]] = []
    while True:
        widths, place = _sequence(body, place)
        found.append(widths)
        if place >= len(body) or body[place] != "|":
            break
        place += 1
    return (min(least for least, _ in found), max(most for _, most in found)), place


def _sequence(body: str, place: int) -> tuple[tuple[int, int], int]:
    least = most = 0
    while place < len(body) and body[place] not in "|)":
        if body[place] == "(":
            (low, high), place = _alternatives(body, place + 1)
            place += 1  # the closing bracket
        else:
            atom = _ATOM.match(body, place)
            assert atom is not None, "every sign of the subset is an atom"
            low = high = 1
            place = atom.end()
        times = _TIMES.match(body, place)
        if times is not None:
            place = times.end()
            fewest = 0 if times[0] == "?" else int(times[1])
            often = 1 if times[0] == "?" else int(times[2] or times[1])
            low, high = low * fewest, high * often
        least, most = least + low, most + high
    return (least, most), place
