"""How Vietnamese the words of a text are: by spelling, and by words that are known (độ tin cậy của từ).

Only words with a letter beyond ASCII are asked; "Nam" says nothing of an encoding. No old encoding writes a letter
with white space or a sign of ASCII, so words are cut before they are decoded, and each is decoded once.
"""

from __future__ import annotations

import functools
from importlib import resources

import polars as pl

from lienthong.standardise.encodings.syllables import are_well_cased, found_in, spellings
from lienthong.standardise.encodings.tables import Encoding, letters

# Everything but white space, digits and signs of ASCII; letters below the space are capitals of VISCII, VPS, VN1.
_WORD = r"[^\t\n\r !-@\[-`{-\x7F]+"
_MEANS_SOMETHING = r"[^A-Za-z]"
_SIGNS = r"[\s\x{A0}«»·\x{2010}-\x{203A}\x{200B}\x{FEFF}]+"  # what stands between words of Unicode

_LOOK_ALIKES = {"Ð": "Đ", "Ɖ": "Đ", "ð": "đ", "ɖ": "đ"}

# How likely a word is, as a natural logarithm: known words, other syllables, and what is no Vietnamese word.
KNOWN, SYLLABLE, SIGN, NO_WORD, UNREAD = -7.0, -12.0, -9.0, -17.0, -22.0
LEGAL_FROM = SYLLABLE


def words_of(text: pl.Series) -> pl.DataFrame:
    """Return (row, word) for every word that may be of an old encoding or of Unicode."""
    return (
        pl.DataFrame({"word": text.str.extract_all(_WORD)})
        .with_row_index("row")
        .explode("word", empty_as_null=True, keep_nulls=True)
        .filter(pl.col("word").str.contains(_MEANS_SOMETHING))
    )


def likelihood(words: pl.Series, *, any_case: bool = False) -> pl.Series:
    """Return how likely each decoded word (NFC) is; null, which is what could not be read, is least likely.

    ``any_case`` forgives small letters with a tone among capitals, as TCVN3 writes them.
    """
    cleared = words.str.replace_many(_LOOK_ALIKES).str.replace_all(_SIGNS, " ")
    parts = (
        pl.DataFrame({"part": cleared.str.strip_chars(" ").str.split(" ")})
        .with_row_index("row")
        .explode("part", empty_as_null=True, keep_nulls=True)
    )
    part = parts["part"]
    small = part.str.to_lowercase()
    cased = _as_tcvn3_cases(part) if any_case else are_well_cased(part, small)
    scored = parts.with_columns(
        pl.when(part.is_null())
        .then(UNREAD)
        .when(part == "")
        .then(SIGN)
        .when(cased & found_in(small, known_words()))
        .then(KNOWN)
        .when(cased & found_in(small, spellings()))
        .then(SYLLABLE)
        .otherwise(NO_WORD)
        .alias("score")
    )
    return scored.group_by("row", maintain_order=True).agg(pl.col("score").min())["score"]


def _as_tcvn3_cases(words: pl.Series) -> pl.Series:
    """Say of each word whether the letters that TCVN3 has in both cases go together."""
    later = words.str.slice(1)
    return ~(later.str.contains("[a-z]") & later.str.contains("[A-ZĂÂÊÔƠƯĐ]"))


def may_be_vietnamese(text: pl.Series) -> pl.Series:
    """Say of each text (NFC) whether all its letters are Vietnamese; most texts of old encodings have others."""
    return text.str.contains(_vietnamese()).fill_null(value=False)


@functools.cache
def _vietnamese() -> str:
    known = "".join((*letters()[Encoding.VN1], *_LOOK_ALIKES))
    return f"^(?:[\\x00-\\x7F{known}]|{_SIGNS})*$"


def weigh(text: pl.Series, *, any_case: bool = False) -> pl.DataFrame:
    """Return, for each text (NFC), how likely its words beyond ASCII are together, and whether all are Vietnamese.

    A text without such a word is neither likely nor Vietnamese.
    """
    words = words_of(text)
    distinct = words["word"].unique()
    known = pl.DataFrame({"word": distinct, "score": likelihood(distinct, any_case=any_case)})
    by_row = (
        words.join(known, on="word")
        .group_by("row")
        .agg(pl.col("score").sum().alias("likely"), (pl.col("score") >= LEGAL_FROM).all().alias("vietnamese"))
    )
    rows = pl.DataFrame({"row": pl.int_range(text.len(), dtype=pl.UInt32, eager=True)})
    return rows.join(by_row, on="row", how="left", maintain_order="left").select(
        pl.col("likely").fill_null(UNREAD), pl.col("vietnamese").fill_null(value=False)
    )


@functools.cache
def known_words() -> frozenset[str]:
    """Return words with marks that stand in official names or are common in names and addresses."""
    file = resources.files("lienthong.standardise").joinpath("data", "attested_words.txt")
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
