"""A pattern is said in words where words are clearer, and left alone where they are not."""

from __future__ import annotations

import pytest

from lienthong.dictionary.load import load
from lienthong.dictionary.pattern_words import WORDS_CHARACTERS_MAX, pattern_in_words
from lienthong.dictionary.shipped import shipped_folder


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("^[0-9]{12}$", "12 chữ số"),
        ("^[0-9]{4,5}$", "4 đến 5 chữ số"),
        ("^[A-Z]{2}[1-5][0-9]{12}$", "2 chữ in hoa, rồi 1 chữ số từ 1 đến 5, rồi 12 chữ số"),
        ("^[0-9]{10}(-[0-9]{3})?$", "10 chữ số, rồi có thể thêm (dấu “-”, rồi 3 chữ số)"),
        (r"^[0-9]\.[0-9]{6}$", "1 chữ số, rồi dấu “.”, rồi 6 chữ số"),
        ("^(NAM|NU)$", "(“NAM” hoặc “NU”)"),
        ("^a?b{2}$", "có thể có 1 “a”, rồi 2 “b”"),
        ("^w[367k]$", "“w”, rồi 1 ký tự trong [367k]"),
        ("^$", "không có gì"),
    ],
)
def test_a_simple_pattern_is_said_in_words(pattern: str, words: str) -> None:
    assert pattern_in_words(pattern) == words


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a(b(c)?)?)?$",
        "^(aa|bb|cc|dd|ee|ff|gg|hh|ii|jj|kk|ll|mm|nn|oo|pp|qq|rr|ss|tt|uu|vv|ww|xx|yy|zz)$",
        "[0-9]",
        "^a+$",
        "",
    ],
)
def test_a_tangled_or_foreign_pattern_is_left_as_it_is(pattern: str) -> None:
    assert pattern_in_words(pattern) is None


def test_every_shipped_pattern_is_said_or_left_alone_without_fault() -> None:
    patterns = {one.pattern for one in load(shipped_folder("dictionary")).domains.values() if one.pattern is not None}
    said = [words for pattern in patterns if (words := pattern_in_words(pattern)) is not None]
    assert said
    assert all(len(words) <= WORDS_CHARACTERS_MAX for words in said)
