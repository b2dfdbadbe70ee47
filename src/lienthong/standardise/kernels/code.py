"""Codes of shared lists (mã danh mục dùng chung); a code is a text, never a number.

Rule: an exact code stays. Otherwise, ignoring case, spaces and the form of accents: a code, then a known alias,
then a label gives its code; "4661:Bán buôn…" gives the code before the colon. A spelling that belongs to
several codes is ambiguous (communes share names). Anything else is kept as cleaned text, so that the rule "code
in list" can report it; leading zeros are never added. Which period a code is valid in is judged by rules, on
the day of the record.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.code_lookup import CodeLookup
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle


def _bind(context: KernelContext) -> BoundKernel:
    lookup = CodeLookup.of(context.code_list)

    def run(source: pl.Series) -> KernelResult:
        cleaned = clean(source)
        found = lookup.resolve(cleaned.text)
        return settle(source, found.codes, refused=cleaned.refused, ambiguous=found.ambiguous)

    return run


KERNEL = Kernel(
    name="code",
    version="1.1.0",
    rule=Text(
        vi="Giữ mã đúng; đổi cách viết khác hoặc tên gọi về mã nếu chỉ có một mã; nhiều mã thì là chưa rõ; "
        "không có trong danh mục thì giữ nguyên để quy tắc kiểm tra báo.",
        en="An exact code stays; an alias or a label becomes its code if there is only one; several are "
        "ambiguous; an unknown text stays for the rules to report.",
    ),
    sources=(Source(document="lienthong", trust=Trust.OWN, note="aliases and labels come from the code list"),),
    datatypes=frozenset({Datatype.CODE, Datatype.TEXT}),
    bind=_bind,
)
