"""The released contract: what the code serves, and a sound OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from gateway_client import CONTRACT, CONTRACT_PATH, resolved
from jsonschema import Draft202012Validator

from lienthong.gateway.contract import openapi


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from nodes(inner)


def test_the_released_file_is_what_the_code_serves() -> None:
    assert CONTRACT_PATH.read_text(encoding="utf-8") == json.dumps(openapi(), ensure_ascii=False, indent=2) + "\n"


def test_every_reference_resolves_and_every_component_is_used() -> None:
    used = {node["$ref"] for node in nodes(CONTRACT) if "$ref" in node}
    for reference in used:
        assert resolved({"$ref": reference})
    for kind in ("schemas", "responses", "parameters", "headers"):
        for name in CONTRACT["components"][kind]:
            assert f"#/components/{kind}/{name}" in used, f"{kind} {name} is not used"


def test_every_schema_is_a_json_schema_that_closes_its_objects() -> None:
    for name, schema in CONTRACT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        if "properties" in schema:
            assert schema["additionalProperties"] is False, name
            assert set(schema["required"]) == set(schema["properties"]), name


def test_operations_have_names_of_their_own_and_declare_the_parameters_of_their_paths() -> None:
    names = []
    for path, methods in CONTRACT["paths"].items():
        assert set(methods) == {"get"}, "the gateway only reads"
        operation = methods["get"]
        names.append(operation["operationId"])
        declared = {
            resolved(each)["name"] for each in operation.get("parameters", []) if resolved(each)["in"] == "path"
        }
        assert declared == set(re.findall(r"{(\w+)}", path))
        assert "200" in operation["responses"]
        assert {"500", "503"} <= set(operation["responses"])
        if operation.get("security", CONTRACT["security"]):
            assert "401" in operation["responses"]
    assert len(set(names)) == len(names)


def test_every_refusal_of_the_contract_is_a_problem() -> None:
    for name, response in CONTRACT["components"]["responses"].items():
        assert set(response["content"]) == {"application/problem+json"}, name
