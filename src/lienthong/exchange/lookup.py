"""Turn what the centre holds into what one agency may see of it; what is not granted does not appear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lienthong.centre.reading import LookupOutcome, LookupResult, Provenance, RecordFinding, StoredRecord
from lienthong.exchange.grants import Grant

JsonObject = Mapping[str, object]


def answer(result: LookupResult, grant: Grant, *, elements: Sequence[str]) -> dict[str, object]:
    """Return the answer document for a look-up under a grant.

    ``elements`` are the technical names of the dataset in its order. Only names that stand both there and in the
    grant are shown; meta columns and elements added later stay inside until somebody grants them.
    """
    shown = [name for name in elements if name in grant.elements]
    document: dict[str, object] = {
        "outcome": result.outcome.value,
        "dataset": grant.dataset,
        "purpose": grant.purpose,
        "withheld": [name for name in elements if name not in grant.elements],
    }
    if result.outcome is LookupOutcome.FOUND:
        assert len(result.records) == 1, "a record that was found is one record"
        document |= _record(result.records[0], shown)
    elif result.outcome is LookupOutcome.DISPUTED:
        document["records"] = [_record(record, shown) for record in result.records]
    elif result.outcome is LookupOutcome.INCOMPLETE:
        # Why it is held back, without what was found: the value may be another person's.
        document["reasons"] = [
            {"rule": reason.rule, "element": reason.element, "severity": reason.severity}
            for reason in _visible(result.reasons, shown)
        ]
    return document


def records_shown(result: LookupResult) -> int:
    """Return how many records an answer shows, for the access journal."""
    return len(result.records) if result.outcome in {LookupOutcome.FOUND, LookupOutcome.DISPUTED} else 0


def record_ids(document: JsonObject) -> list[str]:
    """Return the ids of the records an answer shows side by side."""
    records = document.get("records", ())
    assert isinstance(records, list | tuple), "answer makes a list of them"
    return [str(record["provenance"]["IdBanGhi"]) for record in records]


def _record(record: StoredRecord, shown: Sequence[str]) -> dict[str, object]:
    return {
        "record": {name: record.values.get(name) for name in shown},
        "provenance": provenance(record.provenance),
        "findings": [
            {
                "rule": finding.rule,
                "element": finding.element,
                "severity": finding.severity,
                # A rule over several elements may have observed one that is not granted.
                "observed": finding.observed if finding.element is not None else None,
            }
            for finding in _visible(record.findings, shown)
        ],
    }


def _visible(findings: Iterable[RecordFinding], shown: Sequence[str]) -> list[RecordFinding]:
    # A finding tells something of the value it is about.
    return [finding for finding in findings if finding.element is None or finding.element in shown]


def provenance(origin: Provenance) -> dict[str, object]:
    """Return where a record comes from; the first four names are official ones of Quyết định 2439/QĐ-TTg."""
    return {
        "IdBanGhi": origin.record_id,
        "SuKien": origin.event,
        "PhienBan": origin.version,
        "ThoiGianCapNhat": origin.source_time.isoformat(),
        "nguon": origin.source,
        "bang": origin.table,
        "lo": origin.batch_id,
        "vi_tri": origin.position,
        "ap_dung_luc": origin.applied_at.isoformat(),
        "tu_dien": origin.dictionary_version,
    }
