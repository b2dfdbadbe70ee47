"""Numbers of ordinary passports (số hộ chiếu): a letter and seven digits.

Rule: the rule of ``text``, then spaces, dashes and points go and letters become capitals. Anything else stays and
the rules report the shape: passports of other countries look different.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.identifiers import bound, capitals
from lienthong.standardise.kernel import Kernel


def _tidy(text: pl.Series) -> pl.Series:
    return capitals(text).str.replace(r"^([A-Z])[.-]([0-9]{7})$", "${1}${2}")


KERNEL = Kernel(
    name="passport",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng, gạch sau chữ cái; viết hoa; giá trị khác giữ nguyên để quy tắc báo.",
        en="Spaces and a dash after the letter go; capitals; anything else stays for the rules to report.",
    ),
    sources=(Source(document="Quyết định 4750/QĐ-BYT", trust=Trust.SUMMARY, note="mô tả XML1"),),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(_tidy),
)
