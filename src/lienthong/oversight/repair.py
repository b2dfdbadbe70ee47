"""A repair case (phiếu sửa dữ liệu): from a finding back to the agency that owns the record.

People acknowledge, plan, claim and decide; none of these closes a case. ``measured`` does, when a later measurement
finds nothing of it any more, and only ``measured`` leads to CLOSED.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from lienthong.check.verdict import ErrorClass
from lienthong.deadlines import WorkCalendar
from lienthong.deadlines.workhours import VIETNAM
from lienthong.dictionary.model import UNKNOWN_VI, DatasetId
from lienthong.oversight.officers import Officer, Role
from lienthong.oversight.repair_policy import STEPS, Colour, RepairPolicy
from lienthong.oversight.repair_refusals import PlanDayNotValid, ReasonMissing, StepNotPossible, StepNotYours

REASON_LETTERS_MIN: Final = 10
REASON_LETTERS_MAX: Final = 2_000


class CaseKind(enum.Enum):
    """What brought a case about."""

    DATA = "data"  # a rule failed on records
    LOOK_UP = "look-up"  # somebody asked for a record and got no good answer


class CaseState(enum.Enum):
    """Where a case stands."""

    OPEN = "open"  # mới mở, cơ quan chủ quản chưa tiếp nhận
    ACKNOWLEDGED = "acknowledged"  # đã tiếp nhận, đang kiểm tra hồ sơ gốc
    CORRECTING = "correcting"  # đang sửa tại nguồn
    AWAITING = "awaiting-measurement"  # đã sửa, chờ lần đo sau
    DISPUTED = "disputed"  # cơ quan chủ quản cho rằng không phải lỗi
    REOPENED = "reopened"  # lỗi xuất hiện lại
    EXCEPTED = "excepted"  # phần còn lại là ngoại lệ đã được chấp nhận
    CLOSED = "closed"  # đã đóng bằng một lần đo đạt


ENDED: Final = frozenset({CaseState.CLOSED, CaseState.EXCEPTED})


class Step(enum.Enum):
    """What people may do with a case."""

    ACKNOWLEDGE = "acknowledge"  # tiếp nhận
    PLAN = "plan"  # hẹn ngày sửa xong
    SENT = "sent"  # báo đã sửa tại nguồn
    CLAIM = "claim"  # cho rằng không phải lỗi
    ACCEPT = "accept"  # chấp nhận ngoại lệ
    REJECT = "reject"  # bác, vẫn là lỗi
    EXTEND = "extend"  # xác nhận là trường hợp khó
    NOTE = "note"  # ghi chú


class Happening(enum.Enum):
    """What only the platform writes into the record of a case."""

    OPENED = "opened"
    JOINED = "joined"
    MEASURED = "measured"
    CLOSED = "closed"
    REOPENED = "reopened"
    EXCEPTED = "excepted"
    RULE_CHANGED = "rule-changed"  # the rule has a new version: accepted exceptions are over


_FROM: Final[Mapping[Step, frozenset[CaseState]]] = MappingProxyType(
    {
        Step.ACKNOWLEDGE: frozenset({CaseState.OPEN, CaseState.REOPENED}),
        Step.PLAN: frozenset({CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.CORRECTING, CaseState.REOPENED}),
        Step.SENT: frozenset({CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.CORRECTING, CaseState.REOPENED}),
        Step.CLAIM: frozenset(
            {
                CaseState.OPEN,
                CaseState.ACKNOWLEDGED,
                CaseState.CORRECTING,
                CaseState.AWAITING,
                CaseState.REOPENED,
            }
        ),
        Step.ACCEPT: frozenset({CaseState.DISPUTED}),
        Step.REJECT: frozenset({CaseState.DISPUTED}),
        Step.EXTEND: frozenset(CaseState) - ENDED,
        Step.NOTE: frozenset(CaseState),
    }
)
_TO: Final[Mapping[Step, CaseState]] = MappingProxyType(
    {
        Step.ACKNOWLEDGE: CaseState.ACKNOWLEDGED,
        Step.PLAN: CaseState.CORRECTING,
        Step.SENT: CaseState.AWAITING,
        Step.CLAIM: CaseState.DISPUTED,
    }
)
_OWNER_STEPS: Final = frozenset({Step.ACKNOWLEDGE, Step.PLAN, Step.SENT, Step.CLAIM})
_OTHERS_STEPS: Final = frozenset({Step.ACCEPT, Step.REJECT, Step.EXTEND})
_EXPLAINED: Final = frozenset({Step.CLAIM, Step.ACCEPT, Step.REJECT, Step.EXTEND, Step.NOTE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """The records of a case: each stands in exactly one of these."""

    open: int = 0  # still wrong, or not yet proven right
    passed: int = 0  # a later measurement found them right
    withdrawn: int = 0  # the source no longer has them
    rule_gone: int = 0  # the rule no longer exists
    excepted: int = 0  # accepted as no error, still counted by the checks

    @property
    def total(self) -> int:
        """Return how many there are in all."""
        return self.open + self.passed + self.withdrawn + self.rule_gone + self.excepted


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairCase:
    """One case: what one rule finds in one source of one agency (phiếu sửa dữ liệu)."""

    number: int
    kind: CaseKind
    agency: str  # code or name of the owner; "chưa xác định" when nobody is named
    dataset: DatasetId
    rule: str  # Rule.name; of a look-up "look-up:not-found" and the like
    element: str | None
    source: str
    error_class: ErrorClass | None
    colour: Colour
    state: CaseState
    found_at: datetime  # the earliest of its findings
    opened_at: datetime  # from when the clock runs
    check_workdays: int  # as the policy was then
    correct_workdays: int
    hard_workdays: int
    counts: Counts
    answer_by: datetime | None = None  # of a look-up: by when the asker needs the paper instead
    hard: bool = False
    acknowledged_at: datetime | None = None
    planned_on: date | None = None
    before_claim: CaseState | None = None
    reopened_at: datetime | None = None
    reopen_count: int = 0
    reopened_records: int = 0
    closed_at: datetime | None = None
    looks: int = 0  # of a look-up: how often somebody asked

    @property
    def is_open(self) -> bool:
        """Return whether somebody still has to do something."""
        return self.state not in ENDED

    @property
    def name(self) -> str:
        """Return the number as people write it."""
        return f"PS-{self.number:06}"


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseEvent:
    """One line of the record of a case; never changed, never deleted."""

    case: int
    at: datetime
    what: str  # Step.value or Happening.value
    before: CaseState | None
    after: CaseState
    actor: str | None = None  # None: the platform
    agency: str | None = None
    reason: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What the owner says is no error, and what became of it (khiếu nại "không phải lỗi")."""

    number: int
    case: int
    at: datetime
    actor: str
    agency: str
    reason: str
    records: int
    rule_version: int
    decided_at: datetime | None = None
    decided_by: str | None = None
    decided_agency: str | None = None
    accepted: bool | None = None
    decision_reason: str | None = None
    lapsed_at: datetime | None = None  # the case ended before anybody decided


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """When what is due, and how that was reckoned (thời hạn)."""

    check_by: date
    correct_by: date
    answer_by: datetime | None
    reckoned: tuple[str, ...]  # sentences in Vietnamese
    uncertain: tuple[str, ...]  # what the calendar does not know


@dataclass(frozen=True, kw_only=True, slots=True)
class Doing:
    """A step somebody wants to take."""

    step: Step
    by: Officer
    at: datetime
    reason: str | None = None
    planned_on: date | None = None


def today_of(moment: datetime) -> date:
    """Return the day in Vietnam."""
    return moment.astimezone(VIETNAM).date()


def deadlines(case: RepairCase, *, calendar: WorkCalendar, policy: RepairPolicy) -> Deadlines:
    """Reckon when a case is due.

    The clock starts on the day the case was opened, that day not counted. A reopened case has the days of correction
    again and no new days to check. A claim does not stop the clock.
    """
    start = today_of(case.opened_at)
    check_by = calendar.add_workdays(start, case.check_workdays)
    lines = [f"kiểm tra: {case.check_workdays} ngày làm việc kể từ {start:%d/%m/%Y}"]
    if case.reopened_at is not None:
        start = today_of(case.reopened_at)
        check_by = calendar.add_workdays(start, 0)
        correct_by = calendar.add_workdays(start, case.hard_workdays if case.hard else case.correct_workdays)
        days = case.hard_workdays if case.hard else case.correct_workdays
        lines = [f"mở lại: {days} ngày làm việc kể từ {start:%d/%m/%Y}"]
    elif case.hard:
        correct_by = calendar.add_workdays(start, case.hard_workdays)
        lines.append(f"trường hợp khó: {case.hard_workdays} ngày làm việc kể từ {start:%d/%m/%Y}")
    else:
        correct_by = calendar.add_workdays(check_by, case.correct_workdays)
        lines.append(f"sửa và đồng bộ lại: thêm {case.correct_workdays} ngày làm việc")
    off = [f"{each.on:%d/%m}" for each in calendar.off_between(start, correct_by)]
    if off:
        lines.append(f"đã trừ ngày nghỉ {', '.join(off)}")
    worked = [f"{each.on:%d/%m}" for each in calendar.worked_between(start, correct_by)]
    if worked:
        lines.append(f"đã tính ngày làm bù {', '.join(worked)}")
    lines.append(f"căn cứ: {policy.clock_basis}")
    if case.answer_by is not None:
        lines.append(f"trả lời người tra cứu: {policy.answer_hours:g} giờ làm việc, căn cứ {policy.look_up_basis}")
    return Deadlines(
        check_by=check_by,
        correct_by=correct_by,
        answer_by=case.answer_by,
        reckoned=tuple(lines),
        uncertain=calendar.notes(start, correct_by),
    )


def overdue_workdays(case: RepairCase, *, due: Deadlines, calendar: WorkCalendar, now: datetime) -> int:
    """Return how many working days a case is, or when it ended was, over its deadline."""
    end = today_of(case.closed_at or now)
    return calendar.workdays_between(due.correct_by, end)


def urgency(case: RepairCase, *, overdue: int, policy: RepairPolicy) -> Colour:
    """Return the level of a case as it stands now: late and recurring cases step up."""
    steps = STEPS.index(case.colour)
    steps += overdue >= policy.escalate_overdue_workdays
    steps += case.reopen_count >= policy.escalate_reopened_times
    return STEPS[min(steps, len(STEPS) - 1)]


def owns(officer: Officer, case: RepairCase) -> bool:
    """Return whether the officer acts for the agency that owns the records."""
    return case.agency != UNKNOWN_VI and officer.agency == case.agency


def steps_open(case: RepairCase, officer: Officer) -> tuple[Step, ...]:
    """Return what this officer may do with the case now."""
    return tuple(step for step in Step if case.state in _FROM[step] and _whose(case, step, officer) is None)


def act(
    case: RepairCase, doing: Doing, *, due: Deadlines, claim_by: str | None = None
) -> tuple[RepairCase, CaseEvent]:
    """Take a step and return the case after it with the line for its record.

    ``claim_by``: the officer whose claim is to be decided; that officer does not decide it.

    Raises:
        StepNotPossible: the case does not stand where this step begins.
        StepNotYours: another role, or another agency, takes this step.
        ReasonMissing: the step has to be explained.
        PlanDayNotValid: the planned day is over, or later than the deadline.
    """
    step = doing.step
    if case.state not in _FROM[step] or (step is Step.EXTEND and case.hard):
        raise StepNotPossible(number=case.name, state=case.state.value, step=step.value)
    whose = _whose(case, step, doing.by)
    if whose is None and step in {Step.ACCEPT, Step.REJECT} and doing.by.name == claim_by:
        whose = "somebody else than who made the claim"
    if whose is not None:
        raise StepNotYours(number=case.name, step=step.value, whose=whose)
    reason = (doing.reason or "").strip() or None
    if (step in _EXPLAINED or reason is not None) and not (
        REASON_LETTERS_MIN <= len(reason or "") <= REASON_LETTERS_MAX
    ):
        raise ReasonMissing(number=case.name, step=step.value, least=REASON_LETTERS_MIN, most=REASON_LETTERS_MAX)
    after = _after(case, doing, due=due)
    facts: dict[str, object] = {}
    if step is Step.PLAN:
        facts["planned_on"] = str(doing.planned_on)
    event = CaseEvent(
        case=case.number,
        at=doing.at,
        what=step.value,
        before=case.state,
        after=after.state,
        actor=doing.by.name,
        agency=doing.by.agency,
        reason=reason,
        facts=facts,
    )
    return after, event


def _whose(case: RepairCase, step: Step, officer: Officer) -> str | None:
    """Return whose step it is when it is not this officer's."""
    if step in _OWNER_STEPS and not (officer.may(Role.STEWARD) and owns(officer, case)):
        return f"a steward of {case.agency}"
    if step in _OTHERS_STEPS:
        roles = {Role.ASSESSOR, Role.LEADER} if step is Step.EXTEND else {Role.ASSESSOR}
        if owns(officer, case) or not officer.roles & roles:
            return "an assessor of another agency than the owner"
    if step is Step.NOTE and not (officer.may(Role.ASSESSOR) or (officer.may(Role.STEWARD) and owns(officer, case))):
        return "the owner's stewards and assessors"
    return None


def _after(case: RepairCase, doing: Doing, *, due: Deadlines) -> RepairCase:
    after = case
    if doing.step in _OWNER_STEPS:
        after = replace(case, state=_TO[doing.step], acknowledged_at=case.acknowledged_at or doing.at)
    match doing.step:
        case Step.PLAN:
            day, today = doing.planned_on, today_of(doing.at)
            if day is None or not today <= day <= max(due.correct_by, today):
                raise PlanDayNotValid(number=case.name, day=day, due=due.correct_by)
            after = replace(after, planned_on=day)
        case Step.CLAIM:
            after = replace(after, before_claim=case.state)
        case Step.ACCEPT | Step.REJECT:
            # What an accepted claim took out is counted by whoever keeps the records; the rest goes on as before.
            back = case.before_claim or CaseState.ACKNOWLEDGED
            back = CaseState.ACKNOWLEDGED if back is CaseState.OPEN else back
            after = replace(after, state=back, before_claim=None)
        case Step.EXTEND:
            after = replace(after, hard=True)
        case _:
            pass
    return after


def measured(
    case: RepairCase, counts: Counts, *, at: datetime, again: int = 0
) -> tuple[RepairCase, tuple[CaseEvent, ...]]:
    """Take in what a later measurement says of the records of a case: the only way a case is closed or reopened.

    ``again``: records among the open ones that had been found right before and are wrong once more.
    """
    now = replace(case, counts=counts, reopened_records=case.reopened_records + again)
    if counts.open == 0:
        return _ended(case, now, at=at)
    if again and not case.is_open:
        after = replace(
            now,
            state=CaseState.REOPENED,
            reopened_at=at,
            reopen_count=case.reopen_count + 1,
            closed_at=None,
            planned_on=None,
        )
        return after, (_line(case, after, Happening.REOPENED, at=at, facts={"records": again}),)
    if not case.is_open:
        # An exception that no longer holds leaves open records in a case that had ended.
        after = replace(now, state=CaseState.REOPENED, reopened_at=at, closed_at=None, planned_on=None)
        return after, (_line(case, after, Happening.RULE_CHANGED, at=at, facts={"records": counts.open}),)
    if again and case.state is CaseState.AWAITING:
        after = replace(now, state=CaseState.CORRECTING)
        return after, (_line(case, after, Happening.MEASURED, at=at, facts=_facts(counts)),)
    if _ended_records(counts) > _ended_records(case.counts) or counts.total != case.counts.total:
        return now, (_line(case, now, Happening.MEASURED, at=at, facts=_facts(counts)),)
    return now, ()


def _ended(case: RepairCase, now: RepairCase, *, at: datetime) -> tuple[RepairCase, tuple[CaseEvent, ...]]:
    if not case.is_open and (case.state is CaseState.CLOSED) == (now.counts.excepted == 0):
        return now, ()
    if now.counts.excepted:
        after = replace(now, state=CaseState.EXCEPTED, closed_at=at, before_claim=None)
        return after, (_line(case, after, Happening.EXCEPTED, at=at, facts=_facts(now.counts)),)
    after = replace(now, state=CaseState.CLOSED, closed_at=at, before_claim=None)
    return after, (_line(case, after, Happening.CLOSED, at=at, facts=_facts(now.counts)),)


def _ended_records(counts: Counts) -> int:
    return counts.passed + counts.withdrawn + counts.rule_gone


def _facts(counts: Counts) -> Mapping[str, object]:
    return {
        "open": counts.open,
        "passed": counts.passed,
        "withdrawn": counts.withdrawn,
        "rule_gone": counts.rule_gone,
        "excepted": counts.excepted,
    }


def _line(
    before: RepairCase, after: RepairCase, what: Happening, *, at: datetime, facts: Mapping[str, object]
) -> CaseEvent:
    return CaseEvent(case=before.number, at=at, what=what.value, before=before.state, after=after.state, facts=facts)


def most_urgent_first(
    cases: Sequence[RepairCase], *, calendar: WorkCalendar, policy: RepairPolicy, now: datetime
) -> list[tuple[RepairCase, Deadlines, int, Colour]]:
    """Return cases with deadline, working days overdue and level: graver first, then sooner due."""
    lines = []
    for case in cases:
        due = deadlines(case, calendar=calendar, policy=policy)
        late = overdue_workdays(case, due=due, calendar=calendar, now=now)
        lines.append((case, due, late, urgency(case, overdue=late, policy=policy)))
    return sorted(
        lines, key=lambda line: (-STEPS.index(line[3]), line[1].correct_by, -line[0].counts.open, line[0].number)
    )
