"""A pattern of the closed subset said in Vietnamese, for those who do not read regular expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lienthong.dictionary.patterns import pattern_fault

WORDS_CHARACTERS_MAX: Final = 200  # a longer sentence explains nothing
DEPTH_MAX: Final = 1  # groups within groups are better read as they stand

_CLASS_VI: Final[Mapping[str, str]] = {
    "[0-9]": "chữ số",
    "[1-9]": "chữ số khác 0",
    "[A-Z]": "chữ in hoa",
    "[a-z]": "chữ thường",
    "[A-Z0-9]": "chữ in hoa hoặc chữ số",
    "[0-9A-Z]": "chữ in hoa hoặc chữ số",
    "[a-z0-9]": "chữ thường hoặc chữ số",
    "[A-Za-z]": "chữ cái",
    "[A-Za-z0-9]": "chữ cái hoặc chữ số",
    "[0-9A-Za-z]": "chữ cái hoặc chữ số",
}
_CLASS: Final = re.compile(r"\[(?:\\.|[^\]])+\]")
_DIGITS: Final = re.compile(r"\[([0-9])-([0-9])\]")
_REPETITION: Final = re.compile(r"\{([0-9]+)(?:,([0-9]+))?\}|\?")


class _TooComplicated(Exception):
    """Say inside this module that words would not help."""


@dataclass(kw_only=True)
class _Reading:
    body: str
    place: int = 0

    def alternatives(self, depth: int) -> str:
        if depth > DEPTH_MAX:
            raise _TooComplicated
        read = [self.sequence(depth)]
        while self.peek() == "|":
            self.place += 1
            read.append(self.sequence(depth))
        return " hoặc ".join(read)

    def sequence(self, depth: int) -> str:
        parts: list[str] = []
        letters = ""
        while (sign := self.peek()) and sign not in "|)":
            if sign not in "([":
                letter = self.literal()
                if _REPETITION.match(self.body, self.place) is None:
                    letters += letter
                    continue
                parts += _said(letters)
                letters = ""
                parts.append(self.repeated(_said(letter)[0]))
                continue
            parts += _said(letters)
            letters = ""
            parts.append(self.group(depth) if sign == "(" else self.one_of())
        return ", rồi ".join([*parts, *_said(letters)]) or "không có gì"

    def group(self, depth: int) -> str:
        self.place += 1
        inside = self.alternatives(depth + 1)
        self.place += 1
        least, most = self.repetition()
        if (least, most) == (1, 1):
            return f"({inside})"
        return f"có thể thêm ({inside})" if (least, most) == (0, 1) else f"{_times(least, most)} lần ({inside})"

    def one_of(self) -> str:
        found = _CLASS.match(self.body, self.place)
        assert found is not None, "a class of the closed subset is closed"
        self.place = found.end()
        digits = _DIGITS.fullmatch(found[0])
        other = f"ký tự trong {found[0]}" if digits is None else f"chữ số từ {digits[1]} đến {digits[2]}"
        return self.repeated(_CLASS_VI.get(found[0], other))

    def repeated(self, what: str) -> str:
        least, most = self.repetition()
        return f"có thể có 1 {what}" if (least, most) == (0, 1) else f"{_times(least, most)} {what}"

    def repetition(self) -> tuple[int, int]:
        found = _REPETITION.match(self.body, self.place)
        if found is None:
            return 1, 1
        self.place = found.end()
        if found[0] == "?":
            return 0, 1
        return int(found[1]), int(found[2] or found[1])

    def literal(self) -> str:
        self.place += 2 if self.body[self.place] == "\\" else 1
        return self.body[self.place - 1]

    def peek(self) -> str:
        return self.body[self.place : self.place + 1]


def _said(letters: str) -> list[str]:
    if not letters:
        return []
    return [f"dấu “{letters}”" if len(letters) == 1 and not letters.isalnum() else f"“{letters}”"]


def _times(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} đến {most}"


def pattern_in_words(pattern: str) -> str | None:
    """Return what a pattern asks, in Vietnamese, or None where the pattern itself is easier to read."""
    if pattern_fault(pattern) is not None:
        return None
    try:
        said = _Reading(body=pattern[1:-1]).alternatives(0)
    except _TooComplicated:
        return None
    return said if len(said) <= WORDS_CHARACTERS_MAX else None
