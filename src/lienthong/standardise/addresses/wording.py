"""Wordings that are brought into the usual one before an address is read: English, slashes between units.

Only texts that hold such a wording are touched; most addresses are not even looked at twice.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from lienthong.standardise.cleaning import put

# A slash before a word that announces a unit; "12/5 Trần Phú" and "Q/lộ" stay.
_SLASH: Final = (
    r"\s*[/|]\s*((?i:(?:phường|phuong|xã|xa|thị trấn|thi tran|quận|quan|huyện|huyen|thị xã|thi xa|thành phố|"
    r"thanh pho|tỉnh|tinh)\s|(?:p|q|x|h|tp|tx|tt)(?:\.\s?|\s)[\p{L}\d]|(?:p|q)\d|tphcm|hcm))"
)
_ENGLISH: Final = r"(?i)\b(?:ward|commune|district|dist|township|town|city|province|special zone)\b"
_NAME: Final = r"(^|[,;]\s*)((?:[\p{L}'’]+\s+){1,5}?)"  # what stands before the kind, from the last comma on

_REWRITTEN: Final = (
    (r"(?i)\bward\.?\s*(?:no\.?\s*)?(\d)", "phường $1"),
    (r"(?i)\b(?:district|dist)\b\.?\s*(?:no\.?\s*)?(\d)", "quận $1"),
    (rf"(?i){_NAME}special (?:administrative )?(?:zone|region)\b\.?", "${1}đặc khu $2"),
    (rf"(?i){_NAME}ward\b\.?", "${1}phường $2"),
    (rf"(?i){_NAME}commune\b\.?", "${1}xã $2"),
    # A district, town or city can be of several kinds, so its name stands without one.
    (r"(?i)\s+(?:ward|commune|district|dist|township|town|province|special zone)\b\.?", ","),
    (r"(?i)\s+city\b\.?", ","),
    (r"\s*,(?:\s*,)+", ","),
)
_CHAIN: Final = r"\s+,"


def reworded(text: pl.Series) -> pl.Series:
    """Return cleaned texts in the wording of registers: "Ward 5, District 3" becomes "phường 5, quận 3"."""
    return _with_commas(_from_english(text))


def _from_english(text: pl.Series) -> pl.Series:
    asked = text.str.contains(_ENGLISH).fill_null(value=False)
    if not asked.any():
        return text
    found = text.filter(asked)
    for pattern, written in _REWRITTEN:
        found = found.str.replace_all(pattern, written)
    return put(text, asked, found.str.replace_all(_CHAIN, ",").str.strip_chars(" ,.;-–"))


def _with_commas(text: pl.Series) -> pl.Series:
    asked = text.str.contains(_SLASH).fill_null(value=False)
    return put(text, asked, text.filter(asked).str.replace_all(_SLASH, ", $1")) if asked.any() else text
