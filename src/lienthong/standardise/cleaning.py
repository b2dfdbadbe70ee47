"""The first step of every kernel: characters that no reader sees, and two spellings of one letter.

Only here are values trimmed and brought to NFC; rule engines differ in both (see the kernels' rules).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

# Letters and signs that are NFC by themselves and that no step below touches. Most values hold nothing else
# and are recognised in one pass. Left out on purpose: Ð and ð, which are taken for Đ and đ.
_SAFE = " -~À-ÏÑ-ïñ-žƠơƯưẠ-ỹ–—‘’“”…"
_NOT_CLEAN = f"[^{_SAFE}]|^ | $|  |^$"

_CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]"  # C0, DEL, C1; tab and line ends are spaces
_INVISIBLE = r"[\u{AD}\u{180E}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{2064}\u{2066}-\u{2069}\u{FEFF}]"
_NOT_ASCII = r"[^\x00-\x7F]"

_NO = pl.Series([False], dtype=pl.Boolean)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """Text without what cannot be seen; null where nothing is left or where ``refused`` says so."""

    text: pl.Series
    refused: pl.Series  # holds a control character

    def unread(self, values: pl.Series) -> pl.Series:
        """Say where something was sent and no value came of it."""
        return (values.is_null() & self.text.is_not_null()) | self.refused


def clean(source: pl.Series) -> Cleaned:
    """Return NFC text with single spaces; control characters are refused.

    Look-alikes Ð, Ɖ become Đ and ð, ɖ become đ: they have no decomposition, so NFC alone would keep them.
    The place of the tone mark is kept, since official names use both styles.
    """
    marked = source.str.contains(_NOT_CLEAN)
    if not marked.any():
        return Cleaned(text=source, refused=nowhere(source))
    cleaned = (
        pl.DataFrame({"raw": source.filter(marked)})
        .select(
            pl.col("raw").str.contains(_CONTROL).alias("control"),
            pl.col("raw")
            .str.replace_all(_INVISIBLE, "")
            .str.replace_all(r"\s+", " ")  # Unicode white space: NBSP, tab and line ends too
            .str.strip_chars(" ")
            .str.replace_many(["Ð", "Ɖ", "ð", "ɖ"], ["Đ", "Đ", "đ", "đ"])
            .str.normalize("NFC")
            .alias("text"),
        )
        .with_columns(pl.when((pl.col("text") == "") | pl.col("control")).then(None).otherwise("text").alias("text"))
    )
    places = marked.arg_true()
    refused = nowhere(source)
    if cleaned["control"].any():
        refused = refused.scatter(places, cleaned["control"])
    return Cleaned(text=source.clone().scatter(places, cleaned["text"]), refused=refused)


def nowhere(like: pl.Series) -> pl.Series:
    """Return a flag that is set in no row."""
    return _NO.new_from_index(0, like.len())


def put(target: pl.Series, where: pl.Series, values: pl.Series) -> pl.Series:
    """Return ``target`` with ``values`` in the places where ``where`` is true, in order."""
    return target.clone().scatter(where.arg_true(), values)


def without_spaces(text: pl.Series) -> pl.Series:
    """Remove every space of a cleaned text."""
    squeezed = text.str.replace_all(" ", "", literal=True)
    return composed(squeezed)


def composed(text: pl.Series) -> pl.Series:
    """Return NFC text; costs one look where all letters are ASCII."""
    return text.str.normalize("NFC") if text.str.contains(_NOT_ASCII).any() else text
