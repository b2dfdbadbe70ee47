"""Who has the same key inside one file: found after the last row, then written into the judgements (trùng khoá)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from lienthong.check.verdict import Letter, RuleSet
from lienthong.dictionary.model import Dictionary
from lienthong.pipeline.file_run import JUDGEMENT

UNIQUE: Final = "unique"
ROWS_MAX: Final = 20_000_000  # eight bytes a row and rule are kept; above it uniqueness is not measured
SHARES: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    place: int  # of the rule's letter in a judgement
    columns: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class Uniqueness:
    """Remember a fingerprint of every key, and tell which rows share one."""

    asked: tuple[_Asked, ...]
    measured: bool = True
    _seen: list[list[pl.Series]] = field(init=False)
    _rows: int = 0
    _twice: list[pl.Series] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = [[] for _ in self.asked]
        self._twice = [pl.Series(dtype=pl.UInt64) for _ in self.asked]

    @classmethod
    def of(cls, dictionary: Dictionary, rules: RuleSet) -> Uniqueness:
        """Ask what the rules ask that only the other rows can answer."""
        key = tuple(dictionary.elements[element].technical_name for element in rules.dataset.key)
        asked = [
            _Asked(place=place, columns=key if rule.element is None else (rule.element,))
            for place, rule in enumerate(rules.rules)
            if rule.over == UNIQUE
        ]
        return cls(asked=tuple(each for each in asked if each.columns))

    @property
    def places(self) -> tuple[int, ...]:
        """Return the places of the rules that are about other rows."""
        return tuple(each.place for each in self.asked)

    def add(self, values: pl.DataFrame) -> None:
        """Take the keys of more rows."""
        self._rows += values.height
        if self._rows > ROWS_MAX:
            self.measured = False
            self._seen = [[] for _ in self.asked]
        if self.measured:
            for each, seen in zip(self.asked, self._seen, strict=True):
                seen.append(_fingerprints(values, each.columns).drop_nulls())

    def finish(self) -> bool:
        """Find what stands twice; returns whether any judgement has to be written anew."""
        for number, seen in enumerate(self._seen):
            if seen and self.measured:
                self._twice[number] = _twice(seen)
            seen.clear()
        return any(not twice.is_empty() for twice in self._twice)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of the output a correction reads."""
        return (*dict.fromkeys(name for each in self.asked for name in each.columns), JUDGEMENT)

    def corrected(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the judgements of rows of the output with the letters of the uniqueness rules as they are."""
        judgement = pl.col(JUDGEMENT)
        for each, twice in zip(self.asked, self._twice, strict=True):
            shared = _fingerprints(frame, each.columns).is_in(twice.implode()).fill_null(value=False)
            fixed = judgement.str.slice(0, each.place) + pl.lit(Letter.FAIL) + judgement.str.slice(each.place + 1)
            frame = frame.with_columns(pl.when(shared).then(fixed).otherwise(judgement).alias(JUDGEMENT))
        return frame.select(JUDGEMENT)

    def failed(self, frame: pl.DataFrame) -> tuple[int, ...]:
        """Return, per rule, how many of these rows share their key with another."""
        return tuple(
            int(_fingerprints(frame, each.columns).is_in(twice.implode()).fill_null(value=False).sum())
            for each, twice in zip(self.asked, self._twice, strict=True)
        )


def _twice(seen: list[pl.Series]) -> pl.Series:
    """Return what stands twice, a share of all fingerprints at a time: finding it takes many times their size."""
    found = []
    for share in range(SHARES):
        part = pl.concat([each.filter(each % SHARES == share) for each in seen])
        found.append(part.filter(part.is_duplicated()).unique())
    return pl.concat(found)


def _fingerprints(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    """Return a number per row that two keys share once in 10^19; null where a part of the key is missing."""
    filled = pl.all_horizontal(pl.col(name).is_not_null() for name in columns)
    return frame.select(pl.when(filled).then(pl.struct(columns).hash(seed=214))).to_series()
