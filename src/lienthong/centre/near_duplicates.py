"""Which records of a block resemble each other: pure work on columns (phát hiện bản ghi gần trùng).

A block holds the records that share some values exactly. Inside it each is compared with each, by the matching keys
of the columns that must resemble each other: two spellings that differ in tone marks, case or spaces only are one.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

Resemblance = Callable[[pl.Series, pl.Series], pl.Series]
"""Return how alike each pair of texts is, from 0 to 1."""


def matching_key(text: pl.Expr) -> pl.Expr:
    """Return a text without tone marks, case and signs: what two spellings of one name share."""
    # Đ has no decomposition in Unicode, so NFD alone would keep it.
    plain = text.str.to_lowercase().str.normalize("NFD").str.replace_all(r"\p{M}", "").str.replace_all("đ", "d")
    return plain.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars(" ")


def resembling(blocks: pl.DataFrame, *, similarity: float, resembles: Resemblance) -> pl.Series:
    """Return the ids of the records that resemble another one of their block.

    ``blocks`` has ``record_id``, ``block`` and the texts to compare as ``similar_0``, ``similar_1`` and so on, none
    of them null; blocks are whole.
    """
    names = [name for name in blocks.columns if name.startswith("similar_")]
    keys = blocks.with_columns(matching_key(pl.col(name)) for name in names)
    pairs = keys.join(keys, on="block", suffix="_other").filter(pl.col("record_id") < pl.col("record_id_other"))
    for name in names:
        if pairs.is_empty():
            break
        # Names repeat: each pair of spellings is compared once.
        spelled = pairs.select(name, f"{name}_other").unique()
        alike = resembles(spelled[name], spelled[f"{name}_other"]).alias("_alike")
        same = (spelled[name] == spelled[f"{name}_other"]) & (spelled[name] != "")  # signs alone are no name
        close = spelled.filter((alike >= similarity) | same)
        pairs = pairs.join(close, on=[name, f"{name}_other"], how="semi")
    return pl.concat([pairs["record_id"], pairs["record_id_other"].alias("record_id")]).unique()
