"""Numbers as people and table programs write them, brought to one spelling: ``-1234.5``."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lienthong.standardise.cleaning import nowhere, put

DECIMAL_POINT = "decimal-point"  # the source writes 1.234 for one and a bit
DECIMAL_COMMA = "decimal-comma"  # the source writes 1,234 for one and a bit
NUMBER_FORMS = frozenset({DECIMAL_POINT, DECIMAL_COMMA})
DIGITS_MAX = 38  # of a decimal column

_WHOLE = r"^-?(?:0|[1-9][0-9]*)$"
_MINUS = "−"
_SPACED = r"^[+-]?[1-9][0-9]{0,2}(?: [0-9]{3})+(?:[.,][0-9]+)?$"
_LONE = r"^-?[1-9][0-9]{0,2}[.,][0-9]{3}$"  # one separator, then exactly three digits
_DOT_GROUPS = r"^-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?$"
_COMMA_GROUPS = r"^-?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Numerals:
    """Standard spellings, null where there is none; ``ambiguous`` where there are two."""

    text: pl.Series
    ambiguous: pl.Series


def read_numerals(text: pl.Series, *, precision: int, scale: int, form: str | None) -> Numerals:
    """Read whole numbers and fractions with Vietnamese (1.000,5), English (1,000.5) or no grouping.

    ``1.234`` alone has two readings: a thousand where the field has no decimals, what ``form`` says where the mapping
    has one, else ambiguous. A number that does not fit ``precision`` and ``scale`` has no reading; nothing is
    rounded.
    """
    ambiguous = nowhere(text)
    written_out = text.str.contains(_WHOLE).not_()
    if written_out.any():
        rest = text.filter(written_out)
        twofold = rest.str.contains(_LONE) if scale > 0 and form is None else None
        text = put(text, written_out, _plain(rest, scale=scale, form=form))
        if twofold is not None:
            ambiguous = put(ambiguous, written_out, twofold)
    kept = pl.select(pl.when(text.str.contains(_fits(precision, scale))).then(text)).to_series()
    return Numerals(text=kept, ambiguous=ambiguous)


def _fits(precision: int, scale: int) -> str:
    whole = precision - scale
    front = "0" if whole == 0 else f"(?:0|[1-9][0-9]{{0,{whole - 1}}})"
    return f"^-?{front}$" if scale == 0 else f"^-?{front}(?:\\.[0-9]{{1,{scale}}})?$"


def _plain(rest: pl.Series, *, scale: int, form: str | None) -> pl.Series:
    number = pl.col("number")
    lone = number.str.contains(_LONE)
    point = lone & number.str.contains(".", literal=True) & (form == DECIMAL_POINT) & (scale > 0)
    comma = lone & number.str.contains(",", literal=True) & (form == DECIMAL_COMMA) & (scale > 0)
    plain = (
        pl.when(point)
        .then(number)
        .when(comma)
        .then(number.str.replace(",", ".", literal=True))
        .when(number.str.contains(_DOT_GROUPS))
        .then(number.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(number.str.contains(_COMMA_GROUPS))
        .then(number.str.replace_all(",", "", literal=True))
        .when(number.str.contains(r"^-?[0-9]+(?:[.,][0-9]+)?$"))
        .then(number.str.replace(",", ".", literal=True))
    )
    return (
        pl.DataFrame({"number": rest})
        .select(
            pl.when(number.str.contains(_SPACED))
            .then(number.str.replace_all(" ", "", literal=True))
            .otherwise(number.str.replace(f"^{_MINUS} ?", "-"))
            .str.strip_prefix("+")
            .alias("number")
        )
        .select(plain.alias("number"))
        .select(_short(number, scale=scale))
        .to_series()
    )


def _short(number: pl.Expr, *, scale: int) -> pl.Expr:
    """Drop zeros that say nothing: in front, and behind the last place the field has."""
    without_front = number.str.replace(r"^(-?)0+([0-9])", "$1$2")
    if scale == 0:
        return without_front.str.replace(r"\.0+$", "")
    return without_front.str.replace(f"^([^.]*\\.[0-9]{{{scale}}})0+$", "$1")
