"""Where the tone mark stands in a syllable, and a key for comparing texts (vị trí dấu thanh; khoá so khớp).

Rule: the mark stands on ă â ê ô ơ (of ươ, iê, yê, uô: the second letter); else on the only vowel; else, before a
final consonant, on the last vowel; else on the middle one of three, and on the first of two. The two styles differ in
open oa, oe, uy alone: the old writes hòa, khỏe, thúy, the new hoà, khoẻ, thuý. The u of qu and the i of gi are no
vowels: quý and già are written so in both. A mark that stands wrong in both ("hòan", "qúy") moves to its place.

Words that are no syllable of Vietnamese (Đăk, Ngọk, Krông) and words with two marks stay as they are. Both styles are
in official use and no source says which one a legal name must have, so the kernels of text place no mark unless the
value domain decides for a style (``tone_style``). What is compared has one style always.
"""

from __future__ import annotations

import enum
import functools
from unicodedata import normalize

import polars as pl

from lienthong.dictionary.model import Source, Text, Trust
from lienthong.standardise.batch import Outcome
from lienthong.standardise.cleaning import clean, put
from lienthong.standardise.encodings.syllables import TONES, parse
from lienthong.standardise.kernel import BoundKernel, KernelResult

KEEP = "keep"  # of a value domain: the marks stay where the source puts them
VERSION = "1.1.0"  # changes whenever one value may come out differently
RULE = Text(
    vi="Đặt dấu thanh theo một kiểu thống nhất (kiểu cũ: hòa, thúy; kiểu mới: hoà, thuý); không đổi từ không phải âm "
    "tiết tiếng Việt; không áp dụng mặc định cho họ tên, tên tổ chức và địa danh.",
    en="The tone mark stands by one style (old: hòa, thúy; new: hoà, thuý); words that are no Vietnamese syllable "
    "stay; not applied to legal names unless a value domain decides so.",
)
SOURCES = (
    Source(
        document="lienthong",
        trust=Trust.OWN,
        note="company names of 3,943 enterprises use both styles: 333 new, 465 old",
    ),
)


class ToneStyle(enum.StrEnum):
    """Which of the two styles of oa, oe, uy."""

    OLD = "old"  # hòa, khỏe, thúy (kiểu cũ)
    NEW = "new"  # hoà, khoẻ, thuý (kiểu mới)


_BARE = "aăâeêioôơuưy"
_TONED = "".join(normalize("NFC", vowel + tone) for vowel in _BARE for tone in TONES if tone)
_ANY, _MARKED = (f"[{letters}{letters.upper()}]" for letters in (_BARE, _TONED))
_ASKED = f"{_ANY}{_MARKED}|{_MARKED}{_ANY}"  # a mark beside another vowel: only there it can move
_WORD = r"[\p{L}\p{M}]+"
_APOSTROPHES = ("‘", "’", "‛", "ʼ", "´", "`", "′", "＇", "ʹ")
_HYPHENS = ("‐", "‑", "‒", "–", "—", "−")


# Where the two styles differ, in small letters: òa and oà, òe and oè, ùy and uỳ.
TONE_PLACES = tuple(
    (normalize("NFC", first + tone + second), normalize("NFC", first + second + tone))
    for first, second in ("oa", "oe", "uy")
    for tone in TONES
    if tone
)


def one_style(text: pl.Expr) -> pl.Expr:
    """Return small letters in NFC with the marks of oa, oe, uy at one place, for look-ups: both styles agree."""
    return text.str.replace_many([old for old, _ in TONE_PLACES], [new for _, new in TONE_PLACES])


def styled(kernel: BoundKernel, style: str | None) -> BoundKernel:
    """Return a kernel of text whose values have their tone marks where the value domain wants them."""
    if style in (None, KEEP):
        return kernel
    wanted = ToneStyle(style)

    def run(source: pl.Series) -> KernelResult:
        done = kernel(source)
        placed = place(done.values, wanted)
        moved = (placed != done.values) & (done.outcomes == Outcome.UNCHANGED.value)
        outcomes = pl.select(
            pl.when(moved.fill_null(value=False)).then(Outcome.CHANGED.value).otherwise(done.outcomes)
        )
        return KernelResult(
            values=placed.alias(done.values.name), outcomes=outcomes.to_series().cast(pl.UInt8).alias(source.name)
        )

    return run


def place(text: pl.Series, style: ToneStyle) -> pl.Series:
    """Return text in NFC with every tone mark where the style wants it."""
    composed = text.str.normalize("NFC")
    asked = composed.str.contains(_ASKED).fill_null(value=False)
    if not asked.any():
        return composed
    found = composed.filter(asked)
    words = found.str.extract_all(_WORD).explode(empty_as_null=True, keep_nulls=True).drop_nulls().unique()
    words = words.filter(words.str.contains(_ASKED))
    placed = {word: moved for word in words if (moved := place_word(word, style)) != word}
    if not placed:
        return composed
    pieces = (
        pl.DataFrame({"piece": found.str.extract_all(f"{_WORD}|[^\\p{{L}}\\p{{M}}]+")})
        .with_row_index("row")
        .explode("piece", empty_as_null=True, keep_nulls=True)
    )
    joined = (
        pieces.with_columns(pl.col("piece").replace(placed))
        .group_by("row", maintain_order=True)
        .agg(pl.col("piece").str.join())
    )
    return put(composed, asked, joined["piece"])


@functools.lru_cache(maxsize=65_536)
def place_word(word: str, style: ToneStyle) -> str:
    """Return one word (NFC) with its tone mark where the style wants it; no syllable, no change."""
    syllable = parse(word)
    if syllable is None or not syllable.tone:
        return word
    moved = syllable.spelled(new_style=style is ToneStyle.NEW)
    assert len(moved) == len(word), "the mark moves, the letters stay"
    return "".join(new.upper() if old.isupper() else new for new, old in zip(moved, word, strict=True))


def matching_key(text: pl.Series) -> pl.Series:
    """Return a key that two spellings of one text share: capitals, NFC, one style of tone marks, look-alikes folded.

    Null where nothing can be read. A key is for comparing, never for showing: the text itself is kept beside it.
    """
    cleaned = clean(text).text
    folded = cleaned.str.replace_many({**dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_HYPHENS, "-")})
    upper = folded.str.to_uppercase()  # before placing: a decomposed mark of a small letter is the same mark
    return place(upper, ToneStyle.NEW).alias(text.name)
