"""The gateway: other agencies ask for one record, and get what they are granted (ASGI, Starlette)."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lienthong.errors import LienthongError
from lienthong.gateway.cases import case_state, look_and_note
from lienthong.gateway.contract import openapi
from lienthong.gateway.contract_cases import openapi_with_cases
from lienthong.gateway.contract_past import openapi_with_past
from lienthong.gateway.look import Answer, list_datasets, schema
from lienthong.gateway.past import Then, look_back
from lienthong.gateway.problems import problem
from lienthong.gateway.refusals import (
    AnswerTooSlow,
    DateNotValid,
    GatewayBusy,
    GatewayFault,
    MethodNotAllowed,
    PathNotKnown,
)
from lienthong.gateway.services import Caller, GatewayServices

REQUESTS_IN_FLIGHT_MAX = 128
THREADS_MAX = 8  # of blocking look-ups; the stores' pools have as many connections
REQUEST_S_MAX = 15.0
BEARER = re.compile(r"bearer +(\S{1,200})", re.ASCII | re.IGNORECASE)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
JSON_MEDIA_TYPE = "application/json"
Headed = tuple[int, dict[str, object], Mapping[str, str]]

# The answers are for programs: no page may show, keep or guess them.
SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)

log = logging.getLogger("lienthong.gateway")


def create_app(services: GatewayServices) -> ASGIApp:
    """Return the application; it opens nothing before the first request."""
    threads = ThreadPoolExecutor(max_workers=THREADS_MAX, thread_name_prefix="gateway")

    async def answer(work: Callable[[], Answer | Headed]) -> Response:
        """Run blocking work beside the loop; the thread ends by the stores' own limits."""
        try:
            async with asyncio.timeout(REQUEST_S_MAX):
                status, document, *headers = await asyncio.get_running_loop().run_in_executor(threads, work)
        except TimeoutError as cause:
            raise AnswerTooSlow(limit_s=int(REQUEST_S_MAX)) from cause
        return Response(
            orjson.dumps(document, default=str),
            status_code=status,
            headers=headers[0] if headers else None,
            media_type=JSON_MEDIA_TYPE,
        )

    async def record(request: Request) -> Response:
        name, key = request.path_params["dataset"], request.path_params["key"]
        who, expected = caller(request), request.query_params.get("expected") == "true"
        as_of, known_at = request.query_params.get("as_of"), request.query_params.get("known_at")
        if as_of is not None or known_at is not None:
            then = Then(as_of=as_of or "", known_at=known_at)
            return await answer(lambda: look_back(services, who, dataset=name, key=key, then=then))
        return await answer(lambda: look_and_note(services, who, dataset=name, key=key, expected=expected))

    async def case(request: Request) -> Response:
        who, number = caller(request), request.path_params["number"]
        return await answer(lambda: case_state(services, who, number=number))

    async def datasets(request: Request) -> Response:
        who = caller(request)
        return await answer(lambda: list_datasets(services, who))

    async def dataset_schema(request: Request) -> Response:
        who, name, on = caller(request), request.path_params["dataset"], date_in(request, "on")
        return await answer(lambda: schema(services, who, dataset=name, on=on))

    async def health(_: Request) -> Response:
        return Response(b'{"status":"ok"}', media_type=JSON_MEDIA_TYPE)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        threads.shutdown(wait=False, cancel_futures=True)

    app = Starlette(
        routes=[
            Route("/api/v1/datasets", datasets),
            Route("/api/v1/datasets/{dataset}/schema", dataset_schema),
            Route("/api/v1/datasets/{dataset}/records/{key:path}", record),
            Route("/api/v1/cases/{number}", case),
            Route("/api/v1/openapi.json", _standing(openapi())),
            Route("/api/v1/openapi-1.1.json", _standing(openapi_with_cases())),
            Route("/api/v1/openapi-1.2.json", _standing(openapi_with_past())),
            Route("/healthz", health),
        ],
        exception_handlers={LienthongError: _refused, HTTPException: _not_served, Exception: _failed},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would write the path, and the key in it, into a header
    return Guard(app)


def _standing(document: dict[str, object]) -> Callable[[Request], Awaitable[Response]]:
    """Return a view of a document that never changes."""
    content = orjson.dumps(document)

    async def description(_: Request) -> Response:
        return Response(content, media_type=JSON_MEDIA_TYPE)

    return description


def caller(request: Request) -> Caller:
    """Return who asks and why; a header of another shape is no key."""
    found = BEARER.fullmatch(request.headers.get("authorization", "").strip())
    return Caller(key=found[1] if found else None, purpose=request.query_params.get("purpose"))


def date_in(request: Request, name: str) -> date | None:
    """Return a date of the query.

    Raises:
        DateNotValid: it is there and no date.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not ISO_DATE.fullmatch(text):
        raise DateNotValid(name=name)
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise DateNotValid(name=name) from cause


def _number(scope: Scope) -> str:
    return str(scope.setdefault("lienthong.request", secrets.token_hex(8)))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LienthongError), "this handler is for refusals"
    number = _number(request.scope)
    log.info("gateway.request.refused number=%s code=%s", number, error.code)
    return problem(error, request_number=number)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "this handler is for the router's exceptions"
    refusal = MethodNotAllowed() if error.status_code == 405 else PathNotKnown()  # noqa: PLR2004 - the router raises 404 and 405
    return problem(refusal, request_number=_number(request.scope), headers=error.headers)


async def _failed(request: Request, _: Exception) -> Response:
    # The guard outside logs it; Starlette hands the exception on after this answer.
    return problem(GatewayFault(), request_number=_number(request.scope))


class Guard:
    """Stand around the application: how many at a time, safe headers, one log line, nothing unforeseen gets out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), *SECURITY_HEADERS]}
            await send(message)

        number = _number(scope)
        if self.in_flight >= REQUESTS_IN_FLIGHT_MAX:
            busy = GatewayBusy(limit=REQUESTS_IN_FLIGHT_MAX)
            await problem(busy, request_number=number)(scope, receive, guarded)
            return
        self.in_flight += 1
        try:
            await self.app(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote a value and must not get out
            _log_fault(number, error)
            if not status:
                await problem(GatewayFault(), request_number=number)(scope, receive, guarded)
        finally:
            self.in_flight -= 1
            # The path holds the key of a person: the log names the kind of request only.
            log.info(
                "gateway.request.served number=%s kind=%s status=%d ms=%.1f",
                number,
                getattr(scope.get("endpoint"), "__name__", "none"),
                status,
                (time.monotonic() - began) * 1000,
            )


def _log_fault(number: str, error: Exception) -> None:
    frames = " < ".join(
        f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__))
    )
    log.error("gateway.request.failed number=%s type=%s at=%s", number, type(error).__name__, frames)
