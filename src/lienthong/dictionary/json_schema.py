"""A dataset as JSON Schema 2020-12, with the codes in force on one day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from lienthong.dictionary.codes import codes_on
from lienthong.dictionary.model import (
    CodeList,
    DatasetId,
    Datatype,
    Dictionary,
    Element,
    Member,
    ValueDomain,
)
from lienthong.dictionary.refusals import DatasetUnknown

TITLED_CODES_MAX: Final = 200  # longer lists are written as a plain enum
PARTIAL_DATE_PATTERN: Final = "^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"

_JSON_TYPE: Final[Mapping[Datatype, str]] = {
    Datatype.INTEGER: "integer",
    Datatype.BOOLEAN: "boolean",
}
_FORMAT: Final[Mapping[Datatype, str]] = {
    Datatype.DATE: "date",
    Datatype.TIMESTAMP: "date-time",
}


def json_schema(dictionary: Dictionary, dataset: DatasetId, *, on: date) -> dict[str, Any]:
    """Return the schema of one record of a dataset, with codes as they are on a day.

    Decimals are strings, so that no reader turns đồng into binary fractions.
    Elements that are not required may be null.
    """
    if dataset not in dictionary.datasets:
        raise DatasetUnknown(wanted=dataset, known=", ".join(sorted(dictionary.datasets)))
    one = dictionary.datasets[dataset]
    properties = {
        dictionary.elements[member.element].technical_name: _property(dictionary, member, on=on)
        for member in one.members
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:lienthong:dataset:{one.identity.id}:{one.identity.version}:{on.isoformat()}",
        "$comment": f"dictionary {dictionary.version} ({dictionary.digest}); codes in force on {on.isoformat()}",
        "title": one.label.vi,
        "description": one.definition.vi,
        "type": "object",
        "properties": properties,
        "required": [dictionary.elements[member.element].technical_name for member in one.members if member.required],
        "additionalProperties": False,
    }


def _property(dictionary: Dictionary, member: Member, *, on: date) -> dict[str, Any]:
    element = dictionary.elements[member.element]
    domain = dictionary.domain_of(member.element)
    value = _value(domain, dictionary.code_list_of(member.element), on=on)
    if domain.datatype is Datatype.CODES or member.many:
        value = {"type": "array", "items": value, "uniqueItems": domain.datatype is Datatype.CODES}
    if not member.required:
        value = {"anyOf": [value, {"type": "null"}]}
    return {
        "title": element.label.vi,
        "description": element.definition.vi,
        "$comment": _comment(element),
        **value,
    }


def _comment(element: Element) -> str:
    return f"{element.identity.id}@{element.identity.version}"


def _value(domain: ValueDomain, code_list: CodeList | None, *, on: date) -> dict[str, Any]:
    """Return the schema of one value, without its title."""
    schema: dict[str, Any] = {"type": _JSON_TYPE.get(domain.datatype, "string")}
    if domain.datatype in _FORMAT:
        schema["format"] = _FORMAT[domain.datatype]
    if domain.datatype is Datatype.PARTIAL_DATE:
        schema["pattern"] = PARTIAL_DATE_PATTERN
    if domain.datatype is Datatype.DECIMAL:
        schema["pattern"] = _decimal_pattern(domain)
    if domain.datatype is Datatype.INTEGER:
        schema |= _bounds(domain)
    if schema["type"] == "string" and domain.datatype not in {*_FORMAT, Datatype.DECIMAL}:
        schema |= {"minLength": domain.min_length} if domain.min_length is not None else {}
        schema |= {"maxLength": domain.max_length} if domain.max_length is not None else {}
        schema |= {"pattern": domain.pattern} if domain.pattern is not None else {}
    if code_list is not None:
        schema |= _codes(code_list, on=on)
    return schema


def _codes(code_list: CodeList, *, on: date) -> dict[str, Any]:
    """Return what the codes in force allow.

    An incomplete list may lack a code that is right, so it suggests and refuses nothing.
    """
    codes = codes_on(code_list, on)
    if len(codes) > TITLED_CODES_MAX:
        return {"enum" if code_list.complete else "examples": [code.code for code in codes]}
    choices: list[dict[str, Any]] = [{"const": code.code, "title": code.label.vi} for code in codes]
    if not code_list.complete:
        return {"anyOf": [*choices, {"title": "mã khác", "type": "string"}]}
    return {"oneOf": choices} if choices else {"not": {}}


def _bounds(domain: ValueDomain) -> dict[str, int]:
    bounds = {}
    if domain.minimum is not None:
        bounds["minimum"] = int(domain.minimum)
    if domain.maximum is not None:
        bounds["maximum"] = int(domain.maximum)
    return bounds


def _decimal_pattern(domain: ValueDomain) -> str:
    whole = (domain.precision or 0) - (domain.scale or 0)
    sign = "" if domain.minimum is not None and not domain.minimum.startswith("-") else "-?"
    fraction = f"(\\.[0-9]{{1,{domain.scale}}})?" if domain.scale else ""
    return f"^{sign}[0-9]{{1,{max(whole, 1)}}}{fraction}$"
