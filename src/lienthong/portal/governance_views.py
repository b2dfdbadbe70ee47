"""Pages on which officers propose, review, consult, approve, reject and end items (quản trị từ điển).

The rules are those of ``lienthong.wiring.governance``; these views name the officer and show what was refused.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import date
from functools import wraps
from hashlib import sha256
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lienthong.dictionary.changes import Impact
from lienthong.dictionary.governance import ENDED, OPEN, ItemKey
from lienthong.dictionary.governance_refusals import RegisterFault, RegisterUnreachable, TaskUnknown, VersionTooLow
from lienthong.dictionary.load import load
from lienthong.dictionary.model import Element, ElementId, Ref, Status
from lienthong.dictionary.proposals import needed_version
from lienthong.errors import LienthongError
from lienthong.oversight.officers import Role
from lienthong.portal import governance_form
from lienthong.portal.governance_desk import (
    act_called,
    acting,
    event_lines,
    governing_desk,
    item_lines,
    names,
    person,
    road,
    steps,
)
from lienthong.portal.governance_words import in_words
from lienthong.portal.guard import GOVERNING, View, asks, may, register, role_missing, signed_in
from lienthong.portal.services import services, set_services
from lienthong.wiring.governance import Decision, Desk, approve, consult, reject, retire, review, supersede
from lienthong.wiring.officers import portal_settings
from lienthong.wiring.review_tasks import (
    item_events,
    next_release,
    open_draft,
    problems_of,
    propose_files,
    renewed,
    task_file,
    task_lines,
)
from lienthong.wiring.services import Services

FILE_BYTES_MAX: Final = 4_000_000  # of one file that is proposed
DONE: Final[Mapping[str, str]] = {
    "de-xuat": "Đã ghi nhận đề xuất. Người đọc từ điển chưa thấy gì cho tới khi được phê duyệt.",
    "ra-soat": "Đã ghi nhận rà soát.",
    "tham-van": "Đã ghi nhận kết quả tham vấn.",
    "phe-duyet": "Đã phê duyệt & đăng ký.",
    "tu-choi": "Đã từ chối; đề xuất không còn hiệu lực.",
    "ket-thuc": "Đã ghi nhận quyết định.",
}
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}(\.(aliases|conversion|history))?\.(yaml|csv)")
_WANTED: Final = re.compile(r"(data-element|value-domain|code-list|dataset)/([A-Za-z0-9_-]{1,100})")
_REF: Final = re.compile(r"([A-Za-z0-9_-]{1,100})@([0-9]+\.[0-9]+\.[0-9]+)")

log = logging.getLogger("lienthong.portal")


def at_desk(view: View) -> View:
    """Hand a view the desk of this installation, or say why there is none."""

    @wraps(view)
    def seated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        desk = governing_desk()
        if desk is None:
            return render(request, "portal/de-xuat/no_desk.html", {"nav": "proposals"}, status=409)
        return view(request, desk, *args, **kwargs)

    return seated


@require_safe
@asks(*GOVERNING)
@at_desk
def proposals(request: HttpRequest, desk: Desk) -> HttpResponse:
    """List the review tasks: those that wait, or all of one state."""
    lines, people = task_lines(desk), names()
    counts = {status: sum(line.status is status for line in lines) for status in Status}
    wanted = request.GET.get("tinh-trang", "")
    chosen = next((status for status in Status if status.value == wanted), None)
    everything = wanted == "tat-ca"
    shown = [
        line for line in lines if everything or (line.status is chosen if chosen is not None else line.status in OPEN)
    ]
    return render(
        request,
        "portal/de-xuat/list.html",
        {
            "nav": "proposals",
            "tasks": [(line, person(line.actor, people)) for line in shown],
            "open_count": sum(line.status in OPEN for line in lines),
            "all_count": len(lines),
            "states": [(status.value, count) for status, count in counts.items() if count],
            "chosen": "tat-ca" if everything else ("" if chosen is None else chosen.value),
            "may_propose": may(request, Role.PROPOSER),
            "may_end": may(request, Role.APPROVER),
        },
    )


@require_safe
@asks(*GOVERNING)
@at_desk
def proposal(request: HttpRequest, desk: Desk, number: int) -> HttpResponse:
    """Show one task: what it changes, what was done, and the next step."""
    return _task_page(request, desk, number)


def _task_page(
    request: HttpRequest,
    desk: Desk,
    number: int,
    *,
    refused: LienthongError | None = None,
    at: str = "",
    status: int = 200,
) -> HttpResponse:
    try:
        file = task_file(desk, number)
    except TaskUnknown as cause:
        raise Http404 from cause
    accounts, people, officer = register(), names(), signed_in(request)
    assert accounts is not None, "somebody is signed in"
    view = file.view
    return render(
        request,
        "portal/de-xuat/task.html",
        {
            "nav": "proposals",
            "task": view.task,
            "status": view.status.value,
            "proposer": person(view.task.actor, people),
            "road": [(status.value, behind) for status, behind in road(file.events)],
            "events": event_lines(file.events, people),
            "items": item_lines(file),
            "steps": steps(officer, status=view.status, proposer=view.task.actor, everybody=accounts.officers()),
            "done": DONE.get(request.GET.get("xong", "")),
            "refused": refused,
            "refused_words": None if refused is None else in_words(refused),
            "refused_problems": () if refused is None else [str(each) for each in problems_of(refused)],
            "at": at,
            "typed": request.POST if refused is not None else {},
            "today": desk.today,
        },
        status=status,
    )


@require_POST
@asks(*GOVERNING)
@at_desk
def decide(request: HttpRequest, desk: Desk, number: int, act: str) -> HttpResponse:
    """Take a step on a task, by the rules of governance; who may is asked again there."""
    wanted, officer = act_called(act), signed_in(request)
    if wanted is None:
        raise Http404
    try:
        own = task_file(desk, number).view.task.actor == officer.name
    except TaskUnknown as cause:
        raise Http404 from cause
    if not may(request, *wanted.roles) and not (own and wanted.after is Status.REJECTED):
        return role_missing(request, wanted.roles)
    note, who = _words(request, "ghi-chu"), acting(officer)
    try:
        if wanted.after is Status.REVIEW:
            review(desk, str(number), who=who, note=note)
        elif wanted.after is Status.CONSULTATION:
            consult(desk, str(number), who=who, outcome=note or "")
        elif wanted.after is Status.REJECTED:
            reject(desk, str(number), who=who, reason=note)
        else:
            outcome = approve(desk, str(number), who=who, decision=_decision(request, note))
            _renew(outcome.published)
    except (RegisterUnreachable, RegisterFault):
        raise
    except LienthongError as error:
        log.info("portal.proposal.refused code=%s act=%s", error.code, wanted.after.value)
        return _task_page(request, desk, number, refused=error, at=act, status=409)
    log.info("portal.proposal.moved task=%s after=%s agency=%s", number, wanted.after.value, officer.agency)
    return _see(reverse("proposal", args=[number]) + f"?xong={act}")


def _words(request: HttpRequest, name: str) -> str | None:
    """Return a text of a form on one line; None where nothing was typed."""
    return " ".join(request.POST.get(name, "").split()) or None


def _decision(request: HttpRequest, note: str | None) -> Decision:
    written = request.POST.get("hieu-luc", "")
    try:
        effective = date.fromisoformat(written) if written else None
    except ValueError:
        effective = None  # the core says that the day is missing
    given = request.FILES.get("tep-quyet-dinh")
    return Decision(
        reason=note,
        number=_words(request, "so-quyet-dinh"),
        file_hash=None if given is None else sha256(given.read()).hexdigest(),
        effective=effective,
    )


def _renew(published: tuple[str, ...]) -> None:
    """Read the dictionary again once something of it was published."""
    given = services()
    if not published or not isinstance(given, Services):
        return
    try:
        set_services(renewed(given))
    except LienthongError as error:
        # What was decided stands; the pages go on with what they had until the portal is started again.
        log.warning("portal.dictionary.not_renewed code=%s", error.code)


def _see(path: str) -> HttpResponse:
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Role.PROPOSER)
@at_desk
def propose_form(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Propose a new term or a new version of one by its 25 descriptors."""
    dictionary = load(desk.folder)  # not what readers see: the folder may be ahead of the last release
    name = ElementId(request.POST.get("truoc", "") or request.GET.get("phan-tu", ""))
    before = dictionary.elements.get(name)
    if name and before is None:
        raise Http404
    if request.method != "POST":
        values = governance_form.blank() if before is None else _next_version(before)
        return _form_page(request, before, values, opened=None if before is None else _opened(desk, name))
    values = {field.name: request.POST.get(field.name, "") for field in governance_form.FIELDS}
    text, problems = governance_form.as_file(values, before)
    reason = _words(request, "ly-do")
    if reason is None:
        problems["ly-do"] = ["không được để trống"]
    item = " ".join(values["id"].split())
    if not problems and not _FILE_NAME.fullmatch(f"{item}.yaml"):
        problems["id"] = ["chỉ gồm chữ cái không dấu, chữ số, '-' và '_'"]
    if problems or reason is None:
        return _form_page(request, before, values, problems=problems, status=400)
    return _propose(request, desk, {f"{item}.yaml": text.encode()}, reason, form=(before, values, text))


def _next_version(before: Element) -> dict[str, str]:
    """Return the form filled with an element; what was approved gets a version of its own."""
    version = before.identity.version
    if before.identity.status is not Status.PROPOSED:
        version = needed_version(version, Impact.EDITORIAL)
    return governance_form.filled(before, version=version)


def _opened(desk: Desk, name: str) -> int | None:
    event = open_draft(desk, ItemKey(kind="data-element", id=name))
    return None if event is None else event.task


def _form_page(
    request: HttpRequest,
    before: Element | None,
    values: Mapping[str, str],
    *,
    problems: Mapping[str, list[str]] | None = None,
    rest: tuple[str, ...] = (),
    refused: LienthongError | None = None,
    opened: int | None = None,
    status: int = 200,
) -> HttpResponse:
    found = problems or {}
    return render(
        request,
        "portal/de-xuat/form.html",
        {
            "nav": "proposals",
            "before": before,
            "fields": governance_form.shown(services().dictionary, values, found),
            "reason": request.POST.get("ly-do", ""),
            "reason_problems": found.get("ly-do", ()),
            "with_related": request.method != "POST" or "kem" in request.POST,
            "rest": rest,
            "refused": refused,
            "refused_words": None if refused is None else in_words(refused),
            "count": sum(len(each) for each in found.values()) + len(rest),
            "opened": opened,
        },
        status=status,
    )


def _propose(
    request: HttpRequest,
    desk: Desk,
    files: Mapping[str, bytes],
    reason: str,
    *,
    form: tuple[Element | None, Mapping[str, str], str] | None = None,
) -> HttpResponse:
    """Hand files to governance; go to the task, or back to the form with what was refused."""
    officer = signed_in(request)
    try:
        outcome = propose_files(desk, files, who=acting(officer), reason=reason, with_related="kem" in request.POST)
    except (RegisterUnreachable, RegisterFault):
        raise
    except LienthongError as error:
        log.info("portal.proposal.refused code=%s act=propose", error.code)
        if form is None:
            return _upload_page(request, refused=error, status=409)
        before, values, text = form
        beside, rest = governance_form.beside_fields(text, problems_of(error))
        if isinstance(error, VersionTooLow):
            beside.setdefault("version", []).append(f"số nhỏ nhất được nhận là {error.facts['needed']}")
        return _form_page(request, before, values, problems=beside, rest=tuple(rest), refused=error, status=409)
    log.info("portal.proposal.made task=%s agency=%s", outcome.task, officer.agency)
    return _see(reverse("proposal", args=[outcome.task]) + "?xong=de-xuat")


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Role.PROPOSER)
@at_desk
def propose_upload(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Propose items by their files."""
    if request.method != "POST":
        return _upload_page(request)
    files: dict[str, bytes] = {}
    problems: list[str] = []
    for given in request.FILES.getlist("tep"):
        name = given.name or ""
        if not _FILE_NAME.fullmatch(name):
            problems.append(
                "có tệp tên không hợp lệ: chỉ nhận .yaml và .csv, tên gồm chữ cái không dấu, số, '-', '_'"
            )
        elif (given.size or 0) > FILE_BYTES_MAX:
            problems.append(f"{name}: lớn hơn {FILE_BYTES_MAX // 1_000_000} MB")
        elif name in files:
            problems.append(f"{name}: được gửi hai lần")
        else:
            files[name] = given.read()
    reason = _words(request, "ly-do")
    if not files and not problems:
        problems.append("chưa chọn tệp nào, hoặc tệp quá lớn")
    if reason is None:
        problems.append("lý do không được để trống")
    if problems or reason is None:
        return _upload_page(request, problems=tuple(problems), status=400)
    return _propose(request, desk, files, reason)


def _upload_page(
    request: HttpRequest,
    *,
    problems: tuple[str, ...] = (),
    refused: LienthongError | None = None,
    status: int = 200,
) -> HttpResponse:
    listed = [str(each) for each in problems_of(refused)] if refused is not None else []
    return render(
        request,
        "portal/de-xuat/upload.html",
        {
            "nav": "proposals",
            "problems": [*problems, *listed],
            "refused": refused,
            "refused_words": None if refused is None else in_words(refused),
            "reason": request.POST.get("ly-do", ""),
            "with_related": request.method != "POST" or "kem" in request.POST,
            "largest_mb": FILE_BYTES_MAX // 1_000_000,
        },
        status=status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Role.APPROVER)
@at_desk
def end_item(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Retire an approved item, or let another take its place."""
    wanted = " ".join((request.POST.get("muc") or request.GET.get("muc") or "").split())
    match = _WANTED.fullmatch(wanted)
    if request.method != "POST":
        return _end_page(request, desk, wanted)
    successor = _REF.fullmatch(" ".join(request.POST.get("thay-bang", "").split()))
    replacing = request.POST.get("viec") == "thay-the"
    problems = []
    if match is None:
        problems.append("mục viết loại/mã, ví dụ data-element/HoVaTen")
    if replacing and successor is None:
        problems.append("mục thay thế viết mã@phiên bản, ví dụ MauSon@1.0.0")
    if problems:
        return _end_page(request, desk, wanted, problems=tuple(problems), status=400)
    who, decision = acting(signed_in(request)), _decision(request, _words(request, "ghi-chu"))
    try:
        if replacing and successor is not None:
            by = Ref(id=successor.group(1), version=successor.group(2))
            outcome = supersede(desk, wanted, by=by, who=who, decision=decision)
        else:
            outcome = retire(desk, wanted, who=who, decision=decision)
    except (RegisterUnreachable, RegisterFault):
        raise
    except LienthongError as error:
        log.info("portal.proposal.refused code=%s act=end", error.code)
        return _end_page(request, desk, wanted, refused=error, status=409)
    _renew(outcome.published)
    log.info("portal.item.ended after=%s agency=%s", outcome.events[0].after.value, who.agency)
    return _see(f"{reverse('end_item')}?muc={wanted}&xong=ket-thuc")


def _end_page(
    request: HttpRequest,
    desk: Desk,
    wanted: str,
    *,
    problems: tuple[str, ...] = (),
    refused: LienthongError | None = None,
    status: int = 200,
) -> HttpResponse:
    match = _WANTED.fullmatch(wanted)
    events = () if match is None else item_events(desk, ItemKey(kind=match.group(1), id=match.group(2)))
    return render(
        request,
        "portal/de-xuat/end.html",
        {
            "nav": "proposals",
            "wanted": wanted,
            "events": event_lines(events, names()),
            "is_approved": any(event.after is Status.APPROVED for event in events),
            "has_ended": bool(events) and events[-1].after in ENDED,
            "problems": problems,
            "refused": refused,
            "refused_words": None if refused is None else in_words(refused),
            "typed": request.POST,
            "done": DONE.get(request.GET.get("xong", "")),
            "today": desk.today,
        },
        status=status,
    )


@require_safe
@asks(*GOVERNING)
def release_ahead(request: HttpRequest) -> HttpResponse:
    """Show what the next release would hold and for whom it would break."""
    given: Any = services()
    settings = getattr(given, "settings", None)
    own = None if settings is None else portal_settings(settings)
    if own is None:
        return render(request, "portal/de-xuat/no_desk.html", {"nav": "proposals"}, status=409)
    accounts = register()
    assert accounts is not None, "somebody is signed in"
    ahead = next_release(own, desk=governing_desk(), mappings=given.mappings, clock=given.clock)
    difference = None if ahead.comparison is None else ahead.comparison.difference
    return render(
        request,
        "portal/de-xuat/release.html",
        {
            "nav": "terms",
            "ahead": ahead,
            "unchanged": difference is not None and not difference.changes,
            "statuses": [(status.value, count) for status, count in ahead.statuses.items()],
            "impacts": []
            if difference is None
            else [(impact.name.lower(), len(difference.of(impact))) for impact in reversed(Impact)],
            "changes": () if difference is None else sorted(difference.changes, key=lambda one: -one.impact)[:200],
            "publishers": [each for each in accounts.officers() if each.may(Role.PUBLISHER)],
            "may_publish": may(request, Role.PUBLISHER),
        },
    )


def open_task_of(request: HttpRequest, name: str) -> tuple[int, str] | None:
    """Return task and status of the open draft of an element, for those alone who work on drafts."""
    if not may(request, Role.PROPOSER, Role.REVIEWER, Role.APPROVER):
        return None
    desk = governing_desk()
    if desk is None:
        return None
    try:
        event = open_draft(desk, ItemKey(kind="data-element", id=name))
    except LienthongError as error:
        log.warning("portal.draft.unknown code=%s", error.code)
        return None
    return None if event is None else (event.task, event.after.value)
