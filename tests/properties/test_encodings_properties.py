"""Laws of the old encodings."""

from __future__ import annotations

from unicodedata import is_normalized, normalize

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.standardise.batch import Outcome
from lienthong.standardise.encodings.convert import bytes_of_escaped, convert, decode, lost_letters
from lienthong.standardise.encodings.detect import detect, propose_encoding
from lienthong.standardise.encodings.recase import recase
from lienthong.standardise.encodings.syllables import is_syllable, spellings
from lienthong.standardise.encodings.tables import LEGACY, Encoding
from lienthong.testing.legacy_text import as_windows, spell

TEXTUAL = [each for each in Encoding if not each.value.startswith("utf-16")]
SYLLABLES = sorted(spellings())

anything = st.lists(st.one_of(st.none(), st.text(max_size=15)), max_size=6)
byte_texts = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=12)
words = st.sampled_from(SYLLABLES).flatmap(lambda word: st.sampled_from([word, word.title(), word.upper()]))
texts = st.lists(words, min_size=1, max_size=5).map(" ".join)
law = settings(deadline=None, max_examples=60)  # no timed assertions
each_text_encoding = pytest.mark.parametrize("encoding", TEXTUAL)


def column(values) -> pl.Series:
    return pl.Series("c", values, dtype=pl.String)


@each_text_encoding
@law
@given(values=anything)
def test_every_value_has_an_outcome_and_a_value_where_the_outcome_says_so(encoding, values):
    done = convert(column(values), encoding)
    for value, after, outcome in zip(values, done.values, done.outcomes, strict=True):
        assert (after is None) == (outcome >= Outcome.AMBIGUOUS)
        assert (value is None) == (outcome == Outcome.EMPTY)
        if outcome != Outcome.EMPTY:
            assert outcome in (Outcome.REFUSED, Outcome.AMBIGUOUS) or (outcome == Outcome.UNCHANGED) == (
                after == value
            )
        if outcome == Outcome.CHANGED:
            assert is_normalized("NFC", after)


@each_text_encoding
@law
@given(values=st.lists(st.one_of(texts, byte_texts), max_size=5))
def test_a_value_comes_out_the_same_alone_and_in_any_company(encoding, values):
    together = convert(column(values), encoding)
    alone = [convert(column([value]), encoding) for value in values]
    assert together.values.to_list() == [done.values[0] for done in alone]
    assert together.outcomes.to_list() == [done.outcomes[0] for done in alone]


@pytest.mark.parametrize("encoding", [*LEGACY, Encoding.MOJIBAKE])
@law
@given(text=texts)
def test_what_was_spelled_in_an_encoding_is_read_back_or_not_at_all(encoding, text):
    spelled = spell(text, encoding)
    done = convert(column([spelled, as_windows(spelled)]), encoding)
    for read in done.values:
        assert read is None or read == text or (encoding is Encoding.TCVN3 and read.lower() == text.lower())


@pytest.mark.parametrize("encoding", LEGACY)
@law
@given(text=byte_texts)
def test_bytes_and_their_characters_are_read_alike(encoding, text):
    raw = text.encode("latin-1")
    try:
        raw.decode()
    except UnicodeDecodeError:
        from_bytes = convert(pl.Series("c", [raw]), encoding)
        assert from_bytes.values.equals(convert(column([text]), encoding).values, null_equal=True)


@each_text_encoding
@law
@given(values=anything)
def test_decoding_gives_one_reading_or_none_for_each_text(encoding, values):
    assert decode(column(values), encoding).len() == len(values)


@law
@given(values=anything)
def test_recasing_changes_letter_case_only_and_once(values):
    first = recase(column(values))
    assert recase(first).equals(first)
    for before, after in zip(values, first, strict=True):
        assert (before is None and after is None) or before.casefold() == after.casefold()


@law
@given(values=anything)
def test_any_column_can_be_asked(values):
    found = detect(column(values))
    assert 0 <= found.confidence <= 1
    assert found.lost == lost_letters(column(values)).sum()
    proposed = propose_encoding(column(values))
    assert proposed is None or proposed in {each.value for each in TEXTUAL}


@law
@given(values=st.lists(st.one_of(st.none(), st.binary(max_size=12)), max_size=6))
def test_any_column_of_bytes_can_be_asked_and_read(values):
    raw = pl.Series("c", values, dtype=pl.Binary)
    found = detect(raw)
    if found.encoding is not None:
        assert convert(raw, found.encoding).values.len() == len(values)


@law
@given(word=st.one_of(words, st.text(max_size=8)))
def test_composed_and_decomposed_words_are_the_same_syllable(word):
    assert is_syllable(normalize("NFC", word)) == is_syllable(normalize("NFD", word))


@law
@given(raw=st.binary(max_size=20).filter(lambda raw: b"\\x" not in raw))
def test_bytes_survive_their_escapes(raw):
    escaped = raw.decode("utf-8", "backslashreplace")
    assert bytes_of_escaped(column([escaped])).to_list() == [raw]
