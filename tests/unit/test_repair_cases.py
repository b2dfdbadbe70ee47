"""Repair cases: whose step it is, when they are due, and that only a passing measurement closes one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.dictionary.model import DatasetId, Text
from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import LienthongError
from lienthong.oversight.officers import Officer, Role
from lienthong.oversight.repair import (
    ENDED,
    REASON_LETTERS_MAX,
    CaseKind,
    CaseState,
    Counts,
    Doing,
    RepairCase,
    Step,
    act,
    deadlines,
    measured,
    most_urgent_first,
    overdue_workdays,
    steps_open,
    urgency,
)
from lienthong.oversight.repair_measures import measure_repairs, percentile
from lienthong.oversight.repair_policy import Colour, RepairPolicy, error_class, load_policy
from lienthong.oversight.repair_refusals import (
    PlanDayNotValid,
    ReasonMissing,
    RepairPolicyNotValid,
    StepNotPossible,
    StepNotYours,
)
from lienthong.wiring.repair_desk import repair_rules

RULES = repair_rules()
CALENDAR, POLICY = RULES.calendar, RULES.policy
OPENED = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)  # a Thursday, 10:00 in Vietnam
OWNER = Officer(name="lan", full_name="Lan", agency="H12", roles=frozenset({Role.STEWARD}))
ASSESSOR = Officer(name="minh", full_name="Minh", agency="G09", roles=frozenset({Role.ASSESSOR}))
EVERYTHING = Officer(name="tất cả", full_name="Mọi vai trò", agency="H12", roles=frozenset(Role))
WHY = "đã đối chiếu với hồ sơ gốc"


def case(**facts: object) -> RepairCase:
    return replace(
        RepairCase(
            number=7,
            kind=CaseKind.DATA,
            agency="H12",
            dataset=DatasetId("nhan-khau"),
            rule="CL02:so_dinh_danh",
            element="so_dinh_danh",
            source="ca-mau",
            error_class=ErrorClass.FORMAT,
            colour=Colour.YELLOW,
            state=CaseState.OPEN,
            found_at=OPENED,
            opened_at=OPENED,
            check_workdays=5,
            correct_workdays=5,
            hard_workdays=15,
            counts=Counts(open=3),
        ),
        **facts,
    )


def take(it: RepairCase, step: Step, by: Officer = OWNER, *, at: datetime = OPENED, **facts: object) -> RepairCase:
    due = deadlines(it, calendar=CALENDAR, policy=POLICY)
    claim_by = facts.pop("claim_by", None)
    return act(it, Doing(step=step, by=by, at=at, **facts), due=due, claim_by=claim_by)[0]


def test_a_case_is_due_after_five_and_five_working_days_with_the_worked_saturday_counted() -> None:
    due = deadlines(case(), calendar=CALENDAR, policy=POLICY)
    assert due.check_by == date(2026, 8, 26)  # Saturday the 22nd was worked
    assert due.correct_by == date(2026, 9, 7)  # 31 August to 2 September are off
    assert any("22/08" in line for line in due.reckoned)
    assert any("31/08" in line for line in due.reckoned)
    assert due.uncertain == ()


def test_a_hard_case_has_fifteen_days_from_its_opening() -> None:
    due = deadlines(case(hard=True), calendar=CALENDAR, policy=POLICY)
    assert CALENDAR.workdays_between(date(2026, 8, 20), due.correct_by) == 15


def test_a_reopened_case_has_the_days_of_correction_again_and_none_to_check() -> None:
    again = OPENED + timedelta(days=30)
    due = deadlines(case(reopened_at=again, reopen_count=1), calendar=CALENDAR, policy=POLICY)
    assert due.check_by == CALENDAR.add_workdays(date(2026, 9, 19), 0)
    assert CALENDAR.workdays_between(date(2026, 9, 19), due.correct_by) == 5


def test_a_deadline_says_what_the_calendar_does_not_know() -> None:
    late = case(opened_at=datetime(2026, 12, 28, tzinfo=UTC))
    due = deadlines(late, calendar=CALENDAR, policy=POLICY)
    assert any("năm 2027 chưa xác định" in note for note in due.uncertain)


def test_the_owner_acknowledges_plans_reports_and_claims() -> None:
    it = take(case(), Step.ACKNOWLEDGE)
    assert (it.state, it.acknowledged_at) == (CaseState.ACKNOWLEDGED, OPENED)
    it = take(it, Step.PLAN, planned_on=date(2026, 9, 1))
    assert (it.state, it.planned_on) == (CaseState.CORRECTING, date(2026, 9, 1))
    it = take(it, Step.SENT)
    assert it.state is CaseState.AWAITING
    it = take(it, Step.CLAIM, reason=WHY)
    assert (it.state, it.before_claim) == (CaseState.DISPUTED, CaseState.AWAITING)
    it = take(it, Step.REJECT, ASSESSOR, reason=WHY, claim_by="lan")
    assert (it.state, it.before_claim) == (CaseState.AWAITING, None)


@pytest.mark.parametrize("step", [Step.ACKNOWLEDGE, Step.PLAN, Step.SENT, Step.CLAIM])
def test_nobody_but_the_owners_steward_takes_the_owners_steps(step: Step) -> None:
    for officer in (ASSESSOR, replace(OWNER, agency="H13"), replace(OWNER, roles=frozenset({Role.LEADER}))):
        with pytest.raises(StepNotYours):
            take(case(), step, officer, reason=WHY)


@pytest.mark.parametrize("step", [Step.ACCEPT, Step.REJECT])
def test_a_claim_is_decided_by_an_assessor_of_another_agency_who_did_not_make_it(step: Step) -> None:
    disputed = case(state=CaseState.DISPUTED, before_claim=CaseState.OPEN)
    for officer in (OWNER, EVERYTHING, replace(ASSESSOR, roles=frozenset({Role.STEWARD}))):
        with pytest.raises(StepNotYours):
            take(disputed, step, officer, reason=WHY)
    with pytest.raises(StepNotYours):
        take(disputed, step, ASSESSOR, reason=WHY, claim_by="minh")
    assert take(disputed, step, ASSESSOR, reason=WHY, claim_by="lan").state is CaseState.ACKNOWLEDGED


def test_more_time_is_given_by_somebody_else_with_a_reason_and_once() -> None:
    with pytest.raises(StepNotYours):
        take(case(), Step.EXTEND, EVERYTHING, reason=WHY)
    with pytest.raises(ReasonMissing):
        take(case(), Step.EXTEND, ASSESSOR)
    hard = take(case(), Step.EXTEND, replace(ASSESSOR, roles=frozenset({Role.LEADER})), reason=WHY)
    assert hard.hard
    with pytest.raises(StepNotPossible):
        take(hard, Step.EXTEND, ASSESSOR, reason=WHY)


@pytest.mark.parametrize("reason", [None, "", "   ", "ngắn", "x" * (REASON_LETTERS_MAX + 1)])
def test_a_claim_without_a_real_reason_is_refused(reason: str | None) -> None:
    with pytest.raises(ReasonMissing):
        take(case(), Step.CLAIM, reason=reason)


def test_a_plan_lies_between_today_and_the_deadline() -> None:
    for day in (None, date(2026, 8, 19), date(2026, 9, 8)):
        with pytest.raises(PlanDayNotValid):
            take(case(), Step.PLAN, planned_on=day)
    late = OPENED + timedelta(days=60)
    assert take(case(), Step.PLAN, at=late, planned_on=late.date()).planned_on == late.date()


def test_an_owner_nobody_named_can_do_nothing() -> None:
    unknown = case(agency="chưa xác định")
    assert steps_open(unknown, replace(OWNER, agency="chưa xác định")) == ()


def test_the_steps_shown_are_the_steps_that_work() -> None:
    for state in CaseState:
        closed_at = OPENED if state in ENDED else None
        it = case(state=state, closed_at=closed_at)
        for officer in (OWNER, ASSESSOR, EVERYTHING):
            shown = steps_open(it, officer)
            for step in Step:
                try:
                    take(it, step, officer, reason=WHY, planned_on=OPENED.date())
                except LienthongError:
                    assert step not in shown, (state, step)
                else:
                    assert step in shown, (state, step)


officers = st.sampled_from(
    [OWNER, ASSESSOR, EVERYTHING, replace(EVERYTHING, agency="G01"), replace(OWNER, agency="H13")]
)
clicks = st.tuples(st.sampled_from(list(Step)), officers, st.integers(0, 40))
counts = st.builds(
    Counts, open=st.integers(1, 5), passed=st.integers(0, 5), withdrawn=st.integers(0, 2), excepted=st.integers(0, 2)
)


@given(st.lists(st.one_of(clicks, counts), max_size=40))
def test_no_sequence_of_steps_and_failing_measurements_closes_a_case(doings: list[object]) -> None:
    it = case()
    at = OPENED
    for doing in doings:
        at += timedelta(hours=1)
        if isinstance(doing, Counts):
            it, _ = measured(it, doing, at=at, again=doing.passed % 2)
        else:
            step, officer, days = doing
            try:
                it = take(it, step, officer, at=at, reason=WHY, planned_on=at.date() + timedelta(days=days))
            except LienthongError:
                continue
        assert it.state not in ENDED
        assert it.closed_at is None


@given(st.lists(clicks, max_size=30), st.integers(1, 9))
def test_a_passing_measurement_closes_a_case_whatever_people_did(doings: list[tuple[Step, Officer, int]], n: int):
    it = case()
    for step, officer, days in doings:
        try:
            it = take(it, step, officer, reason=WHY, planned_on=OPENED.date() + timedelta(days=days))
        except LienthongError:
            continue
    it, events = measured(it, Counts(passed=n), at=OPENED + timedelta(days=1))
    assert (it.state, it.closed_at) == (CaseState.CLOSED, OPENED + timedelta(days=1))
    assert [event.what for event in events] == ["closed"]
    assert all(event.actor is None for event in events)


def test_a_record_that_breaks_again_reopens_a_closed_case_and_counts() -> None:
    closed, _ = measured(case(), Counts(passed=3), at=OPENED)
    again, events = measured(closed, Counts(open=1, passed=3), at=OPENED + timedelta(days=3), again=1)
    assert (again.state, again.reopen_count, again.closed_at) == (CaseState.REOPENED, 1, None)
    assert [event.what for event in events] == ["reopened"]
    twice, _ = measured(again, Counts(passed=4), at=OPENED + timedelta(days=4))
    thrice, _ = measured(twice, Counts(open=1, passed=4), at=OPENED + timedelta(days=5), again=1)
    assert thrice.reopen_count == 2


def test_what_is_only_excepted_is_not_called_closed() -> None:
    ended, events = measured(case(), Counts(passed=2, excepted=1), at=OPENED)
    assert ended.state is CaseState.EXCEPTED
    assert [event.what for event in events] == ["excepted"]
    assert measured(ended, ended.counts, at=OPENED)[1] == ()
    mended, _ = measured(ended, Counts(passed=3), at=OPENED)
    assert mended.state is CaseState.CLOSED


def test_late_and_recurring_cases_step_up() -> None:
    assert urgency(case(), overdue=0, policy=POLICY) is Colour.YELLOW
    assert urgency(case(), overdue=1, policy=POLICY) is Colour.RED
    assert urgency(case(colour=Colour.GREEN, reopen_count=2), overdue=0, policy=POLICY) is Colour.YELLOW
    assert urgency(case(colour=Colour.RED, reopen_count=2), overdue=9, policy=POLICY) is Colour.RED


def test_working_days_overdue_stop_with_the_closing() -> None:
    due = deadlines(case(), calendar=CALENDAR, policy=POLICY)
    assert overdue_workdays(case(), due=due, calendar=CALENDAR, now=datetime(2026, 9, 7, 9, tzinfo=UTC)) == 0
    assert overdue_workdays(case(), due=due, calendar=CALENDAR, now=datetime(2026, 9, 14, 9, tzinfo=UTC)) == 5
    closed = case(closed_at=datetime(2026, 9, 8, tzinfo=UTC))
    assert overdue_workdays(closed, due=due, calendar=CALENDAR, now=datetime(2027, 1, 1, tzinfo=UTC)) == 1


def test_the_queue_begins_with_the_gravest_then_the_soonest_due() -> None:
    young = OPENED + timedelta(days=2)
    queue = [
        case(number=1, colour=Colour.GREEN),
        case(number=2, opened_at=young),
        case(number=3),
        case(number=4, colour=Colour.RED, opened_at=young),
    ]
    lines = most_urgent_first(queue, calendar=CALENDAR, policy=POLICY, now=OPENED)
    assert [line[0].number for line in lines] == [4, 3, 2, 1]


def test_repairs_are_measured_from_the_first_finding_to_the_last_closing() -> None:
    end = datetime(2026, 12, 1, tzinfo=UTC)
    cases = [
        case(number=n, state=CaseState.CLOSED, closed_at=OPENED + timedelta(days=n), counts=Counts(passed=1))
        for n in range(1, 11)
    ]
    cases += [
        case(number=11, state=CaseState.REOPENED, reopen_count=1, reopened_at=OPENED + timedelta(days=2)),
        case(number=12, opened_at=end + timedelta(days=1)),
        case(number=13, agency="G09"),
    ]
    lines = measure_repairs(cases, calendar=CALENDAR, policy=POLICY, since=OPENED, until=end)
    other, own = lines
    assert (other.agency, other.closed, other.repair_days_p50, other.reopen_rate) == ("G09", 0, None, None)
    assert (own.opened, own.closed, own.open_now) == (11, 10, 1)
    assert (own.repair_days_p50, own.repair_days_p90) == (5, 9)
    assert own.reopen_rate == pytest.approx(1 / 11)
    assert (own.overdue, own.overdue_share) == (1, pytest.approx(1 / 11))


def test_closing_late_is_overdue_too() -> None:
    late = case(state=CaseState.CLOSED, closed_at=datetime(2026, 9, 9, tzinfo=UTC), counts=Counts(passed=1))
    (line,) = measure_repairs(
        [late], calendar=CALENDAR, policy=POLICY, since=OPENED, until=datetime(2026, 12, 1, tzinfo=UTC)
    )
    assert (line.overdue, line.overdue_share) == (1, 1)


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.9, 4), (1.0, 4), (0.01, 1)])
def test_a_percentile_is_a_value_that_was_there(share: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], share) == value
    assert percentile([], share) is None


def test_identifiers_are_red_and_every_shipped_code_has_a_class() -> None:
    assert POLICY.colour(Severity.WARNING, identifier=True) is Colour.RED
    assert POLICY.colour(Severity.ERROR, identifier=False) is Colour.YELLOW
    rule = Rule(
        code="CR09",
        criterion=Criterion.CORRECT,
        severity=Severity.ERROR,
        element=None,
        title=Text(vi="a"),
        sentence=Text(vi="a"),
        when="",
        check="",
    )
    assert error_class(rule) is ErrorClass.LOGIC
    assert error_class(replace(rule, over="agreement")) is ErrorClass.MISMATCH
    assert error_class(replace(rule, error_class=ErrorClass.STALE)) is ErrorClass.STALE
    assert error_class(replace(rule, code="XX01")) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("check_workdays: 5", "check_workdays: -1"),
        ("hard_workdays: 15", "hard_workdays: 9"),
        ("blocking: red", "blocking: pink"),
        ("agencies: {}", "agencies: [1]"),
        ("look_up:", "look:"),
        ("version: 1", "version: ["),
    ],
)
def test_a_policy_that_means_nothing_is_refused(old: str, new: str, tmp_path) -> None:
    text = (shipped_folder("dictionary") / "plan" / "repair.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "repair.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RepairPolicyNotValid):
        load_policy(path)


def test_a_policy_gives_owners_the_code_they_act_under(tmp_path) -> None:
    text = (shipped_folder("dictionary") / "plan" / "repair.yaml").read_text(encoding="utf-8")
    path = tmp_path / "repair.yaml"
    path.write_text(text.replace("agencies: {}", 'agencies: {"Sở Tài chính": "H12"}'), encoding="utf-8")
    policy: RepairPolicy = load_policy(path)
    assert (policy.agency_of("Sở Tài chính"), policy.agency_of("Sở khác")) == ("H12", "Sở khác")
