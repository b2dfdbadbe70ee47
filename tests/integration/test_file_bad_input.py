"""Bad files: each is refused with its line and a fix, or its bad rows are quarantined; nothing is half-written."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from files_made import COLUMNS, GOOD, Desk, csv_of

from lienthong.adapters.files.sheet_child import BLOCK_ROWS

OUTPUTS = {"out.parquet", "out.quarantine.parquet", "report.html"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(folder=tmp_path)


def line_of(row: tuple[str, ...]) -> str:
    return ",".join(f'"{cell}"' for cell in row) + "\n"


HEADER = ",".join(COLUMNS) + "\n"


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_broken_quote_costs_one_row_and_is_named_by_its_line(desk: Desk):
    lines = [line_of(GOOD[place % 3]) for place in range(3_000)]
    lines[1_000] = lines[1_000].replace('"Số', '"Số"', 1)
    lines[2_000] = '2000113222,"Công ty không đóng,x,1,2020-01-01,CTCP\n'
    done = desk.run(desk.put(HEADER + "".join(lines)))
    assert done.rows == (3_000, 2_998, 2)
    assert done.reasons == {1_002: ["broken-quote"], 2_002: ["broken-quote"]}


def test_a_quote_open_to_the_end_of_a_file_without_quotes_swallows_nothing(desk: Desk):
    plain = "".join(",".join(cell.replace(",", "") for cell in row) + "\n" for row in GOOD * 2_000)
    done = desk.run(desk.put(HEADER + '2000113222,"Mở,x,1,2020-01-01,CTCP\n' + plain))
    assert done.rows == (6_001, 6_000, 1)
    assert done.reasons == {2: ["broken-quote"]}


def test_ragged_rows_are_quarantined_as_they_stand(desk: Desk):
    done = desk.run(desk.put(HEADER + line_of(GOOD[0]) + "a,b\n" + line_of(GOOD[1]) + "1,2,3,4,5,6,7\n"))
    assert done.rows == (4, 2, 2)
    assert done.reasons == {3: ["ragged"], 5: ["ragged"]}
    assert done.quarantined is not None
    assert done.quarantined["_image"][0] == '{"_line":"a,b"}'


def test_a_cell_over_several_lines_is_one_row_and_is_told(desk: Desk):
    row = (GOOD[0][0], "Công ty\nhai dòng", *GOOD[0][2:])
    done = desk.run(desk.put(HEADER + line_of(row) + line_of(GOOD[1])))
    assert done.kept is not None
    assert done.kept["_row"].to_list() == [2, 4]
    assert done.kept["ten_to_chuc"][0] == "Công ty hai dòng"
    assert "several-lines" in done.notes


def test_bytes_that_are_no_text_quarantine_their_row_and_name_the_column(desk: Desk):
    bad = line_of((GOOD[1][0], "TEN", *GOOD[1][2:])).encode().replace(b"TEN", b"C\xf4ng ty")
    nul = line_of(GOOD[2]).encode().replace(b"Ba", b"B\0a")
    done = desk.run(desk.put(HEADER.encode() + line_of(GOOD[0]).encode() + bad + nul))
    assert done.rows == (3, 1, 2)
    assert done.reasons == {3: ["CL08"], 4: ["CL08"]}
    assert done.quarantined is not None
    assert "\\\\xf4" in done.quarantined["_image"][0]


def test_a_cell_of_ten_megabytes_is_quarantined_and_kept_raw(desk: Desk):
    big = (GOOD[1][0], "x" * 10_000_000, *GOOD[1][2:])
    done = desk.run(desk.put(HEADER + line_of(GOOD[0]) + line_of(big) + line_of(GOOD[2])))
    assert done.rows == (3, 2, 1)
    assert done.reasons[3][-1] == "CL07" or "CL07" in done.reasons[3]
    assert done.quarantined is not None
    assert len(done.quarantined["_image"][0]) > 10_000_000


def test_empty_lines_are_left_out_and_counted(desk: Desk):
    done = desk.run(desk.put(HEADER + "\n" + line_of(GOOD[0]) + ",,,,,\n\r\n" + line_of(GOOD[1])))
    assert done.rows == (2, 2, 0)
    assert done.told["rows"]["blank_left_out"] == 3
    assert done.kept is not None
    assert done.kept["_row"].to_list() == [3, 6]


# ── the whole file ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"", "FIL-003", "is empty"),
        (b"\n\n", "FIL-003", "is empty"),
        (HEADER.encode(), "FIL-003", "no rows"),
        (b"a,b,a\n1,2,3\n", "FIL-004", "line 1: the same name in column 1, 3"),
        (b'a,"b,c\n1,2,3\n', "FIL-004", "line 1: a quote in the header is not closed"),
        (b"2000113222,Ten,2020-01-01\n", "FIL-004", "header seems to be missing"),
        (csv_of(*GOOD * 3).encode("cp1258", "replace"), "FIL-005", "lines are not UTF-8"),
        (csv_of(*GOOD).encode("utf-16-le"), "FIL-005", "UTF-16"),
        ("Mã số,tên\n".encode("cp1258", "replace") + b"1,2\n", "FIL-005", "names of the columns"),
        (b"%PDF-1.7 ...", "FIL-002", "a PDF"),
        (b"\x1f\x8b\x08\0\0\0", "FIL-002", "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FIL-002", "old XLS"),
        (b"PK\x03\x04 not a zip", "FIL-009", "damaged"),
        (b"PAR1 not parquet", "FIL-017", "footer"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_nothing_is_written(
    desk: Desk, content: bytes, code: str, told: str
):
    done = desk.run(desk.put(content))
    assert (done.code, done.refused) == (1, code)
    assert told in done.told["error"]["message"]
    assert done.told["error"]["hint"]
    assert not desk.left_behind() & OUTPUTS


def test_no_file_is_said_plainly(desk: Desk):
    assert desk.run(desk.folder / "none.csv").refused == "FIL-001"
    assert desk.run(desk.folder).refused == "FIL-001"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("\ufeff" + csv_of(*GOOD), ()),
        (csv_of(*GOOD).replace("\n", "\r\n"), ()),
        (csv_of(*GOOD).replace("\n", "\r"), ()),
        (csv_of(*GOOD).encode("utf-16"), ()),
        (csv_of(*GOOD).encode("utf-16-be"), ("--encoding", "utf-16-be")),
        (pl.read_csv(csv_of(*GOOD).encode(), infer_schema=False).write_csv(separator=";"), ()),
        (pl.read_csv(csv_of(*GOOD).encode(), infer_schema=False).write_csv(separator="\t"), ("--delimiter", "tab")),
        ("sep=|\n" + pl.read_csv(csv_of(*GOOD).encode(), infer_schema=False).write_csv(separator="|"), ()),
        ("BẢNG KÊ DOANH NGHIỆP,,,,,\n\n" + csv_of(*GOOD), ("--header-row", "3")),
        (csv_of(*GOOD).removesuffix("\n"), ()),
    ],
)
def test_the_ways_people_write_csv_give_the_same_values(desk: Desk, content: str | bytes, options: tuple[str, ...]):
    plain = desk.run(desk.put(csv_of(*GOOD), "plain.csv"))
    done = desk.run(desk.put(content), "--force", *options)
    assert done.code == 0, done.text
    assert done.kept is not None
    assert plain.kept is not None
    assert done.kept.drop("_row").equals(plain.kept.drop("_row"))


def test_an_encoding_that_is_named_is_used(desk: Desk):
    content = csv_of(*((row[0], "CÔNG TY ÁNH", "x, y", *row[3:]) for row in GOOD)).encode("cp1252", "replace")
    done = desk.run(desk.put(content), "--encoding", "cp1252")
    assert done.kept is not None
    assert done.kept["ten_to_chuc"].to_list() == ["CÔNG TY ÁNH"] * 3
    assert "encoding" in done.notes


def test_a_byte_order_mark_against_the_named_encoding_is_refused(desk: Desk):
    assert desk.run(desk.put(csv_of(*GOOD).encode("utf-16")), "--encoding", "cp1258").refused == "FIL-005"


def test_bytes_a_named_encoding_does_not_have_quarantine_their_row(desk: Desk):
    content = (
        csv_of(*((*row[:5], "CTCP") for row in GOOD)).encode("ascii", "replace").replace(b"C?ng ty M?t", b"A\x81B")
    )
    done = desk.run(desk.put(content), "--encoding", "cp1252")
    assert done.reasons == {2: ["CL08"]}


@pytest.mark.parametrize(
    "options",
    [
        ("--encoding", "klingon"),
        ("--encoding", "rot13"),
        ("--delimiter", "ab"),
        ("--delimiter", '"'),
        ("--sheet", "Danh sách"),
        ("--limit-memory", "10"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(desk: Desk, options: tuple[str, ...]):
    assert desk.run(desk.put(csv_of(*GOOD)), *options).refused == "FIL-016"


def test_a_line_without_end_is_refused_by_its_number(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    from lienthong.adapters.files import csv_frames, opening

    monkeypatch.setattr(csv_frames, "LINE_BYTES_MAX", 3_000_000)
    monkeypatch.setattr(opening, "BLOCK_BYTES", 1_000_000)
    done = desk.run(desk.put(HEADER + line_of(GOOD[0]) + "x" * 5_000_000))
    assert done.refused == "FIL-007"
    assert "line 3" in done.told["error"]["message"]


def test_a_file_that_changes_while_it_is_read_gives_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    from lienthong.pipeline import file_run
    from lienthong.wiring import files

    path = desk.put(csv_of(*GOOD))

    def write_meanwhile(block, way):
        with path.open("a") as file:
            file.write("more\n")
        return file_run.process(block, way)

    monkeypatch.setattr(files, "process", write_meanwhile)
    assert desk.run(path).refused == "FIL-006"
    assert not desk.left_behind() & OUTPUTS
    assert not [name for name in desk.left_behind() if name.endswith(".part")]


def test_a_full_disk_leaves_nothing_behind(desk: Desk):
    path = desk.put(csv_of(*((f"{place:010}", *GOOD[0][1:]) for place in range(20_000))))
    limit = ("import resource", "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))")
    done = desk.run_apart(path, before=limit)
    assert (done.code, done.refused) == (1, "FIL-015")
    assert desk.left_behind() == {"in.csv", "mapping.yaml"}


def test_a_fault_while_overwriting_leaves_the_old_output(desk: Desk):
    path = desk.put(csv_of(*((f"{place:010}", *GOOD[0][1:]) for place in range(20_000))))
    for name in OUTPUTS:
        (desk.folder / name).write_text("before")
    limit = ("import resource", "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))")
    assert desk.run_apart(path, "--force", before=limit).refused == "FIL-015"
    assert {(desk.folder / name).read_text() for name in OUTPUTS} == {"before"}


def test_a_folder_that_is_not_there_is_said_before_anything_is_read(desk: Desk):
    done = desk.run(desk.put(csv_of(*GOOD)), "--quarantine", str(desk.folder / "no" / "q.parquet"))
    assert done.refused == "FIL-015"


# ── Parquet ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_nested_parquet_column_is_refused_by_its_name(desk: Desk):
    frame = pl.read_csv(csv_of(*GOOD).encode(), infer_schema=False)
    path = desk.folder / "a.parquet"
    frame.with_columns(chi_tiet=pl.concat_list("ten", "dia_chi")).write_parquet(path)
    done = desk.run(path)
    assert done.refused == "FIL-011"
    assert "chi_tiet" in done.told["error"]["message"]


def test_parquet_types_become_the_texts_the_dictionary_reads(desk: Desk):
    frame = pl.read_csv(csv_of(*GOOD[:1] * 2).encode(), infer_schema=False).with_columns(
        von_dieu_le=pl.Series([1_000_000.0, 2.5]),
        ngay_cap=pl.Series(["2020-03-07 00:00:00", None]).str.to_datetime(),
        loai_hinh=pl.col("loai_hinh").cast(pl.Categorical),
    )
    path = desk.folder / "a.parquet"
    frame.write_parquet(path)
    done = desk.run(path)
    assert done.kept is not None
    assert [str(value) for value in done.kept["von_dieu_le"]] == ["1000000.00"]
    assert [str(value) for value in done.kept["ngay_cap_dang_ky"]] == ["2020-03-07"]
    assert done.reasons == {2: ["CP01:ngay_cap_dang_ky"]}


def test_a_parquet_file_cut_in_the_middle_is_refused(desk: Desk):
    path = desk.folder / "a.parquet"
    rows = [(f"{place:010}", *GOOD[0][1:]) for place in range(5_000)]
    pl.read_csv(csv_of(*rows).encode(), infer_schema=False).write_parquet(path, compression="uncompressed")
    content = bytearray(path.read_bytes())
    content[200:20_000] = b"\xff" * 19_800
    path.write_bytes(content)
    done = desk.run(path)
    assert done.refused == "FIL-017"
    assert not desk.left_behind() & OUTPUTS


# ── XLSX ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_spreadsheet_did_to_the_values_is_told(desk: Desk):
    path = desk.folder / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Danh sách")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, GOOD[0])
        sheet.write_number(1, 3, 1_000_000)
        sheet.write_datetime(1, 4, date(2020, 3, 7), day)
        sheet.write_row(2, 0, GOOD[1])
        sheet.write_formula(2, 3, "=1000000*2", None, 2_000_000)
        sheet.write_number(2, 4, 44_262)
        sheet.write_row(3, 0, GOOD[2])
        sheet.write_number(3, 0, 101_234_567)  # 0101234567 typed into a cell of numbers
        sheet.write_formula(3, 3, "=1/0", None, "#DIV/0!")
        sheet.merge_range(5, 0, 5, 2, "gộp")
    done = desk.run(path)
    assert done.code == 0, done.text
    assert {"formulas", "merged", "numbers", "errors", "sheet"} <= done.notes
    assert done.kept is not None
    first = done.kept.filter(pl.col("_row") == 2)
    assert str(first["von_dieu_le"][0]) == "1000000.00"
    assert str(first["ngay_cap_dang_ky"][0]) == "2020-03-07"
    assert done.reasons[4], "a tax number that lost its zero is not taken for a good one"
    assert 6 in done.reasons


def test_dates_as_serial_numbers_are_read_when_the_mapping_says_so(desk: Desk):
    path = desk.folder / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, GOOD[0])
        sheet.write_number(1, 4, 43_897)
    mapping = desk.mapping.read_text().replace(
        "{element: NgayCapDangKy}", "{element: NgayCapDangKy, form: excel-serial}"
    )
    other = desk.put(mapping, "serial.yaml")
    done = desk.run(path, "--mapping", str(other), mapped=False)
    assert done.kept is not None
    assert [str(day) for day in done.kept["ngay_cap_dang_ky"]] == ["2020-03-07"]


def test_a_sheet_longer_than_a_block_comes_whole(desk: Desk):
    path = desk.folder / "a.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        for place in range(BLOCK_ROWS + 10):
            sheet.write_row(place + 1, 0, (f"{place:010}", *GOOD[0][1:]))
    done = desk.run(path)
    assert done.rows[0] == BLOCK_ROWS + 10
    assert done.kept is not None
    assert done.quarantined is not None
    lines = sorted([*done.kept["_row"], *done.quarantined["_row"]])
    assert lines == list(range(2, BLOCK_ROWS + 12))


def test_several_filled_sheets_ask_which(desk: Desk):
    path = desk.folder / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("Một", "Hai"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, COLUMNS)
            sheet.write_row(1, 0, GOOD[0])
    done = desk.run(path)
    assert done.refused == "FIL-010"
    assert "Một, Hai" in done.told["error"]["hint"]
    assert desk.run(path, "--sheet", "Ba").refused == "FIL-010"
    assert desk.run(path, "--sheet", "Hai").rows == (1, 1, 0)


def test_a_zip_bomb_is_refused_before_it_is_opened(desk: Desk):
    path = desk.folder / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(40):
                part.write(b"<c>0</c>" * 125_000)
    done = desk.run(path)
    assert done.refused == "FIL-008"
    assert not desk.left_behind() & OUTPUTS


def test_a_sheet_that_needs_too_much_memory_costs_only_the_process_that_reads_it(desk: Desk):
    path = desk.folder / "far.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_string(1_048_575, 16_383, "x")
    done = desk.run(path, "--limit-memory", "1000")
    assert done.refused == "FIL-009"
    assert "memory" in done.told["error"]["message"]


def test_a_document_type_declaration_is_refused(desk: Desk):
    path = desk.folder / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet().write_row(0, 0, COLUMNS)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook', 1
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert desk.run(path).refused == "FIL-009"


def test_times_and_booleans_of_a_sheet_are_texts():
    from lienthong.adapters.files.sheet_child import text_of

    moments = [datetime.fromisoformat(text) for text in ("2020-01-02", "2020-01-02T03:00")]
    cells = [True, 1.0, 1.5, 0.1 + 0.2, 1e15, 12, time(1, 2), *moments, "x"]
    assert [text_of(cell) for cell in cells] == [
        "TRUE", "1", "1.5", "0.3", "1e+15", "12", "01:02:00", "2020-01-02", "2020-01-02 03:00:00", "x",
    ]  # fmt: skip
