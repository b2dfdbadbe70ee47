"""Numbers with decimals (số thập phân), exact.

Rule: "98800000000", "1.000.000", "1,000,000", "1 000 000", "1.234,56" and "1,234.56" are read. One separator before
exactly three digits ("1.234") has two readings: ambiguous, unless the field has no decimals (then a thousand) or the
mapping says ``decimal-point`` or ``decimal-comma``. Refused: more digits than the field's precision or scale holds
(nothing is rounded), exponents, NaN, Infinity, words.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle
from lienthong.standardise.numerals import DIGITS_MAX, NUMBER_FORMS, read_numerals


def _bind(context: KernelContext) -> BoundKernel:
    scale = context.domain.scale or 0
    precision = context.domain.precision or DIGITS_MAX

    def run(source: pl.Series) -> KernelResult:
        cleaned = clean(source)
        read = read_numerals(cleaned.text, precision=precision, scale=scale, form=context.form)
        values = read.text.cast(pl.Decimal(DIGITS_MAX, scale), strict=False)
        return settle(
            source,
            values,
            refused=cleaned.unread(values),
            ambiguous=read.ambiguous,
            same=read.text == source,
        )

    return run


KERNEL = Kernel(
    name="decimal",
    version="1.0.0",
    rule=Text(
        vi="Đọc số theo cách viết Việt Nam (1.234,56) hoặc quốc tế (1,234.56), không làm tròn; '1.234' là chưa"
        " rõ khi trường có phần thập phân; từ chối số vượt độ dài quy định, số mũ, NaN.",
        en="Vietnamese or English separators, never rounded; '1.234' is ambiguous where the field has "
        "decimals; numbers over the precision, exponents and NaN are refused.",
    ),
    sources=(Source(document="lienthong", trust=Trust.OWN),),
    datatypes=frozenset({Datatype.DECIMAL}),
    forms=NUMBER_FORMS,
    bind=_bind,
)
