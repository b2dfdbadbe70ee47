"""Cases of look-ups: which answers open one, who may follow it, and that service goes on without them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
from gateway_client import CITIZENS, CONTRACT, KEY, MOMENT, PERSON, RECORD, Reader, Register, Services, grant
from jsonschema import Draft202012Validator

from lienthong.centre.reading import LookupOutcome, LookupResult
from lienthong.gateway.app import create_app
from lienthong.gateway.cases import CASE_HEADER
from lienthong.gateway.contract_cases import openapi_with_cases
from lienthong.oversight.repair import CaseState
from lienthong.oversight.repair_looks import LookUpCase
from lienthong.oversight.repair_refusals import RepairStoreAway

RELEASED = Path(__file__).parents[2] / "contracts" / "openapi" / "gateway-v1.1.json"
PATH = f"/api/v1/datasets/nhan-khau/records/{PERSON}"


@dataclass
class Cases:
    noted: list[dict[str, Any]] = field(default_factory=list)
    failure: Exception | None = None

    def note(self, **facts: Any) -> int:
        if self.failure is not None:
            raise self.failure
        self.noted.append(facts)
        return 41

    def state(self, number: int, *, requester: str) -> LookUpCase | None:
        if (number, requester) != (41, "G09"):
            return None
        return LookUpCase(
            number=41,
            dataset=CITIZENS,
            outcome="incomplete",
            state=CaseState.OPEN,
            owner="H12",
            opened_at=MOMENT,
            answer_by=MOMENT,
            planned_on=None,
            closed_at=None,
        )


@dataclass(kw_only=True)
class WithCases(Services):
    look_ups: Cases = field(default_factory=Cases)


class Client:
    def __init__(self, app: Any) -> None:
        self.app = app
        self.headers = {"Authorization": f"Bearer {KEY}"}

    def get(self, path: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.get(path, headers=self.headers)

        return anyio.run(send)


def served(outcome: LookupOutcome, records: Sequence[Any] = ()) -> tuple[WithCases, Client]:
    services = WithCases(
        reader=Reader(result=LookupResult(outcome=outcome, records=tuple(records))),
        access=Register(held=(grant("ho_va_ten"),)),
    )
    return services, Client(create_app(services))


def test_an_incomplete_answer_opens_a_case_and_names_it() -> None:
    services, client = served(LookupOutcome.INCOMPLETE)
    response = client.get(PATH)
    assert (response.status_code, response.headers[CASE_HEADER]) == (200, "41")
    (noted,) = services.look_ups.noted
    assert (noted["dataset"], noted["key"], noted["outcome"]) == (CITIZENS, [PERSON], "incomplete")
    assert (noted["requester"], noted["purpose"], noted["records"]) == ("G09", "xác minh", [])


def test_a_disputed_answer_says_which_records_dispute() -> None:
    services, client = served(LookupOutcome.DISPUTED, [RECORD, RECORD])
    assert client.get(PATH).headers[CASE_HEADER] == "41"
    assert services.look_ups.noted[0]["records"] == ["ca-mau/public.nhan_khau/7"] * 2


def test_a_record_that_is_not_there_is_a_case_only_for_who_expects_it() -> None:
    services, client = served(LookupOutcome.NOT_FOUND)
    assert CASE_HEADER not in client.get(PATH).headers
    assert services.look_ups.noted == []
    assert client.get(f"{PATH}?expected=true").headers[CASE_HEADER] == "41"


def test_good_answers_and_refusals_open_nothing() -> None:
    for outcome, records in ((LookupOutcome.FOUND, [RECORD]), (LookupOutcome.CANCELLED, [])):
        services, client = served(outcome, records)
        assert CASE_HEADER not in client.get(f"{PATH}?expected=true").headers
        assert services.look_ups.noted == []
    services, client = served(LookupOutcome.INCOMPLETE)
    client.headers["Authorization"] = "Bearer lt_none"
    assert client.get(PATH).status_code == 401
    assert services.look_ups.noted == []


def test_a_look_up_is_answered_although_its_case_cannot_be_kept() -> None:
    services, client = served(LookupOutcome.INCOMPLETE)
    services.look_ups.failure = RepairStoreAway(sqlstate="08006")
    response = client.get(PATH)
    assert (response.status_code, response.json()["outcome"]) == (200, "incomplete")
    assert CASE_HEADER not in response.headers


def test_an_installation_without_cases_answers_as_before() -> None:
    result = LookupResult(outcome=LookupOutcome.INCOMPLETE, records=())
    response = Client(create_app(Services(reader=Reader(result=result)))).get(PATH)
    assert (response.status_code, CASE_HEADER in response.headers) == (200, False)


def test_who_asked_can_follow_the_case_and_nobody_else() -> None:
    _, client = served(LookupOutcome.FOUND, [RECORD])
    response = client.get("/api/v1/cases/41")
    schema = openapi_with_cases()["components"]
    Draft202012Validator({"$ref": "#/components/schemas/Case", "components": schema}).validate(response.json())
    for number in ("42", "0", "-1", "x", "9" * 40, "٤١"):
        refused = client.get(f"/api/v1/cases/{number}")
        assert (refused.status_code, refused.json()["code"]) == (404, "GW-012"), number
    client.headers["Authorization"] = "Bearer lt_none"
    assert client.get("/api/v1/cases/41").status_code == 401


def test_the_released_contract_is_what_the_code_serves() -> None:
    assert (
        RELEASED.read_text(encoding="utf-8") == json.dumps(openapi_with_cases(), ensure_ascii=False, indent=2) + "\n"
    )
    _, client = served(LookupOutcome.FOUND, [RECORD])
    assert client.get("/api/v1/openapi-1.1.json").json() == openapi_with_cases()
    assert client.get("/api/v1/openapi.json").json() == CONTRACT


def test_everything_of_the_first_contract_still_stands() -> None:
    new: Any = openapi_with_cases()
    for name, schema in CONTRACT["components"]["schemas"].items():
        assert new["components"]["schemas"][name] == schema
    for path, methods in CONTRACT["paths"].items():
        old, later = methods["get"], new["paths"][path]["get"]
        assert later["operationId"] == old["operationId"]
        assert [each for each in later.get("parameters", []) if each in old.get("parameters", [])] == old.get(
            "parameters", []
        )
        for status, response in old["responses"].items():
            assert {**later["responses"][status], "headers": None} == {**response, "headers": None}, (path, status)
