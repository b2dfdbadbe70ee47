"""Files of the dictionary to take away, and the stable address of every item in every shape it is given in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import orjson
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from lienthong.centre.tables import derive_table, render_ddl
from lienthong.dictionary.canonical import Item, item_hash, plain
from lienthong.dictionary.exports.addresses import SINCE_EVER
from lienthong.dictionary.json_schema import json_schema
from lienthong.dictionary.model import CodeListId, DatasetId, Dictionary, DomainId, ElementId
from lienthong.dictionary.writing import as_yaml
from lienthong.oversight.dictionary_codes import CodeRow, codes_csv
from lienthong.portal.dictionary_desk import desk
from lienthong.portal.dictionary_views import FACET_LETTERS_MAX, asked_day
from lienthong.portal.services import services
from lienthong.wiring.exporting import code_list_workbook

HTML: Final = "text/html"
JSON: Final = "application/json"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGE_OF: Final = {
    "data-element": "element",
    "value-domain": "domain",
    "code-list": "code_list",
    "dataset": "definition",
}


@require_safe
def item_yaml(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Give the file of an item as it stands in the dictionary's folder."""
    del request
    return _file(as_yaml(_item(kind, name)), "application/yaml", f"{name}.yaml")


@require_safe
def schema(request: HttpRequest, dataset: str) -> HttpResponse:
    """Give the JSON Schema of a dataset with the codes of a day."""
    asked = asked_day(request)
    dictionary = services().dictionary
    if DatasetId(dataset) not in dictionary.datasets:
        raise Http404
    if asked.refused:
        return _refused_day()
    content = orjson.dumps(
        json_schema(dictionary, DatasetId(dataset), on=asked.day), option=orjson.OPT_INDENT_2
    ).decode()
    return _file(content, "application/schema+json", f"{dataset}-{asked.day.isoformat()}.schema.json")


@require_safe
def ddl(request: HttpRequest, dataset: str) -> HttpResponse:
    """Give the tables of a dataset at the centre as SQL."""
    del request
    dictionary = services().dictionary
    if DatasetId(dataset) not in dictionary.datasets:
        raise Http404
    text = render_ddl(derive_table(dictionary, dictionary.datasets[DatasetId(dataset)]))
    return _file(text, "application/sql", f"{dataset}.sql")


@require_safe
def codes(request: HttpRequest, list_id: str) -> HttpResponse:
    """Give the codes of a list on a day as CSV, all or those of one parent."""
    asked = asked_day(request)
    rows = _codes_on(request, list_id, asked.day)
    if asked.refused:
        return _refused_day()
    return _file(codes_csv(rows), "text/csv", f"{list_id}-{asked.day.isoformat()}.csv")


@require_safe
def codes_workbook(request: HttpRequest, list_id: str) -> HttpResponse:
    """Give the same as a workbook whose cells are texts: leading zeros stay."""
    asked = asked_day(request)
    rows = _codes_on(request, list_id, asked.day)
    if asked.refused:
        return _refused_day()
    return HttpResponse(
        code_list_workbook(rows, list_id=list_id, on=asked.day),
        content_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{list_id}-{asked.day.isoformat()}.xlsx"'},
    )


def _codes_on(request: HttpRequest, list_id: str, day: date) -> tuple[CodeRow, ...]:
    book = desk().book(list_id)
    if book is None:
        raise Http404
    parent = request.GET.get("cha", "")[:FACET_LETTERS_MAX]
    rows = book.rows_on(day)
    if any(row.parent == parent for row in rows):
        return tuple(row for row in rows if row.parent == parent)
    return rows


@require_safe
def stable(request: HttpRequest, kind: str, name: str, version: str) -> HttpResponse:
    """Answer for one version of an item: a person is led to its page, a program gets JSON."""
    item = _item(kind, name)
    if item.identity.version != version:
        raise Http404
    wanted = request.get_preferred_type([HTML, JSON])
    if wanted == JSON:
        answer = {"kind": kind, "id": name, "version": version, "hash": item_hash(item), "item": plain(item)}
        response = HttpResponse(orjson.dumps(answer), content_type=JSON)
    elif wanted == HTML:
        response = _see(reverse(_PAGE_OF[kind], args=[name]))
    else:
        response = HttpResponse(f"{HTML}, {JSON}\n", status=406, content_type="text/plain; charset=utf-8")
    response.headers["Vary"] = "Accept"
    return response


@require_safe
def stable_list(request: HttpRequest, list_id: str) -> HttpResponse:
    """Lead from the address of a list, whatever its version, to its page."""
    del request
    if CodeListId(list_id) not in services().dictionary.code_lists:
        raise Http404
    return _see(reverse("code_list", args=[list_id]))


@require_safe
def stable_code(request: HttpRequest, list_id: str, code: str, since: str) -> HttpResponse:
    """Lead from the address of what a code means since a day to the page of the code on that day."""
    del request
    code_list = services().dictionary.code_lists.get(CodeListId(list_id))
    for one in () if code_list is None else code_list.codes:
        begins = SINCE_EVER if one.valid_from is None else one.valid_from.isoformat()
        if (one.code, begins) == (code, since):
            day = one.valid_from or (one.valid_to and one.valid_to - timedelta(days=1))
            address = reverse("code", args=[list_id, code])
            return _see(address if day is None else f"{address}?ngay={day.isoformat()}")
    raise Http404


def _see(address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def _item(kind: str, name: str) -> Item:
    dictionary: Dictionary = services().dictionary
    held: dict[str, Item | None] = {
        "data-element": dictionary.elements.get(ElementId(name)),
        "value-domain": dictionary.domains.get(DomainId(name)),
        "code-list": dictionary.code_lists.get(CodeListId(name)),
        "dataset": dictionary.datasets.get(DatasetId(name)),
    }
    item = held.get(kind)
    if item is None:
        raise Http404
    return item


def _file(content: str, media_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=f"{media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _refused_day() -> HttpResponse:
    return HttpResponse(
        "ngay: phải là một ngày có thật, viết YYYY-MM-DD, từ 1900-01-01 đến 2100-12-31\n",
        status=400,
        content_type="text/plain; charset=utf-8",
    )
