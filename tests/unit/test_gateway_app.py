"""The gateway on fakes: who gets what, and what never gets out."""

from __future__ import annotations

import asyncio
import logging
import threading
import unicodedata
from dataclasses import replace
from datetime import date

import httpx
import pytest
from gateway_client import (
    CITIZENS,
    CONTRACT,
    ENTERPRISES,
    KEY,
    MOMENT,
    PERSON,
    RECORD,
    Reader,
    Register,
    Services,
    ask,
    grant,
)

from lienthong.centre.reading import LookupOutcome, LookupResult, RecordFinding
from lienthong.centre.refusals import CentreFault, CentreUnreachable, QuestionTooLong
from lienthong.exchange.refusals import RegisterUnreachable
from lienthong.gateway import app as gateway
from lienthong.gateway import look as looking
from lienthong.gateway.problems import STATUS_OF_CODE

PATH = f"/api/v1/datasets/nhan-khau/records/{PERSON}"
EVERY_PATH = ("/api/v1/datasets", "/api/v1/datasets/nhan-khau/schema", PATH)


def with_result(outcome: LookupOutcome, *records, reasons: tuple[RecordFinding, ...] = ()) -> Services:
    return Services(reader=Reader(result=LookupResult(outcome=outcome, records=records, reasons=reasons)))


def test_a_granted_record_is_answered_with_its_origin_and_noted() -> None:
    services = Services()
    response = ask(PATH, services)
    assert response.status_code == 200
    assert response.json()["record"] == {"ho_va_ten": "Nguyễn Văn Kín"}
    assert response.json()["provenance"]["IdBanGhi"] == "ca-mau/public.nhan_khau/7"
    assert response.json()["withheld"] == ["so_dinh_danh"]
    assert services.reader.looked_up == [("nhan-khau", (PERSON,))]
    assert services.access.journal == [
        {"agency": "G09", "dataset": "nhan-khau", "purpose": "xác minh", "outcome": "found", "records": 1}
    ]


@pytest.mark.parametrize(
    ("services", "status", "records"),
    [
        (with_result(LookupOutcome.NOT_FOUND), 404, 0),
        (with_result(LookupOutcome.INCOMPLETE, reasons=RECORD.findings), 200, 0),
        (with_result(LookupOutcome.DISPUTED, RECORD, RECORD), 409, 2),
        (with_result(LookupOutcome.CANCELLED), 410, 0),
    ],
    ids=["not-found", "incomplete", "disputed", "cancelled"],
)
def test_every_other_outcome_has_its_status_and_is_noted_too(services: Services, status: int, records: int) -> None:
    response = ask(PATH, services)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json()["outcome"] == services.reader.result.outcome.value
    assert services.access.journal[0]["outcome"] == services.reader.result.outcome.value
    assert services.access.journal[0]["records"] == records


@pytest.mark.parametrize("path", EVERY_PATH)
@pytest.mark.parametrize("key", [None, "", "wrong", "lt_" + "X" * 43, KEY + "x"])
def test_without_a_key_in_force_nothing_is_answered_not_even_that_a_dataset_exists(
    path: str, key: str | None
) -> None:
    services = Services()
    response = ask(path, services, key=key)
    assert response.status_code == 401
    assert response.json()["code"] == "EX-001"
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert ask("/api/v1/datasets/khong-co/records/1", key=key).status_code == 401
    assert services.reader.asked == 0


def test_a_key_in_another_place_than_the_header_is_no_key() -> None:
    assert ask(f"{PATH}?key={KEY}&access_token={KEY}", key=None).status_code == 401


def test_a_dataset_without_a_grant_is_refused_and_the_attempt_noted() -> None:
    services = Services()
    response = ask("/api/v1/datasets/doanh-nghiep/records/2000123456", services)
    assert response.status_code == 403
    assert response.json()["code"] == "EX-002"
    assert services.reader.asked == 0
    assert services.access.journal == [
        {"agency": "G09", "dataset": "doanh-nghiep", "purpose": "", "outcome": "refused", "records": 0}
    ]


def test_the_day_of_a_grant_is_the_day_in_vietnam() -> None:
    assert date(2026, 11, 22) == MOMENT.date()
    assert ask(PATH).status_code == 200
    ended = Services(
        access=Register(held=(replace(grant("ho_va_ten"), valid_from=date(2026, 1, 1), valid_to=date(2026, 11, 23)),))
    )
    assert ask(PATH, ended).status_code == 403


def test_a_purpose_that_is_not_granted_is_refused() -> None:
    assert ask(f"{PATH}?purpose=xác minh").status_code == 200
    assert ask(f"{PATH}?purpose=tò mò").status_code == 403


def test_a_look_that_cannot_be_noted_is_not_answered() -> None:
    services = Services(access=Register(note_failure=RegisterUnreachable(sqlstate="57P01")))
    response = ask(PATH, services)
    assert response.status_code == 503
    assert "Kín" not in response.text


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (CentreUnreachable(sqlstate="none"), 503, "CEN-007"),
        (QuestionTooLong(limit_s=5), 503, "CEN-014"),
        (CentreFault(sqlstate="XX000"), 500, "CEN-013"),
        (RuntimeError(f"boom {PERSON}"), 500, "GW-009"),
    ],
)
def test_a_centre_that_fails_is_told_by_its_code(failure: Exception, status: int, code: str) -> None:
    response = ask(PATH, Services(reader=Reader(failure=failure)))
    assert response.status_code == status
    assert response.json()["code"] == code
    assert PERSON not in response.text
    assert ("retry-after" in response.headers) == (status == 503)


def test_a_register_that_does_not_answer_opens_nothing() -> None:
    services = Services(access=Register(failure=RegisterUnreachable(sqlstate="none")))
    assert ask(PATH, services).status_code == 503
    assert services.reader.asked == 0


@pytest.mark.parametrize(
    "key", ["", ",", f"{PERSON},", f",{PERSON}", f"{PERSON},2", "%20", "a%00b", "%FF", "%E2%80%AE1"]
)
def test_a_record_key_of_another_form_is_refused_before_the_centre_is_asked(key: str) -> None:
    services = Services()
    response = ask(f"/api/v1/datasets/nhan-khau/records/{key}", services)
    assert response.status_code == 400
    assert response.json()["code"] == "GW-001"
    assert services.reader.asked == 0


def test_a_line_break_in_a_record_key_reaches_nothing() -> None:
    services = Services()
    assert ask("/api/v1/datasets/nhan-khau/records/a%0Ab", services).status_code in {400, 404}
    assert services.reader.asked == 0


def test_a_record_key_longer_than_any_key_is_refused() -> None:
    limit = looking.KEY_CHARACTERS_MAX
    assert ask(f"/api/v1/datasets/nhan-khau/records/{'1' * limit}").status_code == 200
    response = ask(f"/api/v1/datasets/nhan-khau/records/{'1' * (limit + 1)}")
    assert response.status_code == 414
    assert response.json()["code"] == "GW-002"


def test_a_record_key_is_looked_up_as_composed_text_without_blanks_around_it() -> None:
    services = Services()
    spelt = unicodedata.normalize("NFD", "Đặng")
    ask(f"/api/v1/datasets/nhan-khau/records/%20{spelt}%20", services)
    assert services.reader.looked_up == [("nhan-khau", ("Đặng",))]


def test_a_slash_inside_a_record_key_belongs_to_the_key() -> None:
    services = Services()
    ask("/api/v1/datasets/nhan-khau/records/12%2F34", services)
    assert services.reader.looked_up == [("nhan-khau", ("12/34",))]


def test_an_unknown_dataset_is_told_to_those_who_have_a_key() -> None:
    for path in ("/api/v1/datasets/khong-co/records/1", "/api/v1/datasets/khong-co/schema"):
        response = ask(path)
        assert response.status_code == 404
        assert response.json()["code"] == "GW-003"


def test_the_list_of_datasets_says_what_is_granted_and_nothing_else() -> None:
    listed = {each["dataset"]: each for each in ask("/api/v1/datasets").json()["datasets"]}
    assert listed["doanh-nghiep"]["grants"] == []
    assert listed["nhan-khau"]["key"] == ["so_dinh_danh"]
    assert listed["nhan-khau"]["grants"] == [
        {
            "purpose": "xác minh",
            "legal_basis": "Nghị quyết 214/NQ-CP",
            "elements": ["ho_va_ten"],
            "valid_from": "2026-11-23",
            "valid_to": "2027-01-01",
        }
    ]


def test_the_schema_is_of_the_day_asked_for() -> None:
    assert ask("/api/v1/datasets/nhan-khau/schema?on=2025-06-30").json()["$id"].endswith(":2025-06-30")
    assert ask("/api/v1/datasets/nhan-khau/schema").json()["$id"].endswith(":2026-11-23")


@pytest.mark.parametrize("day", ["", "30.06.2025", "2025-02-30", "20250630", "2025-W01-1", "x" * 5000])
def test_a_day_of_another_form_is_refused(day: str) -> None:
    response = ask(f"/api/v1/datasets/nhan-khau/schema?on={day}")
    assert response.status_code == 400
    assert response.json()["code"] == "GW-004"


@pytest.mark.parametrize("path", ["/", "/api/v1/datasets/", "/api/v1/nothing", f"{PATH}x/../../..//etc", "/healthz/"])
def test_an_unknown_path_is_refused_and_never_redirected(path: str) -> None:
    response = ask(path)
    assert response.status_code == 404
    assert "location" not in response.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(method: str) -> None:
    response = ask(PATH, method=method)
    assert response.status_code == 405
    assert response.json()["code"] == "GW-008"
    assert "GET" in response.headers["allow"]


def test_health_and_contract_need_no_key() -> None:
    assert ask("/healthz", key=None).json() == {"status": "ok"}
    assert ask("/api/v1/openapi.json", key=None).json() == CONTRACT


@pytest.mark.parametrize("path", [*EVERY_PATH, "/healthz", "/nowhere", "/api/v1/openapi.json"])
def test_every_answer_forbids_to_keep_frame_or_guess_it(path: str) -> None:
    for response in (ask(path), ask(path, Services(access=Register(failure=RuntimeError())))):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in response.headers


def test_no_log_line_holds_a_key_a_path_or_a_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for services in (
        Services(),
        Services(access=Register(held=())),
        Services(reader=Reader(failure=RuntimeError(f"duplicate {PERSON} Nguyễn Văn Kín"))),
        Services(reader=Reader(failure=CentreUnreachable(sqlstate="none"))),
    ):
        ask(f"{PATH}?purpose=xác minh", services)
    ours = [line.getMessage() for line in caplog.records if line.name.startswith("lienthong")]
    assert any("gateway.request.served" in line and "kind=record status=200" in line for line in ours)
    assert any("gateway.request.failed" in line and "type=RuntimeError" in line for line in ours)
    for line in ours:
        assert PERSON not in line
        assert "Kín" not in line
        assert KEY not in line


def test_the_number_of_a_problem_finds_its_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    response = ask(PATH, Services(reader=Reader(failure=RuntimeError())))
    number = response.json()["instance"].rpartition(":")[2]
    assert any(f"gateway.request.failed number={number}" in line.getMessage() for line in caplog.records)


def test_no_problem_repeats_what_was_sent() -> None:
    for path in (
        "/api/v1/datasets/CANARY/records/1",
        "/api/v1/datasets/nhan-khau/records/CANARY,CANARY",
        "/CANARY",
        "/api/v1/datasets/nhan-khau/schema?on=CANARY",
        f"{PATH}?purpose=CANARY",
    ):
        assert "CANARY" not in ask(path).text


def test_titles_are_vietnamese_and_come_from_the_pages_of_the_errors() -> None:
    assert ask(PATH, key=None).json()["title"] == "Thiếu khóa truy cập hoặc khóa không hợp lệ"


def test_every_code_with_a_status_of_its_own_is_one_of_the_catalogue() -> None:
    from lienthong.errors import CATALOGUE

    assert set(STATUS_OF_CODE) <= set(CATALOGUE)


class Slow(Reader):
    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.entered = threading.Semaphore(0)

    def lookup(self, dataset, key):
        self.entered.release()
        self.go_on.wait(30)
        return super().lookup(dataset, key)


def test_requests_over_the_limit_are_refused_at_once_and_those_taken_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "REQUESTS_IN_FLIGHT_MAX", 2)
    reader = Slow()
    served = gateway.create_app(Services(reader=reader))

    async def flood() -> tuple[httpx.Response, list[httpx.Response], httpx.Response]:
        transport = httpx.ASGITransport(app=served)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gateway", headers={"Authorization": f"Bearer {KEY}"}
        ) as client:
            taken = [asyncio.create_task(client.get(PATH)) for _ in range(2)]
            for _ in taken:
                await asyncio.to_thread(reader.entered.acquire)
            refused = await client.get(PATH)
            reader.go_on.set()
            answered = await asyncio.gather(*taken)
            return refused, answered, await client.get(PATH)

    refused, answered, after = asyncio.run(flood())
    assert refused.status_code == 503
    assert refused.json()["code"] == "GW-005"
    assert refused.headers["retry-after"] == "5"
    assert [each.status_code for each in [*answered, after]] == [200, 200, 200]


def test_an_answer_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "REQUEST_S_MAX", 0.05)
    reader = Slow()
    response = ask(PATH, Services(reader=reader))
    reader.go_on.set()
    assert response.status_code == 503
    assert response.json()["code"] == "GW-006"


def test_several_parts_of_a_key_are_divided_by_commas() -> None:
    dictionary = Services().dictionary
    dataset = dictionary.datasets[CITIZENS]
    double = replace(dataset, members=tuple(replace(member, key=True) for member in dataset.members))
    services = Services(dictionary=replace(dictionary, datasets={**dictionary.datasets, CITIZENS: double}))
    assert ask("/api/v1/datasets/nhan-khau/records/1,An", services).status_code == 200
    assert services.reader.looked_up == [("nhan-khau", ("1", "An"))]
    assert ask(PATH, services).status_code == 400
    assert ENTERPRISES in services.dictionary.datasets
