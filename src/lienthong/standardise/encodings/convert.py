"""A column of one encoding becomes Unicode, value by value (chuyển mã).

Every value is judged alone, so a value comes out the same in a snapshot, in a stream and on a cluster:

* text of ASCII alone is unchanged in every encoding;
* what the encoding can read is changed to Unicode NFC;
* what it cannot read, but what is Vietnamese as it stands, was written in Unicode already: unchanged;
* what is Vietnamese as it stands, and more likely so than as the encoding reads it, is ambiguous;
* a sign in a word, which could be a letter of the encoding and makes no syllable as one, is ambiguous;
* all else that cannot be read is refused: the raw text stays, nobody guesses.

Letters lost to question marks ("Nguy?n") stay as they are: ``lost_letters`` reports them, nothing brings them back.
"""

from __future__ import annotations

import functools

import polars as pl

from lienthong.standardise.batch import Outcome
from lienthong.standardise.cleaning import nowhere, put
from lienthong.standardise.encodings.recase import recase
from lienthong.standardise.encodings.syllables import spellings
from lienthong.standardise.encodings.tables import (
    LEGACY,
    LOST,
    SIGNS,
    Encoding,
    are_bytes,
    byte_characters,
    hide_signs,
    show_signs,
    table_of,
)
from lienthong.standardise.encodings.words import (
    LEGAL_FROM,
    UNREAD,
    likelihood,
    may_be_vietnamese,
    weigh,
    words_of,
)
from lienthong.standardise.kernel import KernelResult

VERSION = "1.0.0"  # changes whenever one value may come out differently

_NOT_ASCII = r"[^\x00-\x7F]"
_LOW_LETTERS = r"[\x01-\x06\x10-\x1E]"  # capitals of VISCII, VPS and VN1 below the space
_HAVE_LOW_LETTERS = frozenset({Encoding.VISCII, Encoding.VPS, Encoding.VN1})
_MARK_LEFT = r"[\u{300}\u{301}\u{303}\u{309}\u{323}]"
# The first byte of a letter without the next: "HÃ" may be what is left of HÃ\xa0 (Hà).
_CUT = r"^[\x00-\xFF]*[ÂÃÄÅÆ](?:[^\p{L}\p{M}]|$)[\x00-\xFF]*$"
_SEPARATOR = "\x00"  # no text of a database holds it
_SIXTEEN = (Encoding.UTF_16LE, Encoding.UTF_16BE)

_QUESTION = r"[\p{L}\p{M}]*\?[\p{L}\p{M}?]*"


def convert(source: pl.Series, encoding: Encoding) -> KernelResult:
    """Return a column as Unicode text, with the outcome of each value.

    ``source`` is text that a database took for Latin-1 or Windows-1252, or the bytes themselves.
    """
    text = source
    if source.dtype == pl.Binary:
        text = text_of_bytes(source, encoding)
        if encoding in _SIXTEEN:
            return _of_sixteen(source, text)
    assert text.dtype == pl.String, f"text or bytes, not {text.dtype}"
    assert encoding not in _SIXTEEN, f"{encoding} is an encoding of bytes"
    touched = text.str.contains(touched_by(encoding)).fill_null(value=False)
    outcomes = pl.select(
        pl.when(text.is_null()).then(Outcome.EMPTY.value).otherwise(Outcome.UNCHANGED.value).cast(pl.UInt8)
    ).to_series()
    if source.dtype == pl.Binary:
        outcomes = put(outcomes, text.is_null() & source.is_not_null(), _all(Outcome.REFUSED, text, source))
    if not touched.any():
        return KernelResult(values=text.alias(source.name), outcomes=outcomes.alias(source.name))
    done = _touched(text.filter(touched), encoding)
    return KernelResult(
        values=put(text, touched, done.values).alias(source.name),
        outcomes=put(outcomes, touched, done.outcomes).alias(source.name),
    )


def _all(outcome: Outcome, text: pl.Series, source: pl.Series) -> pl.Series:
    count = int((text.is_null() & source.is_not_null()).sum())
    return pl.repeat(outcome.value, count, dtype=pl.UInt8, eager=True)


def _touched(text: pl.Series, encoding: Encoding) -> KernelResult:
    signs_are_letters = encoding in _HAVE_LOW_LETTERS
    decoded = show_signs(decode(hide_signs(text), encoding)) if signs_are_letters else decode(text, encoding)
    if encoding is Encoding.TCVN3:
        decoded = recase(decoded)
    unread = decoded.is_null()
    as_it_stands = text.str.normalize("NFC")
    stands, likely = _standing(as_it_stands)
    ambiguous = stands & unread & text.str.contains(_CUT) if encoding is Encoding.MOJIBAKE else nowhere(text)
    both = stands & ~unread & (as_it_stands != decoded)
    if both.any():
        read = weigh(decoded.filter(both), any_case=encoding is Encoding.TCVN3)["likely"]
        ambiguous = put(ambiguous, both, likely.filter(both) > read)
    if signs_are_letters:
        ambiguous |= ~unread & _doubtful_signs(text, encoding)
    frame = pl.DataFrame(
        {"text": text, "decoded": decoded, "unread": unread, "stands": stands, "ambiguous": ambiguous}
    )
    outcome = (
        pl.when("ambiguous")
        .then(Outcome.AMBIGUOUS.value)
        .when(pl.col("unread") & ~pl.col("stands"))
        .then(Outcome.REFUSED.value)
        .when(pl.col("unread") | (pl.col("text") == pl.col("decoded")))
        .then(Outcome.UNCHANGED.value)
        .otherwise(Outcome.CHANGED.value)
        .cast(pl.UInt8)
    )
    kept = pl.when(~pl.col("ambiguous")).then(
        pl.when(pl.col("unread") & pl.col("stands")).then("text").otherwise("decoded")
    )
    done = frame.select(kept.alias("value"), outcome.alias("outcome"))
    return KernelResult(values=done["value"], outcomes=done["outcome"])


def _standing(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return whether texts are Vietnamese as they stand, and how likely."""
    asked = may_be_vietnamese(text)
    weighed = weigh(text.filter(asked))
    unlikely = pl.repeat(UNREAD, text.len(), dtype=pl.Float64, eager=True)
    return put(nowhere(text), asked, weighed["vietnamese"]), put(unlikely, asked, weighed["likely"])


def _doubtful_signs(text: pl.Series, encoding: Encoding) -> pl.Series:
    """Say which texts have a sign inside a word ("N’Đir") that could be a letter and makes no syllable as one."""
    asked = text.str.contains(SIGNS)
    if not asked.any():
        return asked
    words = words_of(hide_signs(text.filter(asked))).filter(pl.col("word").str.contains(SIGNS))
    distinct = words["word"].unique()
    strange = distinct.filter(likelihood(decode(distinct, encoding)) < LEGAL_FROM)
    rows = words.filter(pl.col("word").is_in(strange.implode()))["row"].unique()
    return put(asked, asked, pl.int_range(int(asked.sum()), dtype=pl.UInt32, eager=True).is_in(rows.implode()))


def touched_by(encoding: Encoding) -> str:
    """Return the pattern of a text that means something else in an encoding than in Unicode."""
    return f"{_NOT_ASCII}|{_LOW_LETTERS}" if encoding in _HAVE_LOW_LETTERS else _NOT_ASCII


def decode(text: pl.Series, encoding: Encoding) -> pl.Series:
    """Return text as Unicode NFC; null where the encoding cannot read all of it."""
    if encoding in (Encoding.UTF_8, Encoding.NFD):
        return _without(text.str.normalize("NFC"), text.str.contains(LOST, literal=True))
    characters = byte_characters(text)
    foreign = ~are_bytes(characters)
    if encoding is Encoding.MOJIBAKE:
        return _read_again(_without(characters, foreign)).str.normalize("NFC")
    table = table_of(encoding)
    decoded = table.decode(characters)
    lost = decoded.str.contains(LOST, literal=True)
    if table.composes:
        lost |= decoded.str.contains(_MARK_LEFT)
    return _without(decoded, foreign | lost)


def _without(text: pl.Series, where: pl.Series) -> pl.Series:
    return text.set(where.fill_null(value=False), None) if where.any() else text


def _read_again(characters: pl.Series) -> pl.Series:
    """Take byte characters as the bytes they are and read these as UTF-8, a whole column at once."""
    unclear = characters.is_null() | characters.str.contains(_SEPARATOR, literal=True)
    present = characters.filter(~unclear)
    if present.is_empty():
        return characters.set(unclear.fill_null(value=True), None)
    joined = _SEPARATOR.join(present.to_list())
    read = joined.encode("latin-1").decode("utf-8", "replace").split(_SEPARATOR)
    values = pl.Series(read, dtype=pl.String)
    values = _without(values, values.str.contains(LOST, literal=True))
    nothing = pl.repeat(None, characters.len(), dtype=pl.String, eager=True)
    return put(nothing, ~unclear.fill_null(value=True), values)


# ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────────


def text_of_bytes(source: pl.Series, encoding: Encoding) -> pl.Series:
    """Return bytes as the text ``convert`` takes: byte characters of an old encoding, else Unicode.

    Null where the bytes are not of the encoding. Bytes of an old encoding that are UTF-8 are texts that a database
    has already taken for Latin-1, and are read so.
    """
    if encoding in _SIXTEEN:
        text = pl.Series(source.name, [_read(each, encoding.value) for each in source], dtype=pl.String)
        return text.str.strip_prefix("\ufeff")
    as_unicode = _utf_8(source)
    if encoding not in LEGACY:
        return as_unicode
    bare = as_unicode.is_null() & source.is_not_null()
    if not bare.any():
        return as_unicode
    characters = [each.decode("latin-1") for each in source.filter(bare)]
    return put(as_unicode, bare, pl.Series(characters, dtype=pl.String))


def _utf_8(source: pl.Series) -> pl.Series:
    """Return bytes as text; null where they are not UTF-8."""
    try:
        return source.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series(source.name, [_read(each, "utf-8") for each in source], dtype=pl.String)


def _read(value: bytes | None, codec: str) -> str | None:
    try:
        return None if value is None else value.decode(codec)
    except UnicodeDecodeError:
        return None


def _of_sixteen(source: pl.Series, text: pl.Series) -> KernelResult:
    outcome = (
        pl.when(source.is_null())
        .then(Outcome.EMPTY.value)
        .when(text.is_null())
        .then(Outcome.REFUSED.value)
        .otherwise(Outcome.CHANGED.value)
    )
    done = pl.select(text.str.normalize("NFC").alias("value"), outcome.cast(pl.UInt8).alias("outcome"))
    return KernelResult(values=done["value"].alias(source.name), outcomes=done["outcome"].alias(source.name))


def bytes_of_escaped(text: pl.Series) -> pl.Series:
    r"""Return the bytes of texts in which bytes that are not UTF-8 were written ``\xNN``.

    So a source hands over a column of a database that does not check its texts (SQL_ASCII). A text that really holds
    a backslash and such letters cannot be told apart: use this only on values marked as damaged.
    """
    return pl.Series(text.name, [None if each is None else _unescaped(each) for each in text], dtype=pl.Binary)


def _unescaped(text: str) -> bytes:
    head, *rest = text.split("\\x")
    return head.encode() + b"".join(
        bytes.fromhex(part[:2]) + part[2:].encode() if _is_byte(part[:2]) else b"\\x" + part.encode() for part in rest
    )


def _is_byte(digits: str) -> bool:
    return len(digits) == 2 and set(digits) <= set("0123456789abcdef") and digits >= "80"  # noqa: PLR2004 - two digits


# ── what nobody can bring back ──────────────────────────────────────────────────────────────────────────────


def lost_letters(text: pl.Series) -> pl.Series:
    """Say which values have letters that became question marks or U+FFFD ("Nguy?n", "Th? Lan").

    A question mark inside or before a word is one; after a word only where the word is no syllable without it, so
    that a question stays a question.
    """
    asked = text.str.contains(r"\?|\x{FFFD}").fill_null(value=False)
    if not asked.any():
        return asked.alias(text.name)
    found = text.filter(asked)
    words = found.str.replace_all("\ufffd", "?", literal=True).str.extract_all(_QUESTION)
    distinct = words.explode(empty_as_null=True, keep_nulls=True).drop_nulls().unique()
    guilty = distinct.filter(pl.Series([_is_lost(word) for word in distinct], dtype=pl.Boolean))
    hit = words.list.eval(pl.element().is_in(guilty.implode())).list.any() | found.str.contains(
        "\ufffd", literal=True
    )
    return put(asked, asked, hit).alias(text.name)


@functools.lru_cache(maxsize=65_536)
def _is_lost(word: str) -> bool:
    before, _, after = word.partition("?")
    if after.strip("?"):
        return True
    return bool(before) and before.lower() not in spellings()
