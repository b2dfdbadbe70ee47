"""The gateway's contract, OpenAPI 3.1; released as ``contracts/openapi/gateway-v1.json`` and never edited after."""

from __future__ import annotations

from lienthong.gateway.look import KEY_CHARACTERS_MAX

CONTRACT_VERSION = "1.0.0"

Json = dict[str, object]

_TEXT: Json = {"type": "string"}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_DAY: Json = {"type": "string", "format": "date"}
_NAMES: Json = {"type": "array", "items": {"type": "string"}}


def openapi() -> Json:
    """Return the contract as a document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Liên Thông: cổng chia sẻ dữ liệu",
            "version": CONTRACT_VERSION,
            "description": (
                "One record of a shared dataset at a time, with where it comes from and what is wrong with it. "
                "An agency sees the elements it is granted, for a purpose and on a legal basis; every look stands in "
                "the access journal before the answer leaves. The five outcomes of a look-up are answers "
                "(application/json); everything refused is a problem (application/problem+json, RFC 9457)."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"accessKey": []}],
        "paths": {
            "/api/v1/datasets": {"get": _datasets()},
            "/api/v1/datasets/{dataset}/schema": {"get": _schema()},
            "/api/v1/datasets/{dataset}/records/{key}": {"get": _record()},
            "/api/v1/openapi.json": {"get": _open("getContract", "This document", {"type": "object"})},
            "/healthz": {
                "get": _open(
                    "getHealth",
                    "Whether the gateway runs; says nothing about the centre",
                    _object({"status": {"const": "ok"}}),
                )
            },
        },
        "components": {
            "securitySchemes": {
                "accessKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key issued by the operator: lienthong access issue",
                }
            },
            "parameters": {
                "dataset": {
                    "name": "dataset",
                    "in": "path",
                    "required": True,
                    "description": "Bộ dữ liệu",
                    "schema": _TEXT,
                    "example": "doanh-nghiep",
                }
            },
            "headers": {
                "RetryAfter": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}},
                "WwwAuthenticate": {"description": "How to say who asks", "schema": _TEXT},
            },
            "responses": _refusals(),
            "schemas": _schemas(),
        },
    }


def _datasets() -> Json:
    return {
        "operationId": "listDatasets",
        "summary": "Datasets, their keys, and what of each is granted today",
        "responses": {"200": _answer("The datasets", _ref("Datasets")), **_refused("401", "500", "503")},
    }


def _schema() -> Json:
    return {
        "operationId": "getSchema",
        "summary": "JSON Schema of a record, with the codes in force on a day",
        "parameters": [
            {"$ref": "#/components/parameters/dataset"},
            {
                "name": "on",
                "in": "query",
                "description": "The day; today in Vietnam if left out",
                "schema": _DAY,
            },
        ],
        "responses": {
            "200": _answer("The schema", {"type": "object", "required": ["$schema", "$id", "properties"]}),
            **_refused("400", "401", "404", "500", "503"),
        },
    }


def _record() -> Json:
    return {
        "operationId": "getRecord",
        "summary": "One record by its business key",
        "parameters": [
            {"$ref": "#/components/parameters/dataset"},
            {
                "name": "key",
                "in": "path",
                "required": True,
                "description": "Khóa nghiệp vụ; the parts of a key of several elements are divided by ','",
                "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS_MAX},
            },
            {
                "name": "purpose",
                "in": "query",
                "description": "Mục đích: the purpose of one grant, where the agency has several; else the newest",
                "schema": _TEXT,
            },
        ],
        "responses": {
            "200": _answer(
                "found, or incomplete: the source has the record, its values are held back until they are right",
                {"oneOf": [_ref("Found"), _ref("Incomplete")]},
            ),
            "404": {
                "description": "not-found: no such record; as a problem: no such dataset",
                "content": {
                    "application/json": {"schema": _ref("NotFound")},
                    "application/problem+json": {"schema": _ref("Problem")},
                },
            },
            "409": _answer("disputed: several records claim the key; all are shown", _ref("Disputed")),
            "410": _answer("cancelled: the source withdrew the record", _ref("Cancelled")),
            **_refused("400", "401", "403", "414", "500", "503"),
        },
    }


def _open(operation: str, summary: str, schema: Json) -> Json:
    return {
        "operationId": operation,
        "summary": summary,
        "security": [],
        "responses": {"200": _answer(summary, schema), **_refused("500", "503")},
    }


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refused(*statuses: str) -> Json:
    return {status: {"$ref": f"#/components/responses/Refused{status}"} for status in statuses}


def _refusals() -> Json:
    meanings = {
        "400": "GW-001 the record's key has another form, GW-004 not a date",
        "401": "EX-001 no key, or one that is not in force",
        "403": "EX-002 no grant in force for this dataset, or not for this purpose",
        "404": "GW-003 no such dataset",
        "414": f"GW-002 the record's key is longer than {KEY_CHARACTERS_MAX} characters",
        "500": "GW-009 or another fault of the product",
        "503": "GW-005 too many requests, GW-006 too slow, EX-004 or CEN-… a store does not answer",
    }
    headers: dict[str, Json] = {
        "401": {"WWW-Authenticate": {"$ref": "#/components/headers/WwwAuthenticate"}},
        "503": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    }
    return {
        f"Refused{status}": {
            "description": meaning,
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
            **({"headers": headers[status]} if status in headers else {}),
        }
        for status, meaning in meanings.items()
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, *, optional: tuple[str, ...] = ()) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _outcome(name: str, properties: Json | None = None) -> Json:
    return _object(
        {
            "outcome": {"const": name},
            "dataset": _TEXT,
            "purpose": {"type": "string", "description": "Mục đích of the grant this look was made under"},
            "withheld": {**_NAMES, "description": "Elements of the dataset that are not granted"},
            **(properties or {}),
        }
    )


def _schemas() -> Json:
    record: Json = {
        "record": {
            "type": "object",
            "description": "Granted elements by technical name; GET …/schema describes each",
        },
        "provenance": _ref("Provenance"),
        "findings": {"type": "array", "items": _ref("Finding")},
    }
    severity: Json = {"enum": ["blocking", "error", "warning"]}
    finding: Json = {"rule": _TEXT, "element": _or_null(_TEXT), "severity": severity}
    return {
        "Found": _outcome("found", record),
        "Incomplete": _outcome("incomplete", {"reasons": {"type": "array", "items": _object(finding)}}),
        "NotFound": _outcome("not-found"),
        "Disputed": _outcome("disputed", {"records": {"type": "array", "minItems": 2, "items": _object(record)}}),
        "Cancelled": _outcome("cancelled"),
        "Finding": _object(
            {**finding, "observed": {**_or_null(_TEXT), "description": "What was found, masked"}},
        ),
        "Provenance": _object(
            {
                "IdBanGhi": {"type": "string", "description": "Mã định danh bản ghi"},
                "SuKien": {"type": "string", "description": "Sự kiện"},
                "PhienBan": {"type": "integer", "description": "Phiên bản"},
                "ThoiGianCapNhat": {**_MOMENT, "description": "Thời gian cập nhật ở nguồn"},
                "nguon": {"type": "string", "description": "Nguồn"},
                "bang": {"type": "string", "description": "Bảng ở nguồn"},
                "lo": {"type": "integer", "description": "Lô đồng bộ"},
                "vi_tri": {"type": "string", "description": "Vị trí trong luồng thay đổi của nguồn"},
                "ap_dung_luc": {**_MOMENT, "description": "Thời điểm ghi vào Trung tâm"},
                "tu_dien": {"type": "string", "description": "Phiên bản từ điển"},
            }
        ),
        "Datasets": _object({"agency": _TEXT, "datasets": {"type": "array", "items": _ref("Dataset")}}),
        "Dataset": _object(
            {
                "dataset": _TEXT,
                "label": _TEXT,
                "definition": _TEXT,
                "version": _TEXT,
                "key": {**_NAMES, "minItems": 1},
                "grants": {"type": "array", "items": _ref("Grant")},
            }
        ),
        "Grant": _object(
            {
                "purpose": _TEXT,
                "legal_basis": _TEXT,
                "elements": _NAMES,
                "valid_from": _DAY,
                "valid_to": {**_DAY, "description": "The first day it no longer holds"},
            }
        ),
        "Problem": _object(
            {
                "type": {"type": "string", "format": "uri"},
                "title": {"type": "string", "description": "In Vietnamese"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string", "description": "In English, without anything that was sent"},
                "instance": {"type": "string", "format": "uri", "description": "Number of the request in the log"},
                "code": {"type": "string", "pattern": "^[A-Z]{2,3}-[0-9]{3}$"},
                "hint": _TEXT,
                "actor": {"enum": ["operator", "agency", "steward", "consumer", "developer"]},
            }
        ),
    }
