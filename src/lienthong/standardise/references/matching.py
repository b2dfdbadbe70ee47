"""Which entries of a registry a column of names means; one, several, or none with the reason: never a silent pick."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final

import polars as pl

from lienthong.standardise.cleaning import clean
from lienthong.standardise.references.covering import Covering, exact, repaired
from lienthong.standardise.references.registry import OWN_NAME, Phrase, Registry
from lienthong.standardise.references.spelling import has_comment, parts_at_names, without_fillers, words

WORDS_MAX: Final = 200
COMMENT: Final = 0.95

MATCH_SCHEMA: Final[dict[str, pl.DataType]] = {
    "value": pl.String(),
    "answer": pl.String(),
    "ids": pl.List(pl.String()),
    "candidates": pl.List(pl.String()),
    "confidence": pl.Float64(),
    "reason": pl.String(),
}

# First every sign that can join names parts them; where that leaves words over, commas and "và" belong to a name
# ("cấp, quản lý hộ chiếu", "Nông nghiệp và Môi trường").
_JOINED_BY_ALL: Final = re.compile(r"[;|/\n:,&+]|\bvà\b|\bva\b", re.IGNORECASE)
_JOINED_BY_SOME: Final = re.compile(r"[;|/\n:]")

Row = tuple[str, list[str], list[str], float, str]


class Answer(enum.Enum):
    """How many entries a text names."""

    ONE = "one"
    SEVERAL = "several"  # all of them are meant
    NONE = "none"  # nothing, or not everything, could be settled; ``candidates`` are what a person may choose from


def match(series: pl.Series, registry: Registry) -> pl.DataFrame:
    """Return which entries each value names.

    Vietnamese: đối chiếu tên.

    One row per value, in its order: ``value``, ``answer`` (an ``Answer``), ``ids`` (entries in the order in which the
    text names them; empty unless everything is settled), ``candidates`` (only with the answer none), ``confidence``
    from 0 to 1 and ``reason``, in Vietnamese. Distinct values are read once, whatever the length of the column.
    """
    texts = series.cast(pl.String)
    distinct = texts.unique(maintain_order=True)
    cleaned = clean(distinct).text
    rows = [
        (value, *(_empty() if text is None else _row(text, registry)))
        for value, text in zip(distinct, cleaned, strict=True)
    ]
    answers = pl.DataFrame(rows, schema=MATCH_SCHEMA, orient="row")
    return texts.to_frame("value").join(answers, on="value", how="left", nulls_equal=True, maintain_order="left")


def match_text(text: str, registry: Registry) -> dict[str, object]:
    """Return the answer for one text, as ``match`` gives it."""
    return match(pl.Series([text], dtype=pl.String), registry).row(0, named=True)


def _empty() -> Row:
    return Answer.NONE.value, [], [], 0.0, "ô trống"


def _row(text: str, registry: Registry) -> Row:
    found = words(text)
    if len(found) > WORDS_MAX:
        return Answer.NONE.value, [], [], 0.0, f"dài hơn {WORDS_MAX} từ"
    if not found:
        return Answer.NONE.value, [], [], 0.0, "không có chữ nào"
    ways: tuple[tuple[re.Pattern[str], Callable[[Phrase, Registry], Covering]], ...] = (
        (_JOINED_BY_ALL, exact),
        (_JOINED_BY_SOME, exact),
        (_JOINED_BY_ALL, repaired),
        (_JOINED_BY_SOME, repaired),
    )
    tried = []
    for joint, cover in ways:
        coverings = [cover(part, registry) for part in _parts(text, joint)]
        if coverings and all(covering.settled for covering in coverings):
            return _settled(text, coverings)
        tried.append(coverings)
    _, as_written, _, mended = tried
    return _open(as_written, mended)


def _parts(text: str, joint: re.Pattern[str]) -> list[Phrase]:
    """Return the words of each part; parts that hold fillers only name nothing and go."""
    plain = re.sub(r"\([^()]{0,200}\)", " ", text)
    pieces = [piece for part in joint.split(plain) for piece in parts_at_names(words(part))]
    named = [without_fillers(piece) for piece in pieces]
    return [name for name in named if name]


def _settled(text: str, coverings: list[Covering]) -> Row:
    ids = list(dict.fromkeys(next(iter(entries)) for covering in coverings for entries in covering.named))
    sure = min(covering.sure for covering in coverings)
    notes = [note for covering in coverings for note in covering.notes]
    if has_comment(text):
        sure *= COMMENT
        notes.append("bỏ qua phần trong ngoặc")
    if not notes:
        notes = ["tên trong danh mục" if sure == OWN_NAME else "cách viết khác đã biết"]
    answer = Answer.ONE if len(ids) == 1 else Answer.SEVERAL
    return answer.value, ids, [], round(sure, 3), "; ".join(dict.fromkeys(notes))


def _open(as_written: list[Covering], mended: list[Covering]) -> Row:
    """Say what stands in the way, in the words of the text; what was recognised is only a candidate."""
    candidates = list(
        dict.fromkeys(
            entry for covering in mended for entries in (*covering.named, covering.tied) for entry in sorted(entries)
        )
    )
    left = [" ".join(covering.left) for covering in as_written if covering.left]
    notes = []
    if any(covering.tied or any(len(entries) > 1 for entries in covering.named) for covering in mended):
        notes.append("một cách viết ứng với nhiều mục")
    if left:
        notes.append("không nhận ra: " + ", ".join(left))
    return Answer.NONE.value, [], candidates, 0.0, "; ".join(notes) or "không nêu tên nào trong danh mục"
