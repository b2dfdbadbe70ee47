"""What a spreadsheet made of a code, and what it probably was; a person accepts it, nothing is repaired here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lienthong.dictionary.exports.workbook import CellValue
from lienthong.dictionary.model import CodeList, Dictionary

ZEROS_MAX: Final = 20
DIGITS_EXACT_MAX: Final = 15  # a spreadsheet keeps no more digits of a number

_NUMBER: Final = re.compile(r"[0-9]+([.,][0-9]+)?")
_GROUPED: Final = re.compile(r"[0-9]{1,3}([.,][0-9]{3}){1,4}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeShape:
    """How the codes of a list are written, and which there are."""

    patterns: tuple[str, ...] = ()  # one of them holds; none: nothing is known
    known: frozenset[str] = frozenset()
    width: int | None = None  # no domain says the pattern: all codes of the list just have this many digits

    def fits(self, text: str) -> bool:
        """Say whether a text is written as the codes of the list are."""
        if not self.patterns or any(re.fullmatch(pattern, text) for pattern in self.patterns):
            return True
        # A width that was only observed tells of lost zeros, and forbids no new kind of code.
        return self.width is not None and (len(text) > self.width or not _NUMBER.fullmatch(text))


def shape_of(dictionary: Dictionary, code_list: CodeList | None) -> CodeShape:
    """Return how the codes of a list are written; where no domain has a pattern, by the width they all have."""
    if code_list is None:
        return CodeShape()
    name, known = code_list.identity.id, frozenset(code.code for code in code_list.codes)
    patterns = {one.pattern for one in dictionary.domains.values() if one.code_list == name and one.pattern}
    widths = {len(code) for code in known}
    if not patterns and len(widths) == 1 and all(code.isascii() and code.isdigit() for code in known):
        width = widths.pop()
        return CodeShape(patterns=(f"^[0-9]{{{width}}}$",), known=known, width=width)
    return CodeShape(patterns=tuple(sorted(patterns)), known=known)


def probably(value: CellValue, shape: CodeShape) -> tuple[str, ...]:
    """Return the codes that a damaged value may have been, those of the list first.

    4 was probably 00004, "1,010818" was 1.010818 and 1.01417 was 1.014170, where the list is written so.
    """
    candidates = [one for one in dict.fromkeys(_candidates(value)) if one != value and shape.fits(one)]
    listed = [one for one in candidates if one in shape.known]
    return tuple(listed or (candidates if shape.patterns else ()))


def _candidates(value: CellValue) -> Iterator[str]:
    text = _as_written(value)
    if text is None:
        return
    yield text
    if _GROUPED.fullmatch(text):
        yield from _from_whole(text.replace(",", "").replace(".", ""))  # 1.234 was 01234
    if not _NUMBER.fullmatch(text) or len(text) > DIGITS_EXACT_MAX + 1:
        return
    whole, sign, fraction = text.replace(",", ".").partition(".")
    if not sign:
        yield from _from_whole(whole)
        return
    yield f"{whole}.{fraction}"
    for zeros in range(1, ZEROS_MAX):
        yield f"{whole}.{fraction}{'0' * zeros}"  # 1.01417 was 1.014170
    if not fraction.strip("0"):
        yield from _from_whole(whole)  # 4.0 was 00004


def _from_whole(digits: str) -> Iterator[str]:
    for zeros in range(ZEROS_MAX):
        yield "0" * zeros + digits  # 4 was 00004
    if len(digits) > 1:
        yield f"{digits[0]}.{digits[1:]}"  # 1010818 was 1.010818, its point read as one between thousands


def _as_written(value: CellValue) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value.strip().strip("'\u00a0").strip()
    return None
