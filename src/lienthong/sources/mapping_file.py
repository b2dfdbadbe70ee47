"""The mapping file: YAML that a person decides and a machine checks (tệp ánh xạ).

::

    source: ca-mau
    table: public.doanh_nghiep
    dataset: doanh-nghiep
    owner: Sở Tài chính tỉnh Cà Mau
    key: [id]                      # optional: the columns that identify a row
    columns:
      ma_so: {element: MaSoDoanhNghiep, type: text}
      ngay_cap: {element: NgayCapDangKy, form: excel-serial, type: text}
      ten: {element: TenToChuc, encoding: tcvn3, type: text}
      id: {element: none, reason: row number of the source}
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping as Lookup
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePath
from unicodedata import is_normalized, normalize

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lienthong.dictionary.model import Dataset, DatasetId, Dictionary, ElementId, Relation
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.sources.refusals import MappingNotValid

FORMS = ("excel-serial", "day-first")  # how a source writes a value, where the value alone does not say
# How a source encodes a column's text, where it is not Unicode; ``lienthong.standardise.encodings`` reads them.
ENCODINGS = ("tcvn3", "vn1", "vni", "vps", "viscii", "cp1258", "mojibake", "utf-8", "mixed")
NONE = "none"
SUGGESTIONS = 3
PROBLEMS_SHOWN_MAX = 50
BASIC_PLANE_LAST = 0xFFFF

_TOP = ("source", "table", "dataset", "owner", "key", "columns")
_COLUMN = ("element", "relation", "form", "encoding", "type", "reason")
_NAME = r'(?:"((?:[^"]|"")+)"|([^".]+))'
_TABLE = re.compile(rf"{_NAME}\.{_NAME}")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_PLAIN = re.compile(r"[^\W\d_][\w]*(?:[ .,()/-]+\w[\w.,()/-]*)*\)?")
_GUESSED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})

Columns = dict[str, ColumnMapping]


@dataclass(kw_only=True, slots=True)
class _Reading:
    """What was found wrong so far, by line."""

    dictionary: Dictionary
    problems: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, node: Node, text: str) -> None:
        self.problems.append((int(node.start_mark.line) + 1, text))

    def fields(self, node: Node, allowed: Sequence[str], what: str) -> dict[str, tuple[Node, Node]]:
        """Return the fields of a mapping by name, with the nodes of name and value."""
        found: dict[str, tuple[Node, Node]] = {}
        if not isinstance(node, MappingNode):
            self.refuse(node, f"{what} must be a mapping of names to values")
            return found
        for key, value in node.value:
            name = str(key.value)
            if name not in allowed:
                unquoted = isinstance(value, ScalarNode) and not value.value
                comma = "; a text with a comma inside braces needs quotes" if unquoted and " " in name else ""
                self.refuse(key, f"{what} has no field {name}{comma or self.near(name, allowed)}")
            elif name in found:
                self.refuse(key, f"field {name} stands twice")
            else:
                found[name] = (key, value)
        return found

    def text(self, entry: tuple[Node, Node] | None, what: str) -> str | None:
        """Return a text that is not empty, or note why there is none."""
        if entry is None:
            return None
        node = entry[1]
        if not isinstance(node, ScalarNode) or not node.value.strip():
            self.refuse(node, f"{what} must be a text that is not empty")
            return None
        return str(node.value)

    @staticmethod
    def near(wrong: str, known: Sequence[str]) -> str:
        """Return the known names most like a wrong one, as the end of a sentence."""
        by_folded = {name.casefold(): name for name in known}
        close = get_close_matches(wrong.casefold(), list(by_folded), n=SUGGESTIONS, cutoff=0.5)
        return f"; did you mean {', '.join(by_folded[each] for each in close)}?" if close else ""


def _unquote(quoted: str | None, plain: str | None) -> str:
    return (quoted or "").replace('""', '"') if plain is None else plain


def read_table_name(text: str) -> TableName | None:
    """Read ``schema.table``; a part with a dot or a quote stands in double quotes, as in SQL."""
    found = _TABLE.fullmatch(text)
    if found is None:
        return None
    return TableName(schema=_unquote(found[1], found[2]), table=_unquote(found[3], found[4]))


def write_table_name(name: TableName) -> str:
    """Write a table name so that ``read_table_name`` reads it."""
    parts = (name.schema, name.table)
    return ".".join('"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part for part in parts)


def _column(reading: _Reading, name: str, node: Node, dataset: Dataset | None) -> ColumnMapping | None:
    fields = reading.fields(node, _COLUMN, f"column {name}")
    element = reading.text(fields.get("element"), f"element of column {name}")
    if element is None:
        if "element" not in fields and isinstance(node, MappingNode):
            reading.refuse(
                node, f"column {name} has no element; write element: none and a reason if it means nothing"
            )
        return None
    reason = reading.text(fields.get("reason"), f"reason of column {name}")
    form = reading.text(fields.get("form"), f"form of column {name}")
    relation = reading.text(fields.get("relation"), f"relation of column {name}")
    native_type = reading.text(fields.get("type"), f"type of column {name}")
    if form is not None and form not in FORMS:
        reading.refuse(fields["form"][1], f"unknown form {form}; known are {', '.join(FORMS)}")
    encoding = reading.text(fields.get("encoding"), f"encoding of column {name}")
    if encoding is not None and encoding not in ENCODINGS:
        reading.refuse(fields["encoding"][1], f"unknown encoding {encoding}; known are {', '.join(ENCODINGS)}")
    if element == NONE:
        if reason is None:
            reading.refuse(fields["element"][1], f"column {name} is none without a reason")
        if relation not in (None, NONE):
            reading.refuse(fields["relation"][1], f"column {name} is none, so it has no relation {relation}")
        return ColumnMapping(
            column=name, element=None, relation=Relation.NONE, native_type=native_type, reason=reason
        )
    kind = Relation.EXACT
    allowed = [each.value for each in Relation if each is not Relation.NONE]
    if relation is not None and relation not in allowed:
        reading.refuse(fields["relation"][1], f"unknown relation {relation}; known are {', '.join(allowed)}")
    elif relation is not None:
        kind = Relation(relation)
    _check_element(reading, element, fields["element"][1], dataset)
    return ColumnMapping(
        column=name,
        element=ElementId(element),
        relation=kind,
        native_type=native_type,
        form=form,
        reason=reason,
        encoding=encoding,
    )


def _check_element(reading: _Reading, element: str, node: Node, dataset: Dataset | None) -> None:
    known = reading.dictionary.elements
    if ElementId(element) not in known:
        members = [] if dataset is None else [str(member.element) for member in dataset.members]
        others = [str(each) for each in known if each not in members]
        hint = reading.near(element, members) or reading.near(element, others)
        reading.refuse(node, f"unknown element {element}{hint}")
    elif dataset is not None and element not in {member.element for member in dataset.members}:
        members = [str(member.element) for member in dataset.members]
        reading.refuse(
            node,
            f"element {element} is not a member of dataset {dataset.identity.id}{reading.near(element, members)}",
        )


def _columns(reading: _Reading, node: Node, dataset: Dataset | None) -> Columns:
    columns: Columns = {}
    taken: dict[ElementId, str] = {}
    if not isinstance(node, MappingNode) or not node.value:
        reading.refuse(node, "columns must name at least one column")
        return columns
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        if name in seen:
            reading.refuse(key, f"column {name} stands twice")
            continue
        seen.add(name)
        column = _column(reading, name, value, dataset)
        if column is None:
            continue
        columns[name] = column
        if column.element is not None and column.element in taken:
            reading.refuse(key, f"columns {taken[column.element]} and {name} both mean {column.element}")
        elif column.element is not None:
            taken[column.element] = name
    _check_required(reading, node, dataset, set(taken))
    return columns


def _check_required(reading: _Reading, node: Node, dataset: Dataset | None, taken: set[ElementId]) -> None:
    for member in () if dataset is None else dataset.members:
        if (member.required or member.key) and member.element not in taken:
            reading.refuse(node, f"no column means {member.element}, which the dataset requires")


def _top(reading: _Reading, node: Node, *, digest: str) -> Mapping | None:
    fields = reading.fields(node, _TOP, "a mapping")
    for name in _TOP:
        if name not in fields and name != "key" and isinstance(node, MappingNode):
            reading.refuse(node, f"the mapping has no {name}")
    source = reading.text(fields.get("source"), "source")
    if source is not None and not _SOURCE.fullmatch(source):
        reading.refuse(fields["source"][1], "source must be ASCII letters, digits, '-' and '_'")
    written = reading.text(fields.get("table"), "table")
    table = None if written is None else read_table_name(written)
    if written is not None and table is None:
        reading.refuse(fields["table"][1], f"table {written} must be written schema.table")
    dataset_id = reading.text(fields.get("dataset"), "dataset")
    known = reading.dictionary.datasets
    dataset = None if dataset_id is None else known.get(DatasetId(dataset_id))
    if dataset_id is not None and dataset is None:
        hint = reading.near(dataset_id, [str(each) for each in known])
        reading.refuse(fields["dataset"][1], f"unknown dataset {dataset_id}{hint}")
    owner = reading.text(fields.get("owner"), "owner")
    columns = _columns(reading, fields["columns"][1], dataset) if "columns" in fields else {}
    key = _key(reading, fields.get("key"))
    if reading.problems:
        return None
    assert source is not None, "a missing source is a problem"
    assert table is not None, "a missing table is a problem"
    assert dataset_id is not None, "a missing dataset is a problem"
    assert owner is not None, "a missing owner is a problem"
    return Mapping(
        source=SourceId(source),
        table=table,
        dataset=DatasetId(dataset_id),
        owner=owner,
        columns=tuple(columns.values()),
        digest=digest,
        key=key,
    )


def _key(reading: _Reading, entry: tuple[Node, Node] | None) -> tuple[str, ...]:
    if entry is None:
        return ()
    node = entry[1]
    if not isinstance(node, SequenceNode) or not node.value:
        reading.refuse(node, "key must be a list of columns")
        return ()
    return tuple(str(each.value) for each in node.value)


def parse_mapping(text: str, *, path: PurePath | str, dictionary: Dictionary) -> Mapping:
    """Read a mapping file against the dictionary.

    Raises:
        MappingNotValid: with every mistake and its line, not only the first.
    """
    reading = _Reading(dictionary=dictionary)
    mapping: Mapping | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if not is_normalized("NFC", line):
            reading.problems.append(
                (
                    number,
                    "text is not in Unicode form NFC; a column whose name really is not needs \\u escapes in quotes",
                )
            )
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reading.problems.append(
            (1 if mark is None else mark.line + 1, f"not YAML: {getattr(error, 'problem', None) or 'cannot be read'}")
        )
    else:
        if node is None:
            reading.problems.append((1, "the file is empty"))
        else:
            mapping = _top(reading, node, digest=hashlib.sha256(text.encode()).hexdigest())
    if mapping is None or reading.problems:
        problems = sorted(reading.problems, key=lambda problem: problem[0])
        shown = [f"  line {line}: {problem}" for line, problem in problems[:PROBLEMS_SHOWN_MAX]]
        if len(problems) > PROBLEMS_SHOWN_MAX:
            shown.append(f"  and {len(problems) - PROBLEMS_SHOWN_MAX} more")
        raise MappingNotValid(path=path, count=len(problems), problems="\n".join(shown))
    return mapping


def _quoted(text: str) -> str:
    """Write a text in double quotes; one that is not NFC with escapes, so that no editor composes it unseen."""
    composed = is_normalized("NFC", text)
    written = []
    for each in text:
        code = ord(each)
        if each in '\\"':
            written.append("\\" + each)
        elif " " <= each <= "~" or (composed and each.isprintable() and code <= BASIC_PLANE_LAST):
            written.append(each)
        else:
            written.append(f"\\u{code:04x}" if code <= BASIC_PLANE_LAST else f"\\U{code:08x}")
    return '"' + "".join(written) + '"'


def _scalar(text: str, *, inside: bool = False) -> str:
    """Write a text so that YAML reads the same text back; ``inside`` braces a comma would end it."""
    plain = _PLAIN.fullmatch(text) and text.casefold() not in _GUESSED and is_normalized("NFC", text)
    return text if plain and not (inside and "," in text) else _quoted(text)


def _comment(text: str) -> str:
    """Return a text as one line that cannot end a comment."""
    return normalize("NFC", " ".join("".join(each if each.isprintable() else " " for each in text).split()))


def render_mapping(mapping: Mapping, *, notes: Lookup[str, Sequence[str]] | None = None, head: str = "") -> str:
    """Write a mapping as its file, with comment lines above columns; the same input gives the same text."""
    lines = [f"# {_comment(line)}" for line in head.splitlines()]
    lines += [
        f"source: {_scalar(mapping.source)}",
        f"table: {_scalar(write_table_name(mapping.table))}",
        f"dataset: {_scalar(mapping.dataset)}",
        f"owner: {_scalar(mapping.owner)}",
    ]
    if mapping.key:
        lines.append(f"key: [{', '.join(_scalar(name, inside=True) for name in mapping.key)}]")
    lines.append("columns:")
    for column in mapping.columns:
        lines += [f"  # {_comment(note)}" for note in (notes or {}).get(column.column, ())]
        fields = {
            "element": column.element or NONE,
            "relation": None if column.relation in (Relation.EXACT, Relation.NONE) else column.relation.value,
            "form": column.form,
            "encoding": column.encoding,
            "type": column.native_type,
            "reason": column.reason,
        }
        written = ", ".join(
            f"{name}: {_scalar(value, inside=True)}" for name, value in fields.items() if value is not None
        )
        lines.append(f"  {_scalar(column.column)}: {{{written}}}")
    return "\n".join(lines) + "\n"
