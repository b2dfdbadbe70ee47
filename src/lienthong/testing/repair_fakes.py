"""A repair desk in memory, with the same state machine and no other opinion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from lienthong.check.verdict import ErrorClass
from lienthong.errors import LienthongError
from lienthong.oversight.repair import (
    CaseEvent,
    CaseKind,
    CaseState,
    Claim,
    Counts,
    Doing,
    Happening,
    RepairCase,
    Step,
    act,
    deadlines,
    measured,
)
from lienthong.oversight.repair_desk import CaseFilter, CaseMember, CaseView, Look, Wish
from lienthong.oversight.repair_policy import Colour, RepairRules
from lienthong.oversight.repair_refusals import CaseUnknown, RecordsNotOfCase, StepNotPossible
from lienthong.testing.fakes import CITIZENS, MOMENT


def small_case(**facts: object) -> RepairCase:
    """Return an open case of three records, changed as a test wants it."""
    case = RepairCase(
        number=7,
        kind=CaseKind.DATA,
        agency="H12",
        dataset=CITIZENS,
        rule="CL02:so_dinh_danh",
        element="so_dinh_danh",
        source="ca-mau",
        error_class=ErrorClass.FORMAT,
        colour=Colour.RED,
        state=CaseState.OPEN,
        found_at=MOMENT,
        opened_at=MOMENT,
        check_workdays=5,
        correct_workdays=5,
        hard_workdays=15,
        counts=Counts(open=3),
    )
    return replace(case, **facts)  # type: ignore[arg-type] # facts of a test


def small_members(number: int, *, start: int = 1) -> list[CaseMember]:
    """Return records of a case."""
    return [
        CaseMember(
            finding=start + place,
            record_id=f"ca-mau/public.nhan_khau/{start + place}",
            observed="096•••••••12",
            opened_at=MOMENT,
            ended_at=None,
            ended=None,
            unproven=False,
            claimed=False,
            excepted=False,
            quarantined=place == 0,
        )
        for place in range(number)
    ]


@dataclass(kw_only=True)
class FakeRepairDesk:
    """A ``RepairDesk`` over cases a test sets; ``failure`` is raised by every question while it is set."""

    rules: RepairRules
    held: dict[int, RepairCase] = field(default_factory=dict)
    records: dict[int, list[CaseMember]] = field(default_factory=dict)
    lines: list[CaseEvent] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    looks: dict[int, tuple[Look, ...]] = field(default_factory=dict)
    failure: LienthongError | None = None

    def hold(self, case: RepairCase) -> RepairCase:
        """Keep a case with its records and its first line."""
        self.held[case.number] = case
        self.records[case.number] = small_members(case.counts.open, start=100 * case.number)
        self.lines.append(
            CaseEvent(
                case=case.number,
                at=case.opened_at,
                what=Happening.OPENED.value,
                before=None,
                after=CaseState.OPEN,
                facts={"records": case.counts.total},
            )
        )
        return case

    def measure(self, number: int, counts: Counts, *, at: datetime, again: int = 0) -> RepairCase:
        """Do what the platform does after a measurement."""
        after, events = measured(self.held[number], counts, at=at, again=again)
        self.held[number] = after
        self.lines += events
        return after

    def cases(self, wanted: CaseFilter) -> Sequence[RepairCase]:
        """Return cases, newest first."""
        self._answer()
        found = [
            case
            for case in self.held.values()
            if wanted.agency in {None, case.agency}
            and wanted.dataset in {None, case.dataset}
            and wanted.kind in {None, case.kind}
            and wanted.state in {None, case.state}
            and (case.is_open or wanted.state is not None or not wanted.only_open)
            and (wanted.opened_since is None or case.opened_at >= wanted.opened_since)
            and (wanted.ended_since is None or case.closed_at is None or case.closed_at >= wanted.ended_since)
        ]
        return sorted(found, key=lambda case: -case.number)

    def case(self, number: int) -> CaseView:
        """Return a case with its record."""
        self._answer()
        if number not in self.held:
            raise CaseUnknown(number=number)
        return CaseView(
            case=self.held[number],
            events=tuple(line for line in self.lines if line.case == number),
            claims=tuple(claim for claim in self.claims if claim.case == number),
            looks=self.looks.get(number, ()),
        )

    def members(self, number: int, *, after: int = 0, limit: int, only_open: bool = True) -> Sequence[CaseMember]:
        """Return records of a case in the order of their findings, from behind one of them."""
        self._answer()
        found = [
            member
            for member in self.records.get(number, [])
            if member.finding > after and (member.ended_at is None or not only_open)
        ]
        return found[:limit]

    def take(self, number: int, wish: Wish, *, at: datetime) -> RepairCase:
        """Take a step and return the case after it."""
        case = self.case(number).case
        claim = next((each for each in self.claims if each.case == number and each.decided_at is None), None)
        due = deadlines(case, calendar=self.rules.calendar, policy=self.rules.policy)
        doing = Doing(step=wish.step, by=wish.by, at=at, reason=wish.reason, planned_on=wish.planned_on)
        after, event = act(case, doing, due=due, claim_by=None if claim is None else claim.actor)
        if wish.step is Step.CLAIM:
            self._claim(case, wish, at=at)
        if wish.step in {Step.ACCEPT, Step.REJECT}:
            if claim is None:
                raise StepNotPossible(number=case.name, state=case.state.value, step=wish.step.value)
            self.claims[self.claims.index(claim)] = replace(
                claim,
                decided_at=at,
                decided_by=wish.by.name,
                decided_agency=wish.by.agency,
                accepted=wish.step is Step.ACCEPT,
                decision_reason=wish.reason,
            )
        self.held[number] = after
        self.lines.append(event)
        return after

    def _claim(self, case: RepairCase, wish: Wish, *, at: datetime) -> None:
        known = {member.record_id for member in self.records.get(case.number, []) if member.ended_at is None}
        strange = set(wish.records) - known
        if strange:
            raise RecordsNotOfCase(number=case.name, count=len(strange))
        self.claims.append(
            Claim(
                number=len(self.claims) + 1,
                case=case.number,
                at=at,
                actor=wish.by.name,
                agency=wish.by.agency,
                reason=(wish.reason or "").strip(),
                records=len(wish.records) or max(1, len(known)),
                rule_version=wish.rule_version,
            )
        )

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure
