"""Scores and runs as events of OpenLineage 2-0-2, with assertions and metrics of quality (sự kiện dòng dữ liệu).

A run that failed becomes FAIL, never COMPLETE. A rule without a result in force is no assertion: it neither passed
nor failed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from lienthong.centre.measuring import Measurement, ResultState, RunState
from lienthong.dictionary.model import Dataset, DatasetId, Dictionary
from lienthong.oversight.overview import DatasetScore, RuleScore
from lienthong.oversight.scores_results import MEASURED

SPEC: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
ASSERTIONS: Final = (
    "https://openlineage.io/spec/facets/1-0-1/DataQualityAssertionsDatasetFacet.json"
    "#/$defs/DataQualityAssertionsDatasetFacet"
)
METRICS: Final = (
    "https://openlineage.io/spec/facets/1-0-2/DataQualityMetricsInputDatasetFacet.json"
    "#/$defs/DataQualityMetricsInputDatasetFacet"
)
ERROR: Final = "https://openlineage.io/spec/facets/1-0-0/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
NAMESPACE: Final = "lienthong"
PRODUCER: Final = "https://lienthong.invalid/"  # a name that never resolves: whoever publishes says where
PRESENT: Final = "CP01"  # its failures are the missing values of an element
_RUNS: Final = uuid.UUID("5e2f4a0c-6f7c-5d5e-9b60-6f2d5b1b2a14")  # names the runs of this product


def events_of(
    dictionary: Dictionary,
    scores: Sequence[DatasetScore],
    runs: Mapping[DatasetId, Sequence[Measurement]],
    *,
    producer: str = PRODUCER,
) -> list[dict[str, Any]]:
    """Return the events of scores and of the runs behind them, in the order of their times."""
    events: list[dict[str, Any]] = []
    for score in scores:
        dataset = dictionary.datasets[DatasetId(score.dataset)]
        for run in runs.get(DatasetId(score.dataset), ()):
            events += _run_events(dataset, run, producer)
        events += _score_events(dataset, score, producer)
    return sorted(events, key=lambda event: (event["eventTime"], event["eventType"] != "START"))


def run_id(*parts: object) -> str:
    """Return the id of a run: the same for the same run, whoever computes it."""
    return str(uuid.uuid5(_RUNS, "/".join(map(str, parts))))


def _event(
    kind: str, at: datetime, *, run: Mapping[str, Any], job: str, inputs: list[dict[str, Any]], producer: str
) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": at.isoformat(),
        "producer": producer,
        "schemaURL": SPEC,
        "run": run,
        "job": {"namespace": NAMESPACE, "name": job},
        "inputs": inputs,
        "outputs": [],
    }


def _input(dataset: Dataset, facets: Mapping[str, Any] | None = None) -> dict[str, Any]:
    named: dict[str, Any] = {"namespace": NAMESPACE, "name": f"dataset.{dataset.table}"}
    return named if facets is None else named | {"inputFacets": dict(facets)}


def _score_events(dataset: Dataset, score: DatasetScore, producer: str) -> list[dict[str, Any]]:
    run = {"runId": run_id("score", score.dataset, score.measured_at.isoformat(), score.rule_set, score.scoring)}
    job = f"quality.{score.dataset}"
    rules = [rule for word in score.criteria for rule in word.rules]
    facets = {
        "dataQualityAssertions": _facet(ASSERTIONS, producer) | {"assertions": _assertions(rules)},
        "dataQualityMetrics": _facet(METRICS, producer)
        | {"rowCount": score.rows, "columnMetrics": _columns(rules, rows=score.rows)},
    }
    start = _event("START", score.measured_at, run=run, job=job, inputs=[_input(dataset)], producer=producer)
    end = _event("COMPLETE", score.measured_at, run=run, job=job, inputs=[_input(dataset, facets)], producer=producer)
    return [start, end]


def _run_events(dataset: Dataset, run: Measurement, producer: str) -> list[dict[str, Any]]:
    job = f"measurement.{run.dataset}"
    named: dict[str, Any] = {"runId": run_id("measurement", run.dataset, run.id)}
    start = _event("START", run.began_at, run=named, job=job, inputs=[_input(dataset)], producer=producer)
    if run.run_state is RunState.RUNNING or run.ended_at is None:
        return [start]
    if run.run_state is RunState.FAILED or run.result_state is ResultState.VOID:
        message = run.error or "void: rows examined are not rows present"
        failed = named | {
            "facets": {
                "errorMessage": _facet(ERROR, producer) | {"message": message, "programmingLanguage": "python"}
            }
        }
        end = _event("FAIL", run.ended_at, run=failed, job=job, inputs=[_input(dataset)], producer=producer)
        return [start, end]
    facets = {
        "dataQualityMetrics": _facet(METRICS, producer) | {"rowCount": run.rows_examined or 0, "columnMetrics": {}}
    }
    end = _event("COMPLETE", run.ended_at, run=named, job=job, inputs=[_input(dataset, facets)], producer=producer)
    return [start, end]


def _facet(schema: str, producer: str) -> dict[str, Any]:
    return {"_producer": producer, "_schemaURL": schema}


def _assertions(rules: Iterable[RuleScore]) -> list[dict[str, Any]]:
    return [
        {"assertion": rule.rule, "success": rule.failed == 0 and rule.not_evaluated == 0}
        | ({} if rule.element is None else {"column": rule.element})
        for rule in rules
        if rule.state == MEASURED
    ]


def _columns(rules: Iterable[RuleScore], *, rows: int) -> dict[str, Any]:
    return {
        rule.element: {"nullCount": rule.failed, "count": max(0, rows - rule.failed)}
        for rule in rules
        if rule.code == PRESENT and rule.element is not None and rule.state == MEASURED
    }
