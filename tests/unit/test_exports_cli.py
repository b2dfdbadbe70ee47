"""``lienthong dictionary export`` and ``import-terms``: places, exit codes, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from lienthong.cli.exporting import register
from lienthong.wiring.exporting import ExportFormat

runner = CliRunner()


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    register(made)
    return made


def test_a_single_text_goes_to_the_terminal(app: typer.Typer) -> None:
    done = runner.invoke(app, ["export", "odcs", "doanh-nghiep"])
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(done.stdout)["id"] == "urn:lienthong:dataset:doanh-nghiep"


def test_the_same_command_gives_the_same_bytes(app: typer.Typer) -> None:
    told = {runner.invoke(app, ["export", "sql", "doanh-nghiep"]).stdout for _ in range(2)}
    assert len(told) == 1


@pytest.mark.parametrize("format_", list(ExportFormat))
def test_every_format_is_written_to_the_place_given(app: typer.Typer, tmp_path: Path, format_: ExportFormat) -> None:
    done = runner.invoke(
        app, ["export", format_.value, "nhan-khau", "--on", "2026-01-01", "-o", str(tmp_path), "--json"]
    )
    assert done.exit_code == 0, done.output
    files = [Path(one) for one in json.loads(done.stdout)["files"]]
    assert files
    assert all(one.is_relative_to(tmp_path) and one.stat().st_size > 0 for one in files)
    assert not list(tmp_path.rglob("*.new"))


def test_several_files_need_a_folder(app: typer.Typer, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for place in ([], ["-o", str(taken)]):
        done = runner.invoke(app, ["export", "odcs", "doanh-nghiep", "nhan-khau", *place, "--json"])
        assert done.exit_code == 1
        assert json.loads(done.stdout)["error"]["code"] == "DIC-052"
    assert taken.read_text() == "mine"


def test_bytes_do_not_go_to_the_terminal(app: typer.Typer) -> None:
    done = runner.invoke(app, ["export", "xlsx", "nhan-khau", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "DIC-052"


def test_an_unknown_dataset_and_a_bad_base_are_refused(app: typer.Typer) -> None:
    for arguments, code in ((["khong-co"], "DIC-051"), (["--base", "urn:x"], "DIC-059")):
        done = runner.invoke(app, ["export", "sql", *arguments, "--json"])
        assert done.exit_code == 1
        assert json.loads(done.stdout)["error"]["code"] == code


def test_an_unknown_format_and_a_bad_day_are_wrong_usage(app: typer.Typer) -> None:
    assert runner.invoke(app, ["export", "doc"]).exit_code == 2
    assert runner.invoke(app, ["export", "html", "--on", "1/7/2025"]).exit_code == 2


def test_skos_takes_code_lists_too(app: typer.Typer) -> None:
    done = runner.invoke(app, ["export", "skos", "gioi-tinh", "--base", "https://tudien.example/"])
    assert done.exit_code == 0
    assert "<https://tudien.example/id/code/gioi-tinh/1/->" in done.stdout


@pytest.fixture(scope="module")
def workbook(app: typer.Typer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("terms") / "terms.xlsx"
    done = runner.invoke(app, ["export", "xlsx", "doanh-nghiep", "-o", str(path)])
    assert done.exit_code == 0, done.output
    return path


def changed(workbook: Path, tmp_path: Path, old: str, new: str) -> Path:
    """Return the workbook with a word replaced among its texts."""
    import zipfile

    path = tmp_path / "changed.xlsx"
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry.filename)
            if entry.filename == "xl/sharedStrings.xml":
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            target.writestr(entry.filename, content)
    return path


def test_what_was_exported_is_sound_and_proposes_nothing(app: typer.Typer, workbook: Path) -> None:
    done = runner.invoke(app, ["import-terms", str(workbook), "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (told["sound"], told["proposals"], told["faults"]) == (True, [], [])
    assert told["terms"] == 9


def test_a_sound_change_is_written_as_files_of_the_dictionary(
    app: typer.Typer, workbook: Path, tmp_path: Path
) -> None:
    out = tmp_path / "proposals"
    path = changed(workbook, tmp_path, "viết thành một dòng như trong đăng ký.", "viết trên một dòng.")
    done = runner.invoke(app, ["import-terms", str(path), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert [one.name for one in out.rglob("*") if one.is_file()] == ["DiaChiTruSo.yaml"]
    assert "viết trên một dòng." in (out / "elements" / "DiaChiTruSo.yaml").read_text("utf-8")


def test_one_fault_and_nothing_is_written(app: typer.Typer, workbook: Path, tmp_path: Path) -> None:
    out = tmp_path / "proposals"
    path = changed(workbook, tmp_path, "vd-ten-to-chuc@1.0.0", "vd-khong-co@1.0.0")
    done = runner.invoke(app, ["import-terms", str(path), "-o", str(out)])
    assert done.exit_code == 3
    assert "unknown-reference" in done.stdout
    assert "nothing was written" in done.stdout
    assert not out.exists()


def test_proposals_are_not_mixed_with_other_files(app: typer.Typer, workbook: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = runner.invoke(app, ["import-terms", str(workbook), "-o", str(tmp_path), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "DIC-058"


def test_what_is_no_workbook_is_refused_with_its_code(app: typer.Typer, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_text("id,name")
    done = runner.invoke(app, ["import-terms", str(path), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "DIC-056"
