"""What became of every rule on every row as bits: *broken* and *open*, counted, looked for and written in bulk.

Most rules come out the same on every row of a batch. Such a bit is kept as one Boolean and not as a column, so that a
rule nobody breaks costs its evaluation and nothing after it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from lienthong.check.verdict import Letter

Mark = pl.Series | bool  # a Boolean for each row; one for all rows

_WORD_BITS: Final = 62  # of a whole number, the sign left alone

# By the two bits (broken, open).
_LETTERS: Final = {0: Letter.PASS, 1: Letter.FAIL, 2: Letter.NOT_APPLICABLE, 3: Letter.NOT_EVALUATED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A predicate on every row of a frame; what could not be told is marked in ``unknown`` and false in ``holds``."""

    holds: pl.Series
    unknown: Mark
    always: bool  # it holds on every row
    never: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleBits:
    """The two bits of one rule."""

    broken: Mark  # it failed, or could not be evaluated
    open: Mark  # it does not apply, or could not be evaluated


NOT_EVALUATED: Final = RuleBits(broken=True, open=True)
NOT_APPLICABLE: Final = RuleBits(broken=False, open=True)


def parts_of(told: pl.DataFrame) -> dict[str, Part]:
    """Read predicates that were evaluated, by the names of their columns."""
    gaps = [name for name in told.columns if told[name].null_count()]
    filled: dict[str, pl.Series] = {}
    unknown: dict[str, pl.Series] = {}
    if gaps:
        both = told.select(
            pl.col(gaps).is_null().name.prefix("unknown "), pl.col(gaps).fill_null(value=False).name.prefix("holds ")
        )
        filled = {name: both[f"holds {name}"] for name in gaps}
        unknown = {name: both[f"unknown {name}"] for name in gaps}
    parts = {}
    for name in told.columns:
        holds = filled.get(name, told[name])
        parts[name] = Part(holds=holds, unknown=unknown.get(name, False), always=holds.all(), never=not holds.any())
    return parts


def rule_bits(applies: Part | None, check: Part | None) -> RuleBits:
    """Return the bits of a rule; where ``applies`` is false or unknown it does not apply. None holds everywhere."""
    fails: Mark = False if check is None or check.always else ~check.holds
    unknown: Mark = False if check is None else check.unknown
    if applies is None or applies.always:
        return RuleBits(broken=fails, open=unknown)
    if applies.never:
        return NOT_APPLICABLE
    broken: Mark = False if isinstance(fails, bool) else _unless_none(applies.holds & fails)
    outside = ~applies.holds
    return RuleBits(broken=broken, open=outside if isinstance(unknown, bool) else outside | unknown)


def _unless_none(marks: pl.Series) -> Mark:
    return marks if marks.any() else False


def times(mark: Mark, height: int) -> int:
    """Count the rows that are marked."""
    return int(mark.sum()) if isinstance(mark, pl.Series) else height * mark


def both(first: Mark, second: Mark) -> Mark:
    """Return where both marks are."""
    if isinstance(first, pl.Series) and isinstance(second, pl.Series):
        return first & second
    if isinstance(first, pl.Series):
        return first if second else False
    return second if first else False


def inverse(mark: Mark) -> Mark:
    """Return where the mark is not."""
    return ~mark if isinstance(mark, pl.Series) else not mark


def any_of(marks: Collection[Mark], *, height: int) -> pl.Series:
    """Return in which rows at least one mark is."""
    found: pl.Series | None = None
    for mark in marks:
        if mark is True:
            return pl.repeat(value=True, n=height, eager=True)
        if isinstance(mark, pl.Series):
            found = mark if found is None else found | mark
    return pl.repeat(value=False, n=height, eager=True) if found is None else found


def written(bits: Sequence[RuleBits], *, height: int, rows: pl.Series | None = None) -> pl.Series:
    """Return the letters of each row, or of the marked ``rows``; each judgement that occurs is written once."""
    codes = [0] * len(bits)  # of what is the same on every row
    varying: list[tuple[int, int, pl.Series]] = []
    for place, each in enumerate(bits):
        for worth, mark in ((1, each.broken), (2, each.open)):
            if isinstance(mark, pl.Series):
                varying.append((place, worth, mark if rows is None else mark.filter(rows)))
            elif mark:
                codes[place] += worth
    count = height if rows is None else int(rows.sum())
    if not varying or not count:
        return pl.repeat(_spelled(codes, (), ()), count, dtype=pl.String, eager=True)
    words = _packed([mark for _, _, mark in varying])
    distinct = words.unique()
    texts = [_spelled(codes, varying, row) for row in distinct.iter_rows()]
    known = distinct.with_columns(pl.Series("text", texts, dtype=pl.String))
    return words.join(known, on=words.columns, how="left", maintain_order="left")["text"]


def _packed(marks: Sequence[pl.Series]) -> pl.DataFrame:
    """Return columns of Booleans as whole numbers, sixty-two columns to one."""
    named = pl.DataFrame([mark.alias(str(place)) for place, mark in enumerate(marks)])
    plan = named.lazy().select(
        pl.sum_horizontal(
            pl.col(str(place)).cast(pl.UInt64) * pl.lit(1 << (place - first), pl.UInt64)
            for place in range(first, min(first + _WORD_BITS, len(marks)))
        ).alias(f"w{first}")
        for first in range(0, len(marks), _WORD_BITS)
    )
    return plan.collect(engine="in-memory", optimizations=pl.QueryOptFlags.none())


def _spelled(codes: Sequence[int], varying: Sequence[tuple[int, int, pl.Series]], words: Sequence[int]) -> str:
    told = list(codes)
    for number, (place, worth, _) in enumerate(varying):
        if words[number // _WORD_BITS] >> (number % _WORD_BITS) & 1:
            told[place] += worth
    return "".join(_LETTERS[code] for code in told)
