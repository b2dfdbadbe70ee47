"""One rule set, five engines: the same letter for every row, the same findings, the same masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from engines_data import TABLES, Table, broken, must_agree, outcome_of, strange
from spark_opened import NOISE, Require, sail

from lienthong.adapters.duckdb.checking import DuckDBEngine
from lienthong.adapters.files.checking import PolarsEngine
from lienthong.adapters.postgres.checking import PostgresEngine
from lienthong.adapters.spark.checking import SparkEngine
from lienthong.check.engines import EngineFailed, Examined, RowsLost, RuleEngine

pytestmark = pytest.mark.filterwarnings(*NOISE)


@pytest.fixture(scope="module", params=list(TABLES))
def table(request: pytest.FixtureRequest) -> Table:
    return TABLES[request.param]()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examined")


@pytest.fixture(scope="module")
def source(table: Table, folder: Path) -> Examined:
    return table.write(folder, files=3)


@pytest.fixture(scope="module")
def reference(table: Table, source: Examined) -> tuple[pl.DataFrame, Any]:
    return outcome_of(PolarsEngine(batch_rows=4_321), source, table.program)


def test_the_planted_defects_are_there_to_be_found(table: Table, reference: tuple[pl.DataFrame, Any]) -> None:
    outcomes = reference[1].outcomes
    assert sum(each.failed > 0 for each in outcomes) >= 10
    assert all(
        each.passed + each.failed + each.not_applicable + each.not_evaluated == table.rows.height for each in outcomes
    )


def test_the_size_of_pieces_does_not_matter(
    table: Table, source: Examined, reference: tuple[pl.DataFrame, Any]
) -> None:
    must_agree(PolarsEngine(), table, source, reference)


def test_duckdb_agrees(table: Table, source: Examined, reference: tuple[pl.DataFrame, Any]) -> None:
    must_agree(DuckDBEngine(memory_bytes=300_000_000), table, source, reference)


def test_postgresql_agrees(
    table: Table, source: Examined, reference: tuple[pl.DataFrame, Any], make_database: Callable[..., Any]
) -> None:
    must_agree(PostgresEngine(url=make_database().url), table, source, reference)


@pytest.fixture(scope="module")
def sail_engine(require: Require) -> Iterator[SparkEngine]:
    with sail(require) as session:
        yield SparkEngine(session=session, label="sail")


def test_sail_agrees(
    table: Table, source: Examined, reference: tuple[pl.DataFrame, Any], sail_engine: SparkEngine
) -> None:
    must_agree(sail_engine, table, source, reference)


@pytest.mark.parametrize("engine", [PolarsEngine(), DuckDBEngine()], ids=lambda each: each.name)
def test_a_rule_that_cannot_run_costs_that_rule_alone(engine: RuleEngine, tmp_path: Path) -> None:
    table = strange()
    spoiled = broken(table)
    rows, judged = outcome_of(engine, spoiled.write(tmp_path), table.program)
    places = [place for place, each in enumerate(table.program.bound) if "so_nguoi" in each.reads]
    names = {table.program.bound[place].rule.name for place in places}
    assert set(judged.broken) == names
    assert names
    sound, _ = outcome_of(engine, table.write(tmp_path), table.program)
    letters = rows.join(sound, on="_record_id", suffix="_sound").select("_judgement", "_judgement_sound").rows()
    for place in range(len(table.program.bound)):
        told = {left[place] for left, _ in letters}
        assert told == {"e"} if place in places else all(left[place] == right[place] for left, right in letters)


def test_a_run_that_lost_rows_is_void(tmp_path: Path) -> None:
    table = strange()
    source = table.write(tmp_path)
    for engine in (PolarsEngine(), DuckDBEngine()):
        with pytest.raises(RowsLost) as refusal:
            engine.run(replace(source, rows=source.rows + 1), table.program, found=lambda _: None)
        assert refusal.value.code == "CHK-042"


def test_an_engine_that_cannot_read_its_table_says_so(tmp_path: Path) -> None:
    table = strange()
    gone = Examined(paths=(str(tmp_path / "gone.parquet"),), rows=1)
    for engine in (PolarsEngine(), DuckDBEngine()):
        with pytest.raises(EngineFailed) as refusal:
            engine.run(gone, table.program, found=lambda _: None)
        assert refusal.value.code == "CHK-041"


@pytest.mark.parametrize("engine", [PolarsEngine(), DuckDBEngine()], ids=lambda each: each.name)
def test_a_table_without_rows_has_no_findings(engine: RuleEngine, tmp_path: Path) -> None:
    table = strange()
    empty = replace(table, rows=table.rows.clear())
    judged = engine.run(empty.write(tmp_path), table.program, found=lambda rows: pytest.fail(str(rows.height)))
    assert judged.rows == 0
    assert all(each.passed == each.failed == 0 for each in judged.outcomes)
