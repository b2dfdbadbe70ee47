"""Patterns that would explode are refused, and a pattern says which signs stand where."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.dictionary.pattern_shape import DIGITS, OTHER, cost_fault, signs_between
from lienthong.dictionary.patterns import pattern_fault


@pytest.mark.parametrize(
    "pattern",
    [
        "^([a-z]{1,50}){1,50}$",
        "^([a-z]{1,50}){2}([a-z]{1,50}){2}$",
        "^(a|ab|b){1,20}$",
        "^(a?){0,50}$",
        "^(a?b?){1,20}$",
        "^([0-9]{1,3}-?){1,30}$",
        "^[a-z]{0,255}[a-z]{0,255}[a-z]{0,255}$",
        "^([^ ]{1,50}x){1,50}$",
    ],
)
def test_a_pattern_with_too_many_ways_is_refused(pattern: str) -> None:
    assert "too many ways" in (pattern_fault(pattern) or "")


@pytest.mark.parametrize("pattern", ["^(([0-9]{200}){200}){200}$", "^([0-9]{255}){16}$"])
def test_a_pattern_that_unfolds_without_measure_is_refused(pattern: str) -> None:
    assert "unfolds" in (pattern_fault(pattern) or "")


@pytest.mark.parametrize(
    "pattern",
    [
        "^[0-9]{12}$",
        "^$",
        "^[A-Z0-9]{1,35}(\\.[A-Z0-9]{1,35}){0,17}$",
        "^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$",
        "^([0-9]{10}(-[0-9]{3})?|[0-9]{12})$",
        "^([a-z]{1,50},){1,50}$",
        "^[^@]{1,64}@[^@]{1,190}$",
        "^[a-z]{0,255}[a-z]{0,20}$",
        "^(ab|cd){1,50}$",
    ],
)
def test_a_pattern_whose_next_sign_decides_is_let_in(pattern: str) -> None:
    assert pattern_fault(pattern) is None


def test_where_a_pattern_has_digits_is_known() -> None:
    tax = "^[0-9]{10}(-[0-9]{3})?$"
    assert signs_between(tax, 10, 1) == (DIGITS, False)
    assert signs_between(tax, 10, 2) == (DIGITS | {ord("-")}, False)
    assert signs_between(tax, 12, 3)[0] == DIGITS
    assert signs_between(tax, 12, 3)[1]  # a text may end before
    assert signs_between("^[^0-9]$", 1, 1)[0] >= {OTHER}


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", "[0-9]", "-", "\\."]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda ways: f"({'|'.join(ways)})"),
        st.tuples(inner, st.integers(0, 2), st.integers(0, 2)).map(
            lambda each: f"({each[0]}){{{each[1]},{each[1] + each[2]}}}"
        ),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text(alphabet="ab0-.é", max_size=8))
def test_no_matching_text_has_another_sign_than_the_pattern_says(body: str, text: str) -> None:
    pattern = f"^{body}$"
    if pattern_fault(pattern) is not None or re.fullmatch(body, text) is None:
        return
    for place, sign in enumerate(text, start=1):
        signs, _ = signs_between(pattern, place, 1)
        assert (ord(sign) if sign.isascii() else OTHER) in signs
    assert signs_between(pattern, len(text) + 1, 1)[1]


@given(PATTERNS)
def test_the_cost_of_a_pattern_is_always_found(body: str) -> None:
    fault = cost_fault(f"^{body}$")
    assert fault is None or "ways" in fault or "unfolds" in fault
