from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.keys import KEY_RANDOM_BYTES, fingerprint, make_key, matches, parse_key

randoms = st.binary(min_size=KEY_RANDOM_BYTES, max_size=KEY_RANDOM_BYTES)


@given(randoms)
def test_every_key_reads_back_as_a_key_and_fits_in_a_header_and_an_address(random: bytes) -> None:
    key = make_key(random)
    assert key.startswith("lt_")
    assert parse_key(key) == key
    assert key.replace("_", "").replace("-", "").isalnum()


@given(randoms, randoms)
def test_a_fingerprint_is_of_one_key_only(one: bytes, other: bytes) -> None:
    assert matches(make_key(one), fingerprint(make_key(other))) == (one == other)


def test_a_fingerprint_does_not_hold_the_key() -> None:
    key = make_key(bytes(range(32)))
    assert key.encode() not in fingerprint(key)
    assert bytes(range(32)) not in fingerprint(key)


@pytest.mark.parametrize("random", [b"", bytes(31), bytes(33)])
def test_a_key_is_not_made_from_less_chance_than_promised(random: bytes) -> None:
    with pytest.raises(AssertionError):
        make_key(random)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lt_",
        "lt_" + "A" * 42,
        "lt_" + "A" * 44,
        "xx_" + "A" * 43,
        "lt_" + "A" * 42 + "é",
        "lt_" + "A" * 43 + "\n",
        " lt_" + "A" * 43,
    ],
)
def test_a_text_of_another_shape_is_no_key(text: str) -> None:
    assert parse_key(text) is None
