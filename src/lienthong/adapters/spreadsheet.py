"""Spreadsheets (.xlsx): written with every cell as a text, read only after they were found harmless.

A file of 587 kB can hold a sheet of 200 MB. So the archive is looked at first, unpacked once under limits without
keeping anything, and only then given to the reader of values.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

import python_calamine
import xlsxwriter  # type: ignore[import-untyped] # ships no types

from lienthong.dictionary.exports.refusals import SpreadsheetNotRead, SpreadsheetUnsafe
from lienthong.dictionary.exports.workbook import CellValue, FoundSheet, Sheet

PORTION_BYTES: Final = 65_536
TEXT_FORMAT: Final = 49  # "@", by its number in the standard
_ENCRYPTED_FLAG: Final = 0x1
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")  # an old .xls, or a file with a password
_ZIP: Final = b"PK\x03\x04"
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_LETTERS: Final = 26


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadsheetLimits:
    """What a spreadsheet may need (giới hạn của tệp bảng tính)."""

    file_bytes: int = 20_000_000
    entries: int = 500
    unpacked_bytes: int = 100_000_000
    ratio: int = 100  # unpacked to packed; a sheet of real words stays below 40
    sheets: int = 200
    rows: int = 200_000
    columns: int = 256
    cells: int = 2_000_000


LIMITS: Final = SpreadsheetLimits()


def write_workbook(sheets: Sequence[Sheet], *, created: date) -> bytes:
    """Return a workbook; a text that looks like a formula, a link or a number stays the text it is.

    The same sheets and day give the same bytes.
    """
    target = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(target, options) as workbook:
        workbook.set_properties({"created": datetime(created.year, created.month, created.day)})  # noqa: DTZ001 - a field without a zone
        # As text, a cell that begins with '=' stays one when a person edits it.
        text = workbook.add_format({"num_format": TEXT_FORMAT, "text_wrap": True, "valign": "top"})
        title = workbook.add_format(
            {
                "num_format": TEXT_FORMAT,
                "text_wrap": True,
                "valign": "top",
                "bold": True,
                "bg_color": "#E7EDF3",
                "border": 1,
            }
        )
        whole, decimal = (
            workbook.add_format({"num_format": shape, "valign": "top"}) for shape in ("#,##0", "#,##0.0000")
        )
        for one in sheets:
            sheet = workbook.add_worksheet(one.name)
            for column, width in enumerate(one.widths):
                sheet.set_column(column, column, width, text)
            for number, row in enumerate(one.rows):
                for column, cell in enumerate(row):
                    if not isinstance(cell, str):
                        sheet.write_number(number, column, cell, whole if isinstance(cell, int) else decimal)
                        continue
                    refused = cell and sheet.write_string(number, column, cell, title if number == 0 else text)
                    assert not refused, "lengths are checked before a workbook is written"
            sheet.freeze_panes(1, 1)
            if len(one.rows) > 1:
                sheet.autofilter(0, 0, len(one.rows) - 1, len(one.rows[0]) - 1)
    return target.getvalue()


def read_workbook(path: Path, *, limits: SpreadsheetLimits = LIMITS) -> tuple[FoundSheet, ...]:
    """Return the sheets of a workbook with their values, formulas and merged cells.

    Raises:
        SpreadsheetUnsafe: it would need more than it may; nothing of it was opened.
        SpreadsheetNotRead: it is no .xlsx, or damaged.
    """
    name = path.name
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise SpreadsheetUnsafe(file=name, found=size, limit_name="bytes of file", limit=limits.file_bytes)
        data = path.read_bytes()
    except OSError as cause:
        raise SpreadsheetNotRead(file=name, reason=cause.strerror or "it cannot be opened") from cause
    forms = inspect(data, file=name, limits=limits)
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as workbook:
            return tuple(_found(workbook.get_sheet_by_name(form.name), form) for form in forms)
    except python_calamine.CalamineError as cause:
        raise SpreadsheetNotRead(file=name, reason="its content is damaged") from cause


def _found(sheet: python_calamine.CalamineSheet, form: SheetForm) -> FoundSheet:
    rows = sheet.to_python(skip_empty_area=False)
    return FoundSheet(
        name=form.name,
        rows=tuple(tuple(_value(cell) for cell in row) for row in rows),
        formulas=frozenset(form.formulas),
        merged=tuple(form.merged),
    )


def _value(cell: Any) -> CellValue:
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell  # type: ignore[no-any-return] # the reader's own types are those of CellValue


@dataclass(kw_only=True, slots=True)
class SheetForm:
    """What a sheet is like, without its values."""

    name: str
    formulas: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)
    rows: int = 0
    columns: int = 0
    cells: int = 0


def inspect(data: bytes, *, file: str, limits: SpreadsheetLimits = LIMITS) -> tuple[SheetForm, ...]:
    """Return the forms of the sheets of a harmless workbook; refuse any other, keeping nothing of it.

    Raises:
        SpreadsheetUnsafe: over a limit.
        SpreadsheetNotRead: not an .xlsx, or damaged.
    """
    if not data.startswith(_ZIP):
        reason = "it is an old .xls or has a password" if data.startswith(_OLE) else "it is not a zip archive"
        raise SpreadsheetNotRead(file=file, reason=reason)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive, len(data), file, limits)
            _check_content(archive)
            forms = _forms(archive, file, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, RuntimeError) as cause:
        raise SpreadsheetNotRead(file=file, reason="the archive is damaged or has no workbook") from cause
    except expat.ExpatError as cause:
        raise SpreadsheetNotRead(file=file, reason="a part of it is not XML") from cause
    return forms


def _check_directory(archive: zipfile.ZipFile, size: int, file: str, limits: SpreadsheetLimits) -> None:
    entries = archive.infolist()

    def refuse(found: int, limit_name: str, limit: int) -> None:
        if found > limit:
            raise SpreadsheetUnsafe(file=file, found=found, limit_name=limit_name, limit=limit)

    refuse(len(entries), "parts", limits.entries)
    unpacked = sum(entry.file_size for entry in entries)
    refuse(unpacked, "bytes when unpacked", limits.unpacked_bytes)
    refuse(unpacked // max(size, 1), "times its size when unpacked", limits.ratio)
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names) or any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise SpreadsheetNotRead(file=file, reason="a part stands twice or is encrypted")


def _check_content(archive: zipfile.ZipFile) -> None:
    """Unpack every part once: one that is larger than it says fails its checksum here, not in the reader."""
    for entry in archive.infolist():
        for _ in _portions(archive, entry.filename):
            pass


def _portions(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as part:
        while portion := part.read(PORTION_BYTES):
            yield portion


def _forms(archive: zipfile.ZipFile, file: str, limits: SpreadsheetLimits) -> tuple[SheetForm, ...]:
    targets = {one["Id"]: one["Target"] for one in _attributes(archive, _RELATIONS, "Relationship", file)}
    forms: list[SheetForm] = []
    listed = list(_attributes(archive, _WORKBOOK, "sheet", file))
    if len(listed) > limits.sheets:
        raise SpreadsheetUnsafe(file=file, found=len(listed), limit_name="sheets", limit=limits.sheets)
    for one in listed:
        relation = next(value for name, value in one.items() if name.rpartition(" ")[2] == "id")
        target = targets[relation]
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if "worksheets/" not in part:
            continue  # a chart or a macro holds no cells
        reader = _FormReader(SheetForm(name=one["name"]), file, limits)
        _parse(archive, part, reader.start, file)
        forms.append(reader.form)
    return tuple(forms)


def _attributes(archive: zipfile.ZipFile, part: str, wanted: str, file: str) -> Iterator[Mapping[str, str]]:
    found: list[Mapping[str, str]] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name.rpartition(" ")[2] == wanted:
            found.append(dict(attributes))

    _parse(archive, part, start, file)
    yield from found


def _parse(archive: zipfile.ZipFile, part: str, start: Any, file: str) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise SpreadsheetNotRead(
            file=file, reason="a part of it declares a document type, which no spreadsheet needs"
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    for portion in _portions(archive, part):
        parser.Parse(portion)
    parser.Parse(b"", True)


class _FormReader:
    """Follow the cells of a sheet without keeping what they hold."""

    def __init__(self, form: SheetForm, file: str, limits: SpreadsheetLimits) -> None:
        self.form, self._file, self._limits = form, file, limits
        self._row, self._column = -1, -1

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take note of the beginning of a part of the sheet."""
        match name.rpartition(" ")[2]:
            case "row":
                given = attributes.get("r", "")
                self._row, self._column = int(given) - 1 if given.isdecimal() else self._row + 1, -1
            case "c":
                self._cell(attributes.get("r"))
            case "f":
                self.form.formulas.append((self._row, self._column))
            case "mergeCell":
                self.form.merged.append(_place(attributes.get("ref", "").partition(":")[0]) or (0, 0))
            case _:
                pass

    def _cell(self, reference: str | None) -> None:
        place = None if reference is None else _place(reference)
        self._row, self._column = place or (self._row, self._column + 1)
        form, limits = self.form, self._limits
        form.rows, form.columns = max(form.rows, self._row + 1), max(form.columns, self._column + 1)
        form.cells += 1
        # A single cell at the far end makes a reader fill everything before it.
        found = ((form.rows, "rows", limits.rows), (form.columns, "columns", limits.columns))
        area = (form.rows * form.columns, "cells in a sheet", limits.cells)
        for count, limit_name, limit in (*found, (form.cells, "cells in a sheet", limits.cells), area):
            if count > limit:
                raise SpreadsheetUnsafe(file=self._file, found=count, limit_name=limit_name, limit=limit)


def _place(reference: str) -> tuple[int, int] | None:
    """Return row and column of A1, both from 0."""
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    if not letters.isascii() or not letters.isalpha() or not digits or len(reference) > 10:  # noqa: PLR2004 - XFD1048576
        return None
    column = 0
    for letter in letters.upper():
        column = column * _LETTERS + ord(letter) - ord("A") + 1
    return int(digits) - 1, column - 1
