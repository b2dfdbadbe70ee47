"""From a code of one list to the code of another list of the same thing (ánh xạ giữa các danh mục)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Final

from lienthong.dictionary.code_tables import table_rows
from lienthong.dictionary.model import CodeList, CodeListId, Dictionary, Relation
from lienthong.dictionary.refusals import DictionaryNotValid, Problem

FOLDER: Final = "code_mappings"
COLUMNS: Final = ("list", "code", "other_list", "other_code", "relation", "source")

_RELATIONS: Final = frozenset(one.value for one in Relation)

Node = tuple[str, str]  # (list, code)


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeMapping:
    """How one code relates to another list; that it has no counterpart there is a decision too."""

    code_list: CodeListId
    code: str
    other_list: CodeListId
    other_code: str | None  # None with the relation none
    relation: Relation
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A mapping and where it stands."""

    file: str
    line: int
    mapping: CodeMapping

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    def problem(self, rule: str, text: str) -> Problem:
        return Problem(file=self.file, line=self.line, rule=rule, text=text)


def read_code_mappings(folder: Path, dictionary: Dictionary) -> tuple[CodeMapping, ...]:
    """Return all mappings between the lists of a dictionary.

    Raises:
        DictionaryNotValid: a file has other columns, names a code that no list has, or leaves a code undecided.
    """
    found: list[Problem] = []
    texts = {
        f"{FOLDER}/{path.name}": path.read_bytes().decode("utf-8") for path in sorted((folder / FOLDER).glob("*.csv"))
    }
    mappings = read_tables(texts, dictionary.code_lists, found)
    if found:
        raise DictionaryNotValid.of(folder, tuple(sorted(found)))
    return mappings


def exact_codes(mappings: Sequence[CodeMapping], source: CodeListId, target: CodeListId) -> Mapping[str, str]:
    """Return the codes of ``source`` that mean exactly one code of ``target``; the others have no counterpart."""
    return {
        one.code: one.other_code
        for one in mappings
        if (one.code_list, one.other_list) == (source, target)
        and one.relation is Relation.EXACT
        and one.other_code is not None
    }


def read_tables(
    texts: Mapping[str, str], code_lists: Mapping[CodeListId, CodeList], found: list[Problem]
) -> tuple[CodeMapping, ...]:
    """Return the mappings in the texts of some files; note what is wrong in one of them or between them."""
    known: dict[str, frozenset[str]] = {}
    rows: list[_Row] = []
    for file, text in texts.items():
        for line, row in table_rows(file, text, COLUMNS, found) or ():
            fault = _fault(row, code_lists, known)
            if fault is not None:
                found.append(Problem(file=file, line=line, rule=fault[0], text=fault[1]))
                continue
            rows.append(_Row(file=file, line=line, mapping=_mapping(row)))
    _note_repeated(rows, found)
    _note_contradictions(rows, found)
    _note_circles(rows, found)
    return tuple(row.mapping for row in rows)


def _mapping(row: list[str]) -> CodeMapping:
    code_list, code, other_list, other_code, relation, source = row
    return CodeMapping(
        code_list=CodeListId(code_list),
        code=code,
        other_list=CodeListId(other_list),
        other_code=other_code or None,
        relation=Relation(relation),
        source=source,
    )


def _fault(
    row: list[str], code_lists: Mapping[CodeListId, CodeList], known: dict[str, frozenset[str]]
) -> tuple[str, str] | None:
    code_list, code, other_list, other_code, relation, source = row
    for name, wanted in ((code_list, code), (other_list, other_code)):
        if name not in known:
            held = code_lists.get(CodeListId(name))
            if held is None:
                return "unknown-reference", f"there is no code list {name}"
            known[name] = frozenset(one.code for one in held.codes)
        if wanted not in known[name] and (wanted or name == code_list):
            return "unknown-code", f"{wanted} is not in {name}"
    if code_list == other_list:
        return "same-list", f"code {code} of {code_list} is mapped to its own list"
    if relation not in _RELATIONS:
        return "unknown-value", f"relation {relation} is not known: {', '.join(sorted(_RELATIONS))}"
    if (relation == Relation.NONE.value) is bool(other_code) or not source:
        return "undecided", "none has no other code, every other relation has one, and each has a source"
    return None


def _note_repeated(rows: list[_Row], found: list[Problem]) -> None:
    seen: dict[tuple[str, str, str], _Row] = {}
    for row in rows:
        one = row.mapping
        first = seen.setdefault((one.code_list, one.code, one.other_list), row)
        if first is not row:
            text = f"code {one.code} of {one.code_list} is decided twice for {one.other_list}, first at {first.place}"
            found.append(row.problem("duplicate-value", text))


def _note_contradictions(rows: list[_Row], found: list[Problem]) -> None:
    """Note codes that mean exactly another one which, asked the other way round, means something else."""
    decided = {(one.mapping.code_list, one.mapping.code, one.mapping.other_list): one for one in rows}
    for row in rows:
        one = row.mapping
        if one.relation is not Relation.EXACT or one.other_code is None:
            continue
        back = decided.get((one.other_list, one.other_code, one.code_list))
        if back is None or (back.mapping.relation is Relation.EXACT and back.mapping.other_code == one.code):
            continue
        told = back.mapping.other_code or "nothing"
        text = (
            f"{one.code} of {one.code_list} is exactly {one.other_code} of {one.other_list}, "
            f"which is {back.mapping.relation.value} {told} at {back.place}"
        )
        found.append(row.problem("contradiction", text))


def _note_circles(rows: list[_Row], found: list[Problem]) -> None:
    """Note codes that are broader than themselves, by way of others; each circle once, at its last line."""
    above: dict[Node, dict[Node, _Row]] = {}
    for row in rows:
        one = row.mapping
        if one.other_code is None or one.relation not in {Relation.BROADER, Relation.NARROWER}:
            continue
        here: Node = (one.code_list, one.code)
        there: Node = (one.other_list, one.other_code)
        # As in SKOS: "broader" says that the other code is the broader one.
        low, high = (here, there) if one.relation is Relation.BROADER else (there, here)
        above.setdefault(low, {})[high] = row
    while (circle := _circle(above)) is not None:
        steps = list(pairwise(circle))
        low, high = max(steps, key=lambda step: (above[step[0]][step[1]].file, above[step[0]][step[1]].line))
        row = above[low].pop(high)
        told = " → ".join(f"{code} of {name}" for name, code in circle)
        found.append(row.problem("mapping-circle", f"each is broader than the one before: {told}"))


def _circle(above: Mapping[Node, Mapping[Node, _Row]]) -> list[Node] | None:
    """Return the nodes of a circle, upwards, the first of them at the end again; or None."""
    try:
        TopologicalSorter(above).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return None
