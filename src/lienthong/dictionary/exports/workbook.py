"""A workbook as plain values: what is written to a spreadsheet, and what was found in one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

CellValue = str | int | float | bool | date | datetime | time | timedelta | None

CELL_CHARACTERS_MAX: Final = 32_767  # of the format itself; a longer text would be dropped silently
SHEET_NAME_CHARACTERS_MAX: Final = 31
_NOT_IN_SHEET_NAMES: Final = frozenset("[]:*?/\\'")
_LETTERS: Final = 26


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A sheet to write: a text stays one whatever it looks like; what is to be sorted and added is a number."""

    name: str
    rows: tuple[tuple[str | float, ...], ...]  # the first is the header
    widths: tuple[int, ...]  # of the columns, in characters


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundSheet:
    """A sheet that was read; rows and columns count from 0."""

    name: str
    rows: tuple[tuple[CellValue, ...], ...]
    formulas: frozenset[tuple[int, int]] = frozenset()
    merged: tuple[tuple[int, int], ...] = ()  # the first cell of each merged range


def column_letters(column: int) -> str:
    """Return the name of a column, which counts from 0: A, …, Z, AA."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters


def sheet_names(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name that spreadsheets accept for each name wanted; no two are alike, whatever the case."""
    given: list[str] = []
    taken: set[str] = set()
    for name in wanted:
        plain = "".join("-" if sign in _NOT_IN_SHEET_NAMES else sign for sign in name)[:SHEET_NAME_CHARACTERS_MAX]
        unique, number = plain, 1
        while unique.casefold() in taken:
            number += 1
            tail = f"~{number}"
            unique = plain[: SHEET_NAME_CHARACTERS_MAX - len(tail)] + tail
        taken.add(unique.casefold())
        given.append(unique)
    return tuple(given)
