"""Social insurance numbers (mã số bảo hiểm xã hội): ten digits, no known check digit.

Rule: the rule of ``text``, then spaces and the points that group digits by three go. Nine digits may be a number
whose leading zero a table program took (the first two digits are a province, many begin with 0): ambiguous, with a
proposal. Every other length stays and the rules report it.
"""

from __future__ import annotations

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.identifiers import bound, digits, lost_zero
from lienthong.standardise.kernel import Kernel

_READINGS = lost_zero(10)

KERNEL = Kernel(
    name="social-insurance",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng và dấu chấm nhóm ba chữ số; 9 chữ số là chưa rõ (có thể mất số 0 ở đầu).",
        en="Spaces and grouping points go; nine digits are ambiguous (a leading zero may be lost).",
    ),
    sources=(Source(document="Quyết định 4750/QĐ-BYT", trust=Trust.SUMMARY, note="trường ma_bhxh, 10 chữ số"),),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(digits, _READINGS),
    readings=_READINGS,
    tidy=digits,
    doubts=True,
)
