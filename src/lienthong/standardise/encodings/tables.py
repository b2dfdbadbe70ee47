"""The letters of every old encoding, as shipped data, ready for whole columns (bảng mã tiếng Việt cũ).

A table works on *byte characters*: text in which every byte of the old encoding is the character of the same number,
U+0001 to U+00FF. So stand old texts in a database that took them for Latin-1; where it took them for Windows-1252,
``byte_characters`` first brings the 27 characters of 80 to 9F back to their bytes.
"""

from __future__ import annotations

import csv
import enum
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

import polars as pl

from lienthong.standardise.cleaning import put


class Encoding(enum.StrEnum):
    """How a column's texts are encoded; a mapping names it by its value."""

    UTF_8 = "utf-8"  # Unicode as it should be
    NFD = "nfd"  # Unicode with the marks apart: kernels compose it, a mapping need not say so
    MOJIBAKE = "mojibake"  # UTF-8 that was read as Windows-1252 or Latin-1
    TCVN3 = "tcvn3"  # ABC, the fonts .VnTime: no capital letters with a tone
    VNI = "vni"  # VNI-Windows: a letter and its mark are two characters
    CP1258 = "cp1258"  # Windows-1258 that was read as Windows-1252
    VISCII = "viscii"
    VPS = "vps"
    VN1 = "vn1"  # TCVN 5712:1993 VN1: TCVN3 and the capitals it lacks
    UTF_16LE = "utf-16le"  # of bytes only
    UTF_16BE = "utf-16be"


LEGACY = (Encoding.TCVN3, Encoding.VNI, Encoding.CP1258, Encoding.VISCII, Encoding.VPS, Encoding.VN1)
LOST = "\ufffd"  # stands where an encoding has no letter

_BYTES = range(0x80, 0x100)
_NBSP = 0xA0
# In fonts for Windows the places 80 to 9F hold the signs of Windows-1252; letters there are of other alphabets.
_WINDOWS_SIGNS = "‚„…‹›‘’“”•–—€™"
_VN1_MARKS: Mapping[int, str] = {0xB0: "\u0300", 0xB1: "\u0309", 0xB2: "\u0303", 0xB3: "\u0301", 0xB4: "\u0323"}
_TO_OTHER_CASE = 0x20  # of a VNI mark
_VNI_SYMBOLS = range(0xA1, 0xC0)  # Latin-1 signs (°, ½, ²), which no VNI letter uses


def _windows() -> dict[str, str]:
    """Return the byte character of every character that Windows-1252 has in 80 to 9F."""
    found = {}
    for byte in range(0x80, 0xA0):
        try:
            found[bytes([byte]).decode("cp1252")] = chr(byte)
        except UnicodeDecodeError:  # five places are empty; browsers and databases keep the byte
            continue
    return found


WINDOWS: Mapping[str, str] = MappingProxyType(_windows())
SIGNS = f"[{_WINDOWS_SIGNS}]"
_NOT_BYTES = "[^\\x00-\\xFF]"
_LONE_SIGNS = f"(?:^|\\s){SIGNS}+(?:\\s|$)"
_ALONE = re.compile(f"(?<!\\S){SIGNS}+(?!\\S)")
_HIDING = "\x7f"  # a control character of ASCII, which no text holds and no encoding gives a letter
_HIDDEN = {ord(sign): _HIDING + chr(ord("A") + at) for at, sign in enumerate(_WINDOWS_SIGNS)}
_SHOWN = {hidden: chr(sign) for sign, hidden in _HIDDEN.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What replaces what, longest first."""

    pairs: Mapping[str, str]
    composes: bool  # marks stand apart and NFC puts them on their letters

    def decode(self, text: pl.Series) -> pl.Series:
        """Return byte characters as Unicode letters; ``LOST`` where the encoding has none."""
        letters = text.str.replace_many(self.pairs, leftmost=True)
        return letters.str.normalize("NFC") if self.composes else letters


def byte_characters(text: pl.Series) -> pl.Series:
    """Return text in which characters of Windows-1252 are the characters of their bytes."""
    if not text.str.contains(_NOT_BYTES).any():
        return text
    return text.str.replace_many(list(WINDOWS), list(WINDOWS.values()))


def hide_signs(text: pl.Series) -> pl.Series:
    """Return text in which signs of Windows-1252 that stand alone ("A – B") are hidden from ``byte_characters``.

    Their bytes are capitals of VISCII, VPS and VN1, but no word of Vietnamese is one such capital alone.
    """
    asked = text.str.contains(_LONE_SIGNS).fill_null(value=False)
    if not asked.any():
        return text
    hidden = [_ALONE.sub(lambda found: found[0].translate(_HIDDEN), each) for each in text.filter(asked)]
    return put(text, asked, pl.Series(hidden, dtype=pl.String))


def show_signs(text: pl.Series) -> pl.Series:
    """Bring hidden signs back."""
    hidden = text.str.contains(_HIDING, literal=True)
    return text.str.replace_many(_SHOWN) if hidden.any() else text


def are_bytes(text: pl.Series) -> pl.Series:
    """Say which texts could stand for bytes: those whose characters are all below U+0100."""
    return ~text.str.contains(_NOT_BYTES)


@functools.cache
def letters() -> Mapping[Encoding, Mapping[str, str]]:
    """Return the byte characters of each of the 134 letters, by encoding."""
    file = resources.files("lienthong.standardise").joinpath("data", "legacy_encodings.csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    return MappingProxyType(
        {
            encoding: MappingProxyType(
                {row["letter"]: bytes.fromhex(row[encoding]).decode("latin-1") for row in rows if row[encoding]}
            )
            for encoding in LEGACY
        }
    )


@functools.cache
def table_of(encoding: Encoding) -> Table:
    """Return the table of an old encoding."""
    assert encoding in LEGACY, f"{encoding} is not a table"
    known = {old: letter for letter, old in letters()[encoding].items()}
    pairs = dict.fromkeys((chr(byte) for byte in _BYTES), LOST) | {chr(_NBSP): chr(_NBSP)}
    pairs |= _signs(encoding)
    if encoding is Encoding.VNI:
        known = _either_case_of_mark(known)
    pairs |= known
    order = sorted(pairs, key=lambda old: (-len(old), old))
    return Table(
        pairs=MappingProxyType({old: pairs[old] for old in order}),
        composes=encoding in (Encoding.CP1258, Encoding.VN1),
    )


def _signs(encoding: Encoding) -> dict[str, str]:
    """Return what an encoding has beside letters."""
    if encoding is Encoding.VN1:
        return {chr(byte): mark for byte, mark in _VN1_MARKS.items()}
    if encoding is Encoding.CP1258:
        signs = {byte: bytes([byte]).decode("cp1258", "replace") for byte in _BYTES}
        return {chr(byte): sign for byte, sign in signs.items() if sign != LOST}
    if encoding not in (Encoding.TCVN3, Encoding.VNI):
        return {}
    signs_of_windows = {WINDOWS[sign]: sign for sign in _WINDOWS_SIGNS}
    symbols = {chr(byte): chr(byte) for byte in _VNI_SYMBOLS} if encoding is Encoding.VNI else {}
    return signs_of_windows | symbols


def _either_case_of_mark(known: Mapping[str, str]) -> dict[str, str]:
    """Add what people type: a capital letter with the mark of a small one, and ỵ as y with a dot."""
    found = dict(known)
    found |= {"y\xef": "ỵ", "Y\xcf": "Ỵ"}
    for old, letter in tuple(found.items()):
        if len(old) > 1:
            found.setdefault(old[0] + chr(ord(old[1]) ^ _TO_OTHER_CASE), letter)
    return found
