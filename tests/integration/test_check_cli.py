"""``lienthong check``: files of all kinds, engines, thresholds, findings; nothing personal in what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from lienthong.cli.main import app
from lienthong.testing import citizens

MAPPING = Path(citizens.__file__).parent / "agency" / "mappings" / "nhan_khau.yaml"
ROWS = 3_000
ON = "2026-11-23"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame, _ = citizens.generate(ROWS, seed=214)
    path = tmp_path_factory.mktemp("given") / "dân cư.csv"
    frame.select(pl.all().cast(pl.String)).write_csv(path)
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *map(str, arguments)])
    return result.exit_code, result.output


def asked(given: Path, *more: object) -> tuple[int, dict[str, Any]]:
    code, said = run(given, "--mapping", MAPPING, "--on", ON, "--json", *more)
    return code, json.loads(said)


def test_a_file_is_judged_row_by_row(given: Path) -> None:
    code, said = asked(given)
    assert code == 0
    assert (said["run"], said["result"]) == ("completed", "found")
    assert said["rows"]["examined"] == ROWS
    assert said["findings"] == sum(
        each["failed"] + (each["not_evaluated"] if each["severity"] == "blocking" else 0) for each in said["rules"]
    )
    for each in said["rules"]:
        assert each["tested"] + each["not_applicable"] == ROWS
    found = {each["rule"]: each["failed"] for each in said["rules"]}
    assert found["CL04:so_dinh_danh"] > 0
    assert said["words"]["live"]["percent"] is None


@pytest.mark.parametrize("engine", ["polars", "duckdb", "postgres"])
def test_every_engine_writes_the_same_findings(given: Path, tmp_path: Path, engine: str) -> None:
    first, second = tmp_path / "auto.csv", tmp_path / f"{engine}.csv"
    _, expected = asked(given, "--findings", first)
    _, said = asked(given, "--findings", second, "--engine", engine)
    assert said["engine"] == engine
    assert second.read_bytes() == first.read_bytes()
    for each in (said, expected):
        del each["engine"], each["findings_file"]
    assert said == expected


def test_findings_name_row_rule_and_masked_value(given: Path, tmp_path: Path) -> None:
    path = tmp_path / "findings.parquet"
    _, said = asked(given, "--findings", path)
    found = pl.read_parquet(path)
    assert found.height == said["findings"]
    assert found.columns == ["row", "rule", "criterion", "severity", "element", "observed", "sentence"]
    assert found["row"].is_between(2, ROWS + 1).all()
    numbers = pl.read_csv(given, infer_schema=False)["so_cccd"]
    assert not found["observed"].drop_nulls().is_in(numbers.implode()).any()


def test_no_personal_value_is_shown(given: Path) -> None:
    _, said = run(given, "--mapping", MAPPING, "--on", ON)
    table = pl.read_csv(given, infer_schema=False)
    assert not [name for name in table["so_cccd"].drop_nulls() if name in said]
    assert not [name for name in table["ho_ten"].drop_nulls().head(500) if name in said]
    assert "run: completed" in said


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--fail-on", "blocking"], 3),
        (["--fail-on", "warning"], 3),
        (["--fail-under", "100"], 3),
        (["--fail-under", "10"], 0),
        ([], 0),
    ],
)
def test_a_threshold_decides_the_exit_code(given: Path, options: list[str], code: int) -> None:
    assert asked(given, *options)[0] == code


def test_a_clean_file_passes_every_threshold(tmp_path: Path) -> None:
    frame, _ = citizens.generate(400, seed=3, defect_share=0)
    path = tmp_path / "sạch.csv"
    frame.select(pl.all().cast(pl.String)).write_csv(path)
    code, said = asked(path, "--fail-on", "error", "--fail-under", "100")
    assert code == 0, [each for each in said["rules"] if each["failed"]]
    assert said["rows"]["faulty"] == 0


def test_lines_that_are_no_rows_are_counted_and_fail(given: Path, tmp_path: Path) -> None:
    path = tmp_path / "hỏng.csv"
    path.write_bytes(given.read_bytes() + b"1,2,3\n")
    code, said = asked(path, "--fail-on", "blocking")
    assert said["rows"]["unreadable"] == 1
    assert said["rows"]["examined"] == ROWS
    assert code == 3


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--engine", "oracle"], "FIL-016"),
        (["--findings", "findings.docx"], "FIL-016"),
        (["--limit-memory", "1"], "FIL-016"),
        (["--dataset", "khong-co"], "DIC-004"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(given: Path, arguments: list[str], refusal: str) -> None:
    code, said = run(given, "--json", *arguments)
    assert code == 1
    assert json.loads(said)["error"]["code"] == refusal


def test_findings_do_not_overwrite_a_file_unasked(given: Path, tmp_path: Path) -> None:
    path = tmp_path / "findings.csv"
    path.write_text("mine")
    code, said = asked(given, "--findings", path)
    assert (code, said["error"]["code"]) == (1, "FIL-014")
    assert path.read_text() == "mine"
    assert asked(given, "--findings", path, "--force")[0] == 0


def test_a_file_without_rows_is_refused(tmp_path: Path, given: Path) -> None:
    path = tmp_path / "trống.csv"
    path.write_bytes(given.read_bytes().split(b"\n", 1)[0] + b"\n")
    code, said = asked(path)
    assert (code, said["error"]["code"]) == (1, "FIL-003")


def test_the_benchmark_finds_every_visible_defect(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "check_peers.py"
    done = subprocess.run(
        [sys.executable, str(script), "--rows", "20000", "--rounds", "1", "--folder", str(tmp_path)],
        capture_output=True,
        check=True,
        timeout=200,
    )
    said = json.loads(done.stdout)
    for engine in ("polars", "duckdb"):
        assert said["results"][engine]["precision"] == 1.0, said
        assert said["results"][engine]["recall_of_visible"] == 1.0
