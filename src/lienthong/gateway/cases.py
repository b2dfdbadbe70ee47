"""Look-ups without a good answer open a case; the answer names it, and who asked can follow it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from lienthong.centre.reading import LookupOutcome
from lienthong.dictionary.model import DatasetId
from lienthong.errors import LienthongError
from lienthong.exchange.grants import identify
from lienthong.exchange.lookup import record_ids
from lienthong.gateway.look import Answer, dataset_named, key_parts, look
from lienthong.gateway.refusals import CaseNotKnown
from lienthong.gateway.services import Caller, GatewayServices
from lienthong.oversight.repair_looks import LookUpCases

CASE_HEADER = "Lienthong-Case"
# A key nobody has is an answer like any other, unless who asks holds a paper that says otherwise.
_BAD = frozenset({LookupOutcome.INCOMPLETE.value, LookupOutcome.DISPUTED.value})

log = logging.getLogger("lienthong.gateway")


def look_and_note(
    services: GatewayServices, caller: Caller, *, dataset: str, key: str, expected: bool
) -> tuple[int, dict[str, object], Mapping[str, str]]:
    """Answer for one record; a bad outcome also opens a case for the agency that owns the record.

    A look-up is answered whether or not its case can be kept: mending must not interrupt service (NQ 66.7, Điều 7).
    """
    status, document = look(services, caller, dataset=dataset, key=key)
    outcome = str(document["outcome"])
    cases = cases_of(services)
    if cases is None or not (outcome in _BAD or (expected and outcome == LookupOutcome.NOT_FOUND.value)):
        return status, document, {}
    wanted = dataset_named(services.dictionary, dataset)
    try:
        number = cases.note(
            dataset=DatasetId(wanted.identity.id),
            key=key_parts(key, wanted),
            outcome=outcome,
            requester=identify(services.access, caller.key),
            purpose=str(document["purpose"]),
            records=record_ids(document),
            at=services.clock.now(),
        )
    except LienthongError as error:
        log.warning("gateway.case.not_kept code=%s", error.code)
        return status, document, {}
    return status, document, {CASE_HEADER: str(number)}


def case_state(services: GatewayServices, caller: Caller, *, number: str) -> Answer:
    """Answer with where a case stands, to the agency that brought it about.

    Raises:
        CaseNotKnown: there is none of this number, or it is another agency's.
    """
    agency = identify(services.access, caller.key)
    cases = cases_of(services)
    wanted = int(number) if number.isascii() and number.isdecimal() and len(number) <= len(str(2**62)) else 0
    case = None if cases is None else cases.state(wanted, requester=agency)
    if case is None:
        raise CaseNotKnown
    return 200, {
        "case": case.number,
        "dataset": case.dataset,
        "outcome": case.outcome,
        "state": case.state.value,
        "owner": case.owner,
        "opened_at": case.opened_at.isoformat(),
        "answer_by": None if case.answer_by is None else case.answer_by.isoformat(),
        "planned_on": None if case.planned_on is None else case.planned_on.isoformat(),
        "closed_at": None if case.closed_at is None else case.closed_at.isoformat(),
    }


def cases_of(services: GatewayServices) -> LookUpCases | None:
    """Return where cases are kept; None where this installation keeps none."""
    found: LookUpCases | None = getattr(services, "look_ups", None)
    return found
