"""Judge a batch: one pass of columnar expressions, four outcomes for each rule and row.

Two bits say what became of a rule on a row: *broken* (it failed, or could not be evaluated) and *open* (it does not
apply, or could not be evaluated). Bits are counted and looked for in bulk; letters are written where somebody reads
them. A rule that cannot be run gives the fourth outcome on its own bits. It never costs the batch, and it never looks
like bad data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from lienthong.check.bits import (
    NOT_APPLICABLE,
    NOT_EVALUATED,
    Mark,
    RuleBits,
    any_of,
    both,
    inverse,
    parts_of,
    rule_bits,
    times,
    written,
)
from lienthong.check.columns import TEXT, fact_columns
from lienthong.check.facts import Fact, plan_facts, row_columns
from lienthong.check.language_fast import PLANNED_FROM_ROWS, Rewriter
from lienthong.check.program import (
    FINDS,
    JUDGEMENT,
    BoundRule,
    RuleOutcome,
    RuleProgram,
    compile_program,
    spell,
)
from lienthong.check.verdict import FINDING_SCHEMA, JudgedBatch, Letter, RuleSet, Severity
from lienthong.dictionary.model import Dictionary
from lienthong.standardise.batch import Event, RecordBatch

ALWAYS: Final = "TRUE"

# Polars raises its own errors for what it refuses and a panic for its own faults; neither may cost a batch.
_ENGINE_ERRORS: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_UNPLANNED: Final = pl.QueryOptFlags.none()


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """What became of many rows at once."""

    outcomes: tuple[RuleOutcome, ...]
    suspect: pl.Series  # a Boolean per row: some rule is broken or could not be evaluated
    judgement: pl.Series  # letters of the suspect rows, or of all when they were asked for
    broken: Mapping[int, str]  # places of rules the engine could not run, and the engine's word for why


class Checker:
    """Judge batches of one dataset; compiled once, used for every batch."""

    def __init__(self, dictionary: Dictionary, rule_set: RuleSet) -> None:
        self.rule_set = rule_set
        self.program: RuleProgram = compile_program(dictionary, rule_set)
        bound = self.program.bound
        predicates = {
            each.text: each for rule in bound for each in (rule.when, rule.check) if each is not None and not rule.key
        }
        predicates.pop(ALWAYS, None)
        rewriter = Rewriter()
        for each in predicates.values():
            rewriter.rewritten(each)  # what one rule works out, the rules before it may use too
        self._predicates = {text: rewriter.rewritten(each).alias(text) for text, each in predicates.items()}
        self._prepared = rewriter.prepared()
        read = {name for rule in bound for name in rule.reads}
        facts = {name for member in rule_set.dataset.members for name in fact_columns(dictionary, member.element)}
        self._facts = plan_facts(dictionary, rule_set.dataset, read & facts)

    def judge(
        self,
        records: RecordBatch,
        *,
        oversized: pl.Series | None = None,
        texts: pl.DataFrame | None = None,
        measured_day: date | None = None,
    ) -> JudgedBatch:
        """Return the batch with a letter per rule and row, who is held back, and the findings.

        ``oversized`` has one Boolean per row, or the names of the source columns over the limit. ``texts`` may have
        the texts as the source sent them, by technical name: what is shown where a value could not be read. Whether a
        value is claimed by other records is presumed: the store corrects it where it is. ``measured_day`` is the day
        a measurement speaks of: without it no rule about the age of a record applies.
        """
        bound = self.program.bound
        frame = row_columns(
            records, record_date=self.program.record_date, oversized=oversized, measured_day=measured_day
        )
        bits, _ = self._evaluated(frame)
        cancelled = records.envelope["_event"] == Event.CANCEL
        alive = ~cancelled
        judgement = written(bits, height=frame.height)
        if cancelled.any():
            judgement = judgement.zip_with(alive, pl.repeat(None, frame.height, dtype=pl.String, eager=True))
        blocking = [
            each.broken for each, rule in zip(bits, bound, strict=True) if rule.rule.severity is Severity.BLOCKING
        ]
        held = any_of(blocking, height=frame.height)
        return JudgedBatch(
            records=records,
            rules=self.rule_set,
            judgement=judgement.alias("judgement"),
            quarantined=(held & alive).alias("quarantined"),
            findings=self._findings(frame, bits, alive, records=records, texts=texts),
        )

    def examine(
        self, rows: pl.DataFrame, *, shared: Mapping[int, pl.Series] | None = None, every: bool = False
    ) -> Examination:
        """Judge rows of the examined table; they need the columns that ``RuleProgram.reads`` names.

        ``shared`` says, by place of a rule about other records, which rows share their key with another. Letters are
        written for suspect rows only, unless ``every`` row's are asked for.
        """
        bits, broken = self._evaluated(rows)
        for place, marks in (shared or {}).items():
            bits[place] = RuleBits(broken=marks if marks.any() else False, open=bits[place].open)
        suspect = any_of([each.broken for each in bits], height=rows.height)
        return Examination(
            outcomes=_counted(bits, self.program.bound, height=rows.height),
            suspect=suspect,
            judgement=written(bits, height=rows.height, rows=None if every else suspect).alias(JUDGEMENT),
            broken=broken,
        )

    def _evaluated(self, frame: pl.DataFrame) -> tuple[list[RuleBits], Mapping[int, str]]:
        """Return the bits of each rule, and by place the rules that could not be run, with the engine's word why."""
        ready = self._prepared.add(_with_facts(frame, self._facts))
        told, refused = _told(ready, self._predicates)
        parts = parts_of(told)
        bits: list[RuleBits] = []
        broken: dict[int, str] = {}
        for place, rule in enumerate(self.program.bound):
            if rule.key:
                # Presume that nobody else has the value.
                bits.append(RuleBits(broken=False, open=_missing(frame, rule.key)))
            elif rule.when is None or rule.check is None:
                bits.append(NOT_APPLICABLE)
            elif (why := refused.get(rule.when.text) or refused.get(rule.check.text)) is not None:
                broken[place] = why
                bits.append(NOT_EVALUATED)
            else:
                bits.append(rule_bits(parts.get(rule.when.text), parts.get(rule.check.text)))
        return bits, broken

    def _findings(
        self,
        frame: pl.DataFrame,
        bits: Sequence[RuleBits],
        alive: pl.Series,
        *,
        records: RecordBatch,
        texts: pl.DataFrame | None,
    ) -> pl.DataFrame:
        """Return a line per broken rule and row, in order of rows and then of rules; only these rows are touched."""
        marks: dict[int, pl.Series] = {}
        bound = self.program.bound
        for place, each in enumerate(bits):
            if each.broken is False:
                continue
            failed: Mark = each.broken
            if Letter.NOT_EVALUATED not in FINDS[bound[place].rule.severity]:
                failed = both(failed, inverse(each.open))
            found = both(failed, alive)
            if isinstance(found, pl.Series) and found.any():
                marks[place] = found
        if not marks:
            return pl.DataFrame(schema=dict(FINDING_SCHEMA))
        if texts is not None:
            frame = frame.hstack([each.alias(each.name + TEXT) for each in texts if each.name in frame.columns])
        findings = spell(frame, marks, bound)
        names = pl.Series([each.rule.name for each in bound])
        return pl.DataFrame(
            {
                "row": findings["row"],
                "record_id": records.envelope["_record_id"].gather(findings["row"]),
                "rule": names.gather(findings["place"]),
                "observed": findings["observed"],
            }
        )


def _missing(frame: pl.DataFrame, key: Sequence[str]) -> Mark:
    """Return in which rows a part of the key is missing."""
    gaps = [frame[name].is_null() for name in key if frame[name].null_count()]
    return any_of(gaps, height=frame.height) if gaps else False


def _with_facts(frame: pl.DataFrame, facts: tuple[Fact, ...]) -> pl.DataFrame:
    made = []
    for fact in facts:
        try:
            made.append(fact.make(frame))
        except _ENGINE_ERRORS:
            continue  # the rules that read these columns get the fourth outcome
    return pl.concat([frame, *made], how="horizontal") if made else frame


def _told(frame: pl.DataFrame, predicates: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """Return each predicate as a column, and why those are missing that could not be evaluated."""
    if not predicates:
        return pl.DataFrame(), {}
    try:
        return _at_once(frame, predicates), {}
    except _ENGINE_ERRORS:
        told: list[pl.DataFrame] = []
        refused: dict[str, str] = {}
        for text, predicate in predicates.items():
            try:
                told.append(_at_once(frame, {text: predicate}))
            except _ENGINE_ERRORS as error:
                refused[text] = type(error).__name__
        return pl.concat(told, how="horizontal") if told else pl.DataFrame(), refused


def _at_once(frame: pl.DataFrame, predicates: Mapping[str, pl.Expr]) -> pl.DataFrame:
    # With columns of the frame as the base, a literal gets as many rows as there are.
    plan = frame.lazy().with_columns(predicates.values()).select(list(predicates))
    few = frame.height < PLANNED_FROM_ROWS
    return plan.collect(engine="in-memory", optimizations=_UNPLANNED if few else pl.QueryOptFlags())


def _counted(bits: Sequence[RuleBits], bound: Sequence[BoundRule], *, height: int) -> tuple[RuleOutcome, ...]:
    """Count the letters of each rule without writing them."""
    outcomes = []
    for each, rule in zip(bits, bound, strict=True):
        broken, opened = times(each.broken, height), times(each.open, height)
        neither = times(both(each.broken, each.open), height)
        outcomes.append(
            RuleOutcome(
                rule=rule.rule,
                passed=height - broken - opened + neither,
                failed=broken - neither,
                not_applicable=opened - neither,
                not_evaluated=neither,
            )
        )
    return tuple(outcomes)
