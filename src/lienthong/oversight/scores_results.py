"""What each rule came to, whoever counted it, and whether that still counts (kết quả của từng quy tắc).

Counters of the batches, runs over other records, facts about links and readers, and people who judged a sample: all
become the same four counts, with the moment they were made and a state. A result that is missing or too old counts 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lienthong.centre.measuring import MeasuredRule, measured_kind
from lienthong.centre.reading import RuleCount
from lienthong.check.dqi import Scoring, rule_percent
from lienthong.check.verdict import Criterion, Rule, RuleSet, Severity
from lienthong.dictionary.model import Dictionary, Text
from lienthong.oversight.overview import RuleScore
from lienthong.oversight.sampling import SampleStanding, StandingKind, Tally

MEASURED: Final = "measured"
NOTHING_TO_MEASURE: Final = "nothing-to-measure"
NO_RESULT: Final = "no-result"
STALE: Final = "stale"

BY_SAMPLE: Final = "sample"
SAMPLE_CODE: Final = "SAMPLE"
SAMPLE_SENTENCE: Final = Text(
    vi="Giá trị đúng với giấy tờ, hồ sơ gốc, theo người đánh giá mẫu",
    en="The value is that of the original papers, as judged by people on a sample",
)
_DAY_S: Final = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Everything a score is computed from, as observed."""

    rule_counts: Sequence[RuleCount]
    measured_rules: Sequence[MeasuredRule]
    lag: tuple[int, int] | None  # changes within the promise, changes
    readers: int
    readers_expected: int
    sample: SampleStanding
    idle: bool  # every source answered lately and has nothing new
    counted_at: datetime | None  # last sign of life behind the counters; None: as of the score


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """Four counts, when they were made, and by what."""

    passed: int = 0
    failed: int = 0
    not_applicable: int = 0
    not_evaluated: int = 0
    made_at: datetime | None = None
    measurement: int | None = None
    too_old: bool = False

    @property
    def state(self) -> str:
        """Return whether it is a result, and one in force."""
        if self.passed + self.failed + self.not_evaluated == 0:
            return NOTHING_TO_MEASURE if self.not_applicable else NO_RESULT
        return STALE if self.too_old else MEASURED


def rules_with_sample(rule_set: RuleSet, dictionary: Dictionary, sample: SampleStanding, scoring: Scoring) -> RuleSet:
    """Return the rules with one for each element that people judged, where the rules have none of their own.

    A sample that was never drawn asks nothing, unless scoring requires one.
    """
    if any(rule.over == BY_SAMPLE for rule in rule_set.rules):
        return rule_set
    asked = sample.kind in {StandingKind.MEASURED, StandingKind.STALE, StandingKind.LEFT}
    if not (asked or scoring.sample.required):
        return rule_set
    elements = [dictionary.elements[member.element] for member in rule_set.dataset.members]
    extra = tuple(
        Rule(
            code=SAMPLE_CODE,
            criterion=Criterion.CORRECT,
            severity=Severity.ERROR,
            element=element.technical_name,
            title=SAMPLE_SENTENCE,
            sentence=SAMPLE_SENTENCE,
            when="",
            check="",
            over=BY_SAMPLE,
            weight=scoring.sample.weight,
        )
        for element in elements
    )
    return replace(rule_set, rules=(*rule_set.rules, *extra))


def score_rules(
    rule_set: RuleSet, evidence: Evidence, *, labels: Mapping[str, str], scoring: Scoring, now: datetime
) -> tuple[tuple[Rule, RuleScore], ...]:
    """Return every rule with its part of the score."""
    found = _results(rule_set, evidence, scoring=scoring, now=now)
    return tuple((rule, _rule_score(rule, found[rule.name], labels, scoring, now)) for rule in rule_set.rules)


def _results(rule_set: RuleSet, evidence: Evidence, *, scoring: Scoring, now: datetime) -> Mapping[str, Result]:
    counts = {count.rule: count for count in evidence.rule_counts}
    measured = {each.count.rule: each for each in evidence.measured_rules}
    counted_at = evidence.counted_at or now
    old = _older(counted_at, than_days=scoring.valid_days.counters, now=now)
    results = {}
    for rule in rule_set.rules:
        if rule.over == "lag":
            results[rule.name] = _lag(evidence, now)
        elif rule.over == "readers":
            results[rule.name] = _shared(evidence.readers, evidence.readers_expected, now)
        elif rule.over == BY_SAMPLE:
            results[rule.name] = _sample(rule, evidence.sample)
        elif measured_kind(rule) is not None:
            run = measured.get(rule.name)
            results[rule.name] = Result() if run is None else _run(run, scoring=scoring, now=now)
        elif rule.name in counts:
            results[rule.name] = replace(_counts(counts[rule.name]), made_at=counted_at, too_old=old)
        else:
            results[rule.name] = Result()
    return results


def _counts(count: RuleCount) -> Result:
    return Result(
        passed=count.passed,
        failed=count.failed,
        not_applicable=count.not_applicable,
        not_evaluated=count.not_evaluated,
    )


def _run(run: MeasuredRule, *, scoring: Scoring, now: datetime) -> Result:
    return replace(
        _counts(run.count),
        made_at=run.measured_at,
        measurement=run.measurement,
        too_old=_older(run.measured_at, than_days=scoring.valid_days.measurement, now=now),
    )


def _lag(evidence: Evidence, now: datetime) -> Result:
    if evidence.lag is not None and evidence.lag[1] > 0:
        within, changes = evidence.lag
        return Result(passed=within, failed=changes - within, made_at=now)
    return Result(passed=1, made_at=now) if evidence.idle else Result()


def _shared(readers: int, expected: int, now: datetime) -> Result:
    """Count agencies as a rule counts rows: read or did not; more than expected is no more than all."""
    if expected <= 0:
        return Result()
    reading = min(readers, expected)
    return Result(passed=reading, failed=expected - reading, made_at=now)


def _sample(rule: Rule, sample: SampleStanding) -> Result:
    if sample.kind not in {StandingKind.MEASURED, StandingKind.STALE}:
        return Result()
    tally = sample.records if rule.element is None else sample.elements.get(rule.element, Tally())
    return Result(
        passed=tally.right,
        failed=tally.wrong,
        not_evaluated=tally.undecided,
        made_at=sample.measured_at,
        measurement=max(sample.samples, default=None),
        too_old=sample.kind is StandingKind.STALE,
    )


def _older(moment: datetime, *, than_days: float, now: datetime) -> bool:
    return now - moment > timedelta(days=than_days)


def _rule_score(rule: Rule, result: Result, labels: Mapping[str, str], scoring: Scoring, now: datetime) -> RuleScore:
    state = result.state
    percent = (
        rule_percent(passed=result.passed, failed=result.failed, not_evaluated=result.not_evaluated)
        if state == MEASURED
        else None
    )
    counted = percent if state in {MEASURED, NOTHING_TO_MEASURE} else 0.0
    return RuleScore(
        rule=rule.name,
        code=rule.code,
        element=rule.element,
        element_vi=None if rule.element is None else labels.get(rule.element, rule.element),
        sentence_vi=rule.sentence.vi,
        severity=rule.severity.value,
        weight=rule.weight * scoring.rules.get(rule.code, 1.0),
        passed=result.passed,
        applicable=result.passed + result.failed + result.not_evaluated,
        failed=result.failed,
        not_evaluated=result.not_evaluated,
        percent=percent,
        basis=rule.basis,
        not_applicable=result.not_applicable,
        state=state,
        counted=counted if rule.scored else None,
        scored=rule.scored,
        over=rule.over,
        version=rule.version,
        measurement=result.measurement,
        measured_at=result.made_at,
        age_days=None if result.made_at is None else max(0.0, (now - result.made_at).total_seconds() / _DAY_S),
    )
