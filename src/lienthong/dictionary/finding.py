"""Find an element by whatever people call it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final
from unicodedata import combining, normalize

from lienthong.dictionary.model import Dictionary, Element, ElementId
from lienthong.dictionary.refusals import ElementAmbiguous, ElementUnknown

SUGGESTIONS_MAX: Final = 3
SUGGESTION_LIKENESS_MIN: Final = 0.6


def folded(text: str) -> str:
    """Return a name without capitals, diacritics, blanks and signs: "Họ và tên" and ho_va_ten agree."""
    # Đ has no decomposition in Unicode, so NFD alone would keep it.
    spread = normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(sign for sign in spread.casefold() if sign.isalnum() and not combining(sign))


def find(dictionary: Dictionary, wanted: str) -> ElementId:
    """Return the element that a code, technical name, label, synonym or abbreviation names.

    An earlier kind of name wins over a later one; two elements of the same kind are refused.
    """
    if wanted in dictionary.elements:
        return ElementId(wanted)
    sought = folded(wanted)
    for kind in range(len(_names(next(iter(dictionary.elements.values())))) if dictionary.elements else 0):
        found = [
            name
            for name, element in dictionary.elements.items()
            if sought in {folded(text) for text in _names(element)[kind]}
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise ElementAmbiguous(wanted=wanted, candidates=", ".join(found))
    raise ElementUnknown(wanted=wanted, suggestion=_suggestion(dictionary, sought))


def _names(element: Element) -> tuple[Iterable[str], ...]:
    """Return what an element is called, the strongest kind of name first."""
    english = () if element.label.en is None else (element.label.en,)
    return (
        (element.identity.id, element.technical_name),
        (element.label.vi,),
        english,
        (*element.synonyms, *element.abbreviations),
    )


def _suggestion(dictionary: Dictionary, sought: str) -> str:
    known = {
        folded(text): name
        for name, element in dictionary.elements.items()
        for kind in _names(element)
        for text in kind
    }
    near = get_close_matches(sought, known, n=SUGGESTIONS_MAX * 2, cutoff=SUGGESTION_LIKENESS_MIN)
    names = list(dict.fromkeys(known[name] for name in near))[:SUGGESTIONS_MAX]
    return f"did you mean {', '.join(names)}?" if names else "no name is near it"
