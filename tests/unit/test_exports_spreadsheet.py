"""Spreadsheets are written as texts only, and opened only when they are harmless."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from lienthong.adapters.spreadsheet import LIMITS, SpreadsheetLimits, inspect, read_workbook, write_workbook
from lienthong.dictionary.exports.refusals import SpreadsheetNotRead, SpreadsheetUnsafe, TextTooLong
from lienthong.dictionary.exports.term_sheet import dictionary_workbook
from lienthong.dictionary.exports.workbook import CELL_CHARACTERS_MAX, Sheet, column_letters, sheet_names

DAY = date(2026, 1, 1)
STRANGE = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "http://example.org", "mailto:a@b", "00004",
    "1e5", "{=1}", "TRUE", "2026-01-01", " đầu", "cuối ", "hai\ndòng", "_x0041_", "a_x000D_b", "\u00a0", "<b>&amp;",
    "'0", "😀", "Nguyễn",
)  # fmt: skip


def sheet(*rows: tuple[str, ...], name: str = "s") -> Sheet:
    return Sheet(name=name, rows=rows, widths=(10,) * len(rows[0]))


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "t.xlsx"
    path.write_bytes(content)
    return path


def made(tmp_path: Path, **parts: str) -> Path:
    """Make a workbook of one sheet out of parts written by hand."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        workbook.add_worksheet("s").write_string(0, 0, "a")
    fresh = io.BytesIO()
    with zipfile.ZipFile(target) as old, zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            given = parts.get(entry.filename.rpartition("/")[2].partition(".")[0])
            new.writestr(entry.filename, old.read(entry.filename) if given is None else given)
    return written(tmp_path, fresh.getvalue())


def sheet_xml(body: str, after: str = "") -> str:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{space}"><sheetData>{body}</sheetData>{after}</worksheet>'


def test_every_text_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    rows = tuple((text, text) for text in STRANGE)
    path = written(tmp_path, write_workbook([sheet(("a", "b"), *rows)], created=DAY))
    (found,) = read_workbook(path)
    assert found.rows == (("a", "b"), *rows)
    assert not found.formulas


def test_no_cell_is_a_formula_a_link_or_a_number(tmp_path: Path) -> None:
    content = write_workbook([sheet(("a",), *((text,) for text in STRANGE))], created=DAY)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
        names = archive.namelist()
    assert "<f>" not in xml
    assert "<hyperlink" not in xml
    assert xml.count("<c ") == xml.count('t="s"')
    assert not any("rels/sheet" in name for name in names)


def test_cells_are_formatted_as_text_so_that_editing_keeps_them_texts() -> None:
    content = write_workbook([sheet(("a",), ("00004",))], created=DAY)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        styles = archive.read("xl/styles.xml").decode()
        cells = archive.read("xl/worksheets/sheet1.xml").decode()
    assert 'numFmtId="49"' in styles, "49 is the text format"
    assert '<c r="A2" s="1" t="s">' in cells


def test_the_same_content_gives_the_same_bytes() -> None:
    sheets = [sheet(("a",), ("b",))]
    assert write_workbook(sheets, created=DAY) == write_workbook(sheets, created=DAY)


def test_a_text_that_no_cell_can_hold_is_refused_before_it_is_dropped() -> None:
    from dataclasses import replace

    from lienthong.dictionary.load import load
    from lienthong.dictionary.model import ElementId, Text
    from lienthong.dictionary.shipped import shipped_folder

    dictionary = load(shipped_folder("dictionary"))
    name = ElementId("HoVaTen")
    long = replace(dictionary.elements[name], usage=Text(vi="x" * (CELL_CHARACTERS_MAX + 1)))
    with pytest.raises(TextTooLong, match="column D has 32768 characters"):
        dictionary_workbook(replace(dictionary, elements={**dictionary.elements, name: long}), [])


def test_values_keep_their_kind_and_formulas_and_merged_cells_are_told(tmp_path: Path) -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        one = workbook.add_worksheet("một")
        one.write_row(0, 0, ["chữ", 4, 1.5, True])
        one.write_formula(1, 2, "=1+1", value=2)
        one.write_datetime(1, 0, date(2025, 7, 1), workbook.add_format({"num_format": "yyyy-mm-dd"}))
        one.merge_range("A4:B5", "gộp")
        workbook.add_worksheet("hai").write_string(2, 1, "x")
    first, second = read_workbook(written(tmp_path, target.getvalue()))
    assert first.rows[0] == ("chữ", 4, 1.5, True)
    assert first.rows[1][0] == date(2025, 7, 1)
    assert first.formulas == {(1, 2)}
    assert first.merged == ((3, 0),)
    assert second.rows[2] == (None, "x")


def test_a_shared_formula_is_told_for_each_cell(tmp_path: Path) -> None:
    body = '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">1</f><v>1</v></c></row>'
    body += '<row><c><f t="shared" si="0"/><v>1</v></c></row>'
    (found,) = read_workbook(made(tmp_path, sheet1=sheet_xml(body)))
    assert found.formulas == {(0, 0), (1, 0)}


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = made(tmp_path, sheet1=sheet_xml("<row><c/></row>" * 4_000_000))
    assert path.stat().st_size < 200_000
    with pytest.raises(SpreadsheetUnsafe, match="times its size when unpacked, the limit is 100"):
        read_workbook(path)


@pytest.mark.parametrize(
    ("limit", "word"),
    [
        ({"file_bytes": 100}, "bytes of file"),
        ({"entries": 3}, "parts"),
        ({"unpacked_bytes": 1_000}, "bytes when unpacked"),
        ({"ratio": 1}, "times its size"),
        ({"sheets": 1}, "sheets"),
        ({"rows": 2}, "rows"),
        ({"columns": 1}, "columns"),
        ({"cells": 3}, "cells in a sheet"),
    ],
)
def test_every_limit_is_held_and_named(tmp_path: Path, limit: dict[str, int], word: str) -> None:
    sheets = [sheet(("a", "b"), ("c", "d"), ("e", "f")), sheet(("a",), name="t")]
    path = written(tmp_path, write_workbook(sheets, created=DAY))
    assert len(read_workbook(path)) == 2
    with pytest.raises(SpreadsheetUnsafe, match=word):
        read_workbook(path, limits=SpreadsheetLimits(**limit))


def test_a_lone_cell_at_the_far_end_is_refused(tmp_path: Path) -> None:
    far = sheet_xml('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    with pytest.raises(SpreadsheetUnsafe, match="rows"):
        read_workbook(made(tmp_path, sheet1=far))


def test_a_wide_and_high_sheet_with_few_cells_is_refused(tmp_path: Path) -> None:
    corner = f'<row r="1"><c r="IV1"/></row><row r="{LIMITS.rows}"><c r="A{LIMITS.rows}"/></row>'
    with pytest.raises(SpreadsheetUnsafe, match="cells in a sheet"):
        read_workbook(made(tmp_path, sheet1=sheet_xml(corner)))


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData/></worksheet>'
    with pytest.raises(SpreadsheetNotRead, match="document type"):
        read_workbook(made(tmp_path, sheet1=bomb))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a zip archive"),
        (b"id,name\n1,a\n", "not a zip archive"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "password"),
        (b"PK\x03\x04" + b"\0" * 100, "damaged"),
    ],
)
def test_what_is_no_workbook_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(SpreadsheetNotRead, match=reason):
        read_workbook(written(tmp_path, content))


def test_a_part_that_is_larger_than_it_says_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "x" * 100_000)
    content = target.getvalue().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(SpreadsheetNotRead, match="damaged"):
        inspect(content, file="t.xlsx")


@pytest.mark.parametrize("cut", [100, 1_000, 3_000])
def test_half_a_file_is_refused(tmp_path: Path, cut: int) -> None:
    content = write_workbook([sheet(("a",), ("b",))], created=DAY)
    with pytest.raises(SpreadsheetNotRead):
        read_workbook(written(tmp_path, content[:cut]))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpreadsheetNotRead, match="No such file"):
        read_workbook(tmp_path / "none.xlsx")


def test_a_zip_without_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(SpreadsheetNotRead, match="no workbook"):
        read_workbook(path)


def test_columns_are_named_as_spreadsheets_name_them() -> None:
    assert [column_letters(number) for number in (0, 24, 25, 26, 51, 701, 702)] == [
        "A", "Y", "Z", "AA", "AZ", "ZZ", "AAA",
    ]  # fmt: skip


def test_names_of_sheets_fit_and_differ() -> None:
    names = sheet_names(("Mã/tên", "x" * 40, "x" * 50, "X" * 31, "a"))
    assert names[0] == "Mã-tên"
    assert all(len(name) <= 31 for name in names)
    assert len({name.casefold() for name in names}) == 5
