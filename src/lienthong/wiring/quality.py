"""What the faces ask about quality beyond the overview: ratings, reports, exports, history (chất lượng dữ liệu)."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lienthong.adapters.postgres.profiling import live_tables
from lienthong.adapters.spreadsheet import write_workbook
from lienthong.adapters.typesetting import set_pdf
from lienthong.centre.measuring import Measurement, ScoreKeeper, ScorePoint
from lienthong.check.dqi import shipped_scoring
from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.odcs import odcs_contract, odcs_yaml
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.errors import Actor, LienthongError
from lienthong.oversight.assemble import assemble_overview
from lienthong.oversight.overview import DatasetScore
from lienthong.oversight.repair_desk import CaseFilter
from lienthong.oversight.repair_measures import RepairMeasure, measure_repairs
from lienthong.oversight.schema_rating.rate import Rating, rate
from lienthong.oversight.schema_rating.reading import SchemaNotReadable, from_dataset, from_sql, from_survey
from lienthong.oversight.scores_exports.dqv import dqv_turtle
from lienthong.oversight.scores_exports.odcs import with_results
from lienthong.oversight.scores_exports.openlineage import events_of
from lienthong.oversight.scores_history import points_of
from lienthong.oversight.scores_report import (
    VIETNAM,
    QualityReport,
    report_as_json,
    report_for_print,
    report_sheets,
)
from lienthong.sources.change import SourceId, TableName
from lienthong.wiring.exporting import quality_rules
from lienthong.wiring.services import Services, build_services
from lienthong.wiring.settings import Settings
from lienthong.wiring.sources import survey

SQL_BYTES_MAX = 4_000_000
HISTORY_DAYS = 365
REPAIR_DAYS = 90
RUNS_MAX = 100


class ReportFormat(enum.Enum):
    """What a report about quality can be written as."""

    XLSX = "xlsx"
    PDF = "pdf"
    JSON = "json"
    ODCS = "odcs"
    DQV = "dqv"
    OPENLINEAGE = "openlineage"


class NothingToReport(LienthongError, code="OVS-232", actor=Actor.OPERATOR):
    """No dataset that was asked for has a score."""

    message = "there is no score to report: {wanted}"
    hint = "name a dataset that a source of lienthong.toml feeds; scored now: {known}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """Everything a report is made of, asked for once."""

    services: Services
    now: datetime
    scores: tuple[DatasetScore, ...]
    history: Mapping[str, Sequence[ScorePoint]]
    runs: Mapping[DatasetId, Sequence[Measurement]]
    repairs: tuple[RepairMeasure, ...] | None


@contextmanager
def opened(settings: Settings) -> Iterator[Services]:
    """Build services for one piece of work, and give back every connection after it."""
    services = build_services(settings)
    try:
        yield services
    finally:
        for part in (services.reader, services.access, services.officers, services.look_ups, services.repairs):
            close = getattr(part, "close", None)  # not every part keeps connections
            if close is not None:
                close()


def current_scores(services: Services, names: Sequence[str] = ()) -> tuple[DatasetScore, ...]:
    """Return the scores of datasets as they stand now; without names, of all that a source feeds.

    Raises:
        NothingToReport: there is none, or a name is not among them.
    """
    overview = assemble_overview(
        dictionary=services.dictionary,
        mappings=services.mappings,
        rule_sets=services.rule_sets,
        reader=services.reader,
        plan=services.plan,
        now=services.clock.now(),
        measurements=services.measurements,
        samples=services.samples,
    )
    known = {score.dataset: score for score in overview.scores}
    unknown = [name for name in names if name not in known]
    if unknown or not known:
        raise NothingToReport(
            wanted=", ".join(unknown) or "no source feeds a dataset", known=", ".join(sorted(known)) or "none"
        )
    return tuple(known[name] for name in names) if names else overview.scores


def gather(services: Services, names: Sequence[str] = ()) -> Gathered:
    """Ask for everything a report is made of.

    Raises:
        NothingToReport: see ``current_scores``.
    """
    scores, now = current_scores(services, names), services.clock.now()
    measurements = services.measurements
    datasets = [DatasetId(score.dataset) for score in scores]
    return Gathered(
        services=services,
        now=now,
        scores=scores,
        history={}
        if measurements is None
        else {name: measurements.score_history(name, since=now - timedelta(days=HISTORY_DAYS)) for name in datasets},
        runs={}
        if measurements is None
        else {name: measurements.measurements(name, limit=RUNS_MAX) for name in datasets},
        repairs=_repairs(services, datasets, now=now),
    )


def _repairs(services: Services, datasets: Sequence[DatasetId], *, now: datetime) -> tuple[RepairMeasure, ...] | None:
    desk, rules = services.repairs, services.repair_rules
    if desk is None or rules is None:
        return None
    since = now - timedelta(days=REPAIR_DAYS)
    cases = [
        case for name in datasets for case in desk.cases(CaseFilter(dataset=name, only_open=False, ended_since=since))
    ]
    return measure_repairs(cases, calendar=rules.calendar, policy=rules.policy, since=since, until=now)


def make_report(gathered: Gathered, format_: ReportFormat, *, addresses: Addresses | None = None) -> bytes:
    """Return a report as the content of its file; the same state of the centre gives the same bytes."""
    report = QualityReport(
        made_at=gathered.now,
        scores=gathered.scores,
        scoring=shipped_scoring(),
        history=gathered.history,
        repairs=gathered.repairs,
        repairs_since=gathered.now - timedelta(days=REPAIR_DAYS),
    )
    match format_:
        case ReportFormat.XLSX:
            return write_workbook(report_sheets(report), created=gathered.now.astimezone(VIETNAM).date())
        case ReportFormat.PDF:
            return set_pdf("quality", report_for_print(report), made_at=gathered.now)
        case ReportFormat.JSON:
            return _json(report_as_json(report))
        case ReportFormat.ODCS:
            return "---\n".join(_contracts(gathered, addresses or Addresses())).encode()
        case ReportFormat.DQV:
            dictionary = gathered.services.dictionary
            return dqv_turtle(dictionary, gathered.scores, addresses=addresses or Addresses()).encode()
        case ReportFormat.OPENLINEAGE:
            events = events_of(gathered.services.dictionary, gathered.scores, gathered.runs)
            return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()


def _contracts(gathered: Gathered, addresses: Addresses) -> list[str]:
    dictionary = gathered.services.dictionary
    texts = []
    for score in gathered.scores:
        dataset = dictionary.datasets[DatasetId(score.dataset)]
        rules = quality_rules(dictionary, dataset)
        contract = odcs_contract(dictionary, dataset, rules=rules, addresses=addresses)
        texts.append(odcs_yaml(with_results(contract, score)))
    return texts


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def keep_scores(services: Services, keeper: ScoreKeeper, names: Sequence[str] = ()) -> int:
    """Keep the scores as they stand now, and return how many numbers are new in the history."""
    scores = current_scores(services, names)
    return keeper.record_scores([point for score in scores for point in points_of(score)])


def rate_dataset(dictionary: Dictionary, name: str) -> Rating:
    """Rate a dataset of the dictionary.

    Raises:
        DatasetUnknown: there is none of this name.
    """
    dataset = dictionary.datasets.get(DatasetId(name))
    if dataset is None:
        raise DatasetUnknown(wanted=name, known=", ".join(sorted(dictionary.datasets)))
    return rate(from_dataset(dictionary, dataset))


def rate_sql(dictionary: Dictionary, path: Path, *, dialect: str | None) -> Rating:
    """Rate the tables that a file of CREATE TABLE statements makes.

    Raises:
        SchemaNotReadable: the file cannot be read, or makes no table.
    """
    try:
        if path.stat().st_size > SQL_BYTES_MAX:
            raise SchemaNotReadable(name=path.name, reason=f"it is larger than {SQL_BYTES_MAX} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise SchemaNotReadable(name=path.name, reason=cause.strerror or "it cannot be read") from cause
    except UnicodeDecodeError as cause:
        raise SchemaNotReadable(name=path.name, reason="it is not UTF-8") from cause
    return rate(from_sql(text, name=path.name, dictionary=dictionary, dialect=dialect))


def rate_live(
    dictionary: Dictionary, url: str, *, password: str | None, source: str, tables: Sequence[TableName]
) -> Rating:
    """Rate tables of an agency's database: a small sample is looked at, read-only; no value comes out."""
    surveyed = list(survey(url, password=password, source=source, tables=tables, dictionary=dictionary))
    names = [each.profile.name for each in surveyed]
    declared = live_tables(source=SourceId(source), url=url, password=password, tables=names)
    return rate(
        from_survey(
            source,
            [(each.profile, each.proposal, declared[each.profile.name]) for each in surveyed],
            dictionary=dictionary,
        )
    )
