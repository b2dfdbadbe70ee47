"""From a land parcel's code back to its point: a GeoHash of twelve characters in WGS 84."""

from __future__ import annotations

from typing import Final

import polars as pl

CHARACTERS: Final = 12
ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"  # no a, i, l, o
PATTERN: Final = f"^[{ALPHABET}]{{{CHARACTERS}}}$"
AXIS_BITS: Final = 30  # twelve characters of five bits, the axes taking turns

_LETTERS: Final = list(ALPHABET)
# A character gives three bits to one axis and two to the other; which one changes from character to character.
_THREE: Final = [(value >> 4 & 1) << 2 | (value >> 2 & 1) << 1 | value & 1 for value in range(len(ALPHABET))]
_TWO: Final = [(value >> 3 & 1) << 1 | value >> 1 & 1 for value in range(len(ALPHABET))]


def decode(codes: pl.Series) -> pl.DataFrame:
    """Return the middle of each cell in degrees; null where a value is no code of twelve characters.

    Vietnamese: giải mã định danh thửa đất. A cell is about 4 cm by 2 cm over Vietnam.
    """
    code = pl.col("code")
    longitude = latitude = pl.lit(0, dtype=pl.Int64)
    for place in range(CHARACTERS):
        letter = code.str.slice(place, 1)
        three = letter.replace_strict(_LETTERS, _THREE, default=None, return_dtype=pl.Int64)
        two = letter.replace_strict(_LETTERS, _TWO, default=None, return_dtype=pl.Int64)
        if place % 2 == 0:
            longitude, latitude = longitude * 8 + three, latitude * 4 + two
        else:
            longitude, latitude = longitude * 4 + two, latitude * 8 + three
    known = pl.when(code.str.contains(PATTERN)).then(code).alias("code")
    return (
        pl.DataFrame({"code": codes})
        .select(known)
        .select(
            ((latitude + 0.5) * (180 / 2**AXIS_BITS) - 90).alias("latitude"),
            ((longitude + 0.5) * (360 / 2**AXIS_BITS) - 180).alias("longitude"),
        )
    )
