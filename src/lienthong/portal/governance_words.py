"""The Vietnamese words of proposals: what may be done, why not, and what a refusal means (quản trị từ điển)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from lienthong.dictionary.changes import Action, Impact
from lienthong.dictionary.descriptors import TITLES
from lienthong.errors import LienthongError
from lienthong.portal.words import Word

IMPACT: Final[Mapping[str, Word]] = {
    Impact.BREAKING.name.lower(): Word(text="Gãy: dữ liệu hoặc chương trình đang đúng có thể thành sai", tone="bad"),
    Impact.EXTENDING.name.lower(): Word(text="Mở rộng", tone="info"),
    Impact.EDITORIAL.name.lower(): Word(text="Biên tập", tone="neutral"),
}
IMPACT_SHORT: Final[Mapping[str, Word]] = {
    Impact.BREAKING.name.lower(): Word(text="Gãy", tone="bad"),
    Impact.EXTENDING.name.lower(): Word(text="Mở rộng", tone="info"),
    Impact.EDITORIAL.name.lower(): Word(text="Biên tập", tone="neutral"),
}
ACTION: Final[Mapping[str, str]] = {
    Action.ADDED.value: "thêm",
    Action.CHANGED.value: "đổi",
    Action.RETIRED.value: "kết thúc",
    Action.REMOVED.value: "mất",
}
USING: Final[Mapping[str, str]] = {
    "mapping": "Cột nguồn ánh xạ",
    "grant": "Quyền khai thác",
    "table": "Cột ở Trung tâm",
}

# What descriptors are called that the official list of 25 does not number one by one.
_FURTHER: Final[Mapping[str, str]] = {
    "label": "Tên nghiệp vụ",
    "usage": "Ngữ cảnh sử dụng",
    "languages": "Ngôn ngữ",
    "version": "Phiên bản",
    "status": "Trạng thái",
    "valid_from": "Hiệu lực từ",
    "valid_to": "Hết hiệu lực từ",
    "legal_basis": "Tài liệu liên quan",
    "abbreviations": "Tên viết tắt, tên cột",
    "related": "Thuật ngữ liên quan",
    "value_domain": "Miền giá trị",
    "concept": "Khái niệm",
    "sensitivity": "Độ nhạy cảm",
    "identifier": "Trường định danh",
    "sources": "Nguồn",
    "conflicts": "Nguồn nói khác",
    "mappings": "Ánh xạ chuẩn quốc tế",
    "datatype": "Loại dữ liệu",
    "max_length": "Độ dài lớn nhất",
    "min_length": "Độ dài nhỏ nhất",
    "pattern": "Mẫu viết",
    "precision": "Số chữ số",
    "scale": "Số chữ số lẻ",
    "minimum": "Giá trị nhỏ nhất",
    "maximum": "Giá trị lớn nhất",
    "unit": "Đơn vị",
    "code_list": "Danh mục",
    "check_digit": "Chữ số kiểm tra",
    "tone_style": "Kiểu đặt dấu thanh",
    "standardiser": "Bộ chuẩn hóa",
    "domain": "Miền dữ liệu cốt lõi",
    "table": "Tên bảng",
    "record_date": "Ngày của bản ghi",
    "allowed_lag_s": "Độ trễ cam kết",
    "complete": "Danh mục đầy đủ",
    "level": "Cấp",
}
DESCRIPTOR: Final[Mapping[str, str]] = {**dict(TITLES), **_FURTHER}

REFUSAL: Final[Mapping[str, str]] = {
    "DIC-028": "Nội dung đề xuất có lỗi; từng lỗi được ghi ở dưới. Chưa có gì được lưu.",
    "DIC-029": "Mục này đã thay đổi trong từ điển kể từ khi được đề xuất. Hãy từ chối với lý do này và đề xuất lại.",
    "DIC-030": "Lượt đề xuất không còn ở bước này, có thể người khác vừa xử lý. Hãy xem lại trang.",
    "DIC-031": "Người đề xuất không được tự rà soát hoặc phê duyệt đề xuất của mình; cần một người khác.",
    "DIC-032": "Còn thiếu thông tin bắt buộc của bước này, hoặc có ô quá dài hay xuống dòng.",
    "DIC-033": "Tệp của mục đã phê duyệt không còn đúng từng byte. Đơn vị vận hành cần khôi phục tệp từ kho lưu trữ.",
    "DIC-034": "Mục này đang có một dự thảo chưa xử lý xong. Hãy hoàn tất hoặc từ chối dự thảo đó trước.",
    "DIC-035": "Số phiên bản chưa phản ánh đúng mức thay đổi; số nhỏ nhất được nhận ghi ở dưới.",
    "DIC-036": "Mục thay thế chưa được phê duyệt hoặc đã kết thúc.",
    "DIC-037": "Đề xuất làm mất một mã hoặc lời của một nguồn khác. Không xóa: hãy đặt ngày hết hiệu lực.",
    "DIC-038": "Mục dựa trên mục khác chưa ai phê duyệt. Hãy đề xuất cùng nhau (chọn “kèm mục liên quan”).",
    "DIC-039": "Còn mục khác đang dựa vào mục này nên chưa thể thôi dùng.",
    "DIC-040": "Không có lượt đề xuất hoặc mục như vậy.",
    "DIC-042": "Không ghi được thư mục từ điển, có thể một lệnh khác đang ghi. Hãy thử lại sau ít phút.",
    "DIC-043": "Không có gì để đề xuất: nội dung giống hệt từ điển, hoặc tệp không thuộc loại được nhận.",
}


def in_words(error: LienthongError) -> str:
    """Return what a refusal means to an officer."""
    return REFUSAL.get(error.code, "Việc này bị từ chối; chi tiết ghi ở dưới.")


def in_lines(text: str | None) -> str | None:
    """Return a value as people read it: changes carry lists and texts in two languages as JSON."""
    if text is None or not text.startswith(("{", "[")):
        return text
    try:
        return "\n".join(_lines_of(json.loads(text)))
    except ValueError:
        return text


def _lines_of(value: object) -> list[str]:
    if isinstance(value, list):
        return [line for each in value for line in _lines_of(each)]
    if not isinstance(value, dict):
        return [str(value)]
    if set(value) <= {"vi", "en"}:
        return [str(value[name]) for name in ("vi", "en") if name in value]
    return ["; ".join(f"{name}: {' '.join(_lines_of(each))}" for name, each in value.items())]
