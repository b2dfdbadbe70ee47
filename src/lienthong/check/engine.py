"""Judge a batch: one pass of columnar expressions, four outcomes for each rule and row.

Two bits say what became of a rule on a row: *broken* (it failed, or could not be evaluated) and *open* (it does not
apply, or could not be evaluated). Bits are counted and looked for in bulk; letters are written where somebody reads
them. A rule that cannot be run gives the fourth outcome on its own bits. It never costs the batch, and it never looks
like bad data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from lienthong.check.columns import TEXT, fact_columns
from lienthong.check.facts import Fact, plan_facts, row_columns
from lienthong.check.language_fast import Rewriter
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

# Polars raises its own errors for what it refuses and a panic for its own faults; neither may cost a batch.
_ENGINE_ERRORS: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)

_RULES_PER_WORD: Final = 32  # two bits each
_YES, _NO = pl.lit(value=True), pl.lit(value=False)

# By the two bits (broken, open).
_LETTERS: Final = {0: Letter.PASS, 1: Letter.FAIL, 2: Letter.NOT_APPLICABLE, 3: Letter.NOT_EVALUATED}


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
        rewriter = Rewriter()
        for each in bound:
            _bits(each, rewriter)  # what one rule works out, the rules before it may use too
        self._bits = [_bits(each, rewriter) for each in bound]
        self._prepared = rewriter.prepared()
        read = {name for each in bound for name in each.reads}
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
        bits, _ = _evaluated(self._ready(frame), self._bits)
        cancelled = records.envelope["_event"] == Event.CANCEL
        alive = pl.Series("alive", ~cancelled)
        nothing = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        judgement = _written(bits, len(bound), height=frame.height).zip_with(alive, nothing)
        blocking = [place for place, each in enumerate(bound) if each.rule.severity is Severity.BLOCKING]
        held = _any(bits, blocking, height=frame.height)
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
        bits, broken = _evaluated(self._ready(rows), self._bits)
        for place, marks in (shared or {}).items():
            bits = bits.with_columns(marks.alias(_broken_name(place)))
        bound = self.program.bound
        suspect = _any(bits, range(len(bound)), height=rows.height)
        written = bits if every or not bound else bits.filter(suspect)
        return Examination(
            outcomes=_counted(bits, bound, height=rows.height),
            suspect=suspect,
            judgement=_written(written, len(bound), height=rows.height).alias(JUDGEMENT),
            broken=broken,
        )

    def _ready(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with everything the expressions read."""
        return self._prepared.add(_with_facts(frame, self._facts))

    def _findings(
        self,
        frame: pl.DataFrame,
        bits: pl.DataFrame,
        alive: pl.Series,
        *,
        records: RecordBatch,
        texts: pl.DataFrame | None,
    ) -> pl.DataFrame:
        """Return a line per broken rule and row, in order of rows and then of rules; only these rows are touched."""
        marks: dict[int, pl.Series] = {}
        bound = self.program.bound
        broken = bits.select(pl.col(_broken_name(place)).any() for place in range(len(bound))).row(0) if bound else ()
        for place, any_broken in enumerate(broken):
            if any_broken:
                failed = bits[_broken_name(place)]
                if Letter.NOT_EVALUATED not in FINDS[bound[place].rule.severity]:
                    failed = failed & ~bits[_open_name(place)]
                at = (failed & alive).arg_true()
                if at.len():
                    marks[place] = at
        if not marks:
            return pl.DataFrame(schema=dict(FINDING_SCHEMA))
        if texts is not None:
            frame = frame.hstack([each.alias(each.name + TEXT) for each in texts if each.name in frame.columns])
        findings = spell(frame, marks, bound)
        names = pl.Series([each.rule.name for each in bound])
        return findings.select(
            "row",
            records.envelope["_record_id"].gather(findings["row"]).alias("record_id"),
            names.gather(findings["place"]).alias("rule"),
            "observed",
        )


def _bits(bound: BoundRule, rewriter: Rewriter) -> tuple[pl.Expr, pl.Expr]:
    """Return (broken, open); where ``when`` is false or unknown the rule does not apply."""
    if bound.key:
        # Presume that nobody else has the value.
        return _NO, pl.any_horizontal(pl.col(name).is_null() for name in bound.key)
    if bound.when is None or bound.check is None:
        return _NO, _YES
    check = rewriter.rewritten(bound.check)
    fails, unknown = check.fill_null(value=False).not_(), check.is_null()
    if bound.when.text == "TRUE":
        return fails, unknown
    applies = rewriter.rewritten(bound.when).fill_null(value=False)
    return applies & fails, applies.not_() | unknown


def _broken_name(place: int) -> str:
    return f"b{place}"


def _open_name(place: int) -> str:
    return f"o{place}"


def _with_facts(frame: pl.DataFrame, facts: tuple[Fact, ...]) -> pl.DataFrame:
    made = []
    for fact in facts:
        try:
            made.append(fact.make(frame))
        except _ENGINE_ERRORS:
            continue  # the rules that read these columns get the fourth outcome
    return pl.concat([frame, *made], how="horizontal") if made else frame


def _evaluated(
    frame: pl.DataFrame, bits: Sequence[tuple[pl.Expr, pl.Expr]]
) -> tuple[pl.DataFrame, Mapping[int, str]]:
    """Return the two bits of each rule as columns, and the rules that could not be run."""
    named = [
        (broken.alias(_broken_name(place)), opened.alias(_open_name(place)))
        for place, (broken, opened) in enumerate(bits)
    ]
    if not named:
        return pl.DataFrame(), {}
    try:
        return _at_once(frame, [each for pair in named for each in pair]), {}
    except _ENGINE_ERRORS:
        alone = [_alone(frame, pair) for pair in named]
        refused = {place: why for place, (_, why) in enumerate(alone) if why is not None}
        return pl.concat([part for part, _ in alone], how="horizontal"), refused


def _at_once(frame: pl.DataFrame, bits: Sequence[pl.Expr]) -> pl.DataFrame:
    # With columns of the frame as the base, a literal gets as many rows as there are.
    names = [each.meta.output_name() for each in bits]
    return frame.lazy().with_columns(bits).select(names).collect(engine="in-memory")


def _alone(frame: pl.DataFrame, pair: tuple[pl.Expr, pl.Expr]) -> tuple[pl.DataFrame, str | None]:
    try:
        return _at_once(frame, pair), None
    except _ENGINE_ERRORS as error:
        both = pl.repeat(value=True, n=frame.height, eager=True)
        return pl.DataFrame({each.meta.output_name(): both for each in pair}), type(error).__name__


def _counted(bits: pl.DataFrame, bound: Sequence[BoundRule], *, height: int) -> tuple[RuleOutcome, ...]:
    """Count the letters of each rule without writing them."""
    if not bound:
        return ()
    counts = bits.select(
        pl.concat_list(
            pl.col(_broken_name(place)).sum(),
            pl.col(_open_name(place)).sum(),
            (pl.col(_broken_name(place)) & pl.col(_open_name(place))).sum(),
        ).alias(str(place))
        for place in range(len(bound))
    ).row(0)
    return tuple(
        RuleOutcome(
            rule=each.rule,
            passed=height - broken - opened + both,
            failed=broken - both,
            not_applicable=opened - both,
            not_evaluated=both,
        )
        for each, (broken, opened, both) in zip(bound, counts, strict=True)
    )


def _any(bits: pl.DataFrame, places: Collection[int], *, height: int) -> pl.Series:
    """Say in which rows any of these rules is broken or could not be evaluated."""
    if not places:
        return pl.repeat(value=False, n=height, eager=True)
    return bits.select(pl.any_horizontal(_broken_name(place) for place in places).alias("any")).to_series()


def _words(bits: pl.DataFrame, rules: int) -> pl.DataFrame:
    """Return the bits of all rules as whole numbers, thirty-two rules to one."""
    words = []
    for first in range(0, rules, _RULES_PER_WORD):
        parts = [
            pl.col(name).cast(pl.UInt64) * (1 << (2 * (place - first) + shift))
            for place in range(first, min(first + _RULES_PER_WORD, rules))
            for shift, name in enumerate((_broken_name(place), _open_name(place)))
        ]
        words.append(pl.sum_horizontal(parts).alias(f"w{first}"))
    return bits.select(words)


def _written(bits: pl.DataFrame, rules: int, *, height: int) -> pl.Series:
    """Return the letters of each row; each judgement that occurs is written once."""
    if not rules:
        return pl.repeat("", height, dtype=pl.String, eager=True)
    words = _words(bits, rules)
    distinct = words.unique()
    texts = [_spelled(row, rules) for row in distinct.iter_rows()]
    known = distinct.with_columns(pl.Series("text", texts, dtype=pl.String))
    return words.join(known, on=words.columns, how="left", maintain_order="left")["text"]


def _spelled(words: tuple[int, ...], rules: int) -> str:
    return "".join(
        _LETTERS[words[place // _RULES_PER_WORD] >> (2 * (place % _RULES_PER_WORD)) & 3] for place in range(rules)
    )
