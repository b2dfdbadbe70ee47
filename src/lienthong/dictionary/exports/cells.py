r"""How several values stand in one cell: a line each, with a word in brackets where a line is of another kind.

``\`` keeps a sign from being read: ``\[`` at the beginning of a line, ``\|`` between the parts of a source; ``\n`` is
a line end inside a value. What is written so is read again without loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lienthong.dictionary.model import UNKNOWN_VI, Text, Trust

ENGLISH: Final = "en"
BETWEEN_PARTS: Final = " | "
AFTER_KEY: Final = ": "

TRUST_VI: Final[Mapping[Trust, str]] = {
    Trust.OFFICIAL: "văn bản chính thức",
    Trust.SUMMARY: "bản tóm tắt",
    Trust.VENDOR: "mã nguồn đang chạy",
    Trust.SECONDARY: "chưa kiểm chứng",
    Trust.OWN: "dự án tự đặt",
}
SOURCE_PARTS_VI: Final[Mapping[str, str]] = {
    "article": "điều khoản",
    "trust": "tin cậy",
    "address": "địa chỉ",
    "note": "ghi chú",
}

Tagged = tuple[str, str]  # tag or nothing, escaped rest of the line


class CellNotRead(ValueError):
    """A cell does not follow the way of writing; the words are for people."""


def escaped(text: str, *, also: str = "") -> str:
    """Return a value on one line, its own signs kept from being read."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    for sign in also:
        text = text.replace(sign, "\\" + sign)
    return "\\" + text if text.startswith("[") or text == UNKNOWN_VI else text


def unescaped(text: str) -> str:
    """Return the value behind a piece of a line."""
    parts: list[str] = []
    signs = iter(text)
    for sign in signs:
        if sign != "\\":
            parts.append(sign)
            continue
        following = next(signs, "\\")
        parts.append({"n": "\n", "r": "\r"}.get(following, following))
    return "".join(parts)


def split(text: str, between: str) -> list[str]:
    """Split at a sign that is not kept by a backslash; the pieces stay escaped."""
    pieces, piece, place = [], "", 0
    while place < len(text):
        if text[place] == "\\":
            piece += text[place : place + 2]
            place += 2
        elif text.startswith(between, place):
            pieces.append(piece)
            piece = ""
            place += len(between)
        else:
            piece += text[place]
            place += 1
    return [*pieces, piece]


def joined(lines: Iterable[str]) -> str:
    """Return lines as one cell."""
    return "\n".join(lines)


def tagged(tag: str, rest: str) -> str:
    """Return a line of another kind."""
    return f"[{tag}] {rest}"


def lines_of(cell: str) -> Iterator[Tagged]:
    """Yield the lines of a cell with their tags."""
    for line in cell.replace("\r\n", "\n").split("\n"):
        if not line.strip():
            continue
        tag, sign, rest = line.partition("]")
        if line.startswith("[") and sign:
            yield tag[1:].strip(), rest.removeprefix(" ")
        else:
            yield "", line


def text_cell(text: Text | None) -> str:
    """Write a text in Vietnamese and, where there is one, in English."""
    if text is None:
        return ""
    english = [] if text.en is None else [tagged(ENGLISH, escaped(text.en))]
    return joined([escaped(text.vi), *english])


def read_text(cell: str) -> dict[str, str]:
    """Read what ``text_cell`` writes; empty when the cell says nothing."""
    found: dict[str, str] = {}
    for tag, rest in lines_of(cell):
        language = {"": "vi", ENGLISH: "en"}.get(tag)
        if language is None:
            raise CellNotRead(f"[{tag}] is not known here; write the Vietnamese text, then [en] and the English one")
        if language in found:
            raise CellNotRead("there are two texts in one language; write one line for each language")
        found[language] = unescaped(rest)
    return found


def pairs_lines(pairs: Mapping[str, str]) -> list[str]:
    """Write names with their values, a line each."""
    return [f"{escaped(name, also=':')}{AFTER_KEY}{escaped_value(value)}" for name, value in sorted(pairs.items())]


def escaped_value(text: str) -> str:
    """Return a value that does not stand at the beginning of a line."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def read_pair(line: str) -> tuple[str, str]:
    """Read one line of ``pairs_lines``."""
    name, *rest = split(line, AFTER_KEY)
    if not rest:
        raise CellNotRead("a line must be written name: value")
    return unescaped(name), unescaped(AFTER_KEY.join(rest))


def source_line(source: Mapping[str, str | None]) -> str:
    """Write a source, given by the names of its fields, as one line."""
    parts = [escaped(source["document"] or "", also="|")]
    for key, word in SOURCE_PARTS_VI.items():
        value = source.get(key)
        if value is not None:
            shown = TRUST_VI[Trust(value)] if key == "trust" else escaped(value, also="|")
            parts.append(f"{word}{AFTER_KEY}{shown}")
    return BETWEEN_PARTS.join(parts)


def read_source(line: str) -> dict[str, str]:
    """Read what ``source_line`` writes."""
    document, *parts = split(line, BETWEEN_PARTS)
    found = {"document": unescaped(document)}
    keys = {word: key for key, word in SOURCE_PARTS_VI.items()}
    trusts = {word: trust.value for trust, word in TRUST_VI.items()}
    for part in parts:
        word, sign, value = part.partition(AFTER_KEY)
        key = keys.get(word.strip())
        if key is None or not sign:
            raise CellNotRead(f"a source has the parts: document | {' | '.join(f'{one}: …' for one in keys)}")
        if key in found:
            raise CellNotRead(f"the part {word.strip()} stands twice")
        found[key] = trusts.get(value, value) if key == "trust" else unescaped(value)
    return found
