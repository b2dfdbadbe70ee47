"""The rule language: what is let in means the same as the slow reading of it, what is not is refused by name."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_samples import evaluate
from lienthong.check.language import (
    ColumnUnknown,
    PredicateRefused,
    literal,
    parse_predicate,
    to_polars,
    to_sql,
)
from lienthong.check.widths import pattern_widths

COLUMNS = {
    "a": pl.String(),
    "b": pl.String(),
    "n": pl.Int64(),
    "m": pl.Int64(),
    "d": pl.Date(),
    "v": pl.Decimal(38, 2),
    "ok": pl.Boolean(),
}
with (Path(__file__).parents[1] / "golden" / "check_language.toml").open("rb") as file:
    GOLDEN: dict[str, Any] = tomllib.load(file)
REFUSED = GOLDEN["refused"][0]["expressions"]


def rows_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: Decimal(row[name]) if name == "v" and name in row else row.get(name) for name in COLUMNS}
        for row in case["rows"]
    ]


def run(text: str, rows: list[dict[str, Any]]) -> list[bool | None]:
    frame = pl.DataFrame(rows, schema=COLUMNS)
    return frame.select(to_polars(parse_predicate(text, columns=COLUMNS)).alias("is"))["is"].to_list()


@pytest.mark.parametrize("case", GOLDEN["case"], ids=lambda case: case["expression"])
def test_edges_of_the_language_on_polars(case: dict[str, Any]) -> None:
    expected = [None if row["is"] == "unknown" else row["is"] for row in case["rows"]]
    assert run(case["expression"], rows_of(case)) == expected


@pytest.mark.parametrize("case", GOLDEN["case"], ids=lambda case: case["expression"])
def test_edges_of_the_language_read_the_slow_way(case: dict[str, Any]) -> None:
    tree = parse_predicate(case["expression"], columns=COLUMNS).tree
    expected = [None if row["is"] == "unknown" else row["is"] for row in case["rows"]]
    assert [evaluate(tree, row) for row in rows_of(case)] == expected


@pytest.mark.parametrize("text", REFUSED)
def test_what_engines_read_differently_is_refused(text: str) -> None:
    with pytest.raises(PredicateRefused) as refusal:
        parse_predicate(text, columns=COLUMNS)
    assert refusal.value.code == "CHK-001"


def test_a_refusal_names_the_node() -> None:
    with pytest.raises(PredicateRefused, match="LOWER"):
        parse_predicate("lower(a) = 'x'", columns=COLUMNS)


def test_an_unknown_column_is_refused_by_name() -> None:
    with pytest.raises(ColumnUnknown, match="ngay_mai") as refusal:
        parse_predicate("ngay_mai IS NULL", columns=COLUMNS)
    assert refusal.value.code == "CHK-002"


def test_a_predicate_too_deep_to_read_is_refused() -> None:
    with pytest.raises(PredicateRefused):
        parse_predicate("(" * 9_000 + "ok" + ")" * 9_000, columns=COLUMNS)


def test_a_predicate_knows_which_columns_it_reads() -> None:
    assert parse_predicate("a = 'b' AND n > 0 OR a IS NULL", columns=COLUMNS).columns == ("a", "n")


def test_other_engines_get_their_own_spelling() -> None:
    predicate = parse_predicate("regexp_like(a, '^[0-9]{2}$') AND substr(b, 1, 2) = 'x'", columns=COLUMNS)
    assert to_sql(predicate, dialect="postgres") == (
        "(\"a\" ~ '^[0-9]{2}$') AND (SUBSTRING(\"b\" FROM 1 FOR 2) = 'x')"
    )
    assert to_sql(predicate, dialect="duckdb").startswith("(REGEXP_MATCHES(\"a\", '^[0-9]{2}$'))")
    assert to_sql(predicate, dialect="spark").startswith("(`a` RLIKE '^[0-9]{2}\\\\z')")


@given(st.text(alphabet=st.characters(exclude_categories=["C"])))
def test_a_literal_means_its_text(text: str) -> None:
    assert run(f"a = {literal(text)}", [{"a": text}, {"a": text + "'"}]) == [True, False]


TEXTS = st.sampled_from(["", "x", "07", "2026", "2026-03", "Đễ", "a?b", "it's", "12345"])
LEAVES = st.sampled_from(
    [
        "ok",
        "a IS NULL",
        "a = 'x'",
        "a <> b",
        "a IN ('x', '07')",
        "b NOT IN ('Đễ')",
        "length(a) > 2",
        "substr(a, 1, 2) = '07'",
        "starts_with(b, 'x')",
        "a LIKE '%?%'",
        "regexp_like(a, '^[0-9]{1,4}$')",
        "CASE WHEN regexp_like(a, '^[0-9]{1,5}$') THEN TRY_CAST(a AS BIGINT) > n ELSE ok END",
        "n + m * 2 > 3",
        "n % 3 = m",
        "n BETWEEN -1 AND m",
        "d < DATE '2000-01-01'",
        "EXTRACT(YEAR FROM d) > n",
        "v <= CAST('1.25' AS DECIMAL(38, 2))",
        "a <= substr(CAST(d AS VARCHAR), 1, length(a))",
    ]
)
PREDICATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" AND ".join).map("({})".format),
        st.tuples(inner, inner).map(" OR ".join).map("({})".format),
        st.tuples(inner, inner).map(" OR ".join),
        inner.map("NOT ({})".format),
        st.tuples(inner, inner, inner).map(lambda three: "CASE WHEN {} THEN {} ELSE {} END".format(*three)),
    ),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries(
    {
        "a": st.none() | TEXTS,
        "b": st.none() | TEXTS,
        "n": st.none() | st.integers(-9, 9),
        "m": st.none() | st.integers(1, 9),
        "d": st.none() | st.dates(date(1890, 1, 1), date(2030, 1, 1)),
        "v": st.none() | st.decimals(-9, 9, places=2),
        "ok": st.none() | st.booleans(),
    }
)


@given(PREDICATES, st.lists(ROWS, min_size=1, max_size=8))
def test_polars_agrees_with_the_slow_reading(text: str, rows: list[dict[str, Any]]) -> None:
    tree = parse_predicate(text, columns=COLUMNS).tree
    assert run(text, rows) == [evaluate(tree, row) for row in rows]


@pytest.mark.parametrize(
    ("pattern", "widths"),
    [
        ("^[0-9]{12}$", (12, 12)),
        ("^[0-9]{10}(-[0-9]{3})?$", (10, 14)),
        ("^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$", (4, 10)),
        ("^[A-Z0-9]{1,35}(\\.[A-Z0-9]{1,35}){0,17}$", (1, 35 + 17 * 36)),
        ("^(a|bc|[\\]x]{2,3}d)$", (1, 4)),
        ("^$", (0, 0)),
    ],
)
def test_a_pattern_says_how_long_its_texts_are(pattern: str, widths: tuple[int, int]) -> None:
    assert pattern_widths(pattern) == widths
