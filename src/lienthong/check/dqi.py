"""The arithmetic of the data quality index (chỉ số chất lượng dữ liệu, DQI).

rule % = passed ÷ applicable · criterion = Σ(weight × rule %) ÷ Σ weight · index = the same over the six words.
What could not be evaluated counts as not passed; what could not be measured counts as zero and is shown as unknown.
The numbers it turns on are data (``dictionary/plan/scoring.yaml``), not law.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from lienthong.check.verdict import Criterion
from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import Actor, LienthongError

SCORING_BYTES_MAX: Final = 100_000
WHOLE_PERCENT: Final = 100.0

GREEN: Final = "green"
YELLOW: Final = "yellow"
RED: Final = "red"
UNKNOWN: Final = "unknown"


class ScoringNotValid(LienthongError, code="CHK-004", actor=Actor.STEWARD):
    """The file of weights and thresholds cannot be used."""

    message = "scoring file {path} cannot be used: {reason}"
    hint = "give weights from 0 for the six words, not all 0, and 0 <= yellow < green <= 100; or restore the file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """Weights of the six words and the colours of percentages (ngưỡng đánh giá)."""

    weights: Mapping[Criterion, float]
    green_from_percent: float
    yellow_from_percent: float
    identifier_percent: float  # asked of identifiers; less is a severe incident

    def colour(self, percent: float) -> str:
        """Return the colour of a measured percentage."""
        if percent >= self.green_from_percent:
            return GREEN
        return YELLOW if percent >= self.yellow_from_percent else RED


def rule_percent(*, passed: int, failed: int, not_evaluated: int) -> float | None:
    """Return how much of what the rule applied to passed; None when it applied to nothing."""
    applicable = passed + failed + not_evaluated
    return None if applicable == 0 else WHOLE_PERCENT * passed / applicable


def weighted_mean(parts: Iterable[tuple[float, float]]) -> float | None:
    """Return the mean of (weight, percent); None when nothing weighs anything."""
    taken = [(weight, percent) for weight, percent in parts if weight > 0]
    weights = sum(weight for weight, _ in taken)
    return None if not taken else sum(weight * percent for weight, percent in taken) / weights


def load_scoring(path: Path) -> Scoring:
    """Read weights and thresholds.

    Raises:
        ScoringNotValid: the file is missing, not YAML, or its numbers cannot be scored with.
    """
    try:
        if path.stat().st_size > SCORING_BYTES_MAX:
            raise ScoringNotValid(path=path, reason=f"larger than {SCORING_BYTES_MAX} bytes")
        content = yaml.safe_load(path.read_bytes())
    except OSError as cause:
        raise ScoringNotValid(path=path, reason=cause.strerror or "cannot be read") from cause
    except (yaml.YAMLError, UnicodeDecodeError) as cause:
        raise ScoringNotValid(path=path, reason="not YAML") from cause
    if not isinstance(content, dict) or not isinstance(content.get("weights"), dict):
        raise ScoringNotValid(path=path, reason="weights are missing")
    return _scoring(path, content)


@functools.cache
def shipped_scoring() -> Scoring:
    """Return the weights and thresholds that travel with the product."""
    return load_scoring(shipped_folder("dictionary") / "plan" / "scoring.yaml")


def _scoring(path: Path, content: dict[str, Any]) -> Scoring:
    weights = content["weights"]
    if set(weights) != {criterion.value for criterion in Criterion}:
        raise ScoringNotValid(path=path, reason="weights must name the six words and nothing else")
    scoring = Scoring(
        weights=MappingProxyType(
            {criterion: _number(path, weights[criterion.value], criterion.value) for criterion in Criterion}
        ),
        green_from_percent=_number(path, content.get("green_from_percent"), "green_from_percent"),
        yellow_from_percent=_number(path, content.get("yellow_from_percent"), "yellow_from_percent"),
        identifier_percent=_number(path, content.get("identifier_percent"), "identifier_percent"),
    )
    if sum(scoring.weights.values()) == 0:
        raise ScoringNotValid(path=path, reason="all weights are 0")
    if not scoring.yellow_from_percent < scoring.green_from_percent <= WHOLE_PERCENT:
        raise ScoringNotValid(path=path, reason="thresholds are out of order")
    if scoring.identifier_percent > WHOLE_PERCENT:
        raise ScoringNotValid(path=path, reason="identifier_percent is over 100")
    return scoring


def _number(path: Path, value: object, name: str) -> float:
    # YAML's true is an int to Python, and .inf or .nan would poison every mean.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ScoringNotValid(path=path, reason=f"{name} is not a number from 0")
    return float(value)
