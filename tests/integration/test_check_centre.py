"""``lienthong check DATASET``: thresholds, findings and refusals for a dataset at the centre."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

from lienthong.cli.main import app
from lienthong.pipeline.link import SnapshotFinished
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.running import LinkThread
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import load_settings

DATASET = "nhan-khau"
CITIZENS = 60
WAIT_S = 60.0
COLUMNS = ["record_id", "rule", "criterion", "severity", "element", "observed", "sentence", "opened_at"]


@pytest.fixture
def centre(make_database: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a centre that took one snapshot of an agency."""
    agency, database = make_database("agency"), make_database("centre")
    source = agency.role("source", replication=True)
    reader, gateway = database.role("reader"), database.role("gateway")
    for arguments in (
        ["load", "--citizens", str(CITIZENS), "--seed", "3", "--reader", agency.user_of(source)],
        ["mappings", "--to", str(tmp_path / "mappings")],
    ):
        command = [sys.executable, "-m", "lienthong.testing.agency", *arguments]
        environment = {**os.environ, "LIENTHONG_AGENCY_URL": agency.url}
        subprocess.run(command, env=environment, check=True, capture_output=True)
    path = tmp_path / "lienthong.toml"
    roles = "".join(
        f"[centre.{name}]\nurl = {json.dumps(url)}\n"
        for name, url in (("writer", database.url), ("reader", reader), ("gateway", gateway))
    )
    path.write_text(
        f'{roles}[[source]]\nname = "ca-mau"\nurl = {json.dumps(source)}\nslot = "check_{database.name}"\n'
        'mappings = ["mappings/nhan_khau.yaml"]\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("LIENTHONG_CONFIG", str(path))
    settings = load_settings(path, {})
    knowledge = read_knowledge(settings)
    ready_centre(settings, knowledge)
    finished = threading.Event()
    work = LinkThread(
        settings=settings,
        knowledge=knowledge,
        source=settings.sources[0],
        watch=lambda _, event: finished.set() if isinstance(event, SnapshotFinished) else None,
    )
    thread = threading.Thread(target=work.run, daemon=True)
    thread.start()
    assert finished.wait(WAIT_S), "the snapshot ends"
    work.stop.set()
    thread.join(WAIT_S)
    return database.url


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *map(str, arguments)])
    return result.exit_code, result.output


def asked(*arguments: object) -> tuple[int, dict[str, Any]]:
    code, said = run(DATASET, "--json", *arguments)
    return code, json.loads(said)


def test_thresholds_and_findings_work_for_a_dataset_at_the_centre(centre: str, tmp_path: Path) -> None:
    path = tmp_path / "phát hiện.parquet"
    code, said = asked("--findings", path)
    assert (code, said["engine"], said["run"], said["findings_file"]) == (0, "postgres", "completed", str(path))
    assert said["measurement"]["extent"] == "whole"
    with psycopg.connect(centre) as connection:
        kept = connection.execute(
            "SELECT record_id, rule, observed FROM lienthong.finding WHERE dataset = %s AND closed_at IS NULL"
            " ORDER BY record_id, rule",
            [DATASET],
        ).fetchall()
    assert kept
    assert said["findings"] == len(kept) == sum(each["open"] for each in said["rules"])
    found = pl.read_parquet(path)
    assert found.columns == COLUMNS
    assert found.select("record_id", "rule", "observed").rows() == kept
    assert not found["sentence"].is_null().any()

    table = tmp_path / "phát hiện.csv"
    assert asked("--findings", table, "--fail-on", "warning")[0] == 3
    assert table.read_bytes().startswith(b"\xef\xbb\xbfrecord_id,rule")
    assert pl.read_csv(table, infer_schema=False)["rule"].to_list() == found["rule"].to_list()

    words = [each["percent"] for each in said["score"]["words"] if each["known"]]
    assert asked("--fail-under", min(words))[0] == 0
    assert asked("--fail-under", 100)[0] == (3 if min(words) < 100 else 0)
    severities = said["findings_by_severity"]
    assert asked("--fail-on", "blocking")[0] == (3 if severities["blocking"] else 0)
    code, text = run(DATASET)
    assert code == 0
    assert "open findings" in text


def test_only_open_findings_count_and_a_clean_dataset_meets_every_severity(centre: str) -> None:
    with psycopg.connect(centre) as connection:
        connection.execute(
            "UPDATE lienthong.finding SET closed_batch = 1, closed_at = now() WHERE rule NOT LIKE 'UN%'"
        )
    code, said = asked()
    open_rules = {each["rule"] for each in said["rules"]}
    assert code == 0
    assert not [rule for rule in open_rules if rule.startswith("CL04")]


def test_a_void_run_is_refused_and_writes_no_findings(centre: str, tmp_path: Path) -> None:
    with psycopg.connect(centre) as connection:
        connection.execute("UPDATE lienthong.dataset_state SET rows = rows + 9 WHERE dataset = %s", [DATASET])
    path = tmp_path / "findings.csv"
    code, said = asked("--findings", path, "--fail-on", "warning")
    assert (code, said["findings"], said["findings_file"]) == (1, None, None)
    assert said["measurement"]["error"] == "CEN-103"
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "instead"),
    [
        (["--engine", "duckdb"], "postgres"),
        (["--mapping", "mapping.yaml"], "lienthong.toml"),
        (["--sheet", "Sheet1"], "at the centre"),
        (["--encoding", "utf-16"], "at the centre"),
        (["--delimiter", "comma"], "at the centre"),
        (["--header-row", "2"], "at the centre"),
        (["--on", "2026-01-01"], "the day of each record"),
        (["--limit-memory", "500"], "its own limits"),
        (["--dataset", "doanh-nghiep"], "another dataset"),
    ],
)
def test_an_option_for_files_is_a_usage_error_that_says_what_to_use(options: list[str], instead: str) -> None:
    code, said = run(DATASET, *options)
    assert code == 2
    assert options[0] in said
    assert instead in " ".join(said.replace("│", " ").split())


@pytest.mark.parametrize(
    ("options", "refusal"), [(["--findings", "findings.docx"], "FIL-016"), (["--findings", "mine.csv"], "FIL-014")]
)
def test_findings_that_cannot_be_written_are_refused_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], refusal: str
) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    path = tmp_path / "lienthong.toml"
    path.write_text("".join(f'[centre.{name}]\nurl = "{url}"\n' for name in ("writer", "reader", "gateway")))
    (tmp_path / "mine.csv").write_text("mine")
    monkeypatch.setenv("LIENTHONG_CONFIG", str(path))
    monkeypatch.chdir(tmp_path)
    code, said = asked(*options)
    assert (code, said["error"]["code"]) == (1, refusal)
    assert (tmp_path / "mine.csv").read_text() == "mine"
