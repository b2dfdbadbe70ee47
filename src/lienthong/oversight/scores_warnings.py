"""Rules that the numbers of a score show to say nothing, for their owners to look at (cảnh báo về quy tắc)."""

from __future__ import annotations

from lienthong.check.rule_faults import RuleWarning, rule_warnings
from lienthong.oversight.overview import DatasetScore
from lienthong.oversight.scores_results import BY_SAMPLE, STALE

_NOT_OF_ROWS = frozenset({"lag", "readers", BY_SAMPLE})  # these count changes, agencies and people's judgements


def warnings_of(score: DatasetScore) -> tuple[RuleWarning, ...]:
    """Return the rules that concern no record, fail every one, or could judge none; the score stays as it is."""
    return rule_warnings(
        {
            rule.rule: rule
            for word in score.criteria
            for rule in word.rules
            if rule.over not in _NOT_OF_ROWS and rule.state != STALE
        }
    )
