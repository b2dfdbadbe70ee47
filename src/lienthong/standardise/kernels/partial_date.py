"""Dates of which the day or the month may be unknown (ngày sinh chỉ biết năm).

Rule: whole days as ``date`` reads them; a year ("1950"), month and year ("5/1950", "1950-05"), zeros or blanks
for what is not known ("00/00/1950", "__/05/1950", "  /  /1950", "19500000"), and the twelve digits of health
data (yyyymmddHHMM, "195000000000"; the time is dropped). The value is the text YYYY, YYYY-MM or YYYY-MM-DD: an
unknown part is left out, never made 01. Refused: impossible dates, a day without a month, years outside
1000-2999.
Ambiguous: years of two digits.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean, put
from lienthong.standardise.days import DAY_FORMS, read_days
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle

_YEAR = "[12][0-9]{3}"
_TIME = "(?:[01][0-9]|2[0-3])[0-5][0-9]"
_BLANK = "[ _xX?.…-]*"

_DATE = pl.col("date")
_PARTS = pl.col("parts")


def _bind(context: KernelContext) -> BoundKernel:
    form = context.form

    def run(source: pl.Series) -> KernelResult:
        cleaned = clean(source)
        read = read_days(cleaned.text, form=form)
        text = read.days.dt.to_string("%Y-%m-%d")
        left = read.days.is_null() & cleaned.text.is_not_null() & ~read.ambiguous
        if left.any():
            text = put(text, left, _partial(cleaned.text.filter(left)))
        return settle(source, text, refused=cleaned.unread(text), ambiguous=read.ambiguous)

    return run


def _partial(dates: pl.Series) -> pl.Series:
    """Write what is known; everything is first brought to eight digits, 00 for unknown."""
    blanks = (
        _DATE.str.replace(f"^{_BLANK}/", "00/")
        .str.replace(f"/{_BLANK}/", "/00/")
        .str.replace_all(" ", "", literal=True)
    )
    day, month, year = _PARTS.str.slice(6, 2), _PARTS.str.slice(4, 2), _PARTS.str.slice(0, 4)
    whole = pl.concat_str([year, month, day], separator="-")
    return (
        pl.DataFrame({"date": dates})
        .select(blanks.alias("date"))
        .select(_eight_digits().alias("parts"))
        .select(
            pl.when((month == "00") & (day == "00"))
            .then(year)
            .when(~month.is_in([f"{number:02}" for number in range(1, 13)]))
            .then(None)
            .when(day == "00")
            .then(pl.concat_str([year, month], separator="-"))
            .when(whole.str.to_date("%Y-%m-%d", strict=False).is_not_null())
            .then(whole)
        )
        .to_series()
    )


def _eight_digits() -> pl.Expr:
    month_year = _DATE.str.replace(r"^([0-9])([/.-])", "0$1$2")
    day_month_year = month_year.str.replace(r"([/.-])([0-9])([/.-])", "${1}0$2$3")
    digits = _DATE.str.replace_all("-", "", literal=True)
    return (
        pl.when(_DATE.str.contains(f"^{_YEAR}$"))
        .then(_DATE + "0000")
        .when(_DATE.str.contains(f"^{_YEAR}-[0-9]{{2}}$"))
        .then(digits + "00")
        .when(_DATE.str.contains(f"^{_YEAR}(?:[0-9]{{4}}|-[0-9]{{2}}-[0-9]{{2}})$"))
        .then(digits)
        .when(_DATE.str.contains(f"^{_YEAR}[0-9]{{4}}{_TIME}$"))
        .then(_DATE.str.head(8))
        .when(_DATE.str.contains(f"^[0-9]{{1,2}}[/.-]{_YEAR}$"))
        .then(pl.concat_str([month_year.str.slice(3, 4), month_year.str.slice(0, 2), pl.lit("00")]))
        .when(_DATE.str.contains(f"^[0-9]{{1,2}}(?:/[0-9]{{1,2}}/|-[0-9]{{1,2}}-|\\.[0-9]{{1,2}}\\.){_YEAR}$"))
        .then(
            pl.concat_str(
                [day_month_year.str.slice(6, 4), day_month_year.str.slice(3, 2), day_month_year.str.head(2)]
            )
        )
    )


KERNEL = Kernel(
    name="partial-date",
    version="1.0.0",
    rule=Text(
        vi="Đọc ngày đầy đủ, tháng/năm hoặc chỉ năm; phần không biết (00, để trống) được bỏ, không thay bằng "
        "01; giá trị là YYYY, YYYY-MM hoặc YYYY-MM-DD; ngày không có thật bị từ chối; năm hai chữ số là "
        "chưa rõ.",
        en="Whole days, month and year, or the year alone; an unknown part is left out and never made 01; impossible "
        "dates are refused; two-digit years are ambiguous.",
    ),
    sources=(
        Source(document="QĐ 4750/QĐ-BYT", trust=Trust.SUMMARY, note="yyyymmddHHMM, unknown day and month 0000"),
        Source(document="QCVN 109:2017/BTTTT", article="annex B", trust=Trust.SUMMARY, note="xsd:date"),
    ),
    datatypes=frozenset({Datatype.PARTIAL_DATE}),
    forms=DAY_FORMS,
    bind=_bind,
)
