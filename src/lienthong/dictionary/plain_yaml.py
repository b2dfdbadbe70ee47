"""The YAML that the dictionary's own files are written in, read line by line.

Every line of such a file means one thing in any YAML: a key, a list item, or both, with a value that stands whole on
the line. Whatever else a text holds (a value over several lines, flow style, double quotes, an anchor, a key out of
order) is left to the YAML parser, so nothing is read here that the parser would read differently or refuse.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

import yaml

LEVELS_MAX: Final = 6  # well inside what the dictionary allows; deeper files are for the parser to judge

# What a YAML parser would call a break or refuse as unprintable, and what is too rare to be worth a thought.
_STRANGE: Final = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe]")
_COMMENT: Final = re.compile(r"^ *#[^\n]*\n", re.MULTILINE)
_LINE: Final = re.compile(
    r"^( *)(- )?"
    r"(?:([A-Za-z_][A-Za-z0-9_]{0,99}):(?: (?=[^ \n])|(?=\n)))?"
    r"((?:'[^'\n]*'|[^ \n\-?:,\[\]{}#&*!|>'\"%@`][^\n]*)?)\n",
    re.MULTILINE,
)
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GUESSED: Final = {  # by first letter: what YAML takes for another type than text
    letter: re.compile("|".join(f"(?:{shape.pattern})" for _, shape in shapes), re.VERBOSE)
    for letter, shapes in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

_Box = dict[str, Any] | list[Any]


class _NotPlain(Exception):
    """The text is more than this reader knows."""


def read_plain(text: str) -> dict[str, Any] | None:
    """Return the mapping in a text, exactly as the YAML parser would, or None where the parser must look."""
    if not text.endswith("\n") or _STRANGE.search(text):
        return None
    if "#" in text:  # no line that is read here can make the next one anything but a line of its own
        text = _COMMENT.sub("", text)
    lines = _LINE.findall(text)
    if len(lines) != text.count("\n"):
        return None
    try:
        return _mapping(lines)
    except _NotPlain:
        return None


def _mapping(lines: list[tuple[str, str, str, str]]) -> dict[str, Any]:  # noqa: C901 - calls in the loop would cost a third
    top: dict[str, Any] = {}
    box: _Box = top
    column, last = 0, ""  # of the innermost box: where its lines begin, and its last key
    outer: list[tuple[_Box, int, str]] = []
    is_open = False  # the last key waits for what stands below it
    for lead, dash, key, value in lines:
        at = len(lead)
        if is_open:
            if at <= column or len(outer) == LEVELS_MAX:
                raise _NotPlain
            inner: _Box = [] if dash else {}
            box[last] = inner  # type: ignore[call-overload] # only a mapping has keys
            outer.append((box, column, last))
            box, column, last, is_open = inner, at, "", False
        while at < column:
            box, column, last = outer.pop()
        if at != column or (type(box) is list) is not bool(dash):
            raise _NotPlain
        if dash:
            if not key:
                box.append(_scalar(value))  # type: ignore[union-attr] # a dash stands in lists only
                continue
            item: dict[str, Any] = {}
            box.append(item)  # type: ignore[union-attr]
            outer.append((box, column, last))
            box, column, last = item, at + len(dash), ""
        if key <= last or (key[0] in _GUESSED and _is_guessed(key)):
            raise _NotPlain  # no key at all, out of order, twice, or not a text
        last = key
        if value:
            box[key] = _scalar(value)  # type: ignore[call-overload]
        else:
            is_open = True
    if is_open or not top:
        raise _NotPlain
    return top


def _scalar(value: str) -> Any:
    if not value:
        raise _NotPlain
    first = value[0]
    if first == "'":
        if value[-1] != "'" or len(value) == 1:
            raise _NotPlain
        return value[1:-1]
    if ": " in value or " #" in value or value[-1] in ": ":
        raise _NotPlain
    if first in _GUESSED and _is_guessed(value):
        return _typed(value)
    return value


def _is_guessed(value: str) -> bool:
    return _GUESSED[value[0]].match(value) is not None


def _typed(value: str) -> Any:
    if value in {"true", "false"}:
        return value == "true"
    if _INTEGER.fullmatch(value):
        return int(value)
    if _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _NotPlain from None
    raise _NotPlain  # to be refused with its line
