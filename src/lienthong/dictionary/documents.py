"""YAML as the dictionary allows it: no anchors, no guessing of types, sorted keys, and a line for every value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from unicodedata import is_normalized

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lienthong.dictionary.plain_yaml import read_plain
from lienthong.dictionary.refusals import Problem

DOCUMENT_CHARACTERS_MAX: Final = 200_000
DEPTH_MAX: Final = 8

_TAG = "tag:yaml.org,2002:"
_TEXT, _MAPPING, _SEQUENCE = _TAG + "str", _TAG + "map", _TAG + "seq"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_fastest: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is six times faster


class _Loader(_fastest):  # type: ignore[misc] # chosen at run time
    """Skip the search for a type where a plain text can only be a text: it took half of the loading."""

    def resolve(self, kind: type[Node], value: str | None, implicit: Any) -> Any:
        if kind is ScalarNode:
            if value and (not implicit[0] or value[0] not in self.yaml_implicit_resolvers):
                return _TEXT
            return super().resolve(kind, value, implicit)
        return _MAPPING if kind is MappingNode else _SEQUENCE

    def descend_resolver(self, current_node: Node | None, current_index: Any) -> None:
        """Do nothing: there are no resolvers by path."""

    def ascend_resolver(self) -> None:
        """Do nothing: there are no resolvers by path."""


Path = tuple[str | int, ...]


@dataclass(kw_only=True, slots=True)
class Document:
    """One YAML file as plain values; ``line`` finds where a value stands.

    The nodes are not kept but read again for a line: thousands of them alive cost more in garbage
    collection than all the rest of loading.
    """

    file: str
    problems: list[Problem]
    text: str
    value: dict[str, Any] = field(default_factory=dict)

    def line(self, path: Path = ()) -> int:
        """Return the line of the value at ``path``, or of the deepest part of it that exists."""
        node: Node | None = yaml.compose(self.text, Loader=_Loader)
        assert node is not None, "only a text that was read once becomes a document"
        line = int(node.start_mark.line)
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line + 1

    def refuse(self, path: Path, rule: str, text: str) -> None:
        """Note a problem at ``path``."""
        self.problems.append(Problem(file=self.file, line=self.line(path), rule=rule, text=text))


def _child(node: Node, step: str | int) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == step:
                return int(key.start_mark.line), value
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return int(child.start_mark.line), child
    return None


def text_problems(file: str, text: str) -> list[Problem]:
    """Return what is wrong with the characters of a file, whatever its format."""
    problems: list[Problem] = []
    if text.startswith("\ufeff"):
        problems.append(Problem(file=file, line=1, rule="byte-order-mark", text="the file begins with U+FEFF"))
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        problems.append(Problem(file=file, line=line, rule="line-end", text="lines must end with LF alone"))
    if not is_normalized("NFC", text):
        problems.extend(
            Problem(file=file, line=number, rule="not-nfc", text="text is not in Unicode form NFC")
            for number, content in enumerate(text.split("\n"), start=1)
            if not is_normalized("NFC", content)
        )
    return problems


def read_document(file: str, text: str, problems: list[Problem]) -> Document | None:
    """Read one YAML file; note problems and return None where it cannot be used."""
    found = text_problems(file, text)
    if len(text) > DOCUMENT_CHARACTERS_MAX:
        found.append(Problem(file=file, line=1, rule="too-large", text=f"over {DOCUMENT_CHARACTERS_MAX} characters"))
    problems.extend(found)
    if found:
        return None
    value = read_plain(text)
    if value is not None:
        return Document(file=file, problems=problems, text=text, value=value)
    return parse_document(file, text, problems)


def parse_document(file: str, text: str, problems: list[Problem]) -> Document | None:
    """Read one YAML file with the YAML parser, whatever it looks like."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        reason = getattr(error, "problem", None) or "not YAML"
        problems.append(Problem(file=file, line=line, rule="not-yaml", text=str(reason)))
        return None
    if not isinstance(node, MappingNode):
        problems.append(Problem(file=file, line=1, rule="not-a-mapping", text="the file must hold one mapping"))
        return None
    document = Document(file=file, problems=problems, text=text)
    document.value = _Plain(document).mapping(node, depth=0)
    return document


class _Plain:
    """Turn nodes into plain values, refusing what YAML would guess."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.seen: set[int] = set()

    def refuse(self, node: Node, rule: str, text: str) -> None:
        line = int(node.start_mark.line) + 1
        self.document.problems.append(Problem(file=self.document.file, line=line, rule=rule, text=text))

    def entered(self, node: Node, depth: int) -> bool:
        if id(node) in self.seen:
            self.refuse(node, "alias", "anchors and aliases are not allowed")
            return False
        self.seen.add(id(node))
        if depth > DEPTH_MAX:
            self.refuse(node, "too-deep", f"more than {DEPTH_MAX} levels")
            return False
        return True

    def mapping(self, node: MappingNode, *, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if not self.entered(node, depth):
            return values
        previous = ""
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key_node.tag != _TEXT:
                self.refuse(key_node, "key-not-text", f"key {key_node.value} must be a text")
                continue
            if key in values:
                self.refuse(key_node, "duplicate-key", f"key {key} stands twice")
            elif key < previous:
                self.refuse(key_node, "unsorted-keys", f"key {key} must stand before {previous}")
            previous = key
            values[key] = self.any(value_node, depth=depth + 1)
        return values

    def any(self, node: Node, *, depth: int) -> Any:
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        if isinstance(node, MappingNode):
            return self.mapping(node, depth=depth)
        if not self.entered(node, depth):
            return []
        return [self.any(child, depth=depth + 1) for child in node.value]

    def scalar(self, node: ScalarNode) -> Any:
        tag, text = node.tag, node.value
        if tag == _TEXT:
            return text
        if tag == _TAG + "bool" and text in {"true", "false"}:
            return text == "true"
        if tag == _TAG + "int" and _INTEGER.fullmatch(text):
            return int(text)
        if tag == _TAG + "timestamp" and _DAY.fullmatch(text):
            return self.day(node)
        if tag != _TAG + "null":
            self.refuse(node, "ambiguous-scalar", f"{text} would be guessed by YAML: put it in quotes")
        return None

    def day(self, node: ScalarNode) -> date | None:
        try:
            return date.fromisoformat(node.value)
        except ValueError:
            self.refuse(node, "not-a-day", f"{node.value} is not a day of the calendar")
            return None
