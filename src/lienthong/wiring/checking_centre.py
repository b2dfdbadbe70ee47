"""``lienthong check DATASET``: a dataset at the centre measured whole, its score and what is open against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl

from lienthong.adapters.files.output import Outputs, must_be_free
from lienthong.adapters.postgres.open_findings import OPEN_FINDING_SCHEMA, open_findings
from lienthong.centre.measuring import Extent, Measurement, ResultState
from lienthong.check.verdict import RuleSet, Severity
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.overview import DatasetScore
from lienthong.oversight.scores_json import score_as_json
from lienthong.wiring.checking import must_name_a_format, safe_cell
from lienthong.wiring.measuring import measure
from lienthong.wiring.quality import NothingToReport, current_scores, opened
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import Settings, password

ENGINE: Final = "postgres"  # of the centre: the only one that has the records
FINDING_COLUMNS: Final = (
    "record_id",
    "rule",
    "criterion",
    "severity",
    "element",
    "observed",
    "sentence",
    "opened_at",
)
_FACT_SCHEMA: Final = {"rule": pl.String(), "criterion": pl.String(), "sentence": pl.String()}
_ORDER: Final = (Severity.BLOCKING, Severity.ERROR, Severity.WARNING)


@dataclass(frozen=True, kw_only=True, slots=True)
class CentreCheckRequest:
    """What somebody wants to know of a dataset at the centre."""

    dataset: DatasetId
    findings: Path | None = None  # .parquet or .csv
    force: bool = False
    scored: bool = False  # a score is needed: where there is none, that is refused


@dataclass(frozen=True, kw_only=True, slots=True)
class CentreCheck:
    """The account of one check of a dataset at the centre."""

    dataset: DatasetId
    run: Measurement
    score: DatasetScore | None  # None: no source of this installation feeds the dataset
    open_by_rule: tuple[tuple[str, str, int], ...] = ()  # rule, severity, open findings

    @property
    def void(self) -> bool:
        """Return whether the measurement came to no result; then nothing else was looked at."""
        return self.run.error is not None or self.run.result_state is None

    @property
    def findings(self) -> int:
        """Return how many findings are open."""
        return sum(count for _, _, count in self.open_by_rule)

    @property
    def lowest_percent(self) -> float | None:
        """Return the lowest of the words that could be measured; None when there is none."""
        words = () if self.score is None else self.score.criteria
        return min((each.percent for each in words if each.known), default=None)

    def found_from(self, severity: Severity) -> int:
        """Return how many open findings are of this severity or a worse one."""
        counted = {each.value for each in _ORDER[: _ORDER.index(severity) + 1]}
        return sum(count for _, each, count in self.open_by_rule if each in counted)

    def as_json(self) -> dict[str, Any]:
        """Return the account as plain values."""
        state = self.run.result_state
        result = ResultState.FOUND if self.findings else state
        return {
            "dataset": self.dataset,
            "engine": ENGINE,
            "run": self.run.run_state.value,
            "result": None if self.void or result is None else result.value,
            "findings": None if self.void else self.findings,
            "findings_by_severity": None
            if self.void
            else {
                each.value: sum(count for _, severity, count in self.open_by_rule if severity == each.value)
                for each in _ORDER
            },
            "rules": [
                {"rule": rule, "severity": severity, "open": count} for rule, severity, count in self.open_by_rule
            ],
            "score": None if self.score is None else score_as_json(self.score),
        }


def check_dataset(
    settings: Settings, request: CentreCheckRequest, *, progress: Callable[[str], None] = lambda _: None
) -> CentreCheck:
    """Measure a dataset whole, then take its score and its open findings.

    Raises:
        LienthongError: the run could not be carried out, a score was asked for and there is none, or the findings
            cannot be written where they should.
    """
    if request.findings is not None:
        must_name_a_format(request.findings)
        must_be_free(request.findings, force=request.force, inputs=())
    knowledge = read_knowledge(settings)
    (measured,) = measure(settings, knowledge, [request.dataset], extent=Extent.WHOLE, progress=progress)
    if measured.error is not None:
        raise measured.error
    assert measured.run is not None, "a run or an error"
    done = CentreCheck(dataset=request.dataset, run=measured.run, score=None)
    if done.void:
        return done
    progress(f"{request.dataset}: score")
    score = _score(settings, request)
    role = settings.centre_reader
    with open_findings(role.url, request.dataset, password=password(role)) as found:
        if request.findings is not None:
            progress(f"{request.dataset}: findings")
            _write(found.rows, request.findings, knowledge.rule_sets[request.dataset])
        return CentreCheck(dataset=request.dataset, run=measured.run, score=score, open_by_rule=found.counts)


def _score(settings: Settings, request: CentreCheckRequest) -> DatasetScore | None:
    try:
        with opened(settings) as services:
            return current_scores(services, [request.dataset])[0]
    except NothingToReport:
        if request.scored:
            raise
        return None


def _write(parts: Iterable[pl.DataFrame], target: Path, rules: RuleSet) -> None:
    """Write findings with what their rules say now; a rule that is no more says nothing."""
    facts = pl.DataFrame(
        [(each.name, each.criterion.value, each.sentence.vi) for each in rules.rules],
        schema=_FACT_SCHEMA,
        orient="row",
    )
    schema = {name: (OPEN_FINDING_SCHEMA | _FACT_SCHEMA)[name] for name in FINDING_COLUMNS}
    spelled = (
        part.join(facts, on="rule", how="left", maintain_order="left").select(FINDING_COLUMNS) for part in parts
    )
    with Outputs() as outputs:
        if target.suffix == ".csv":
            outputs.made(target, lambda fresh: _csv(chain([pl.DataFrame(schema=schema)], spelled), fresh))
        else:
            keep = outputs.table(target, schema, {"lienthong.dataset": rules.dataset.identity.id})
            for part in spelled:
                keep(part)
        outputs.commit()


def _csv(parts: Iterable[pl.DataFrame], path: Path) -> None:
    with path.open("wb") as file:
        for place, part in enumerate(parts):
            part.with_columns(safe_cell("observed")).write_csv(file, include_header=not place, include_bom=not place)
