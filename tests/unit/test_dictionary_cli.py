"""``lienthong dictionary``: exit codes, JSON for programs, remedies for people."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli.dictionary import app
from lienthong.dictionary.shipped import shipped_folder

runner = CliRunner()


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    folder = tmp_path / "dictionary"
    shutil.copytree(shipped_folder("dictionary"), folder, ignore=shutil.ignore_patterns("*xa.csv"))
    element = folder / "elements/con-nguoi/HoVaTen.yaml"
    element.write_text(element.read_text("utf-8").replace("level: national", "level: city"), "utf-8")
    return folder


def test_check_of_the_shipped_dictionary_succeeds() -> None:
    done = runner.invoke(app, ["check", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["valid"] is True
    assert told["counts"]["datasets"] >= 2


def test_check_tells_people_what_was_read() -> None:
    done = runner.invoke(app, ["check", "--folder", str(shipped_folder("dictionary"))])
    assert done.exit_code == 0
    assert "valid" in done.stdout
    assert "datasets" in done.stdout


def test_list_for_people_has_a_line_for_each_element() -> None:
    done = runner.invoke(app, ["list"])
    assert done.exit_code == 0
    assert "Họ và tên" in done.stdout
    assert "ma_so_doanh_nghiep" in done.stdout


def test_show_says_when_no_dataset_carries_an_element() -> None:
    done = runner.invoke(app, ["show", "MaTinh"])
    assert "no dataset yet" in done.stdout
    assert "Tỉnh Quảng Ninh" in done.stdout


def test_show_names_the_concept_and_how_many_elements_speak_of_its_object() -> None:
    done = runner.invoke(app, ["show", "HoVaTen", "--json"])
    concept = json.loads(done.stdout)["concept"]
    assert (concept["id"], concept["object"], concept["same_concept"]) == ("con-nguoi.ho-ten", "con-nguoi", [])
    assert "NgaySinh" in concept["same_object"]
    assert "HoVaTen" not in concept["same_object"]
    assert "con-nguoi.ho-ten" in runner.invoke(app, ["show", "HoVaTen"]).stdout


def test_check_shows_every_problem_and_fails(damaged: Path) -> None:
    done = runner.invoke(app, ["check", "--folder", str(damaged)])
    assert done.exit_code == 1
    assert "elements/con-nguoi/HoVaTen.yaml:" in done.stdout
    assert "codelists/don-vi-hanh-chinh-xa.yaml:" in done.stdout
    assert "2 problem(s)" in done.stdout


def test_check_gives_problems_as_json(damaged: Path) -> None:
    done = runner.invoke(app, ["check", "--folder", str(damaged), "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["valid"] is False
    assert {problem["rule"] for problem in told["problems"]} == {"unknown-value", "no-codes"}


def test_every_other_command_refuses_a_damaged_dictionary(damaged: Path) -> None:
    for arguments in (["list"], ["show", "HoVaTen"], ["schema", "nhan-khau"]):
        done = runner.invoke(app, [*arguments, "--folder", str(damaged), "--json"])
        assert done.exit_code == 1
        assert json.loads(done.stdout)["error"]["code"] == "DIC-001"


def test_a_folder_without_a_dictionary_is_refused(tmp_path: Path) -> None:
    done = runner.invoke(app, ["check", "--folder", str(tmp_path), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "DIC-002"


def test_show_gives_the_descriptors_conflicts_and_codes() -> None:
    told = json.loads(runner.invoke(app, ["show", "gioi tinh", "--json"]).stdout)
    assert told["id"] == "GioiTinh"
    assert len(told["descriptors"]) == 25
    assert "nhan-khau" in told["datasets"]
    assert told["code_list"]["in_force_today"] == 3
    assert {conflict["source"]["trust"] for conflict in told["conflicts"]} == {"summary", "vendor", "secondary"}


def test_show_for_people_names_the_sources_that_disagree() -> None:
    done = runner.invoke(app, ["show", "HoVaTen"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert "Mã định danh duy nhất" in done.stdout
    assert "Sources disagree" in done.stdout


def test_a_miss_leaves_with_a_suggestion() -> None:
    done = runner.invoke(app, ["show", "HoVaTem", "--json"])
    error = json.loads(done.stdout)["error"]
    assert done.exit_code == 1
    assert error["code"] == "DIC-003"
    assert "HoVaTen" in error["hint"]


def test_list_follows_the_order_of_a_dataset() -> None:
    told = json.loads(runner.invoke(app, ["list", "--dataset", "nhan-khau", "--json"]).stdout)
    assert [one["id"] for one in told][:3] == ["SoDinhDanh", "HoVaTen", "NgaySinh"]


def test_list_can_be_narrowed_by_group_without_diacritics() -> None:
    told = json.loads(runner.invoke(app, ["list", "--group", "dan cu", "--json"]).stdout)
    assert told
    assert all("Dân cư" in one["group"] for one in told)


def test_list_refuses_an_unknown_dataset() -> None:
    assert runner.invoke(app, ["list", "--dataset", "khong-co"]).exit_code == 1


def test_schema_takes_the_day_on_which_codes_must_be_in_force() -> None:
    done = runner.invoke(app, ["schema", "nhan-khau", "--on", "2025-06-30"])
    codes = json.loads(done.stdout)["properties"]["ma_tinh_thuong_tru"]["oneOf"]
    assert len(codes) == 63


def test_a_day_that_is_none_is_a_usage_error() -> None:
    assert runner.invoke(app, ["schema", "nhan-khau", "--on", "2025-02-30"]).exit_code == 2


@pytest.mark.parametrize("command", ["check", "show", "list", "schema"])
def test_help_teaches_by_example(command: str) -> None:
    done = runner.invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert f"lienthong dictionary {command}" in done.stdout
