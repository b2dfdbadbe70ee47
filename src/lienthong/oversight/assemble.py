"""Put together what a leader sees: databases, their lag, the six words, the tasks that are due.

An idle source is not lagging, and a silent one is not idle: the heartbeat tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from lienthong.centre.measuring import MeasurementReader
from lienthong.centre.ports import LinkState, LinkStatus, Phase
from lienthong.centre.reading import BatchLine, CentreReader, DatasetCount
from lienthong.check.dqi import Scoring, shipped_scoring
from lienthong.check.verdict import RuleSet
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.oversight.overview import DatabaseLine, DatasetScore, Lag, Overview, TaskLine
from lienthong.oversight.plan import Plan, Task, standing
from lienthong.oversight.sampling import SampleReader, SampleStanding, StandingKind, stand
from lienthong.oversight.scores import score_dataset
from lienthong.sources.change import SourceId
from lienthong.sources.mapping import Mapping as ColumnDecisions

HEARTBEAT_SILENT_AFTER_S = 30.0  # a source that has not answered for longer is silent, not idle
MOVING_WINDOW_S = 10.0  # a batch applied more recently than this means data is moving
CLOCK_SKEW_ALLOWED_S = 1.0  # a source clock further ahead of ours makes the lag unknown
LAG_WINDOW_HOURS = 1  # changes applied this lately are counted for "sống"
READERS_WINDOW_DAYS = 90  # agencies that read in this time are counted for "dùng chung"
BATCHES_SHOWN = 10
BATCHES_LOOKED_AT = 100
SAMPLES_LOOKED_AT = 50

# Days of the plan are days in Vietnam, which has one time zone without summer time.
VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


def assemble_overview(
    *,
    dictionary: Dictionary,
    mappings: Sequence[ColumnDecisions],
    rule_sets: Mapping[DatasetId, RuleSet],
    reader: CentreReader,
    plan: Plan,
    now: datetime,
    measurements: MeasurementReader | None = None,
    samples: SampleReader | None = None,
    scoring: Scoring | None = None,
) -> Overview:
    """Ask the centre once and put the answers together.

    Vietnamese: tổng quan. Everything is as of ``now``; what the centre does not know stays unknown. Without
    ``measurements`` or ``samples`` there are no results of runs or of people, and their rules count as unmeasured.
    """
    counts = reader.counts()
    links = {link.source: link for link in reader.links()}
    batches = reader.batches(limit=BATCHES_LOOKED_AT)
    return Overview(
        made_at=now,
        databases=tuple(
            _database(
                mapping,
                dictionary=dictionary,
                count=counts.get(mapping.dataset),
                link=links.get(mapping.source),
                batches=batches,
                now=now,
            )
            for mapping in mappings
        ),
        scores=tuple(
            assemble_score(
                dataset,
                dictionary=dictionary,
                rule_sets=rule_sets,
                reader=reader,
                idle=_is_idle(dataset, mappings=mappings, links=links, now=now),
                counted_at=_heard_at(dataset, mappings=mappings, links=links),
                measurements=measurements,
                samples=samples,
                scoring=scoring,
                now=now,
            )
            for dataset in dict.fromkeys(mapping.dataset for mapping in mappings)
            if dataset in rule_sets
        ),
        batches=tuple(batches[:BATCHES_SHOWN]),
        tasks=task_lines(plan, now=now),
    )


def assemble_score(
    dataset: DatasetId,
    *,
    dictionary: Dictionary,
    rule_sets: Mapping[DatasetId, RuleSet],
    reader: CentreReader,
    idle: bool,
    now: datetime,
    counted_at: datetime | None = None,
    measurements: MeasurementReader | None = None,
    samples: SampleReader | None = None,
    scoring: Scoring | None = None,
) -> DatasetScore:
    """Score one dataset by the six words from what the centre has counted.

    ``idle``: every source of the dataset answered lately and everything it committed has been taken. ``counted_at``:
    the last sign of life of the source heard longest ago.
    """
    rule_set = rule_sets[dataset]
    by = shipped_scoring() if scoring is None else scoring
    return score_dataset(
        dictionary=dictionary,
        rule_set=rule_set,
        rule_counts=reader.rule_counts(dataset),
        lag=reader.lag_share(
            dataset, since=now - timedelta(hours=LAG_WINDOW_HOURS), allowed_lag_s=rule_set.dataset.allowed_lag_s
        ),
        readers=reader.readers(dataset, since=now - timedelta(days=READERS_WINDOW_DAYS)),
        readers_expected=reader.grantees(dataset, on=now.astimezone(VIETNAM).date()),
        idle=idle,
        measured_at=now,
        scoring=by,
        measured_rules=() if measurements is None else measurements.measured_rules(dataset),
        sample=_sample(dataset, samples=samples, scoring=by, now=now),
        counted_at=counted_at,
    )


def _sample(dataset: DatasetId, *, samples: SampleReader | None, scoring: Scoring, now: datetime) -> SampleStanding:
    if samples is None:
        return SampleStanding(kind=StandingKind.NONE)
    return stand(samples.samples(dataset, limit=SAMPLES_LOOKED_AT), scoring=scoring, now=now)


def _heard_at(
    dataset: DatasetId, *, mappings: Sequence[ColumnDecisions], links: Mapping[SourceId, LinkState]
) -> datetime | None:
    """Return when the source of a dataset that was heard longest ago was last heard; None when none ever was."""
    own = [links[mapping.source] for mapping in mappings if mapping.dataset == dataset and mapping.source in links]
    signs = [
        max(moments)
        for link in own
        if (moments := [moment for moment in (link.heartbeat_at, link.applied_at) if moment is not None])
    ]
    return min(signs, default=None)


def _is_idle(
    dataset: DatasetId, *, mappings: Sequence[ColumnDecisions], links: Mapping[SourceId, LinkState], now: datetime
) -> bool:
    own = [links.get(mapping.source) for mapping in mappings if mapping.dataset == dataset]
    return bool(own) and all(
        link is not None
        and link.phase is Phase.STREAM
        and link.status is LinkStatus.HEALTHY
        and _heard_lately(link, now=now)
        for link in own
    )


def measure_lag(link: LinkState | None, *, newest: BatchLine | None, now: datetime) -> Lag:
    """Say how far the centre is behind a source, and why it is not when it is not.

    Vietnamese: độ trễ đồng bộ. ``newest`` is the newest streamed batch of the source: the rows of a snapshot
    carry no commit time, so they say nothing about lag.
    """
    seconds = None if newest is None else _commit_to_visible(newest)
    if link is None:
        return Lag(state="silent", seconds=seconds, heartbeat_age_s=None)
    age = None if link.heartbeat_at is None else max(0.0, (now - link.heartbeat_at).total_seconds())
    if link.status in {LinkStatus.BROKEN, LinkStatus.WAITING_FOR_DECISION}:
        return Lag(state="stopped", seconds=seconds, heartbeat_age_s=age)
    if link.status is LinkStatus.WAITING_FOR_SOURCE or not _heard_lately(link, now=now):
        return Lag(state="silent", seconds=seconds, heartbeat_age_s=age)
    if link.phase is Phase.SNAPSHOT:
        return Lag(state="snapshot", seconds=None, heartbeat_age_s=age, progress=_progress(link))
    return Lag(state="moving" if _is_moving(link, now=now) else "idle", seconds=seconds, heartbeat_age_s=age)


def task_lines(plan: Plan, *, now: datetime) -> tuple[TaskLine, ...]:
    """Return every task of the plan with how it stands today in Vietnam."""
    today = now.astimezone(VIETNAM).date()
    lines = []
    for task in plan.tasks:
        stands = standing(task, on=today)
        lines.append(
            TaskLine(
                id=task.id,
                section=task.section,
                text=task.text,
                lead=task.lead,
                cooperate=task.cooperate,
                guidance_from=task.guidance_from,
                excluded=task.excluded,
                due_vi=task.due.in_vietnamese(),
                last_day=stands.last_day,
                standing=stands.kind.value,
                slip_days=stands.slip_days,
                days_left=stands.days_left,
                outcome=None if task.outcome is None else task.outcome.document,
                outcome_on=None if task.outcome is None else task.outcome.issued_on,
                outcome_source=None if task.outcome is None else task.outcome.source,
                outcome_from=task.outcome_from,
                related=None if task.related is None else task.related.document,
                related_on=None if task.related is None else task.related.issued_on,
                related_note=None if task.related is None else task.related.note,
                notes=_notes(task),
                parent=task.parent,
                source=task.source,
            )
        )
    return tuple(lines)


def _database(
    mapping: ColumnDecisions,
    *,
    dictionary: Dictionary,
    count: DatasetCount | None,
    link: LinkState | None,
    batches: Sequence[BatchLine],
    now: datetime,
) -> DatabaseLine:
    dataset = dictionary.datasets.get(mapping.dataset)
    kept = count or DatasetCount(dataset=mapping.dataset, rows=0, quarantined=0, history=0, findings=0)
    newest = next((each for each in batches if each.source == mapping.source and not each.snapshot), None)
    return DatabaseLine(
        source=mapping.source,
        dataset=mapping.dataset,
        title_vi=mapping.dataset if dataset is None else dataset.label.vi,
        owner=mapping.owner,
        rows=kept.rows,
        quarantined=kept.quarantined,
        history=kept.history,
        status="new" if link is None else link.status.value,
        reason=None if link is None else link.reason,
        next_action=None if link is None else link.next_action,
        lag=measure_lag(link, newest=newest, now=now),
        position=None if link is None or link.position is None else str(link.position),
        source_time=None if link is None else link.source_time,
        applied_at=None if link is None else link.applied_at,
        allowed_lag_s=None if dataset is None else dataset.allowed_lag_s,
    )


def _commit_to_visible(batch: BatchLine) -> float | None:
    if batch.source_time is None:
        return None
    seconds = (batch.applied_at - batch.source_time).total_seconds()
    # Two clocks are compared here: a little ahead is rounding, more is a clock that says nothing.
    return None if seconds < -CLOCK_SKEW_ALLOWED_S else max(0.0, seconds)


def _heard_lately(link: LinkState, *, now: datetime) -> bool:
    signs = [moment for moment in (link.heartbeat_at, link.applied_at) if moment is not None]
    return bool(signs) and (now - max(signs)).total_seconds() <= HEARTBEAT_SILENT_AFTER_S


def _is_moving(link: LinkState, *, now: datetime) -> bool:
    if link.status is LinkStatus.CATCHING_UP:
        return True
    return link.applied_at is not None and (now - link.applied_at).total_seconds() <= MOVING_WINDOW_S


def _progress(link: LinkState) -> float | None:
    if link.rows_estimated <= 0:
        return None
    # The estimate comes from the source's statistics: rows done may pass it.
    return min(1.0, link.rows_done / link.rows_estimated)


def _notes(task: Task) -> tuple[str, ...]:
    notes = [
        task.lead_note and f"Chủ trì: {task.lead_note}",
        task.due_note and f"Thời hạn: {task.due_note}",
        task.binding and f"Tính chất: {task.binding}",
        task.duplicate_of and f"Lặp lại nhiệm vụ {task.duplicate_of}",
        task.truncated and f"Phần còn lại chưa xác định: {task.truncated}",
    ]
    return tuple(note for note in notes if note)
