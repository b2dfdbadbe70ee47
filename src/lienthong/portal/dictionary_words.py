"""The Vietnamese words of the dictionary's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lienthong.dictionary.descriptors import STATUS_VI
from lienthong.dictionary.model import Level, Relation, Sensitivity, Status, Trust
from lienthong.dictionary.search import Kind, Tier
from lienthong.portal.words import Word

_STATUS_TONE: Final[Mapping[Status, str]] = {
    Status.PROPOSED: "neutral",
    Status.REVIEW: "info",
    Status.CONSULTATION: "info",
    Status.APPROVED: "good",
    Status.SUPERSEDED: "attention",
    Status.RETIRED: "attention",
    Status.REJECTED: "bad",
}
STATUS: Final[Mapping[str, Word]] = {
    status.value: Word(text=text, tone=_STATUS_TONE[status]) for status, text in STATUS_VI.items()
}
TRUST: Final[Mapping[str, Word]] = {
    Trust.OFFICIAL.value: Word(text="Văn bản chính thức", tone="good"),
    Trust.SUMMARY.value: Word(text="Bản tóm tắt văn bản", tone="info"),
    Trust.VENDOR.value: Word(text="Mã nguồn hệ thống đang chạy", tone="info"),
    Trust.SECONDARY.value: Word(text="Chưa kiểm chứng", tone="attention"),
    Trust.OWN.value: Word(text="Dự án tự đặt", tone="neutral"),
}
SENSITIVITY: Final[Mapping[str, Word]] = {
    Sensitivity.PUBLIC.value: Word(text="Công khai", tone="good"),
    Sensitivity.INTERNAL.value: Word(text="Nội bộ", tone="neutral"),
    Sensitivity.BASIC_PERSONAL.value: Word(text="Cá nhân cơ bản", tone="info"),
    Sensitivity.SENSITIVE_PERSONAL.value: Word(text="Cá nhân nhạy cảm", tone="attention"),
}
LEVEL: Final[Mapping[str, str]] = {
    Level.NATIONAL.value: "Từ điển quốc gia",
    Level.SECTOR.value: "Từ điển chuyên ngành",
}
RELATION: Final[Mapping[str, str]] = {
    Relation.EXACT.value: "đúng nghĩa",
    Relation.CLOSE.value: "gần nghĩa",
    Relation.BROADER.value: "cột rộng nghĩa hơn",
    Relation.NARROWER.value: "cột hẹp nghĩa hơn",
    Relation.DERIVED.value: "suy ra từ cột",
    Relation.NONE.value: "không ánh xạ",
}
FORM: Final[Mapping[str, str]] = {
    "excel-serial": "số ngày của Excel",
    "day-first": "ngày viết trước tháng",
}
TIER: Final[Mapping[str, str]] = {
    Tier.EXACT.name: "Đúng như đã gõ",
    Tier.FOLDED.name: "Đúng khi bỏ dấu",
    Tier.WORDS.name: "Đủ các từ, đúng thứ tự",
    Tier.DEFINITION.name: "Có trong định nghĩa",
    Tier.SCATTERED.name: "Đủ các từ nhưng khác thứ tự hoặc ở nhiều chỗ",
    Tier.SIMILAR.name: "Gần giống",
}
KIND: Final[Mapping[str, str]] = {
    Kind.ELEMENT.value: "Phần tử dữ liệu",
    Kind.CODE_LIST.value: "Danh mục",
    Kind.DATASET.value: "Bộ dữ liệu",
    Kind.CODE.value: "Mã trong danh mục",
    "value-domain": "Miền giá trị",
}
FLOW: Final[Mapping[str, str]] = {
    "whole": "toàn bộ",
    "unchanged": "giữ nguyên",
    "renamed": "đổi tên hoặc đổi loại",
    "part": "một phần",
    "part-area": "một phần diện tích",
    "part-people": "một phần dân số",
    "part-area-all-people": "một phần diện tích, toàn bộ dân số",
}
