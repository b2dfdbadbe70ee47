"""The rule language on its edges: one table of expressions, rows and answers that every engine has to give."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from check_samples import evaluate
from lienthong.check.language import parse_predicate, to_polars

EDGES: Final = json.loads((Path(__file__).parent / "language_edges.json").read_text(encoding="utf-8"))
TYPES: Final[dict[str, pl.DataType]] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "date": pl.Date(),
    "decimal(38,2)": pl.Decimal(38, 2),
    "boolean": pl.Boolean(),
}

BY_EXPRESSION: Final[dict[str, list[dict[str, Any]]]] = defaultdict(list)
for _edge in EDGES:
    BY_EXPRESSION[_edge["expression"]].append(_edge)


def value(kind: str, written: Any) -> Any:
    if kind == "date" and written is not None:
        return date.fromisoformat(written)
    if kind.startswith("decimal") and written is not None:
        return Decimal(written)
    return written


def row_of(edge: dict[str, Any]) -> dict[str, Any]:
    return {name: value(kind, edge["row"][name]) for name, kind in edge["columns"].items()}


@pytest.mark.parametrize("expression", BY_EXPRESSION)
def test_polars_gives_the_answers_of_the_table(expression: str) -> None:
    edges = BY_EXPRESSION[expression]
    columns = {name: TYPES[kind] for name, kind in edges[0]["columns"].items()}
    predicate = to_polars(parse_predicate(expression, columns=columns))
    frame = pl.DataFrame([row_of(edge) for edge in edges], schema=columns)
    found = frame.with_columns(predicate.alias("is"))["is"]
    assert found.dtype == pl.Boolean
    assert dict(zip([edge["name"] for edge in edges], found.to_list(), strict=True)) == {
        edge["name"]: edge["expected"] for edge in edges
    }


@pytest.mark.parametrize("expression", BY_EXPRESSION)
def test_the_slow_reading_gives_the_answers_of_the_table(expression: str) -> None:
    edges = BY_EXPRESSION[expression]
    columns = {name: TYPES[kind] for name, kind in edges[0]["columns"].items()}
    tree = parse_predicate(expression, columns=columns).tree
    assert {edge["name"]: evaluate(tree, row_of(edge)) for edge in edges} == {
        edge["name"]: edge["expected"] for edge in edges
    }


def test_the_table_has_every_answer_for_every_kind_of_column() -> None:
    seen = {(kind, edge["expected"]) for edge in EDGES for kind in edge["columns"].values()}
    assert seen == {(kind, answer) for kind in TYPES for answer in (True, False, None)}


def test_each_line_of_the_table_has_its_own_name() -> None:
    names = [edge["name"] for edge in EDGES]
    assert len(set(names)) == len(names)
