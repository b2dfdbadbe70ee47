"""What one agency may see of a record as of a moment: the same elements as of the record today, and when it held."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.centre.reading import LookupResult
from lienthong.centre.time_travel import RecordAsOf, RecordVersion
from lienthong.exchange.grants import Grant
from lienthong.exchange.lookup import answer

NOT_KNOWN = "not-known"  # beside the outcomes of a look-up: chưa xác định


def answer_as_of(found: RecordAsOf, grant: Grant, *, elements: Sequence[str]) -> dict[str, object]:
    """Return the answer document for a look into the past under a grant."""
    moments: dict[str, object] = {
        "as_of": found.moment.isoformat(),
        "known_at": None if found.known_at is None else found.known_at.isoformat(),
        "knowledge": found.knowledge.value,
    }
    if found.outcome is None:
        return {
            "outcome": NOT_KNOWN,
            "dataset": grant.dataset,
            "purpose": grant.purpose,
            "withheld": [name for name in elements if name not in grant.elements],
            **moments,
        }
    result = LookupResult(
        outcome=found.outcome, records=tuple(each.record for each in found.versions), reasons=found.reasons
    )
    document = answer(result, grant, elements=elements) | moments
    if "record" in document:
        document |= _period(found.versions[0])
    records = document.get("records")
    if isinstance(records, list):
        document["records"] = [
            record | _period(version) for record, version in zip(records, found.versions, strict=True)
        ]
    return document


def _period(version: RecordVersion) -> dict[str, object]:
    return {
        "valid_from": version.valid_from.isoformat(),
        "valid_to": None if version.valid_to is None else version.valid_to.isoformat(),
    }
