"""Health insurance card numbers (mã thẻ bảo hiểm y tế): 15 characters.

Two letters for the kind of holder, a digit 1 to 5 for the benefit, two digits for the province, ten digits of the
social insurance number.

Rule: the rule of ``text``, then spaces, dashes and points go and letters become capitals. Several cards in a cell
(the health message joins them by ";") are ambiguous. Ten digits alone, as newer cards are said to print, stay and
the rules report the shape; the first five characters are never made up.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import composed
from lienthong.standardise.identifiers import bound, capitals
from lienthong.standardise.kernel import Kernel
from lienthong.standardise.readings import Reading, Reason

_READINGS = (Reading(damaged=r"[A-Z0-9]{5}[;,|/][A-Z0-9]{5}", reason=Reason.SEVERAL_VALUES),)


def _tidy(text: pl.Series) -> pl.Series:
    bare = composed(capitals(text).str.replace_all(r"[.-]", ""))
    return bare.str.replace("^$", "-")  # a lone dash is a placeholder, which rules report


KERNEL = Kernel(
    name="health-card",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng, gạch, chấm; viết hoa; nhiều thẻ trong một ô là chưa rõ; chỉ có 10 chữ số thì giữ.",
        en="Spaces, dashes and points go; capitals; several cards in a cell are ambiguous; ten digits alone stay.",
    ),
    sources=(
        Source(document="Quyết định 4750/QĐ-BYT", trust=Trust.SUMMARY, note="mô tả XML1"),
        Source(document="yunkhngn/medconnect bhytHelper.js", trust=Trust.VENDOR, note="cấu trúc 15 ký tự"),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(_tidy, _READINGS),
    readings=_READINGS,
    tidy=_tidy,
    doubts=True,
)
