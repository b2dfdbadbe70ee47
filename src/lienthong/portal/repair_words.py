"""The Vietnamese words of the repair pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lienthong.check.verdict import ErrorClass
from lienthong.oversight.repair import CaseState, Happening, Step
from lienthong.oversight.repair_policy import Colour
from lienthong.portal.words import Word

STATE: Final[Mapping[CaseState, Word]] = {
    CaseState.OPEN: Word(text="Mới, chờ tiếp nhận", tone="attention"),
    CaseState.ACKNOWLEDGED: Word(text="Đang kiểm tra hồ sơ gốc", tone="info"),
    CaseState.CORRECTING: Word(text="Đang sửa tại nguồn", tone="info"),
    CaseState.AWAITING: Word(text="Báo đã sửa, chờ đo lại", tone="info"),
    CaseState.DISPUTED: Word(text="Chờ kết luận khiếu nại", tone="attention"),
    CaseState.REOPENED: Word(text="Lỗi xuất hiện lại", tone="bad"),
    CaseState.EXCEPTED: Word(text="Kết thúc bằng ngoại lệ", tone="neutral"),
    CaseState.CLOSED: Word(text="Đã đóng sau khi đo đạt", tone="good"),
}
LEVEL: Final[Mapping[Colour, Word]] = {
    Colour.RED: Word(text="Đỏ", tone="bad"),
    Colour.YELLOW: Word(text="Vàng", tone="attention"),
    Colour.GREEN: Word(text="Xanh", tone="neutral"),
}
CLASS: Final[Mapping[ErrorClass | None, str]] = {
    ErrorClass.EMPTY: "bỏ trống, giá trị giữ chỗ",
    ErrorClass.OUTLIER: "giá trị ngoại lai",
    ErrorClass.DUPLICATE: "trùng lặp",
    ErrorClass.FORMAT: "sai định dạng",
    ErrorClass.REFERENTIAL: "sai tham chiếu",
    ErrorClass.LOGIC: "mâu thuẫn giữa các trường",
    ErrorClass.STALE: "không cập nhật",
    ErrorClass.MISMATCH: "lệch với nguồn gốc hợp pháp",
    None: "chưa xác định",
}
LOOK_UP: Final[Mapping[str, str]] = {
    "look-up:not-found": "Cơ quan khai thác có giấy tờ nhưng tra cứu không thấy bản ghi",
    "look-up:incomplete": "Bản ghi được tra cứu đang bị cách ly, chưa đủ điều kiện dùng",
    "look-up:disputed": "Nhiều bản ghi cùng nhận một khóa được tra cứu",
}
EVENT: Final[Mapping[str, str]] = {
    Happening.OPENED.value: "Mở phiếu",
    Happening.JOINED.value: "Thêm bản ghi",
    Happening.MEASURED.value: "Đo lại",
    Happening.CLOSED.value: "Đóng phiếu sau lần đo đạt",
    Happening.REOPENED.value: "Mở lại vì lỗi xuất hiện lại",
    Happening.EXCEPTED.value: "Phần còn lại là ngoại lệ",
    Happening.RULE_CHANGED.value: "Quy tắc có phiên bản mới, ngoại lệ hết hiệu lực",
    Step.ACKNOWLEDGE.value: "Tiếp nhận",
    Step.PLAN.value: "Hẹn ngày sửa xong",
    Step.SENT.value: "Báo đã sửa tại nguồn",
    Step.CLAIM.value: "Khiếu nại: không phải lỗi",
    Step.ACCEPT.value: "Chấp nhận ngoại lệ",
    Step.REJECT.value: "Bác khiếu nại, vẫn là lỗi",
    Step.EXTEND.value: "Xác nhận trường hợp khó",
    Step.NOTE.value: "Ghi chú",
}
# What a form of a step is called in its address, and what it says.
SLUG: Final[Mapping[Step, str]] = {
    Step.ACKNOWLEDGE: "tiep-nhan",
    Step.PLAN: "hen-ngay",
    Step.SENT: "da-sua",
    Step.CLAIM: "khong-phai-loi",
    Step.ACCEPT: "chap-nhan",
    Step.REJECT: "bac",
    Step.EXTEND: "kho",
    Step.NOTE: "ghi-chu",
}
STEP_OF: Final[Mapping[str, Step]] = {slug: step for step, slug in SLUG.items()}
EXPLAIN: Final[Mapping[Step, str]] = {
    Step.ACKNOWLEDGE: "Cơ quan nhận phiếu và bắt đầu kiểm tra hồ sơ gốc.",
    Step.PLAN: "Ngày dự kiến sửa xong tại nguồn, không quá hạn của phiếu.",
    Step.SENT: "Phiếu không đóng ngay: lần đo sau khi đồng bộ lại sẽ quyết định.",
    Step.CLAIM: "Người của cơ quan khác sẽ kết luận; thời hạn vẫn chạy.",
    Step.ACCEPT: "Ngoại lệ được ghi theo từng bản ghi và phiên bản quy tắc, luôn nhìn thấy, không làm tăng điểm.",
    Step.REJECT: "Phiếu tiếp tục với thời hạn cũ.",
    Step.EXTEND: "Cho phép dùng hạn dài hơn; chỉ một lần.",
    Step.NOTE: "Không ghi giá trị của bản ghi.",
}
WITH_REASON: Final = frozenset({Step.CLAIM, Step.ACCEPT, Step.REJECT, Step.EXTEND, Step.NOTE})
REFUSED: Final[Mapping[str, str]] = {
    "OVS-111": "Phiếu vừa đổi trạng thái, bước này không còn làm được.",
    "OVS-112": "Bước này thuộc về cơ quan hoặc vai trò khác.",
    "OVS-113": "Cần lý do từ 10 đến 2.000 ký tự.",
    "OVS-114": "Ngày hẹn phải từ hôm nay đến hạn của phiếu.",
    "OVS-115": "Có mã bản ghi không thuộc phần còn lỗi của phiếu.",
}
FACT: Final[Mapping[str, str]] = {
    "records": "bản ghi",
    "open": "còn lỗi",
    "passed": "đã đạt",
    "withdrawn": "nguồn đã rút",
    "rule_gone": "quy tắc không còn",
    "excepted": "ngoại lệ",
    "planned_on": "hẹn ngày",
    "outcome": "kết quả tra cứu",
}
ENDED: Final[Mapping[str, str]] = {
    "passed": "đạt",
    "withdrawn": "nguồn đã rút bản ghi",
    "rule-gone": "quy tắc không còn",
    "again": "sai lại trước khi chứng minh được",
}
