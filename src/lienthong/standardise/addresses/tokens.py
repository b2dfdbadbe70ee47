"""From addresses to words with their place, and to the spans of words that may be names of units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from lienthong.standardise.addresses.folding import marked, parted, plain, squeezed, unglued

SPAN_WORDS_MAX: Final = 6
WORDS_MAX: Final = 26  # counted from the end: no chain of units is longer, and what comes before is the street

_NOT_A_WORD: Final = r"[^\p{L}\p{N}/]+"

# A word, or two, before a name → the kind of unit it announces. "s" announces what is no unit: a street, a hamlet.
_WORDS: Final = {
    "phuong": "p", "p": "p", "f": "p", "ph": "p", "phg": "p",
    "xa": "x", "x": "x",
    "tt": "tt", "thitran": "tt",
    "quan": "q", "q": "q", "qu": "q",
    "huien": "h", "h": "h", "hu": "h",
    "tx": "tx", "thixa": "tx",
    "tp": "tp", "thanhpho": "tp",
    "tinh": "t", "t": "t",
    "dk": "dk", "dackhu": "dk",
    "duong": "s", "d": "s", "dg": "s", "pho": "s", "ngo": "s", "ngach": "s", "hem": "s", "kiet": "s", "thon": "s",
    "ap": "s", "khom": "s", "ban": "s", "buon": "s", "xom": "s", "to": "s", "tdp": "s", "lang": "s", "so": "s",
    "khu": "s", "kp": "s", "doi": "s", "lo": "s", "km": "s", "ql": "s", "sn": "s", "bon": "s", "nha": "s",
}  # fmt: skip
_PAIRS: Final = {
    "thi tran": "tt", "t t": "tt",
    "thi xa": "tx", "t x": "tx",
    "thanh pho": "tp", "t p": "tp",
    "dac khu": "dk", "d k": "dk",
    "khu pho": "s", "dan pho": "s", "quoc lo": "s", "tinh lo": "s", "so nha": "s", "khu vuc": "s",
}  # fmt: skip


def _mistyped(word: str) -> set[str]:
    """Return a word with one letter left out, or two neighbours exchanged."""
    left_out = {word[:place] + word[place + 1 :] for place in range(len(word))}
    exchanged = {word[:place] + word[place + 1] + word[place] + word[place + 2 :] for place in range(len(word) - 1)}
    return left_out | exchanged


def _with_mistyped(words: Mapping[str, str], mistyped: Iterable[str]) -> dict[str, str]:
    """Add the mistyped spellings of some words, where they are no other word."""
    added = {wrong: words[right] for right in mistyped for wrong in _mistyped(right)}
    return {**added, **words}


_ONE_WORD: Final = _with_mistyped(_WORDS, ("phuong", "huien"))
_TWO_WORDS: Final = _with_mistyped(_PAIRS, ("thi tran", "thi xa", "thanh pho"))


def words_of(texts: pl.DataFrame) -> pl.DataFrame:
    """Return one row a word of ``text``: id, place, part, word, plain, and what the words before announce.

    ``part`` counts what stands between commas or, without any, between dashes; a name lies in one ``block``.
    ``kind`` and ``lead`` say what the one or two words before a word announce, and how many they are; ``last`` is
    the place of the last word.
    """
    listed = texts.select(
        "id",
        pl.col("text").str.contains(",", literal=True).alias("commas"),
        unglued(parted(pl.col("text"))).str.split(",").alias("part"),
    )
    parts = listed.explode("part").with_columns(pl.int_range(pl.len(), dtype=pl.Int32).over("id").alias("number"))
    split = pl.col("part").str.replace_all(_NOT_A_WORD, " ").str.strip_chars(" ").str.split(" ")
    # A name may hold a dash, never a comma.
    block = pl.when("commas").then(pl.col("number")).otherwise(0)
    words = parts.select("id", pl.col("number").alias("part"), block.alias("block"), split.alias("word"))
    words = words.explode("word")
    words = words.filter(pl.col("word").is_not_null() & (pl.col("word") != ""))
    words = words.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).over("id").alias("place"),
        (pl.len().over("id").cast(pl.Int32) - 1).alias("last"),
    )
    words = words.filter(pl.col("place") > pl.col("last") - WORDS_MAX)
    words = words.with_columns(marked(pl.col("word")).alias("marked"))
    words = words.with_columns(
        squeezed(plain(pl.col("marked"))).alias("plain"), squeezed(pl.col("marked")).alias("marked")
    )
    return _announced(words)


def _announced(words: pl.DataFrame) -> pl.DataFrame:
    """Add what the words before each word announce; nothing is announced across a comma."""
    same_one = (pl.col("id") == pl.col("id").shift(1)) & (pl.col("part") == pl.col("part").shift(1))
    same_two = (pl.col("id") == pl.col("id").shift(2)) & (pl.col("part") == pl.col("part").shift(2))
    one = pl.when(same_one).then(pl.col("plain").shift(1))
    two = pl.when(same_two).then(pl.col("plain").shift(2) + " " + pl.col("plain").shift(1))
    words = words.with_columns(
        two.replace_strict(_TWO_WORDS, default=None, return_dtype=pl.String).alias("two"),
        one.replace_strict(_ONE_WORD, default=None, return_dtype=pl.String).alias("one"),
        (same_one.fill_null(value=False) & (pl.col("part").max().over("id") > 0)).alias("inside"),
        pl.when(same_one)
        .then(pl.col("word").shift(1).str.contains(r"[0-9]"))
        .fill_null(value=False)
        .alias("after_number"),
    )
    return words.with_columns(
        pl.coalesce("two", "one").alias("kind"),
        pl.when(pl.col("two").is_not_null()).then(2).when(pl.col("one").is_not_null()).then(1).otherwise(0)
        .cast(pl.Int32).alias("lead"),
    ).drop("one", "two")  # fmt: skip


def spans_of(words: pl.DataFrame) -> pl.DataFrame:
    """Return every run of up to ``SPAN_WORDS_MAX`` words inside one block, with its key and what announces it."""
    found = []
    key, spelled = pl.col("plain"), pl.col("marked")
    for count in range(1, SPAN_WORDS_MAX + 1):
        back = count - 1
        whole = (pl.col("id") == pl.col("id").shift(-back)) & (pl.col("block") == pl.col("block").shift(-back))
        goes_on = (pl.col("id") == pl.col("id").shift(-count)) & (pl.col("part") == pl.col("part").shift(-count))
        if back:
            key = key + pl.col("plain").shift(-back)
            spelled = spelled + pl.col("marked").shift(-back)
        found.append(
            words.select(
                "id",
                pl.col("place").alias("start"),
                (pl.col("place") + count).alias("end"),
                "part",
                key.alias("key"),
                spelled.alias("marked"),
                pl.col("marked").alias("begins"),
                "kind",
                "lead",
                "last",
                "inside",
                "after_number",
                goes_on.fill_null(value=False).alias("goes_on"),
                whole.alias("whole"),
            ).filter("whole")
        )
    return pl.concat(found).drop("whole")
