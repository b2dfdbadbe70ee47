"""Text as databases of before Unicode hold it: the other way round from ``lienthong.standardise.encodings``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from unicodedata import normalize

from lienthong.standardise.encodings.tables import WINDOWS, Encoding, letters

_WINDOWS_OF_BYTE = {byte: sign for sign, byte in WINDOWS.items()}


def spell(text: str, encoding: Encoding) -> str:
    """Return a text in NFC as a database shows it that took the bytes of an encoding for Latin-1.

    TCVN3 writes a capital with a tone as the small letter; a letter that an encoding lacks stays as it is.
    """
    if encoding is Encoding.UTF_8:
        return text
    if encoding is Encoding.NFD:
        return normalize("NFD", text)
    if encoding is Encoding.MOJIBAKE:
        return text.encode().decode("latin-1")
    return "".join(_spellings(encoding).get(letter, letter) for letter in text)


def as_windows(spelled: str) -> str:
    """Return the same bytes as a database shows them that took them for Windows-1252."""
    return "".join(_WINDOWS_OF_BYTE.get(each, each) for each in spelled)


@functools.cache
def _spellings(encoding: Encoding) -> Mapping[str, str]:
    known = dict(letters()[encoding])
    for letter, old in letters()[encoding].items():
        known.setdefault(letter.upper(), old)
    return known
