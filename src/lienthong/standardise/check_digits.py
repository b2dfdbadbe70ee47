"""Check digits, over columns; named as value domains name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

MST_WEIGHTS: Final = (31, 29, 23, 19, 17, 13, 7, 5, 3)


def _mst(number: pl.Expr) -> pl.Expr:
    """Tax codes: the tenth digit is 10 − (weighted sum of nine) mod 11; a result of 10 is not issued.

    Twelve digits are a personal number used as tax code, which has no check digit.
    """
    digit = [number.str.slice(place, 1).cast(pl.Int64, strict=False) for place in range(10)]
    total = pl.sum_horizontal([weight * digit[place] for place, weight in enumerate(MST_WEIGHTS)])
    return number.str.contains(r"^[0-9]{12}$") | (10 - total % 11 == digit[9])


CHECK_DIGITS: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {"mst": _mst}
