"""From an item back to its file: what approval writes, and what loading reads again without loss."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import yaml

from lienthong.dictionary.canonical import plain
from lienthong.dictionary.code_tables import CODE_COLUMNS, SEVERAL
from lienthong.dictionary.model import CodeList, Dataset, Element, ValueDomain


class _Dumper(yaml.SafeDumper):
    """Indent lists below their key, as the files by hand do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        del indentless
        return super().increase_indent(flow, indentless=False)


def as_yaml(item: Element | ValueDomain | CodeList | Dataset) -> str:
    """Return the YAML file of an item: sorted keys, LF, nothing that is absent."""
    value = plain(item)
    value |= value.pop("identity")
    value.pop("codes", None)  # they stand in the CSV files
    value.pop("aliases", None)
    value.pop("successions", None)
    value.pop("sightings", None)
    for key in ("valid_from", "valid_to"):
        if key in value:
            value[key] = date.fromisoformat(value[key])
    for key in ("superseded_by", "value_domain"):
        if key in value:
            value[key] = f"{value[key]['id']}@{value[key]['version']}"
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=True, width=110, default_flow_style=False)


def codes_csv(code_list: CodeList) -> str:
    """Return the CSV file of the codes of a list."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CODE_COLUMNS)
    for code in code_list.codes:
        since = "" if code.valid_from is None else code.valid_from.isoformat()
        until = "" if code.valid_to is None else code.valid_to.isoformat()
        successors = SEVERAL.join(code.replaced_by)
        label = (code.label.vi, code.label.en or "")
        writer.writerow((code.code, *label, since, until, code.parent or "", successors, code.source or ""))
    return text.getvalue()
