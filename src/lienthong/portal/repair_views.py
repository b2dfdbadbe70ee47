"""The steward's queue and the pages of repair cases (hàng đợi sửa dữ liệu).

An agency's stewards see its own cases; assessors and leaders see all. No page and no form closes a case.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lienthong.check.verdict import Rule
from lienthong.dictionary.model import UNKNOWN_VI, DatasetId
from lienthong.errors import LienthongError
from lienthong.oversight.officers import Role
from lienthong.oversight.repair import (
    CaseKind,
    CaseState,
    Deadlines,
    RepairCase,
    Step,
    most_urgent_first,
    owns,
    steps_open,
    today_of,
)
from lienthong.oversight.repair_desk import CaseFilter, CaseMember, CaseView, RepairDesk, Wish
from lienthong.oversight.repair_measures import RepairMeasure, measure_repairs
from lienthong.oversight.repair_policy import Colour, RepairRules
from lienthong.oversight.repair_refusals import CaseUnknown
from lienthong.portal import repair_words as words
from lienthong.portal.guard import asks, may, signed_in
from lienthong.portal.services import services
from lienthong.portal.words import Word
from lienthong.wiring.repair_files import case_workbook, rule_of

CASES_SHOWN: Final = 200
MEMBERS_SHOWN: Final = 50
PERIOD_DAYS: Final = 92
BULK_MAX: Final = 200
REASON_LETTERS_MAX: Final = 2_000
WATCHERS: Final = (Role.ASSESSOR, Role.LEADER)
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_REFUSALS_SHOWN: Final = frozenset(words.REFUSED)

log = logging.getLogger("lienthong.portal")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A case as the queue shows it."""

    case: RepairCase
    title: str
    dataset_vi: str
    due: Deadlines
    overdue: int
    level: Colour
    state_word: Word
    level_word: Word
    mine: bool


def given() -> tuple[RepairDesk, RepairRules]:
    """Return the desk of this installation.

    Raises:
        Http404: it has none.
    """
    desk: RepairDesk | None = getattr(services(), "repairs", None)
    rules: RepairRules | None = getattr(services(), "repair_rules", None)
    if desk is None or rules is None:
        raise Http404
    return desk, rules


@require_safe
@asks(Role.STEWARD, *WATCHERS)
def queue(request: HttpRequest) -> HttpResponse:
    """Show the cases of one's agency, or all to those who watch, the most urgent first."""
    desk, rules = given()
    officer, now = signed_in(request), services().clock.now()
    watches = may(request, *WATCHERS)
    agency = _chosen(request, "co-quan") if watches else officer.agency
    wanted = CaseFilter(
        agency=agency,
        dataset=None if (dataset := _chosen(request, "bo-du-lieu")) is None else DatasetId(dataset),
        state=_state(request),
        only_open=request.GET.get("trang-thai") != "tat-ca",
    )
    found = _lines(request, desk.cases(wanted), rules, now=now)
    level = _chosen(request, "muc")
    lines = [line for line in found if level in {None, line.level.value}]
    begin = now - timedelta(days=PERIOD_DAYS)
    every = desk.cases(CaseFilter(agency=agency, only_open=False, ended_since=begin))
    return render(
        request,
        "portal/sua-du-lieu/queue.html",
        {
            "nav": "repairs",
            "lines": lines[:CASES_SHOWN],
            "found": len(lines),
            "watches": watches,
            "agency": agency,
            "chosen": request.GET,
            "levels": [(colour.value, words.LEVEL[colour]) for colour in Colour],
            "states": [(state.value, words.STATE[state]) for state in CaseState],
            "datasets": sorted((name, each.label.vi) for name, each in services().dictionary.datasets.items()),
            "agencies": sorted({case.agency for case in every}),
            "may_acknowledge": any(
                line.mine and line.case.state in {CaseState.OPEN, CaseState.REOPENED} for line in lines
            ),
            "overdue": sum(1 for line in lines if line.overdue),
            "measures": _measures(every, rules, begin=begin, now=now),
            "period_days": PERIOD_DAYS,
            "done": _done(request),
        },
    )


@require_POST
@asks(Role.STEWARD)
def acknowledge(request: HttpRequest) -> HttpResponse:
    """Take several cases on at once; those that cannot be are left as they are and counted."""
    desk, _ = given()
    officer, now = signed_in(request), services().clock.now()
    taken = left = 0
    for text in request.POST.getlist("phieu")[:BULK_MAX]:
        if not text.isascii() or not text.isdecimal():
            continue
        try:
            desk.take(int(text), Wish(step=Step.ACKNOWLEDGE, by=officer), at=now)
            taken += 1
        except LienthongError as error:
            if error.code not in {*_REFUSALS_SHOWN, CaseUnknown.code}:
                raise
            left += 1
    log.info("portal.repair.acknowledged agency=%s taken=%d left=%d", officer.agency, taken, left)
    return _see(f"{reverse('repairs')}?xong={taken}&con={left}")


@require_safe
@asks(Role.STEWARD, *WATCHERS)
def case(request: HttpRequest, number: int) -> HttpResponse:
    """Show one case with its record and what may follow."""
    return _page(request, number, done=_chosen(request, "xong") or "")


@require_POST
@asks(Role.STEWARD, *WATCHERS)
def step(request: HttpRequest, number: int, act: str) -> HttpResponse:
    """Take a step, or show the case again with what was refused and what was typed."""
    desk, _ = given()
    wanted = words.STEP_OF.get(act)
    if wanted is None:
        raise Http404
    seen = _seen(request, desk, number)
    officer, now = signed_in(request), services().clock.now()
    rule = rule_of(seen.case, services().rule_sets)
    wish = Wish(
        step=wanted,
        by=officer,
        reason=request.POST.get("ly-do", "")[: REASON_LETTERS_MAX + 1] or None,
        planned_on=_day(request.POST.get("ngay", "")),
        records=tuple(request.POST.get("ban-ghi", "").split())[:BULK_MAX],
        rule_version=1 if rule is None else rule.version,
    )
    try:
        desk.take(number, wish, at=now)
    except LienthongError as error:
        if error.code not in _REFUSALS_SHOWN:
            raise
        log.info("portal.repair.refused code=%s step=%s", error.code, wanted.value)
        return _page(request, number, refused=error.code, at=wanted, status=409)
    log.info("portal.repair.taken step=%s agency=%s", wanted.value, officer.agency)
    return _see(f"{reverse('repair', args=[number])}?xong={act}")


@require_safe
@asks(Role.STEWARD, *WATCHERS)
def workbook(request: HttpRequest, number: int) -> HttpResponse:
    """Give the open records of a case as a workbook, values masked."""
    desk, rules = given()
    seen = _seen(request, desk, number)
    content = case_workbook(
        desk,
        number,
        rules=rules,
        dictionary=services().dictionary,
        rule_sets=services().rule_sets,
        at=services().clock.now(),
    )
    log.info("portal.repair.exported agency=%s records=%d", signed_in(request).agency, seen.case.counts.open)
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{seen.case.name}.xlsx"'
    return response


def _page(
    request: HttpRequest,
    number: int,
    *,
    done: str = "",
    refused: str | None = None,
    at: Step | None = None,
    status: int = 200,
) -> HttpResponse:
    desk, rules = given()
    view, now = _seen(request, desk, number), services().clock.now()
    (line,) = _lines(request, [view.case], rules, now=now)
    rule = rule_of(view.case, services().rule_sets)
    members: Sequence[CaseMember] = desk.members(number, limit=MEMBERS_SHOWN, only_open=False)
    open_claim = next((each for each in view.claims if each.decided_at is None and each.lapsed_at is None), None)
    officer = signed_in(request)
    forms = [
        (each, words.SLUG[each], words.EVENT[each.value], words.EXPLAIN[each], each in words.WITH_REASON)
        for each in steps_open(view.case, officer)
        if not (each is Step.EXTEND and view.case.hard)
        and not (each in {Step.ACCEPT, Step.REJECT} and open_claim is not None and open_claim.actor == officer.name)
    ]
    return render(
        request,
        "portal/sua-du-lieu/case.html",
        {
            "nav": "repairs",
            "line": line,
            "case": view.case,
            "rule": rule,
            "basis": UNKNOWN_VI if rule is None or rule.basis is None else rule.basis,
            "class_vi": words.CLASS[view.case.error_class],
            "is_look_up": view.case.kind is CaseKind.LOOK_UP,
            "looks": view.looks,
            "members": [(member, words.ENDED.get(member.ended or "")) for member in members],
            "events": [_event(event) for event in reversed(view.events)],
            "claims": view.claims,
            "forms": forms,
            "typed": request.POST if refused else {},
            "at": at,
            "refused": None if refused is None else words.REFUSED[refused],
            "done": words.EVENT[words.STEP_OF[done].value] if done in words.STEP_OF else None,
            "today": today_of(now),
            "reason_max": REASON_LETTERS_MAX,
        },
        status=status,
    )


def _seen(request: HttpRequest, desk: RepairDesk, number: int) -> CaseView:
    """Return a case this officer may see; of the others nobody learns that they exist."""
    try:
        view = desk.case(number)
    except CaseUnknown as cause:
        raise Http404 from cause
    if not (owns(signed_in(request), view.case) or may(request, *WATCHERS)):
        raise Http404
    return view


def _lines(request: HttpRequest, cases: Sequence[RepairCase], rules: RepairRules, *, now: datetime) -> list[Line]:
    officer = signed_in(request)
    lines = []
    for each, due, late, level in most_urgent_first(cases, calendar=rules.calendar, policy=rules.policy, now=now):
        dataset = services().dictionary.datasets.get(each.dataset)
        lines.append(
            Line(
                case=each,
                title=_title(each, rule_of(each, services().rule_sets)),
                dataset_vi=each.dataset if dataset is None else dataset.label.vi,
                due=due,
                overdue=late,
                level=level,
                state_word=words.STATE[each.state],
                level_word=words.LEVEL[level],
                mine=owns(officer, each),
            )
        )
    return lines


def _title(each: RepairCase, rule: Rule | None) -> str:
    return words.LOOK_UP.get(each.rule, each.rule) if rule is None else rule.sentence.vi


def _event(event: Any) -> dict[str, object]:
    facts = [f"{words.FACT.get(name, name)}: {value}" for name, value in event.facts.items()]
    return {
        "at": event.at,
        "what": words.EVENT.get(event.what, event.what),
        "after": words.STATE[event.after],
        "who": event.actor,
        "agency": event.agency,
        "reason": event.reason,
        "facts": "; ".join(facts),
    }


def _measures(
    cases: Sequence[RepairCase], rules: RepairRules, *, begin: datetime, now: datetime
) -> Sequence[RepairMeasure]:
    return measure_repairs(cases, calendar=rules.calendar, policy=rules.policy, since=begin, until=now)


def _chosen(request: HttpRequest, name: str) -> str | None:
    text = request.GET.get(name, "").strip()
    return text[:200] or None


def _state(request: HttpRequest) -> CaseState | None:
    wanted = request.GET.get("trang-thai", "")
    return next((state for state in CaseState if state.value == wanted), None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _done(request: HttpRequest) -> Mapping[str, int] | None:
    taken, left = request.GET.get("xong", ""), request.GET.get("con", "")
    if not (taken.isdecimal() and left.isdecimal() and len(taken + left) < 10):  # noqa: PLR2004 - counts of a form
        return None
    return {"taken": int(taken), "left": int(left)}


def _see(where: str) -> HttpResponse:
    response = HttpResponseRedirect(where)
    response.status_code = 303
    return response
