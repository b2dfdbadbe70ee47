"""Capitals that TCVN3 could not write (khôi phục chữ hoa của văn bản TCVN3).

TCVN3 has no capital letter with a tone: fonts such as .VnTimeH draw them, the text itself holds the small letter. So
"NGUYÔN V¡N ¸NH" is read "NGUYễN VĂN áNH". The letters that do have capitals say what was meant: a word, then a value,
whose other letters are capitals is a word or value in capitals. Where all other words begin with a capital the word
does too, and the first word of a value does where any other does. Without such a letter nothing is changed.
"""

from __future__ import annotations

import functools

import polars as pl

from lienthong.standardise.encodings.syllables import spellings

_WORD = r"[\p{L}\p{M}]+"
_TONED = "àảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"  # small in every TCVN3 text
_HAS_TONED = f"[{_TONED}]"
# Only a capital after a letter shows a word in capitals; beside that, only a toned first letter can be meant as one.
_ASKS = f"\\p{{L}}\\p{{Lu}}|(?:^|[^\\p{{L}}\\p{{M}}])[{_TONED}]"
_IN_CAPITALS, _IN_SMALL, _SAYS_NOTHING = 1, 0, None


def recase(text: pl.Series) -> pl.Series:
    """Return decoded TCVN3 text with the capitals its other letters ask for; depends on each value alone."""
    doubtful = text.str.contains(_HAS_TONED) & text.str.contains(_ASKS)
    if not doubtful.any():
        return text
    values = text.filter(doubtful).unique()
    pieces = (
        pl.DataFrame({"value": values})
        .with_row_index("row")
        .select("row", pl.col("value").str.extract_all(f"{_WORD}|[^\\p{{L}}\\p{{M}}]+").alias("piece"))
        .explode("piece", empty_as_null=True, keep_nulls=True)
    )
    known = _judge(pieces["piece"].unique())
    judged = pieces.join(known, on="piece", how="left", maintain_order="left").with_columns(
        pl.col("capitals").min().over("row").alias("all_capitals"),
        pl.col("begins_with_capital").min().over("row").alias("all_begin"),
        pl.col("begins_with_capital").max().over("row").alias("some_begins"),
    )
    upper = pl.col("piece").str.to_uppercase()
    first = pl.col("piece").str.head(1).str.to_uppercase() + pl.col("piece").str.slice(1)
    in_capitals = (pl.col("capitals") == 1) | (pl.col("capitals").is_null() & (pl.col("all_capitals") == 1))
    opens = pl.int_range(pl.len()).over("row") == 0
    asks = pl.col("begins_with_capital").is_null()
    named = asks & ((pl.col("all_begin") == 1) | (opens & (pl.col("some_begins") == 1)))
    cased = (
        judged.with_columns(pl.when(in_capitals).then(upper).when(named).then(first).otherwise("piece"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("piece").str.join())
    )
    return text.replace(values, cased["piece"])


def _judge(pieces: pl.Series) -> pl.DataFrame:
    """Say of each distinct word what its reliable letters show."""
    frame = pl.DataFrame({"piece": pieces})
    judged = [_of_word(piece) for piece in pieces]
    return frame.with_columns(
        pl.Series("capitals", [each[0] for each in judged], dtype=pl.Int8),
        pl.Series("begins_with_capital", [each[1] for each in judged], dtype=pl.Int8),
    )


@functools.lru_cache(maxsize=65_536)
def _of_word(word: str) -> tuple[int | None, int | None]:
    """Return whether a word is in capitals, and whether it begins with one; None where it does not say.

    Letters of ASCII are reliable; so are capitals of ă â ê ô ơ ư đ, while their small forms may stand for capitals in
    a font that draws them so. Words that are no syllable ("TNHH", "UBND") are in capitals always and say nothing.
    """
    if not word[0].isalpha():
        return _SAYS_NOTHING, _SAYS_NOTHING
    later = word[1:]
    begins = None if word[0] in _TONED else int(word[0].isupper())
    if any(letter.isascii() and letter.islower() for letter in word):
        return _IN_SMALL, begins
    if not any(letter.isupper() for letter in later):
        return _SAYS_NOTHING, begins
    # A capital after the first letter: a word in capitals. Whether others are too, only a real word can say.
    return (_IN_CAPITALS if word.lower() in spellings() else _SAYS_NOTHING), begins
