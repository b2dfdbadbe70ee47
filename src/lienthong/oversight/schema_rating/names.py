"""What the name of a column says it is about, as agencies spell it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lienthong.sources.spelling import fold

_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")
_ABOUT: Final[Mapping[str, re.Pattern[str]]] = {
    "fax": re.compile(r"fax"),
    "e-mail": re.compile(r"email|thudientu|hopthu"),
    "website": re.compile(r"website|trangweb|trangthongtin|homepage|^url|^web$"),
    "phone": re.compile(r"dienthoai|sdt|phone|mobile|dtdd|didong|^tel$"),
    "latitude": re.compile(r"vido|^lat$|latitude"),
    "longitude": re.compile(r"kinhdo|^lng$|^lon$|^long$|longitude"),
    "map position": re.compile(r"vitribando|toado|latlng|latlong|coordinate|location|gps"),
    "identifier": re.compile(
        r"cccd|cmnd|cmtnd|sodinhdanh|dinhdanhcanhan|masothue|^mst|masodoanhnghiep|sobhxh|masobhxh|sohochieu|sogiayto"
    ),
    "person name": re.compile(r"hoten|hovaten|hovatendem|fullname"),
    "commune or province": re.compile(r"^ma(xa|phuong|huyen|quan|tinh|tp|dvhc|donvihanhchinh)|maxa|matinh|mahuyen"),
    "update time": re.compile(
        r"capnhat|update|modified|suadoi|thaydoi|lastchange|_?modtime|ngaysua|thoigiansua|rowversion"
    ),
    "period": re.compile(r"hieuluc|tungay|denngay|validfrom|validto|batdau|ketthuc|ngayapdung"),
}
_DATE_WORDS: Final = frozenset({"ngay", "date", "dob"})
_CODE_WORDS: Final = frozenset({"ma", "code"})


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name, folded: ``NgaySinh`` → ngay, sinh."""
    plain = fold(name) if name.isupper() else " ".join(fold(part) for part in _BREAK.split(name) if part)
    return tuple(part for part in re.split(r"[^0-9a-z]+", plain) if part)


def together(name: str) -> str:
    """Return a name as one word, folded, digits and signs left out: ``dien_thoai_2`` → dienthoai."""
    return "".join(letter for part in words(name) for letter in part if letter.isalpha())


def is_about(name: str, what: str) -> bool:
    """Return whether a name is of a kind named above."""
    return _ABOUT[what].search("".join(words(name))) is not None


def is_date(name: str) -> bool:
    """Return whether a name says that the column holds a day."""
    found = words(name)
    return bool(_DATE_WORDS & set(found)) or "".join(found).startswith(("ngaysinh", "ngaycap", "ntns"))


def is_code(name: str) -> bool:
    """Return whether a name says that the column holds a code or a number people are known by."""
    found = words(name)
    return bool(found) and (
        bool({found[0], found[-1]} & _CODE_WORDS) or is_about(name, "identifier") or is_about(name, "phone")
    )
