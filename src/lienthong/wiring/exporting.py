"""Exports of the dictionary and the import of its term sheet, joined from their parts."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from lienthong.adapters.spreadsheet import read_workbook, write_workbook
from lienthong.check.columns import known_columns
from lienthong.check.language import parse_predicate, to_sql
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Criterion, Rule
from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.dcat import dcat_turtle
from lienthong.dictionary.exports.document import ExportFile
from lienthong.dictionary.exports.frictionless import frictionless_files
from lienthong.dictionary.exports.html import html_page
from lienthong.dictionary.exports.odcs import QualityRule, odcs_contract, odcs_yaml
from lienthong.dictionary.exports.selection import chosen_datasets, chosen_lists
from lienthong.dictionary.exports.skos import skos_turtle
from lienthong.dictionary.exports.sql_ddl import sql_ddl
from lienthong.dictionary.exports.term_reading import TermImport, read_workbook_terms
from lienthong.dictionary.exports.term_sheet import dictionary_workbook
from lienthong.dictionary.json_schema import json_schema
from lienthong.dictionary.model import UNKNOWN_VI, Dataset, DatasetId, Dictionary
from lienthong.oversight.dictionary_codes import CodeRow, codes_sheet

_DIMENSIONS: Final = {  # the words of the standard for the six of Resolution 214/NQ-CP
    Criterion.CORRECT: "accuracy",
    Criterion.COMPLETE: "completeness",
    Criterion.CLEAN: "conformity",
    Criterion.LIVE: "timeliness",
    Criterion.UNIFIED: "consistency",
    Criterion.SHARED: "coverage",
}
_PRESENT: Final = "CP01"
_UNIQUE: Final = "unique"


class ExportFormat(enum.Enum):
    """What the dictionary can be exported to."""

    JSON_SCHEMA = "json-schema"
    SQL = "sql"
    ODCS = "odcs"
    SKOS = "skos"
    DCAT = "dcat"
    FRICTIONLESS = "frictionless"
    HTML = "html"
    XLSX = "xlsx"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOrder:
    """What to export, and how it speaks of itself."""

    format: ExportFormat
    names: tuple[str, ...]  # datasets; for SKOS code lists too; none: all
    on: date  # on which day codes must be in force
    addresses: Addresses
    publisher: str = UNKNOWN_VI


def export(dictionary: Dictionary, order: ExportOrder) -> tuple[ExportFile, ...]:
    """Return the files of an export.

    Raises:
        ExportSubjectUnknown, NameTooLong, TextTooLong: see there.
    """
    if order.format is ExportFormat.SKOS:
        lists = chosen_lists(dictionary, order.names)
        return (_text("danh-muc.ttl", skos_turtle(dictionary, lists, addresses=order.addresses)),)
    datasets = chosen_datasets(dictionary, order.names)
    if order.format is ExportFormat.FRICTIONLESS:
        return frictionless_files(dictionary, datasets)
    if order.format in {ExportFormat.JSON_SCHEMA, ExportFormat.ODCS}:
        return tuple(_one_by_one(dictionary, datasets, order))
    return (_one_for_all(dictionary, datasets, order),)


def _one_for_all(dictionary: Dictionary, datasets: Sequence[Dataset], order: ExportOrder) -> ExportFile:
    """Return the formats that have one file for all datasets."""
    match order.format:
        case ExportFormat.SQL:
            return _text("tu-dien.sql", sql_ddl(dictionary, datasets))
        case ExportFormat.DCAT:
            catalogue = dcat_turtle(dictionary, datasets, publisher=order.publisher, addresses=order.addresses)
            return _text("danh-muc-du-lieu.ttl", catalogue)
        case ExportFormat.HTML:
            return _text("tu-dien.html", html_page(dictionary, datasets, on=order.on))
        case ExportFormat.XLSX:
            sheets = dictionary_workbook(dictionary, datasets, everything=not order.names)
            return ExportFile(name="tu-dien.xlsx", content=write_workbook(sheets, created=order.on), is_text=False)
        case other:
            raise AssertionError(f"{other} is exported elsewhere")


def _one_by_one(dictionary: Dictionary, datasets: Sequence[Dataset], order: ExportOrder) -> list[ExportFile]:
    """Return the formats that have a file for each dataset."""
    files = []
    for dataset in datasets:
        name = dataset.identity.id
        if order.format is ExportFormat.ODCS:
            rules = quality_rules(dictionary, dataset)
            contract = odcs_contract(dictionary, dataset, rules=rules, addresses=order.addresses)
            files.append(_text(f"{name}.odcs.yaml", odcs_yaml(contract)))
        else:
            schema = json_schema(dictionary, DatasetId(name), on=order.on)
            files.append(_text(f"{name}.schema.json", json.dumps(schema, ensure_ascii=False, indent=2) + "\n"))
    return files


def _text(name: str, text: str) -> ExportFile:
    return ExportFile(name=name, content=text.encode())


def quality_rules(dictionary: Dictionary, dataset: Dataset) -> tuple[QualityRule, ...]:
    """Return the rules of a dataset as a contract can carry them.

    A rule that reads the dataset's own columns only is given as SQL; what rests on facts that the checks work out
    (how a value was read, what the lists say) is told in words.
    """
    columns = known_columns(dictionary, dataset)
    own = {dictionary.elements[member.element].technical_name for member in dataset.members}

    def failing(rule: Rule) -> str | None:
        if rule.over is not None:
            return None
        when, check = (parse_predicate(text, columns=columns) for text in (rule.when, rule.check))
        if not {*when.columns, *check.columns} <= own:
            return None
        return f"({to_sql(when, dialect='postgres')}) AND NOT ({to_sql(check, dialect='postgres')})"

    return tuple(
        QualityRule(
            name=rule.name,
            element=rule.element,
            dimension="uniqueness" if rule.over == _UNIQUE else _DIMENSIONS[rule.criterion],
            severity=rule.severity.value,
            sentence=rule.sentence.vi,
            failing=failing(rule),
            is_about_nulls=rule.code == _PRESENT,
            is_about_duplicates=rule.over == _UNIQUE,
        )
        for rule in derive_rules(dictionary, dataset).rules
    )


def code_list_workbook(rows: Sequence[CodeRow], *, list_id: str, on: date) -> bytes:
    """Return the codes of a list on a day as a workbook; the same rows and day give the same bytes."""
    return write_workbook((codes_sheet(rows, list_id=list_id, on=on),), created=on)


def import_terms(dictionary: Dictionary, path: Path) -> TermImport:
    """Return what a workbook proposes to a dictionary.

    Raises:
        SpreadsheetUnsafe, SpreadsheetNotRead, TermSheetNotFound: see there.
    """
    return read_workbook_terms(dictionary, read_workbook(path), file=path.name)
