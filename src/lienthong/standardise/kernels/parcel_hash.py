"""Identification codes of land parcels (mã định danh thửa đất): a GeoHash of twelve characters.

The characters are digits and the letters b to z without i, l, o; the point is the parcel's characteristic point in
WGS 84. Over Vietnam the code begins with w3, w6, w7 or wk (``lienthong.standardise.geohash`` decodes it).

Rule: the rule of ``text``, then spaces go and letters become small. Twelve characters with o, i or l hold letters
that the code does not have: they were typed for 0 and 1, the value is ambiguous and the digits are proposed.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import composed, without_spaces
from lienthong.standardise.identifiers import bound
from lienthong.standardise.kernel import Kernel
from lienthong.standardise.readings import Reading, Reason

_LETTERED = r"^w[0-9b-z]*[ilo][0-9b-z]*$"
_DIGITS_FOR = (["o", "i", "l"], ["0", "1", "1"])

_READINGS = (
    Reading(damaged=_LETTERED, reason=Reason.LOOK_ALIKE, read=lambda value: value.str.replace_many(*_DIGITS_FOR)),
)


def _tidy(text: pl.Series) -> pl.Series:
    return composed(without_spaces(text).str.to_lowercase())


KERNEL = Kernel(
    name="parcel-hash",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng, viết chữ thường; có chữ o, i, l thì chưa rõ (mã không dùng chữ này, đề xuất 0 và 1).",
        en="Spaces go, small letters; o, i or l make it ambiguous (the code has none of them; 0 and 1 are proposed).",
    ),
    sources=(
        Source(
            document="Thông tư 09/2024/TT-BTNMT",
            trust=Trust.SECONDARY,
            address="https://znews.vn/gan-ma-dinh-danh-cho-tung-thua-dat-post1584645.html",
        ),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(_tidy, _READINGS),
    readings=_READINGS,
    tidy=_tidy,
    doubts=True,
)
