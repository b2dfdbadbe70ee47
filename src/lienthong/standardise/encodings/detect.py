"""Which encoding a column is in (nhận biết bảng mã của cột).

Every distinct word of the column is read in every encoding and judged: a known word, a syllable by the spelling rules
with legal letter case, no Vietnamese word, or not readable. The encoding under which the whole column is most likely
wins; where two read alike, the earlier of ``PRIOR``. Then each value is asked again alone: values that are clearly of
another encoding make the column mixed.

Only words with a letter beyond ASCII are evidence. Without one nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from lienthong.sources.profile import MIXED, EncodingSeen
from lienthong.standardise.batch import Outcome
from lienthong.standardise.encodings.convert import convert, decode, lost_letters, text_of_bytes
from lienthong.standardise.encodings.tables import Encoding
from lienthong.standardise.encodings.words import LEGAL_FROM, NO_WORD, UNREAD, likelihood, words_of
from lienthong.standardise.kernel import KernelResult

# Natural logarithm of how often an encoding is met, roughly; decides only where the words do not.
PRIOR: Mapping[Encoding, float] = {
    Encoding.UTF_8: 0.0,
    Encoding.TCVN3: -1.0,
    Encoding.VNI: -1.5,
    Encoding.MOJIBAKE: -2.0,
    Encoding.CP1258: -2.5,
    Encoding.VISCII: -3.0,
    Encoding.VPS: -3.5,
    Encoding.VN1: -4.0,
}
CERTAIN_FROM = math.log(100)  # so much likelier than the next before a value is called certain
WORD_COUNT_MAX = 20  # a word that repeats ("Phường") is not new evidence every time
MIXED_SHARE_MIN = 0.002  # of the values with evidence; and
MIXED_VALUES_MIN = 2
PROPOSED_FROM = 0.99  # confidence
PROPOSED_WORDS_MIN = 3
UNSURE_FROM = 0.9  # the same where there are fewer words
PROPOSED_LEGAL_MIN = 0.8
SAMPLE_VALUES_MAX = 20_000  # distinct values that choose the encoding; beyond it more change nothing
LEAST: Final = "least:"  # before the name of an encoding: the least likely word of a value in it
_NOT_ASCII = r"[^\x00-\x7F]"
LETTERS_BELOW = "\u2100"  # bytes read in the wrong order give letters above it


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """What one encoding makes of the column."""

    encoding: Encoding
    legal_share: float  # of the words, how many are Vietnamese in it
    unread: int  # words it cannot read
    likelihood: float  # natural logarithm, of the whole column


@dataclass(frozen=True, kw_only=True, slots=True)
class Detection:
    """What was found; holds no value of the column except in ``assigned``, which names encodings only."""

    encoding: Encoding | None  # None: no word says anything
    confidence: float  # 0 to 1
    values: int  # distinct values with evidence
    words: int  # distinct words with evidence
    legal_share: float  # of these words, how many are Vietnamese in the encoding found
    alternatives: tuple[Alternative, ...]  # every encoding, likeliest first
    mixed: bool
    lost: int  # values with letters that became question marks
    assigned: pl.Series | None  # if mixed: the encoding of each value, null where it is not certain


def detect(source: pl.Series) -> Detection:
    """Say in which encoding a column of text or bytes is."""
    if source.dtype == pl.Binary:
        return _detect_bytes(source)
    assert source.dtype == pl.String, f"text or bytes, not {source.dtype}"
    return _detect_text(source)


def _detect_text(text: pl.Series, candidates: tuple[Encoding, ...] = tuple(PRIOR)) -> Detection:
    lost = int(lost_letters(text).sum())
    distinct = text.drop_nulls().unique(maintain_order=True)
    if distinct.len() > SAMPLE_VALUES_MAX:
        distinct = distinct.gather_every(-(-distinct.len() // SAMPLE_VALUES_MAX))
    words, scores = scored(distinct, candidates)
    if words.is_empty():
        return _nothing(lost)
    counted = (
        words.group_by("word").len("times").with_columns(pl.col("times").clip(upper_bound=WORD_COUNT_MAX))
    ).join(scores, on="word")
    alternatives = tuple(
        sorted((_alternative(counted, each) for each in candidates), key=lambda one: -one.likelihood)
    )
    best = alternatives[0]
    judged = by_value(words, scores, candidates)
    others = _certain_others(judged, best.encoding, candidates)
    mixed = others >= max(MIXED_VALUES_MIN, MIXED_SHARE_MIN * judged.height)
    decomposed = best.encoding is Encoding.UTF_8 and _is_decomposed(distinct)
    return Detection(
        encoding=Encoding.NFD if decomposed else best.encoding,
        confidence=_confidence(counted, alternatives),
        values=judged.height,
        words=counted.height,
        legal_share=best.legal_share,
        alternatives=alternatives,
        mixed=mixed,
        lost=lost,
        assigned=_assign(text, judged, candidates) if mixed else None,
    )


def _nothing(lost: int) -> Detection:
    return Detection(
        encoding=None,
        confidence=0.0,
        values=0,
        words=0,
        legal_share=0.0,
        alternatives=(),
        mixed=False,
        lost=lost,
        assigned=None,
    )


def propose(sample: pl.Series) -> EncodingSeen | None:
    """Return what a mapping should say of a column's encoding; None where it need not or cannot say anything.

    Few words alone are not sure: another column of the table in the same encoding makes them so.
    """
    found = detect(sample)
    if found.encoding is None:
        return None
    enough = found.words >= PROPOSED_WORDS_MIN
    if found.assigned is not None:
        told = found.assigned.filter(sample.str.contains(_NOT_ASCII).fill_null(value=False))
        share = 1 - told.null_count() / max(1, told.len())
        return EncodingSeen(encoding=MIXED, confidence=share, values=found.values, sure=enough)
    least, legal = (PROPOSED_FROM, PROPOSED_LEGAL_MIN) if enough else (UNSURE_FROM, 1.0)
    if found.encoding in _NEED_NO_WORD or found.confidence < least or found.legal_share < legal:
        return None
    return EncodingSeen(encoding=found.encoding.value, confidence=found.confidence, values=found.values, sure=enough)


def propose_encoding(sample: pl.Series) -> str | None:
    """Return what ``propose`` is sure of."""
    found = propose(sample)
    return found.encoding if found is not None and found.sure else None


_NEED_NO_WORD = frozenset({Encoding.UTF_8, Encoding.NFD, Encoding.UTF_16LE, Encoding.UTF_16BE})


def convert_mixed(source: pl.Series, assigned: pl.Series) -> KernelResult:
    """Convert each value from the encoding ``Detection.assigned`` gives it; without one it is ambiguous."""
    frame = pl.DataFrame({"value": source, "encoding": assigned}).with_row_index("row")
    done = []
    for encoding in assigned.drop_nulls().unique():
        part = frame.filter(pl.col("encoding") == encoding)
        result = convert(part["value"], Encoding(encoding))
        done.append(part.select("row").with_columns(result.values.alias("done"), result.outcomes.alias("outcome")))
    rest = frame.filter(pl.col("encoding").is_null())
    unknown = pl.when(pl.col("value").is_null()).then(Outcome.EMPTY.value).otherwise(Outcome.AMBIGUOUS.value)
    done.append(
        rest.select(
            "row", pl.lit(None, source.dtype).cast(pl.String).alias("done"), unknown.cast(pl.UInt8).alias("outcome")
        )
    )
    whole = pl.concat(done).sort("row")
    return KernelResult(values=whole["done"].alias(source.name), outcomes=whole["outcome"].alias(source.name))


# ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────


def scored(values: pl.Series, candidates: tuple[Encoding, ...]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (row, word) of the values, and how likely each distinct word is in each encoding."""
    words = words_of(values)
    distinct = words["word"].unique()
    decoded = {each: decode(distinct, each) for each in candidates}
    plain = [each for each in candidates if each is not Encoding.TCVN3]
    together = likelihood(pl.concat([decoded[each] for each in plain]))  # one look instead of one for each
    scores: dict[Encoding, pl.Series] = {
        each: together.slice(at * distinct.len(), distinct.len()) for at, each in enumerate(plain)
    }
    scores[Encoding.TCVN3] = likelihood(decoded[Encoding.TCVN3], any_case=True)
    return words, pl.DataFrame({"word": distinct, **{each.value: scores[each] for each in candidates}})


def _alternative(counted: pl.DataFrame, encoding: Encoding) -> Alternative:
    score = pl.col(encoding.value)
    total, legal, unread = counted.select(
        (score * pl.col("times")).sum().alias("total"),
        (score >= LEGAL_FROM).mean().alias("legal"),
        (score == UNREAD).sum().alias("unread"),
    ).row(0)
    return Alternative(encoding=encoding, legal_share=legal, unread=unread, likelihood=total + PRIOR[encoding])


def _confidence(counted: pl.DataFrame, alternatives: tuple[Alternative, ...]) -> float:
    """Return how sure the first is against those that read the column differently, and against all being wrong."""
    best = alternatives[0]
    read = decode(counted["word"], best.encoding)
    rivals = [one for one in alternatives[1:] if not decode(counted["word"], one.encoding).equals(read)]
    against = [math.exp(one.likelihood - best.likelihood) for one in rivals]
    noise = NO_WORD * int(counted["times"].sum())
    against.append(math.exp(min(0.0, noise - best.likelihood)))
    return 1 / (1 + sum(against))


def by_value(words: pl.DataFrame, scores: pl.DataFrame, candidates: tuple[Encoding, ...]) -> pl.DataFrame:
    """Return how likely each value with evidence is in each encoding, and its least likely word."""
    named = [each.value for each in candidates]
    return (
        words.join(scores, on="word").group_by("row").agg(pl.col(named).sum(), pl.col(named).min().name.prefix(LEAST))
    )


def _certain_others(judged: pl.DataFrame, best: Encoding, candidates: tuple[Encoding, ...]) -> int:
    """Count values that are Vietnamese in another encoding and clearly not in the best."""
    others = [each.value for each in candidates if each is not best]
    legal = [pl.when(pl.col(LEAST + name) >= LEGAL_FROM).then(pl.col(name)) for name in others]
    clearly = pl.max_horizontal(legal) - pl.col(best.value) >= CERTAIN_FROM
    return judged.filter((pl.col(LEAST + best.value) < LEGAL_FROM) & clearly).height


def _is_decomposed(values: pl.Series) -> bool:
    composed = values.str.normalize("NFC")
    return 2 * int((composed != values).sum()) > int(values.str.contains(r"[^\x00-\x7F]").sum())


def _assign(text: pl.Series, sampled: pl.DataFrame, candidates: tuple[Encoding, ...]) -> pl.Series:
    """Return the encoding of each value of a mixed column; null where two that read it differently are near.

    How often each encoding is met in the column counts as evidence too.
    """
    names = [each.value for each in candidates]
    values = text.drop_nulls().unique()
    words, scores = scored(values, candidates)
    shares = sampled.select(pl.concat_list(names).list.arg_max().alias("at"))["at"].value_counts()
    met = dict(zip(shares["at"], shares["count"], strict=True))
    frame = by_value(words, scores, candidates).select(
        "row",
        *(
            (pl.col(name) + math.log((met.get(at, 0) + 1) / (sampled.height + len(names)))).alias(name)
            for at, name in enumerate(names)
        ),
    )
    found = chosen(values, frame, candidates)
    spread = text.to_frame("value").join(found, on="value", how="left", maintain_order="left")
    return spread["encoding"].alias("encoding")


def chosen(values: pl.Series, weighed: pl.DataFrame, candidates: tuple[Encoding, ...]) -> pl.DataFrame:
    """Return ``value`` and ``encoding`` for distinct values: the likeliest; null where another reading is near.

    ``weighed`` has, by row, how likely each value with evidence is in each encoding.
    """
    names = [each.value for each in candidates]
    readings = pl.DataFrame({"row": pl.int_range(values.len(), dtype=pl.UInt32, eager=True), "value": values})
    readings = readings.with_columns(decode(values, each).alias("read:" + each.value) for each in candidates)
    judged = readings.join(weighed, on="row", how="left", maintain_order="left").with_columns(
        pl.concat_list(names).list.arg_max().alias("best"), pl.max_horizontal(names).alias("likely")
    )
    reading = pl.coalesce(pl.when(pl.col("best") == at).then(pl.col("read:" + name)) for at, name in enumerate(names))
    judged = judged.with_columns(reading.alias("reading"))
    rival = pl.max_horizontal(
        pl.when(pl.col("read:" + name).ne_missing(pl.col("reading"))).then(pl.col(name)) for name in names
    )
    certain = pl.col("reading").is_not_null() & (pl.col("likely") - rival.fill_null(-math.inf) >= CERTAIN_FROM)
    return judged.select(
        "value",
        pl.when(pl.col("likely").is_null())
        .then(pl.lit(names[0]))  # ASCII alone: the same in all
        .when(certain)
        .then(pl.col("best").replace_strict(dict(enumerate(names)), return_dtype=pl.String))
        .alias("encoding"),
    )


# ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────────


def _detect_bytes(source: pl.Series) -> Detection:
    """Detect over bytes: 16-bit Unicode by its zero bytes, UTF-8 by its form, else the old encodings."""
    present = [each for each in source if each]
    if any(b"\0" in each for each in present):
        return _detect_sixteen(source)
    as_unicode = text_of_bytes(source, Encoding.UTF_8)
    if as_unicode.null_count() == source.null_count():
        return _detect_text(as_unicode)
    # Not all is UTF-8. As byte characters, values that are look as if they had been read as Latin-1.
    characters = [None if each is None else each.decode("latin-1") for each in source]
    found = _detect_text(
        pl.Series(source.name, characters, dtype=pl.String),
        tuple(each for each in PRIOR if each is not Encoding.UTF_8),
    )
    return replace(
        found,
        encoding=None if found.encoding is None else _of_bytes(found.encoding),
        alternatives=tuple(replace(one, encoding=_of_bytes(one.encoding)) for one in found.alternatives),
        assigned=None
        if found.assigned is None
        else found.assigned.replace(Encoding.MOJIBAKE.value, Encoding.UTF_8.value),
    )


def _of_bytes(encoding: Encoding) -> Encoding:
    return Encoding.UTF_8 if encoding is Encoding.MOJIBAKE else encoding


def _detect_sixteen(source: pl.Series) -> Detection:
    both = [(each, text_of_bytes(source, each)) for each in (Encoding.UTF_16LE, Encoding.UTF_16BE)]
    encoding, text = max(both, key=lambda pair: _of_letters(pair[1]))
    found = _detect_text(text)
    unread = text.null_count() - source.null_count()
    share = _of_letters(text) / max(1, source.len() - source.null_count())
    return replace(
        found,
        encoding=encoding,
        confidence=share,
        legal_share=found.legal_share if found.words else 1.0,
        mixed=unread > 0,
        assigned=None
        if not unread
        else pl.select(pl.when(text.is_not_null()).then(pl.lit(encoding.value))).to_series(),
    )


def _of_letters(text: pl.Series) -> int:
    """Count values that 16-bit Unicode reads as letters of Latin scripts and their signs."""
    return int(text.str.contains(f"^[\\x01-{LETTERS_BELOW}]*$").sum())
