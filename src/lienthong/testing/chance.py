"""Chance that can be repeated: a number for every (seed, stream, row), computed by columns.

The value of a row depends on nothing but these three, so that row 5,000,000 is the same whether it is made alone,
in a chunk or with all others. The mixing function is SplitMix64.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


def _mix(value: pl.Expr) -> pl.Expr:
    """Spread every bit over the word; products wrap, as unsigned integers of Polars do."""
    value = (value ^ (value // _u64(1 << 30))) * _u64(MIX_1)
    value = (value ^ (value // _u64(1 << 27))) * _u64(MIX_2)
    return value ^ (value // _u64(1 << 31))


def slots(weights: Mapping[str, int]) -> pl.Series:
    """Return each text as often as it weighs, for ``Chance.pick``."""
    return pl.Series([text for text, weight in weights.items() for _ in range(weight)], dtype=pl.String)


def words(text: str) -> pl.Series:
    """Return the words of a text, each with the same chance."""
    return pl.Series(text.split(), dtype=pl.String)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """Draws for a run of rows."""

    seed: int
    rows: pl.Series  # UInt64, row numbers

    def draw(self, stream: str) -> pl.Series:
        """Return 64 random bits per row."""
        key = int.from_bytes(hashlib.sha256(f"{self.seed}/{stream}".encode()).digest()[:8], "big")
        return pl.select(_mix(pl.lit(self.rows) * _u64(GOLDEN) + _u64(key))).to_series()

    def below(self, stream: str, limit: int) -> pl.Series:
        """Return an integer from 0 up to but not including ``limit`` per row."""
        # The upper bits are taken: they are the best mixed.
        return (self.draw(stream) // (1 << 20) % limit).cast(pl.Int64)

    def happens(self, stream: str, share: float) -> pl.Series:
        """Return True on about this share of the rows."""
        return self.below(stream, 1_000_000) < round(share * 1_000_000)

    def pick(self, stream: str, choices: pl.Series) -> pl.Series:
        """Return one of the choices per row."""
        return choices.gather(self.below(stream, choices.len()))
