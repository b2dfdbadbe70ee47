"""A record as of a moment through the gateway: the same rights, the journal, the version, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from gateway_client import CITIZENS, CONTRACT, ENTERPRISES, KEY, MOMENT, PERSON, RECORD, Register, Services
from jsonschema import Draft202012Validator

from lienthong.centre.reading import LookupOutcome
from lienthong.centre.time_travel import Knowledge, RecordAsOf, RecordVersion
from lienthong.gateway.app import create_app
from lienthong.gateway.contract_past import openapi_with_past

RELEASED = Path(__file__).parents[2] / "contracts" / "openapi" / "gateway-v1.2.json"
PAST: dict[str, Any] = json.loads(RELEASED.read_text(encoding="utf-8"))
PATH = f"/api/v1/datasets/nhan-khau/records/{PERSON}"
THEN = MOMENT - timedelta(days=3)
VERSION = RecordVersion(
    record=RECORD,
    valid_from=THEN - timedelta(days=1),
    valid_to=THEN + timedelta(days=1),
    ended_by="UPDATE",
    ended_at=MOMENT,
)


@dataclass
class History:
    outcome: LookupOutcome | None = LookupOutcome.FOUND
    found: tuple[RecordVersion, ...] = (VERSION,)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def record_as_of(
        self, dataset: Any, key: Sequence[str], moment: datetime, known_at: datetime | None = None
    ) -> Any:
        self.asked.append((dataset, tuple(key), moment, known_at))
        return RecordAsOf(
            dataset=dataset,
            moment=moment,
            known_at=known_at,
            knowledge=Knowledge.NOT_KNOWN if self.outcome is None else Knowledge.KNOWN,
            sources=(),
            outcome=self.outcome,
            versions=self.found,
            reasons=RECORD.findings if self.outcome is LookupOutcome.INCOMPLETE else (),
        )


@dataclass(kw_only=True)
class WithPast(Services):
    history: History | None = field(default_factory=History)


def ask(path: str, services: Services, *, key: str | None = KEY, **query: str) -> httpx.Response:
    app = create_app(services)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            headers = {} if key is None else {"Authorization": f"Bearer {key}"}
            return await client.get(path, params=query, headers=headers)

    response = anyio.run(send)
    told: Any = PAST["paths"]["/api/v1/datasets/{dataset}/records/{key}"]["get"]["responses"][
        str(response.status_code)
    ]
    while "$ref" in told:
        node: Any = PAST
        for part in told["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        told = node
    schema = told["content"][response.headers["content-type"]]["schema"]
    Draft202012Validator({**schema, "components": PAST["components"]}).validate(response.json())
    return response


def test_the_version_of_then_is_answered_with_its_period_and_origin_and_noted() -> None:
    services = WithPast()
    response = ask(PATH, services, as_of=THEN.isoformat())
    told = response.json()
    assert response.status_code == 200
    assert told["record"] == {"ho_va_ten": "Nguyễn Văn Kín"}
    assert told["withheld"] == ["so_dinh_danh"]
    assert (told["as_of"], told["known_at"], told["knowledge"]) == (THEN.isoformat(), None, "known")
    assert (told["valid_from"], told["valid_to"]) == (
        *(VERSION.valid_from.isoformat(), (THEN + timedelta(days=1)).isoformat()),
    )
    assert told["provenance"]["lo"] == 42
    assert services.access.journal == [
        {"agency": "G09", "dataset": "nhan-khau", "purpose": "xác minh", "outcome": "found", "records": 1}
    ]
    assert services.reader.looked_up == []


def test_both_clocks_may_be_named() -> None:
    services = WithPast()
    ask(PATH, services, as_of="2026-11-20T09:00:00+07:00", known_at="2026-11-21T00:00:00Z")
    assert services.history is not None
    assert services.history.asked == [
        (CITIZENS, (PERSON,), datetime(2026, 11, 20, 2, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    ]


def test_a_moment_nobody_knows_of_is_not_known_and_not_missing() -> None:
    services = WithPast(history=History(outcome=None, found=()))
    response = ask(PATH, services, as_of=THEN.isoformat())
    assert (response.status_code, response.json()["outcome"]) == (200, "not-known")
    assert "record" not in response.json()
    assert services.access.journal[0]["records"] == 0


@pytest.mark.parametrize(
    ("outcome", "found", "status"),
    [
        (LookupOutcome.NOT_FOUND, (), 404),
        (LookupOutcome.CANCELLED, (), 410),
        (LookupOutcome.INCOMPLETE, (), 200),
        (LookupOutcome.DISPUTED, (VERSION, VERSION), 409),
    ],
)
def test_every_other_outcome_has_the_status_of_a_look_today(
    outcome: LookupOutcome, found: tuple[RecordVersion, ...], status: int
) -> None:
    services = WithPast(history=History(outcome=outcome, found=found))
    response = ask(PATH, services, as_of=THEN.isoformat())
    assert (response.status_code, response.json()["outcome"]) == (status, outcome.value)
    assert all({"valid_from", "valid_to"} <= set(each) for each in response.json().get("records", ()))
    assert (services.access.journal[0]["outcome"], services.access.journal[0]["records"]) == (
        *(outcome.value, len(found)),
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"as_of": "2026-11-20T09:00:00"}, "CEN-301"),
        ({"as_of": "2026-11-20"}, "CEN-301"),
        ({"as_of": "hôm qua"}, "CEN-302"),
        ({"known_at": "2026-11-20T09:00:00Z"}, "CEN-302"),
        ({"as_of": (MOMENT + timedelta(seconds=1)).isoformat()}, "CEN-303"),
        ({"as_of": THEN.isoformat(), "known_at": (MOMENT + timedelta(days=1)).isoformat()}, "CEN-303"),
        ({"as_of": THEN.isoformat(), "known_at": "2026-11-20"}, "CEN-301"),
    ],
)
def test_a_moment_that_is_none_is_refused_before_anything_is_read(query: dict[str, str], code: str) -> None:
    services = WithPast()
    response = ask(PATH, services, **query)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert services.history is not None
    assert services.history.asked == []


def test_the_past_is_denied_by_default_like_the_present() -> None:
    services = WithPast()
    assert ask(PATH, services, key=None, as_of=THEN.isoformat()).status_code == 401
    assert ask(PATH, services, key=None, as_of="nonsense").status_code == 401
    other = f"/api/v1/datasets/{ENTERPRISES}/records/1"
    assert ask(other, services, as_of=THEN.isoformat()).status_code == 403
    assert ask(PATH, services, as_of=THEN.isoformat(), purpose="tò mò").status_code == 403
    assert [line["outcome"] for line in services.access.journal] == ["refused", "refused"]
    ended = WithPast(access=Register(held=()))
    assert ask(PATH, ended, as_of=THEN.isoformat()).status_code == 403


def test_an_installation_without_a_past_says_so() -> None:
    response = ask(PATH, WithPast(history=None), as_of=THEN.isoformat())
    assert (response.status_code, response.json()["code"]) == (503, "CEN-306")


# -- the contract --------------------------------------------------------------------------------------------------


def test_the_released_file_is_what_the_code_serves() -> None:
    assert (
        RELEASED.read_text(encoding="utf-8") == json.dumps(openapi_with_past(), ensure_ascii=False, indent=2) + "\n"
    )


def test_what_contract_1_0_and_1_1_promise_stands_unchanged_in_1_2() -> None:
    earlier = json.loads((RELEASED.parent / "gateway-v1.1.json").read_text(encoding="utf-8"))
    for known in (CONTRACT, earlier):
        for name, schema in known["components"]["schemas"].items():
            assert PAST["components"]["schemas"][name] == schema
        for path, methods in known["paths"].items():
            known_parameters = methods["get"].get("parameters", [])
            assert PAST["paths"][path]["get"].get("parameters", [])[: len(known_parameters)] == known_parameters


def test_every_schema_of_the_past_is_closed_and_complete() -> None:
    for name, schema in PAST["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        if name.endswith("AsOf"):
            assert schema["additionalProperties"] is False
            assert set(schema["required"]) == set(schema["properties"])
