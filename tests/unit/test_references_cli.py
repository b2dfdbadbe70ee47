"""``lienthong references match``: answers for people and programs, refusals with a remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli.output import EXIT_FINDINGS, EXIT_OK, EXIT_REFUSED
from lienthong.cli.references import app

runner = CliRunner()
ANNEX = Path(__file__).resolve().parents[1] / "data" / "nq66_7_annex_1.csv"


def test_a_text_is_matched_for_people() -> None:
    done = runner.invoke(app, ["match", "CSDLQG về dân cư và CSDL hộ tịch"], env={"COLUMNS": "160"})
    assert done.exit_code == EXIT_OK
    assert "dan-cu, ho-tich" in done.stdout


def test_a_column_is_matched_for_programs_with_rows_counted() -> None:
    done = runner.invoke(app, ["match", str(ANNEX), "--column", "csdl", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == EXIT_OK
    assert told["registry"] == "co-so-du-lieu"
    assert len(told["names"]) == 62
    assert sum(name["rows"] for name in told["names"]) == 798


def test_names_left_open_give_their_own_exit_code() -> None:
    done = runner.invoke(
        app,
        ["match", str(ANNEX), "--column", "bo_chu_quan", "--registry", "co-quan-chu-quan"],
        env={"COLUMNS": "160"},
    )
    assert done.exit_code == EXIT_FINDINGS
    assert "chưa rõ" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["dân cư", "--registry", "khong-co"], "STD-040"),
        ([str(ANNEX), "--column", "khong_co"], "STD-041"),
        (["khong-co.csv", "--column", "csdl"], "STD-042"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_remedy(arguments: list[str], code: str) -> None:
    done = runner.invoke(app, ["match", *arguments, "--json"])
    error = json.loads(done.stdout)["error"]
    assert done.exit_code == EXIT_REFUSED
    assert error["code"] == code
    assert error["hint"]


@pytest.mark.parametrize("content", [b"ten\n\xff\xfe\xe1\n", b"", b'ten\n"a\nb\n'])
def test_a_file_that_is_no_csv_in_utf8_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "hong.csv"
    file.write_bytes(content)
    done = runner.invoke(app, ["match", str(file), "--column", "ten", "--json"])
    assert done.exit_code == EXIT_REFUSED
    assert json.loads(done.stdout)["error"]["code"] == "STD-042"


def test_help_teaches_by_example() -> None:
    done = runner.invoke(app, ["match", "--help"], env={"COLUMNS": "200"})
    assert "lienthong references match" in done.stdout
