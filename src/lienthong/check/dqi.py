"""The arithmetic of the data quality index (chỉ số chất lượng dữ liệu, DQI).

Four levels, each a weighted mean of the one below: rule % = passed ÷ applicable → a word of an element → the word of
the database → the index over the six words. What could not be evaluated counts as not passed; what could not be
measured counts as zero and is shown as unknown. The numbers it turns on are data (``dictionary/plan/scoring.yaml``),
not law.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from lienthong.check.verdict import Criterion
from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import Actor, LienthongError

SCORING_BYTES_MAX: Final = 100_000
WHOLE_PERCENT: Final = 100.0
CONFIDENCE_95: Final = 1.959963984540054  # the normal quantile that leaves 2.5 % on either side
DAYS_MAX: Final = 36_500

GREEN: Final = "green"
YELLOW: Final = "yellow"
RED: Final = "red"
UNKNOWN: Final = "unknown"


class ScoringNotValid(LienthongError, code="CHK-004", actor=Actor.STEWARD):
    """The file of weights and thresholds cannot be used."""

    message = "scoring file {path} cannot be used: {reason}"
    hint = "give weights from 0 for the six words, not all 0, and 0 <= yellow < green <= 100; or restore the file"


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementWeights:
    """How much an element counts in a word of the database (trọng số của trường)."""

    default: float = 1.0
    identifier: float = 1.0
    record: float = 1.0  # rules about a record as a whole, or about the database
    named: Mapping[str, float] = field(default_factory=dict)  # by technical name

    def of(self, element: str | None, *, identifier: bool) -> float:
        """Return the weight of an element, or of the record as a whole."""
        if element is None:
            return self.record
        return self.named.get(element, self.identifier if identifier else self.default)


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidDays:
    """For how many days a result counts after it was made (thời hạn của kết quả đo)."""

    counters: float = 31
    measurement: float = 31
    sample: float = 92


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleScoring:
    """How human judgement of a sample counts (đánh giá mẫu)."""

    weight: float = 1.0
    records_min: int = 30
    judge_within_days: float = 31
    required: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """Weights of every level, the colours of percentages, and for how long a result counts (ngưỡng đánh giá)."""

    weights: Mapping[Criterion, float]
    green_from_percent: float
    yellow_from_percent: float
    identifier_percent: float  # asked of identifiers; less is a severe incident
    elements: ElementWeights = field(default_factory=ElementWeights)
    rules: Mapping[str, float] = field(default_factory=dict)  # by rule code
    valid_days: ValidDays = field(default_factory=ValidDays)
    sample: SampleScoring = field(default_factory=SampleScoring)
    document: str | None = None
    trust: str | None = None
    note: str | None = None

    def colour(self, percent: float) -> str:
        """Return the colour of a measured percentage."""
        if percent >= self.green_from_percent:
            return GREEN
        return YELLOW if percent >= self.yellow_from_percent else RED

    def as_json(self) -> dict[str, Any]:
        """Return every number, for publication."""
        return {
            "weights": {criterion.value: weight for criterion, weight in self.weights.items()},
            "elements": {
                "default": self.elements.default,
                "identifier": self.elements.identifier,
                "record": self.elements.record,
                "named": dict(self.elements.named),
            },
            "rules": dict(self.rules),
            "green_from_percent": self.green_from_percent,
            "yellow_from_percent": self.yellow_from_percent,
            "identifier_percent": self.identifier_percent,
            "valid_days": {
                "counters": self.valid_days.counters,
                "measurement": self.valid_days.measurement,
                "sample": self.valid_days.sample,
            },
            "sample": {
                "weight": self.sample.weight,
                "records_min": self.sample.records_min,
                "judge_within_days": self.sample.judge_within_days,
                "required": self.sample.required,
            },
            "source": {"document": self.document, "trust": self.trust, "note": self.note},
        }

    @property
    def digest(self) -> str:
        """Return a fingerprint of every number: two scores compare only where it is the same."""
        numbers = self.as_json()
        del numbers["source"]
        return hashlib.sha256(json.dumps(numbers, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def rule_percent(*, passed: int, failed: int, not_evaluated: int) -> float | None:
    """Return how much of what the rule applied to passed; None when it applied to nothing."""
    applicable = passed + failed + not_evaluated
    return None if applicable == 0 else WHOLE_PERCENT * passed / applicable


def weighted_mean(parts: Iterable[tuple[float, float]]) -> float | None:
    """Return the mean of (weight, percent) pairs; None when they weigh nothing."""
    held = [(weight, percent) for weight, percent in parts if weight > 0]
    total = math.fsum(weight for weight, _ in held)
    if total == 0:
        return None
    mean = math.fsum(weight * percent for weight, percent in held) / total
    # Rounding may carry a mean a hair beyond what it is a mean of.
    return min(max(mean, min(percent for _, percent in held)), max(percent for _, percent in held))


def wilson_interval(*, successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share in percent (khoảng tin cậy Wilson); everything when n is 0."""
    if trials == 0:
        return (0.0, WHOLE_PERCENT)
    z2 = CONFIDENCE_95**2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = CONFIDENCE_95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    low = 0.0 if successes == 0 else max(0.0, centre - spread)
    high = 1.0 if successes == trials else min(1.0, centre + spread)
    return (WHOLE_PERCENT * low, WHOLE_PERCENT * high)


def load_scoring(path: Path) -> Scoring:
    """Read weights and thresholds.

    Raises:
        ScoringNotValid: the file is missing, or its numbers cannot be scored with.
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
    source = _table(path, content, "source", {"document", "trust", "note", "article", "address"})
    scoring = Scoring(
        weights=MappingProxyType(
            {criterion: _number(path, weights[criterion.value], criterion.value) for criterion in Criterion}
        ),
        green_from_percent=_number(path, content.get("green_from_percent"), "green_from_percent"),
        yellow_from_percent=_number(path, content.get("yellow_from_percent"), "yellow_from_percent"),
        identifier_percent=_number(path, content.get("identifier_percent"), "identifier_percent"),
        elements=_elements(path, content),
        rules=_named(path, content.get("rules"), "rules"),
        valid_days=_valid_days(path, content),
        sample=_sample(path, content),
        document=_words(source.get("document")),
        trust=_words(source.get("trust")),
        note=_words(source.get("note")),
    )
    if sum(scoring.weights.values()) == 0:
        raise ScoringNotValid(path=path, reason="all weights are 0")
    if not scoring.yellow_from_percent < scoring.green_from_percent <= WHOLE_PERCENT:
        raise ScoringNotValid(path=path, reason="thresholds are out of order")
    if scoring.identifier_percent > WHOLE_PERCENT:
        raise ScoringNotValid(path=path, reason="identifier_percent is over 100")
    return scoring


def _elements(path: Path, content: dict[str, Any]) -> ElementWeights:
    table = _table(path, content, "elements", {"default", "identifier", "record", "named"})
    found = ElementWeights(
        default=_number(path, table.get("default", 1), "elements.default"),
        identifier=_number(path, table.get("identifier", 1), "elements.identifier"),
        record=_number(path, table.get("record", 1), "elements.record"),
        named=_named(path, table.get("named"), "elements.named"),
    )
    if 0 in {found.default, found.identifier, found.record}:
        # A weight of 0 for all would take a word out of the index without anybody seeing it.
        raise ScoringNotValid(path=path, reason="elements.default, .identifier and .record must be over 0")
    return found


def _valid_days(path: Path, content: dict[str, Any]) -> ValidDays:
    usual = ValidDays()
    table = _table(path, content, "valid_days", {"counters", "measurement", "sample"})
    return ValidDays(
        counters=_days(path, table.get("counters", usual.counters), "valid_days.counters"),
        measurement=_days(path, table.get("measurement", usual.measurement), "valid_days.measurement"),
        sample=_days(path, table.get("sample", usual.sample), "valid_days.sample"),
    )


def _sample(path: Path, content: dict[str, Any]) -> SampleScoring:
    usual = SampleScoring()
    table = _table(path, content, "sample", {"weight", "records_min", "judge_within_days", "required"})
    least = table.get("records_min", usual.records_min)
    if isinstance(least, bool) or not isinstance(least, int) or least < 1:
        raise ScoringNotValid(path=path, reason="sample.records_min is not a whole number from 1")
    required = table.get("required", usual.required)
    if not isinstance(required, bool):
        raise ScoringNotValid(path=path, reason="sample.required is neither true nor false")
    return SampleScoring(
        weight=_number(path, table.get("weight", usual.weight), "sample.weight"),
        records_min=least,
        judge_within_days=_days(
            path, table.get("judge_within_days", usual.judge_within_days), "sample.judge_within_days"
        ),
        required=required,
    )


def _table(path: Path, content: dict[str, Any], name: str, known: set[str]) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise ScoringNotValid(path=path, reason=f"{name} is not a table")
    unknown = sorted(str(key) for key in set(table) - known)
    if unknown:
        raise ScoringNotValid(path=path, reason=f"{name}.{unknown[0]} is not known")
    return table


def _named(path: Path, value: object, name: str) -> Mapping[str, float]:
    if value is None:
        return MappingProxyType({})
    if not isinstance(value, dict):
        raise ScoringNotValid(path=path, reason=f"{name} is not a table")
    return MappingProxyType({str(key): _number(path, weight, f"{name}.{key}") for key, weight in value.items()})


def _words(value: object) -> str | None:
    return None if value is None else str(value)


def _days(path: Path, value: object, name: str) -> float:
    days = _number(path, value, name)
    if not 0 < days <= DAYS_MAX:
        raise ScoringNotValid(path=path, reason=f"{name} is not a number of days up to {DAYS_MAX}")
    return days


def _number(path: Path, value: object, name: str) -> float:
    # YAML's true is an int to Python, and .inf or .nan would poison every mean.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ScoringNotValid(path=path, reason=f"{name} is not a number from 0")
    return float(value)
