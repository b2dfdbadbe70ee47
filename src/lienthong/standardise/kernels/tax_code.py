"""Tax codes and enterprise codes (mã số thuế, mã số doanh nghiệp): ten digits, or ten and three for a branch.

Rule: the rule of ``text``, then all spaces go, dashes of all kinds become "-", and thirteen digits in a row are
written 10-3 as the tax authority writes a branch. Everything else stays: rules judge length and check digit.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean, put, without_spaces
from lienthong.standardise.identifiers import lost_zero
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle
from lienthong.standardise.readings import Reason, rewritten

_TO_REPAIR = r"[‐‑‒–—−]|^[0-9]{13}$"


def _bind(_: KernelContext) -> BoundKernel:
    return _run


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    text = without_spaces(cleaned.text)
    marked = text.str.contains(_TO_REPAIR)
    if marked.any():
        repaired = (
            text.filter(marked).str.replace_all(r"[‐‑‒–—−]", "-").str.replace(r"^([0-9]{10})([0-9]{3})$", "$1-$2")
        )
        text = put(text, marked, repaired)
    return settle(source, text, refused=cleaned.refused)


KERNEL = Kernel(
    name="tax-code",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng; mã đơn vị phụ thuộc viết 10 chữ số, gạch ngang, 3 chữ số; các giá trị khác giữ nguyên.",
        en="Spaces go; a branch is written ten digits, a dash, three digits; everything else stays.",
    ),
    sources=(Source(document="TT 86/2024/TT-BTC", trust=Trust.SECONDARY, note="as cited by odoo PR 217253"),),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
    readings=(
        *lost_zero(10),
        rewritten(r"^([0-9]{9})-?([0-9]{3})$", "0${1}-${2}", Reason.ZERO_IN_FRONT),
        rewritten(r"^([0-9]{11})$", "0${1}", Reason.ZERO_IN_FRONT),  # the personal number as tax code
    ),
)
