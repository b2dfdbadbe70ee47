"""What a pattern of the closed subset costs an engine that tries every way, and which signs it lets stand where.

Rust (Polars) and RE2 (DuckDB) read a text once whatever the pattern. Java (Spark) and, for some patterns, PostgreSQL
try one way after the other: ``^([a-z]{1,50}){1,50}$`` has more ways than anyone can wait for. So a pattern is let in
only when the ways to read a text, counted here from above, and the places it unfolds to stay small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WAYS_MAX: Final = 10_000  # ways to read one text, at most
PLACES_MAX: Final = 4_000  # signs of the pattern once every repetition is written out

Signs = frozenset[int]
OTHER: Final = 128  # stands for every sign outside ASCII
ALL_SIGNS: Final[Signs] = frozenset(range(OTHER + 1))
DIGITS: Final[Signs] = frozenset(range(ord("0"), ord("9") + 1))

_TIMES: Final = re.compile(r"\?|\{([0-9]{1,3})(?:,([0-9]{1,3}))?\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of a pattern: one sign, a sequence, alternatives, or a repetition of one piece."""

    signs: Signs = frozenset()
    sequence: tuple[Part, ...] = ()
    ways: tuple[Part, ...] = ()
    body: Part | None = None
    least: int = 1
    most: int = 1


def cost_fault(pattern: str) -> str | None:
    """Return why a pattern, anchored and otherwise inside the subset, would explode; None when it does not."""
    part = read_pattern(pattern)
    if _places(part) > PLACES_MAX:
        return f"unfolds to more than {PLACES_MAX} signs"
    if _tries(part, frozenset()) > WAYS_MAX:
        return "can read one text in too many ways: a repetition inside a repetition needs a sign that parts them"
    return None


def read_pattern(pattern: str) -> Part:
    """Return the pieces of a pattern that is inside the subset."""
    part, place = _alternatives(pattern[1:-1], 0)
    assert place == len(pattern) - 2, "a pattern of the subset is read to its end"
    return part


def signs_between(pattern: str, start: int, length: int) -> tuple[Signs, bool]:
    """Return which signs can stand at ``start`` (from 1) and the places after it, and whether a text may end before.

    Vietnamese: tập ký tự có thể đứng tại các vị trí của mẫu.
    """
    states: frozenset[tuple[Part, ...]] = frozenset({(read_pattern(pattern),)})
    found: set[int] = set()
    ends_before = False
    for place in range(1, start + length):
        steps = {step for state in states for step in _steps(state)}
        if place <= start:
            ends_before = ends_before or any(_may_end(state) for state in states)
        if place >= start:
            found.update(*(signs for signs, _ in steps))
        states = frozenset(after for _, after in steps)
    return frozenset(found), ends_before


def _steps(state: tuple[Part, ...]) -> Iterable[tuple[Signs, tuple[Part, ...]]]:
    """Yield each sign that can come first and what is left to be read after it."""
    if not state:
        return
    first, rest = state[0], state[1:]
    if first.signs:
        yield first.signs, rest
    elif first.body is not None:
        if first.most > 0:
            left = Part(body=first.body, least=max(first.least - 1, 0), most=first.most - 1)
            for signs, after in _steps((first.body,)):
                yield signs, (*after, left, *rest)
        if first.least == 0 or _nullable(first.body):
            yield from _steps(rest)
    elif first.ways:
        for way in first.ways:
            yield from _steps((way, *rest))
    else:
        yield from _steps((*first.sequence, *rest))


def _may_end(state: tuple[Part, ...]) -> bool:
    return all(_nullable(part) for part in state)


def _alternatives(body: str, place: int) -> tuple[Part, int]:
    ways: list[Part] = []
    while True:
        part, place = _sequence(body, place)
        ways.append(part)
        if place >= len(body) or body[place] != "|":
            break
        place += 1
    return (ways[0] if len(ways) == 1 else Part(ways=tuple(ways))), place


def _sequence(body: str, place: int) -> tuple[Part, int]:
    parts: list[Part] = []
    while place < len(body) and body[place] not in "|)":
        if body[place] == "(":
            part, place = _alternatives(body, place + 1)
            place += 1  # the closing bracket
        else:
            signs, place = _signs(body, place)
            part = Part(signs=signs)
        times = _TIMES.match(body, place)
        if times is not None:
            place = times.end()
            least = 0 if times[0] == "?" else int(times[1])
            most = 1 if times[0] == "?" else int(times[2] or times[1])
            part = Part(body=part, least=least, most=most)
        parts.append(part)
    return Part(sequence=tuple(parts)), place


def _signs(body: str, place: int) -> tuple[Signs, int]:
    if body[place] == "\\":
        return frozenset({ord(body[place + 1])}), place + 2
    if body[place] != "[":
        return frozenset({ord(body[place])}), place + 1
    place += 1
    negated = body[place] == "^"
    place += negated
    named: list[int | None] = []  # None stands for the hyphen of a range
    while body[place] != "]":
        escaped = body[place] == "\\"
        place += escaped
        is_hyphen = body[place] == "-" and not escaped
        named.append(None if is_hyphen else ord(body[place]))
        place += 1
    signs = _class(named)
    return (ALL_SIGNS - signs if negated else signs), place + 1


def _class(named: list[int | None]) -> Signs:
    signs: set[int] = set()
    for place, sign in enumerate(named):
        if sign is not None:
            signs.add(sign)
            continue
        before = named[place - 1] if place > 0 else None
        after = named[place + 1] if place + 1 < len(named) else None
        signs.update({ord("-")} if before is None or after is None else range(before, after + 1))
    return frozenset(signs)


def _nullable(part: Part) -> bool:
    if part.signs:
        return False
    if part.body is not None:
        return part.least == 0 or _nullable(part.body)
    if part.ways:
        return any(_nullable(way) for way in part.ways)
    return all(_nullable(each) for each in part.sequence)


def _first(part: Part) -> Signs:
    if part.signs:
        return part.signs
    if part.body is not None:
        return _first(part.body) if part.most > 0 else frozenset()
    if part.ways:
        return frozenset().union(*(_first(way) for way in part.ways))
    found: Signs = frozenset()
    for each in part.sequence:
        found |= _first(each)
        if not _nullable(each):
            break
    return found


def _places(part: Part) -> int:
    if part.signs:
        return 1
    if part.body is not None:
        return min(part.most * _places(part.body), PLACES_MAX + 1)
    return sum(_places(each) for each in (*part.ways, *part.sequence))


def _tries(part: Part, follow: Signs) -> int:
    """Return from above in how many ways a text can be read by this part; one where the next sign always decides."""
    if part.signs:
        return 1
    if part.body is not None:
        return _tries_repeated(part, part.body, follow)
    if part.ways:
        counts = [_tries(way, follow) for way in part.ways]
        firsts = [_first(way) | (follow if _nullable(way) else frozenset()) for way in part.ways]
        apart = sum(len(each) for each in firsts) == len(frozenset().union(*firsts))
        return max(counts) if apart else min(sum(counts), WAYS_MAX + 1)
    ways = 1
    for place in range(len(part.sequence) - 1, -1, -1):
        each = part.sequence[place]
        ways = min(ways * _tries(each, follow), WAYS_MAX + 1)
        follow = _first(each) | (follow if _nullable(each) else frozenset())
    return ways


def _tries_repeated(part: Part, body: Part, follow: Signs) -> int:
    again = _first(body)
    inner = _tries(body, follow | again if part.most > 1 else follow)
    stops = part.most - part.least + 1 if again & follow and part.most > part.least else 1
    # A body that may be empty can be read as nothing any number of times.
    stops = part.most + 1 if _nullable(body) and part.most > 1 else stops
    # ``inner`` ways each time round, unless there is only one.
    ways = stops
    for _ in range(part.most if inner > 1 else 0):
        ways = ways * inner
        if ways > WAYS_MAX:
            return WAYS_MAX + 1
    return min(ways, WAYS_MAX + 1)
