"""The rule language on its edges gives on every engine what its table says, and everywhere else the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import polars as pl
import psycopg
import pytest
from edges_asked import GROUPS, PLACE, TYPES, Group, by_spark, selected, wrong
from spark_opened import NOISE, Require, sail


def test_polars_is_total_on_the_edges() -> None:
    assert [told for group in GROUPS for told in wrong(group, group.polars())] == []


def test_duckdb_gives_the_answers_of_the_table() -> None:
    def answer(group: Group) -> pl.DataFrame:
        with duckdb.connect() as connection:
            connection.register("given", group.frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
            asked = selected(group.sql("duckdb"), '"')
            return pl.DataFrame(connection.sql(f"SELECT {asked} FROM given ORDER BY {PLACE}").to_arrow_table())

    assert [told for group in GROUPS for told in wrong(group, answer(group))] == []


def test_postgresql_gives_the_answers_of_the_table(make_database: Callable[..., Any]) -> None:
    def answer(connection: psycopg.Connection[Any], group: Group) -> pl.DataFrame:
        columns = ", ".join(f'"{name}" {TYPES[kind][1]}' for name, kind in group.kinds.items())
        connection.execute("DROP TABLE IF EXISTS given")
        connection.execute(f"CREATE TEMPORARY TABLE given ({PLACE} bigint, {columns})".encode())
        marks = ", ".join(["%s", *(f"%s::{TYPES[kind][1].partition(' ')[0]}" for kind in group.kinds.values())])
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO given VALUES ({marks})".encode(), group.frame.rows())
        asked = selected(group.sql("postgres"), '"')
        rows = connection.execute(f"SELECT {asked} FROM given ORDER BY {PLACE}".encode()).fetchall()
        names = [str(place) for place in range(len(group.expressions))]
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Boolean), orient="row")

    with psycopg.connect(make_database().url) as connection:
        assert [told for group in GROUPS for told in wrong(group, answer(connection, group))] == []


@pytest.mark.filterwarnings(*NOISE)
def test_sail_gives_the_answers_of_the_table(require: Require) -> None:
    with sail(require) as session:
        assert [told for group in GROUPS for told in wrong(group, by_spark(session, group))] == []
