"""Datasets and code lists as a Frictionless Data Package: for releases as CSV (gói dữ liệu CSV)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lienthong.dictionary.exports.document import ExportFile
from lienthong.dictionary.exports.selection import lists_of
from lienthong.dictionary.exports.sql_ddl import TODAY
from lienthong.dictionary.json_schema import PARTIAL_DATE_PATTERN
from lienthong.dictionary.model import CodeList, Dataset, Datatype, Dictionary, Member, ValueDomain
from lienthong.dictionary.writing import codes_csv

DESCRIPTOR: Final = "datapackage.json"
CODES_FOLDER: Final = "danh-muc"

FIELD_TYPES: Final[Mapping[Datatype, str]] = {
    Datatype.TEXT: "string",
    Datatype.CODE: "string",
    Datatype.CODES: "array",  # written as JSON in its cell
    Datatype.INTEGER: "integer",
    Datatype.DECIMAL: "number",
    Datatype.DATE: "date",
    Datatype.PARTIAL_DATE: "string",
    Datatype.BOOLEAN: "boolean",
    Datatype.TIMESTAMP: "datetime",
}
_CODE_FIELDS: Final = (
    ("code", "string", "Mã"),
    ("label_vi", "string", "Tên"),
    ("label_en", "string", "Tên tiếng Anh"),
    ("valid_from", "date", "Hiệu lực từ"),
    ("valid_to", "date", "Không còn hiệu lực từ"),
    ("parent", "string", "Mã cấp trên"),
    ("replaced_by", "string", "Mã thay thế, cách nhau bằng |"),
    ("source", "string", "Nguồn"),
)


def frictionless_files(dictionary: Dictionary, datasets: Sequence[Dataset]) -> tuple[ExportFile, ...]:
    """Return the package: its descriptor, the codes, and for each dataset a CSV with the header only, to be filled.

    Vietnamese: gói dữ liệu Frictionless.
    """
    package = json.dumps(data_package(dictionary, datasets), ensure_ascii=False, indent=2) + "\n"
    files = [ExportFile(name=DESCRIPTOR, content=package.encode())]
    files += [
        ExportFile(name=_code_path(code_list), content=codes_csv(code_list).encode())
        for code_list in _lists(dictionary, datasets)
    ]
    for dataset in datasets:
        header = [dictionary.elements[member.element].technical_name for member in dataset.members]
        files.append(ExportFile(name=f"{dataset.identity.id}.csv", content=_line(header).encode()))
    return tuple(files)


def data_package(dictionary: Dictionary, datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Return the descriptor of the package."""
    return {
        "profile": "tabular-data-package",
        "name": "tu-dien-du-lieu-dung-chung",
        "title": "Từ điển dữ liệu dùng chung",
        "description": f"Từ điển {dictionary.version} ({dictionary.digest})",
        "version": dictionary.version,
        "resources": [
            *(_codes_resource(code_list) for code_list in _lists(dictionary, datasets)),
            *(_resource(dictionary, dataset) for dataset in datasets),
        ],
    }


def table_schema(dictionary: Dictionary, dataset: Dataset) -> dict[str, Any]:
    """Return the Table Schema of a dataset (lược đồ bảng)."""
    names = {member.element: dictionary.elements[member.element].technical_name for member in dataset.members}
    schema: dict[str, Any] = {
        "fields": [_field(dictionary, member) for member in dataset.members],
        "missingValues": [""],
    }
    if dataset.key:
        schema["primaryKey"] = [names[element] for element in dataset.key]
    references = list(_references(dictionary, dataset))
    return schema | ({"foreignKeys": references} if references else {})


def _lists(dictionary: Dictionary, datasets: Sequence[Dataset]) -> Iterator[CodeList]:
    for name in lists_of(dictionary, datasets):
        if dictionary.code_lists[name].codes:
            yield dictionary.code_lists[name]


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _code_path(code_list: CodeList) -> str:
    return f"{CODES_FOLDER}/{code_list.identity.id}.csv"


def _codes_resource(code_list: CodeList) -> dict[str, Any]:
    needed = {"code", "label_vi"}
    return {
        "profile": "tabular-data-resource",
        "name": code_list.identity.id,
        "title": code_list.label.vi,
        "path": _code_path(code_list),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [
                {"name": name, "type": kind, "title": title}
                | ({"constraints": {"required": True}} if name in needed else {})
                for name, kind, title in _CODE_FIELDS
            ],
            "missingValues": [""],
        },
    }


def _resource(dictionary: Dictionary, dataset: Dataset) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": dataset.identity.id,
        "title": dataset.label.vi,
        "description": dataset.definition.vi,
        "path": f"{dataset.identity.id}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": table_schema(dictionary, dataset),
    }


def _field(dictionary: Dictionary, member: Member) -> dict[str, Any]:
    element, domain = dictionary.elements[member.element], dictionary.domain_of(member.element)
    kind = "array" if member.many else FIELD_TYPES[domain.datatype]
    described: dict[str, Any] = {
        "name": element.technical_name,
        "type": kind,
        "title": element.label.vi,
        "description": element.definition.vi,
    }
    constraints: dict[str, Any] = {"required": True} if member.required else {}
    constraints |= {"unique": True} if member.unique else {}
    constraints |= {} if kind == "array" else _constraints(domain)
    if constraints:
        described["constraints"] = constraints
    return described


def _constraints(domain: ValueDomain) -> dict[str, Any]:
    kind = FIELD_TYPES[domain.datatype]
    found: dict[str, Any] = {}
    if kind == "string":
        pattern = PARTIAL_DATE_PATTERN if domain.datatype is Datatype.PARTIAL_DATE else domain.pattern
        found |= {} if domain.min_length is None else {"minLength": domain.min_length}
        found |= {} if domain.max_length is None else {"maxLength": domain.max_length}
        found |= {} if pattern is None else {"pattern": pattern}
    if kind in {"integer", "number", "date"}:
        for name, bound in (("minimum", domain.minimum), ("maximum", domain.maximum)):
            if bound is not None and bound != TODAY:
                found[name] = bound if kind == "date" else _number(bound)
    return found


def _number(bound: str) -> int | float:
    return float(bound) if "." in bound else int(bound)


def _references(dictionary: Dictionary, dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Yield the codes that must stand in their list; an incomplete list may lack a right one."""
    for member in dataset.members:
        code_list = dictionary.code_list_of(member.element)
        if member.many or dictionary.domain_of(member.element).datatype is not Datatype.CODE:
            continue
        if code_list is not None and code_list.complete and code_list.codes:
            yield {
                "fields": dictionary.elements[member.element].technical_name,
                "reference": {"resource": code_list.identity.id, "fields": "code"},
            }
