"""Whole days (ngày tháng năm).

Rule: read 1990-07-03, 03/07/1990, 3/7/1990, 03-07-1990, 03.07.1990 and 19900703; the day comes first, never the
month. An ISO day with a time of day counts as that day. Serial numbers of table programs are read only where
the mapping says ``excel-serial`` (1900 system: 1 is 1900-01-01, 60 is no day). Impossible days, years outside
1000-2999 and dates without a day are refused; years of two digits are ambiguous.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.days import DAY_FORMS, read_days
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle


def _bind(context: KernelContext) -> BoundKernel:
    form = context.form

    def run(source: pl.Series) -> KernelResult:
        cleaned = clean(source)
        read = read_days(cleaned.text, form=form)
        return settle(
            source,
            read.days,
            refused=cleaned.unread(read.days),
            ambiguous=read.ambiguous,
            same=source.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        )

    return run


KERNEL = Kernel(
    name="date",
    version="1.0.0",
    rule=Text(
        vi="Đọc ngày ISO, ngày/tháng/năm và yyyymmdd; ngày luôn đứng trước tháng; số thứ tự Excel chỉ đọc khi "
        "ánh xạ ghi excel-serial; ngày không có thật bị từ chối; năm hai chữ số là chưa rõ.",
        en="ISO days, day/month/year and yyyymmdd; the day always comes first; Excel serials only where the "
        "mapping says so; impossible days are refused; two-digit years are ambiguous.",
    ),
    sources=(
        Source(document="QCVN 109:2017/BTTTT", article="annex B", trust=Trust.SUMMARY, note="xsd:date"),
        Source(document="QĐ 4750/QĐ-BYT", trust=Trust.SUMMARY, note="yyyymmdd"),
        Source(document="lienthong", trust=Trust.OWN, note="Excel serials: all 3,943 dates of a provincial extract"),
    ),
    datatypes=frozenset({Datatype.DATE}),
    forms=DAY_FORMS,
    bind=_bind,
)
