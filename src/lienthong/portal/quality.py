"""Pages about quality: one for each dataset, one for a leader, one that says how numbers are made (chất lượng)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from lienthong.centre.measuring import Measurement, MeasurementReader
from lienthong.centre.reading import FailingRow
from lienthong.check.dqi import Scoring, shipped_scoring
from lienthong.check.rule_faults import RuleWarning
from lienthong.check.verdict import Criterion
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.assemble import SAMPLES_LOOKED_AT
from lienthong.oversight.officers import Role
from lienthong.oversight.overview import DatasetScore, ElementScore, RuleScore
from lienthong.oversight.repair_desk import CaseFilter, RepairDesk
from lienthong.oversight.repair_measures import RepairMeasure, measure_repairs
from lienthong.oversight.repair_policy import RepairRules
from lienthong.oversight.sampling import Sample, SampleReader
from lienthong.oversight.scores_history import TOTAL, stretches
from lienthong.oversight.scores_json import score_as_json
from lienthong.oversight.scores_warnings import warnings_of
from lienthong.oversight.scores_words import TITLES
from lienthong.portal.guard import may
from lienthong.portal.quality_trend import Trend, draw_trend
from lienthong.portal.services import services
from lienthong.portal.views import board

RUNS_SHOWN: Final = 10
TREND_DAYS: Final = 365
FAILING_RULES_SHOWN: Final = 3
FAILING_ROWS_SHOWN: Final = 5
REPAIR_DAYS: Final = 90
WATCHERS: Final = (Role.LEADER, Role.ASSESSOR)  # whoever watches repairs sees those of every agency
SEVERITIES: Final = ("blocking", "error", "warning")


@dataclass(frozen=True, kw_only=True, slots=True)
class Failing:
    """Some rows a rule refuses, masked, and where to hand the work over."""

    rule: RuleScore
    rows: tuple[FailingRow, ...]
    assign: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeverityGroup:
    """The rules of one severity, those that fail most first."""

    severity: str
    rules: tuple[RuleScore, ...]
    failed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementLine:
    """An element with a cell for each of the six words; None where no rule asks the word of it."""

    element: ElementScore
    cells: tuple[tuple[str, object | None], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderLine:
    """One dataset on the leader's page."""

    score: DatasetScore
    owners: tuple[str, ...]
    below: float  # share of elements under the threshold, in percent
    lowest: str  # the word that is lowest
    failed: int


@require_safe
def dataset(request: HttpRequest, dataset: str) -> HttpResponse:
    """Show everything known about the quality of a dataset, the worst first."""
    shown = board()
    score = _score(dataset)
    given, scoring = services(), shipped_scoring()
    measurements, samples = _measurements(), _samples()
    context = {
        "overview": shown.overview,
        "slug": dataset,
        "title": score.title_vi,
        "score": score,
        "words": list(TITLES.values()),
        "databases": [line for line in shown.overview.databases if line.dataset == dataset],
        "elements": [_element_line(element) for element in score.elements],
        "severities": _by_severity(score),
        "failing": _failing(score),
        "warnings": _warnings(score),
        "trend": _trend(DatasetId(dataset), measurements, scoring, now=shown.overview.made_at),
        "runs": _runs(DatasetId(dataset), measurements),
        "measures_runs": measurements is not None,
        "samples": _samples_of(DatasetId(dataset), samples),
        "cases": _cases_address(dataset=dataset),
        "repairs": _repairs(request, dataset=DatasetId(dataset), now=shown.overview.made_at),
        "repair_days": REPAIR_DAYS,
        "scoring": scoring,
        "rules_digest": score.rule_set,
        "definition": given.dictionary.datasets[DatasetId(dataset)].definition.vi,
    }
    return render(request, "portal/chat-luong/dataset.html", context)


@require_safe
def dataset_json(request: HttpRequest, dataset: str) -> HttpResponse:
    """Return the score of a dataset with every number it was made of."""
    del request
    return JsonResponse(score_as_json(_score(dataset)), json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_safe
def leader(request: HttpRequest) -> HttpResponse:
    """Show all datasets beside each other: the lowest, what is below the threshold, what is unknown."""
    shown = board()
    owners: dict[str, list[str]] = {}
    for line in shown.overview.databases:
        owners.setdefault(line.dataset, []).append(line.owner)
    lines = sorted(
        (_leader_line(score, tuple(dict.fromkeys(owners.get(score.dataset, [])))) for score in shown.overview.scores),
        key=lambda line: (line.score.minimum, line.score.total, line.score.title_vi),
    )
    scoring = shipped_scoring()
    words = [word for line in lines for word in line.score.criteria]
    context = {
        "nav": "leader",
        "overview": shown.overview,
        "lines": lines,
        "mean": sum(line.score.total for line in lines) / len(lines) if lines else None,
        "lowest": min((line.score for line in lines), key=lambda score: score.total, default=None),
        "below": sum(line.score.total < scoring.green_from_percent for line in lines),
        "severe": sum(any(word.severe for word in line.score.criteria) for line in lines),
        "unknown": sum(not word.known for word in words),
        "words_all": len(words),
        "threshold": scoring.green_from_percent,
        "word_titles": list(TITLES.values()),
        "cases": _cases_address(),
        "repairs": _repairs(request, dataset=None, now=shown.overview.made_at),
        "repair_days": REPAIR_DAYS,
    }
    return render(request, "portal/chat-luong/leader.html", context)


@require_safe
def method(request: HttpRequest) -> HttpResponse:
    """Say how the numbers are made, with every weight and threshold in force."""
    scoring = shipped_scoring()
    context = {
        "overview": board().overview,
        "scoring": scoring,
        "weights": [(TITLES[criterion], weight) for criterion, weight in scoring.weights.items()],
        "digest": scoring.digest,
    }
    return render(request, "portal/chat-luong/method.html", context)


@require_safe
def method_json(request: HttpRequest) -> HttpResponse:
    """Return every weight and threshold in force."""
    del request
    scoring = shipped_scoring()
    return JsonResponse(
        scoring.as_json() | {"digest": scoring.digest}, json_dumps_params={"ensure_ascii": False, "indent": 1}
    )


def _score(dataset: str) -> DatasetScore:
    found = next((score for score in board().overview.scores if score.dataset == dataset), None)
    if found is None:
        raise Http404
    return found


def _measurements() -> MeasurementReader | None:
    found: MeasurementReader | None = getattr(services(), "measurements", None)
    return found


def _samples() -> SampleReader | None:
    found: SampleReader | None = getattr(services(), "samples", None)
    return found


def _runs(dataset: DatasetId, measurements: MeasurementReader | None) -> Sequence[Measurement]:
    return () if measurements is None else measurements.measurements(dataset, limit=RUNS_SHOWN)


def _samples_of(dataset: DatasetId, samples: SampleReader | None) -> Sequence[Sample]:
    return () if samples is None else samples.samples(dataset, limit=SAMPLES_LOOKED_AT)


def _trend(
    dataset: DatasetId, measurements: MeasurementReader | None, scoring: Scoring, *, now: datetime
) -> Trend | None:
    if measurements is None:
        return None
    history = measurements.score_history(dataset, since=now - timedelta(days=TREND_DAYS))
    return draw_trend(
        stretches(history, criterion=TOTAL), green=scoring.green_from_percent, yellow=scoring.yellow_from_percent
    )


def _rules(score: DatasetScore) -> list[RuleScore]:
    return [rule for word in score.criteria for rule in word.rules]


def _by_severity(score: DatasetScore) -> list[SeverityGroup]:
    groups = []
    for severity in SEVERITIES:
        own = sorted(
            (rule for rule in _rules(score) if rule.severity == severity), key=lambda rule: (-rule.failed, rule.rule)
        )
        if own:
            groups.append(SeverityGroup(severity=severity, rules=tuple(own), failed=sum(rule.failed for rule in own)))
    return groups


def _warnings(score: DatasetScore) -> list[tuple[RuleScore, RuleWarning]]:
    rules = {rule.rule: rule for rule in _rules(score)}
    return [(rules[each.rule], each) for each in warnings_of(score)]


def _failing(score: DatasetScore) -> list[Failing]:
    about_rows = [
        rule
        for rule in _rules(score)
        if rule.failed and rule.over in {None, "unique", "reference", "agreement", "near-duplicate"}
    ]
    chosen = sorted(about_rows, key=lambda rule: (SEVERITIES.index(rule.severity), -rule.failed, rule.rule))
    reader = services().reader
    return [
        Failing(
            rule=rule,
            rows=reader.failing_rows(DatasetId(score.dataset), rule.rule, limit=FAILING_ROWS_SHOWN),
            assign=_cases_address(dataset=score.dataset),
        )
        for rule in chosen[:FAILING_RULES_SHOWN]
    ]


def _element_line(element: ElementScore) -> ElementLine:
    words: Mapping[str, object] = {word.criterion: word for word in element.words}
    return ElementLine(
        element=element,
        cells=tuple((TITLES[criterion], words.get(criterion.value)) for criterion in Criterion),
    )


def _leader_line(score: DatasetScore, owners: tuple[str, ...]) -> LeaderLine:
    lowest = min(score.criteria, key=lambda word: word.percent)
    return LeaderLine(
        score=score,
        owners=owners,
        below=100 * score.elements_below / len(score.elements) if score.elements else 0.0,
        lowest=lowest.title_vi,
        failed=sum(rule.failed for rule in _rules(score) if rule.scored),
    )


def _repairs(request: HttpRequest, *, dataset: DatasetId | None, now: datetime) -> Sequence[RepairMeasure] | None:
    """Return how repairs go; None for those who may not watch them, and where none are kept."""
    desk: RepairDesk | None = getattr(services(), "repairs", None)
    rules: RepairRules | None = getattr(services(), "repair_rules", None)
    if desk is None or rules is None or not may(request, *WATCHERS):
        return None
    since = now - timedelta(days=REPAIR_DAYS)
    cases = desk.cases(CaseFilter(dataset=dataset, only_open=False, ended_since=since))
    return measure_repairs(cases, calendar=rules.calendar, policy=rules.policy, since=since, until=now)


def _cases_address(*, dataset: str | None = None) -> str | None:
    """Return where repair cases are handed out; None where this installation keeps none."""
    if getattr(services(), "repairs", None) is None:
        return None
    address = reverse("repairs")
    return address if dataset is None else f"{address}?{urlencode({'bo-du-lieu': dataset})}"
