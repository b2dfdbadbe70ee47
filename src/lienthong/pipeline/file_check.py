"""What a check of a file found, how it went, the six words and a masked sample (kết quả kiểm tra tệp)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from lienthong.centre.measuring import ResultState, RunState
from lienthong.centre.reading import RuleCount
from lienthong.check.columns import OUTCOME
from lienthong.check.engines import Judged
from lienthong.check.examined import examined_rows
from lienthong.check.program import UNIQUE, RuleOutcome, RuleProgram
from lienthong.check.verdict import Severity
from lienthong.errors import Actor, LienthongError
from lienthong.oversight.overview import DatasetScore
from lienthong.oversight.scores import score_dataset
from lienthong.pipeline.file_run import (
    FILE_EPOCH,
    FILE_SOURCE,
    FILE_TABLE,
    REASONS,
    ROW,
    FileWay,
    envelope_of,
    noon,
    to_records,
)
from lienthong.sources.file_block import FileBlock
from lienthong.standardise.batch import RecordBatch
from lienthong.standardise.plan import schema_of

SAMPLE_OF_RULE: Final = 3  # findings of one rule that are shown
SAMPLE_MAX: Final = 30

RULE_FACTS: Final = ("rule", "criterion", "severity", "sentence")
FINDING_COLUMNS: Final = ("row", "rule", "criterion", "severity", "element", "observed", "sentence")

_OF_A_FILE: Final = frozenset({None, UNIQUE, "lag", "readers"})
_ORDER: Final = (Severity.BLOCKING, Severity.ERROR, Severity.WARNING)


class StandardFileUnfit(LienthongError, code="CHK-043", actor=Actor.OPERATOR):
    """A file that ``lienthong standardise`` wrote cannot be checked as it stands."""

    message = "standardised file {path} cannot be checked as it stands: {reason}"
    hint = (
        "check the file it was made from, or standardise that again with lienthong standardise and check the result"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """The account of one check; how the run went and what it found are two facts."""

    file: str
    dataset: str
    dictionary_version: str
    dictionary_digest: str
    on: date
    engine: str
    rows: int  # examined
    unreadable: int  # rows that could not be taken apart; no rule can judge them
    blank: int
    faulty: int  # rows with a finding that is more than a warning
    held: int  # rows that would be quarantined
    outcomes: tuple[RuleOutcome, ...]
    broken: Mapping[str, str]
    score: DatasetScore
    sample: pl.DataFrame  # FINDING_COLUMNS, masked
    findings: int
    run_state: RunState = RunState.COMPLETED

    @property
    def result_state(self) -> ResultState:
        """Return what was found; a rule that could not run is no pass."""
        if self.findings or self.unreadable:
            return ResultState.FOUND
        return ResultState.PARTIAL if self.broken else ResultState.PASSED

    def found_from(self, severity: Severity) -> int:
        """Return the number of findings of this severity or a worse one; an unreadable row is as bad as can be."""
        counted = _ORDER[: _ORDER.index(severity) + 1]
        return self.unreadable + sum(findings_of(each) for each in self.outcomes if each.rule.severity in counted)

    @property
    def lowest_percent(self) -> float | None:
        """Return the lowest of the words that a file can tell; None when it tells none."""
        return min((each.percent for each in self.score.criteria if each.known), default=None)

    def as_json(self) -> dict[str, Any]:
        """Return the account as plain values."""
        return {
            "file": self.file,
            "dataset": self.dataset,
            "dictionary": {"version": self.dictionary_version, "digest": self.dictionary_digest},
            "rules_digest": self.score.rule_set,
            "on": self.on.isoformat(),
            "engine": self.engine,
            "run": self.run_state.value,
            "result": self.result_state.value,
            "rows": {
                "examined": self.rows,
                "unreadable": self.unreadable,
                "blank_left_out": self.blank,
                "faulty": self.faulty,
                "held_back": self.held,
            },
            "findings": self.findings,
            "words": {
                each.criterion: {
                    "percent": each.percent if each.known else None,
                    "colour": each.colour,
                    "rests_on": each.rests_on_vi,
                }
                for each in self.score.criteria
            },
            "rules": [
                {
                    "rule": each.rule.name,
                    "criterion": each.rule.criterion.value,
                    "severity": each.rule.severity.value,
                    "sentence": each.rule.sentence.vi,
                    "tested": tested(each),
                    "passed": each.passed,
                    "failed": each.failed,
                    "not_applicable": each.not_applicable,
                    "not_evaluated": each.not_evaluated,
                    "could_not_run": self.broken.get(each.rule.name),
                }
                for each in self.outcomes
            ],
            "sample": self.sample.to_dicts(),
        }


def tested(outcome: RuleOutcome) -> int:
    """Return to how many rows the rule applied."""
    return outcome.passed + outcome.failed + outcome.not_evaluated


def findings_of(outcome: RuleOutcome) -> int:
    """Return how many findings the rule gave; a blocking rule that could not judge holds back too."""
    return outcome.failed + (outcome.not_evaluated if outcome.rule.severity is Severity.BLOCKING else 0)


def examine_block(block: FileBlock, way: FileWay) -> pl.DataFrame:
    """Return the rows of a block in the columns that every engine examines; a record's id is its line."""
    records, standardised, texts = to_records(block.rows, block.lines, block.damaged, way)
    return examined_rows(records, way.checker.program, oversized=standardised.oversized, texts=texts)


def must_fit(path: Path, columns: Mapping[str, pl.DataType], program: RuleProgram, *, made_with: str) -> None:
    """Refuse a standardised file whose columns are not those of the present dictionary.

    Raises:
        StandardFileUnfit: it was standardised otherwise, or holds the rows that were held back.
    """
    if REASONS in columns:
        raise StandardFileUnfit(path=path, reason="it has the rows that were held back, each with its reasons")
    values = schema_of(program.dictionary, program.rules.dataset)
    wanted = {**values, **{name + OUTCOME: pl.Int8() for name in values}, ROW: pl.Int64()}
    wrong = sorted(name for name, dtype in wanted.items() if columns.get(name) != dtype)
    if wrong:
        told = f"it was standardised with dictionary {made_with}, which has other columns: {', '.join(wrong)}"
        raise StandardFileUnfit(path=path, reason=told)


def examine_standard(rows: pl.DataFrame, program: RuleProgram, *, on: date) -> pl.DataFrame:
    """Return standardised rows, as they stand, in the columns that every engine examines.

    What was damaged or over the size limit has been held back, so nothing of it is here; the texts of the source are
    not either.
    """
    values = schema_of(program.dictionary, program.rules.dataset)
    nothing = pl.repeat(None, rows.height, dtype=pl.List(pl.String), eager=True)
    records = RecordBatch(
        dataset=program.rules.dataset,
        source=FILE_SOURCE,
        epoch=FILE_EPOCH,
        table=FILE_TABLE,
        values=rows.select(list(values)),
        outcomes=rows.select(pl.col(name + OUTCOME).cast(pl.UInt8).alias(name) for name in values),
        envelope=envelope_of(rows[ROW], nothing, noon(on)),
    )
    return examined_rows(records, program)


def spelled_out(findings: pl.DataFrame, program: RuleProgram) -> pl.DataFrame:
    """Return findings in ``FINDING_COLUMNS``, with what the rule says."""
    facts = pl.DataFrame(
        [
            (each.rule.name, each.rule.criterion.value, each.rule.severity.value, each.rule.sentence.vi)
            for each in program.bound
        ],
        schema=dict.fromkeys(RULE_FACTS, pl.String),
        orient="row",
    )
    named = findings.with_columns(pl.col("record_id").cast(pl.Int64).alias("row"))
    return named.join(facts, on="rule", how="left", maintain_order="left").select(FINDING_COLUMNS)


def sampled(sample: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Keep the first findings of each rule by row, whatever the order in which an engine tells them."""
    both = pl.concat([sample, more]).sort("rule", "row")
    return both.filter(pl.int_range(pl.len()).over("rule") < SAMPLE_OF_RULE)


def report(
    *,
    file: str,
    program: RuleProgram,
    judged: Judged,
    sample: pl.DataFrame,
    on: date,
    measured_at: datetime,
    unreadable: int,
    blank: int,
) -> CheckReport:
    """Put together the account of a check that came to its end."""
    outcomes = judged.outcomes
    score = score_dataset(
        dictionary=program.dictionary,
        # Rules about other datasets have no place in the score of a file: they would count as not passed.
        rule_set=replace(program.rules, rules=tuple(rule for rule in program.rules.rules if rule.over in _OF_A_FILE)),
        rule_counts=[
            RuleCount(
                rule=each.rule.name,
                passed=each.passed,
                failed=each.failed,
                not_applicable=each.not_applicable,
                not_evaluated=each.not_evaluated,
            )
            for each in outcomes
            if each.rule.over in {None, UNIQUE}  # what the letters of a judgement can tell
        ],
        lag=None,
        readers=0,
        readers_expected=0,
        measured_at=measured_at,
    )
    return CheckReport(
        file=file,
        dataset=program.rules.dataset.identity.id,
        dictionary_version=program.dictionary.version,
        dictionary_digest=program.dictionary.digest,
        on=on,
        engine=judged.engine,
        rows=judged.rows,
        unreadable=unreadable,
        blank=blank,
        faulty=program.rows_with(judged.suspects, Severity.BLOCKING, Severity.ERROR),
        held=program.rows_with(judged.suspects, Severity.BLOCKING),
        outcomes=outcomes,
        broken=judged.broken,
        score=score,
        sample=sample.head(SAMPLE_MAX),
        findings=sum(findings_of(each) for each in outcomes),
    )
