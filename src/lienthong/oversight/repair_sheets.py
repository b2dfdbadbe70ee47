"""A case as a workbook for the agency that owns the records, and its answers read back (bảng kê bản ghi cần sửa).

Every cell is a text, so no spreadsheet takes the zeros off a code. Values are masked; the record's own number tells
its owner which row of the source is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lienthong.check.verdict import Rule
from lienthong.deadlines.workhours import VIETNAM
from lienthong.dictionary.exports.workbook import CELL_CHARACTERS_MAX, FoundSheet, Sheet
from lienthong.oversight.repair import Deadlines, RepairCase
from lienthong.oversight.repair_desk import CaseMember
from lienthong.oversight.repair_policy import Colour
from lienthong.oversight.repair_refusals import AnswersNotRead

CASE_SHEET: Final = "Phiếu"
RECORD_SHEET: Final = "Bản ghi"
RECORDS_MAX: Final = 100_000  # of one workbook
NOT_AN_ERROR: Final = "không phải lỗi"
COLOUR_VI: Final[Mapping[Colour, str]] = {Colour.RED: "Đỏ", Colour.YELLOW: "Vàng", Colour.GREEN: "Xanh"}
_HEADER: Final = (
    "Phát hiện",
    "Mã bản ghi (IdBanGhi)",
    "Bảng nguồn",
    "Khóa tại nguồn",
    "Trường",
    "Quy tắc",
    "Nội dung quy tắc",
    "Giá trị (đã che)",
    "Phát hiện lúc",
    "Tình trạng",
    "Trả lời của cơ quan",
    "Lý do",
)
_WIDTHS: Final = (12, 44, 24, 18, 22, 24, 50, 24, 18, 18, 20, 40)
_RECORD_AT, _ANSWER_AT, _REASON_AT = 1, 10, 11


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What an agency wrote into the workbook: records it says are no error, with its reasons."""

    number: int
    records: tuple[str, ...]
    reasons: tuple[str, ...]  # different ones, in order


def case_sheets(
    case: RepairCase, members: Sequence[CaseMember], *, due: Deadlines, rule: Rule | None, dataset_vi: str
) -> tuple[Sheet, ...]:
    """Return the sheets of a case."""
    sentence = case.rule if rule is None else rule.sentence.vi
    facts = (
        ("Phiếu", case.name),
        ("Cơ quan chủ quản", case.agency),
        ("Bộ dữ liệu", dataset_vi),
        ("Nguồn", case.source),
        ("Quy tắc", case.rule),
        ("Nội dung", sentence),
        ("Căn cứ", "chưa xác định" if rule is None or rule.basis is None else rule.basis),
        ("Mức độ", COLOUR_VI[case.colour]),
        ("Mở phiếu", _moment(case.opened_at)),
        ("Hạn kiểm tra", f"{due.check_by:%d/%m/%Y}"),
        ("Hạn sửa và đồng bộ lại", f"{due.correct_by:%d/%m/%Y}"),
        ("Cách tính hạn", "; ".join(due.reckoned)),
        ("Điều chưa chắc", "; ".join(due.uncertain) or "không"),
        ("Số bản ghi còn lỗi", str(case.counts.open)),
        ("Số bản ghi trong bảng kê", str(len(members))),
        ("Cách trả lời", f"Sửa tại nguồn rồi đồng bộ lại; bản ghi đúng thì ghi “{NOT_AN_ERROR}” và lý do."),
    )
    rows = tuple(_row(case, member, sentence) for member in members)
    return (
        Sheet(name=CASE_SHEET, rows=(("Mục", "Nội dung"), *facts), widths=(28, 90)),
        Sheet(name=RECORD_SHEET, rows=(_HEADER, *rows), widths=_WIDTHS),
    )


def _row(case: RepairCase, member: CaseMember, sentence: str) -> tuple[str, ...]:
    _, _, rest = member.record_id.partition("/")
    table, _, key = rest.partition("/")
    standing = "đang cách ly" if member.quarantined else "vẫn dùng, có ghi nhận"
    if member.excepted:
        standing = "ngoại lệ đã chấp nhận"
    elif member.unproven:
        standing = "chờ đo lại"
    cells = (
        str(member.finding),
        member.record_id,
        table,
        key,
        case.element or "",
        case.rule,
        sentence,
        member.observed or "",
        _moment(member.opened_at),
        standing,
        "",
        "",
    )
    return tuple(cell[:CELL_CHARACTERS_MAX] for cell in cells)


def read_answers(sheets: Sequence[FoundSheet], *, file: str) -> Answers:
    """Return what an agency answered in a workbook of ``case_sheets``.

    Raises:
        AnswersNotRead: it is another workbook, holds formulas, or an answer without a reason.
    """
    found = {sheet.name: sheet for sheet in sheets}
    if CASE_SHEET not in found or RECORD_SHEET not in found:
        raise AnswersNotRead(file=file, reason=f"it has no sheets {CASE_SHEET} and {RECORD_SHEET}")
    facts = {str(row[0]): row[1] for row in found[CASE_SHEET].rows if len(row) > 1}
    number = case_number(str(facts.get("Phiếu", "")))
    if number is None:
        raise AnswersNotRead(file=file, reason="it does not say of which case it is")
    sheet = found[RECORD_SHEET]
    if sheet.formulas or not sheet.rows or tuple(sheet.rows[0][: len(_HEADER)]) != _HEADER:
        raise AnswersNotRead(file=file, reason=f"sheet {RECORD_SHEET} holds formulas or other columns")
    records: list[str] = []
    reasons: list[str] = []
    for place, row in enumerate(sheet.rows[1:], start=2):
        cells = [("" if cell is None else str(cell)).strip() for cell in (*row, *([None] * len(_HEADER)))]
        if not cells[_ANSWER_AT]:
            continue
        if cells[_ANSWER_AT].casefold() != NOT_AN_ERROR:
            raise AnswersNotRead(file=file, reason=f"row {place}: the only answer is {NOT_AN_ERROR}")
        if not cells[_REASON_AT] or not cells[_RECORD_AT]:
            raise AnswersNotRead(file=file, reason=f"row {place}: the record or the reason is missing")
        records.append(cells[_RECORD_AT])
        reasons.append(cells[_REASON_AT])
    return Answers(number=number, records=tuple(dict.fromkeys(records)), reasons=tuple(dict.fromkeys(reasons)))


def case_number(text: str) -> int | None:
    """Return the number of a case written as ``PS-000007`` or ``7``."""
    digits = text.strip().upper().removeprefix("PS-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > len(str(2**62)):
        return None
    return int(digits) or None


def _moment(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M}"
