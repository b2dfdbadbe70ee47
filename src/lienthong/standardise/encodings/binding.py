"""A kernel that reads a column of a declared encoding (chuyển mã trước khi chuẩn hoá)."""

from __future__ import annotations

import polars as pl

from lienthong.sources.profile import MIXED
from lienthong.standardise.batch import Outcome
from lienthong.standardise.encodings import mixed
from lienthong.standardise.encodings.convert import VERSION, convert
from lienthong.standardise.encodings.tables import LEGACY, Encoding
from lienthong.standardise.kernel import BoundKernel, KernelResult

# What a mapping may say. UTF-8 is what every source hands over, composed or not: kernels need nothing before them.
DECLARABLE = (*(each.value for each in (*LEGACY, Encoding.MOJIBAKE, Encoding.UTF_8)), MIXED)


def decoding(kernel: BoundKernel, encoding: str) -> BoundKernel:
    """Return a kernel that makes a column Unicode before the kernel given sees it.

    A value that was decoded is changed even where the kernel finds nothing more to do; one that could not be read is
    refused, one with two readings ambiguous, and the kernel sees neither. The raw image of the row is not touched.
    """
    assert encoding in DECLARABLE, f"a mapping cannot declare {encoding}"

    def run(source: pl.Series) -> KernelResult:
        converted = mixed.convert_each(source) if encoding == MIXED else convert(source, Encoding(encoding))
        done = kernel(converted.values)
        before, after = pl.col("before"), pl.col("after")
        unread = before.is_in([Outcome.REFUSED.value, Outcome.AMBIGUOUS.value])
        only_decoded = (before == Outcome.CHANGED.value) & (after == Outcome.UNCHANGED.value)
        outcomes = pl.DataFrame({"before": converted.outcomes, "after": done.outcomes}).select(
            pl.when(unread | only_decoded).then(before).otherwise(after).alias(source.name)
        )
        return KernelResult(values=done.values, outcomes=outcomes.to_series())

    return kernel if encoding == Encoding.UTF_8.value else run


def version_of(encoding: str) -> str:
    """Return what a plan notes beside the version of the kernel."""
    return f"{encoding}@{mixed.VERSION if encoding == MIXED else VERSION}"
