"""Masked values: enough to recognise a record one owns, too little to learn it."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.check.masking import HIDDEN_CHARACTERS_MAX, SHOWN_CHARACTERS_MAX, mask, mask_text
from lienthong.dictionary.model import Sensitivity

PERSONAL = st.sampled_from([Sensitivity.BASIC_PERSONAL, Sensitivity.SENSITIVE_PERSONAL])
LETTERS = st.characters(exclude_categories=["C"])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Nguyễn Văn An", "N••••• V•• A•"),
        ("NGUYỄN VĂN Ý", "N••••• V•• •"),
        ("079190012345", "079•••••••45"),
        ("0912 345 678", "091•••••••78"),
        ("1990", "••••"),
        ("12345", "1••••"),
        ("12 Lê Lợi, P. 5", "1• L• L••, •. •"),
        ("Ng\u0323oc", "N••••"),
    ],
)
def test_a_basic_personal_value_keeps_a_hint(value: str, shown: str) -> None:
    assert mask_text(value, Sensitivity.BASIC_PERSONAL) == shown


def test_a_sensitive_value_keeps_length_and_shape_only() -> None:
    assert mask_text("HIV dương tính 2024", Sensitivity.SENSITIVE_PERSONAL) == "19 ký tự: A A A 9"


@pytest.mark.parametrize("sensitivity", [Sensitivity.PUBLIC, Sensitivity.INTERNAL])
def test_an_open_value_is_shown_and_cut_to_a_line(sensitivity: Sensitivity) -> None:
    assert mask_text("0100109106", sensitivity) == "0100109106"
    shown = mask_text("x" * 200, sensitivity)
    assert shown is not None
    assert len(shown) == SHOWN_CHARACTERS_MAX
    assert shown.endswith("…")


@given(st.text(alphabet=LETTERS, min_size=1, max_size=HIDDEN_CHARACTERS_MAX), PERSONAL)
def test_of_a_short_personal_value_nothing_is_shown(value: str, sensitivity: Sensitivity) -> None:
    assert mask_text(value, sensitivity) == "•" * len(value)


@given(st.text(alphabet="0123456789", min_size=HIDDEN_CHARACTERS_MAX + 1, max_size=30))
def test_of_a_number_less_than_half_is_shown_or_five_digits(value: str) -> None:
    shown = mask_text(value, Sensitivity.BASIC_PERSONAL)
    assert shown is not None
    assert sum(sign != "•" for sign in shown) <= (1 if len(value) < 9 else 5)


@given(st.text(alphabet="abcdefÝêđ", min_size=2, max_size=30).filter(lambda word: len(word) > HIDDEN_CHARACTERS_MAX))
def test_of_a_word_one_letter_is_shown(word: str) -> None:
    assert mask_text(word, Sensitivity.BASIC_PERSONAL) == word[0] + "•" * (len(word) - 1)


@given(st.lists(st.none() | st.text(max_size=120), max_size=6), st.sampled_from(list(Sensitivity)))
def test_a_column_is_masked_as_its_values_are(values: list[str | None], sensitivity: Sensitivity) -> None:
    column = (
        pl.DataFrame({"v": values}, schema={"v": pl.String}).select(mask(pl.col("v"), sensitivity))["v"].to_list()
    )
    assert column == [mask_text(value, sensitivity) for value in values]


@given(st.text(max_size=50), st.sampled_from(list(Sensitivity)))
def test_no_control_character_reaches_a_page(value: str, sensitivity: Sensitivity) -> None:
    shown = mask_text(value, sensitivity)
    assert shown is not None
    assert not [sign for sign in shown if unicodedata.category(sign) in {"Cc", "Cf"}]


def test_nothing_stays_nothing() -> None:
    assert mask_text(None, Sensitivity.BASIC_PERSONAL) is None
