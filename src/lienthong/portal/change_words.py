"""What became of an item between two states of the dictionary, in Vietnamese (điều đã đổi)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_LIMITS: Final[Mapping[str, str]] = {
    "length": "độ dài tối đa",
    "least length": "độ dài tối thiểu",
    "least value": "giá trị nhỏ nhất",
    "greatest value": "giá trị lớn nhất",
    "code list": "danh mục",
    "check digit": "chữ số kiểm tra",
    "list of parents": "danh mục cấp trên",
}
_LIMIT_CHANGES: Final[Mapping[str, str]] = {
    "added": "thêm {}, trước đây không có",
    "lifted": "bỏ {}",
    "narrowed": "{} chặt hơn",
    "widened": "{} rộng hơn",
    "is another": "{} là cái khác",
}
CHANGE_VI: Final[Mapping[str, str]] = {
    **{
        f"{limit} {change}": words.format(name)
        for limit, name in _LIMITS.items()
        for change, words in _LIMIT_CHANGES.items()
    },
    "changed": "đã đổi",
    "length shortened": "độ dài tối đa chặt hơn",
    "is new": "mục mới",
    "is gone: items are retired, never removed": "mục đã mất: chỉ được thôi dùng, không được xóa",
    "stands elsewhere in its life": "sang bước khác trong vòng đời",
    "pattern tightened: there was none": "thêm mẫu viết, trước đây không có",
    "pattern lifted": "bỏ mẫu viết",
    "pattern admits further forms": "mẫu viết nhận thêm dạng",
    "pattern tightened: forms are no longer admitted": "mẫu viết không còn nhận một số dạng",
    "pattern is another: values that passed may fail": "mẫu viết khác: giá trị đang đúng có thể thành sai",
    "more sensitive: readers see it masked": "nhạy cảm hơn: người đọc thấy giá trị đã che",
    "less sensitive: more may be shown": "bớt nhạy cảm: được hiện nhiều hơn",
    "promised time shortened: a source that kept it may not": "rút ngắn độ trễ cam kết: nguồn có thể không đạt",
    "promised time lengthened: readers wait longer": "kéo dài độ trễ cam kết: người đọc chờ lâu hơn",
    "entries taken away": "bớt mục trong danh sách",
    "entries added": "thêm mục vào danh sách",
    "column, API field and grants are called otherwise": "cột, trường API và quyền khai thác đổi tên",
    "meaning written otherwise: people must judge it": "nghĩa được viết khác: cần người xem xét",
    "stands for another concept": "thuộc khái niệm khác",
    "became an identifier": "thành trường định danh",
    "is no identifier any more": "không còn là trường định danh",
    "type is another": "loại dữ liệu khác",
    "unit is another: the same number means something else": "đơn vị khác: cùng con số mang nghĩa khác",
    "values are written in another form": "giá trị được viết theo dạng khác",
    "declared complete: an unknown code is now an error": "danh mục thành đầy đủ: mã lạ nay là lỗi",
    "no longer complete: an unknown code is a warning": "danh mục không còn đầy đủ: mã lạ chỉ bị cảnh báo",
    "table is called otherwise": "bảng đổi tên",
    "codes are read on another day": "mã được đọc theo ngày khác",
    "became required": "thành bắt buộc",
    "may now be absent": "nay được để trống",
    "became part of the key": "thành một phần của khóa",
    "left the key": "ra khỏi khóa",
    "became unique": "không được trùng",
    "may now repeat": "nay được trùng",
    "holds several values now": "nay giữ nhiều giá trị",
    "holds one value now": "nay chỉ giữ một giá trị",
    "fewer digits before the point": "ít chữ số phần nguyên hơn",
    "fewer digits after the point": "ít chữ số lẻ hơn",
    "more digits": "nhiều chữ số hơn",
    "points to another value domain": "trỏ đến miền giá trị khác",
    "points to another version of its value domain": "trỏ đến phiên bản khác của miền giá trị",
    "what sources say differs": "điều các nguồn nói đã khác",
    "code added": "thêm mã",
    "code removed: what it meant can no longer be read": "mã bị xóa: không còn đọc được nghĩa của nó",
    "code stays in force longer": "mã có hiệu lực lâu hơn",
    "code ends": "mã hết hiệu lực",
    "successors differ": "mã thay thế khác",
    "code is labelled otherwise": "mã mang tên khác",
    "code belongs to another parent": "mã thuộc cấp trên khác",
    "source of the code differs": "nguồn của mã khác",
    "required field added": "thêm trường bắt buộc",
    "field added": "thêm trường",
    "field taken away": "bớt trường",
    "fields stand in another order": "thứ tự trường khác",
}
_WITH_VALUES: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"code ends, replaced by (.+)", "mã hết hiệu lực, thay bằng {}"),
        (r"is superseded by (.+)", "được thay bằng {}"),
        (r"is superseded", "đã bị thay"),
        (r"is retired", "thôi dùng"),
        (r"is rejected", "bị từ chối"),
        (r"spelling added: (.+)", "thêm cách viết: {}"),
        (r"spelling is no longer understood as it was: (.+)", "cách viết không còn được hiểu như trước: {}"),
        (r"rule (.+) added", "thêm quy tắc {}"),
        (r"rule (.+) lifted", "bỏ quy tắc {}"),
        (r"(.+) table: ([0-9]+) line\(s\) gone, ([0-9]+) added", "bảng {}: bớt {} dòng, thêm {} dòng"),
    )
)


def change_in_words(text: str) -> str | None:
    """Return what a change is in Vietnamese, or None where nobody has translated it yet."""
    if text in CHANGE_VI:
        return CHANGE_VI[text]
    for pattern, words in _WITH_VALUES:
        found = pattern.fullmatch(text)
        if found is not None:
            return words.format(*found.groups())
    return None
