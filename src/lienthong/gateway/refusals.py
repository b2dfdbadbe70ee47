"""What the gateway refuses; none of these texts repeats what was sent."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class RecordKeyNotValid(LienthongError, code="GW-001", actor=Actor.CONSUMER):
    """The key of a record in the path cannot be one."""

    message = "the key of a record of {dataset} has {parts} part(s), none empty, of printable characters"
    hint = "write the parts in the order of the key, with ',' between them: GET /api/v1/datasets lists the keys"


class RecordKeyTooLong(LienthongError, code="GW-002", actor=Actor.CONSUMER):
    """The key of a record is longer than any key is."""

    message = "the key of a record is longer than {limit} characters"
    hint = "ask for one record at a time"


class DatasetNotKnown(LienthongError, code="GW-003", actor=Actor.CONSUMER):
    """There is no such dataset."""

    message = "there is no such dataset; known are {known}"
    hint = "GET /api/v1/datasets lists the datasets"


class DateNotValid(LienthongError, code="GW-004", actor=Actor.CONSUMER):
    """A date in the query is none."""

    message = "parameter {name} is not a date of the form YYYY-MM-DD"
    hint = "write the date like 2026-07-01, or leave it out for today"


class GatewayBusy(LienthongError, code="GW-005", actor=Actor.OPERATOR):
    """More requests than the gateway takes at a time."""

    message = "the gateway is at its limit of {limit} requests at a time"
    hint = "ask again after the seconds of Retry-After; the operator may run more gateways beside each other"
    transient = True


class AnswerTooSlow(LienthongError, code="GW-006", actor=Actor.OPERATOR):
    """The answer took longer than it may."""

    message = "no answer within {limit_s} s"
    hint = "ask again after the seconds of Retry-After; the operator looks at the centre's database"
    transient = True


class PathNotKnown(LienthongError, code="GW-007", actor=Actor.CONSUMER):
    """There is nothing at this path."""

    message = "there is nothing at this path"
    hint = "GET /api/v1/openapi.json describes every path"


class MethodNotAllowed(LienthongError, code="GW-008", actor=Actor.CONSUMER):
    """The path is right, the method is not."""

    message = "this path does not take this method"
    hint = "the gateway answers GET only; GET /api/v1/openapi.json describes every path"


class GatewayFault(LienthongError, code="GW-009", actor=Actor.DEVELOPER):
    """A fault of the product."""

    message = "the gateway failed"
    hint = "report the request number; the operator finds it in the gateway's log"


class ListenRefused(LienthongError, code="GW-010", actor=Actor.OPERATOR):
    """The gateway speaks plain HTTP, so keys and records would cross a network unprotected."""

    message = (
        "the gateway refuses to listen on {host}: it speaks plain HTTP and would show keys and records to a network"
    )
    hint = "set gateway.host to 127.0.0.1 and put a server that ends TLS before it"


class PortInUse(LienthongError, code="GW-011", actor=Actor.OPERATOR):
    """Something already listens where the gateway should."""

    message = "the gateway cannot listen on {host}:{port}: {reason}"
    hint = "stop what listens there (ss -ltnp 'sport = :{port}'), or set gateway.port to a free port"


class CaseNotKnown(LienthongError, code="GW-012", actor=Actor.CONSUMER):
    """There is no case of this number that the agency brought about."""

    message = "there is no such case of yours"
    hint = "the header Lienthong-Case of a look-up gives the number; only the agency that asked can follow it"
