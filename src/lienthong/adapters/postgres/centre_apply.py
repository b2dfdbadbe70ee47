"""What one part of a batch does to a dataset: the steps, in their order, inside the batch's transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
import psycopg

from lienthong.adapters.postgres.centre_copy import copy_frame
from lienthong.adapters.postgres.centre_faults import blames_a_row
from lienthong.adapters.postgres.centre_statements import FOUND, Statements, UniqueStatements
from lienthong.centre.refusals import RecordNotStorable
from lienthong.centre.staging import (
    KIND_BAD,
    KIND_CANCEL,
    KIND_GOOD,
    UniqueRule,
    chain,
    deciding_findings,
    refuse_row,
)
from lienthong.centre.tables import TableSpec
from lienthong.check.masking import mask
from lienthong.check.verdict import JudgedBatch, Letter
from lienthong.dictionary.model import Sensitivity
from lienthong.sources.change import Position

Cursor = psycopg.Cursor[tuple[object, ...]]
NO_PLACE = 0


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a dataset's tables went through, counted by the statements themselves."""

    applied: int = 0
    quarantined: int = 0
    superseded: int = 0
    rows: int = 0  # change of the number of current rows
    open_cases: int = 0
    history: int = 0
    opened: int = 0
    closed: int = 0
    judgements: Counter[tuple[int, str]] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unique:
    """A rule about several rows with its statements and how its values are masked."""

    rule: UniqueRule
    statements: UniqueStatements
    sensitivity: Sensitivity


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A dataset's tables in this session."""

    spec: TableSpec
    statements: Statements
    uniques: tuple[Unique, ...]
    measured: tuple[str, ...]  # rules whose findings only a measurement opens and closes
    rule_set: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Where and when something is applied."""

    cursor: Cursor
    target: Target
    tally: Tally
    source: str
    table: str
    epoch: int
    batch: int
    at: datetime
    dictionary_version: str
    snapshot: bool

    @property
    def parameters(self) -> dict[str, object]:
        """Return what the statements name."""
        return {
            "dataset": self.target.spec.dataset,
            "source": self.source,
            "table": self.table,
            "epoch": self.epoch,
            "batch": self.batch,
            "at": self.at,
            "rule_set": self.target.rule_set,
            "dictionary": self.dictionary_version,
            "settled": [*(unique.rule.name for unique in self.target.uniques), *self.target.measured],
            "measured": list(self.target.measured),
        }


def apply_rows(step: Step, frame: pl.DataFrame, judged: JudgedBatch) -> None:
    """Apply flattened rows; rows the database refuses are found by halving and go to quarantine.

    Raises:
        RecordNotStorable: a single row fails even as a case of quarantine.
    """
    if frame.is_empty():
        return
    before = _copy_of(step.tally)
    try:
        with step.cursor.connection.transaction():
            staged = chain(frame, spec=step.target.spec, uniques=[each.rule for each in step.target.uniques])
            _apply_chain(step, staged, judged)
    except psycopg.Error as error:
        if not blames_a_row(error):
            raise
        _restore(step.tally, before)
        sqlstate = error.sqlstate or ""
    else:
        return
    if frame.height > 1:
        half = frame.height // 2
        apply_rows(step, frame.head(half), judged)
        apply_rows(step, frame.tail(frame.height - half), judged)
        return
    if frame["_kind"][0] != KIND_GOOD:
        raise RecordNotStorable(
            dataset=step.target.spec.dataset, position=Position(commit=frame["_version"][0]), sqlstate=sqlstate
        )
    apply_rows(step, refuse_row(frame, spec=step.target.spec, sqlstate=sqlstate), judged)


def _copy_of(tally: Tally) -> dict[str, object]:
    return {
        name: Counter(value) if isinstance(value := getattr(tally, name), Counter) else value
        for name in Tally.__slots__
    }


def _restore(tally: Tally, before: Mapping[str, object]) -> None:
    for name, value in before.items():
        setattr(tally, name, value)


def _apply_chain(step: Step, staged: pl.DataFrame, judged: JudgedBatch) -> None:
    cursor, sql, facts, tally = step.cursor, step.target.statements, step.parameters, step.tally
    cursor.execute(sql.empty_stage)
    copy_frame(cursor, sql.stage, staged)
    staged, rows, cases = _look(step, staged)
    concerned, others_held = _touch_peers(step, staged)
    _findings(step, deciding_findings(judged, staged))
    kinds = set(staged["_kind"])
    if cases:
        if step.snapshot:
            tally.quarantined += _count(cursor.execute(sql.confirm_case, facts))
        cursor.execute(sql.settle_cases, facts)
    if rows:
        if step.snapshot:
            tally.applied += _count(cursor.execute(sql.confirm, facts))
        tally.history += cursor.execute(sql.end_current, facts).rowcount
    inner = staged.filter(~pl.col("_last"))
    if KIND_GOOD in set(inner["_kind"]):
        tally.history += cursor.execute(sql.chain_history, facts).rowcount
    if KIND_GOOD in kinds:
        kept = cursor.execute(sql.keep, facts).rowcount
        tally.applied += kept - _uncounted(staged, KIND_GOOD)
    if KIND_CANCEL in kinds:
        cursor.execute(sql.cancel, facts)
        ended = staged.filter(pl.col("_last") & (pl.col("_kind") == KIND_CANCEL)).height
        tally.applied += ended - _uncounted(staged, KIND_CANCEL)
    if KIND_BAD in kinds:
        tally.quarantined += _count(cursor.execute(sql.open_cases, facts)) - _uncounted(staged, KIND_BAD)
    tally.superseded += int(inner["_counted"].sum())
    _settle_uniqueness(step, concerned, with_cases=bool(cases or others_held) or KIND_BAD in kinds)


def _uncounted(staged: pl.DataFrame, kind: str) -> int:
    """Return how many deciding rows are the second half of a change that is counted elsewhere."""
    return staged.filter(pl.col("_last") & ~pl.col("_counted") & (pl.col("_kind") == kind)).height


def _count(cursor: Cursor) -> int:
    row = cursor.fetchone()
    assert row is not None, "an aggregate returns one row"
    assert isinstance(row[0], int), "a count is a number"
    return row[0]


def _look(step: Step, staged: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """Take the verdicts of the batch's records out of the tally; return (rows still to apply, kept, held).

    Rows that something stored has overtaken are counted as superseded and left out.
    """
    sql, facts = step.target.statements, step.parameters | {"place": NO_PLACE}
    look, guard = (sql.look_snapshot, sql.drop_stale_snapshot) if step.snapshot else (sql.look, sql.drop_stale)
    step.cursor.execute(b"DELETE FROM pg_temp.touched")
    step.cursor.execute(sql.touch_own, facts)
    found = step.cursor.execute(look, facts).fetchall()
    if any(overtaken for *_, overtaken in found):
        stale = step.cursor.execute(guard, facts).fetchall()
        step.tally.superseded += sum(1 for _, counted in stale if counted)
        staged = staged.filter(~pl.col("_row").is_in([row for row, _ in stale]))
        step.cursor.execute(b"DELETE FROM pg_temp.touched")
        step.cursor.execute(sql.touch_own, facts)
        found = step.cursor.execute(look, facts).fetchall()
    return staged, *_enter(step, [row[:5] for row in found], -1)


def _touch_peers(step: Step, staged: pl.DataFrame) -> tuple[tuple[Unique, ...], int]:
    """Find other records with the same values; return (rules that several records concern, others held)."""
    sql, facts = step.target.statements, step.parameters
    kept = staged.filter(pl.col("_last") & (pl.col("_kind") == KIND_GOOD))
    concerned, strangers, held = [], 0, 0
    for unique in step.target.uniques:
        named = facts | {"place": unique.rule.place + 1}
        peers = step.cursor.execute(unique.statements.touch_peers, named).rowcount
        strangers += peers
        if peers or kept.select(unique.rule.columns).drop_nulls().is_duplicated().any():
            step.cursor.execute(sql.touch_own, named)
            concerned.append(unique)
    if strangers:
        _, held = _enter(step, step.cursor.execute(sql.tally_peers, facts).fetchall(), -1)
    return tuple(concerned), held


def _enter(step: Step, verdicts: Sequence[tuple[object, ...]], sign: int) -> tuple[int, int]:
    """Add verdicts to the tally, or take them away; return (records kept, records held)."""
    rows = cases = 0
    for rule_set, judgement, records, kept, held in verdicts:
        if judgement is None:
            continue  # nothing is stored of these records
        assert isinstance(rule_set, int), "a verdict names its rule set"
        assert isinstance(judgement, str), "a verdict is a text"
        assert isinstance(records, int), "a count is a number"
        assert isinstance(kept, int), "a count is a number"
        assert isinstance(held, int), "a count is a number"
        step.tally.judgements[rule_set, judgement] += sign * records
        rows += kept
        cases += held
    step.tally.rows += sign * rows
    step.tally.open_cases += sign * cases
    return rows, cases


def _findings(step: Step, found: pl.DataFrame) -> None:
    cursor, facts = step.cursor, step.parameters
    cursor.execute(b"DELETE FROM pg_temp.found")
    if not found.is_empty():
        copy_frame(cursor, FOUND, found)
    step.tally.closed += cursor.execute(step.target.statements.close_findings, facts).rowcount
    if not found.is_empty():
        _open_findings(step, found.height)


_OPEN_FINDINGS = b"""
INSERT INTO lienthong.finding (dataset, record_id, rule, severity, element, observed, opened_batch, opened_at)
SELECT %(dataset)s, record_id, rule, severity, element, observed, %(batch)s, %(at)s FROM pg_temp.found
ON CONFLICT (dataset, record_id, rule) WHERE closed_at IS NULL DO NOTHING
"""
_REFRESH_FINDINGS = b"""
UPDATE lienthong.finding f SET observed = n.observed, severity = n.severity, element = n.element
FROM pg_temp.found n
WHERE f.dataset = %(dataset)s AND f.record_id = n.record_id AND f.rule = n.rule AND f.closed_at IS NULL
AND (f.observed, f.severity, f.element) IS DISTINCT FROM (n.observed, n.severity, n.element)
"""


def _open_findings(step: Step, height: int) -> None:
    opened = step.cursor.execute(_OPEN_FINDINGS, step.parameters).rowcount
    step.tally.opened += opened
    if opened < height:  # some stay open: their age counts from the day they were found
        step.cursor.execute(_REFRESH_FINDINGS, step.parameters)


def _settle_uniqueness(step: Step, concerned: Sequence[Unique], *, with_cases: bool) -> None:
    """Correct the letters of rules about several rows, then count the verdicts as they are now."""
    facts = step.parameters
    for unique in step.target.uniques:
        named = facts | {"place": unique.rule.place + 1, "rule": unique.rule.name, "everybody": step.snapshot}
        if unique in concerned:
            step.cursor.execute(unique.statements.correct_letters, named)
        if with_cases:
            step.cursor.execute(unique.statements.correct_case_letters, named)
    _enter(step, step.cursor.execute(step.target.statements.tally, facts).fetchall(), +1)
    for unique in concerned:
        if _may_have_failed(step.tally, unique.rule, step.target.rule_set):
            _unique_findings(step, unique)


def _may_have_failed(tally: Tally, rule: UniqueRule, rule_set: int) -> bool:
    """Return whether a touched record failed before or fails now; verdicts of other rule sets are not read."""
    return any(
        number != rule_set or judgement[rule.place : rule.place + 1] == Letter.FAIL
        for number, judgement in tally.judgements
    )


def _unique_findings(step: Step, unique: Unique) -> None:
    named = step.parameters | {"place": unique.rule.place + 1, "rule": unique.rule.name}
    step.tally.closed += step.cursor.execute(unique.statements.close_findings, named).rowcount
    failed = step.cursor.execute(unique.statements.newly_failed, named).fetchall()
    if not failed:
        return
    frame = pl.DataFrame(failed, schema={"record_id": pl.String, "observed": pl.String}, orient="row").select(
        "record_id",
        pl.lit(unique.rule.name).alias("rule"),
        pl.lit(unique.rule.severity).alias("severity"),
        pl.lit(unique.rule.element, dtype=pl.String).alias("element"),
        mask(pl.col("observed"), unique.sensitivity),
    )
    step.cursor.execute(b"DELETE FROM pg_temp.found")
    copy_frame(step.cursor, FOUND, frame)
    _open_findings(step, frame.height)


def withdraw(step: Step, *, version: int, number: int, source_time: datetime) -> int:
    """Cancel everything stored from a source table before a position; return how many records went."""
    cursor, sql = step.cursor, step.target.statements
    facts = step.parameters | {"version": version, "number": number, "source_time": source_time}
    cursor.execute(b"DELETE FROM pg_temp.touched")
    cursor.execute(b"DELETE FROM pg_temp.withdrawn")
    records = cursor.execute(sql.choose_withdrawn, facts).rowcount
    if not records:
        return 0
    cursor.execute(_TOUCH_WITHDRAWN, {"place": NO_PLACE})
    for unique in step.target.uniques:
        cursor.execute(_TOUCH_WITHDRAWN, {"place": unique.rule.place + 1})
        cursor.execute(unique.statements.touch_withdrawn_peers, {"place": unique.rule.place + 1})
    _enter(step, cursor.execute(sql.tally, facts).fetchall(), -1)
    step.tally.history += cursor.execute(sql.withdraw_history, facts).rowcount
    cursor.execute(sql.withdraw, facts)
    cursor.execute(sql.withdraw_cases, facts)
    step.tally.closed += cursor.execute(_CLOSE_WITHDRAWN_FINDINGS, facts).rowcount
    _settle_uniqueness(step, step.target.uniques, with_cases=True)
    return records


_TOUCH_WITHDRAWN = b"INSERT INTO pg_temp.touched SELECT record_id, %(place)s FROM pg_temp.withdrawn"
_CLOSE_WITHDRAWN_FINDINGS = b"""
UPDATE lienthong.finding f SET closed_batch = %(batch)s, closed_at = %(at)s
FROM (SELECT o.id FROM pg_temp.withdrawn w CROSS JOIN LATERAL (SELECT g.id FROM lienthong.finding g
      WHERE g.record_id = w.record_id AND g.dataset = %(dataset)s AND g.closed_at IS NULL
      AND g.rule <> ALL (%(measured)s::text[]) OFFSET 0) o) v
WHERE f.id = v.id
"""
