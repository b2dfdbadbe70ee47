"""Refusals as ``application/problem+json`` (RFC 9457): our code, a Vietnamese title, an English detail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import orjson
from starlette.responses import Response

from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import Actor, LienthongError

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
TITLE_LINE = "Tiêu đề: "
TITLE_WITHOUT_PAGE = "Không thực hiện được yêu cầu"

STATUS_OF_CODE: Mapping[str, int] = {
    "CEN-301": 400,
    "CEN-302": 400,
    "CEN-303": 400,
    "EX-001": 401,
    "EX-002": 403,
    "GW-001": 400,
    "GW-002": 414,
    "GW-003": 404,
    "GW-004": 400,
    "GW-005": 503,
    "GW-006": 503,
    "GW-007": 404,
    "GW-008": 405,
    "GW-009": 500,
    "GW-012": 404,
}


def status_of(error: LienthongError) -> int:
    """Return the status of a refusal.

    One that no table names comes from a store: the caller can do nothing but wait for the operator.
    """
    known = STATUS_OF_CODE.get(error.code)
    if known is not None:
        return known
    return 500 if error.actor is Actor.DEVELOPER and not error.transient else 503


@lru_cache(maxsize=256)
def title_of(code: str) -> str:
    """Return the Vietnamese title of an error from its page."""
    try:
        page = (shipped_folder("errors") / f"{code}.md").read_text(encoding="utf-8")
    except (OSError, LienthongError):
        return TITLE_WITHOUT_PAGE
    return next(
        (line.removeprefix(TITLE_LINE).strip() for line in page.splitlines() if line.startswith(TITLE_LINE)),
        TITLE_WITHOUT_PAGE,
    )


def problem(error: LienthongError, *, request_number: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal as a response."""
    status = status_of(error)
    every = dict(headers or {})
    if status == 401:  # noqa: PLR2004 - the status that asks for a key
        every["WWW-Authenticate"] = 'Bearer realm="lienthong"'
    if status == 503:  # noqa: PLR2004 - the status that asks to come again
        every["Retry-After"] = str(RETRY_AFTER_S)
    document = {
        "type": f"urn:lienthong:error:{error.code}",
        "title": title_of(error.code),
        "status": status,
        "detail": str(error),
        "instance": f"urn:lienthong:request:{request_number}",
        "code": error.code,
        "hint": error.remedy,
        "actor": error.actor.value,
    }
    return Response(orjson.dumps(document), status_code=status, headers=every, media_type=PROBLEM_MEDIA_TYPE)
