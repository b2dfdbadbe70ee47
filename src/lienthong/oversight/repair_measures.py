"""What the repair loop says of an agency: how fast, how lastingly, how punctually (số đo sửa dữ liệu).

Reckoned from cases as they stand; nobody reports them. Repair time runs from the first finding to the measurement
that closed the case for the last time, so closing early and reopening makes it longer, not shorter.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lienthong.deadlines import WorkCalendar
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.repair import CaseState, RepairCase, deadlines, overdue_workdays
from lienthong.oversight.repair_policy import RepairPolicy

_SECONDS_OF_DAY: Final = 86_400
_MEDIAN: Final = 0.5
_SLOWEST_TENTH: Final = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairMeasure:
    """One line: an agency and a dataset in a period; None where nothing was there to measure."""

    agency: str
    dataset: DatasetId
    opened: int  # cases opened in the period
    closed: int  # closed in it by a passing measurement
    open_now: int
    open_records: int
    repair_days_p50: float | None  # calendar days, of the cases closed in the period
    repair_days_p90: float | None
    reopen_rate: float | None  # reopened cases ÷ cases that were closed at least once, of those opened or ended in it
    overdue: int  # open past the deadline, or closed in the period after it
    overdue_share: float | None  # of the cases that were due or ended
    excepted_records: int  # accepted as no error; still counted by the checks
    withdrawn_records: int  # disappeared from the source instead of being mended


def measure_repairs(
    cases: Iterable[RepairCase],
    *,
    calendar: WorkCalendar,
    policy: RepairPolicy,
    since: datetime,
    until: datetime,
) -> tuple[RepairMeasure, ...]:
    """Measure a period, half-open; ``cases`` holds all that are open and all that ended since it began."""
    groups: dict[tuple[str, DatasetId], list[RepairCase]] = defaultdict(list)
    for case in cases:
        if case.opened_at < until and (case.closed_at is None or case.closed_at >= since):
            groups[case.agency, case.dataset].append(case)
    return tuple(
        _measure(agency, dataset, group, calendar=calendar, policy=policy, since=since, until=until)
        for (agency, dataset), group in sorted(groups.items())
    )


def _measure(
    agency: str,
    dataset: DatasetId,
    cases: Sequence[RepairCase],
    *,
    calendar: WorkCalendar,
    policy: RepairPolicy,
    since: datetime,
    until: datetime,
) -> RepairMeasure:
    still_open = [case for case in cases if case.closed_at is None or case.closed_at >= until]
    ended = [case for case in cases if case.closed_at is not None and case.closed_at < until]
    closed = [case for case in ended if case.state is CaseState.CLOSED]
    days = [
        (case.closed_at - case.found_at).total_seconds() / _SECONDS_OF_DAY
        for case in closed
        if case.closed_at is not None
    ]
    once_closed = [case for case in cases if case.closed_at is not None or case.reopen_count]
    late = [case for case in cases if _is_late(case, calendar=calendar, policy=policy, until=until)]
    due = [*ended, *(case for case in still_open if case in late)]
    return RepairMeasure(
        agency=agency,
        dataset=dataset,
        opened=sum(since <= case.opened_at < until for case in cases),
        closed=len(closed),
        open_now=len(still_open),
        open_records=sum(case.counts.open for case in still_open),
        repair_days_p50=percentile(days, _MEDIAN),
        repair_days_p90=percentile(days, _SLOWEST_TENTH),
        reopen_rate=None
        if not once_closed
        else sum(1 for case in once_closed if case.reopen_count) / len(once_closed),
        overdue=len(late),
        overdue_share=None if not due else len(late) / len(due),
        excepted_records=sum(case.counts.excepted for case in cases),
        withdrawn_records=sum(case.counts.withdrawn for case in cases),
    )


def _is_late(case: RepairCase, *, calendar: WorkCalendar, policy: RepairPolicy, until: datetime) -> bool:
    due = deadlines(case, calendar=calendar, policy=policy)
    return overdue_workdays(case, due=due, calendar=calendar, now=until) > 0


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of the values do not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
