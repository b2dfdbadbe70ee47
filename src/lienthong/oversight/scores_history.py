"""Scores over time, each with the rules and the numbers it was made with (diễn biến điểm).

Two scores compare only where the rule set and the scoring are the same. Where either changed, the line breaks, and at
the break the same observations are scored both ways: nobody's score moves because a rule did without it being seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lienthong.centre.measuring import ScorePoint
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.overview import DatasetScore

TOTAL: Final = "total"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Scores that compare: made with the same rules and the same numbers."""

    rule_set: str
    scoring: str
    points: tuple[ScorePoint, ...]  # oldest first


def points_of(score: DatasetScore) -> tuple[ScorePoint, ...]:
    """Return what is kept of a score: the index and the six words, each with what it was made of."""
    dataset = DatasetId(score.dataset)
    known = any(word.known for word in score.criteria)
    whole = ScorePoint(
        dataset=dataset,
        measured_at=score.measured_at,
        criterion=TOTAL,
        percent=score.total if known else 0.0,
        known=known,
        passed=sum(word.passed for word in score.criteria),
        applicable=sum(word.applicable for word in score.criteria),
        rule_set=score.rule_set,
        scoring=score.scoring,
    )
    words = tuple(
        ScorePoint(
            dataset=dataset,
            measured_at=score.measured_at,
            criterion=word.criterion,
            percent=word.percent if word.known else 0.0,
            known=word.known,
            passed=word.passed,
            applicable=word.applicable,
            rule_set=score.rule_set,
            scoring=score.scoring,
        )
        for word in score.criteria
    )
    return (whole, *words)


def points_at_change(before: DatasetScore, after: DatasetScore) -> tuple[ScorePoint, ...]:
    """Return what is kept when rules or numbers change: the same observations scored the old way and the new."""
    assert before.dataset == after.dataset, "two versions of one dataset's score"
    assert before.measured_at == after.measured_at, "the same observations"
    if (before.rule_set, before.scoring) == (after.rule_set, after.scoring):
        return points_of(after)
    return (*points_of(before), *points_of(after))


def stretches(history: Sequence[ScorePoint], *, criterion: str) -> tuple[Stretch, ...]:
    """Return the history of one word, or of the index, in stretches that compare, oldest first."""
    own = sorted((point for point in history if point.criterion == criterion), key=lambda point: point.measured_at)
    found: dict[tuple[str, str], list[ScorePoint]] = {}
    for point in own:
        found.setdefault((point.rule_set, point.scoring), []).append(point)
    return tuple(
        Stretch(rule_set=rule_set, scoring=scoring, points=tuple(points))
        for (rule_set, scoring), points in sorted(found.items(), key=lambda item: item[1][0].measured_at)
    )
