"""Each value of a column of several encodings by itself (cột lẫn nhiều bảng mã).

A column is mixed where a program was replaced and its old rows stayed. Nothing is learned from the other rows, so a
value comes out the same in a snapshot, in a stream and on a cluster: it is read in every encoding, and

* a value of ASCII alone is unchanged;
* a value that one encoding reads clearly better than every encoding that reads it differently is of that encoding;
* a value that is Unicode but for a word which is Vietnamese only in an old encoding holds both: ambiguous;
* every other value is ambiguous: the raw text stays, nobody guesses.

A value with a letter that no old encoding could show (ạ, đ, ư as they stand in Unicode) is Unicode and is never
touched.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from lienthong.standardise.encodings.detect import LEAST, PRIOR, by_value, chosen, convert_mixed, scored
from lienthong.standardise.encodings.tables import Encoding
from lienthong.standardise.encodings.words import LEGAL_FROM
from lienthong.standardise.kernel import KernelResult

VERSION: Final = "1.0.0"  # changes whenever one value may come out differently

_CANDIDATES: Final = tuple(PRIOR)
_UNICODE: Final = Encoding.UTF_8.value


def convert_each(source: pl.Series) -> KernelResult:
    """Return a column as Unicode text, each value read in the encoding that it alone shows."""
    return convert_mixed(source, encodings_of(source))


def encodings_of(source: pl.Series) -> pl.Series:
    """Return the encoding of each value, judged by itself; null where it is not certain."""
    assert source.dtype == pl.String, f"text, not {source.dtype}"
    beyond_ascii = source.str.contains(r"[^\x09\x0A\x0D\x20-\x7F]").fill_null(value=False)
    alike = pl.repeat(_UNICODE, source.len(), dtype=pl.String, eager=True).alias("encoding")
    if not beyond_ascii.any():
        return alike
    values = source.filter(beyond_ascii).unique()
    found = _judged(values)
    asked = source.to_frame("value").with_columns(beyond_ascii.alias("asked"))
    spread = asked.join(found, on="value", how="left", maintain_order="left")
    return spread.select(pl.when("asked").then("encoding").otherwise(pl.lit(_UNICODE)).alias("encoding")).to_series()


def _judged(values: pl.Series) -> pl.DataFrame:
    """Return ``value`` and ``encoding`` for distinct values."""
    words, scores = scored(values, _CANDIDATES)
    weighed = by_value(words, scores, _CANDIDATES).with_columns(
        pl.col(each.value) + PRIOR[each] for each in _CANDIDATES
    )
    found = chosen(values, weighed.drop(pl.selectors.starts_with(LEAST)), _CANDIDATES)
    # A word that is Vietnamese in an old encoding only: the value was put together from both.
    old = [pl.col(each.value) >= LEGAL_FROM for each in _CANDIDATES if each is not Encoding.UTF_8]
    foreign = scores.filter((pl.col(_UNICODE) < LEGAL_FROM) & pl.any_horizontal(old)).select("word")
    rows = words.join(foreign, on="word", how="semi")["row"].unique()
    broken = pl.int_range(values.len(), dtype=pl.UInt32, eager=True).is_in(rows.implode())
    return found.with_columns(
        pl.when(~(broken & (pl.col("encoding") == _UNICODE))).then("encoding").alias("encoding")
    )
