"""How many records keep all rules of an element, as far as counters of single rules tell (mức tuân thủ).

The centre counts each rule by itself; how failures fall together on records it does not keep. So the share that keeps
all rules lies between two bounds, which meet when only one rule was broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lienthong.centre.reading import RuleCount
from lienthong.check.dqi import WHOLE_PERCENT, rule_percent
from lienthong.check.verdict import RuleSet


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleShare:
    """One rule of an element; ``percent`` is None when nothing was applicable."""

    rule: str
    sentence_vi: str
    severity: str
    failed: int
    not_evaluated: int
    applicable: int
    percent: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Conformance:
    """How the records of a dataset keep the rules of one element; percentages are None when nothing was measured."""

    applicable: int  # records that at least the widest rule looked at
    least_percent: float | None
    most_percent: float | None
    rules: tuple[RuleShare, ...]

    @property
    def known(self) -> bool:
        """Return whether anything was measured."""
        return self.least_percent is not None


def conformance(rule_set: RuleSet, counts: Sequence[RuleCount], *, element: str) -> Conformance:
    """Return how the rules of an element, by its technical name, stand in a dataset.

    What could not be evaluated counts as not kept: unknown never raises a share.
    """
    by_name = {count.rule: count for count in counts}
    rules = tuple(rule for rule in rule_set.rules if rule.element == element)
    shares, applied, broken, records = [], [], [], 0
    for rule in rules:
        count = by_name.get(rule.name)
        passed, failed, unknown = (0, 0, 0) if count is None else (count.passed, count.failed, count.not_evaluated)
        if count is not None:
            records = max(records, passed + failed + unknown + count.not_applicable)
        if passed + failed + unknown:
            applied.append(passed + failed + unknown)
            broken.append(failed + unknown)
        shares.append(
            RuleShare(
                rule=rule.name,
                sentence_vi=rule.sentence.vi,
                severity=rule.severity.value,
                failed=failed,
                not_evaluated=unknown,
                applicable=passed + failed + unknown,
                percent=rule_percent(passed=passed, failed=failed, not_evaluated=unknown),
            )
        )
    if not applied:
        return Conformance(applicable=0, least_percent=None, most_percent=None, rules=tuple(shares))
    fewest, most = max(applied), min(records, sum(applied))
    return Conformance(
        applicable=fewest,
        least_percent=WHOLE_PERCENT * max(0, fewest - sum(broken)) / fewest,
        most_percent=WHOLE_PERCENT * (most - max(broken)) / most,
        rules=tuple(shares),
    )
