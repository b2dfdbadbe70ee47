"""Points in time (thời điểm), kept in UTC to the microsecond.

Rule: ISO 8601 day and time, "T" or a space between, seconds optional; digits after the microsecond are dropped.
A time with a zone (Z, +07, +0700, +07:00) is that instant; a time **without** a zone is the clock of
Asia/Ho_Chi_Minh, and its outcome says changed. A clock time that was skipped is refused; one that came twice is
ambiguous. Refused too: a day without a time, impossible days and times, years outside 1000-2999 (in UTC).
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle

ZONE = "Asia/Ho_Chi_Minh"

_CLOCK = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,12})?)?"
_OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"
_LOCAL_CLOCK = f"^{_CLOCK}$"
_INSTANT = f"^{_CLOCK} ?{_OFFSET}$"
_TYPE = pl.Datetime("us", "UTC")
_FIRST = datetime(1000, 1, 1, tzinfo=UTC)
_LAST = datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def _bind(_: KernelContext) -> BoundKernel:
    return _run


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    text = pl.col("text")
    moment = (
        text.str.replace(" ", "T", literal=True)
        .str.extract(r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)")
        .str.replace(r"(T[0-9]{2}:[0-9]{2})$", "$1:00")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    )
    read = pl.DataFrame({"text": cleaned.text}).select(
        text.str.contains(_INSTANT).alias("zoned"),
        text.str.contains(_LOCAL_CLOCK).alias("local"),
        moment.alias("clock"),
        _offset_minutes(text).alias("minutes"),
    )
    clock = pl.col("clock")
    here = clock.dt.replace_time_zone(ZONE, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
    first = clock.dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
    there = (clock - pl.duration(minutes=pl.col("minutes"))).dt.replace_time_zone("UTC")
    instant = pl.when("zoned").then(there).when("local").then(here).cast(_TYPE)
    done = read.select(
        pl.when(instant.is_between(_FIRST, _LAST)).then(instant).alias("value"),
        (pl.col("local") & here.is_null() & first.is_not_null()).alias("twice"),
    )
    return settle(
        source,
        done["value"],
        refused=cleaned.unread(done["value"]),
        ambiguous=done["twice"],
        same=source.str.contains(_INSTANT),
    )


def _offset_minutes(text: pl.Expr) -> pl.Expr:
    offset = text.str.extract(r":[0-9.]+ ?([+-][0-9:]+)$").str.replace(":", "", literal=True)
    hours = offset.str.slice(1, 2).cast(pl.Int32, strict=False).fill_null(0)
    minutes = offset.str.slice(3, 2).cast(pl.Int32, strict=False).fill_null(0)
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    return sign * (hours * 60 + minutes)


KERNEL = Kernel(
    name="timestamp",
    version="1.0.0",
    rule=Text(
        vi="Đọc thời điểm ISO 8601; không ghi múi giờ thì hiểu là giờ Việt Nam (Asia/Ho_Chi_Minh); lưu theo "
        "UTC; chỉ có ngày mà không có giờ thì từ chối.",
        en="ISO 8601 instants; a time without a zone is the clock of Asia/Ho_Chi_Minh; kept in UTC; a day "
        "without a time is refused.",
    ),
    sources=(Source(document="ISO 8601-1:2019", trust=Trust.OFFICIAL), Source(document="lienthong", trust=Trust.OWN)),
    datatypes=frozenset({Datatype.TIMESTAMP}),
    bind=_bind,
)
