"""Every declared rule about one row gives its examples the same answer on DuckDB and PostgreSQL as on Polars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import psycopg

from check_samples import SOURCE_TIME, batch
from lienthong.check.columns import known_columns
from lienthong.check.declared import bind
from lienthong.check.facts import row_columns
from lienthong.check.language import Predicate, parse_predicate, to_polars, to_sql
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId

DICTIONARY = load(Path(__file__).resolve().parents[2] / "dictionary")
KINDS = {pl.String: "text", pl.Date: "date", pl.Boolean: "boolean", pl.UInt8: "smallint", pl.Int64: "bigint"}


def asked() -> Iterator[tuple[str, Predicate, dict[str, Any], bool | None]]:
    """Yield each predicate with the row of an example and the answer of Polars."""
    for rule in DICTIONARY.rules:
        for example in rule.examples if rule.over is None else ():
            name = DatasetId(example.dataset or rule.datasets[0])
            dataset, bound = DICTIONARY.datasets[name], bind(DICTIONARY, rule, name)
            columns = known_columns(DICTIONARY, dataset)
            row = {each: Decimal(v) if columns[each].is_decimal() else v for each, v in example.values.items()}
            day = example.source_day
            moment = SOURCE_TIME if day is None else datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
            records = batch(DICTIONARY, dataset, [row], times=[moment])
            date = None if dataset.record_date is None else DICTIONARY.elements[dataset.record_date].technical_name
            frame = row_columns(records, record_date=date, oversized=None, measured_day=example.measured_day)
            for text in (bound.when, bound.check):
                predicate = parse_predicate(text, columns=columns)
                answer = frame.with_columns(to_polars(predicate).alias("is"))["is"][0]
                yield f"{rule.code}: {example.name}", predicate, frame.row(0, named=True), answer


CASES = list(asked())


def test_examples_are_judged_alike_by_duckdb() -> None:
    wrong = []
    with duckdb.connect() as connection:
        for name, predicate, row, expected in CASES:
            given = ", ".join(f'CAST(? AS {_kind(predicate, column)}) AS "{column}"' for column in predicate.columns)
            query = f"SELECT {to_sql(predicate, dialect='duckdb')} FROM (SELECT {given or '1'}) t"
            found = connection.execute(query, [row[column] for column in predicate.columns]).fetchone()
            wrong += [] if found == (expected,) else [(name, predicate.text)]
    assert wrong == []


def test_examples_are_judged_alike_by_postgresql(make_database: Callable[..., Any]) -> None:
    wrong = []
    with psycopg.connect(make_database().url) as connection:
        for name, predicate, row, expected in CASES:
            given = ", ".join(f'%s::{_kind(predicate, column)} AS "{column}"' for column in predicate.columns)
            condition = to_sql(predicate, dialect="postgres").replace("%", "%%")
            query = f"SELECT {condition} FROM (SELECT {given or '1'}) t"
            found = connection.execute(query.encode(), [row[column] for column in predicate.columns]).fetchone()
            wrong += [] if found == (expected,) else [(name, predicate.text)]
    assert wrong == []


def _kind(predicate: Predicate, column: str) -> str:
    dtype = predicate.kinds[column]
    return f"numeric(38,{dtype.scale})" if isinstance(dtype, pl.Decimal) else KINDS[dtype.base_type()]
