"""What the standardisers of numbers and signs share: tidy the spelling, doubt what was damaged, keep the rest."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from lienthong.standardise.cleaning import clean, composed, put, without_spaces
from lienthong.standardise.kernel import BoundKernel, KernelContext, KernelResult, settle
from lienthong.standardise.readings import Reading, Reason, in_doubt, rewritten

Tidy = Callable[[pl.Series], pl.Series]

DASHES = r"[‐‑‒–—−]"
_GROUPED = r"^[0-9]{1,3}(?:[.-][0-9]{3})+$"  # 123.456.789: points that only group digits by three


def bound(tidy: Tidy, readings: tuple[Reading, ...] = ()) -> Callable[[KernelContext], BoundKernel]:
    """Return a ``bind`` for a kernel: what has a damaged shape is ambiguous, everything else is kept as tidied."""

    def run(source: pl.Series) -> KernelResult:
        cleaned = clean(source)
        text = tidy(cleaned.text)
        return settle(source, text, refused=cleaned.refused, ambiguous=in_doubt(text, readings))

    return lambda _: run


def capitals(text: pl.Series) -> pl.Series:
    """Return a text without spaces, in capitals, with one kind of dash."""
    return composed(without_spaces(text).str.to_uppercase().str.replace_all(DASHES, "-"))


def digits(text: pl.Series) -> pl.Series:
    """Return a text without spaces and without the points that group digits by three."""
    squeezed = without_spaces(text)
    grouped = squeezed.str.contains(_GROUPED)
    if not grouped.any():
        return squeezed
    return put(squeezed, grouped, squeezed.filter(grouped).str.replace_all(r"[.-]", ""))


def lost_zero(whole: int) -> tuple[Reading, ...]:
    """Return the readings of a number of ``whole`` digits that a table program took for an amount.

    Only one leading zero is put back: more lost zeros leave too many numbers that would fit.
    """
    return (
        rewritten(f"^([0-9]{{{whole - 1}}})$", "0${1}", Reason.ZERO_IN_FRONT),
        rewritten(f"^([0-9]{{{whole}}})[.,]0$", "${1}", Reason.NUMBER_FORMAT),
        rewritten(f"^([0-9]{{{whole - 1}}})[.,]0$", "0${1}", Reason.NUMBER_FORMAT),
    )
