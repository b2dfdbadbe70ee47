"""``lienthong officer …`` as an administrator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lienthong.adapters.postgres.officers import PostgresOfficers
from lienthong.cli.officers import app
from lienthong.clock import SystemClock
from lienthong.oversight import passwords
from lienthong.oversight.officer_refusals import SignInRefused
from portal_office import PASSWORD, Office, make_office

NEW = "thuyền giấy qua cầu tre"
ADD = ("add", "ho.linh", "--full-name", "Hồ Linh", "--agency", "G01", "--role", "proposer", "--role", "reviewer")


class Line:
    def __init__(self, office: Office) -> None:
        self.office = office
        assert office.settings.sign_in is not None
        self.officers = PostgresOfficers(
            office.settings.sign_in.role.url,
            session_max=timedelta(hours=1),
            session_idle_max=timedelta(hours=1),
        )

    def type(self, *words: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, words, input=given)

    def json(self, *words: str, given: str | None = None) -> Any:
        result = self.type(*words, "--json", given=given)
        return json.loads(result.stdout)

    def opens(self, name: str, password: str) -> bool:
        try:
            self.officers.sign_in(name, password, at=SystemClock().now())
        except SignInRefused:
            return False
        return True


@pytest.fixture
def line(make_database: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(passwords, "COST", 2**14)
    monkeypatch.setattr(passwords, "LANES", 1)
    office = make_office(make_database("officers"), tmp_path)
    monkeypatch.setenv("LIENTHONG_CONFIG", str(office.settings.path))
    line = Line(office)
    yield line
    line.officers.close()


def test_an_account_is_made_with_a_password_from_standard_input_that_is_never_shown(line: Line) -> None:
    result = line.type(*ADD, "--password-stdin", given=f"{NEW}\n")
    assert result.exit_code == 0, result.output
    assert NEW not in result.output
    assert line.opens("ho.linh", NEW)
    listed = {each["name"]: each for each in line.json("list")}
    assert listed["ho.linh"]["roles"] == ["proposer", "reviewer"]
    assert listed["ho.linh"]["must_change_password"] is True
    assert NEW not in json.dumps(listed)


def test_a_generated_password_is_shown_once_and_opens(line: Line) -> None:
    shown = line.json(*ADD, "--generate")["one_time_password"]
    assert line.opens("ho.linh", shown)
    assert shown not in line.type("list").output


def test_without_a_terminal_a_password_is_not_waited_for(line: Line) -> None:
    result = line.type(*ADD)
    assert result.exit_code == 2
    assert "--password-stdin" in result.output


def test_no_command_takes_a_password_as_an_argument(line: Line) -> None:
    for command in ("add", "reset"):
        shown = line.type(command, "--help").output
        assert "--password-stdin" in shown
        assert "--password " not in shown


@pytest.mark.parametrize(
    ("words", "given", "code"),
    [
        (ADD, "ngắn\n", "PRT-103"),
        (("add", "Ho.Linh", *ADD[2:]), f"{NEW}\n", "PRT-105"),
        (("add", "de.xuat", *ADD[2:]), f"{NEW}\n", "PRT-105"),
        (("reset", "khong.ai"), f"{NEW}\n", "PRT-104"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_code(
    line: Line, words: tuple[str, ...], given: str, code: str
) -> None:
    result = line.type(*words, "--password-stdin", "--json", given=given)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code
    assert NEW not in result.output


def test_an_unknown_role_is_named_with_those_there_are(line: Line) -> None:
    result = line.type(*ADD, "--role", "king", "--generate")
    assert result.exit_code == 2
    assert "publisher" in result.output


def test_roles_are_given_and_taken(line: Line) -> None:
    assert line.type("roles", "de.xuat", "--add", "approver", "--remove", "proposer").exit_code == 0
    listed = {each["name"]: each["roles"] for each in line.json("list")}
    assert listed["de.xuat"] == ["approver"]
    assert line.type("roles", "khong.ai", "--add", "approver").exit_code == 1


def test_a_locked_account_opens_again_when_that_is_undone_or_reset(line: Line) -> None:
    for undo in (("lock", "de.xuat", "--undo"), None):
        line.type("lock", "de.xuat")
        assert not line.opens("de.xuat", PASSWORD)
        if undo:
            line.type(*undo)
            assert line.opens("de.xuat", PASSWORD)
    shown = line.json("reset", "de.xuat", "--generate")["one_time_password"]
    assert line.opens("de.xuat", shown)
    assert not line.opens("de.xuat", PASSWORD)


def test_a_closed_account_stays_in_the_list_of_all(line: Line) -> None:
    line.type("close", "de.xuat")
    assert not line.opens("de.xuat", PASSWORD)
    assert "de.xuat" not in line.type("list").output
    assert "closed" in line.type("list", "--all").output
    assert line.type("close", "de.xuat").exit_code == 1


def test_the_journal_names_who_acted(line: Line) -> None:
    line.type("lock", "de.xuat", "--as", "Nguyễn Quản Trị")
    actors = line.office.ask("SELECT actor FROM lienthong.officer_event WHERE act = 'locked'")
    assert actors[0][0].startswith("Nguyễn Quản Trị (machine account ")
