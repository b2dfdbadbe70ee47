"""Thin views: ask, pick, hand plain values to a template."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from lienthong.dictionary.model import DatasetId
from lienthong.errors import LienthongError
from lienthong.oversight.overview import DatasetScore, TaskLine
from lienthong.oversight.scores_words import TITLES
from lienthong.portal import words
from lienthong.portal.board import Board, BoardKeeper
from lienthong.portal.reconciliations import reconciled
from lienthong.portal.rule_words import compared_words
from lienthong.portal.services import services

FAILING_ROWS_SHOWN = 50
FILTER_LETTERS_MAX = 200


class _Kept:
    keeper: BoardKeeper | None = None


def board() -> Board:
    """Return the newest board of the services in force."""
    given = services()
    if _Kept.keeper is None or _Kept.keeper.services is not given:
        _Kept.keeper = BoardKeeper(given)
    return _Kept.keeper.board()


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show everything at a glance; ``?tu-dong=0`` stands still, for those whom movement disturbs."""
    shown = board()
    context = {
        "nav": "overview",
        "board": shown,
        "overview": shown.overview,
        "live_address": _live_address(shown),
        "paused": request.GET.get("tu-dong") == "0",
        "plan": services().plan,
    }
    return render(request, "portal/overview.html", context | _task_list(request, shown.overview.tasks))


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Return the parts of the overview that differ from what the browser says it has."""
    shown = board()
    changed = [section for section in shown.sections if request.GET.get(section.name) != section.digest]
    context = {"overview": shown.overview, "live_address": _live_address(shown), "changed": changed}
    return render(request, "portal/live.html", context)


@require_safe
def dataset(request: HttpRequest, dataset: str) -> HttpResponse:
    """Show the six words of a dataset with the rules behind each."""
    shown = board()
    databases = [line for line in shown.overview.databases if line.dataset == dataset]
    if not databases:
        raise Http404
    return render(
        request,
        "portal/dataset.html",
        {
            "overview": shown.overview,
            "slug": dataset,
            "title": databases[0].title_vi,
            "databases": databases,
            "score": _score(shown, dataset),
            "definition": services().dictionary.datasets[DatasetId(dataset)].definition.vi,
            "reconciliations": reconciled(dataset),
        },
    )


@require_safe
def rule(request: HttpRequest, dataset: str, rule: str) -> HttpResponse:
    """Show the rows a rule refuses, masked, newest first."""
    given = services()
    rule_set = given.rule_sets.get(DatasetId(dataset))
    wanted = None if rule_set is None else next((each for each in rule_set.rules if each.name == rule), None)
    if rule_set is None or wanted is None:
        raise Http404
    shown = board()
    score = _score(shown, dataset)
    counted = (
        None if score is None else next((each for c in score.criteria for each in c.rules if each.rule == rule), None)
    )
    about_rows = wanted.over not in {"lag", "readers", "sample"}
    rows = given.reader.failing_rows(DatasetId(dataset), rule, limit=FAILING_ROWS_SHOWN) if about_rows else ()
    return render(
        request,
        "portal/rule.html",
        {
            "overview": shown.overview,
            "slug": dataset,
            "title": rule_set.dataset.label.vi,
            "rule": wanted,
            "severity": wanted.severity.value,
            "counted": counted,
            "criterion": TITLES[wanted.criterion],
            "compared": compared_words(wanted, given.dictionary),
            "remedy": next((each.remedy.vi for each in given.dictionary.rules if each.code == wanted.code), None),
            "rows": rows,
            "about_rows": about_rows,
        },
    )


@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    """Show the whole plan: goals, requirements, tasks, and what is known of the annexes."""
    given = services()
    shown = board().overview
    context = {"nav": "tasks", "plan": given.plan, "overview": shown}
    return render(request, "portal/tasks.html", context | _task_list(request, shown.tasks))


@require_safe
def task(request: HttpRequest, task_id: str) -> HttpResponse:
    """Show one task, its evidence and its parts."""
    shown = board().overview
    line = next((each for each in shown.tasks if each.id == task_id), None)
    if line is None:
        raise Http404
    parts = [each for each in shown.tasks if each.parent == line.id]
    return render(
        request, "portal/task.html", {"task": line, "parts": parts, "plan": services().plan, "overview": shown}
    )


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether the portal runs and reaches the centre, for machines."""
    del request
    try:
        services().reader.links()
    except LienthongError as error:
        return JsonResponse({"status": "store-unavailable", "code": error.code}, status=503)
    return JsonResponse({"status": "ok"})


def _score(shown: Board, dataset: str) -> DatasetScore | None:
    return next((score for score in shown.overview.scores if score.dataset == dataset), None)


def _live_address(shown: Board) -> str:
    return f"{reverse('live')}?{urlencode({section.name: section.digest for section in shown.sections})}"


def _task_list(request: HttpRequest, lines: tuple[TaskLine, ...]) -> dict[str, object]:
    """Filter tasks by lead and standing; a value that is no option filters nothing."""
    leads = list(dict.fromkeys(lead for line in lines for lead in line.lead))
    lead = request.GET.get("chu-tri", "")[:FILTER_LETTERS_MAX]
    stands = request.GET.get("tinh-trang", "")[:FILTER_LETTERS_MAX]
    lead = lead if lead in leads else ""
    stands = stands if stands in words.STANDING else ""
    chosen = [line for line in lines if (not lead or lead in line.lead) and (not stands or line.standing == stands)]
    return {
        "tasks": chosen,
        "tasks_all": len(lines),
        "leads": leads,
        "lead_chosen": lead,
        "standing_chosen": stands,
        "standings": [
            (value, word, count)
            for value, word in words.STANDING.items()
            if (count := sum(line.standing == value for line in lines))
        ],
    }
