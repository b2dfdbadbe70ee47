"""How a value that was damaged on the way may be read; a person accepts a reading, no machine does."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from lienthong.dictionary.model import Text
from lienthong.standardise.cleaning import nowhere

VALUE: Final = "value"
PROPOSED: Final = "proposed"
REASON: Final = "reason"
PROPOSAL_SCHEMA: Final[Mapping[str, type[pl.DataType]]] = {VALUE: pl.String, PROPOSED: pl.String, REASON: pl.String}


class Reason(enum.Enum):
    """What happened to a value on its way."""

    ZERO_IN_FRONT = "zero-in-front-lost"
    ZERO_BEHIND = "zero-behind-lost"
    COMMA_FOR_POINT = "comma-for-point"
    NUMBER_FORMAT = "written-as-a-number"
    SEPARATOR_LOST = "separator-lost"
    LOOK_ALIKE = "look-alike-letters"
    SEVERAL_VALUES = "several-values"


REASONS: Final[Mapping[Reason, Text]] = {
    Reason.ZERO_IN_FRONT: Text(
        vi="bảng tính đọc như số nên mất chữ số 0 ở đầu", en="a spreadsheet read a number and lost a leading zero"
    ),
    Reason.ZERO_BEHIND: Text(
        vi="bảng tính đọc như số nên mất chữ số 0 ở cuối", en="a spreadsheet read a number and lost trailing zeros"
    ),
    Reason.COMMA_FOR_POINT: Text(vi="dấu phẩy viết thay dấu chấm", en="a comma stands where the code has a point"),
    Reason.NUMBER_FORMAT: Text(vi="mã được ghi như một số thập phân", en="the code was written as a decimal number"),
    Reason.SEPARATOR_LOST: Text(
        vi="mất dấu ngăn cách nên có nhiều cách đọc", en="a separator is missing, so there are several readings"
    ),
    Reason.LOOK_ALIKE: Text(
        vi="chữ cái dễ nhầm với chữ số (o với 0, i và l với 1)", en="letters that look like digits (o, i, l)"
    ),
    Reason.SEVERAL_VALUES: Text(vi="một ô ghi nhiều giá trị", en="several values stand in one cell"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One way to read a value of a damaged shape; without ``read`` the value is in doubt and nothing is proposed."""

    damaged: str  # pattern of the tidied value
    reason: Reason
    read: Callable[[pl.Expr], pl.Expr] | None = None


def rewritten(pattern: str, replacement: str, reason: Reason) -> Reading:
    """Return the reading that puts the parts of a damaged value together again."""
    return Reading(damaged=pattern, reason=reason, read=lambda value: value.str.replace(pattern, replacement))


def in_doubt(text: pl.Series, readings: tuple[Reading, ...]) -> pl.Series:
    """Say which values have one of the damaged shapes."""
    doubt = nowhere(text)
    for pattern in dict.fromkeys(reading.damaged for reading in readings):
        doubt = doubt | text.str.contains(pattern).fill_null(value=False)
    return doubt


def read_as(text: pl.Series, readings: tuple[Reading, ...]) -> pl.DataFrame:
    """Return every reading of every damaged value, one row each."""
    value = pl.col(VALUE)
    frame = pl.DataFrame({VALUE: text}, schema={VALUE: pl.String})
    found = [
        frame.filter(value.str.contains(reading.damaged)).select(
            VALUE, reading.read(value).alias(PROPOSED), pl.lit(reading.reason.value).alias(REASON)
        )
        for reading in readings
        if reading.read is not None
    ]
    return pl.concat(found) if found else pl.DataFrame(schema=dict(PROPOSAL_SCHEMA))
