"""The spelling in which names are compared: words without case, diacritics, signs and abbreviations."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Final
from unicodedata import combining, normalize

ABBREVIATIONS: Final[Mapping[str, str]] = {  # folded word → the words it stands for
    "csdl": "co so du lieu",
    "csdlqg": "co so du lieu quoc gia",
    "qg": "quoc gia",
    "httt": "he thong thong tin",
    "bhxh": "bao hiem xa hoi",
    "bhyt": "bao hiem y te",
    "tw": "trung uong",
    "vn": "viet nam",
}
# What says which kind of thing is named, or joins names, and names nothing itself; longer wordings first.
FILLERS: Final = tuple(
    tuple(wording.split())
    for wording in (
        "he thong thong tin",
        "co so du lieu",
        "quoc gia",
        "he thong",
        "nen tang",
        "dien tu",
        "chuyen nganh",
        "va",
        "ve",
        "cua",
        "cac",
        "cung",
        "voi",
    )
)
NEW_NAME: Final = ("co", "so", "du", "lieu")  # with these words another name begins

_BRACKETED: Final = re.compile(r"\([^()]{0,200}\)")
_WORD: Final = re.compile(r"[a-z0-9]+")


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded and with its abbreviations written out.

    y and i count as one letter ("lý", "lí"), and "&" as "và". What stands in brackets comments on a name and is left
    out; a text that is nothing but brackets is read as it is.
    """
    spread = normalize("NFD", text.casefold().replace("đ", "d").replace("ð", "d").replace("&", " va "))
    plain = "".join(sign for sign in spread if not combining(sign))
    without_comment = _BRACKETED.sub(" ", plain)
    found = _WORD.findall(without_comment) or _WORD.findall(plain)
    written_out = " ".join(ABBREVIATIONS.get(word, word) for word in found).split()
    return tuple(word.replace("y", "i") for word in written_out)


def has_comment(text: str) -> bool:
    """Say whether something in brackets was left out of the words."""
    return bool(_BRACKETED.search(text)) and bool(
        _WORD.search(_BRACKETED.sub(" ", normalize("NFD", text.casefold())))
    )


def distance_is_one(one: str, other: str) -> bool:
    """Say whether one letter was added, lost, changed, or two neighbours changed places."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        differ = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1  # noqa: PLR2004 - two neighbours
        return len(differ) == 1 or (
            swapped and one[differ[0]] == other[differ[1]] and one[differ[1]] == other[differ[0]]
        )
    short, long = sorted((one, other), key=len)
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def without_fillers(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that name something."""
    kept: list[str] = []
    place = 0
    while place < len(found):
        filler = next((one for one in FILLERS if found[place : place + len(one)] == one), None)
        if filler is None:
            kept.append(found[place])
        place += 1 if filler is None else len(filler)
    return tuple(kept)


def parts_at_names(found: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Split words where another database is begun."""
    starts = [place for place in range(1, len(found)) if found[place : place + len(NEW_NAME)] == NEW_NAME]
    bounds = [0, *starts, len(found)]
    return [found[begin:end] for begin, end in itertools.pairwise(bounds) if begin < end]
