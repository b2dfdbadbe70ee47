"""A score as plain values, down to the rules: for programs, for reports, for other tools."""

from __future__ import annotations

from lienthong.oversight.overview import DatasetScore, RuleScore
from lienthong.oversight.scores_warnings import warnings_of


def score_as_json(score: DatasetScore) -> dict[str, object]:
    """Return a score with everything it was made of; failing rows stand on the pages of the rules."""
    return {
        "dataset": score.dataset,
        "title_vi": score.title_vi,
        "measured_at": score.measured_at.isoformat(),
        "records": score.rows,
        "total": score.total,
        "minimum": score.minimum,
        "elements_mean": score.elements_mean,
        "elements_below": score.elements_below,
        "threshold_percent": score.threshold_percent,
        "colour": score.colour,
        "rule_set": score.rule_set,
        "dictionary_version": score.dictionary_version,
        "scoring": score.scoring,
        "words": [
            {
                "word": word.criterion,
                "title_vi": word.title_vi,
                "percent": word.percent,
                "known": word.known,
                "colour": word.colour,
                "severe": word.severe,
                "passed": word.passed,
                "applicable": word.applicable,
                "without_result": word.without_result,
                "rests_on_vi": word.rests_on_vi,
                "rules": [rule_as_json(rule) for rule in word.rules],
            }
            for word in score.criteria
        ],
        "elements": [
            {
                "element": each.element,
                "title_vi": each.title_vi,
                "weight": each.weight,
                "total": each.total,
                "minimum": each.minimum,
                "identifier": each.identifier,
                "severe": each.severe,
                "failed": each.failed,
                "words": {word.criterion: word.percent for word in each.words},
            }
            for each in score.elements
        ],
        "warnings": [
            {"rule": each.rule, "kind": each.kind, "text_vi": each.text.vi, "text_en": each.text.en}
            for each in warnings_of(score)
        ],
    }


def rule_as_json(rule: RuleScore) -> dict[str, object]:
    """Return one rule's part of a score."""
    return {
        "rule": rule.rule,
        "version": rule.version,
        "element": rule.element,
        "severity": rule.severity,
        "sentence_vi": rule.sentence_vi,
        "weight": rule.weight,
        "scored": rule.scored,
        "state": rule.state,
        "passed": rule.passed,
        "failed": rule.failed,
        "not_evaluated": rule.not_evaluated,
        "not_applicable": rule.not_applicable,
        "percent": rule.percent,
        "counted": rule.counted,
        "measurement": rule.measurement,
        "measured_at": None if rule.measured_at is None else rule.measured_at.isoformat(),
    }
