"""``lienthong centre at`` on a real centre: counts, records, conformance with a code list, and what is not known."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from lienthong.cli.main import app
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import load_settings

DATASET = "nhan-khau"
BEFORE, DURING, AFTER = (f"2025-{day}T09:00:00+07:00" for day in ("06-01", "06-30", "07-02"))


@pytest.fixture
def centre(make_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    database = make_database("past")
    path = tmp_path / "lienthong.toml"
    path.write_text(
        f'[centre.writer]\nurl = "{database.url}"\n[centre.reader]\nurl = "{database.role("reader")}"\n'
        f'[centre.gateway]\nurl = "{database.role("gateway")}"\n'
    )
    monkeypatch.setenv("LIENTHONG_CONFIG", str(path))
    settings = load_settings(path, {})
    ready_centre(settings, read_knowledge(settings))
    with psycopg.connect(database.url) as connection:
        for number, read in ((1, 2), (2, 0)):
            connection.execute(
                "INSERT INTO lienthong.batch (id, source, epoch_number, position, snapshot, read, applied, quarantined,"
                " superseded, filtered, findings_opened, findings_closed, source_time, applied_at, dictionary_version)"
                " VALUES (%s, 's', 1, 1, true, %s, %s, 0, 0, 0, 0, 0, '2025-06-10+07', '2025-06-10+07', '1')",
                [number, read, read],
            )
            connection.execute(
                "INSERT INTO lienthong.batch_dataset VALUES (%s, %s, true, '2025-06-10+07', %s, 60, 0, NULL)",
                [number, DATASET, read],
            )
        for record, commune in (("a", "00004"), ("b", "99999"), ("c", None)):
            person(connection, record, commune)
    return str(database.url)


def person(connection, record: str, commune: str | None) -> None:
    values = {
        "_record_id": record, "_event": "NEW", "_epoch": 1, "_version": 1, "_number": 0, "_source": "s", "_table": "t",
        "_image": "{}", "_judgement": "p", "_rule_set": 1, "_dictionary": "1", "_batch": 1,
        "_source_time": "2025-06-10+07", "_valid_from": "2025-06-10+07", "_applied_at": "2025-06-10+07",
        "so_dinh_danh": f"00108800012{ord(record) % 10}", "ho_va_ten": "Nguyễn Văn Ánh", "ngay_sinh": "1988-03-05",
        "gioi_tinh": "1", "ma_xa_thuong_tru": commune,
    }  # fmt: skip
    connection.execute(
        sql.SQL("INSERT INTO dataset.nhan_khau ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(sql.Placeholder() * len(values))
        ),
        list(values.values()),
    )


def run(*arguments: str, given: str | None = None):
    result = CliRunner().invoke(app, ["centre", "at", *arguments, "--json"], input=given)
    return result.exit_code, json.loads(result.stdout)


def test_a_count_is_told_with_what_is_known_of_each_source(centre):
    code, told = run(AFTER, DATASET)
    assert (code, told["rows"], told["knowledge"]) == (0, 3, "known")
    assert told["sources"][0]["known_from"].startswith("2025-06-")


def test_a_moment_before_the_first_snapshot_is_answered_with_not_known(centre):
    code, told = run(BEFORE, DATASET, "--count")
    assert (code, told["rows"], told["knowledge"]) == (0, None, "not-known")
    shown = CliRunner().invoke(app, ["centre", "at", BEFORE, DATASET])
    assert "chưa xác định" in shown.stdout


def test_conformance_asks_the_list_of_that_day(centre):
    _, before = run(DURING, DATASET, "--conformance", "ma_xa_thuong_tru")
    _, after = run(AFTER, DATASET, "--conformance", "MaXaThuongTru")
    assert (before["day"], after["day"]) == ("2025-06-30", "2025-07-02")
    for told in (before, after):
        assert (told["not_listed"], told["missing"]) == (1, 1)
        assert told["in_force"] + told["not_in_force"] == 1
    # Commune 00004 was made anew under its old number by the reform of 2025-07-01.
    assert after["in_force"] == 1


def test_a_record_is_told_with_its_period_and_origin(centre):
    code, told = run(AFTER, DATASET, "--key", "001088000127")
    assert (code, told["outcome"]) == (0, "found")
    assert told["versions"][0]["record"]["ho_va_ten"] == "Nguyễn Văn Ánh"
    assert (told["versions"][0]["batch"], told["versions"][0]["valid_to"]) == (1, None)
    _, piped = run(AFTER, DATASET, "--key", "-", given="001088000127\n")
    assert piped["versions"] == told["versions"]
    _, earlier = run(AFTER, DATASET, "--key", "001088000127", "--known-at", BEFORE)
    assert (earlier["outcome"], earlier["knowledge"]) == (None, "not-known")
    shown = CliRunner().invoke(app, ["centre", "at", AFTER, DATASET, "--key", "001088000127"])
    assert "Nguyễn Văn Ánh" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["2025-07-02", DATASET], "CEN-301"),
        (["bây giờ", DATASET], "CEN-302"),
        (["2999-01-01T00:00:00Z", DATASET], "CEN-303"),
        ([AFTER, DATASET, "--known-at", "2025-07-02"], "CEN-301"),
        ([AFTER, DATASET, "--conformance", "ho_va_ten"], "CEN-304"),
        ([AFTER, "khong-co"], "DIC-004"),
    ],
)
def test_what_cannot_be_asked_is_refused(centre, arguments, code):
    exit_code, told = run(*arguments)
    assert exit_code == 1
    assert told["error"]["code"] == code


def test_one_question_at_a_time(centre):
    result = CliRunner().invoke(app, ["centre", "at", AFTER, DATASET, "--count", "--key", "1"])
    assert result.exit_code == 2
