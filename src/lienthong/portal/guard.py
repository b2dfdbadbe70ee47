"""Who may open a page: ``asks`` in front of a view, ``officer_of`` inside it (kiểm soát truy cập).

Pages without ``asks`` are for everybody. A view that shows more to those who may asks ``may(request, Role.…)``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from lienthong.errors import LienthongError
from lienthong.oversight.officers import Officer, OfficerRegister, Role
from lienthong.portal.services import services

NEXT_LETTERS_MAX: Final = 2_000
# Those who work on the dictionary; drafts never reach anybody else.
GOVERNING: Final = (Role.PROPOSER, Role.REVIEWER, Role.APPROVER, Role.PUBLISHER)
ROLE_VI: Final = {
    Role.PROPOSER: "đề xuất thuật ngữ",
    Role.REVIEWER: "rà soát, tham vấn",
    Role.APPROVER: "phê duyệt",
    Role.PUBLISHER: "phát hành",
    Role.STEWARD: "quản trị dữ liệu của cơ quan",
    Role.ASSESSOR: "đánh giá mẫu",
    Role.LEADER: "lãnh đạo",
    Role.ADMINISTRATOR: "quản trị tài khoản",
}

View = Callable[..., HttpResponse]


def register() -> OfficerRegister | None:
    """Return the accounts of this installation; None: the portal has no sign-in."""
    found: OfficerRegister | None = getattr(services(), "officers", None)
    return found


def officer_of(request: HttpRequest) -> Officer | None:
    """Return who is signed in."""
    found: Officer | None = getattr(request, "officer", None)
    return found


def signed_in(request: HttpRequest) -> Officer:
    """Return who is signed in, behind ``asks``."""
    officer = officer_of(request)
    assert officer is not None, "asks comes before"
    return officer


def may(request: HttpRequest, *roles: Role) -> bool:
    """Return whether somebody is signed in who has one of the roles."""
    officer = officer_of(request)
    return officer is not None and (not roles or any(officer.may(role) for role in roles))


def asks(*roles: Role) -> Callable[[View], View]:
    """Let a view answer only officers with one of the roles; without roles, everybody who signed in.

    Those who are not signed in are sent to the sign-in page and come back afterwards; those without the role read
    which role it takes and who gives it.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if officer_of(request) is None:
                trouble: LienthongError | None = getattr(request, "sign_in_trouble", None)
                if trouble is not None:
                    raise trouble
                return ask_to_sign_in(request)
            if not may(request, *roles):
                return role_missing(request, roles)
            return view(request, *args, **kwargs)

        return guarded

    return guard


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send to the sign-in page and back, or say that this portal has no sign-in."""
    if register() is None:
        return render(request, "portal/tai-khoan/no_sign_in.html", status=403)
    # What was sent with a form is not sent again after signing in: people go back to the page it stood on.
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else _page_before(request)
    response = HttpResponseRedirect(f"{reverse('sign_in')}?{urlencode({'next': back})}")
    response.status_code = 303
    return response


def _page_before(request: HttpRequest) -> str:
    parts = urlsplit(request.headers.get("Referer", ""))
    return own_path(parts.path) if parts.netloc == request.get_host() else reverse("overview")


def role_missing(request: HttpRequest, roles: tuple[Role, ...]) -> HttpResponse:
    """Say which role the page takes and who gives it."""
    return render(
        request,
        "portal/tai-khoan/role_missing.html",
        {
            "needed": [(ROLE_VI[role], role.value) for role in roles],
            "held": [ROLE_VI[role] for role in Role if role in signed_in(request).roles],
        },
        status=403,
    )


def own_path(wanted: str | None) -> str:
    """Return where to go next when it is a page of this portal, else the overview: nobody is sent elsewhere."""
    safe = (
        wanted is not None
        and len(wanted) <= NEXT_LETTERS_MAX
        and wanted.isprintable()
        and wanted.startswith("/")
        and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    )
    return str(wanted) if safe else reverse("overview")
