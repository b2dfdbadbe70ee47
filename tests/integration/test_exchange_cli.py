"""``lienthong access`` on a real register."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lienthong.adapters.postgres import access
from lienthong.adapters.postgres.access import PostgresAccess
from lienthong.cli.access import app

ISSUE = (
    *("issue", "G09", "--dataset", "doanh-nghiep", "--elements", "ma_so_doanh_nghiep, ten_to_chuc"),
    *("--purpose", "xác minh", "--legal-basis", "Nghị quyết 214/NQ-CP", "--until", "2036-01-01"),
)


@dataclass(frozen=True, kw_only=True)
class Line:
    gateway: PostgresAccess

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    def json(self, *arguments: str) -> dict:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def line(make_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = make_database("access")
    gateway_url = database.role("gateway")
    access.install(database.url, password=None, gateway_role=database.user_of(gateway_url))
    settings = tmp_path / "lienthong.toml"
    settings.write_text(
        f'[centre.writer]\nurl = "{database.url}"\n[centre.reader]\nurl = "{gateway_url}"\n'
        f'[centre.gateway]\nurl = "{gateway_url}"\n'
    )
    monkeypatch.setenv("LIENTHONG_CONFIG", str(settings))
    gateway = PostgresAccess(gateway_url)
    yield Line(gateway=gateway)
    gateway.close()


def test_an_issued_key_is_shown_once_and_opens_the_register(line: Line) -> None:
    result = line.run(*ISSUE)
    key = next(word for word in result.stdout.split() if word.startswith("lt_"))
    assert line.gateway.agency_of(key) == "G09"
    assert key not in line.run("list").stdout
    assert key not in line.run("list", "--json").stdout


def test_all_elements_are_spelled_out_in_the_grant(line: Line) -> None:
    arguments = [each if each != "ma_so_doanh_nghiep, ten_to_chuc" else "all" for each in ISSUE]
    granted = line.json(*arguments)["grant"]["elements"]
    assert "von_dieu_le" in granted
    assert "all" not in granted


def test_a_further_grant_goes_with_the_key_the_agency_has(line: Line) -> None:
    line.run(*ISSUE)
    assert line.json(*ISSUE, "--same-key")["key"] is None
    listed = line.json("list")
    assert (len(listed["keys"]), len(listed["grants"])) == (1, 2)


def test_revoking_and_withdrawing_take_effect_at_once(line: Line) -> None:
    key = line.json(*ISSUE)["key"]
    assert line.json("withdraw", "G09", "--dataset", "doanh-nghiep") == {"agency": "G09", "withdrawn": 1}
    assert line.gateway.grants("G09", "doanh-nghiep") == ()
    assert line.json("revoke", "G09") == {"agency": "G09", "revoked": 1}
    assert line.gateway.agency_of(key) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("doanh-nghiep", "khong-co"), "EX-003"),
        (("ma_so_doanh_nghiep, ten_to_chuc", "ho_va_ten"), "EX-003"),
        (("ma_so_doanh_nghiep, ten_to_chuc", ","), "EX-003"),
        (("2036-01-01", "2020-01-01"), "EX-003"),
        (("xác minh", " "), "EX-003"),
    ],
)
def test_a_grant_that_means_nothing_is_refused_by_its_code(line: Line, change: tuple[str, str], code: str) -> None:
    result = line.run(*(change[1] if each == change[0] else each for each in ISSUE), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code
    assert line.json("list") == {"keys": [], "grants": []}


def test_a_day_of_another_form_is_a_mistake_of_usage(line: Line) -> None:
    assert line.run(*(each if each != "2036-01-01" else "01/01/2036" for each in ISSUE)).exit_code == 2


def test_an_agency_without_a_key_cannot_have_one_revoked(line: Line) -> None:
    result = line.run("revoke", "G10", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "EX-006"
