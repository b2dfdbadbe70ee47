"""Elements that rules compare with one another, by their official codes, and the codes they compare."""

from __future__ import annotations

from typing import Final

from lienthong.dictionary.model import CodeListId, ElementId

PERSONAL_NUMBER: Final = ElementId("SoDinhDanh")  # số định danh cá nhân
SEX: Final = ElementId("GioiTinh")
BIRTH_DATE: Final = ElementId("NgaySinh")

MALE: Final = "1"  # QCVN 109:2017/BTTTT
FEMALE: Final = "2"

PROVINCES: Final = CodeListId("don-vi-hanh-chinh-tinh")

PERSONAL_NUMBER_PATTERN: Final = "^[0-9]{12}$"
PERSONAL_NUMBER_BASIS: Final = "Nghị định 137/2015/NĐ-CP, Điều 13; Thông tư 07/2016/TT-BCA, Điều 7"
