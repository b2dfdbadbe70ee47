"""What the survey of a table asks of a column's text: how it is encoded, and what it says (khảo sát bảng mã)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lienthong.sources.profile import MIXED, TextSeen
from lienthong.standardise.encodings.convert import convert
from lienthong.standardise.encodings.detect import propose
from lienthong.standardise.encodings.mixed import convert_each
from lienthong.standardise.encodings.tables import Encoding


def read_sample(values: Sequence[str | None]) -> TextSeen | None:
    """Return how a sample is encoded and the sample in Unicode; None where it needs no mapping to say so."""
    if all(value is None or value.isascii() for value in values):
        return None
    sample = pl.Series(list(values), dtype=pl.String)
    found = propose(sample)
    if found is None:
        return None
    read = convert_each(sample) if found.encoding == MIXED else convert(sample, Encoding(found.encoding))
    return TextSeen(encoding=found, values=read.values.to_list())
