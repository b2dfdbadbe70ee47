"""Everything wrong in a term sheet is told with sheet, row, column, kind of value and what to do; nothing is half read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from unicodedata import normalize

import pytest

from lienthong.dictionary.exports.damaged_codes import CodeShape, probably
from lienthong.dictionary.exports.refusals import TermSheetNotFound
from lienthong.dictionary.exports.term_columns import COLUMNS, term_row
from lienthong.dictionary.exports.term_reading import CellFault, TermImport, read_workbook_terms
from lienthong.dictionary.exports.term_sheet import CODE_TITLES, INDEX_SHEET, INDEX_TITLES, LIST_KIND, TERM_SHEET
from lienthong.dictionary.exports.workbook import CellValue, FoundSheet
from lienthong.dictionary.load import load
from lienthong.dictionary.model import Code, Dictionary, ElementId, Status, Text
from lienthong.dictionary.shipped import shipped_folder

NAME = ElementId("HoVaTen")


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.fixture
def row(dictionary: Dictionary) -> list[CellValue]:
    return list(term_row(dictionary, dictionary.elements[NAME]))


def read(dictionary: Dictionary, *rows: list[CellValue], **sheet: object) -> TermImport:
    found = FoundSheet(name=TERM_SHEET, rows=(COLUMNS, *(tuple(one) for one in rows)), **sheet)
    return read_workbook_terms(dictionary, [found], file="t.xlsx")


def read_codes(dictionary: Dictionary, name: str, *rows: tuple[CellValue, ...]) -> TermImport:
    found = FoundSheet(name=name, rows=(CODE_TITLES, *rows))
    return read_workbook_terms(dictionary, [found], file="t.xlsx")


def code_rows(dictionary: Dictionary, name: str) -> list[list[CellValue]]:
    def row_of(code: Code) -> list[CellValue]:
        since, until = (None if day is None else day.isoformat() for day in (code.valid_from, code.valid_to))
        return [
            code.code, code.label.vi, code.label.en, since, until, code.parent, "|".join(code.replaced_by), code.source,
        ]  # fmt: skip

    return [row_of(code) for code in dictionary.code_lists[name].codes]


def only(found: TermImport) -> CellFault:
    assert found.proposals == (), "nothing is proposed while anything is wrong"
    assert len(found.faults) == 1, found.faults
    return found.faults[0]


def test_an_unchanged_term_proposes_nothing(dictionary: Dictionary, row: list[CellValue]) -> None:
    found = read(dictionary, row)
    assert (found.faults, found.proposals, found.unchanged) == ((), (), 1)


def test_a_changed_definition_is_proposed_as_the_file_of_the_term(
    dictionary: Dictionary, row: list[CellValue]
) -> None:
    row[2] = "Họ, chữ đệm và tên của một người như trong giấy khai sinh."
    (proposal,) = read(dictionary, row).proposals
    assert proposal.path == "elements/HoVaTen.yaml"
    assert "giấy khai sinh" in proposal.text
    assert "technical_name: ho_va_ten" in proposal.text


def test_blank_rows_are_passed_over_and_rows_count_as_the_spreadsheet_counts(
    dictionary: Dictionary, row: list[CellValue]
) -> None:
    wrong = [*row]
    wrong[14] = "Họ Tên"
    fault = only(read(dictionary, [None] * 25, ["", None, ""], row[:0], wrong))
    assert (fault.sheet, fault.row, fault.column) == (TERM_SHEET, 5, "O")
    assert fault.title == COLUMNS[14]
    assert fault.rule == "technical-name"


@pytest.mark.parametrize(
    ("column", "value", "rule", "kind"),
    [
        (1, 12.5, "not-text", "number"),
        (2, True, "not-text", "true or false"),
        (9, date(2026, 1, 1), "not-text", "date or time"),
        (2, normalize("NFD", "Họ và tên của người."), "not-nfc", "text"),
        (0, "ho va ten", "not-an-id", "text"),
        (0, None, "missing-key", "empty"),
        (1, "Họ và tên\nTên", "not-as-written", "text"),
        (1, "[fr] nom", "not-as-written", "text"),
        (1, " Họ và tên", "blank-text", "text"),
        (2, "Họ và tên", "definition-is-name", "text"),
        (9, "phiên bản: 1.0\ntrạng thái: Đề xuất\ncấp: quốc gia", "not-a-version", "text"),
        (9, "phiên bản: 1.0.0\ntrạng thái: Xong\ncấp: quốc gia", "unknown-value", "text"),
        (9, "1.0.0", "not-as-written", "text"),
        (9, "phiên bản: 1.0.0\ntrạng thái: Đề xuất\ncấp: quốc gia\nhiệu lực từ: 1/7/2025", "not-as-written", "text"),
        (9, "phiên bản: 1.1.0\ntrạng thái: Phê duyệt & Đăng ký\ncấp: quốc gia", "not-a-proposal", "text"),
        (10, "[căn cứ] Luật Căn cước 2023", "missing-key", "text"),
        (10, "[nguồn] x | tin cậy: bịa", "unknown-value", "text"),
        (10, "[nguồn] x | ai: y", "not-as-written", "text"),
        (12, "KhongCo", "unknown-reference", "text"),
        (13, "nhạy cảm", "not-as-written", "text"),
        (13, "[mức nhạy cảm] rất", "unknown-value", "text"),
        (14, "so_dinh_danh x", "technical-name", "text"),
        (15, "Chuỗi", "not-as-written", "text"),
        (15, "Chuỗi\n[miền giá trị] vd-khong-co@1.0.0", "unknown-reference", "text"),
        (15, "Chuỗi\n[miền giá trị] vd-ho-ten@9.0.0", "unknown-version", "text"),
        (15, "Số nguyên\n[miền giá trị] vd-ho-ten@1.0.0", "contradicts-domain", "text"),
        (16, "tối đa 50 ký tự", "contradicts-domain", "text"),
        (22, "GET /khac", "contradicts-domain", "text"),
        (23, "schema:name", "not-as-written", "text"),
        (23, "schema:name (gần)", "unknown-value", "text"),
    ],
)
def test_a_wrong_cell_is_told_where_it_stands(
    dictionary: Dictionary, row: list[CellValue], column: int, value: CellValue, rule: str, kind: str
) -> None:
    row[column] = value
    found = read(dictionary, row)
    assert found.proposals == ()
    fault = next((one for one in found.faults if one.rule == rule), None)
    assert fault is not None, found.faults
    assert (fault.row, fault.kind, fault.title) == (2, kind, COLUMNS[column])
    assert fault.remedy


def test_the_same_id_in_two_rows_is_refused(dictionary: Dictionary, row: list[CellValue]) -> None:
    fault = only(read(dictionary, row, row))
    assert (fault.rule, fault.row, fault.column) == ("duplicate-id", 3, "A")
    assert "row 2" in fault.text


def test_a_formula_is_refused_although_it_has_a_value(dictionary: Dictionary, row: list[CellValue]) -> None:
    fault = only(read(dictionary, row, formulas=frozenset({(1, 2)})))
    assert (fault.rule, fault.kind, fault.row, fault.column) == ("formula", "formula", 2, "C")


def test_merged_cells_are_refused(dictionary: Dictionary, row: list[CellValue]) -> None:
    fault = only(read(dictionary, row, merged=((1, 6),)))
    assert (fault.rule, fault.row, fault.column) == ("merged-cells", 2, "G")


def test_a_value_beyond_the_last_column_is_not_silently_dropped(dictionary: Dictionary, row: list[CellValue]) -> None:
    fault = only(read(dictionary, [*row, None, "ghi chú riêng"]))
    assert (fault.rule, fault.column) == ("beyond-columns", "AA")


def test_every_fault_of_every_row_is_told_at_once(dictionary: Dictionary, row: list[CellValue]) -> None:
    rows = []
    for number in range(20):
        wrong = [*row]
        wrong[0], wrong[14] = f"MauXe{number}", "Không Phải Tên"
        rows.append(wrong)
    found = read(dictionary, *rows)
    assert [fault.row for fault in found.faults if fault.rule == "technical-name"] == list(range(2, 22))


def test_what_is_approved_is_never_changed_by_a_sheet(dictionary: Dictionary, row: list[CellValue]) -> None:
    known = dictionary.elements[NAME]
    approved = replace(known, identity=replace(known.identity, status=Status.APPROVED))
    settled = replace(dictionary, elements={**dictionary.elements, NAME: approved})
    assert only(read(settled, row)).rule == "settled"
    row[9] = "phiên bản: 1.1.0\ntrạng thái: Đề xuất\ncấp: quốc gia"
    assert len(read(settled, row).proposals) == 1


def test_an_empty_derived_cell_is_filled_from_the_value_domain(dictionary: Dictionary, row: list[CellValue]) -> None:
    for column in (16, 17, 20, 21, 22, 24):
        row[column] = None
    row[18] = "chưa xác định"
    found = read(dictionary, row)
    assert (found.faults, found.unchanged) == ((), 1)


def test_titles_may_lack_their_numbers_and_stand_below_a_heading(
    dictionary: Dictionary, row: list[CellValue]
) -> None:
    titles = tuple(title.partition(". ")[2].upper() for title in COLUMNS)
    sheet = FoundSheet(name="Trang 1", rows=(("PHỤ LỤC",), (), titles, tuple(row)))
    found = read_workbook_terms(dictionary, [sheet], file="t.xlsx")
    assert found.unchanged == 1


def test_a_workbook_without_the_25_columns_tells_which_title_is_wrong(dictionary: Dictionary) -> None:
    titles = [*COLUMNS[:6], "Cột lạ", *COLUMNS[7:]]
    sheet = FoundSheet(name="A", rows=(tuple(titles),))
    with pytest.raises(TermSheetNotFound, match=r"row 1 of sheet A, column G should be headed 7\. Đơn vị tạo ra"):
        read_workbook_terms(dictionary, [sheet], file="t.xlsx")
    with pytest.raises(TermSheetNotFound, match="no row holds any of the titles"):
        read_workbook_terms(dictionary, [], file="t.xlsx")


# codes


def test_codes_that_a_sheet_did_not_change_propose_nothing(dictionary: Dictionary) -> None:
    found = read_codes(dictionary, "gioi-tinh", *code_rows(dictionary, "gioi-tinh"))
    assert (found.faults, found.proposals, found.unchanged) == ((), (), 1)


def test_a_new_code_is_proposed_as_the_file_of_the_list_with_days_typed_as_dates(dictionary: Dictionary) -> None:
    rows = code_rows(dictionary, "gioi-tinh")
    rows.append(["3", "Chưa xác định được", None, date(2026, 7, 1), datetime(2027, 1, 1), None, "0|1", "thử"])  # noqa: DTZ001 - as a spreadsheet gives it
    (proposal,) = read_codes(dictionary, "gioi-tinh", *rows).proposals
    assert proposal.path == "codelists/gioi-tinh.csv"
    assert proposal.text.endswith("3,Chưa xác định được,,2026-07-01,2027-01-01,,0|1,thử\n")


def test_a_code_kept_as_a_number_is_refused_with_what_it_probably_was(dictionary: Dictionary) -> None:
    rows = code_rows(dictionary, "don-vi-hanh-chinh-xa")
    place = next(number for number, one in enumerate(rows) if one[0] == "00004")
    rows[place][0] = 4
    fault = only(read_codes(dictionary, "don-vi-hanh-chinh-xa", *rows))
    assert (fault.rule, fault.kind, fault.observed, fault.probably) == ("damaged-code", "number", "4", ("00004",))
    assert (fault.row, fault.column) == (place + 2, "A")
    assert "probably 00004" in fault.remedy


def test_a_parent_that_lost_its_zero_is_refused_with_what_it_probably_was(dictionary: Dictionary) -> None:
    rows = code_rows(dictionary, "don-vi-hanh-chinh-xa")
    rows[0][5] = "1"
    fault = only(read_codes(dictionary, "don-vi-hanh-chinh-xa", *rows))
    assert (fault.rule, fault.column, fault.probably) == ("damaged-code", "F", ("01",))


def test_a_row_may_not_be_left_out(dictionary: Dictionary) -> None:
    fault = only(read_codes(dictionary, "gioi-tinh", *code_rows(dictionary, "gioi-tinh")[:-1]))
    assert fault.rule == "deleted-codes"
    assert "code 2" in fault.text


def test_two_periods_on_one_day_are_told_with_the_row_of_the_sheet(dictionary: Dictionary) -> None:
    rows = code_rows(dictionary, "gioi-tinh")
    fault = only(read_codes(dictionary, "gioi-tinh", *rows, (), ("2", "Nữ khác", None, None, None, None, None, "x")))
    assert (fault.rule, fault.row) == ("overlapping-periods", len(rows) + 3)


def test_a_sheet_of_codes_for_an_unknown_list_is_refused(dictionary: Dictionary) -> None:
    assert only(read_codes(dictionary, "khong-co", ("1", "x"))).rule == "unknown-list"


def test_a_shortened_sheet_name_is_found_by_the_table_of_contents(dictionary: Dictionary) -> None:
    index = FoundSheet(name=INDEX_SHEET, rows=(INDEX_TITLES, ("gt~2", LIST_KIND, "gioi-tinh", "1.0.0", "Giới tính")))
    codes = FoundSheet(name="gt~2", rows=(CODE_TITLES, *(tuple(one) for one in code_rows(dictionary, "gioi-tinh"))))
    found = read_workbook_terms(dictionary, [index, codes], file="t.xlsx")
    assert (found.faults, found.unchanged, found.not_read) == ((), 1, (INDEX_SHEET,))


PROCEDURE = CodeShape(patterns=(r"^[0-9]\.[0-9]{6}$",))
COMMUNE = CodeShape(patterns=("^[0-9]{5}$",), known=frozenset({"00004", "01234"}))


@pytest.mark.parametrize(
    ("value", "shape", "was"),
    [
        ("1,010818", PROCEDURE, ("1.010818",)),
        (1010818, PROCEDURE, ("1.010818",)),
        ("1.01417", PROCEDURE, ("1.014170",)),
        (1.01417, PROCEDURE, ("1.014170",)),
        (2.0, PROCEDURE, ()),
        ("1,010,818", PROCEDURE, ("1.010818",)),
        ("1.010.818", PROCEDURE, ("1.010818",)),
        ("1.234", COMMUNE, ("01234",)),
        (" 1.010818 ", PROCEDURE, ("1.010818",)),
        ("1.0141", PROCEDURE, ("1.014100",)),
        (4, COMMUNE, ("00004",)),
        (4.0, COMMUNE, ("00004",)),
        ("1234", COMMUNE, ("01234",)),
        ("'00004", COMMUNE, ("00004",)),
        (123456, COMMUNE, ()),
        ("x", COMMUNE, ()),
        (1.2e15, COMMUNE, ()),
        (None, COMMUNE, ()),
        (True, COMMUNE, ()),
        (4, CodeShape(), ()),
        (4, CodeShape(known=frozenset({"004"})), ("004",)),
    ],
)
def test_a_damaged_code_is_guessed_and_never_repaired(
    value: CellValue, shape: CodeShape, was: tuple[str, ...]
) -> None:
    assert probably(value, shape) == was


def test_a_width_that_was_only_observed_forbids_no_new_kind_of_code(dictionary: Dictionary) -> None:
    shape = CodeShape(patterns=("^[0-9]{2}$",), known=frozenset({"01"}), width=2)
    assert shape.fits("01")
    assert shape.fits("A1")
    assert shape.fits("100")
    assert not shape.fits("1")


def test_the_text_of_a_label_may_be_whatever_it_is(dictionary: Dictionary) -> None:
    known = dictionary.elements[NAME]
    strange = replace(known, label=Text(vi="=1+1"), synonyms=("[en] x", "chưa xác định", "a | b"))
    changed = replace(dictionary, elements={**dictionary.elements, NAME: strange})
    found = read(changed, list(term_row(changed, strange)))
    assert found.elements == (strange,)
