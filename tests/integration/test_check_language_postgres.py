"""The rule language on PostgreSQL gives what it gives on Polars."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from check_samples import DOMAINS, GOOD_ROW, batch, sample_dataset, sample_dictionary
from lienthong.check.columns import known_columns
from lienthong.check.facts import row_columns
from lienthong.check.language import parse_predicate, to_polars, to_sql
from lienthong.check.rule_set import derive_rules

TYPES = {"a": "text", "b": "text", "n": "bigint", "m": "bigint", "d": "date", "v": "numeric(38,2)", "ok": "boolean"}
COLUMNS = {
    "a": pl.String(),
    "b": pl.String(),
    "n": pl.Int64(),
    "m": pl.Int64(),
    "d": pl.Date(),
    "v": pl.Decimal(38, 2),
    "ok": pl.Boolean(),
}


def test_edges_of_the_language_on_postgresql(make_database: Callable[..., Any]) -> None:
    with (Path(__file__).parents[1] / "golden" / "check_language.toml").open("rb") as file:
        cases = tomllib.load(file)["case"]
    given = ", ".join(f"%({name})s::{kind} AS {name}" for name, kind in TYPES.items())
    with psycopg.connect(make_database().url) as connection:
        for case in cases:
            condition = to_sql(parse_predicate(case["expression"], columns=COLUMNS), dialect="postgres")
            for row in case["rows"]:
                values = {
                    name: Decimal(row[name]) if name == "v" and name in row else row.get(name) for name in TYPES
                }
                query = f"SELECT {condition.replace('%', '%%')} FROM (SELECT {given}) t"
                found = connection.execute(query.encode(), values).fetchone()
                assert found is not None
                assert ("unknown" if found[0] is None else found[0]) == row["is"], (case["expression"], row)


def test_every_derived_rule_runs_on_postgresql_with_the_same_answer(make_database: Callable[..., Any]) -> None:
    dictionary, dataset = sample_dictionary(), sample_dataset()
    columns = known_columns(dictionary, dataset)
    rows = [GOOD_ROW, dict.fromkeys(GOOD_ROW), {**GOOD_ROW, "gioi_tinh": "1", "ma_so_thue": "0100109107"}]
    frame = row_columns(batch(dictionary, dataset, rows), record_date="ngay_lap", oversized=None)
    known = {name for name in frame.columns if frame[name].dtype != pl.List}
    compared = 0
    with psycopg.connect(make_database().url) as connection:
        for rule in derive_rules(dictionary, dataset).rules:
            for text in (rule.when, rule.check):
                predicate = parse_predicate(text, columns=columns) if rule.over is None else None
                if predicate is None or not set(predicate.columns) <= known:
                    continue
                expected = frame.select(pl.repeat(True, pl.len()).alias("one"), to_polars(predicate).alias("is"))
                given = ", ".join(f"%({name})s::{_kind(frame[name].dtype)} AS {name}" for name in predicate.columns)
                query = f"SELECT {to_sql(predicate, dialect='postgres').replace('%', '%%')} FROM (SELECT {given or '1'}) t"
                for row, wanted in zip(frame.to_dicts(), expected["is"].to_list(), strict=True):
                    found = connection.execute(
                        query.encode(), {name: row[name] for name in predicate.columns}
                    ).fetchone()
                    assert found == (wanted,), rule.name
                    compared += 1
    assert compared > len(DOMAINS)


def _kind(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Decimal):
        return "numeric(38,2)"
    return {pl.String: "text", pl.Date: "date", pl.Boolean: "boolean", pl.UInt8: "smallint", pl.Int64: "bigint"}[
        dtype.base_type()
    ]
