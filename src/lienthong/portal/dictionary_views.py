"""Thin views of the dictionary: ask, pick, hand plain values to a template. Nothing here shows a record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lienthong.centre.reading import RuleCount
from lienthong.dictionary.descriptors import TITLES
from lienthong.dictionary.model import DatasetId, DomainId, ElementId, Status
from lienthong.dictionary.search import QUERY_LETTERS_MAX
from lienthong.errors import LienthongError
from lienthong.oversight.assemble import VIETNAM
from lienthong.oversight.conformance import Conformance, conformance
from lienthong.oversight.dictionary_pages import UseLine, dataset_page, domain_page, element_page
from lienthong.oversight.dictionary_releases import kind_counts, release_lines
from lienthong.oversight.dictionary_terms import Choice, assemble_terms, in_order, recent_list_changes, status_counts
from lienthong.oversight.officers import Role
from lienthong.portal import dictionary_words
from lienthong.portal.days import DayAsked, read_day
from lienthong.portal.dictionary_desk import desk
from lienthong.portal.governance_views import open_task_of
from lienthong.portal.guard import may
from lienthong.portal.services import services
from lienthong.wiring.dictionary_shelf import Shelf

CODES_ON_ELEMENT: Final = 12
FACETS: Final = ("mien", "nhom", "bo-du-lieu", "tinh-trang", "do-nhay-cam")
FACET_LETTERS_MAX: Final = 200
PAGE_DIGITS_MAX: Final = 6

# Nine digits in a row are the number of a person's paper, not a word of a dictionary.
_PERSONAL: Final = re.compile(r"(?:[0-9][ .\-]?){9,}")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Show the dictionary's home: search, facets, list, newest changes, version and status."""
    given, prepared = services(), desk()
    query, notices = read_query(request)
    asked = {name: request.GET.get(name, "")[:FACET_LETTERS_MAX] for name in FACETS}
    page = assemble_terms(
        given.dictionary,
        prepared.index,
        query=query,
        chosen={name: value for name, value in asked.items() if value},
        page=read_page(request),
        sensitivities={value: word.text for value, word in dictionary_words.SENSITIVITY.items()},
    )
    valid = {facet.name: facet.chosen for facet in page.facets}
    shelf, statuses = prepared.shelf(), status_counts(given.dictionary)
    response = render(
        request,
        "portal/tu-dien/terms.html",
        {
            "nav": "terms",
            "query": query,
            "query_max": QUERY_LETTERS_MAX,
            "notices": notices,
            "page": page,
            "asked": {"q": query, **valid},
            "at_home": not query and not page.narrowed and page.page == 1,
            "dictionary": given.dictionary,
            "codes": sum(len(each.codes) for each in given.dictionary.code_lists.values()),
            "statuses": statuses,
            "status": _status(shelf, statuses),
            "releases": len(shelf.releases),
            "list_changes": recent_list_changes(given.dictionary),
            "domains": _datasets_by_domain(),
            "code_lists": sorted(given.dictionary.code_lists.values(), key=lambda each: in_order(each.label.vi)),
        },
    )
    if notices:
        # The address bar keeps what it was: what was refused does not get into it, nor into the history.
        response.headers["HX-Replace-Url"] = "false"
    return response


@require_safe
def element(request: HttpRequest, code: str) -> HttpResponse:
    """Show everything known of one element."""
    given, prepared = services(), desk()
    name = ElementId(code)
    if name not in given.dictionary.elements:
        raise Http404
    asked = asked_day(request)
    page = element_page(given.dictionary, name, mappings=given.mappings, earlier=prepared.earlier())
    book = None if page.code_list is None else prepared.book(page.code_list.id)
    values = None if book is None or asked.refused else book.page(asked.day, query="", parent="", page=1)
    measured, trouble = _conformances(page.uses, page.technical_name)
    return render(
        request,
        "portal/tu-dien/element.html",
        {
            "nav": "terms",
            "page": page,
            "asked": asked,
            "values": values,
            "values_shown": () if values is None else values.rows[:CODES_ON_ELEMENT],
            "version_rows": [
                (title, [(each.values[row], row + 1 in each.changed) for each in page.versions])
                for row, (_, title) in enumerate(TITLES)
                if len({each.values[row] for each in page.versions}) > 1
            ],
            "fed": [(use, measured.get(use.dataset)) for use in page.uses if use.fed_by],
            "unfed": [(use, measured.get(use.dataset)) for use in page.uses if not use.fed_by],
            "trouble": trouble,
            "open_task": open_task_of(request, code),
            "may_propose": may(request, Role.PROPOSER),
        },
        status=400 if asked.refused else 200,
    )


@require_safe
def domain(request: HttpRequest, domain: str) -> HttpResponse:
    """Show one value domain."""
    name = DomainId(domain)
    if name not in services().dictionary.domains:
        raise Http404
    page = domain_page(services().dictionary, name)
    return render(request, "portal/tu-dien/domain.html", {"nav": "terms", "page": page})


@require_safe
def dataset(request: HttpRequest, dataset: str) -> HttpResponse:
    """Show what a dataset is made of and the table that follows from it."""
    given = services()
    name = DatasetId(dataset)
    if name not in given.dictionary.datasets:
        raise Http404
    page = dataset_page(given.dictionary, name, mappings=given.mappings, rule_set=given.rule_sets.get(name))
    return render(request, "portal/tu-dien/dataset.html", {"nav": "terms", "page": page, "today": today()})


@require_safe
def code_list(request: HttpRequest, list_id: str) -> HttpResponse:
    """Show the codes of a list as they are on a day."""
    book = desk().book(list_id)
    if book is None:
        raise Http404
    asked = asked_day(request)
    query, notices = read_query(request)
    parent = request.GET.get("cha", "")[:FACET_LETTERS_MAX]
    page = None if asked.refused else book.page(asked.day, query=query, parent=parent, page=read_page(request))
    return render(
        request,
        "portal/tu-dien/code_list.html",
        {
            "nav": "terms",
            "head": book.head,
            "asked": asked,
            "query": query,
            "query_max": QUERY_LETTERS_MAX,
            "notices": notices,
            "page": page,
            "turning_days": book.turning_days,
            "parameters": {
                "ngay": asked.day.isoformat(),
                "q": query,
                "cha": "" if page is None else page.parent,
            },
        },
        # htmx shows only what went well; the message must be seen either way.
        status=400 if asked.refused and "HX-Request" not in request.headers else 200,
    )


@require_safe
def code(request: HttpRequest, list_id: str, code: str) -> HttpResponse:
    """Show everything one code of a list has meant."""
    book = desk().book(list_id)
    asked = asked_day(request)
    page = None if book is None else book.code_page(code, asked.day)
    if page is None:
        raise Http404
    return render(
        request,
        "portal/tu-dien/code.html",
        {"nav": "terms", "page": page, "asked": asked},
        status=400 if asked.refused else 200,
    )


@require_safe
def releases(request: HttpRequest) -> HttpResponse:
    """Show the release in use and all before it."""
    given, prepared = services(), desk()
    shelf, statuses = prepared.shelf(), status_counts(given.dictionary)
    return render(
        request,
        "portal/tu-dien/releases.html",
        {
            "nav": "terms",
            "dictionary": given.dictionary,
            "status": _status(shelf, statuses),
            "statuses": statuses,
            "any_approved": any(each.value == Status.APPROVED.value for each in statuses),
            "counts": sorted(kind_counts(given.dictionary).items()),
            "lines": release_lines(shelf.releases, digest=given.dictionary.digest),
            "key_id": shelf.key_id,
        },
    )


def today() -> date:
    """Return today in Vietnam."""
    return services().clock.now().astimezone(VIETNAM).date()


def asked_day(request: HttpRequest) -> DayAsked:
    """Return the day of ``?ngay=``, today when there is none."""
    return read_day(request.GET.get("ngay"), today=today())


def read_query(request: HttpRequest) -> tuple[str, tuple[str, ...]]:
    """Return what to search for and why it is not what was typed: "long" was cut, "personal" is not searched for."""
    typed = "".join(sign if sign.isprintable() else " " for sign in request.GET.get("q", "")).strip()
    if _PERSONAL.search(typed):
        return "", ("personal",)
    if len(typed) > QUERY_LETTERS_MAX:
        return typed[:QUERY_LETTERS_MAX].strip(), ("long",)
    return typed, ()


def read_page(request: HttpRequest) -> int:
    """Return the page asked for; what is no number is the first."""
    written = request.GET.get("trang", "")
    return int(written) if written.isascii() and written.isdigit() and len(written) <= PAGE_DIGITS_MAX else 1


def _conformances(uses: Sequence[UseLine], element: str) -> tuple[dict[str, Conformance], str | None]:
    """Ask the centre how the rules of an element stand; when it is away the page stands without."""
    given = services()
    found: dict[str, Conformance] = {}
    trouble: str | None = None
    for use in uses:
        rule_set = given.rule_sets.get(DatasetId(use.dataset))
        if rule_set is None:
            continue
        counts: Sequence[RuleCount] = ()
        try:
            counts = given.reader.rule_counts(DatasetId(use.dataset)) if use.fed_by and trouble is None else ()
        except LienthongError as error:
            trouble = error.code
        found[use.dataset] = conformance(rule_set, counts, element=element)
    return found, trouble


def _status(shelf: Shelf, statuses: Sequence[Choice]) -> str | None:
    """Return where the dictionary stands: as its head says, else where all its elements stand alike."""
    if shelf.status is not None:
        return shelf.status.value
    return statuses[0].value if len(statuses) == 1 else None


def _datasets_by_domain() -> list[tuple[str, list[tuple[str, str, int]]]]:
    grouped: dict[str, list[tuple[str, str, int]]] = {}
    for name, each in services().dictionary.datasets.items():
        grouped.setdefault(each.domain, []).append((name, each.label.vi, len(each.members)))
    for datasets in grouped.values():
        datasets.sort(key=lambda line: in_order(line[1]))
    return sorted(grouped.items(), key=lambda pair: in_order(pair[0]))
