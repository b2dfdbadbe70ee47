"""Whole numbers (số nguyên).

Rule: digits with a sign, grouped by ".", "," or a space or not at all; "1.000" is a thousand, since the field
has no decimals; "12.0" is twelve. Refused: other fractions, exponents ("1E+10" has lost digits), words, NaN,
numbers over the field's precision or 64 bits.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle
from lienthong.standardise.numerals import NUMBER_FORMS, read_numerals

INTEGER_DIGITS_MAX = 19  # of 64 bits


def _bind(context: KernelContext) -> BoundKernel:
    precision = min(context.domain.precision or INTEGER_DIGITS_MAX, INTEGER_DIGITS_MAX)

    def run(source: pl.Series) -> KernelResult:
        cleaned = clean(source)
        read = read_numerals(cleaned.text, precision=precision, scale=0, form=context.form)
        values = read.text.cast(pl.Int64, strict=False)
        return settle(source, values, refused=cleaned.unread(values), same=read.text == source)

    return run


KERNEL = Kernel(
    name="integer",
    version="1.0.0",
    rule=Text(
        vi="Đọc số nguyên, có hoặc không có dấu phân cách hàng nghìn; từ chối phần thập phân, số mũ và số quá lớn.",
        en="Whole numbers with or without grouping; fractions, exponents and numbers too large are refused.",
    ),
    sources=(Source(document="lienthong", trust=Trust.OWN),),
    datatypes=frozenset({Datatype.INTEGER}),
    forms=NUMBER_FORMS,
    bind=_bind,
)
