"""Whole columns of codes and days answered at once: what each code meant, or what it became (tra cứu, chuyển đổi mã).

What a list says of a code only changes on certain days. So each code is asked once for each stretch between them, and
a column of millions is answered by one search among the days on which they begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Self

import polars as pl

from lienthong.dictionary.conversion import CONVERTED_SCHEMA, Converter, Reason, answer_columns
from lienthong.dictionary.meanings import MeaningIndex
from lienthong.dictionary.model import CodeList

NO_DAY: Final = "no-day"  # the row has no day that can be read, and a code alone means nothing

MEANT_SCHEMA: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "kind": pl.String,  # one, several, unknown
    "label": pl.String,  # null unless kind is one
    "parent": pl.String,  # code of the unit above; null unless kind is one
    "candidates": pl.List(pl.String),  # labels; empty when unknown
    "reason": pl.String,  # null unless unknown
}

_DAY: Final = timedelta(days=1)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAYS: Final = 1 << 22  # more than all days of the calendar: one number holds a code's place and a day
_NO_CODE, _NO_DAY, _NOT_LISTED, _FIRST = range(4)  # the first rows of the table of answers

Row = tuple[Any, ...]


@dataclass(kw_only=True, slots=True)
class CodeColumns:
    """Answers about the codes of one list; asked again, it remembers the codes it met."""

    schema: Mapping[str, pl.DataType | type[pl.DataType]]
    ask: Callable[[str, date], Row]  # code and day → one row of ``schema``
    index: MeaningIndex
    turning: frozenset[date]  # days on which the answer about any code may change
    _codes: pl.Enum = field(init=False)
    _met: set[int] = field(init=False, default_factory=set)
    _begins: list[int] = field(init=False, default_factory=list)  # of every stretch: place of the code and first day
    _rows: list[Row] = field(init=False, default_factory=list)  # its answer
    _keys: pl.Series = field(init=False)  # _begins, sorted
    _table: pl.DataFrame = field(init=False)  # the answers in that order, after those that no stretch has

    def __post_init__(self) -> None:
        self._codes = pl.Enum(sorted(self.index.codes.keys() | self.index.sightings.keys()))
        self._gather()

    @classmethod
    def meanings(cls, code_list: CodeList) -> Self:
        """Prepare to say what codes meant on their days (``MEANT_SCHEMA``)."""
        index = MeaningIndex.of(code_list)
        return cls(
            schema=MEANT_SCHEMA, ask=lambda code, day: _meant(index, code, day), index=index, turning=frozenset()
        )

    @classmethod
    def conversions(cls, code_list: CodeList, *, to_date: date, for_people: bool = False) -> Self:
        """Prepare to say what codes read on their days are on another day (``CONVERTED_SCHEMA``)."""
        converter = Converter.of(code_list)

        def became(code: str, day: date) -> Row:
            return answer_columns(converter.convert(code, from_date=day, to_date=to_date, for_people=for_people))

        return cls(
            schema=CONVERTED_SCHEMA,
            ask=became,
            index=converter.meanings,
            turning=frozenset({to_date, *converter.steps}),
        )

    def answer(self, codes: pl.Series, days: pl.Series | date) -> pl.DataFrame:
        """Return one row for each code, in the same order; a row without a code is null throughout.

        Args:
            codes: texts; nothing is trimmed or padded.
            days: one day for all, or one (``Date``) for each code; without a day nothing is known.
        """
        asked = codes.cast(pl.String)
        on = pl.repeat(days, asked.len(), dtype=pl.Date, eager=True) if isinstance(days, date) else days.cast(pl.Date)
        place = asked.cast(self._codes, strict=False).to_physical().cast(pl.Int64)
        self._meet(place)
        key = place * _DAYS + on.to_physical().cast(pl.Int64) + _EPOCH
        found = pl.DataFrame({"code": asked, "on": on, "place": place, "key": key.fill_null(-1)})
        rows = found.select(
            pl.when(pl.col("code").is_null())
            .then(pl.lit(_NO_CODE))
            .when(pl.col("on").is_null())
            .then(pl.lit(_NO_DAY))
            .when(pl.col("place").is_null())
            .then(pl.lit(_NOT_LISTED))
            .otherwise(self._keys.search_sorted(found["key"], side="right").cast(pl.Int64) + (_FIRST - 1))
        ).to_series()
        return self._table[rows]

    def _meet(self, places: pl.Series) -> None:
        """Ask about codes of the list that were not met before; strangers need no memory."""
        fresh = set(places.drop_nulls().unique().to_list()) - self._met
        if not fresh:
            return
        names = self._codes.categories
        for place in fresh:
            code = names[place]
            for begin, told in self._stretches(code):
                self._begins.append(place * _DAYS + begin.toordinal())
                self._rows.append(told)
        self._met.update(fresh)
        self._gather()

    def _gather(self) -> None:
        """Put the answers in the order of code and day."""
        order = sorted(range(len(self._begins)), key=self._begins.__getitem__)
        self._keys = pl.Series([self._begins[place] for place in order], dtype=pl.Int64)
        rows = [self._nothing(), self._unknown(NO_DAY), self._unknown(Reason.NOT_IN_FORCE.value)]
        rows += [self._rows[place] for place in order]
        self._table = pl.DataFrame(rows, schema=dict(self.schema), orient="row")

    def _nothing(self) -> Row:
        return (None,) * len(self.schema)

    def _unknown(self, reason: str) -> Row:
        told: dict[str, Any] = {"kind": "unknown", "candidates": [], "reason": reason}
        return tuple(told.get(name) for name in self.schema)

    def _stretches(self, code: str) -> Iterator[tuple[date, Row]]:
        """Yield first days and answers, from the first day there is; each holds until the next begins."""
        days = sorted({date.min, *self.turning, *_turning_days(self.index, code)})
        before: Row | None = None
        for day in days:
            told = self.ask(code, day)
            if told != before:
                yield day, told
                before = told


def _turning_days(index: MeaningIndex, code: str) -> Iterable[date]:
    """Yield the days on which a code may begin or cease to mean something."""
    for period in index.codes.get(code, ()):
        yield from (day for day in (period.valid_from, period.valid_to) if day is not None)
    for seen in index.sightings.get(code, ()):
        yield from (seen.seen_from, seen.seen_to, seen.seen_to + _DAY, seen.gone_by)


def _meant(index: MeaningIndex, code: str, day: date) -> Row:
    found = index.on(code, day)
    if len(found) == 1:
        return "one", found[0].label, found[0].parent, [found[0].label], None
    if found:
        return "several", None, None, [one.label for one in found], None
    return "unknown", None, None, [], Reason.NOT_IN_FORCE.value
