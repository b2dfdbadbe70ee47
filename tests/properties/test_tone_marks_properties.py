"""Laws of tone marks and matching keys."""

from __future__ import annotations

from unicodedata import normalize

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.standardise.encodings.syllables import parse, spellings
from lienthong.standardise.tone_marks import ToneStyle, matching_key, place

SYLLABLES = sorted(spellings())
words = st.sampled_from(SYLLABLES).flatmap(lambda word: st.sampled_from([word, word.title(), word.upper()]))
texts = st.lists(st.one_of(words, st.text(max_size=6)), max_size=5).map(" ".join)
columns = st.lists(st.one_of(st.none(), texts), max_size=5).map(
    lambda values: pl.Series("c", values, dtype=pl.String)
)
law = settings(deadline=None, max_examples=60)  # no timed assertions
each_style = pytest.mark.parametrize("style", list(ToneStyle))


@each_style
@law
@given(column=columns)
def test_placing_is_idempotent_and_the_last_style_wins(style, column):
    once = place(column, style)
    assert place(once, style).equals(once)
    for other in ToneStyle:
        assert place(place(column, other), style).equals(once)


@each_style
@law
@given(column=columns)
def test_composed_and_decomposed_texts_are_placed_alike(style, column):
    assert place(column.str.normalize("NFD"), style).equals(place(column.str.normalize("NFC"), style))


@each_style
@law
@given(text=words)
def test_a_syllable_stays_the_same_syllable(style, text):
    moved = place(pl.Series([text]), style)[0]
    assert parse(moved) == parse(text)
    assert moved.lower() in spellings()


@each_style
@law
@given(column=columns)
def test_letters_without_marks_and_lengths_stay(style, column):
    def bare(text):
        return (
            None
            if text is None
            else "".join(each for each in normalize("NFD", text) if each not in "\u0300\u0301\u0303\u0309\u0323")
        )

    assert [bare(text) for text in place(column, style)] == [bare(text) for text in column.str.normalize("NFC")]


@law
@given(column=columns)
def test_a_key_is_its_own_key_and_the_same_for_all_spellings(column):
    key = matching_key(column)
    assert matching_key(key).equals(key)
    for style in ToneStyle:
        assert matching_key(place(column, style)).equals(key)
    assert matching_key(column.str.normalize("NFD")).equals(key)
