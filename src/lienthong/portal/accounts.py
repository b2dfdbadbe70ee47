"""Signing in, signing out, and one's own password (đăng nhập, đăng xuất, đổi mật khẩu)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lienthong.errors import LienthongError
from lienthong.oversight.officer_refusals import OfficersUnreachable, PasswordRefused, SignInRefused, SignInTooOften
from lienthong.oversight.officers import OfficerRegister, Role, Session
from lienthong.oversight.passwords import PASSWORD_LETTERS_MIN
from lienthong.portal.guard import (
    GOVERNING,
    ROLE_VI,
    ask_to_sign_in,
    asks,
    may,
    officer_of,
    own_path,
    register,
    signed_in,
)
from lienthong.portal.services import services

SESSION_COOKIE: Final = "lienthong_phien"
TYPED_LETTERS_MAX: Final = 1_000  # of a field of these forms
# Without a password of one's own nothing else opens.
ALWAYS_OPEN: Final = frozenset({"sign_out", "change_password", "healthz"})
OPEN_TO_A_NETWORK: Final = frozenset({"sign_in", "sign_out", "healthz"})
REQUEST_BYTES_MAX: Final = 26_000_000  # a signed decision may be a scan

log = logging.getLogger("lienthong.portal")


class OfficerMiddleware:
    """Find out who asks: ``request.officer`` is an ``Officer`` or None on every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look the session up; a browser without one costs nothing."""
        length = str(request.META.get("CONTENT_LENGTH") or 0)
        if length.isdecimal() and int(length[:20]) > REQUEST_BYTES_MAX:
            return HttpResponse(status=413)  # nothing of it is read
        session, trouble = _session_of(request)
        request.officer = None if session is None else session.officer  # type: ignore[attr-defined] # added here
        request.officer_session = session  # type: ignore[attr-defined] # added here
        # Public pages stay readable while the accounts are away; guarded ones say so.
        request.sign_in_trouble = trouble  # type: ignore[attr-defined] # added here
        response = self.get_response(request)
        if SESSION_COOKIE in request.COOKIES and session is None and trouble is None:
            _forget(response)
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Let nobody do anything with a password that somebody else set, nor unknown where a network reaches."""
        del view, args, kwargs
        session: Session | None = getattr(request, "officer_session", None)
        name = "" if request.resolver_match is None else request.resolver_match.view_name
        if session is None and settings.CLOSED and name not in OPEN_TO_A_NETWORK:
            return ask_to_sign_in(request)
        if session is None or not session.must_change_password or name in ALWAYS_OPEN:
            return None
        return _see(reverse("change_password"))


def _session_of(request: HttpRequest) -> tuple[Session | None, LienthongError | None]:
    secret, accounts = request.COOKIES.get(SESSION_COOKIE), register()
    if not secret or accounts is None:
        return None, None
    try:
        return accounts.session(secret, at=services().clock.now()), None
    except LienthongError as error:
        log.warning("portal.session.unknown code=%s", error.code)
        return None, error


def officer_in_words(request: HttpRequest) -> dict[str, object]:
    """Give every template who is signed in and whether one can."""
    officer = officer_of(request)
    return {
        "officer": officer,
        "officer_roles": [] if officer is None else [ROLE_VI[role] for role in Role if role in officer.roles],
        "has_sign_in": register() is not None,
        "governs": may(request, *GOVERNING),
        "mends": may(request, Role.STEWARD, Role.ASSESSOR, Role.LEADER),
        "here": request.path,
    }


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or take name and password and begin a session."""
    accounts = register()
    if accounts is None:
        return ask_to_sign_in(request)
    back = own_path(request.POST.get("next") or request.GET.get("next"))
    if request.method != "POST":
        return _see(back) if officer_of(request) is not None else _form(request, back=back)
    name, password = _typed(request, "name").strip(), _typed(request, "password")
    try:
        secret, session = accounts.sign_in(name, password, at=services().clock.now())
    except (SignInRefused, SignInTooOften, OfficersUnreachable) as error:
        log.info("portal.sign_in.refused code=%s", error.code)
        status = {SignInTooOften.code: 429, OfficersUnreachable.code: 503}.get(error.code, 403)
        return _form(request, back=back, name=name, refused=error.code, status=status)
    _end_former(request, accounts)
    log.info("portal.sign_in.taken agency=%s", session.officer.agency)
    return _with_session(request, _see(back), secret, session)


def _form(
    request: HttpRequest, *, back: str, name: str = "", refused: str | None = None, status: int = 200
) -> HttpResponse:
    context = {"next": back, "name": name, "refused": refused, "nav": "account"}
    return render(request, "portal/tai-khoan/sign_in.html", context, status=status)


def _typed(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "")[: TYPED_LETTERS_MAX + 1]


def _end_former(request: HttpRequest, accounts: OfficerRegister) -> None:
    """End the session a browser brings along: a new one never goes on under an old secret."""
    former = request.COOKIES.get(SESSION_COOKIE)
    if former:
        accounts.sign_out(former)


def _with_session(request: HttpRequest, response: HttpResponse, secret: str, session: Session) -> HttpResponse:
    rotate_token(request)  # a form token seen before signing in is worth nothing afterwards
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=max(timedelta(), session.ends_at - services().clock.now()),
        path="/",
        secure=settings.CSRF_COOKIE_SECURE or request.is_secure(),
        httponly=True,
        # Not Strict: a link to a task in a letter would open as if one were not signed in. Only forms change
        # anything, and those need the token as well.
        samesite="Lax",
    )
    request.officer_session = session  # type: ignore[attr-defined] # so that the cookie just set is not taken back
    return response


def _forget(response: HttpResponse) -> None:
    if SESSION_COOKIE not in response.cookies:
        response.delete_cookie(SESSION_COOKIE, path="/", samesite="Lax")


def _see(path: str) -> HttpResponse:
    """Send the browser on with GET."""
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session at the server and in the browser."""
    accounts, secret = register(), request.COOKIES.get(SESSION_COOKIE)
    if accounts is not None and secret:
        accounts.sign_out(secret)
    response = _see(reverse("overview"))
    _forget(response)
    return response


@asks()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Take the present password and a new one; every session of the officer ends but the one begun here."""
    accounts, officer = register(), signed_in(request)
    assert accounts is not None, "somebody is signed in"
    if request.method != "POST":
        return _password_form(request)
    present, new = _typed(request, "password"), _typed(request, "new")
    if new != _typed(request, "again"):
        return _password_form(request, refused="differs", status=400)
    now = services().clock.now()
    try:
        accounts.change_password(officer.name, present, new, at=now)
        secret, session = accounts.sign_in(officer.name, new, at=now)
    except PasswordRefused as error:
        return _password_form(request, refused=str(error.facts["rule"]), status=400)
    except (SignInRefused, SignInTooOften) as error:
        return _password_form(request, refused=error.code, status=403)
    log.info("portal.password.changed agency=%s", officer.agency)
    return _with_session(request, _see(reverse("account")), secret, session)


def _password_form(request: HttpRequest, *, refused: str | None = None, status: int = 200) -> HttpResponse:
    session: Session | None = getattr(request, "officer_session", None)
    context = {
        "refused": refused,
        "least": PASSWORD_LETTERS_MIN,
        "forced": session is not None and session.must_change_password,
        "nav": "account",
    }
    return render(request, "portal/tai-khoan/password.html", context, status=status)


@asks()
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show who one is here, what one may do and until when the session holds."""
    session: Session | None = getattr(request, "officer_session", None)
    return render(request, "portal/tai-khoan/account.html", {"session": session, "nav": "account"})
