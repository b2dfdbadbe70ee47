"""Repair cases kept up to date with the findings of the centre."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from lienthong.adapters.postgres import repair_sync
from lienthong.adapters.postgres.repair_sync import RuleFacts, SyncPlan
from lienthong.centre.measuring import measured_kind
from lienthong.centre.tables import derive_table
from lienthong.check.verdict import Severity
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.model import UNKNOWN_VI, DatasetId
from lienthong.errors import LienthongError
from lienthong.oversight.repair import today_of
from lienthong.oversight.repair_desk import SyncResult
from lienthong.oversight.repair_policy import RepairRules, error_class
from lienthong.wiring.repair_desk import repair_rules
from lienthong.wiring.services import Knowledge
from lienthong.wiring.settings import Settings, password

REFRESH_S: Final = 30.0
# Rules whose letter stands in the judgement of each record; the others are measured beside the records.
_JUDGED: Final = frozenset({None, "unique"})


def sync_plans(
    knowledge: Knowledge, rules: RepairRules, *, at: datetime, only: DatasetId | None = None
) -> list[SyncPlan]:
    """Say for each dataset what the cases take over from the dictionary, the mappings and the policy."""
    policy, today = rules.policy, today_of(at)
    gather = rules.calendar.first_day_within(today, policy.check_workdays)
    return [
        SyncPlan(
            dataset=name,
            table=dataset.table,
            key=derive_table(knowledge.dictionary, dataset).key,
            rules=tuple(
                RuleFacts(
                    name=rule.name,
                    version=rule.version,
                    colour=policy.colour(rule.severity, identifier=rule.identifier).value,
                    error_class=None if (kind := error_class(rule)) is None else kind.value,
                    judged=rule.over in _JUDGED and measured_kind(rule) is None,
                )
                for rule in knowledge.rule_sets[name].rules
            ),
            owners={
                f"{mapping.source}/{mapping.table}": policy.agency_of(mapping.owner)
                for mapping in knowledge.mappings
                if mapping.dataset == name
            },
            unknown_agency=UNKNOWN_VI,
            severity_colours={each.value: policy.colour(each, identifier=False).value for each in Severity},
            check_workdays=policy.check_workdays,
            correct_workdays=policy.correct_workdays,
            hard_workdays=policy.hard_workdays,
            reopen_within_days=policy.reopen_within_days,
            gather_since=at - timedelta(days=(today - gather).days + 1),
        )
        for name, dataset in knowledge.dictionary.datasets.items()
        if only in {None, name}
    ]


def refresh_cases(
    settings: Settings,
    knowledge: Knowledge,
    *,
    at: datetime,
    only: DatasetId | None = None,
    full: bool = False,
    rules: RepairRules | None = None,
) -> tuple[SyncResult, ...]:
    """Bring all cases up to date with the findings: open, take in, close what a measurement proved, reopen.

    Raises:
        RepairStoreAway: another process is at it, or the centre's database does not answer.
        RepairNotInstalled: `lienthong centre prepare` has not run with this version.
    """
    plans = sync_plans(knowledge, rules or repair_rules(settings), at=at, only=only)
    return repair_sync.sync(settings.centre.url, password=password(settings.centre), plans=plans, at=at, full=full)


Watch = Callable[[Sequence[SyncResult] | LienthongError], None]


@dataclass(kw_only=True)
class CasesThread:
    """Keep the cases up to date in the background."""

    settings: Settings
    knowledge: Knowledge
    watch: Watch
    every_s: float = REFRESH_S
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Refresh again and again; what can pass is said and tried anew, the rest is said once and ends it."""
        told: str | None = None
        while not self.stop.is_set():
            try:
                results = refresh_cases(self.settings, self.knowledge, at=self.clock.now())
                told = None
                if any(each.opened or each.closed or each.reopened for each in results):
                    self.watch(results)
            except LienthongError as error:
                if error.code != told:  # the same trouble every half minute tells nobody more
                    self.watch(error)
                told = error.code
                if not error.transient:
                    return
            self.stop.wait(self.every_s)


def start_cases(
    settings: Settings, knowledge: Knowledge, *, watch: Watch, every_s: float = REFRESH_S
) -> tuple[CasesThread, threading.Thread]:
    """Start keeping the cases in the background."""
    work = CasesThread(settings=settings, knowledge=knowledge, watch=watch, every_s=every_s)
    thread = threading.Thread(target=work.run, name="repair", daemon=True)
    thread.start()
    return work, thread
