from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.centre.reading import LookupOutcome, LookupResult, Provenance, RecordFinding, StoredRecord
from lienthong.dictionary.model import DatasetId
from lienthong.exchange.grants import Grant
from lienthong.exchange.lookup import answer, records_shown

MOMENT = datetime(2026, 11, 23, 7, 5, 9, tzinfo=UTC)
ELEMENTS = ("so_dinh_danh", "ho_va_ten", "ngay_sinh", "so_dien_thoai")
ORIGIN = Provenance(
    record_id="ca-mau/public.nhan_khau/7",
    event="update",
    version=3,
    source="ca-mau",
    table="public.nhan_khau",
    position="0/16B3748",
    source_time=MOMENT,
    batch_id=42,
    applied_at=MOMENT,
    dictionary_version="1.0.0",
)


def finding(element: str | None, observed: str | None = "masked") -> RecordFinding:
    return RecordFinding(
        rule=f"CL01:{element}", element=element, severity="error", observed=observed, opened_at=MOMENT
    )


def record(*findings: RecordFinding, **values: object) -> StoredRecord:
    every = dict.fromkeys(ELEMENTS, "CANARY") | {"_raw": "CANARY"} | values
    return StoredRecord(values=every, provenance=ORIGIN, findings=findings)


def granted(*elements: str) -> Grant:
    return Grant(
        agency="G09",
        dataset=DatasetId("nhan-khau"),
        elements=frozenset(elements),
        purpose="xác minh",
        legal_basis="Nghị quyết 214/NQ-CP",
        valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1),
    )


def result(outcome: LookupOutcome, *records: StoredRecord, reasons: tuple[RecordFinding, ...] = ()) -> LookupResult:
    return LookupResult(outcome=outcome, records=records, reasons=reasons)


def test_a_record_that_was_found_has_its_granted_elements_its_origin_and_what_is_withheld() -> None:
    found = result(LookupOutcome.FOUND, record(finding("ho_va_ten"), ho_va_ten="Nguyễn Văn An", ngay_sinh=None))
    assert answer(found, granted("ho_va_ten", "ngay_sinh"), elements=ELEMENTS) == {
        "outcome": "found",
        "dataset": "nhan-khau",
        "purpose": "xác minh",
        "withheld": ["so_dinh_danh", "so_dien_thoai"],
        "record": {"ho_va_ten": "Nguyễn Văn An", "ngay_sinh": None},
        "provenance": {
            "IdBanGhi": "ca-mau/public.nhan_khau/7",
            "SuKien": "update",
            "PhienBan": 3,
            "ThoiGianCapNhat": "2026-11-23T07:05:09+00:00",
            "nguon": "ca-mau",
            "bang": "public.nhan_khau",
            "lo": 42,
            "vi_tri": "0/16B3748",
            "ap_dung_luc": "2026-11-23T07:05:09+00:00",
            "tu_dien": "1.0.0",
        },
        "findings": [{"rule": "CL01:ho_va_ten", "element": "ho_va_ten", "severity": "error", "observed": "masked"}],
    }


@given(
    outcome=st.sampled_from(LookupOutcome),
    elements=st.sets(st.sampled_from([*ELEMENTS, "_raw", "unknown"])),
)
def test_no_value_of_an_element_that_is_not_granted_ever_appears(outcome: LookupOutcome, elements: set[str]) -> None:
    safe = {name: "shown" for name in ELEMENTS if name in elements}
    one = record(*(finding(name, "CANARY" if name not in safe else "m") for name in ELEMENTS), **safe)
    count = {LookupOutcome.FOUND: 1, LookupOutcome.DISPUTED: 2}.get(outcome, 0)
    document = answer(
        result(outcome, *[one] * count, reasons=tuple(finding(name, "CANARY") for name in ELEMENTS)),
        granted(*elements),
        elements=ELEMENTS,
    )
    assert "CANARY" not in json.dumps(document)


def test_a_finding_about_an_element_that_is_not_granted_is_not_told() -> None:
    document = answer(
        result(LookupOutcome.FOUND, record(finding("so_dien_thoai"))), granted("ho_va_ten"), elements=ELEMENTS
    )
    assert document["findings"] == []


def test_a_finding_about_several_elements_is_told_without_what_was_observed() -> None:
    document = answer(
        result(LookupOutcome.FOUND, record(finding(None, "CANARY"))), granted("ho_va_ten"), elements=ELEMENTS
    )
    assert document["findings"] == [{"rule": "CL01:None", "element": None, "severity": "error", "observed": None}]


def test_an_incomplete_record_says_why_and_shows_no_value() -> None:
    document = answer(
        result(LookupOutcome.INCOMPLETE, reasons=(finding("ho_va_ten", "CANARY"),)),
        granted(*ELEMENTS),
        elements=ELEMENTS,
    )
    assert document["reasons"] == [{"rule": "CL01:ho_va_ten", "element": "ho_va_ten", "severity": "error"}]
    assert "record" not in document


def test_a_disputed_key_shows_all_records_that_claim_it() -> None:
    both = record(ho_va_ten="An"), record(ho_va_ten="Bình")
    document = answer(result(LookupOutcome.DISPUTED, *both), granted("ho_va_ten"), elements=ELEMENTS)
    assert [each["record"] for each in document["records"]] == [{"ho_va_ten": "An"}, {"ho_va_ten": "Bình"}]


@pytest.mark.parametrize("outcome", [LookupOutcome.NOT_FOUND, LookupOutcome.CANCELLED])
def test_what_is_not_there_has_an_outcome_only(outcome: LookupOutcome) -> None:
    document = answer(result(outcome), granted("ho_va_ten"), elements=ELEMENTS)
    assert set(document) == {"outcome", "dataset", "purpose", "withheld"}
    assert records_shown(result(outcome)) == 0


def test_the_journal_counts_the_records_an_answer_shows() -> None:
    assert records_shown(result(LookupOutcome.FOUND, record())) == 1
    assert records_shown(result(LookupOutcome.DISPUTED, record(), record())) == 2
