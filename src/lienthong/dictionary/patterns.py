"""The closed subset of regular expressions that every engine reads alike.

Python, Rust (Polars), RE2 (DuckDB), Java (Spark), PostgreSQL and JSON Schema agree on: literals, classes of
characters with ranges, groups, alternatives, and repetition with a limit. Nothing else is let in, and nothing that
an engine which tries every way would not finish (``pattern_shape``).
"""

from __future__ import annotations

import re
from typing import Final

from lienthong.dictionary.pattern_shape import cost_fault

PATTERN_CHARACTERS_MAX: Final = 500
REPETITION_MAX: Final = 255  # PostgreSQL's own limit

_ESCAPABLE: Final = frozenset(r"\.[]{}()*+?^$|")
_REPETITION: Final = re.compile(r"\{([0-9]{1,3})(?:,([0-9]{1,3}))?\}")
_CLASS: Final = re.compile(r"\[\^?(?:\\[\\\]\[^\-.]|[^\\\]\[])+\]")


def pattern_fault(pattern: str) -> str | None:
    """Return why a pattern is outside the closed subset, or None."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        return f"is longer than {PATTERN_CHARACTERS_MAX} characters"
    if not pattern.isascii():
        return "holds characters outside ASCII"
    if len(pattern) < 2 or not pattern.startswith("^") or not pattern.endswith("$") or pattern.endswith("\\$"):  # noqa: PLR2004 - both anchors
        return "is not anchored with ^ and $"
    fault = _body_fault(pattern[1:-1])
    if fault is not None:
        return fault
    try:
        re.compile(pattern)
    except re.error as error:
        return f"is not a regular expression: {error.msg}"
    return cost_fault(pattern)


def _body_fault(body: str) -> str | None:
    place, depth, repeatable = 0, 0, False
    while place < len(body):
        step, depth, repeatable, fault = _token(body, place, depth, repeatable=repeatable)
        if fault is not None:
            return fault
        place += step
    return None if depth == 0 else "has an open group"


def _token(body: str, place: int, depth: int, *, repeatable: bool) -> tuple[int, int, bool, str | None]:
    """Return length of the token, depth after it, whether it may be repeated, and the fault if any."""
    sign = body[place]
    fault: str | None = None
    length = 1
    may_repeat = True
    match sign:
        case "\\":
            length = 2
            following = body[place + 1 : place + 2]
            if following not in _ESCAPABLE or not following:
                fault = f"uses \\{following}: write the characters out, such as [0-9]"
        case "[":
            found = _CLASS.match(body, place)
            length = 1 if found is None else found.end() - place
            fault = "has a class of characters that engines read differently" if found is None else None
        case "(":
            depth, may_repeat = depth + 1, False
            fault = "uses a group with ?, which is outside the subset" if body[place + 1 : place + 2] == "?" else None
        case ")":
            depth -= 1
            fault = "closes a group that is not open" if depth < 0 else None
        case "|":
            may_repeat = False
            # Without a group ^a|b$ would be anchored on one side only.
            fault = "has an alternative outside a group" if depth == 0 else None
        case "?" | "{":
            length, fault = _repetition(body, place)
            may_repeat = False
            fault = fault or (None if repeatable else "repeats nothing or repeats twice")
        case "*" | "+":
            fault = f"uses {sign}, which has no limit: write a repetition such as {{1,50}}"
        case "." | "^" | "$" | "]" | "}":
            fault = f"uses {sign} without a backslash"
        case _:
            pass
    return length, depth, may_repeat, fault


def _repetition(body: str, place: int) -> tuple[int, str | None]:
    if body[place] == "?":
        return 1, None
    found = _REPETITION.match(body, place)
    if found is None:
        return 1, "has a repetition without both limits"
    least, most = int(found[1]), int(found[2] or found[1])
    if most > REPETITION_MAX or least > most:
        return len(found[0]), f"repeats more than {REPETITION_MAX} times, or backwards"
    return len(found[0]), None
