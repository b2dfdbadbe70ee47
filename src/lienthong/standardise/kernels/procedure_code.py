"""Codes of administrative procedures (mã thủ tục hành chính): a digit, a point, six digits; never a number.

Rule: the rule of ``text``, then spaces go. A table program that reads the code as a number writes "1,010818" for
1.010818 and "1.01417" for 1.014170: such a value is ambiguous, the code it must have been is proposed, and a person
accepts it. Anything else stays and the rules report the shape.
"""

from __future__ import annotations

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import without_spaces
from lienthong.standardise.identifiers import bound
from lienthong.standardise.kernel import Kernel
from lienthong.standardise.readings import Reason, rewritten

_PLACES = 6

_READINGS = (
    rewritten(r"^([0-9]),([0-9]{6})$", "${1}.${2}", Reason.COMMA_FOR_POINT),
    *(
        rewritten(f"^([0-9])[.,]([0-9]{{{left}}})$", "${1}.${2}" + "0" * (_PLACES - left), Reason.ZERO_BEHIND)
        for left in range(1, _PLACES)
    ),
)

KERNEL = Kernel(
    name="procedure-code",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng; mã bị bảng tính làm hỏng (dấu phẩy, mất số 0 cuối) là chưa rõ: đề xuất mã đúng, người "
        "có trách nhiệm chấp nhận.",
        en="Spaces go; a code damaged by a spreadsheet (comma, lost final zeros) is ambiguous: the code is proposed, "
        "a person accepts it.",
    ),
    sources=(
        Source(
            document="Nghị quyết 66.7/2025/NQ-CP",
            article="Phụ lục I",
            trust=Trust.OFFICIAL,
            note="26 trong 798 dòng của bản Word lưu hành bị bảng tính làm hỏng",
        ),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(without_spaces, _READINGS),
    readings=_READINGS,
    tidy=without_spaces,
    doubts=True,
)
