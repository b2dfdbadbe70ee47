"""What damaged values of a field may have been; for reports, and for the person who accepts."""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import ValueDomain
from lienthong.standardise.check_digits import CHECK_DIGITS
from lienthong.standardise.cleaning import clean, without_spaces
from lienthong.standardise.readings import PROPOSAL_SCHEMA, PROPOSED, VALUE, read_as
from lienthong.standardise.registry import all_kernels


def proposals(series: pl.Series, domain: ValueDomain) -> pl.DataFrame:
    """Return every reading of every value that is not as the domain wants it.

    Vietnamese: giá trị đề xuất.

    The frame has ``value`` (as it was sent, once each), ``proposed`` and ``reason`` (a ``Reason``); a value with two
    readings has two rows, in the order of first arrival. Only readings that the domain would accept are proposed:
    length, pattern and check digit hold. Nothing is repaired here: a value without a row has no known reading.
    """
    kernel = all_kernels()[domain.standardiser]
    distinct = series.drop_nulls().unique(maintain_order=True)
    if not kernel.readings or distinct.is_empty():
        return pl.DataFrame(schema=dict(PROPOSAL_SCHEMA))
    tidied = (kernel.tidy or without_spaces)(clean(distinct).text)
    sent = pl.DataFrame({"sent": distinct, VALUE: tidied}).with_row_index("place")
    proposed = pl.col(PROPOSED)
    found = read_as(sent[VALUE].drop_nulls().unique(), kernel.readings).with_row_index("way")
    return (
        # Where the standardiser itself doubts a shape, the field may accept the value as it stands.
        sent.filter(pl.lit(kernel.doubts) | ~_accepted(pl.col(VALUE), domain))
        .join(found, on=VALUE, how="inner")
        .filter(_accepted(proposed, domain))
        .sort("place", "way")
        .unique(subset=["place", PROPOSED], keep="first", maintain_order=True)
        .select(pl.col("sent").alias(VALUE), PROPOSED, "reason")
    )


def _accepted(value: pl.Expr, domain: ValueDomain) -> pl.Expr:
    """Say whether a domain takes a value as it stands."""
    fits = value.is_not_null()
    if domain.pattern is not None:
        fits = fits & value.str.contains(domain.pattern)
    if domain.min_length is not None:
        fits = fits & (value.str.len_chars() >= domain.min_length)
    if domain.max_length is not None:
        fits = fits & (value.str.len_chars() <= domain.max_length)
    if domain.check_digit is not None:
        fits = fits & CHECK_DIGITS[domain.check_digit](value)
    return fits.fill_null(value=False)
