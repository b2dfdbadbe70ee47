"""From the sheets of a workbook back to items, or to the list of everything wrong in them (nhập bảng thuật ngữ)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from unicodedata import is_normalized

from lienthong.dictionary import cross_checks, items
from lienthong.dictionary.code_tables import CODE_COLUMNS, read_codes
from lienthong.dictionary.cross_checks import Located
from lienthong.dictionary.descriptors import TITLES, descriptors
from lienthong.dictionary.documents import Document, Path
from lienthong.dictionary.exports.cells import CellNotRead
from lienthong.dictionary.exports.damaged_codes import CodeShape, probably, shape_of
from lienthong.dictionary.exports.refusals import TermSheetNotFound
from lienthong.dictionary.exports.term_columns import COLUMN_OF, COLUMNS, DERIVED, READERS
from lienthong.dictionary.exports.term_sheet import CODE_TITLES, INDEX_SHEET, INDEX_TITLES, LIST_KIND, SETTLED
from lienthong.dictionary.exports.workbook import CellValue, FoundSheet, column_letters
from lienthong.dictionary.finding import folded
from lienthong.dictionary.model import (
    UNKNOWN_VI,
    Code,
    CodeList,
    CodeListId,
    Dictionary,
    Element,
    ElementId,
    Status,
)
from lienthong.dictionary.refusals import Problem
from lienthong.dictionary.writing import as_yaml, codes_csv

HEADER_ROWS_MAX: Final = 10  # the header stands among these rows
FAULTS_MAX: Final = 1_000
OBSERVED_CHARACTERS_MAX: Final = 60
_NOTHING: Final = ("", UNKNOWN_VI)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class CellFault:
    """One thing wrong in a sheet, where it is, and how it is mended (lỗi của một ô)."""

    sheet: str
    row: int  # as the spreadsheet counts, from 1
    column: str  # "A"; empty when the whole row or sheet is concerned
    title: str  # of the column
    kind: str  # of the value found: text, number, formula, …
    rule: str
    text: str
    remedy: str
    observed: str = ""
    probably: tuple[str, ...] = ()  # what a damaged code may have been


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposedFile:
    """A file of the dictionary as the sheet proposes it."""

    path: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TermImport:
    """What a workbook says; the proposals are empty when anything in it is wrong."""

    elements: tuple[Element, ...]
    code_lists: tuple[CodeList, ...]
    proposals: tuple[ProposedFile, ...]
    unchanged: int
    faults: tuple[CellFault, ...]
    not_read: tuple[str, ...]  # sheets that are for people only


def read_workbook_terms(dictionary: Dictionary, sheets: Sequence[FoundSheet], *, file: str) -> TermImport:
    """Return the terms and codes of a workbook, compared with the dictionary.

    Vietnamese: nhập bảng thuật ngữ.

    Raises:
        TermSheetNotFound: no sheet has the 25 columns, and none is a known code list.
    """
    faults: list[CellFault] = []
    named = _lists_by_sheet(sheets)
    elements: list[Element] = []
    code_lists: list[CodeList] = []
    not_read: list[str] = []
    terms_found = False
    for sheet in sheets:
        header = _header(sheet, COLUMNS)
        list_name = named.get(sheet.name, sheet.name)
        if header is not None:
            terms_found = True
            elements += _terms(dictionary, sheet, header, faults)
        elif (header := _header(sheet, CODE_TITLES)) is not None:
            terms_found = True
            code_lists += _codes(dictionary, sheet, header, list_name, faults)
        else:
            not_read.append(sheet.name)
    if not terms_found:
        raise TermSheetNotFound(file=file, reason=_nearest(sheets))
    faults = sorted(faults)[:FAULTS_MAX]
    changed, unchanged = _changes(dictionary, elements, code_lists)
    return TermImport(
        elements=tuple(elements),
        code_lists=tuple(code_lists),
        proposals=() if faults else changed,
        unchanged=unchanged,
        faults=tuple(faults),
        not_read=tuple(not_read),
    )


def _changes(
    dictionary: Dictionary, elements: Sequence[Element], code_lists: Sequence[CodeList]
) -> tuple[tuple[ProposedFile, ...], int]:
    proposals = [
        ProposedFile(path=f"elements/{one.identity.id}.yaml", text=as_yaml(one))
        for one in elements
        if dictionary.elements.get(ElementId(one.identity.id)) != one
    ]
    proposals += [
        ProposedFile(path=f"codelists/{one.identity.id}.csv", text=codes_csv(one))
        for one in code_lists
        if dictionary.code_lists[CodeListId(one.identity.id)] != one
    ]
    return tuple(proposals), len(elements) + len(code_lists) - len(proposals)


def _lists_by_sheet(sheets: Sequence[FoundSheet]) -> dict[str, str]:
    """Return the code list behind each sheet by the table of contents; a sheet's name may have been shortened."""
    found: dict[str, str] = {}
    for sheet in sheets:
        header = _header(sheet, INDEX_TITLES) if sheet.name == INDEX_SHEET else None
        for row in () if header is None else sheet.rows[header + 1 :]:
            cells = [one if isinstance(one, str) else "" for one in row[: len(INDEX_TITLES)]]
            if len(cells) == len(INDEX_TITLES) and cells[1] == LIST_KIND:
                found[cells[0]] = cells[2]
    return found


def _plain_title(cell: CellValue) -> str:
    """Return a title without its number, capitals and blanks."""
    return folded(cell).lstrip("0123456789") if isinstance(cell, str) else ""


def _header(sheet: FoundSheet, titles: Sequence[str]) -> int | None:
    wanted = [_plain_title(title) for title in titles]
    for number, row in enumerate(sheet.rows[:HEADER_ROWS_MAX]):
        if [_plain_title(cell) for cell in row[: len(wanted)]] == wanted:
            return number
    return None


def _nearest(sheets: Sequence[FoundSheet]) -> str:
    """Say which title is missing in the row that comes nearest to a header."""
    wanted = [_plain_title(title) for title in COLUMNS]
    best, told = 0, "no row holds any of the titles"
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[:HEADER_ROWS_MAX]):
            given = [_plain_title(cell) for cell in row[: len(wanted)]]
            given += [""] * (len(wanted) - len(given))
            right = sum(one == other for one, other in zip(given, wanted, strict=True))
            if right > best:
                best = right
                place = next(place for place in range(len(wanted)) if given[place] != wanted[place])
                where = f"row {number + 1} of sheet {sheet.name}, column {column_letters(place)}"
                told = f"{where} should be headed {COLUMNS[place]}"
    return told


def kind_of(value: CellValue) -> str:
    """Return what kind of value a cell holds, for people."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, datetime | date | time | timedelta):
        return "date or time"
    return "empty" if value is None or value == "" else "text"


class _Sheet:
    """A sheet that is being read, and what is wrong in it."""

    def __init__(self, sheet: FoundSheet, header: int, titles: Sequence[str], faults: list[CellFault]) -> None:
        self.sheet, self.header, self.titles, self.faults = sheet, header, titles, faults

    def refuse(
        self, row: int, column: int | None, rule: str, text: str, remedy: str, *, candidates: tuple[str, ...] = ()
    ) -> None:
        """Note a fault; rows and columns count from 0."""
        value: CellValue = None
        if column is not None and row < len(self.sheet.rows) and column < len(self.sheet.rows[row]):
            value = self.sheet.rows[row][column]
        formula = column is not None and (row, column) in self.sheet.formulas
        observed = "" if value is None else str(value)
        self.faults.append(
            CellFault(
                sheet=self.sheet.name,
                row=row + 1,
                column="" if column is None else column_letters(column),
                title=self.titles[column] if column is not None and column < len(self.titles) else "",
                kind="formula" if formula else kind_of(value),
                rule=rule,
                text=text,
                remedy=remedy,
                observed=observed if len(observed) <= OBSERVED_CHARACTERS_MAX else "",
                probably=candidates,
            )
        )

    def rows(self) -> Iterator[tuple[int, list[CellValue]]]:
        """Yield the rows below the header that hold anything, with formulas and merged cells refused."""
        width = len(self.titles)
        for place in self.sheet.merged:
            self.refuse(*place, "merged-cells", "cells are merged", "unmerge them and fill each one")
        for place in sorted(self.sheet.formulas):
            if place[0] > self.header:
                self.refuse(*place, "formula", "the cell holds a formula", "paste its value as text")
        for number, row in enumerate(self.sheet.rows[self.header + 1 :], start=self.header + 1):
            cells = [*row[:width], *[None] * (width - len(row))]
            if any(kind_of(cell) != "empty" for cell in row[width:]):
                text, remedy = "a cell beyond the last column holds something", "move it or delete it"
                beyond = next(n for n, cell in enumerate(row) if n >= width and kind_of(cell) != "empty")
                self.refuse(number, beyond, "beyond-columns", text, remedy)
            if any((isinstance(cell, str) and cell.strip()) or kind_of(cell) != "empty" for cell in cells):
                yield number, cells

    def text(self, row: int, column: int, value: CellValue) -> str:
        """Return a cell that must be a text; nothing where it is not."""
        if kind_of(value) == "empty":
            return ""
        if not isinstance(value, str):
            remedy = "format the cell as text and type the value again"
            self.refuse(row, column, "not-text", f"a text is expected, not a {kind_of(value)}", remedy)
            return ""
        if not is_normalized("NFC", value):
            remedy = "type it again with a Unicode (dựng sẵn) keyboard, or convert the file to NFC"
            self.refuse(row, column, "not-nfc", "the text is not in Unicode form NFC", remedy)
            return ""
        return value


class _RowDocument(Document):
    """A row in the place of a file, so that the same rules read both."""

    def __init__(self, sheet: _Sheet, row: int, value: dict[str, Any], lines: Mapping[str, int]) -> None:
        super().__init__(file="", problems=[], text="", value=value)
        self._sheet, self._row, self._columns = sheet, row, lines

    def refuse(self, path: Path, rule: str, text: str) -> None:
        """Note a problem at the column where the field is written."""
        key = str(path[0]) if path else ""
        self.problems.append(Problem(file="", line=self._row, rule=rule, text=text))
        number = self._columns.get(key)
        title = "" if number is None else TITLES[number - 1][1]
        remedy = f"correct column {title}" if title else "correct the row"
        if rule == "unknown-reference" and key == "value_domain":
            remedy = "name a value domain of the dictionary; a new one is proposed as a file first"
        self._sheet.refuse(self._row, None if number is None else number - 1, rule, text, remedy)


class _SilentDocument(Document):
    """Stands for an item of the dictionary, which was checked when it was loaded."""

    def refuse(self, path: Path, rule: str, text: str) -> None:
        """Say nothing: only what the sheet brings is judged here."""


def _terms(dictionary: Dictionary, found: FoundSheet, header: int, faults: list[CellFault]) -> list[Element]:
    before = len(faults)
    sheet = _Sheet(found, header, COLUMNS, faults)
    read: list[tuple[int, Located[Element], list[str]]] = []
    seen: dict[str, int] = {}
    for row, values in sheet.rows():
        cells = [sheet.text(row, column, value) for column, value in enumerate(values)]
        one = _term(sheet, row, cells)
        if one is None:
            continue
        name = one.item.identity.id
        if name in seen:
            text = f"id {name} already stands in row {seen[name] + 1}"
            sheet.refuse(row, 0, "duplicate-id", text, "keep one of the two rows")
            continue
        seen[name] = row
        read.append((row, one, cells))
    _check_together(dictionary, [one for _, one, _ in read])
    if len(faults) == before:
        merged = replace(
            dictionary,
            elements={**dictionary.elements, **{ElementId(one.item.identity.id): one.item for _, one, _ in read}},
        )
        for row, one, cells in read:
            _check_derived(merged, sheet, row, one.item, cells)
            _check_standing(dictionary, sheet, row, one.item)
    return [one.item for _, one, _ in read]


def _term(sheet: _Sheet, row: int, cells: Sequence[str]) -> Located[Element] | None:
    """Return the element of a row, or None where a cell cannot be read."""
    value: dict[str, Any] = {}
    before = len(sheet.faults)
    for number, read in READERS.items():
        cell = cells[number - 1]
        try:
            fields = read("" if cell.strip() in _NOTHING else cell)
        except CellNotRead as reason:
            sheet.refuse(row, number - 1, "not-as-written", str(reason), "write it as the exported sheet does")
            continue
        related = fields.pop("related", [])
        if related:
            value["related"] = list(dict.fromkeys([*value.get("related", []), *related]))
        fields.pop("", None)
        value |= fields
    document = _RowDocument(sheet, row, value, COLUMN_OF)
    if len(sheet.faults) > before:
        return None
    element = items.element(document, str(value.get("id") or ""))
    return None if document.problems else Located(item=element, document=document)


def _check_together(dictionary: Dictionary, read: Sequence[Located[Element]]) -> None:
    """Ask of the new terms what is asked between the items of a dictionary."""
    brought = {one.item.identity.id for one in read}

    def standing(item: Any) -> Located[Any]:
        return Located(item=item, document=_SilentDocument(file="", problems=[], text=""))

    cross_checks.check(
        code_lists=[standing(one) for one in dictionary.code_lists.values()],
        domains=[standing(one) for one in dictionary.domains.values()],
        elements=[
            *(standing(one) for one in dictionary.elements.values() if one.identity.id not in brought),
            *read,
        ],
        datasets=[],
    )


def _check_derived(dictionary: Dictionary, sheet: _Sheet, row: int, element: Element, cells: Sequence[str]) -> None:
    """Note cells that contradict the value domain or the datasets they follow from."""
    shown = {one.n: one.value for one in descriptors(dictionary, ElementId(element.identity.id))}
    given = {number: cells[number - 1].replace("\r\n", "\n").strip() for number in DERIVED}
    given[16] = "\n".join(line for line in cells[15].splitlines() if not line.startswith("["))
    for number, cell in sorted(given.items()):
        if cell in _NOTHING or cell == shown[number].strip():
            continue
        source = "the datasets of the dictionary" if number == 23 else f"value domain {element.value_domain}"  # noqa: PLR2004 - official number of API truy cập
        text = f"the cell does not say what follows from {source}"
        remedy = f"leave it empty, or name another value domain; it says: {shown[number][:200]}"
        sheet.refuse(row, number - 1, "contradicts-domain", text, remedy)


def _check_standing(dictionary: Dictionary, sheet: _Sheet, row: int, element: Element) -> None:
    """Note changes that a sheet cannot make: to what is approved, and approvals themselves."""
    known = dictionary.elements.get(ElementId(element.identity.id))
    if known == element:
        return
    version = COLUMN_OF["version"] - 1
    if known is not None and known.identity.version == element.identity.version and known.identity.status in SETTLED:
        text = f"{known.identity.id}@{known.identity.version} is settled and never changes"
        sheet.refuse(row, version, "settled", text, "raise the version; what is settled stays as it is")
    elif element.identity.status is not Status.PROPOSED:
        text = "a sheet proposes; it cannot review or approve"
        sheet.refuse(row, version, "not-a-proposal", text, "write trạng thái: Đề xuất")


def _codes(
    dictionary: Dictionary, found: FoundSheet, header: int, name: str, faults: list[CellFault]
) -> list[CodeList]:
    sheet = _Sheet(found, header, CODE_TITLES, faults)
    before = len(faults)
    if name not in dictionary.code_lists:
        text, remedy = (
            f"there is no code list {name}",
            "name the sheet as the list's id; propose a new list as a file",
        )
        sheet.refuse(header, None, "unknown-list", text, remedy)
        return []
    known = dictionary.code_lists[CodeListId(name)]
    above = None if known.parent_list is None else dictionary.code_lists[known.parent_list]
    shapes = {"code": shape_of(dictionary, known), "parent": shape_of(dictionary, above)}
    rows: list[int] = []
    lines: list[list[str]] = []
    for row, values in sheet.rows():
        rows.append(row)
        lines.append(_code_line(sheet, row, values, shapes))
    codes = _read_lines(sheet, rows, lines) if len(faults) == before else ()
    gone = _gone(known, codes)
    if len(faults) == before and gone:
        text = f"{len(gone)} row(s) of the list are missing, such as code {gone[0].code}"
        remedy = "put the rows back; a code ends by a day in column E, never by leaving out its row"
        sheet.refuse(header, None, "deleted-codes", text, remedy)
    return [replace(known, codes=codes)] if len(faults) == before else []


def _gone(known: CodeList, codes: Sequence[Code]) -> list[Code]:
    """Return the codes and beginnings that the sheet leaves out."""
    here = {(code.code, code.valid_from) for code in codes}
    return [code for code in known.codes if (code.code, code.valid_from) not in here]


def _code_line(sheet: _Sheet, row: int, values: Sequence[CellValue], shapes: Mapping[str, CodeShape]) -> list[str]:
    """Return a row as the line of the list's file."""
    cells = []
    for column, (name, value) in enumerate(zip(CODE_COLUMNS, values, strict=True)):
        if name in shapes:
            text = _code(sheet, row, column, value, shapes[name])
        elif name in {"valid_from", "valid_to"} and isinstance(value, date):
            # A spreadsheet turns a typed day into a date by itself; it is the same day.
            text = (value.date() if isinstance(value, datetime) else value).isoformat()
        else:
            text = sheet.text(row, column, value)
        if "\n" in text or "\r" in text:
            sheet.refuse(row, column, "line-end", "the cell holds several lines", "write it on one line")
        cells.append(text if text.strip() else "")
    return cells


def _code(sheet: _Sheet, row: int, column: int, value: CellValue, shape: CodeShape) -> str:
    """Return a code as it is written; a damaged one is refused with what it probably was."""
    if kind_of(value) == "empty":
        return ""
    if isinstance(value, str) and (shape.fits(value) or value in shape.known):
        return sheet.text(row, column, value)
    candidates = probably(value, shape)
    what = "the spreadsheet keeps this code as a number" if not isinstance(value, str) else "the code is misshapen"
    if len(candidates) == 1:
        remedy = f"it was probably {candidates[0]}: compare with the paper, format the cell as text, type it again"
    elif candidates:
        remedy = f"it may have been {', '.join(candidates[:3])}: compare with the paper, type it as text"
    else:
        remedy = "look the code up on paper; format the cell as text and type it again"
    sheet.refuse(row, column, "damaged-code", what, remedy, candidates=candidates)
    return ""


def _read_lines(sheet: _Sheet, rows: Sequence[int], lines: Sequence[Sequence[str]]) -> tuple[Code, ...]:
    """Read the rows by the rules of the list's file; its line 2 is the first row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CODE_COLUMNS)
    writer.writerows(lines)
    problems: list[Problem] = []
    codes, _ = read_codes("", text.getvalue(), problems)
    for problem in problems:
        place = problem.line - 2
        row = rows[place] if 0 <= place < len(rows) else sheet.header
        sheet.refuse(row, None, problem.rule, problem.text, "correct the row")
    return codes
