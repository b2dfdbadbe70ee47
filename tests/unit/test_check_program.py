"""A rule program: code lists as pieces of time, counts, findings, queries."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from check_samples import CODE_LISTS, code, code_list, sample_dataset, sample_dictionary
from lienthong.check.engines import EngineMissing
from lienthong.check.program import FOUND_SCHEMA, compile_program
from lienthong.check.program_sql import ARGUMENTS_MAX, codes_table, compile_sql, periods_table
from lienthong.check.rule_set import derive_rules

DICTIONARY, DATASET = sample_dictionary(), sample_dataset()
PROGRAM = compile_program(DICTIONARY, derive_rules(DICTIONARY, DATASET))


def test_pieces_of_a_code_do_not_overlap_and_cover_its_days() -> None:
    listed = code_list(
        "x",
        code("1", None, "2020-01-01", "b"),
        code("1", "2019-01-01", "2021-01-01", "a"),
        code("1", "2025-01-01", None, "c"),
        code("2", "2020-01-01", "2020-01-01"),
    )
    assert periods_table(listed).rows() == [
        ("1", date.min, date(2018, 12, 31), "b"),
        ("1", date(2019, 1, 1), date(2019, 12, 31), "a"),  # of two parents at once the first by letters
        ("1", date(2020, 1, 1), date(2020, 12, 31), "a"),
        ("1", date(2025, 1, 1), date.max, "c"),
    ]


def test_without_a_day_only_a_code_without_period_is_in_force() -> None:
    listed = code_list("x", code("1", None, None, "p"), code("1", "2020-01-01"), code("2", "2020-01-01"))
    assert codes_table(listed).rows() == [("1", True, "p"), ("2", None, None)]


def test_each_list_of_codes_travels_once() -> None:
    tables = compile_sql(PROGRAM).tables
    assert len([name for name in tables if "codes" in name]) == len(CODE_LISTS) - 1  # one is for a rule's text only
    assert all(table["code"].is_unique().all() for name, table in tables.items() if "codes" in name)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
def test_a_query_reads_the_columns_the_program_names(dialect: str) -> None:
    query = compile_sql(PROGRAM).query(dialect=dialect, examined="examined")
    assert "_record_id" in PROGRAM.schema
    for name in PROGRAM.reads:
        assert name in query
    assert "NULL" not in query.split(" FROM ", 1)[0].split("CONCAT", 1)[0]


def test_functions_get_no_more_arguments_than_postgresql_takes() -> None:
    query = compile_sql(PROGRAM).query(dialect="postgres", examined="examined")
    assert len(PROGRAM.bound) > 50
    assert ARGUMENTS_MAX == 100
    assert query.startswith("SELECT")


def test_counts_follow_from_the_judgements() -> None:
    rules = len(PROGRAM.bound)
    patterns = pl.DataFrame(
        {"_judgement": ["p" * rules, "f" * rules, "n" * rules, "e" * rules], "rows": [5, 3, 2, 1]}
    )
    outcome = PROGRAM.outcomes(patterns)[0]
    assert (outcome.passed, outcome.failed, outcome.not_applicable, outcome.not_evaluated) == (5, 3, 2, 1)


def test_rows_without_findings_give_no_lines() -> None:
    schema = {name: PROGRAM.schema[name] for name in ("_record_id", *PROGRAM.shown)}
    rows = pl.DataFrame(schema=schema).with_columns(pl.lit(None, pl.String).alias("_judgement"))
    assert PROGRAM.findings(rows).schema == pl.Schema(dict(FOUND_SCHEMA))
    assert PROGRAM.findings(rows).is_empty()


def test_a_missing_engine_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from lienthong.adapters.spark.checking import spark_errors

    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(EngineMissing) as refusal:
        spark_errors()
    assert refusal.value.code == "CHK-040"
    assert "pyspark" in refusal.value.remedy
