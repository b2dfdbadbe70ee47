"""The gateway's contract 1.2: everything of 1.1 unchanged, and a record as of a moment.

Released as ``contracts/openapi/gateway-v1.2.json`` and never edited after. Without ``as_of`` nothing is different.
"""

from __future__ import annotations

import copy
from typing import Any

from lienthong.centre.time_travel import Knowledge
from lienthong.exchange.past import NOT_KNOWN
from lienthong.gateway.contract import Json
from lienthong.gateway.contract_cases import openapi_with_cases

CONTRACT_VERSION = "1.2.0"

_MOMENT: Json = {"type": "string", "format": "date-time"}
_MOMENTS: Json = {
    "as_of": {**_MOMENT, "description": "The moment of the source that was asked for"},
    "known_at": {"anyOf": [_MOMENT, {"type": "null"}]},
    "knowledge": {
        "enum": [each.value for each in Knowledge],
        "description": "partly: some sources of the dataset were connected only after the moment",
    },
}
_PERIOD: Json = {
    "valid_from": {**_MOMENT, "description": "Có giá trị từ"},
    "valid_to": {
        "anyOf": [_MOMENT, {"type": "null"}],
        "description": "Có giá trị đến (không bao gồm); null: no end was known",
    },
}
# Which answers a status may carry about the past, by their names in contract 1.0.
_SHAPES = {"200": ("Found", "Incomplete"), "404": ("NotFound",), "409": ("Disputed",), "410": ("Cancelled",)}


def openapi_with_past() -> Json:
    """Return the contract as a document."""
    document: Any = openapi_with_cases()
    document["info"]["version"] = CONTRACT_VERSION
    paths, parts = document["paths"], document["components"]
    record = paths["/api/v1/datasets/{dataset}/records/{key}"]["get"]
    record["parameters"] += [
        _parameter(
            "as_of",
            "Thời điểm: the record as the source held it then, with its time zone, + written %2B; no case is opened",
        ),
        _parameter("known_at", "with as_of: only what the centre had stored by then counts"),
    ]
    schemas = parts["schemas"]
    for status, names in _SHAPES.items():
        told = record["responses"][status]["content"]["application/json"]
        known = told["schema"].get("oneOf", [told["schema"]])
        told["schema"] = {"oneOf": [*known, *(_ref(f"{name}AsOf") for name in names)]}
        for name in names:
            schemas[f"{name}AsOf"] = _as_of(schemas[name])
    schemas["NotKnownAsOf"] = _as_of(schemas["NotFound"], outcome=NOT_KNOWN)
    found = record["responses"]["200"]
    found["content"]["application/json"]["schema"]["oneOf"].append(_ref("NotKnownAsOf"))
    found["description"] += (
        "; with as_of also not-known (chưa xác định): the moment lies before the first snapshot, or a source that "
        "was connected later may have held the record"
    )
    parts["responses"]["Refused400"]["description"] += (
        ", CEN-301 a moment without a time zone, CEN-302 not a moment, CEN-303 a moment that has not come"
    )
    paths["/api/v1/openapi-1.2.json"] = {
        "get": paths["/api/v1/openapi.json"]["get"] | {"operationId": "getContractWithPast"}
    }
    return dict(document)


def _parameter(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": _MOMENT}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _as_of(schema: Json, *, outcome: str | None = None) -> Json:
    """Return an answer's shape with what an answer about the past says beside it."""
    made: Any = copy.deepcopy(schema)
    added = dict(_MOMENTS)
    if "record" in made["properties"]:
        added |= _PERIOD
    if "records" in made["properties"]:
        record = made["properties"]["records"]["items"]
        record["properties"] |= _PERIOD
        record["required"] += list(_PERIOD)
    if outcome is not None:
        made["properties"]["outcome"] = {"const": outcome}
    made["properties"] |= added
    made["required"] += list(added)
    return dict(made)
