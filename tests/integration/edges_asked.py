"""The table of edges of the rule language, and every expression of it asked of every row of its group."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from lienthong.check.language import parse_predicate, to_polars, to_sql

EDGES = json.loads((Path(__file__).parents[1] / "golden" / "language_edges.json").read_text(encoding="utf-8"))
TYPES: dict[str, tuple[pl.DataType, str]] = {
    "text": (pl.String(), 'text COLLATE "C"'),
    "integer": (pl.Int64(), "bigint"),
    "date": (pl.Date(), "date"),
    "decimal(38,2)": (pl.Decimal(38, 2), "numeric(38,2)"),
    "boolean": (pl.Boolean(), "boolean"),
}
PLACE = "_place"


class Group:
    """All edges over the same columns: every expression is asked of every row of the group."""

    def __init__(self, edges: list[dict[str, Any]]) -> None:
        self.edges = edges
        self.kinds: dict[str, str] = edges[0]["columns"]
        self.columns = {name: TYPES[kind][0] for name, kind in self.kinds.items()}
        self.expressions = list(dict.fromkeys(edge["expression"] for edge in edges))
        rows = [[_value(kind, edge["row"][name]) for name, kind in self.kinds.items()] for edge in edges]
        self.frame = pl.DataFrame(rows, schema=self.columns, orient="row").with_row_index(PLACE)

    def predicates(self) -> list[Any]:
        return [parse_predicate(text, columns=self.columns) for text in self.expressions]

    def polars(self) -> pl.DataFrame:
        made = [to_polars(each).alias(str(place)) for place, each in enumerate(self.predicates())]
        return self.frame.with_columns(made).select(str(place) for place in range(len(made)))

    def sql(self, dialect: str) -> list[str]:
        return [to_sql(each, dialect=dialect) for each in self.predicates()]


def _value(kind: str, written: Any) -> Any:
    if written is not None and kind == "date":
        return date.fromisoformat(written)
    return Decimal(written) if written is not None and kind.startswith("decimal") else written


def _groups() -> list[Group]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for edge in EDGES:
        found[json.dumps(edge["columns"])].append(edge)
    return [Group(edges) for edges in found.values()]


GROUPS = _groups()


def wrong(group: Group, answers: pl.DataFrame) -> list[str]:
    """Return the lines whose answer is not the table's, and the crossings that differ from Polars."""
    places = {text: str(place) for place, text in enumerate(group.expressions)}
    told = [
        f"{edge['name']}: {found} instead of {edge['expected']}: {edge['expression']} on {edge['row']}"
        for row, edge in enumerate(group.edges)
        if (found := answers[places[edge["expression"]]][row]) is not edge["expected"]
    ]
    expected = group.polars()
    for text, place in places.items():
        differs = (answers[place].eq_missing(expected[place])).not_()
        told += [f"{text} on {group.edges[row]['row']}: not as Polars" for row in differs.arg_true()]
    return told


def by_spark(session: Any, group: Group) -> pl.DataFrame:
    given = group.frame.with_columns(pl.col(PLACE).cast(pl.Int64)).to_arrow(compat_level=pl.CompatLevel.oldest())
    session.createDataFrame(given).createOrReplaceTempView("given")
    asked = selected(group.sql("spark"), "`")
    answers = pl.DataFrame(session.sql(f"SELECT {PLACE}, {asked} FROM given").toArrow())
    return answers.sort(PLACE).drop(PLACE)


def selected(conditions: list[str], quote: str) -> str:
    return ", ".join(f"{condition} AS {quote}{place}{quote}" for place, condition in enumerate(conditions))
