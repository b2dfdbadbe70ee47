"""Old identity card numbers (số chứng minh nhân dân): nine digits.

Rule: the rule of ``text``, then spaces and the points that group digits by three go. Eight digits may be a number
whose leading zero a table program took: ambiguous, with a proposal. The number is never turned into a personal
number: no computation leads from nine digits to twelve, only a table of pairs from the agency. Twelve digits stay
as they are and the rules report the length. The number alone names nobody: 50,000 numbers (271450001–271500000)
were issued twice, so no dataset may use it as its key.
"""

from __future__ import annotations

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.identifiers import bound, digits, lost_zero
from lienthong.standardise.kernel import Kernel

_READINGS = lost_zero(9)

KERNEL = Kernel(
    name="citizen-card-old",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng và dấu chấm nhóm ba chữ số; 8 chữ số là chưa rõ (có thể mất số 0 ở đầu); không bao giờ "
        "tính ra số định danh 12 chữ số.",
        en="Spaces and grouping points go; eight digits are ambiguous (a leading zero may be lost); never computed "
        "into a twelve-digit number.",
    ),
    sources=(
        Source(
            document="Mã số CMND của các tỉnh thành",
            trust=Trust.SECONDARY,
            address="http://vilado.vn/vi/w148/Ma-so-CMND-cua-cac-tinh-thanh.html",
        ),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(digits, _READINGS),
    readings=_READINGS,
    tidy=digits,
    doubts=True,
)
