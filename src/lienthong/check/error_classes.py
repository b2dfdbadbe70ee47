"""The eight classes of errors as stewards read them (tám nhóm lỗi); the names follow the guidance, unverified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lienthong.check.verdict import ErrorClass
from lienthong.dictionary.model import Text

BASIS: Final = "Công văn 4856/BCA-TTDLQG (chưa kiểm chứng)"


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorClassNote:
    """What belongs to a class and what its owner does."""

    name: Text
    meaning: Text
    remedy: Text


def _note(name: tuple[str, str], meaning: tuple[str, str], remedy: tuple[str, str]) -> ErrorClassNote:
    return ErrorClassNote(
        name=Text(vi=name[0], en=name[1]),
        meaning=Text(vi=meaning[0], en=meaning[1]),
        remedy=Text(vi=remedy[0], en=remedy[1]),
    )


ERROR_CLASSES: Final[Mapping[ErrorClass, ErrorClassNote]] = MappingProxyType(
    {
        ErrorClass.EMPTY: _note(
            ("Bỏ trống hoặc giá trị giữ chỗ", "Empty or a placeholder"),
            (
                "Trường cần có mà không có giá trị, hoặc chỉ có ký hiệu thay",
                "A needed value is missing, or a sign stands for it",
            ),
            ("Bổ sung từ hồ sơ gốc, không điền thay", "Fill it in from the original file, never by guess"),
        ),
        ErrorClass.OUTLIER: _note(
            ("Ngoại lai", "Outlier"),
            ("Giá trị ngoài khoảng cho phép hoặc ở tương lai", "A value outside its range, or in the future"),
            ("Đối chiếu hồ sơ gốc rồi sửa", "Compare with the original file and correct it"),
        ),
        ErrorClass.DUPLICATE: _note(
            ("Trùng lặp", "Duplicate"),
            (
                "Hai bản ghi về một đối tượng, hoặc cùng một giá trị riêng",
                "Two records of one thing or one own value",
            ),
            ("Xác định bản ghi đúng; không tự gộp", "Find the right record; nothing is merged by itself"),
        ),
        ErrorClass.FORMAT: _note(
            ("Sai định dạng", "Format"),
            (
                "Giá trị không theo mẫu, độ dài, kiểu hoặc bảng mã ký tự",
                "A value breaks its pattern, length or encoding",
            ),
            ("Sửa tại nguồn hoặc sửa ánh xạ", "Correct the source or the mapping"),
        ),
        ErrorClass.REFERENTIAL: _note(
            ("Sai tham chiếu", "Referential"),
            ("Mã hoặc số không có trong danh mục, cơ sở dữ liệu được trỏ tới", "A code or number points to nothing"),
            ("Sửa mã theo danh mục của ngày đó", "Correct the code by the list of that day"),
        ),
        ErrorClass.LOGIC: _note(
            ("Mâu thuẫn giữa các trường", "Fields contradict each other"),
            ("Các trường của một bản ghi không thể cùng đúng", "Fields of one record cannot all be true"),
            ("Đối chiếu hồ sơ gốc để biết trường nào sai", "Find in the original file which of them is wrong"),
        ),
        ErrorClass.STALE: _note(
            ("Không cập nhật", "Stale"),
            ("Bản ghi cũ hơn thời hạn cập nhật đã cam kết", "A record is older than the promised period"),
            ("Xác nhận lại hoặc cập nhật tại nguồn", "Confirm or update it at the source"),
        ),
        ErrorClass.MISMATCH: _note(
            ("Lệch với nguồn gốc hợp pháp", "Differs from the lawful source"),
            (
                "Giá trị khác với cơ sở dữ liệu có thẩm quyền",
                "A value differs from the database of the competent authority",
            ),
            ("Đối chiếu hai cơ quan; sửa bên sai", "Compare the two authorities; correct the one that is wrong"),
        ),
    }
)
