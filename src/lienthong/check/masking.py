"""How a value is shown to somebody who may only recognise it (che giá trị).

Public and internal values are shown, cut to a line. Of personal values a hint stays, enough for the person who owns
the record to find it and too little to learn it; of sensitive ones the length and the shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from lienthong.dictionary.model import Sensitivity

SHOWN_CHARACTERS_MAX: Final = 80
HIDDEN_CHARACTERS_MAX: Final = 4  # of a personal value this short nothing is shown
NUMBER_CHARACTERS_MIN: Final = 9  # of a shorter number three and two digits would be most of it
DIVIDED_FROM_TEXTS: Final = 2_000  # for fewer, one step over all is quicker than one for each kind

_DOT: Final = "•"
_OPEN: Final = frozenset({Sensitivity.PUBLIC, Sensitivity.INTERNAL})


def mask(value: pl.Expr, sensitivity: Sensitivity) -> pl.Expr:
    """Return the text as it may be shown; null stays null."""
    clean = _clean(value)
    if sensitivity in _OPEN:
        return _cut(clean)
    dots = clean.str.replace_all(".", _DOT)
    shown = _whole(clean, sensitivity)
    return _cut(pl.when(clean.str.len_chars() <= HIDDEN_CHARACTERS_MAX).then(dots).otherwise(shown))


def mask_text(value: str | None, sensitivity: Sensitivity) -> str | None:
    """Return one text as it may be shown."""
    shown: str | None = pl.select(mask(pl.lit(value, dtype=pl.String), sensitivity)).item()
    return shown


def masked(texts: pl.Series, sensitivity: Sensitivity) -> pl.Series:
    """Return many texts as ``mask`` shows them, quicker: what looks at words is not asked of numbers."""
    if texts.len() < DIVIDED_FROM_TEXTS or sensitivity in _OPEN or sensitivity is Sensitivity.SENSITIVE_PERSONAL:
        return _in_steps(texts, lambda text: _whole(text, sensitivity), hides=sensitivity not in _OPEN)
    number = texts.to_frame("text").select(_is_number(_clean(pl.col("text"))).fill_null(value=False)).to_series()
    rows = pl.int_range(texts.len(), dtype=pl.UInt32, eager=True).alias("row")
    parts = [
        pl.DataFrame([rows.filter(of_kind), _in_steps(texts.filter(of_kind), shown, hides=True).alias("text")])
        for of_kind, shown in ((number, _number), (~number, _words))
    ]
    return pl.concat(parts).sort("row")["text"].alias(texts.name)


def _in_steps(texts: pl.Series, shown: Callable[[pl.Expr], pl.Expr], *, hides: bool) -> pl.Series:
    """Mask texts; what several steps need is made once, and nobody looks for it in one large expression."""
    text, made = pl.col("text"), pl.col("made")
    plan = (
        texts.alias("text")
        .to_frame()
        .lazy()
        .select(_clean(text).alias("text"))
        .with_columns(shown(text).alias("made"))
    )
    if hides:
        short = text.str.len_chars() <= HIDDEN_CHARACTERS_MAX
        dots = pl.when(short).then(text).str.replace_all(".", _DOT)  # for a long text they would be made in vain
        plan = plan.with_columns(pl.when(short).then(dots).otherwise(made).alias("made"))
    steps = plan.select(_cut(made).alias(texts.name))
    return steps.collect(engine="in-memory", optimizations=pl.QueryOptFlags.none()).to_series()


def _whole(text: pl.Expr, sensitivity: Sensitivity) -> pl.Expr:
    """Return what is shown of a clean text before short ones are hidden and long ones cut."""
    if sensitivity in _OPEN:
        return text
    return _shape(text) if sensitivity is Sensitivity.SENSITIVE_PERSONAL else _hint(text)


def _clean(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.String).str.replace_all(r"\p{C}", " ")


def _cut(text: pl.Expr) -> pl.Expr:
    return (
        pl.when(text.str.len_chars() <= SHOWN_CHARACTERS_MAX)
        .then(text)
        .otherwise(text.str.head(SHOWN_CHARACTERS_MAX - 1) + "…")
    )


def _hint(text: pl.Expr) -> pl.Expr:
    """Keep the first letter of each word; of a long number the first three and the last two digits."""
    return pl.when(_is_number(text)).then(_number(text)).otherwise(_words(text))


def _is_number(text: pl.Expr) -> pl.Expr:
    return text.str.contains(r"^[0-9][0-9 .+/-]*$")


def _number(text: pl.Expr) -> pl.Expr:
    middle = text.str.slice(3).str.head(-2).str.replace_all(".", _DOT)
    long = text.str.head(3) + middle + text.str.tail(2)
    short = text.str.head(1) + text.str.slice(1).str.replace_all(".", _DOT)
    return pl.when(text.str.len_chars() >= NUMBER_CHARACTERS_MIN).then(long).otherwise(short)


def _words(text: pl.Expr) -> pl.Expr:
    # A word of one letter would be shown whole, so it goes; then every letter that follows another.
    return text.str.replace_all(r"\b\w\b", _DOT).str.replace_all(r"\B\w", _DOT)


def _shape(text: pl.Expr) -> pl.Expr:
    """Say how long the value is and what it is made of: A letters, 9 digits, # other signs."""
    shape = (
        text.str.replace_all(r"[^\p{L}\p{M}\p{N}\s]+", "#")
        .str.replace_all(r"[\p{L}\p{M}]+", "A")
        .str.replace_all(r"\p{N}+", "9")
        .str.replace_all(r"\s+", " ")
    )
    return text.str.len_chars().cast(pl.String) + " ký tự: " + shape
