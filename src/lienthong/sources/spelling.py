"""Vietnamese names as agencies spell columns: without marks, run together, cut short (tên cột viết tắt)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from unicodedata import combining, normalize

# Cuts that stand for the same words in any register; those of one element stand in the dictionary.
SHORT_WORDS: Mapping[str, str] = {
    "cccd": "can cuoc",
    "cmnd": "chung minh",
    "cty": "cong ty",
    "dc": "dia chi",
    "ddcn": "dinh danh ca nhan",
    "dn": "doanh nghiep",
    "dt": "dien thoai",
    "dthoai": "dien thoai",
    "gt": "giay to",
    "hktt": "thuong tru",
    "kd": "kinh doanh",
    "ms": "ma so",
    "ntns": "ngay sinh",
    "qh": "quan huyen",
    "sdt": "so dien thoai",
    "tc": "to chuc",
    "tctt": "tam tru",
    "tp": "thanh pho",
    "tt": "thuong tru",
    "tthn": "tinh trang hon nhan",
    "ttp": "tinh",
    "xp": "xa",
}

_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z])|[^0-9A-Za-z]+")


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Return a text in lower case, without marks, blanks single: ``Hộ  Khẩu`` → ``ho khau``."""
    # Đ has no decomposition in Unicode, so NFD alone would keep it.
    decomposed = normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return " ".join("".join(each for each in decomposed if not combining(each)).casefold().split())


def words(name: str, syllables: frozenset[str]) -> tuple[str, ...]:
    """Return the syllables of a name, run-together ones taken apart and general cuts written out."""
    decomposed = normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(each for each in decomposed if not combining(each))
    if plain.isupper():
        plain = plain.lower()
    found: list[str] = []
    for part in _BREAK.split(plain):
        word = part.casefold()
        if not word:
            continue
        if word in SHORT_WORDS:
            found += SHORT_WORDS[word].split()
        elif word in syllables:
            found.append(word)
        else:
            found += segment(word, syllables) or [word]
    return tuple(found)


def segment(word: str, syllables: frozenset[str]) -> list[str] | None:
    """Take a word written together apart into the fewest known syllables; None when that is impossible."""
    best: list[list[str] | None] = [[]] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 8), end):
            before = best[start]
            part = word[start:end]
            if before is None or not (part in syllables or part in SHORT_WORDS):
                continue
            parts = [*before, *(SHORT_WORDS[part].split() if part not in syllables else [part])]
            known = best[end]
            if known is None or len(parts) < len(known):
                best[end] = parts
    return best[len(word)]


def trigrams(text: str) -> frozenset[str]:
    """Return the three-letter pieces of a text, its edges marked."""
    padded = f"  {text} "
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))


def overlap(one: frozenset[str], two: frozenset[str]) -> float:
    """Return how much two sets share, 0 to 1 (Dice)."""
    return 2 * len(one & two) / (len(one) + len(two)) if one and two else 0.0


def syllables_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the syllables that occur in texts, folded; single letters join nothing and are left out."""
    found = {word for text in texts for word in re.findall(r"[a-z]+", fold(text)) if len(word) > 1}
    return frozenset(found)
