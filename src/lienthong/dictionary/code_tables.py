"""The CSV files of code lists: one row per code and period."""

from __future__ import annotations

import csv
from datetime import date
from itertools import pairwise
from typing import Final

from lienthong.dictionary.documents import text_problems
from lienthong.dictionary.model import Code, Text
from lienthong.dictionary.refusals import Problem

CODE_COLUMNS: Final = ("code", "label_vi", "label_en", "valid_from", "valid_to", "parent", "replaced_by", "source")
ALIAS_COLUMNS: Final = ("spelling", "code", "source")
SEVERAL: Final = "|"  # between the successors of one code
CODE_CHARACTERS_MAX: Final = 100
ROWS_MAX: Final = 200_000

Row = tuple[int, list[str]]


def table_rows(file: str, text: str, columns: tuple[str, ...], problems: list[Problem]) -> list[Row] | None:
    """Return the rows with their line, or None when the file cannot be used."""
    found = text_problems(file, text)

    def refuse(line: int, rule: str, words: str) -> None:
        found.append(Problem(file=file, line=line, rule=rule, text=words))

    rows: list[Row] = []
    if not found:
        reader = csv.reader(text.splitlines(keepends=True), strict=True)
        try:
            if (header := next(reader, [])) != list(columns):
                refuse(1, "csv-header", f"the columns must be {','.join(columns)}, not {','.join(header)}")
            for row in () if found else reader:
                if len(row) == len(columns):
                    rows.append((reader.line_num, row))
                else:
                    refuse(reader.line_num, "csv-row", f"{len(columns)} fields are expected, not {len(row)}")
        except csv.Error as error:
            refuse(reader.line_num, "csv-row", str(error))
        if len(rows) > ROWS_MAX:
            refuse(ROWS_MAX, "too-large", f"over {ROWS_MAX} rows")
    problems.extend(found)
    return None if found else rows


def read_codes(file: str, text: str, problems: list[Problem]) -> tuple[tuple[Code, ...], tuple[int, ...]]:
    """Return the codes of a list and the line of each."""
    rows = table_rows(file, text, CODE_COLUMNS, problems)
    if rows is None:
        return (), ()
    days: dict[str, date | None] = {"": None}
    codes: list[Code] = []
    lines: list[int] = []
    for line, (code, vi, en, since, until, parent, successors, source) in rows:
        for day in (since, until):
            if day not in days and not remember_day(day, days):
                text_ = f"{day} is not a day (YYYY-MM-DD)"
                problems.append(Problem(file=file, line=line, rule="not-a-day", text=text_))
                days[day] = None
        valid_from, valid_to = days[since], days[until]
        fault = _fault(code, vi, valid_from, valid_to)
        if fault is not None:
            problems.append(Problem(file=file, line=line, rule=fault[0], text=fault[1]))
            continue
        codes.append(
            Code(
                code=code,
                label=Text(vi=vi, en=en or None),
                valid_from=valid_from,
                valid_to=valid_to,
                parent=parent or None,
                replaced_by=tuple(successors.split(SEVERAL)) if successors else (),
                source=source or None,
            )
        )
        lines.append(line)
    _note_overlaps(file, codes, lines, problems)
    _note_strangers(file, codes, lines, problems)
    return tuple(codes), tuple(lines)


def remember_day(text: str, days: dict[str, date | None]) -> bool:
    """Keep the day a text names; return whether it names one."""
    if len(text) != len("2025-07-01"):  # Python also reads 20250701 and week dates
        return False
    try:
        days[text] = date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fault(code: str, vi: str, valid_from: date | None, valid_to: date | None) -> tuple[str, str] | None:
    if not code or code != code.strip() or len(code) > CODE_CHARACTERS_MAX:
        return "blank-text", f"code must have 1 to {CODE_CHARACTERS_MAX} characters and no blanks around it"
    if not vi or vi != vi.strip():
        return "blank-text", f"label_vi of code {code} is empty or has blanks around it"
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        return "empty-period", f"the period of code {code} is empty"
    return None


def _note_overlaps(file: str, codes: list[Code], lines: list[int], problems: list[Problem]) -> None:
    """Note codes two of whose periods share a day."""
    order = sorted(range(len(codes)), key=lambda n: (codes[n].code, codes[n].valid_from or date.min))
    for first, second in pairwise(order):
        one, other = codes[first], codes[second]
        if one.code != other.code:
            continue
        if one.valid_to is None or other.valid_from is None or other.valid_from < one.valid_to:
            text = f"code {one.code} is already in force on the same day at line {lines[first]}"
            problems.append(Problem(file=file, line=lines[second], rule="overlapping-periods", text=text))


def _note_strangers(file: str, codes: list[Code], lines: list[int], problems: list[Problem]) -> None:
    """Note successors that are no codes of the list."""
    known = {code.code for code in codes}
    for code, line in zip(codes, lines, strict=True):
        for successor in code.replaced_by:
            if successor not in known:
                text = f"code {code.code} is replaced by {successor}, which is not in the list"
                problems.append(Problem(file=file, line=line, rule="unknown-code", text=text))


def read_aliases(
    file: str, text: str, codes: tuple[Code, ...], problems: list[Problem]
) -> tuple[tuple[str, str], ...]:
    """Return the spellings sources write, each with the one code it stands for."""
    rows = table_rows(file, text, ALIAS_COLUMNS, problems)
    if rows is None:
        return ()
    known = {code.code for code in codes}
    aliases: dict[str, str] = {}

    def refuse(line: int, rule: str, words: str) -> None:
        problems.append(Problem(file=file, line=line, rule=rule, text=words))

    for line, (spelling, code, source) in rows:
        if not spelling or not source:
            refuse(line, "blank-text", "spelling and source must not be empty")
        elif code not in known:
            refuse(line, "unknown-code", f"{spelling} stands for {code}, which is not in the list")
        elif spelling in aliases:
            refuse(line, "duplicate-value", f"{spelling} stands twice")
        elif spelling in known and spelling != code:
            refuse(line, "alias-is-code", f"{spelling} is itself another code")
        else:
            aliases[spelling] = code
    return tuple(aliases.items())
