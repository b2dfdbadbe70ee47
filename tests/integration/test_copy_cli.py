"""``lienthong copy`` on a real centre: run, status, SQL for DuckDB, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from lienthong.cli.main import app
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import load_settings

DATASET = "nhan-khau"


@pytest.fixture
def centre(make_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    database = make_database("copied")
    path = tmp_path / "lienthong.toml"
    path.write_text(
        f'[centre.writer]\nurl = "{database.url}"\n[centre.reader]\nurl = "{database.role("reader")}"\n'
        f'[centre.gateway]\nurl = "{database.role("gateway")}"\n'
    )
    monkeypatch.setenv("LIENTHONG_CONFIG", str(path))
    settings = load_settings(path, {})
    ready_centre(settings, read_knowledge(settings))
    return str(database.url)


def person(url: str, record: str, batch: int) -> None:
    values = {
        "_record_id": record, "_event": "NEW", "_epoch": 1, "_version": 1, "_number": 0, "_source": "s", "_table": "t",
        "_image": "{}", "_judgement": "p", "_rule_set": 1, "_dictionary": "1", "_batch": batch,
        "_source_time": "2025-06-10+07", "_valid_from": "2025-06-10+07", "_applied_at": "2025-06-10+07",
        "so_dinh_danh": "001088000123", "ho_va_ten": "Nguyễn Văn Ánh", "ngay_sinh": "1988-03", "gioi_tinh": "1",
    }  # fmt: skip
    with psycopg.connect(url) as connection:
        connection.execute(
            sql.SQL("INSERT INTO dataset.nhan_khau ({}) VALUES ({})").format(
                sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(sql.Placeholder() * len(values))
            ),
            list(values.values()),
        )


def run(*arguments: str):
    result = CliRunner().invoke(app, ["copy", *arguments])
    return result.exit_code, result.stdout


def test_a_copy_is_made_goes_stale_and_is_read_by_duckdb(centre, tmp_path):
    folder = str(tmp_path / "copies")
    person(centre, "a", 1)
    assert run("run", DATASET, "--to", folder)[0] == 0
    code, told = run("status", DATASET, "--to", folder, "--verify", "--json")
    state = json.loads(told)["copies"][0]
    assert (code, state["fresh"], state["batch"], state["versions"]) == (0, True, 1, 1)
    person(centre, "b", 2)
    code, told = run("status", DATASET, "--to", folder, "--json")
    state = json.loads(told)["copies"][0]
    assert (code, state["fresh"], state["batch"], state["centre_batch"]) == (3, False, 1, 2)
    assert run("run", "--to", folder)[0] == 0
    code, told = run("status", "--to", folder)
    assert code == 0
    assert "nhan-khau" in told
    with duckdb.connect() as engine:
        engine.execute(run("sql", DATASET, "--to", folder)[1])
        assert engine.execute("SELECT _record_id, ho_va_ten, ngay_sinh FROM nhan_khau ORDER BY 1").fetchall() == [
            ("a", "Nguyễn Văn Ánh", "1988-03"),
            ("b", "Nguyễn Văn Ánh", "1988-03"),
        ]
    assert run("rebuild", DATASET, "--to", folder)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["status", DATASET], "CEN-405"), (["run", "khong-co"], "DIC-004"), (["rebuild", "khong-co"], "DIC-004")],
)
def test_what_is_not_there_is_refused(centre, tmp_path, arguments, code):
    exit_code, told = run(*arguments, "--to", str(tmp_path / "copies"), "--json")
    assert (exit_code, json.loads(told)["error"]["code"]) == (1, code)
