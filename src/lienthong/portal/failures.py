"""Pages that say in Vietnamese what went wrong, without a stack trace and without a value."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from lienthong.errors import LienthongError

RETRY_AFTER_S = "5"

log = logging.getLogger("lienthong.portal")


class FailureMiddleware:
    """Turn what a view raises into a page: a refusal into 503 with its code, the rest into 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; nothing a page shows may be kept by a browser or a proxy."""
        response = self.get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for an exception of a view; leave "not found" to its own page."""
        if isinstance(exception, Http404):
            return None
        if isinstance(exception, LienthongError):
            log.warning("portal.request.refused code=%s view=%s", exception.code, _view_name(request))
            return unavailable(request, exception)
        mark = secrets.token_hex(4)
        # The text of an unforeseen exception may quote a value; its type and the places it passed may not.
        frames = " < ".join(
            f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(exception.__traceback__))
        )
        log.error(
            "portal.request.failed mark=%s type=%s view=%s at=%s",
            mark,
            type(exception).__name__,
            _view_name(request),
            frames,
        )
        return server_error(request, mark=mark)


def unavailable(request: HttpRequest, error: LienthongError) -> HttpResponse:
    """Say that the store cannot answer now, with the code of the refusal."""
    response = render(request, "portal/unavailable.html", {"error": error}, status=503)
    response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def server_error(request: HttpRequest, *, mark: str | None = None) -> HttpResponse:
    """Say that the product failed, with a mark that finds the line in the log."""
    return render(request, "portal/failed.html", {"mark": mark}, status=500)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page; the address is not repeated."""
    del exception
    return render(request, "portal/not_found.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that this is not allowed."""
    del exception
    return render(request, "portal/refused.html", status=403)


def form_not_ours(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form did not come from a page of this portal, or from one opened before signing in."""
    del reason
    log.warning("portal.form.refused view=%s", _view_name(request))
    return render(request, "portal/tai-khoan/form_not_ours.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that the request is not one the portal answers, such as one for another host name."""
    del exception
    return render(request, "portal/refused.html", status=400)


def _view_name(request: HttpRequest) -> str:
    match = request.resolver_match
    return "none" if match is None else match.view_name
