"""From a code of one day to the code of another: one, several or unknown; never a silent pick (chuyển đổi mã)."""

from __future__ import annotations

import enum
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from lienthong.dictionary.code_pasts import PEOPLE_KIND
from lienthong.dictionary.finding import folded
from lienthong.dictionary.meanings import Meaning, MeaningIndex
from lienthong.dictionary.model import Code, CodeList, Succession

_DAY: Final = timedelta(days=1)
_TYPES: Final = ("Thành phố ", "Tỉnh ", "Quận ", "Huyện ", "Thị xã ", "Thị trấn ", "Phường ", "Xã ", "Đặc khu ")

CONVERTED_SCHEMA: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "kind": pl.String,  # one, several, unknown
    "code": pl.String,  # null unless kind is one
    "candidates": pl.List(pl.String),  # empty when unknown
    "reason": pl.String,  # null unless unknown
}


class Reason(enum.Enum):
    """Why there is no answer."""

    NOT_IN_FORCE = "not-in-force"  # the list has no such code on the first day
    MEANT_ANOTHER_UNIT = "meant-another-unit"  # on the first day it was a unit whose fate no source here tells
    BETWEEN_LISTS = "between-lists"  # it changed its meaning between two dated lists, and the day lies there
    NO_CONVERSION = "no-conversion"  # the list changed in between and no table says how


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One code the old one may have become, and which part of it went there."""

    code: str
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class One:
    """Exactly one answer."""

    code: str
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Several:
    """More than one candidate: something else must decide."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """No answer."""

    reason: Reason


Answer = One | Several | Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Converter:
    """A code list with its conversion table, prepared once for many look-ups."""

    meanings: MeaningIndex
    steps: tuple[date, ...]  # days on which the list was converted, oldest first
    forward: Mapping[tuple[date, str], tuple[Succession, ...]]
    backward: Mapping[tuple[date, str], tuple[Succession, ...]]

    @classmethod
    def of(cls, code_list: CodeList) -> Converter:
        """Prepare the tables of a list."""
        forward: defaultdict[tuple[date, str], list[Succession]] = defaultdict(list)
        backward: defaultdict[tuple[date, str], list[Succession]] = defaultdict(list)
        for one in code_list.successions:
            forward[one.on, one.old].append(one)
            backward[one.on, one.new].append(one)
        return cls(
            meanings=MeaningIndex.of(code_list),
            steps=tuple(sorted({one.on for one in code_list.successions})),
            forward={key: tuple(found) for key, found in forward.items()},
            backward={key: tuple(found) for key, found in backward.items()},
        )

    def convert(self, code: str, *, from_date: date, to_date: date, for_people: bool = False) -> Answer:
        """Return what a code read on ``from_date`` is on ``to_date``.

        ``for_people`` takes the target to which the whole population of a divided unit went; land and things without
        a person stay undecided there.
        """
        doubt = self._doubt(code, from_date)
        if doubt is not None:
            return Unknown(reason=doubt)
        reached: dict[str, str] = {code: "unchanged"}
        day = from_date
        for step, ahead in self._way(from_date, to_date):
            # Nothing but the table may carry a code over a conversion; between two of them it must stay in force.
            near, far = (step - _DAY, step) if ahead else (step, step - _DAY)
            if not all(self._stays(one, day, near) for one in reached):
                return Unknown(reason=Reason.NO_CONVERSION)
            found = self._step(reached, step, ahead=ahead, for_people=for_people)
            if not found:
                return Unknown(reason=Reason.NO_CONVERSION)
            reached, day = found, far
        if not all(self._stays(one, day, to_date) for one in reached):
            return Unknown(reason=Reason.NO_CONVERSION)
        if len(reached) == 1:
            ((only, kind),) = reached.items()
            return One(code=only, kind=kind)
        return Several(candidates=tuple(Candidate(code=one, kind=reached[one]) for one in sorted(reached)))

    def convert_frame(
        self, codes: pl.Series, *, from_date: date, to_date: date, for_people: bool = False
    ) -> pl.DataFrame:
        """Convert a column: every distinct code once, the answers spread by a join (``CONVERTED_SCHEMA``)."""
        distinct = codes.cast(pl.String).drop_nulls().unique().to_list()
        answers = (self.convert(one, from_date=from_date, to_date=to_date, for_people=for_people) for one in distinct)
        table = pl.DataFrame(
            [(code, *answer_columns(answer)) for code, answer in zip(distinct, answers, strict=True)],
            schema={"asked": pl.String, **CONVERTED_SCHEMA},
            orient="row",
        )
        asked = pl.DataFrame({"asked": codes.cast(pl.String)})
        return asked.join(table, on="asked", how="left", maintain_order="left").drop("asked")

    def _way(self, start: date, end: date) -> Iterable[tuple[date, bool]]:
        if start <= end:
            return ((step, True) for step in self.steps if start < step <= end)
        return ((step, False) for step in reversed(self.steps) if end < step <= start)

    def _step(self, reached: Mapping[str, str], step: date, *, ahead: bool, for_people: bool) -> dict[str, str]:
        found: dict[str, str] = {}
        for one, kind in reached.items():
            rows = (self.forward if ahead else self.backward).get((step, one), ())
            if not rows and any(_spans(period, step) for period in self.meanings.codes.get(one, ())):
                found[one] = kind  # this conversion did not touch it
                continue
            if not rows:
                return {}
            chosen = rows
            if for_people and ahead:
                chosen = tuple(row for row in rows if row.kind == PEOPLE_KIND) or rows
            elif for_people:
                chosen = tuple(row for row in rows if not self._lost_its_people(row)) or rows
            for row in chosen:
                target = row.new if ahead else row.old
                found[target] = row.kind
        return found

    def _lost_its_people(self, row: Succession) -> bool:
        """Return whether nobody moved along this line: the whole population went elsewhere."""
        others = self.forward[row.on, row.old]
        return row.kind != PEOPLE_KIND and any(one.kind == PEOPLE_KIND for one in others)

    def _doubt(self, code: str, day: date) -> Reason | None:
        """Return why the conversion table may not speak about this code on this day."""
        meant = self.meanings.on(code, day)
        if not meant:
            return Reason.NOT_IN_FORCE
        listed = [one for one in meant if one.seen_to is None]
        seen = [one for one in meant if one.seen_to is not None]
        if not seen:
            return None
        ending = next((step for step in self.steps if step > day and (step, code) in self.forward), None)
        last = next(
            (one for one in self.meanings.all_of(code) if one.seen_to is None and one.valid_to == ending), None
        )
        if ending is not None and last is not None and all(_same_unit(one, last, ending) for one in seen):
            return None
        return Reason.BETWEEN_LISTS if listed else Reason.MEANT_ANOTHER_UNIT

    def _stays(self, code: str, start: date, end: date) -> bool:
        """Return whether the periods of a code cover all days between the two without a gap."""
        first, last = min(start, end), max(start, end)
        periods = self.meanings.codes.get(code, ())
        reach: date | None = None
        for one in periods:
            touches = one.valid_from is None or one.valid_from <= (first if reach is None else reach)
            if touches and (one.valid_to is None or one.valid_to > first):
                if one.valid_to is None or last < one.valid_to:
                    return True
                reach = one.valid_to
        return False


def _same_unit(seen: Meaning, last: Meaning, ending: date) -> bool:
    """Return whether what a list showed is the unit that the conversion table speaks of.

    A name that only the table's own day ends is another spelling of it.
    """
    until_the_end = seen.valid_to is not None and seen.valid_to >= ending - _DAY
    return until_the_end or _bare(seen.label) == _bare(last.label)


def _spans(period: Code, step: date) -> bool:
    """Return whether one period holds the day before a conversion and the day itself."""
    return (period.valid_from is None or period.valid_from < step) and (
        period.valid_to is None or step < period.valid_to
    )


def answer_columns(answer: Answer) -> tuple[str, str | None, list[str], str | None]:
    """Return an answer as a row of ``CONVERTED_SCHEMA``."""
    if isinstance(answer, One):
        return "one", answer.code, [answer.code], None
    if isinstance(answer, Several):
        return "several", None, [one.code for one in answer.candidates], None
    return "unknown", None, [], answer.reason.value


def _bare(label: str) -> str:
    for word in _TYPES:
        if label.startswith(word):
            return folded(label.removeprefix(word))
    return folded(label)


def convert(code_list: CodeList, code: str, *, from_date: date, to_date: date, for_people: bool = False) -> Answer:
    """Convert one code; for many, prepare a ``Converter`` once."""
    return Converter.of(code_list).convert(code, from_date=from_date, to_date=to_date, for_people=for_people)


def convert_frame(
    code_list: CodeList, codes: pl.Series, *, from_date: date, to_date: date, for_people: bool = False
) -> pl.DataFrame:
    """Convert a column of codes; one row for each, in the same order."""
    return Converter.of(code_list).convert_frame(codes, from_date=from_date, to_date=to_date, for_people=for_people)


def divided(code_list: CodeList) -> frozenset[str]:
    """Return the codes that were divided: those with more than one successor on one day."""
    keys = sorted((one.on, one.old) for one in code_list.successions)
    return frozenset(key[1] for key, rows in itertools.groupby(keys) if len(list(rows)) > 1)
