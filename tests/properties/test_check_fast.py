"""Every quicker spelling of a predicate gives what the plain one gives, on any rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.check.language import parse_predicate, to_polars
from lienthong.check.language_fast import Rewriter
from lienthong.check.masking import DIVIDED_FROM_TEXTS, mask, masked
from lienthong.dictionary.model import Sensitivity

COLUMNS = {"a": pl.String(), "b": pl.String(), "n": pl.Int64(), "d": pl.Date()}
TEN = "regexp_like(a, '^[0-9]{10}$')"
DIGIT = "TRY_CAST(substr(a, {}, 1) AS BIGINT)"
PREDICATES = (
    "a IN ('x', 'Đ', '')",
    "NOT a IN ('x', 'Đ')",
    "a NOT IN ('0', '1')",
    "(a IN ('x', 'y')) = (b IN ('x', 'y'))",
    "n IN (1, 2)",
    "substr(a, 2, 3) = substr(b, 1, 3)",
    "substr(a, 4, 1) IN ('0', '2', '4', '6', '8')",
    "substr(CAST(d AS VARCHAR), 1, 4) = a",
    "a <= substr(CAST(d AS VARCHAR), 1, length(a))",
    "CAST(d AS VARCHAR) = a",
    f"CASE WHEN {TEN} THEN {DIGIT.format(1)} + 2 * {DIGIT.format(5)} > {DIGIT.format(10)} END",
    f"{TEN} AND (b = 'x' OR CASE WHEN {TEN} THEN {DIGIT.format(4)} = 3 ELSE b IS NULL END)",
    f"CASE WHEN {TEN} AND b IS NOT NULL THEN 10 - ({DIGIT.format(2)} * 31) % 11 = {DIGIT.format(10)} ELSE FALSE END",
    "CASE WHEN regexp_like(a, '^[0-9]{10}(-[0-9]{3})?$') THEN TRY_CAST(substr(a, 3, 4) AS BIGINT) > 55 END",
    "CASE WHEN regexp_like(a, '^[0-9]{10}(-[0-9]{3})?$') THEN TRY_CAST(substr(a, 9, 2) AS BIGINT) > 5 END",
    "CASE WHEN regexp_like(a, '^[0-9]{12}$') THEN TRY_CAST(substr(a, 5, 2) AS BIGINT) > n END",
    "CASE WHEN regexp_like(b, '^[0-9]{12}$') THEN TRY_CAST(substr(b, 1, 12) AS BIGINT) > n END",
    "CASE WHEN regexp_like(a, '^[0-9]{1,5}$') THEN TRY_CAST(a AS BIGINT) > 12 END",
)
DIGITS = st.text("0123456789", min_size=8, max_size=14)
TEXT = (
    st.none()
    | DIGITS
    | st.sampled_from(
        [
            "x",
            "Đ",
            "",
            "0123456789-001",
            "1990-07-03",
            "٣" * 10,
            "+123456789",
            "123456789\n",
            "-123456789",
            " 123456789",
            "1_23456789",
        ]
    )
)
ROW = st.tuples(TEXT, TEXT, st.none() | st.integers(-3, 99), st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)))


def both(text: str, rows: list[tuple[Any, ...]]) -> tuple[pl.Series, pl.Series]:
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    predicate = parse_predicate(text, columns=COLUMNS)
    rewriter = Rewriter()
    rewriter.rewritten(predicate)
    quick = rewriter.rewritten(predicate)
    ready = rewriter.prepared().add(frame)
    return frame.select(to_polars(predicate).alias("x")).to_series(), ready.select(quick.alias("x")).to_series()


@pytest.mark.parametrize("text", PREDICATES)
@settings(deadline=None, max_examples=60)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_a_quicker_predicate_means_the_same(text: str, rows: list[tuple[Any, ...]]) -> None:
    plain, quick = both(text, rows)
    assert quick.to_list() == plain.to_list()


def test_digits_are_taken_out_of_a_number_only_behind_a_pattern_that_promises_them() -> None:
    def prepared(text: str) -> Any:
        rewriter = Rewriter()
        rewriter.rewritten(parse_predicate(text, columns=COLUMNS))
        return rewriter.prepared()

    part = DIGIT.format(3)
    assert prepared(f"CASE WHEN {TEN} THEN {part} = 1 END").parts == (("a", 10, 3, 1),)
    for told in (
        f"CASE WHEN {TEN} OR b = 'x' THEN {part} = 1 END",
        f"CASE WHEN NOT {TEN} THEN {part} = 1 END",
        f"CASE WHEN regexp_like(b, '^[0-9]{{10}}$') AND regexp_like(a, '^[A-Z0-9]{{10}}$') THEN {part} = 1 END",
        f"CASE WHEN regexp_like(a, '^[0-9]{{2}}[A-Z]{{8}}$') THEN {part} = 1 END",
    ):
        try:
            found = prepared(told)
        except Exception as refusal:  # noqa: BLE001 - the language may refuse it altogether
            assert type(refusal).__name__ == "PredicateRefused"  # noqa: PT017
        else:
            assert found.parts == ()


@settings(deadline=None, max_examples=100)
@given(
    texts=st.lists(
        st.none() | st.text(max_size=100) | DIGITS | st.sampled_from(["Nguyễn Văn A", "1990-01-01"]), max_size=9
    )
)
@pytest.mark.parametrize("sensitivity", list(Sensitivity))
def test_masking_many_is_masking_each(texts: list[str | None], sensitivity: Sensitivity) -> None:
    series = pl.Series("text", texts, dtype=pl.String)
    many = pl.concat([series] * -(-DIVIDED_FROM_TEXTS // max(1, series.len())))
    for given_texts in (series, many):
        plain = given_texts.to_frame().select(mask(pl.col("text"), sensitivity)).to_series()
        assert masked(given_texts, sensitivity).to_list() == plain.to_list()
