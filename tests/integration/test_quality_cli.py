"""Samples, reports and ratings from the command line, over a real agency and a real centre."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from lienthong.adapters.spreadsheet import read_workbook
from lienthong.cli.main import app
from lienthong.pipeline.link import SnapshotFinished
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.running import LinkThread
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import load_settings

CITIZENS = 60
WAIT_S = 60.0
CHARACTERS_OF_A_HASH = 64


@dataclass(frozen=True, kw_only=True)
class Line:
    """A command line with a centre that took one snapshot of an agency."""

    centre_url: str
    agency_url: str
    folder: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    def json(self, *arguments: str) -> Any:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def line(make_database: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    agency, centre = make_database("agency"), make_database("centre")
    source = agency.role("source", replication=True)
    reader, gateway = centre.role("reader"), centre.role("gateway")
    environment = {**os.environ, "LIENTHONG_AGENCY_URL": agency.url}
    for arguments in (
        ["load", "--citizens", str(CITIZENS), "--seed", "3", "--reader", agency.user_of(source)],
        ["mappings", "--to", str(tmp_path / "mappings")],
    ):
        command = [sys.executable, "-m", "lienthong.testing.agency", *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    path = tmp_path / "lienthong.toml"
    roles = "".join(
        f"[centre.{name}]\nurl = {json.dumps(url)}\n"
        for name, url in (("writer", centre.url), ("reader", reader), ("gateway", gateway))
    )
    path.write_text(
        f'{roles}[[source]]\nname = "ca-mau"\nurl = {json.dumps(source)}\nslot = "quality_{centre.name}"\n'
        'mappings = ["mappings/doanh_nghiep.yaml", "mappings/nhan_khau.yaml"]\n',
        encoding="utf-8",
    )
    settings = load_settings(path, {})
    ready_centre(settings, read_knowledge(settings))
    _take_snapshot(settings)
    monkeypatch.setenv("LIENTHONG_CONFIG", str(path))
    return Line(centre_url=centre.url, agency_url=agency.url, folder=tmp_path)


def _take_snapshot(settings: Any) -> None:
    finished = threading.Event()
    work = LinkThread(
        settings=settings,
        knowledge=read_knowledge(settings),
        source=settings.sources[0],
        watch=lambda _, event: finished.set() if isinstance(event, SnapshotFinished) else None,
    )
    thread = threading.Thread(target=work.run, daemon=True)
    thread.start()
    assert finished.wait(WAIT_S), "the snapshot ends"
    work.stop.set()
    thread.join(WAIT_S)


def test_a_sample_goes_the_whole_way_and_becomes_part_of_the_score(line: Line) -> None:
    before = json.loads(line.run("report", "quality").stdout)
    committed = line.json("sample", "commit", "nhan-khau", "--records", "30", "--by", "Trung tâm CNTT")
    assert (committed["state"], len(committed["snapshot"])) == ("committed", CHARACTERS_OF_A_HASH)
    number = str(committed["sample"])
    seeded = line.json("sample", "seed", number, "--seed", "xổ số 23/11/2026: 123456", "--origin", "xổ số miền Nam")
    assert seeded["seeded_at"] > committed["committed_at"]
    drawn = line.json("sample", "draw", number)
    assert len(set(drawn["drawn"])) == 30
    sheet = line.folder / "phieu.csv"
    result = line.run("sample", "sheet", number, "-o", str(sheet), "--reader", "an")
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    for place, row in enumerate(rows):
        row["opinion"], row["wrong"] = ("wrong", "ho_va_ten") if place < 3 else ("right", "")
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    judged = line.json("sample", "judge", number, "--sheet", str(sheet), "--assessor", "an")
    assert (judged["state"], judged["result"]["right"], judged["result"]["wrong"]) == ("judged", 27, 3)
    told = line.json("sample", "result", "nhan-khau")
    assert (told["state"], told["elements"]["ho_va_ten"]["wrong"]) == ("measured", 3)
    assert told["result"]["low"] < 90 < told["result"]["high"]
    assert line.json("sample", "verify", number) == {"sample": committed["sample"], "unchanged": True}
    after = json.loads(line.run("report", "quality").stdout)
    words = [
        next(word for each in report["datasets"] if each["dataset"] == "nhan-khau" for word in each["words"]
             if word["word"] == "correct")
        for report in (before, after)
    ]  # fmt: skip
    assert "chưa có mẫu người đánh giá" in words[0]["rests_on_vi"]
    assert "27 trên 30 bản ghi đúng (90 %" in words[1]["rests_on_vi"]


def test_a_sample_of_records_that_somebody_rewrote_is_not_drawn(line: Line) -> None:
    number = str(line.json("sample", "commit", "nhan-khau", "--records", "5", "--by", "x")["sample"])
    line.json("sample", "seed", number)
    with psycopg.connect(line.centre_url) as connection:
        connection.execute("UPDATE dataset.nhan_khau SET ho_va_ten = 'Đẹp Đẽ' WHERE _record_id IN"
                           " (SELECT _record_id FROM dataset.nhan_khau LIMIT 1)")  # fmt: skip
    result = line.run("sample", "draw", number, "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "OVS-204")


def test_steps_and_reports_that_mean_nothing_are_refused_with_their_codes(line: Line) -> None:
    for arguments, code in (
        (("sample", "commit", "khong-co", "--records", "5", "--by", "x"), "DIC-"),
        (("sample", "commit", "nhan-khau", "--records", "0", "--by", "x"), "OVS-206"),
        (("sample", "draw", "99"), "OVS-201"),
        (("sample", "result", "khong-co"), "DIC-"),
        (("sample", "judge", "1", "--assessor", "an", "--sheet", "/khong/co.csv"), "OVS-205"),
    ):
        result = line.run(*arguments, "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["error"]["code"].startswith(code)
    result = line.run("report", "quality", "khai-sinh")
    assert result.exit_code == 1
    assert "OVS-232" in result.output
    assert line.run("report", "quality", "-o", "bao-cao.doc").exit_code == 2
    assert line.run("report", "quality", "--format", "pdf").exit_code == 2
    assert line.run("report", "quality", "--fail-under", "100").exit_code == 3


def test_a_report_is_written_in_every_form(line: Line) -> None:
    kept = line.json("report", "record")["kept"]
    assert kept == 2 * 7, "two datasets with an index and six words each"
    for name, begins in (
        ("bao-cao.xlsx", b"PK"),
        ("bao-cao.pdf", b"%PDF-"),
        ("bao-cao.json", b"{"),
        ("hop-dong.yaml", b"apiVersion: v3.1.0"),
        ("so-do.ttl", b"@prefix"),
        ("su-kien.jsonl", b'{"eventType": "START"'),
    ):
        path = line.folder / name
        result = line.run("report", "quality", "-o", str(path))
        assert result.exit_code == 0, result.output
        assert path.read_bytes().startswith(begins), name
    rows = next(sheet.rows for sheet in read_workbook(line.folder / "bao-cao.xlsx") if sheet.name == "Diễn biến")
    assert len(rows) == 1 + kept
    assert rows[1][6] == "có", "the first scores are the baseline"


def test_a_live_database_is_rated_without_a_value_coming_out(line: Line) -> None:
    rating = line.json("rate", line.agency_url, "--table", "public.nhan_khau")
    assert 0 <= rating["points"] <= 100
    remarks = {remark["rule"]: remark for remark in rating["remarks"]}
    assert "SR04" in remarks, "days are texts at this agency"
    with psycopg.connect(line.agency_url) as connection:
        values = {str(row[0]) for row in connection.execute("SELECT ho_ten FROM nhan_khau")}
    text = json.dumps(rating, ensure_ascii=False)
    assert not [value for value in values if value in text]


def test_a_file_of_sql_is_rated_and_a_low_rating_ends_with_its_own_code(tmp_path: Path) -> None:
    def exit_of(*arguments: str) -> int:
        return CliRunner().invoke(app, ["rate", *arguments]).exit_code

    path = tmp_path / "luoc-do.sql"
    path.write_text("CREATE TABLE t (ma_xa int, fax varchar(20) NOT NULL)", encoding="utf-8")
    assert exit_of(str(path)) == 0
    assert exit_of(str(path), "--fail-under", "90") == 3
    assert exit_of(str(path), "--dialect", "cobol") == 2
    assert exit_of(str(tmp_path / "khong-co.sql")) == 1
