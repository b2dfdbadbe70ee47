"""Find codes by name, with and without diacritics; what is spelled exactly comes first (tra cứu danh mục)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date

from lienthong.dictionary.finding import folded
from lienthong.dictionary.meanings import Meaning, MeaningIndex
from lienthong.dictionary.model import CodeList


def search(code_list: CodeList, text: str, *, on: date | None = None) -> tuple[Meaning, ...]:
    """Return what the words may name: equal before beginning before holding, exact marks before none.

    With a day only what was in force on it; a unit that may have been, between two dated lists, is shown too.
    """
    index = MeaningIndex.of(code_list)
    sought, exact = folded(text), _spelled(text)
    if not sought:
        return ()
    ranked = []
    for meaning in _all(index, on):
        rank = _rank(meaning.label, sought, exact)
        if rank is not None:
            ranked.append((rank, len(meaning.label), meaning.code, meaning.valid_to or date.max, meaning))
    ranked.sort(key=lambda found: found[:4])
    return tuple(found[4] for found in ranked)


def _all(index: MeaningIndex, on: date | None) -> Iterable[Meaning]:
    for code in sorted({*index.codes, *index.sightings}):
        yield from index.all_of(code) if on is None else index.on(code, on)


def _spelled(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _rank(label: str, sought: str, exact: str) -> tuple[int, int] | None:
    """Return (how, marks): 0 the whole name or its last words, 1 its beginning, 2 somewhere in it."""
    plain, spelled = folded(label), _spelled(label)
    if sought not in plain:
        return None
    marks = 0 if exact in spelled else 1
    if plain == sought or spelled.endswith(" " + exact) or (marks and plain.endswith(sought)):
        return (0, marks)
    return (1 if plain.startswith(sought) else 2, marks)
