"""The repair loop on a real centre: only a later passing measurement closes a case, and a new finding reopens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import psycopg
import pytest
from centre_opened import Centre, open_centre
from centre_rows import DATASET, DICTIONARY, KEY_RULE, NAME_RULE, NOW, RULES, R, make_batch

from lienthong.adapters.postgres import repair, repair_sync
from lienthong.adapters.postgres.repair import PostgresRepairDesk
from lienthong.adapters.postgres.repair_sync import SyncPlan
from lienthong.dictionary.model import UNKNOWN_VI
from lienthong.oversight.officers import Officer, Role
from lienthong.oversight.repair import CaseState, RepairCase, Step
from lienthong.oversight.repair_desk import CaseFilter, SyncResult, Wish
from lienthong.oversight.repair_refusals import (
    CaseUnknown,
    RecordsNotOfCase,
    RepairNotInstalled,
    StepNotPossible,
    StepNotYours,
)
from lienthong.wiring.repair import sync_plans
from lienthong.wiring.repair_desk import repair_rules
from lienthong.wiring.services import Knowledge

OWNER = "Sở Tài chính tỉnh Cà Mau"
PREFIX = "ca-mau/public.doanh_nghiep"
STEWARD = Officer(name="lan", full_name="Lan", agency=OWNER, roles=frozenset({Role.STEWARD}))
ASSESSOR = Officer(name="minh", full_name="Minh", agency="G09", roles=frozenset({Role.ASSESSOR}))
WHY = "đã đối chiếu với hồ sơ gốc"
LATER = timedelta(minutes=5)
KNOWN = repair_rules()


def rid(number: int) -> str:
    return f"{PREFIX}/{number}"


def plan_at(at: datetime) -> SyncPlan:
    knowledge = Knowledge(
        dictionary=DICTIONARY,
        rule_sets={DATASET: RULES},
        mappings=(),
        plan=None,  # type: ignore[arg-type] # the plan of tasks is not looked at
    )
    (plan,) = sync_plans(knowledge, KNOWN, at=at)
    return replace(plan, owners={PREFIX: OWNER})


@dataclass
class Loop:
    centre: Centre
    url: str
    desk: PostgresRepairDesk
    end: int = 100

    def change(self, *rows: R, at: datetime = NOW) -> None:
        self.end += 10
        moved = [replace(row, at=self.end - 1) for row in rows]
        self.centre.store.apply(make_batch(moved, end=self.end), at=at)

    def sync(self, *, at: datetime = NOW, full: bool = False, plan: SyncPlan | None = None) -> SyncResult:
        (result,) = repair_sync.sync(self.url, password=None, plans=[plan or plan_at(at)], at=at, full=full)
        return result

    def cases(self, **facts: object) -> list[RepairCase]:
        return list(self.desk.cases(CaseFilter(**{"only_open": False, **facts})))[::-1]

    @property
    def only(self) -> RepairCase:
        (case,) = self.cases()
        return case

    def take(self, step: Step, by: Officer = STEWARD, *, at: datetime = NOW, **wish: object) -> RepairCase:
        return self.desk.take(self.only.number, Wish(step=step, by=by, **wish), at=at)

    def whats(self) -> list[str]:
        return [event.what for event in self.desk.case(self.only.number).events]


@pytest.fixture
def loop(make_database: Callable[..., object]) -> Iterator[Loop]:
    database = make_database("repair")
    with open_centre(database.url) as centre:
        officer = database.role("officer")
        repair.install(database.url, password=None, officer_role=database.user_of(officer))
        desk = PostgresRepairDesk(officer, calendar=KNOWN.calendar, policy=KNOWN.policy)
        yield Loop(centre=centre, url=database.url, desk=desk)
        desk.close()


def wrong(number: int, **facts: object) -> R:
    return R(id=rid(number), failed=(NAME_RULE,), key=f"010{number}", **facts)


def right(number: int) -> R:
    return R(id=rid(number), key=f"010{number}", name="Công ty B")


def test_findings_of_one_rule_and_source_are_one_case_of_their_owner(loop: Loop) -> None:
    loop.change(wrong(1), wrong(2), R(id=rid(3), bad=True, key="0103"))
    result = loop.sync()
    assert (result.opened, result.joined) == (2, 3)
    by_rule = {case.rule: case for case in loop.cases()}
    assert {rule: case.counts.open for rule, case in by_rule.items()} == {NAME_RULE: 2, KEY_RULE: 1}
    assert {case.agency for case in by_rule.values()} == {OWNER}
    assert by_rule[KEY_RULE].colour.value == "red"
    assert by_rule[NAME_RULE].state is CaseState.OPEN


def test_syncing_again_adds_nothing(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    before = loop.only
    result = loop.sync(at=NOW + LATER)
    assert (result.opened, result.joined, result.ended, result.reconciled) == (0, 0, 0, False)
    assert loop.only == before


def test_the_first_finding_of_an_empty_centre_is_not_passed_over(loop: Loop) -> None:
    loop.sync()
    loop.change(wrong(1))
    assert loop.sync(at=NOW + LATER).joined == 1


def test_later_finds_join_a_case_that_is_still_being_checked_and_open_another_afterwards(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    loop.change(wrong(2))
    assert loop.sync(at=NOW + timedelta(days=2)).opened == 0
    loop.change(wrong(3))
    assert loop.sync(at=NOW + timedelta(days=15)).opened == 1
    assert [case.counts.open for case in loop.cases()] == [2, 1]


def test_an_owner_nobody_named_is_said_to_be_unknown(loop: Loop) -> None:
    loop.change(R(id="khac/public.t/1", failed=(NAME_RULE,)))
    loop.sync()
    assert loop.only.agency == UNKNOWN_VI
    with pytest.raises(StepNotYours):
        loop.take(Step.ACKNOWLEDGE, replace(STEWARD, agency=UNKNOWN_VI))


def test_a_case_is_closed_by_a_later_passing_measurement_only(loop: Loop) -> None:
    loop.change(wrong(1), wrong(2))
    loop.sync()
    assert loop.take(Step.ACKNOWLEDGE).state is CaseState.ACKNOWLEDGED
    assert loop.take(Step.PLAN, planned_on=date(2026, 11, 30)).state is CaseState.CORRECTING
    assert loop.take(Step.SENT).state is CaseState.AWAITING
    loop.sync(at=NOW + LATER)
    assert loop.only.state is CaseState.AWAITING
    loop.change(right(1), at=NOW + LATER)
    loop.sync(at=NOW + 2 * LATER)
    assert (loop.only.state, loop.only.counts.open, loop.only.counts.passed) == (CaseState.AWAITING, 1, 1)
    loop.change(right(2), at=NOW + 2 * LATER)
    assert loop.sync(at=NOW + 3 * LATER).closed == 1
    assert (loop.only.state, loop.only.closed_at) == (CaseState.CLOSED, NOW + 3 * LATER)
    assert loop.whats() == ["opened", "acknowledge", "plan", "sent", "measured", "closed"]


def test_the_officers_role_cannot_close_a_case_or_rewrite_its_record(loop: Loop, make_database: object) -> None:
    loop.change(wrong(1))
    loop.sync()
    statements = (
        "UPDATE lienthong.repair_case SET closed_at = now(), state = 'closed'",
        "UPDATE lienthong.repair_case SET open_records = 0",
        "UPDATE lienthong.repair_case SET state = 'closed'",
        "UPDATE lienthong.repair_member SET ended = 'passed', ended_at = now()",
        "DELETE FROM lienthong.repair_case",
        "UPDATE lienthong.repair_event SET reason = 'x'",
        "SELECT inner_pad FROM lienthong.repair_secret",
        "SELECT image FROM lienthong.quarantine",
    )
    with psycopg.connect(loop.desk._pool.conninfo, autocommit=True) as connection:
        for statement in statements:
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)):
                connection.execute(statement)
    with psycopg.connect(loop.url, autocommit=True) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("DELETE FROM lienthong.repair_event")


def test_a_case_that_breaks_again_is_reopened_and_counted(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    loop.change(right(1), at=NOW + LATER)
    loop.sync(at=NOW + LATER)
    assert loop.only.state is CaseState.CLOSED
    loop.change(wrong(1), at=NOW + 2 * LATER)
    assert loop.sync(at=NOW + 2 * LATER).reopened == 1
    assert (loop.only.state, loop.only.reopen_count, loop.only.closed_at) == (CaseState.REOPENED, 1, None)
    loop.change(right(1), at=NOW + 3 * LATER)
    loop.sync(at=NOW + 3 * LATER)
    assert (loop.only.state, loop.only.counts.passed) == (CaseState.CLOSED, 2)


def test_a_break_long_after_is_a_new_case(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    loop.change(right(1), at=NOW + LATER)
    loop.sync(at=NOW + LATER)
    late = NOW + timedelta(days=31)
    loop.change(wrong(1), at=late)
    loop.sync(at=late)
    assert [case.state for case in loop.cases()] == [CaseState.CLOSED, CaseState.OPEN]


def test_a_rule_that_could_not_be_evaluated_proves_nothing(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    loop.change(right(1), at=NOW + LATER)
    place = [rule.name for rule in RULES.rules].index(NAME_RULE) + 1
    loop.centre.execute(
        f"UPDATE dataset.doanh_nghiep SET _judgement = overlay(_judgement placing 'e' from {place} for 1)"
    )
    loop.centre.execute(
        "UPDATE lienthong.rule_counter SET passed = passed - 1, not_evaluated = not_evaluated + 1"
        f" WHERE rule = '{NAME_RULE}'"
    )
    loop.sync(at=NOW + LATER)
    assert (loop.only.state, loop.only.counts.open) == (CaseState.OPEN, 1)
    (member,) = loop.desk.members(loop.only.number, limit=10)
    assert member.unproven
    loop.change(wrong(1), at=NOW + 2 * LATER)
    loop.sync(at=NOW + 2 * LATER)
    assert (loop.only.counts.open, loop.only.reopened_records) == (1, 0)
    loop.change(right(1), at=NOW + 3 * LATER)
    loop.sync(at=NOW + 3 * LATER)
    assert loop.only.state is CaseState.CLOSED


def test_a_record_the_source_withdrew_is_counted_apart(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    loop.change(R(id=rid(1), event="CANCEL"), at=NOW + LATER)
    loop.sync(at=NOW + LATER)
    assert (loop.only.state, loop.only.counts.withdrawn, loop.only.counts.passed) == (CaseState.CLOSED, 1, 0)


def test_a_quarantined_record_that_becomes_right_closes_its_case(loop: Loop) -> None:
    loop.change(R(id=rid(1), bad=True))
    loop.sync()
    (member,) = loop.desk.members(loop.only.number, limit=10)
    assert member.quarantined
    loop.change(right(1), at=NOW + LATER)
    loop.sync(at=NOW + LATER)
    assert loop.only.state is CaseState.CLOSED


def test_an_accepted_exception_ends_a_case_without_calling_it_mended(loop: Loop) -> None:
    loop.change(wrong(1), wrong(2))
    loop.sync()
    loop.take(Step.CLAIM, reason=WHY, records=(rid(1),))
    assert loop.only.state is CaseState.DISPUTED
    with pytest.raises(StepNotYours):
        loop.take(Step.ACCEPT, replace(ASSESSOR, agency=OWNER), reason=WHY)
    loop.take(Step.ACCEPT, ASSESSOR, reason=WHY)
    loop.sync(at=NOW + LATER)
    assert (loop.only.state, loop.only.counts.open, loop.only.counts.excepted) == (CaseState.ACKNOWLEDGED, 1, 1)
    loop.change(right(2), at=NOW + 2 * LATER)
    loop.sync(at=NOW + 2 * LATER)
    assert loop.only.state is CaseState.EXCEPTED
    # The record changes and breaks the same rule of the same version: still the exception, still visible.
    loop.change(right(1), at=NOW + 3 * LATER)
    loop.sync(at=NOW + 3 * LATER)
    assert loop.only.state is CaseState.CLOSED
    loop.change(wrong(1), at=NOW + 4 * LATER)
    loop.sync(at=NOW + 4 * LATER)
    assert (loop.only.state, loop.only.counts.excepted) == (CaseState.EXCEPTED, 1)


def test_a_new_version_of_the_rule_ends_an_exception(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    loop.take(Step.CLAIM, reason=WHY)
    loop.take(Step.ACCEPT, ASSESSOR, reason=WHY)
    loop.sync(at=NOW + LATER)
    assert loop.only.state is CaseState.EXCEPTED
    plan = plan_at(NOW + 2 * LATER)
    changed = replace(plan, rules=tuple(replace(rule, version=2) for rule in plan.rules))
    loop.sync(at=NOW + 2 * LATER, plan=changed)
    assert (loop.only.state, loop.only.counts.open, loop.only.reopen_count) == (CaseState.REOPENED, 1, 0)


def test_a_rejected_claim_goes_on_with_its_clock(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    opened_at = loop.only.opened_at
    loop.take(Step.CLAIM, reason=WHY)
    loop.take(Step.REJECT, ASSESSOR, reason=WHY)
    assert (loop.only.state, loop.only.opened_at) == (CaseState.ACKNOWLEDGED, opened_at)
    (claim,) = loop.desk.case(loop.only.number).claims
    assert (claim.accepted, claim.decided_by) == (False, "minh")
    loop.take(Step.CLAIM, reason="lần hai: " + WHY)  # a second claim is possible after the first was decided


def test_a_claim_nobody_decided_lapses_when_the_case_closes(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    loop.take(Step.CLAIM, reason=WHY)
    loop.change(right(1), at=NOW + LATER)
    loop.sync(at=NOW + LATER)
    assert loop.only.state is CaseState.CLOSED
    with pytest.raises(StepNotPossible):
        loop.take(Step.ACCEPT, ASSESSOR, reason=WHY)
    loop.change(wrong(1), at=NOW + 2 * LATER)
    loop.sync(at=NOW + 2 * LATER)
    assert loop.take(Step.CLAIM, reason=WHY).state is CaseState.DISPUTED


def test_a_claim_names_records_that_are_open_in_the_case(loop: Loop) -> None:
    loop.change(wrong(1))
    loop.sync()
    with pytest.raises(RecordsNotOfCase):
        loop.take(Step.CLAIM, reason=WHY, records=(rid(1), rid(9)))
    assert loop.only.state is CaseState.OPEN
    assert loop.whats() == ["opened"]


def test_a_closing_the_watermark_missed_is_found_by_counting(loop: Loop) -> None:
    loop.change(wrong(1), wrong(2))
    loop.sync()
    loop.change(right(2), at=NOW + timedelta(hours=5))
    loop.sync(at=NOW + timedelta(hours=5))
    loop.change(right(1), at=NOW + LATER)  # a clock that was set back
    result = loop.sync(at=NOW + timedelta(hours=6))
    assert result.reconciled
    assert loop.only.state is CaseState.CLOSED


def test_a_full_pass_agrees_with_the_small_ones(loop: Loop) -> None:
    loop.change(*(wrong(n) for n in range(1, 8)))
    loop.sync()
    loop.change(right(1), right(2), at=NOW + LATER)
    loop.sync(at=NOW + LATER)
    before = loop.only
    result = loop.sync(at=NOW + 2 * LATER, full=True)
    assert (result.joined, result.ended, loop.only) == (0, 0, before)


def test_members_come_in_pages(loop: Loop) -> None:
    loop.change(*(wrong(n) for n in range(1, 6)))
    loop.sync()
    first = loop.desk.members(loop.only.number, limit=3)
    rest = loop.desk.members(loop.only.number, after=first[-1].finding, limit=10)
    assert [member.record_id for member in (*first, *rest)] == [rid(n) for n in range(1, 6)]


def test_a_number_nobody_gave_is_unknown(loop: Loop) -> None:
    for number in (0, -1, 7, 2**70):
        with pytest.raises(CaseUnknown):
            loop.desk.case(number)


def test_without_its_tables_the_loop_says_what_to_run(make_database: Callable[..., object]) -> None:
    database = make_database("repair")
    with open_centre(database.url):
        desk = PostgresRepairDesk(database.url, calendar=KNOWN.calendar, policy=KNOWN.policy)
        with pytest.raises(RepairNotInstalled):
            desk.cases(CaseFilter())
        desk.close()
