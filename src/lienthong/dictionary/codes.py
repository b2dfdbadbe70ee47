"""Codes by day: a code alone means nothing without the day it is read on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from lienthong.dictionary.model import Code, CodeList

CODE_FRAME_SCHEMA: Final = {
    "code": pl.String,
    "label_vi": pl.String,
    "valid_from": pl.Date,  # null: in force before every day we have a source for
    "valid_to": pl.Date,  # first day on which it is no longer in force; null: open
    "parent": pl.String,
}


def is_in_force(code: Code, *, on: date) -> bool:
    """Return whether a code is valid on a day (mã còn hiệu lực)."""
    return (code.valid_from is None or code.valid_from <= on) and (code.valid_to is None or on < code.valid_to)


def code_frame(code_list: CodeList) -> pl.DataFrame:
    """Return all codes and periods of a list as columns, to be joined with a batch."""
    codes: Sequence[Code] = code_list.codes
    return pl.DataFrame(
        {
            "code": [one.code for one in codes],
            "label_vi": [one.label.vi for one in codes],
            "valid_from": [one.valid_from for one in codes],
            "valid_to": [one.valid_to for one in codes],
            "parent": [one.parent for one in codes],
        },
        schema=CODE_FRAME_SCHEMA,
    )


def alias_frame(code_list: CodeList) -> pl.DataFrame:
    """Return the spellings of a list as columns ``spelling`` and ``code``."""
    return pl.DataFrame(list(code_list.aliases), schema={"spelling": pl.String, "code": pl.String}, orient="row")


def codes_on(code_list: CodeList, on: date) -> tuple[Code, ...]:
    """Return the codes in force on a day, in the order of the list."""
    return tuple(code for code in code_list.codes if is_in_force(code, on=on))


def lookup(code_list: CodeList, code: str, on: date) -> Code | None:
    """Return what a code means on a day, or None; periods never overlap, so there is at most one."""
    for one in code_list.codes:
        if one.code == code and is_in_force(one, on=on):
            return one
    return None


def periods(code_list: CodeList, code: str) -> tuple[Code, ...]:
    """Return everything a code has ever meant, oldest first."""
    found = [one for one in code_list.codes if one.code == code]
    return tuple(sorted(found, key=lambda one: one.valid_from or date.min))
