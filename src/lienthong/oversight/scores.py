"""The six words of a dataset, computed from what was counted and never from what somebody declared.

Vietnamese: đánh giá "đúng, đủ, sạch, sống, thống nhất, dùng chung". Unknown counts as zero and is shown as unknown;
each word says what its figure rests on; the lowest word stands beside the mean, which would hide it. Every number
carries its numerator, denominator, rule version and measurement, down to the rows behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from lienthong.centre.measuring import MeasuredRule
from lienthong.centre.reading import RuleCount
from lienthong.check.dqi import RED, UNKNOWN, WHOLE_PERCENT, Scoring, shipped_scoring, weighted_mean
from lienthong.check.verdict import Criterion, Rule, RuleSet
from lienthong.dictionary.model import Dictionary
from lienthong.oversight.overview import CriterionScore, DatasetScore, ElementScore, ElementWord, RuleScore
from lienthong.oversight.sampling import SampleStanding, StandingKind
from lienthong.oversight.scores_results import (
    BY_SAMPLE,
    MEASURED,
    NO_RESULT,
    STALE,
    Evidence,
    rules_with_sample,
    score_rules,
)
from lienthong.oversight.scores_words import TITLES, rests_on

RECORD_VI: Final = "Bản ghi và cả bộ dữ liệu"

_OF_IDENTIFIERS: Final = frozenset({Criterion.CORRECT, Criterion.COMPLETE, Criterion.CLEAN})
_NO_SAMPLE: Final = SampleStanding(kind=StandingKind.NONE)
_Scored = Sequence[tuple[Rule, RuleScore]]


def score_dataset(
    *,
    dictionary: Dictionary,
    rule_set: RuleSet,
    rule_counts: Sequence[RuleCount],
    lag: tuple[int, int] | None,
    readers: int,
    readers_expected: int,
    measured_at: datetime,
    idle: bool = False,
    scoring: Scoring | None = None,
    measured_rules: Sequence[MeasuredRule] = (),
    sample: SampleStanding = _NO_SAMPLE,
    counted_at: datetime | None = None,
) -> DatasetScore:
    """Score a dataset by the six words.

    ``lag`` is (changes visible within the promise, changes) of the period, None when it was not measured. ``readers``
    are the distinct agencies that read in the period, ``readers_expected`` those that hold a grant; shared =
    readers ÷ expected, at most 100 %: nobody reading is a measured zero, nobody with a grant is unknown. ``idle``
    says that every source of the dataset answered lately and has nothing new: without changes to measure, that is
    live. ``measured_rules`` are the rules that look at other records, ``sample`` what people found, ``counted_at``
    the last sign of life behind the counters. Without ``scoring`` the numbers of the product apply.
    """
    by = shipped_scoring() if scoring is None else scoring
    evidence = Evidence(
        rule_counts=rule_counts,
        measured_rules=measured_rules,
        lag=lag,
        readers=readers,
        readers_expected=readers_expected,
        sample=sample,
        idle=idle,
        counted_at=counted_at,
    )
    labels = {element.technical_name: element.label.vi for element in dictionary.elements.values()}
    identifiers = {element.technical_name for element in dictionary.elements.values() if element.identifier}
    rules = score_rules(
        rules_with_sample(rule_set, dictionary, sample, by), evidence, labels=labels, scoring=by, now=measured_at
    )
    criteria = tuple(
        _criterion(criterion, rules, by, identifiers=identifiers, evidence=evidence) for criterion in Criterion
    )
    elements = _elements(rules, by, labels=labels, identifiers=identifiers)
    total = weighted_mean((by.weights[Criterion(score.criterion)], score.percent) for score in criteria)
    assert total is not None, "scoring has weights"
    severe = any(score.severe for score in criteria)
    known = any(score.known for score in criteria)
    return DatasetScore(
        dataset=rule_set.dataset.identity.id,
        title_vi=rule_set.dataset.label.vi,
        measured_at=measured_at,
        rows=max((_rows(count) for count in rule_counts), default=0),
        criteria=criteria,
        total=total,
        minimum=min(score.percent for score in criteria),
        colour=UNKNOWN if not known else RED if severe else by.colour(total),
        elements=elements,
        elements_below=sum(each.total < by.green_from_percent for each in elements),
        elements_mean=weighted_mean((each.weight, each.total) for each in elements),
        threshold_percent=by.green_from_percent,
        rule_set=rule_set.digest,
        dictionary_version=dictionary.version,
        scoring=by.digest,
    )


def _rows(count: RuleCount) -> int:
    return count.passed + count.failed + count.not_applicable + count.not_evaluated


def _word(rules: Sequence[RuleScore]) -> float | None:
    """Return a word of one element; None when none of its rules takes part."""
    return weighted_mean((rule.weight, rule.counted) for rule in rules if rule.counted is not None)


def _of(rules: _Scored, criterion: Criterion) -> _Scored:
    return [(rule, score) for rule, score in rules if rule.criterion is criterion]


def _by_element(rules: _Scored) -> Mapping[str | None, list[tuple[Rule, RuleScore]]]:
    found: dict[str | None, list[tuple[Rule, RuleScore]]] = {}
    for rule, score in rules:
        found.setdefault(rule.element, []).append((rule, score))
    return found


def _is_severe(rules: _Scored, scoring: Scoring, identifiers: set[str]) -> bool:
    """Return whether an identifier is not proven to be as good as identifiers must be.

    A result that is missing or too old is no proof: otherwise losing a bad result would take the alarm away.
    """
    for rule, score in rules:
        if rule.criterion not in _OF_IDENTIFIERS or score.counted is None:
            continue
        if rule.over == BY_SAMPLE:
            if rule.element in identifiers and score.failed:
                return True
        elif rule.identifier and score.counted < scoring.identifier_percent:
            return True
    return False


def _criterion(
    criterion: Criterion, rules: _Scored, scoring: Scoring, *, identifiers: set[str], evidence: Evidence
) -> CriterionScore:
    own = _of(rules, criterion)
    scored = [score for _, score in own if score.scored]
    measured = [score for score in scored if score.state == MEASURED]
    mean = weighted_mean(
        (scoring.elements.of(element, identifier=element in identifiers), word)
        for element, held in _by_element(own).items()
        if (word := _word([score for _, score in held])) is not None
    )
    known = bool(measured) and mean is not None
    severe = _is_severe(own, scoring, identifiers)
    percent = mean if known and mean is not None else 0.0
    return CriterionScore(
        criterion=criterion.value,
        title_vi=TITLES[criterion],
        percent=min(percent, WHOLE_PERCENT),
        known=known,
        colour=UNKNOWN if not known else RED if severe else scoring.colour(percent),
        rests_on_vi=rests_on(
            criterion,
            [score for _, score in own],
            known=known,
            quiet=evidence.idle and (evidence.lag is None or evidence.lag[1] == 0),
            severe=severe,
            sample=evidence.sample,
            scoring=scoring,
        ),
        rules=tuple(score for _, score in own),
        severe=severe,
        passed=sum(score.passed for score in measured),
        applicable=sum(score.applicable for score in measured),
        without_result=sum(score.state in {NO_RESULT, STALE} for score in scored),
    )


def _elements(
    rules: _Scored, scoring: Scoring, *, labels: Mapping[str, str], identifiers: set[str]
) -> tuple[ElementScore, ...]:
    """Return every element that some scored rule concerns, the worst first."""
    found = []
    for element, held in _by_element(rules).items():
        words = tuple(
            word for criterion in Criterion if (word := _element_word(criterion, held, scoring)) is not None
        )
        total = weighted_mean((scoring.weights[Criterion(word.criterion)], word.percent) for word in words)
        if total is None:
            continue
        identifier = element in identifiers
        severe = _is_severe(held, scoring, identifiers)
        known = any(word.known for word in words)
        found.append(
            ElementScore(
                element=element,
                title_vi=RECORD_VI if element is None else labels.get(element, element),
                identifier=identifier,
                weight=scoring.elements.of(element, identifier=identifier),
                words=words,
                total=total,
                minimum=min(word.percent for word in words),
                colour=UNKNOWN if not known else RED if severe else scoring.colour(total),
                severe=severe,
                failed=sum(score.failed for _, score in held if score.scored),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.total, each.minimum, each.title_vi)))


def _element_word(criterion: Criterion, held: _Scored, scoring: Scoring) -> ElementWord | None:
    own = [score for _, score in _of(held, criterion)]
    percent = _word(own)
    if percent is None:
        return None
    measured = [score for score in own if score.scored and score.state == MEASURED]
    return ElementWord(
        criterion=criterion.value,
        title_vi=TITLES[criterion],
        percent=percent,
        known=bool(measured),
        colour=scoring.colour(percent) if measured else UNKNOWN,
        passed=sum(score.passed for score in measured),
        applicable=sum(score.applicable for score in measured),
    )
