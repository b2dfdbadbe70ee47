"""``lienthong check`` of a file that ``lienthong standardise`` wrote: the values as they stand, nothing done twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from lienthong.cli.main import app
from lienthong.testing import citizens

MAPPING = Path(citizens.__file__).parent / "agency" / "mappings" / "nhan_khau.yaml"
ROWS = 2_000
ON = "2026-11-23"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a source file and what was standardised from it."""
    frame, _ = citizens.generate(ROWS, seed=214)
    folder = tmp_path_factory.mktemp("made")
    frame.select(pl.all().cast(pl.String)).write_csv(folder / "dan-cu.csv")
    arguments = ["standardise", str(folder / "dan-cu.csv"), "--mapping", str(MAPPING), "--on", ON]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code in {0, 3}, result.output
    return folder


def asked(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["check", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_its_findings_are_those_of_the_source_rows_that_were_kept(made: Path, tmp_path: Path, engine: str) -> None:
    standard, source = tmp_path / "standard.parquet", tmp_path / "source.parquet"
    code, said = asked(made / "dan-cu.standard.parquet", "--findings", standard, "--engine", engine)
    assert (code, said["dataset"], said["on"], said["engine"]) == (0, "nhan-khau", ON, engine)
    kept = pl.read_parquet(made / "dan-cu.standard.parquet")
    assert said["rows"]["examined"] == kept.height < ROWS
    assert said["rows"]["held_back"] == 0
    asked(made / "dan-cu.csv", "--mapping", MAPPING, "--on", ON, "--findings", source)
    expected = pl.read_parquet(source).join(kept.select(row="_row"), on="row", how="semi").sort("row", "rule")
    found = pl.read_parquet(standard)
    pairs = ["row", "rule", "severity", "element"]
    unique = pl.col("rule").str.starts_with("UN")  # among the rows of the file itself
    assert found.filter(~unique).select(pairs).equals(expected.filter(~unique).select(pairs))
    assert found.height


@pytest.mark.parametrize(
    "options",
    [
        ["--mapping", str(MAPPING)],
        ["--sheet", "x"],
        ["--encoding", "utf-16"],
        ["--delimiter", "comma"],
        ["--header-row", "2"],
        ["--dataset", "doanh-nghiep"],
    ],
)
def test_options_about_reading_a_source_file_are_refused(made: Path, options: list[str]) -> None:
    code, said = asked(made / "dan-cu.standard.parquet", *options)
    assert (code, said["error"]["code"]) == (1, "FIL-016")
    assert options[0] in said["error"]["message"]


def test_the_quarantine_is_refused_with_where_its_reasons_stand(made: Path) -> None:
    code, said = asked(made / "dan-cu.standard.quarantine.parquet")
    assert (code, said["error"]["code"]) == (1, "CHK-043")


def test_a_file_of_another_dictionary_is_refused_by_its_columns(made: Path, tmp_path: Path) -> None:
    table = parquet.read_table(made / "dan-cu.standard.parquet")
    parquet.write_table(table.drop_columns(["gioi_tinh"]), tmp_path / "x.parquet")
    code, said = asked(tmp_path / "x.parquet")
    assert (code, said["error"]["code"]) == (1, "CHK-043")
    assert "gioi_tinh" in said["error"]["message"]


def test_a_parquet_file_that_says_nothing_of_itself_is_a_source_file(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    pl.read_csv(made / "dan-cu.csv", infer_schema=False).write_parquet(path)
    code, said = asked(path, "--mapping", MAPPING, "--on", ON)
    assert (code, said["rows"]["examined"]) == (0, ROWS)
