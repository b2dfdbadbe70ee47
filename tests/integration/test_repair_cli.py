"""``lienthong repair`` on a real centre: from a finding to an answer in a workbook and a decision."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import xlsxwriter
from typer.testing import CliRunner, Result

from lienthong.adapters.spreadsheet import read_workbook
from lienthong.cli.main import app
from lienthong.oversight.repair_sheets import CASE_SHEET, RECORD_SHEET

OWNER = "Sở Tài chính tỉnh Cà Mau"
RECORD = "ca-mau/public.doanh_nghiep/{}"
RULE = "CL02:ma_so_doanh_nghiep"
BY = ("--as", "lan", "--agency", "H12")
ASSESSOR = ("--as", "minh", "--agency", "G09")
WHY = "đã đối chiếu với hồ sơ gốc"
MAPPINGS = Path(__file__).parents[2] / "src" / "lienthong" / "testing" / "agency" / "mappings"


@dataclass(frozen=True)
class Line:
    url: str
    folder: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    def json(self, *arguments: str) -> Any:
        result = self.run("repair", *arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *arguments: str) -> str:
        result = self.run("repair", *arguments, "--json")
        assert result.exit_code == 1, result.output
        return json.loads(result.stdout)["error"]["code"]

    def sql(self, statement: str, *facts: object) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, facts)

    def find(self, *numbers: int, rule: str = RULE) -> None:
        for number in numbers:
            self.sql(
                "INSERT INTO lienthong.finding (dataset, record_id, rule, severity, element, observed, opened_batch,"
                " opened_at) VALUES ('doanh-nghiep', %s, %s, 'blocking', 'ma_so_doanh_nghiep', '001•••', 1, now())",
                RECORD.format(number),
                rule,
            )
            self.sql("UPDATE lienthong.dataset_state SET findings = findings + 1 WHERE dataset = 'doanh-nghiep'")

    def mend(self) -> None:
        self.sql("UPDATE lienthong.finding SET closed_batch = 2, closed_at = now()")
        self.sql("UPDATE lienthong.dataset_state SET findings = 0")


@pytest.fixture
def line(make_database: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    database = make_database("repair")
    reader, gateway = database.role("reader"), database.role("gateway")
    (tmp_path / "lienthong.toml").write_text(
        f'[centre.writer]\nurl = "{database.url}"\n[centre.reader]\nurl = "{reader}"\n'
        f'[centre.gateway]\nurl = "{gateway}"\n'
        f'[[source]]\nname = "ca-mau"\nurl = "{database.url}"\nmappings = ["{MAPPINGS}/doanh_nghiep.yaml"]\n',
        encoding="utf-8",
    )
    shipped = (MAPPINGS.parents[4] / "dictionary" / "plan" / "repair.yaml").read_text(encoding="utf-8")
    (tmp_path / "repair.yaml").write_text(shipped.replace("agencies: {}", f'agencies: {{"{OWNER}": H12}}'), "utf-8")
    monkeypatch.setenv("LIENTHONG_CONFIG", str(tmp_path / "lienthong.toml"))
    it = Line(database.url, tmp_path)
    prepared = it.run("centre", "prepare", "--json")
    assert prepared.exit_code == 0, prepared.output
    return it


def test_a_finding_goes_to_its_owner_and_comes_back_by_a_measurement(line: Line) -> None:
    line.find(1, 2)
    assert [each["opened"] for each in line.json("run") if each["dataset"] == "doanh-nghiep"] == [1]
    (case,) = line.json("list", "--agency", "H12")
    assert (case["case"], case["level"], case["records"]["open"]) == ("PS-000001", "red", 2)
    assert line.json("acknowledge", "PS-000001", *BY)[0]["state"] == "acknowledged"
    today = (datetime.now(UTC) + timedelta(hours=7)).date()
    assert line.json("plan", "1", "--by", str(today), *BY)[0]["state"] == "correcting"
    assert line.json("sent", "1", *BY)[0]["state"] == "awaiting-measurement"
    line.mend()
    line.json("run")
    assert line.json("list") == []
    shown = line.json("show", "1")
    assert (shown["state"], shown["events"][-1]["what"], shown["events"][-1]["actor"]) == (
        "closed",
        "closed",
        "hệ thống",
    )
    (measure,) = line.json("stats")
    assert (measure["agency"], measure["closed"], measure["open_now"]) == ("H12", 1, 0)


def test_tables_for_people_show_the_same(line: Line) -> None:
    line.find(1)
    assert line.run("repair", "run").exit_code == 0
    for words in (("list",), ("show", "1"), ("stats",)):
        result = line.run("repair", *words)
        assert result.exit_code == 0, result.output
        assert "doanh-nghiep" in result.stdout


def test_another_agency_and_an_unknown_number_are_refused(line: Line) -> None:
    line.find(1)
    line.json("run")
    assert line.refused("acknowledge", "1", "--as", "x", "--agency", "G09") == "OVS-112"
    assert line.refused("show", "PS-000099") == "OVS-110"
    assert line.refused("claim", "1", *BY, "--reason", "ngắn") == "OVS-113"
    assert line.refused("decide", "1", *ASSESSOR, "--accept", "--reason", WHY) == "OVS-111"
    assert line.run("repair", "show", "PS-x").exit_code == 2


def answered(source: Path, target: Path, *, answer: str, reason: str) -> None:
    """Do what an official does: open the workbook, write into the last two columns, save."""
    sheets = read_workbook(source)
    with xlsxwriter.Workbook(target) as workbook:
        for sheet in sheets:
            made = workbook.add_worksheet(sheet.name)
            for y, row in enumerate(sheet.rows):
                for x, cell in enumerate(row):
                    made.write_string(y, x, "" if cell is None else str(cell))
            if sheet.name == RECORD_SHEET:
                made.write_string(1, 10, answer)
                made.write_string(1, 11, reason)


def test_a_case_travels_as_a_workbook_and_its_answers_come_back(line: Line) -> None:
    line.find(7, 8)
    line.json("run")
    out, back = line.folder / "phieu.xlsx", line.folder / "tra-loi.xlsx"
    line.json("export", "1", str(out))
    sheets = {sheet.name: sheet for sheet in read_workbook(out)}
    facts = {row[0]: row[1] for row in sheets[CASE_SHEET].rows}
    assert (facts["Phiếu"], facts["Cơ quan chủ quản"]) == ("PS-000001", "H12")
    _header, first, _second = sheets[RECORD_SHEET].rows
    assert first[1:4] == (RECORD.format(7), "public.doanh_nghiep", "7")
    assert first[6] == facts["Nội dung"]
    assert first[7] == "001•••"
    answered(out, back, answer="Không phải lỗi", reason=WHY)
    assert line.json("claim", "1", "--from", str(back), *BY)[0]["state"] == "disputed"
    assert line.refused("decide", "1", "--as", "lan", "--agency", "H12", "--accept", "--reason", WHY) == "OVS-112"
    line.json("decide", "1", *ASSESSOR, "--accept", "--reason", WHY)
    line.json("run")
    assert line.json("show", "1")["records"] == {
        "open": 1,
        "passed": 0,
        "withdrawn": 0,
        "rule_gone": 0,
        "excepted": 1,
    }


def test_answers_without_a_reason_or_of_another_kind_are_refused(line: Line) -> None:
    line.find(7)
    line.json("run")
    out, back = line.folder / "phieu.xlsx", line.folder / "tra-loi.xlsx"
    line.json("export", "1", str(out))
    for answer, reason in (("Không phải lỗi", ""), ("đã sửa", WHY)):
        answered(out, back, answer=answer, reason=reason)
        assert line.refused("claim", "1", "--from", str(back), *BY) == "OVS-116"
    assert line.run("repair", "claim", "1", "--from", str(out), *BY).exit_code == 2


def test_a_hard_case_gets_more_days_from_somebody_else(line: Line) -> None:
    line.find(1)
    line.json("run")
    before = line.json("show", "1")["correct_by"]
    assert line.refused("extend", "1", *BY, "--reason", WHY) == "OVS-112"
    assert line.json("extend", "1", *ASSESSOR, "--reason", WHY)[0]["correct_by"] > before


def test_a_case_of_a_rule_that_no_longer_exists_ends_as_such(line: Line) -> None:
    line.find(1, rule="CL99:ma_so_doanh_nghiep")
    line.sql(
        'INSERT INTO lienthong.quarantine (dataset, record_id, source, "table", epoch, version, number, source_time,'
        " image, judgement, rule_set, rules, state, opened_batch, opened_at) SELECT 'doanh-nghiep', %s, 'ca-mau',"
        " 'public.doanh_nghiep', 1, 1, 0, now(), '{}', repeat('p', cardinality(names)), id, '{}', 'open', 1, now()"
        " FROM lienthong.rule_set WHERE dataset = 'doanh-nghiep'",
        RECORD.format(1),
    )
    line.json("run")
    line.mend()
    line.json("run")
    assert line.json("show", "1")["records"]["rule_gone"] == 1
