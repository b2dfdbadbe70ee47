"""The spellings in which addresses and names of units are compared.

``marked``: small letters with their diacritics, the tone mark at one place of the syllable, no blanks or signs.
``plain``: the same without diacritics, and y as i: Sỹ and Sĩ, Quý and Quí are written both ways.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import polars as pl

from lienthong.standardise.tone_marks import one_style

_INVISIBLE: Final = (
    r"[\u{AD}\u{180E}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{2064}\u{2066}-\u{2069}\u{FEFF}\p{Cc}]"
)
_LOOK_ALIKES: Final = (("Ð", "Đ"), ("Ɖ", "Đ"), ("ð", "đ"), ("ɖ", "đ"), ("’", "'"), ("‘", "'"), ("`", "'"), ("´", "'"))
_COUNTRY: Final = r"(?i)[\s,.;\-–]*(?:việt\s*nam|viet\s*nam|vn)[\s,.;\-–]*$"
_APOSTROPHE_IN_WORD: Final = r"(\p{L})\s?'\s?(\p{L})"


def _letters() -> tuple[list[str], list[str], list[str]]:
    """Return every Vietnamese letter with a tone or a mark, without its tone, and without both."""
    full, toneless, bare = [], [], []
    for base in "aăâeêioôơuưy":
        for tone in ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"):
            letter = unicodedata.normalize("NFC", base + tone)
            plain = unicodedata.normalize("NFD", base)[0].replace("y", "i")
            if letter != plain:
                full.append(letter)
                toneless.append(base)
                bare.append(plain)
    return [*full, "đ"], [*toneless, "đ"], [*bare, "d"]


_FULL, _TONELESS, _BARE = _letters()


def cleaned(text: pl.Expr) -> pl.Expr:
    """Return text in NFC with single blanks, without what cannot be seen and without the country at its end."""
    text = text.str.replace_all(_INVISIBLE, " ").str.normalize("NFC")
    text = text.str.replace_many([one for one, _ in _LOOK_ALIKES], [other for _, other in _LOOK_ALIKES])
    return text.str.replace_all(r"\s+", " ").str.replace(_COUNTRY, "").str.strip_chars(" ,.;-–")


def parted(text: pl.Expr) -> pl.Expr:
    """Return text whose parts are set apart by commas; dashes are taken for commas where there is no comma.

    Between commas a dash belongs to a name: "Phường Cam Ly - Đà Lạt".
    """
    text = text.str.replace_all(r"\s*[;\n]\s*", ",")
    dashed = text.str.replace_all(r"\s+[-–]+\s+", ",")
    return pl.when(text.str.contains(",", literal=True)).then(text).otherwise(dashed)


def unglued(text: pl.Expr) -> pl.Expr:
    """Set words apart that were written together: XPhước, TháiNguyên, P3, Q.1, TP.HCM."""
    return (
        text.str.replace_all(_APOSTROPHE_IN_WORD, "$1$2")
        .str.replace_all(r"(\p{Ll})(\p{Lu})", "$1 $2")
        .str.replace_all(r"(\p{Lu})(\p{Lu}\p{Ll})", "$1 $2")
        .str.replace_all(r"(?i)\b(p|q|f|x|h|tp|tx|tt|phường|phuong|quận|quan)\.?(\d)", "$1 $2")
    )


def marked(text: pl.Expr) -> pl.Expr:
    """Return the marked spelling of words; blanks stay."""
    return one_style(text.str.to_lowercase())


def plain(text: pl.Expr) -> pl.Expr:
    """Return the plain spelling of words; blanks stay."""
    return text.str.to_lowercase().str.replace_many([*_FULL, "y"], [*_BARE, "i"])


def squeezed(text: pl.Expr) -> pl.Expr:
    """Return a spelling without blanks and signs, numbers without leading zeros."""
    return text.str.replace_all(r"\b0+(\d)", "$1").str.replace_all(r"[^\p{L}\p{N}]", "")
