"""Which words are Vietnamese syllables."""

from __future__ import annotations

from unicodedata import normalize

import polars as pl
import pytest

from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.encodings.syllables import ONSETS, RHYMES, are_syllables, is_syllable, parse, spellings
from lienthong.standardise.encodings.words import known_words

RIGHT = (
    "Nguyễn Thị Thúy Thuý Hòa Hoà Quỳnh quốc Ý yến Giềng gì gìn giếng nghiêng khuỷu thuở khoeo xoong moóc ỡm ờ Kạn kẻ "
    "ghế ngô ngành nghề quyển quyết huýt khuya uyên oanh ĐƯỜNG PHƯỜNG Ấp uỷ ủy Kỳ quý già"
)
WRONG = (
    "Đăk Krông Ngọk Búk H'Leo Nguyôn V¨n nguyễnn cế ngê gê cyễn quuân hòan qúy Nguyễ́n nguYễn NGuyễn ngữc cat ôc "
    "yêu1 giì quoa"
)


@pytest.mark.parametrize("word", RIGHT.split())
def test_a_word_that_the_spelling_rules_allow_is_a_syllable(word):
    assert is_syllable(word)
    assert is_syllable(normalize("NFD", word))


@pytest.mark.parametrize("word", ["", *WRONG.split()])
def test_a_word_that_the_spelling_rules_forbid_is_none(word):
    assert not is_syllable(word)


def test_the_grammar_has_the_onsets_rhymes_and_tones_it_says():
    assert (len(set(ONSETS)), len(set(RHYMES))) == (27, 164)
    assert all(
        len([mark for mark in normalize("NFD", word) if mark in "\u0300\u0301\u0303\u0309\u0323"]) < 2
        for word in spellings()
    )


def test_a_rhyme_that_ends_in_a_stop_takes_two_tones_only():
    assert [is_syllable(word) for word in ("mát", "mạt", "mat", "màt", "mảt", "mãt")] == [True, True] + [False] * 4


def test_a_column_is_judged_like_its_words():
    words = [*RIGHT.split(), *WRONG.split(), None]
    judged = are_syllables(pl.Series(words, dtype=pl.String)).to_list()
    assert judged == [word is not None and is_syllable(word) for word in words]


def test_letter_case_can_be_forgiven():
    assert are_syllables(pl.Series(["NGUYễN", "nguYễn"]), any_case=True).all()


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("hòan", ("h", "oan", "\u0300")),
        ("qúy", ("qu", "y", "\u0301")),
        ("Gìa", ("gi", "a", "\u0300")),
        ("gì", ("gi", "", "\u0300")),
    ],
)
def test_a_word_is_taken_apart_wherever_its_mark_stands(word, parts):
    found = parse(word)
    assert found is not None
    assert (found.onset, found.rhyme, found.tone) == parts


@pytest.mark.parametrize("word", ["krông", "ma\u0300\u0301", "", "tet", "x1"])
def test_what_is_no_syllable_is_not_taken_apart(word):
    assert parse(word) is None


def test_the_grammar_accepts_nearly_all_words_of_official_names():
    names = pl.read_csv(shipped_folder("dictionary") / "codelists" / "don-vi-hanh-chinh-xa.csv", infer_schema=False)
    words = names["label_vi"].str.normalize("NFC").str.extract_all(r"\p{L}+").explode(empty_as_null=True)
    assert are_syllables(words).mean() > 0.98


def test_known_words_are_small_letters_in_nfc_with_a_mark_and_legal_most_often():
    known = known_words()
    assert all(word == normalize("NFC", word).lower() and not word.isascii() for word in known)
    assert sum(is_syllable(word) for word in known) > 0.9 * len(known)
