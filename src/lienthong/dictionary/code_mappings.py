"""From a code of one list to the code of another list of the same thing (ánh xạ giữa các danh mục)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lienthong.dictionary.documents import text_problems
from lienthong.dictionary.model import CodeListId, Dictionary, Relation
from lienthong.dictionary.refusals import DictionaryNotValid, Problem

FOLDER: Final = "code_mappings"
COLUMNS: Final = ("list", "code", "other_list", "other_code", "relation", "source")


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeMapping:
    """How one code relates to another list; that it has no counterpart there is a decision too."""

    code_list: CodeListId
    code: str
    other_list: CodeListId
    other_code: str | None  # None with the relation none
    relation: Relation
    source: str


def read_code_mappings(folder: Path, dictionary: Dictionary) -> tuple[CodeMapping, ...]:
    """Return all mappings between the lists of a dictionary.

    Raises:
        DictionaryNotValid: a file has other columns, names a code that no list has, or leaves a code undecided.
    """
    found: list[Problem] = []
    mappings: list[CodeMapping] = []
    for path in sorted((folder / FOLDER).glob("*.csv")):
        mappings.extend(_read(f"{FOLDER}/{path.name}", path.read_text(encoding="utf-8"), dictionary, found))
    if found:
        raise DictionaryNotValid(folder=folder, count=len(found), first=str(found[0]), problems=tuple(found))
    return tuple(mappings)


def exact_codes(mappings: Sequence[CodeMapping], source: CodeListId, target: CodeListId) -> Mapping[str, str]:
    """Return the codes of ``source`` that mean exactly one code of ``target``; the others have no counterpart."""
    return {
        one.code: one.other_code
        for one in mappings
        if (one.code_list, one.other_list) == (source, target)
        and one.relation is Relation.EXACT
        and one.other_code is not None
    }


def _read(file: str, text: str, dictionary: Dictionary, found: list[Problem]) -> list[CodeMapping]:
    found.extend(text_problems(file, text))
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    if tuple(next(reader, ())) != COLUMNS:
        found.append(Problem(file=file, line=1, rule="csv-header", text=f"the columns must be {','.join(COLUMNS)}"))
        return []
    mappings: list[CodeMapping] = []
    for row in reader:
        fault = _fault(row, dictionary)
        if fault is not None:
            found.append(Problem(file=file, line=reader.line_num, rule=fault[0], text=fault[1]))
            continue
        code_list, code, other_list, other_code, relation, source = row
        mappings.append(
            CodeMapping(
                code_list=CodeListId(code_list),
                code=code,
                other_list=CodeListId(other_list),
                other_code=other_code or None,
                relation=Relation(relation),
                source=source,
            )
        )
    _note_repeated(file, mappings, found)
    return mappings


def _fault(row: list[str], dictionary: Dictionary) -> tuple[str, str] | None:
    if len(row) != len(COLUMNS):
        return "csv-row", f"{len(COLUMNS)} fields are expected, not {len(row)}"
    code_list, code, other_list, other_code, relation, source = row
    for name, wanted in ((code_list, code), (other_list, other_code)):
        if name not in dictionary.code_lists:
            return "unknown-reference", f"there is no code list {name}"
        known = {one.code for one in dictionary.code_lists[CodeListId(name)].codes}
        if wanted not in known and (wanted or name == code_list):
            return "unknown-code", f"{wanted} is not in {name}"
    if relation not in {one.value for one in Relation}:
        return "unknown-value", f"relation {relation} is not known"
    if (relation == Relation.NONE.value) is bool(other_code) or not source:
        return "undecided", "none has no other code, every other relation has one, and each has a source"
    return None


def _note_repeated(file: str, mappings: list[CodeMapping], found: list[Problem]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for place, one in enumerate(mappings, start=2):
        key = (one.code_list, one.code, one.other_list)
        if key in seen:
            text = f"code {one.code} of {one.code_list} is decided twice for {one.other_list}"
            found.append(Problem(file=file, line=place, rule="duplicate-value", text=text))
        seen.add(key)
