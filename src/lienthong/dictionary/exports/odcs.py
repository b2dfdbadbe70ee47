"""A dataset as a contract of the Open Data Contract Standard 3.1 (hợp đồng dữ liệu)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.sql_ddl import DATA_SCHEMA, TODAY, column_type
from lienthong.dictionary.model import (
    Dataset,
    Datatype,
    Dictionary,
    Element,
    Member,
    Sensitivity,
    Status,
    ValueDomain,
)

API_VERSION: Final = "v3.1.0"
# Tools fetch the addresses of the types businessDefinition, definition and semantics: offline that fails, and on a
# server that checks contracts of others it calls whatever they name. This type nobody follows.
DEFINITION_TYPE: Final = "lienthongElement"

LOGICAL_TYPES: Final[Mapping[Datatype, str]] = {
    Datatype.TEXT: "string",
    Datatype.CODE: "string",
    Datatype.CODES: "array",
    Datatype.INTEGER: "integer",
    Datatype.DECIMAL: "number",
    Datatype.DATE: "date",
    Datatype.PARTIAL_DATE: "string",
    Datatype.BOOLEAN: "boolean",
    Datatype.TIMESTAMP: "timestamp",
}
CLASSIFICATIONS: Final[Mapping[Sensitivity, str]] = {
    Sensitivity.PUBLIC: "public",
    Sensitivity.INTERNAL: "internal",
    Sensitivity.BASIC_PERSONAL: "confidential",
    Sensitivity.SENSITIVE_PERSONAL: "restricted",
}
STATUSES: Final[Mapping[Status, str]] = {
    Status.PROPOSED: "proposed",
    Status.REVIEW: "draft",
    Status.CONSULTATION: "draft",
    Status.APPROVED: "active",
    Status.SUPERSEDED: "deprecated",
    Status.RETIRED: "retired",
    Status.REJECTED: "retired",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityRule:
    """A quality rule as a contract can carry it (quy tắc chất lượng).

    ``failing`` is a condition of PostgreSQL that holds for the rows that break the rule; None where the rule rests on
    facts that stand in no column, and can only be told.
    """

    name: str  # "CL02:ma_so_doanh_nghiep"
    element: str | None  # technical name
    dimension: str
    severity: str
    sentence: str  # in Vietnamese
    failing: str | None = None
    is_about_nulls: bool = False  # the element must not be null
    is_about_duplicates: bool = False  # no two rows may share the element's value


class _Dumper(yaml.SafeDumper):
    """Indent lists below their key, and write nothing by reference."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        del indentless
        return super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def odcs_yaml(contract: Mapping[str, Any]) -> str:
    """Return a contract as the YAML file it is exchanged as."""
    return yaml.dump(
        dict(contract), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110, default_flow_style=False
    )


def odcs_contract(
    dictionary: Dictionary, dataset: Dataset, *, rules: Sequence[QualityRule], addresses: Addresses
) -> dict[str, Any]:
    """Return the contract of one dataset.

    Vietnamese: hợp đồng dữ liệu của một bộ dữ liệu.
    """
    identity = dataset.identity
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"urn:lienthong:dataset:{identity.id}",
        "name": dataset.label.vi,
        "version": identity.version,
        "status": STATUSES[identity.status],
        "domain": dataset.domain,
        "description": {
            "purpose": dataset.definition.vi,
            "limitations": "Chỉ nhận được trường đã được cấp quyền; dữ liệu thuộc bí mật nhà nước không có ở đây.",
        },
        "schema": [_object(dictionary, dataset, rules, addresses)],
        "slaProperties": [
            {
                "property": "latency",
                "value": dataset.allowed_lag_s,
                "unit": "s",
                "element": dataset.table,
                "description": "Từ khi ghi ở nguồn đến khi thấy được tại trung tâm",
            }
        ],
        "authoritativeDefinitions": [{"url": addresses.item(dataset), "type": "lienthongDataset"}],
        "customProperties": [
            {"property": "dataset", "value": f"{identity.id}@{identity.version}"},
            {"property": "dictionaryVersion", "value": dictionary.version},
            {"property": "dictionaryDigest", "value": dictionary.digest},
        ],
    }


def _object(
    dictionary: Dictionary, dataset: Dataset, rules: Sequence[QualityRule], addresses: Addresses
) -> dict[str, Any]:
    names = {dictionary.elements[member.element].technical_name for member in dataset.members}
    whole = [_quality(dataset, rule) for rule in rules if rule.element not in names]
    described = {
        "name": dataset.table,
        "logicalType": "object",
        "physicalName": f"{DATA_SCHEMA}.{dataset.table}",
        "physicalType": "table",
        "businessName": dataset.label.vi,
        "description": dataset.definition.vi,
        "properties": [_property(dictionary, dataset, member, rules, addresses) for member in dataset.members],
    }
    return described | ({"quality": whole} if whole else {})


def _property(
    dictionary: Dictionary, dataset: Dataset, member: Member, rules: Sequence[QualityRule], addresses: Addresses
) -> dict[str, Any]:
    place = dataset.key.index(member.element) + 1 if member.key else None
    element, domain = dictionary.elements[member.element], dictionary.domain_of(member.element)
    single = member.many and domain.datatype is not Datatype.CODES
    described: dict[str, Any] = {
        "name": element.technical_name,
        "businessName": element.label.vi,
        "description": element.definition.vi,
        "logicalType": "array" if single else LOGICAL_TYPES[domain.datatype],
        "physicalType": column_type(domain, many=member.many),
        "required": member.required,
        "unique": member.unique,
        "primaryKey": place is not None,
        "classification": CLASSIFICATIONS[element.sensitivity],
        "criticalDataElement": element.identifier,
        "authoritativeDefinitions": [{"url": addresses.item(element), "type": DEFINITION_TYPE}],
        "customProperties": _custom(dictionary, member, element),
    }
    if place is not None:
        described["primaryKeyPosition"] = place
    options = {} if described["logicalType"] == "array" else _options(domain)
    if options:
        described["logicalTypeOptions"] = options
    if described["logicalType"] == "array":
        items: dict[str, Any] = {"logicalType": "string" if not single else LOGICAL_TYPES[domain.datatype]}
        described["items"] = items | ({"logicalTypeOptions": _options(domain)} if _options(domain) else {})
    quality = [_quality(dataset, rule) for rule in rules if rule.element == element.technical_name]
    return described | ({"quality": quality} if quality else {})


def _custom(dictionary: Dictionary, member: Member, element: Element) -> list[dict[str, Any]]:
    code_list = dictionary.code_list_of(member.element)
    custom = [
        {"property": "element", "value": f"{element.identity.id}@{element.identity.version}"},
        {"property": "valueDomain", "value": str(element.value_domain)},
        {"property": "sensitivity", "value": element.sensitivity.value},
    ]
    if code_list is not None:
        identity = code_list.identity
        custom.append({"property": "codeList", "value": f"{identity.id}@{identity.version}"})
    return custom


def _options(domain: ValueDomain) -> dict[str, Any]:
    """Return what the standard lets a logical type say about its values."""
    kind = LOGICAL_TYPES[domain.datatype]
    options: dict[str, Any] = {}
    if kind in {"string", "array"}:
        options |= {} if domain.min_length is None else {"minLength": domain.min_length}
        options |= {} if domain.max_length is None else {"maxLength": domain.max_length}
        options |= {} if domain.pattern is None else {"pattern": domain.pattern}
    if kind in {"integer", "number"}:
        read = int if kind == "integer" else float
        options |= {} if domain.minimum is None else {"minimum": read(domain.minimum)}
        options |= {} if domain.maximum is None else {"maximum": read(domain.maximum)}
    if kind == "date":
        options["format"] = "yyyy-MM-dd"
        options |= {} if domain.minimum in {None, TODAY} else {"minimum": domain.minimum}
        options |= {} if domain.maximum in {None, TODAY} else {"maximum": domain.maximum}
    return options


def _quality(dataset: Dataset, rule: QualityRule) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": rule.name,
        "description": rule.sentence,
        "dimension": rule.dimension,
        "severity": rule.severity,
    }
    if rule.is_about_nulls:
        return told | {"type": "library", "metric": "nullValues", "mustBe": 0, "unit": "rows"}
    if rule.is_about_duplicates:
        return told | {"type": "library", "metric": "duplicateValues", "mustBe": 0, "unit": "rows"}
    if rule.failing is None:
        return told | {"type": "text"}
    # Names come from the dictionary, which lets safe ones in only; the condition from the closed rule language.
    query = f'SELECT COUNT(*) FROM {DATA_SCHEMA}."{dataset.table}" WHERE {rule.failing}'  # noqa: S608 - shown, not run
    return told | {"type": "sql", "query": query, "mustBe": 0, "unit": "rows"}
