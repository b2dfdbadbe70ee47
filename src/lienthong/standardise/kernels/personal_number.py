"""The personal identification number (số định danh cá nhân): digits without spaces.

Rule: the rule of ``text``, then all spaces go. A number of the wrong length stays as it is, also when eleven digits
suggest that a table program took a zero away: which zero was lost cannot be seen, and the rules report the length.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean, without_spaces
from lienthong.standardise.identifiers import lost_zero
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle


def _bind(_: KernelContext) -> BoundKernel:
    return _run


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    return settle(source, without_spaces(cleaned.text), refused=cleaned.refused)


KERNEL = Kernel(
    name="personal-number",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng và ký tự ẩn; không thêm, không bớt chữ số; độ dài sai do quy tắc kiểm tra báo.",
        en="Spaces and invisible characters go; no digit is added or taken; rules report a wrong length.",
    ),
    sources=(Source(document="Luật Căn cước 26/2023/QH15", article="12", trust=Trust.OFFICIAL, note="12 chữ số"),),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
    readings=lost_zero(12),
)
