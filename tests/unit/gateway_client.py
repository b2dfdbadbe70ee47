"""A gateway on fakes; every answer is judged by the released contract before a test sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
from jsonschema import Draft202012Validator

from lienthong.centre.reading import LookupOutcome, LookupResult, Provenance, RecordFinding, StoredRecord
from lienthong.clock import FixedClock
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.exchange.grants import Grant
from lienthong.gateway.app import create_app
from lienthong.testing.fakes import FakeReader, small_dictionary

CONTRACT_PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "gateway-v1.json"
CONTRACT: dict[str, Any] = json.loads(CONTRACT_PATH.read_text(encoding="utf-8"))
MOMENT = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # already 23 November in Vietnam
KEY = "lt_" + "K" * 43
PERSON = "096123456789"
ENTERPRISES = DatasetId("doanh-nghiep")
CITIZENS = DatasetId("nhan-khau")
RECORD = StoredRecord(
    values={"so_dinh_danh": PERSON, "ho_va_ten": "Nguyễn Văn Kín"},
    provenance=Provenance(
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
    ),
    findings=(
        RecordFinding(
            rule="CL01:ho_va_ten", element="ho_va_ten", severity="warning", observed="N***", opened_at=MOMENT
        ),
    ),
)


def grant(*elements: str, agency: str = "G09", dataset: DatasetId = CITIZENS, purpose: str = "xác minh") -> Grant:
    return Grant(
        agency=agency,
        dataset=dataset,
        elements=frozenset(elements),
        purpose=purpose,
        legal_basis="Nghị quyết 214/NQ-CP",
        valid_from=date(2026, 11, 23),
        valid_to=date(2027, 1, 1),
    )


@dataclass(kw_only=True)
class Reader(FakeReader):
    result: LookupResult = field(default_factory=lambda: LookupResult(outcome=LookupOutcome.FOUND, records=(RECORD,)))
    looked_up: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def lookup(self, dataset: DatasetId, key: Sequence[str]) -> LookupResult:
        self._answer()
        self.looked_up.append((dataset, tuple(key)))
        return self.result


@dataclass(kw_only=True)
class Register:
    held: tuple[Grant, ...] = (grant("ho_va_ten"),)
    journal: list[dict[str, object]] = field(default_factory=list)
    failure: Exception | None = None
    note_failure: Exception | None = None

    def agency_of(self, key: str) -> str | None:
        if self.failure is not None:
            raise self.failure
        return {KEY: "G09"}.get(key)

    def grants(self, agency: str, dataset: DatasetId) -> tuple[Grant, ...]:
        return tuple(each for each in self.held if each.agency == agency and each.dataset == dataset)

    def note(self, **facts: object) -> int:
        if self.note_failure is not None:
            raise self.note_failure
        self.journal.append(facts)
        return len(self.journal)


@dataclass(kw_only=True)
class Services:
    reader: Reader = field(default_factory=Reader)
    access: Register = field(default_factory=Register)
    clock: FixedClock = field(default_factory=lambda: FixedClock(MOMENT))
    dictionary: Dictionary = field(default_factory=small_dictionary)


def ask(
    path: str, services: Services | None = None, *, key: str | None = KEY, method: str = "GET", app: Any = None
) -> httpx.Response:
    """Send one request and hold the answer against the contract."""
    served = app or create_app(services or Services())
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=served)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.request(method, path, headers=headers)

    response = anyio.run(send)
    if method == "GET":
        judge(response)
    return response


def judge(response: httpx.Response) -> None:
    """Refuse an answer the contract does not allow: its status, its media type or its shape."""
    operation = operation_of(response.request.url.path)
    media = response.headers["content-type"]
    if operation is None:
        schema: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
        assert media == "application/problem+json"
    else:
        answers = operation["responses"]
        assert str(response.status_code) in answers, f"the contract has no {response.status_code} here"
        told = resolved(answers[str(response.status_code)])
        assert media in told["content"], f"the contract has no {media} for {response.status_code}"
        schema = told["content"][media]["schema"]
        for header in told.get("headers", {}):
            assert header in response.headers
    Draft202012Validator({**schema, "components": CONTRACT["components"]}).validate(response.json())


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = CONTRACT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def operation_of(path: str) -> dict[str, Any] | None:
    parts = path.split("/")
    for template, methods in CONTRACT["paths"].items():
        wanted = template.split("/")
        rest_fits = wanted[-1] == "{key}" and len(parts) >= len(wanted)
        if (len(parts) == len(wanted) or rest_fits) and all(
            there == want or want.startswith("{") for there, want in zip(parts, wanted, strict=False)
        ):
            return methods["get"]
    return None
