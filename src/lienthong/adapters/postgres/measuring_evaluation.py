"""Judge one rule of a measurement inside its snapshot; the results wait in working tables of the session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import polars as pl
import psycopg
from psycopg import sql

from lienthong.adapters.postgres.centre_copy import copy_frame
from lienthong.adapters.postgres.measuring_sql import OTHER_BOUND, OWN_BOUND, Plan
from lienthong.adapters.postgres.measuring_together import crew
from lienthong.centre.measuring import NEAR_DUPLICATE, Extent
from lienthong.centre.near_duplicates import Resemblance, resembling
from lienthong.check.masking import mask
from lienthong.check.verdict import Letter
from lienthong.dictionary.model import Dictionary, Sensitivity

CHUNK_ROWS = 20_000
DIFFERS = " ≠ "
_IN_BLOCK = "b"  # still to be compared
_STRICTEST = (
    Sensitivity.PUBLIC,
    Sensitivity.INTERNAL,
    Sensitivity.BASIC_PERSONAL,
    Sensitivity.SENSITIVE_PERSONAL,
)

# Emptied by the end of the session: what a snapshot found is kept by the transaction after it.
WORKING_TABLES = b"""
CREATE TEMPORARY TABLE affected (place integer, record_id text, PRIMARY KEY (place, record_id));
CREATE TEMPORARY TABLE failed (place integer NOT NULL, record_id text NOT NULL);
CREATE INDEX ON failed (place, record_id);
CREATE TEMPORARY TABLE block (record_id text NOT NULL, block bigint NOT NULL, texts text[] NOT NULL);
CREATE TEMPORARY TABLE opening (
    rule text NOT NULL, record_id text NOT NULL, severity text NOT NULL, element text, observed text
);
"""

Cursor = psycopg.Cursor[tuple[object, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The run a run of what changed builds on."""

    bounds: Mapping[str, int]  # newest batch it saw, by dataset
    letters: Mapping[str, Counter[str]]  # by rule
    day: date
    errors: Mapping[str, str]  # by rule


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleResult:
    """What a rule came to, over all records."""

    place: int
    rule: str
    letters: Counter[str] = field(default_factory=Counter)
    error: str | None = None
    scope: int | None = None  # place under which its affected records stand, where it is not its own


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """What a run found in its snapshot."""

    extent: Extent
    results: tuple[RuleResult, ...]
    bounds: Mapping[str, int]
    present: int
    examined: int
    touched: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Where a rule is judged."""

    cursor: Cursor
    dictionary: Dictionary
    resembles: Resemblance
    base: Base | None  # None: the whole is judged
    day: date  # in Vietnam, on which the age of records is measured


def evaluate(step: Step, plan: Plan) -> RuleResult:
    """Judge a rule, and put aside which records failed and what is shown of those that failed anew."""
    facts: dict[str, object] = {**plan.parameters, "day": step.day}
    if step.base is None:
        letters = _judge(step, plan, plan.whole, facts)
    else:
        facts |= {
            OWN_BOUND: step.base.bounds[plan.own.dataset],
            OTHER_BOUND: step.base.bounds[plan.other.dataset],
        }
        step.cursor.execute(plan.affected, facts)
        # Without statistics of the working table the planner would guess how many records are affected.
        step.cursor.execute(b"ANALYZE pg_temp.affected")
        before = _judge(step, plan, plan.before, facts, keep=False)
        letters = Counter(step.base.letters[plan.rule.name])
        letters.subtract(before)
        letters.update(_judge(step, plan, plan.now, facts))
    _put_aside_openings(step, plan, facts)
    return RuleResult(place=plan.place, rule=plan.rule.name, letters=letters)


def evaluate_together(step: Step, plans: tuple[Plan, ...]) -> list[RuleResult]:
    """Judge rules that look at the same other records; the same results as one by one."""
    assert step.base is not None, "where everything is looked at, rules are judged one by one"
    work = crew(plans)
    facts = work.parameters | {
        "day": step.day,
        OWN_BOUND: step.base.bounds[plans[0].own.dataset],
        OTHER_BOUND: step.base.bounds[plans[0].other.dataset],
    }
    step.cursor.execute(work.affected, facts)
    step.cursor.execute(b"ANALYZE pg_temp.affected")
    before = step.cursor.execute(work.before, facts).fetchall()
    now = step.cursor.execute(work.now, facts).fetchall()
    results = []
    for nth, plan in enumerate(plans):
        letters = Counter(step.base.letters[plan.rule.name])
        for sign, found in ((-1, before), (1, now)):
            for text, count in found:
                letters[cast("str", text)[nth]] += sign * cast("int", count)
        _put_aside_openings(step, plan, facts | plan.parameters)
        results.append(RuleResult(place=plan.place, rule=plan.rule.name, letters=letters, scope=work.place))
    return results


def _judge(
    step: Step, plan: Plan, statement: bytes, facts: Mapping[str, object], *, keep: bool = True
) -> Counter[str]:
    rows = step.cursor.execute(statement, facts).fetchall()
    letters: Counter[str] = Counter({cast("str", letter): cast("int", count) for letter, count in rows})
    if plan.kind != NEAR_DUPLICATE or not plan.comparison.similar:
        return letters
    compared = letters.pop(_IN_BLOCK, 0)
    failed = 0
    for blocks in _whole_blocks(step.cursor.connection, texts=len(plan.comparison.similar)):
        found = resembling(blocks, similarity=plan.comparison.similarity, resembles=step.resembles)
        failed += found.len()
        if keep and not found.is_empty():
            frame = pl.DataFrame({"place": pl.repeat(plan.place, found.len(), eager=True), "record_id": found})
            copy_frame(step.cursor, sql.Identifier("pg_temp", "failed"), frame)
    step.cursor.execute(b"DELETE FROM pg_temp.block")
    letters.update({Letter.FAIL: failed, Letter.PASS: compared - failed})
    return letters


def _whole_blocks(connection: psycopg.Connection[tuple[object, ...]], *, texts: int) -> Iterator[pl.DataFrame]:
    """Yield the blocks that wait to be compared, some whole ones at a time."""
    schema = {"record_id": pl.String, "block": pl.Int64} | {f"similar_{n}": pl.String for n in range(texts)}
    rest = pl.DataFrame(schema=schema)
    with connection.cursor(name="blocks") as cursor:
        cursor.execute(b"SELECT record_id, block, texts FROM pg_temp.block ORDER BY block, record_id")
        while rows := cursor.fetchmany(CHUNK_ROWS):
            made = [(record_id, block, *cast("list[str]", several)) for record_id, block, several in rows]
            frame = pl.concat([rest, pl.DataFrame(made, schema=schema, orient="row")])
            last = pl.col("block") == frame["block"][-1]
            rest = frame.filter(last)  # it may go on in the next chunk
            yield frame.filter(~last)
    yield rest


def _put_aside_openings(step: Step, plan: Plan, facts: Mapping[str, object]) -> None:
    """Mask what is shown of the records that fail and did not fail before; values never leave unmasked."""
    own = _sensitivity(step.dictionary, plan.shown)
    other = _sensitivity(step.dictionary, plan.shown_other)
    schema = {"record_id": pl.String, "mine": pl.String, "theirs": pl.String}
    with step.cursor.connection.cursor(name="openings") as cursor:
        cursor.execute(plan.observed, facts)
        while rows := cursor.fetchmany(CHUNK_ROWS):
            frame = pl.DataFrame(rows, schema=schema, orient="row")
            observed = mask(pl.col("mine"), own)
            if plan.shown_other:
                observed = pl.concat_str(
                    observed, mask(pl.col("theirs"), other), separator=DIFFERS, ignore_nulls=True
                )
            copy_frame(
                step.cursor,
                sql.Identifier("pg_temp", "opening"),
                frame.select(
                    pl.lit(plan.rule.name).alias("rule"),
                    "record_id",
                    pl.lit(plan.rule.severity.value).alias("severity"),
                    pl.lit(plan.rule.element, dtype=pl.String).alias("element"),
                    observed.alias("observed"),
                ),
            )


def _sensitivity(dictionary: Dictionary, columns: tuple[str, ...]) -> Sensitivity:
    """Return how values of several elements are masked together: as the most sensitive of them."""
    by_name = {element.technical_name: element.sensitivity for element in dictionary.elements.values()}
    return max((by_name[name] for name in columns), key=_STRICTEST.index, default=Sensitivity.SENSITIVE_PERSONAL)
