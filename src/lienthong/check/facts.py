"""Facts that need more than the row: code lists, joined once per batch as columns, before any predicate runs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from lienthong.check.columns import (
    AGE_DAYS,
    DAMAGED,
    DAMAGED_NAMES,
    IN_FORCE,
    LISTED,
    MEASURED_DAY,
    OUTCOME,
    OVERSIZED,
    OVERSIZED_NAMES,
    PARENT,
    PATTERNED,
    RECORD_DAY,
    SIZED,
    SOURCE_DAY,
    fact_columns,
)
from lienthong.dictionary.model import CodeList, CodeListId, Dataset, Datatype, Dictionary, ValueDomain
from lienthong.standardise.batch import RecordBatch

VIETNAM_OFFSET: Final = pl.duration(hours=7)  # one time zone, no summer time

_ROW: Final = "row"
_CODE: Final = "code"
_DAY: Final = "day"
_STRETCH: Final = "stretch"

ANSWERS_MAX: Final = 2_000_000  # codes times stretches of days worked out beforehand for one list


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """Columns made together from a frame that has the values and the record day."""

    columns: tuple[str, ...]
    make: Callable[[pl.DataFrame], pl.DataFrame]  # these columns, same height and order


def row_columns(
    records: RecordBatch, *, record_date: str | None, oversized: pl.Series | None, measured_day: date | None = None
) -> pl.DataFrame:
    """Return values, outcomes, days and marks of a batch side by side.

    ``measured_day`` is the day a measurement speaks of; rows judged as they arrive have none.
    """
    marks = records.envelope.select(
        (pl.col("_source_time") + VIETNAM_OFFSET).dt.date().alias(SOURCE_DAY),
        (pl.col("_damaged").list.len().fill_null(0) > 0).alias(DAMAGED),
        pl.col("_damaged").list.join(", ").alias(DAMAGED_NAMES),
    )
    outcomes = records.outcomes.rename({name: name + OUTCOME for name in records.outcomes.columns})
    frame = pl.concat([records.values, outcomes, marks, _oversized(oversized, marks.height)], how="horizontal")
    day = pl.col(SOURCE_DAY)
    if record_date is not None:
        day = pl.coalesce(_first_day(record_date, frame.schema[record_date]), day)
    measured = pl.lit(measured_day, pl.Date).alias(MEASURED_DAY)
    return frame.with_columns(day.alias(RECORD_DAY), measured, _age(measured_day))


def _age(measured_day: date | None) -> pl.Expr:
    """Return how many days ago the source wrote; a clock that was set back tells nothing."""
    days = (pl.lit(measured_day, pl.Date) - pl.col(SOURCE_DAY)).dt.total_days()
    return pl.when(days >= 0).then(days).cast(pl.Int64).alias(AGE_DAYS)


def _oversized(oversized: pl.Series | None, height: int) -> pl.DataFrame:
    """Take the mark as one Boolean a row, or as the names of the source columns concerned."""
    marks = pl.repeat(None, height, dtype=pl.List(pl.String), eager=True) if oversized is None else oversized
    if marks.dtype == pl.Boolean:
        names = pl.repeat(None, height, dtype=pl.String, eager=True)
        return pl.DataFrame({OVERSIZED: marks.fill_null(value=False), OVERSIZED_NAMES: names})
    return pl.DataFrame({OVERSIZED: marks.list.len().fill_null(0) > 0, OVERSIZED_NAMES: marks.list.join(", ")})


def _first_day(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return the day of a date; a month or a year counts from its first day."""
    if dtype == pl.String:
        return (pl.col(name) + pl.lit("-01-01")).str.head(10).str.to_date("%Y-%m-%d", strict=False)
    return pl.col(name).cast(pl.Date)


def plan_facts(dictionary: Dictionary, dataset: Dataset, wanted: Collection[str]) -> tuple[Fact, ...]:
    """Return how to make the wanted fact columns of a dataset; code lists are read here, once."""
    tables: dict[CodeListId, pl.DataFrame] = {}
    planned: list[Fact] = []
    for member in dataset.members:
        own = [name for name in fact_columns(dictionary, member.element) if name in wanted]
        name = dictionary.elements[member.element].technical_name
        domain = dictionary.domain_of(member.element)
        shapes = tuple(each for each in own if each in {name + PATTERNED, name + SIZED})
        if shapes:
            planned.append(_shape_fact(name, domain, shapes))
        codes = tuple(each for each in own if each not in shapes)
        code_list = dictionary.code_list_of(member.element)
        if codes and code_list is not None and domain.code_list is not None:
            table = tables.setdefault(domain.code_list, code_table(code_list))
            planned.append(_code_fact(name, table, codes, several=domain.datatype is Datatype.CODES))
    return tuple(planned)


def code_table(code_list: CodeList) -> pl.DataFrame:
    """Return a code list as rows of code, parent and period."""
    return pl.DataFrame(
        {
            _CODE: [code.code for code in code_list.codes],
            "valid_from": [code.valid_from for code in code_list.codes],
            "valid_to": [code.valid_to for code in code_list.codes],
            "parent": [code.parent for code in code_list.codes],
        },
        schema={_CODE: pl.String, "valid_from": pl.Date, "valid_to": pl.Date, "parent": pl.String},
    )


def _shape_fact(name: str, domain: ValueDomain, columns: tuple[str, ...]) -> Fact:
    def make(frame: pl.DataFrame) -> pl.DataFrame:
        item = pl.element()
        ways: list[pl.Expr] = []
        if name + PATTERNED in columns:
            assert domain.pattern is not None, "a pattern fact needs a pattern"
            ways.append(_all_items(name, item.str.contains(domain.pattern)).alias(name + PATTERNED))
        if name + SIZED in columns:
            length = item.str.len_chars()
            fits = length >= (domain.min_length or 0)
            if domain.max_length is not None:
                fits = fits & (length <= domain.max_length)
            ways.append(_all_items(name, fits).alias(name + SIZED))
        return frame.select(ways)

    return Fact(columns=columns, make=make)


def _all_items(name: str, holds: pl.Expr) -> pl.Expr:
    # An empty list of codes is no value, as a missing one is.
    return pl.when(pl.col(name).list.len() > 0).then(pl.col(name).list.eval(holds).list.all(ignore_nulls=False))


def _code_fact(name: str, table: pl.DataFrame, columns: tuple[str, ...], *, several: bool) -> Fact:
    if not several and name + PARENT not in columns and _timeless(table):
        return _membership_fact(name, table, columns)
    look_up = _answers(table)

    def make(frame: pl.DataFrame) -> pl.DataFrame:
        asked = frame.select(pl.col(name).alias(_CODE), pl.col(RECORD_DAY).alias(_DAY))
        if not several:
            return look_up(asked).select(_wanted(name, columns))
        places = asked.with_row_index(_ROW)
        single = places.explode(_CODE, empty_as_null=True).filter(pl.col(_CODE).is_not_null())
        judged = pl.concat([single.select(_ROW), look_up(single.select(_CODE, _DAY))], how="horizontal")
        together = judged.group_by(_ROW).agg(
            pl.col(LISTED).all(ignore_nulls=False), pl.col(IN_FORCE).all(ignore_nulls=False)
        )
        joined = places.select(_ROW).join(together, on=_ROW, how="left", maintain_order="left")
        return joined.select(_wanted(name, columns))

    return Fact(columns=columns, make=make)


def _answers(table: pl.DataFrame) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return how to look codes up: in answers worked out beforehand where their number allows, else code by code."""
    cuts = pl.concat([table["valid_from"], table["valid_to"]]).drop_nulls().unique().sort()
    if table.height * (cuts.len() + 2) > ANSWERS_MAX:
        return lambda asked: _looked_up(asked, table)
    # Between two cuts no code begins or ends: one day of each stretch answers for all of them.
    first: list[date | None] = [None, date.min, *cuts]
    stretches = pl.DataFrame({_STRETCH: range(len(first)), _DAY: first}, schema={_STRETCH: pl.UInt32, _DAY: pl.Date})
    asked = table.select(pl.col(_CODE).unique()).join(stretches, how="cross")
    known = pl.concat([asked, _looked_up(asked.select(_CODE, _DAY), table).drop(_CODE, _DAY)], how="horizontal")
    known = known.select(_CODE, _STRETCH, LISTED, IN_FORCE, PARENT)
    alone = [known.filter(pl.col(_STRETCH) == each).drop(_STRETCH) for each in range(len(first))]

    days = cuts.to_list()

    def answer(asked: pl.DataFrame) -> pl.DataFrame:
        number = _one_stretch(asked[_DAY], days)
        if number is not None:
            plan = asked.lazy().join(alone[number].lazy(), on=_CODE, how="left", maintain_order="left")
        else:
            placed = asked.with_columns(_stretch(asked[_DAY], cuts))
            plan = placed.lazy().join(known.lazy(), on=[_CODE, _STRETCH], how="left", maintain_order="left")
        listed = pl.when(pl.col(_CODE).is_not_null())
        return plan.with_columns(
            listed.then(pl.col(LISTED).is_not_null()).alias(LISTED),
            listed.then(pl.when(pl.col(LISTED).is_null()).then(pl.lit(value=False)).otherwise(IN_FORCE)).alias(
                IN_FORCE
            ),
        ).collect(engine="in-memory", optimizations=pl.QueryOptFlags.none())

    return answer


def _one_stretch(days: pl.Series, cuts: Sequence[date]) -> int | None:
    """Return the stretch in which all days lie, as ``_stretch`` counts; None where they lie in several."""
    if not days.len() or days.null_count():
        return 0 if days.len() and days.null_count() == days.len() else None
    first, last = days.min(), days.max()
    assert isinstance(first, date), "days were asked for, and there are some"
    assert isinstance(last, date), "as the first"
    stretch = bisect_right(cuts, first)
    return 1 + stretch if stretch == bisect_right(cuts, last) else None


def _stretch(days: pl.Series, cuts: pl.Series) -> pl.Series:
    """Return in which stretch between two cuts each day lies; 0 is no day."""
    stretch = days.is_not_null().cast(pl.UInt32)
    for cut in cuts:
        stretch = stretch + (days >= cut).fill_null(value=False).cast(pl.UInt32)
    return stretch.alias(_STRETCH)


def _timeless(table: pl.DataFrame) -> bool:
    return table.select(pl.all_horizontal(pl.col("valid_from", "valid_to").is_null().all())).item() is True


def _membership_fact(name: str, table: pl.DataFrame, columns: tuple[str, ...]) -> Fact:
    """Codes without periods need no day: one look-up instead of a join."""
    codes = table[_CODE].unique().implode()
    listed = pl.col(name).is_in(codes)
    return Fact(columns=columns, make=lambda frame: frame.select(listed.alias(column) for column in columns))


def _wanted(name: str, columns: tuple[str, ...]) -> list[pl.Expr]:
    return [pl.col(column.removeprefix(name)).alias(column) for column in columns]


def _looked_up(asked: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Return for each (code, day): does the list have the code, is it in force, under which parent.

    A code that is in force on some days only is null without a day: it could not be evaluated.
    """
    day = pl.col(_DAY)
    # A day is missing or it is not: a bound that is missing is open, whatever the day.
    begun = pl.col("valid_from").is_null() | (pl.col("valid_from") <= day)
    over = pl.col("valid_to").is_not_null() & (pl.col("valid_to") <= day)
    pairs = asked.unique().filter(pl.col(_CODE).is_not_null())
    answers = (
        pairs.join(table.with_columns(pl.lit(value=True).alias(LISTED)), on=_CODE, how="left")
        .with_columns((pl.col(LISTED).fill_null(value=False) & begun & ~over).alias(IN_FORCE))
        .group_by(_CODE, _DAY)
        .agg(
            pl.col(LISTED).any(),
            pl.col(IN_FORCE).any(ignore_nulls=False),
            pl.col("parent").filter(pl.col(IN_FORCE)).min().alias(PARENT),
        )
    )
    return asked.join(answers, on=[_CODE, _DAY], how="left", nulls_equal=True, maintain_order="left")
