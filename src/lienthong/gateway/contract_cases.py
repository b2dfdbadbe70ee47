"""The gateway's contract 1.1: everything of 1.0 unchanged, and cases of look-ups that got no good answer.

Released as ``contracts/openapi/gateway-v1.1.json`` and never edited after. A client of 1.0 sees no difference but a
header it does not know.
"""

from __future__ import annotations

from typing import Any

from lienthong.gateway.cases import CASE_HEADER
from lienthong.gateway.contract import Json, openapi

CONTRACT_VERSION = "1.1.0"

_TEXT: Json = {"type": "string"}
_OR_NOTHING: Json = {"type": "null"}


def openapi_with_cases() -> Json:
    """Return the contract as a document."""
    document: Any = openapi()
    document["info"]["version"] = CONTRACT_VERSION
    paths = document["paths"]
    record = paths["/api/v1/datasets/{dataset}/records/{key}"]["get"]
    record["parameters"].append(
        {
            "name": "expected",
            "in": "query",
            "description": (
                "true: the asker holds a paper that says the record exists; not-found then opens a case for its owner"
            ),
            "schema": {"enum": ["true", "false"]},
        }
    )
    for status in ("200", "404", "409"):
        record["responses"][status]["headers"] = {CASE_HEADER: {"$ref": "#/components/headers/Case"}}
    paths["/api/v1/cases/{number}"] = {"get": _case()}
    paths["/api/v1/openapi-1.1.json"] = {
        "get": paths["/api/v1/openapi.json"]["get"] | {"operationId": "getContractWithCases"}
    }
    parts = document["components"]
    parts["headers"]["Case"] = {
        "description": "Number of the case opened for the owner of the record; absent after a good answer",
        "required": False,
        "schema": {"type": "integer", "minimum": 1},
    }
    parts["responses"]["Refused404"]["description"] += ", GW-012 no such case of yours"
    parts["schemas"]["Case"] = _schema()
    return dict(document)


def _case() -> Json:
    refused = {status: {"$ref": f"#/components/responses/Refused{status}"} for status in ("401", "404", "500", "503")}
    return {
        "operationId": "getCase",
        "summary": "Where a case stands that a look-up of the asking agency brought about",
        "parameters": [
            {
                "name": "number",
                "in": "path",
                "required": True,
                "description": f"Số phiếu: the header {CASE_HEADER} of the look-up",
                "schema": {"type": "string", "pattern": "^[0-9]{1,19}$"},
            }
        ],
        "responses": {
            "200": {
                "description": "The case",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Case"}}},
            },
            **refused,
        },
    }


def _schema() -> Json:
    moment: Json = {"type": "string", "format": "date-time"}
    properties: Json = {
        "case": {"type": "integer", "minimum": 1},
        "dataset": _TEXT,
        "outcome": {"enum": ["not-found", "incomplete", "disputed"]},
        "state": {
            "enum": [
                *("open", "acknowledged", "correcting", "awaiting-measurement"),
                *("disputed", "reopened", "excepted", "closed"),
            ]
        },
        "owner": {"type": "string", "description": "Cơ quan chủ quản; chưa xác định where nobody is named"},
        "opened_at": moment,
        "answer_by": {
            "anyOf": [moment, _OR_NOTHING],
            "description": "By when the asker needs the paper instead: 8 working hours, NQ 66.7/2025/NQ-CP, Điều 8",
        },
        "planned_on": {"anyOf": [{"type": "string", "format": "date"}, _OR_NOTHING]},
        "closed_at": {"anyOf": [moment, _OR_NOTHING]},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
