"""Look up one record as of a moment: the same rights, the same journal, the version that was valid then."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.centre.reading import LookupOutcome
from lienthong.centre.time_travel import CentreHistoryReader, parse_moment, require_past
from lienthong.centre.time_travel_refusals import PastNotPrepared
from lienthong.dictionary.model import DatasetId
from lienthong.exchange.past import answer_as_of
from lienthong.gateway.look import STATUS_OF, Answer, granted, key_parts, names_of
from lienthong.gateway.services import Caller, GatewayServices

OK = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Then:
    """A moment of the source, and one of the centre, as the query names them."""

    as_of: str
    known_at: str | None = None


def look_back(services: GatewayServices, caller: Caller, *, dataset: str, key: str, then: Then) -> Answer:
    """Answer for one record as of a moment; the look stands in the journal before this returns.

    Raises:
        LienthongError: the key, the grant or the question is refused, or a store does not answer.
    """
    grant, wanted = granted(services, caller, dataset=dataset)
    now = services.clock.now()
    moment = require_past(parse_moment(then.as_of, name="parameter as_of"), now=now)
    known_at = None if then.known_at is None else parse_moment(then.known_at, name="parameter known_at")
    if known_at is not None:
        require_past(known_at, now=now)
    found = _history(services).record_as_of(DatasetId(wanted.identity.id), key_parts(key, wanted), moment, known_at)
    document = answer_as_of(found, grant, elements=names_of(services.dictionary, wanted))
    services.access.note(
        agency=grant.agency,
        dataset=grant.dataset,
        purpose=grant.purpose,
        # The journal knows the outcomes of a look-up; that nobody knows showed the asker no record either.
        outcome=(found.outcome or LookupOutcome.NOT_FOUND).value,
        records=len(found.versions),
    )
    return OK if found.outcome is None else STATUS_OF[found.outcome], document


def _history(services: GatewayServices) -> CentreHistoryReader:
    found: CentreHistoryReader | None = getattr(services, "history", None)
    if found is None:
        raise PastNotPrepared
    return found
