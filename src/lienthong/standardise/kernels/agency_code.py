"""Identification codes of agencies (mã định danh cơ quan): groups of A–Z and 0–9 joined by points, "G12.18".

Rule: the rule of ``text``, then spaces go and letters become capitals. Commas between the groups are ambiguous and
points are proposed. Codes of the older form stay and the rules report the shape: no computation leads from one form
to the other.
"""

from __future__ import annotations

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.identifiers import bound, capitals
from lienthong.standardise.kernel import Kernel
from lienthong.standardise.readings import Reading, Reason

_COMMAS = r"^[A-Z][0-9]{2}(?:[.,][0-9]{2,3}){0,2},[0-9]{2,3}(?:[.,][0-9]{2,3}){0,2}$"

_READINGS = (
    Reading(
        damaged=_COMMAS,
        reason=Reason.COMMA_FOR_POINT,
        read=lambda value: value.str.replace_all(",", ".", literal=True),
    ),
)


KERNEL = Kernel(
    name="agency-code",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng, viết hoa; dấu phẩy giữa các nhóm là chưa rõ (đề xuất dấu chấm).",
        en="Spaces go, capitals; commas between groups are ambiguous (points are proposed).",
    ),
    sources=(Source(document="Quyết định 20/2020/QĐ-TTg", trust=Trust.SUMMARY),),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(capitals, _READINGS),
    readings=_READINGS,
    tidy=capitals,
    doubts=True,
)
