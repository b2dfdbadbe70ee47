from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import polars as pl
import psycopg
import pytest
import yaml

from lienthong.testing.agency import load as agency
from lienthong.testing.agency.load import ENTERPRISE_COLUMNS, extract, load
from lienthong.testing.citizens import generate
from lienthong.testing.writers import table_digest

CITIZENS = 3_000
TABLES = ("doanh_nghiep", "nhan_khau")


def run_agency(url: str | None, *arguments: str) -> tuple[int, list[str]]:
    environment = {name: value for name, value in os.environ.items() if name != "LIENTHONG_AGENCY_URL"}
    if url is not None:
        environment["LIENTHONG_AGENCY_URL"] = url
    done = subprocess.run(
        [sys.executable, "-m", "lienthong.testing.agency", *arguments],
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stderr.splitlines()


def fill(url: str, **changes) -> list[tuple[str, int, int]]:
    steps: list[tuple[str, int, int]] = []
    options = {"citizens_wanted": CITIZENS, "seed": 4, "reader": None, "truth": None} | changes
    load(url, **options, progress=lambda *step: steps.append(step))
    return steps


def test_the_enterprises_are_held_exactly_as_they_were_published(make_database):
    database = make_database("agency")
    fill(database.url)
    published = list(csv.reader(io.StringIO(extract().decode("utf-8"))))[1:]
    with psycopg.connect(database.url) as connection:
        held = connection.execute(f"SELECT {', '.join(ENTERPRISE_COLUMNS)} FROM doanh_nghiep ORDER BY id").fetchall()
    assert len(held) == 3_943
    assert [tuple(text or "" for text in row) for row in held] == [tuple(row) for row in published]


def test_the_citizens_are_those_of_the_generator_and_the_truth_lies_beside(make_database, tmp_path):
    database = make_database("agency")
    fill(database.url, truth=tmp_path / "truth.parquet")
    frame, truth = generate(CITIZENS, seed=4)
    with psycopg.connect(database.url) as connection:
        held = connection.execute("SELECT * FROM nhan_khau ORDER BY id").fetchall()
    assert held == frame.rows()
    assert pl.read_parquet(tmp_path / "truth.parquet").equals(truth)


def test_loading_in_chunks_gives_the_same_table(make_database, monkeypatch):
    database = make_database("agency")
    monkeypatch.setattr(agency, "CHUNK_ROWS", 700)
    fill(database.url)
    with psycopg.connect(database.url) as connection:
        held = connection.execute("SELECT * FROM nhan_khau ORDER BY id").fetchall()
    assert held == generate(CITIZENS, seed=4)[0].rows()


def test_loading_again_changes_nothing_and_gives_the_same_truth(make_database, tmp_path):
    database = make_database("agency")
    fill(database.url, truth=tmp_path / "first.parquet")
    before = [table_digest(database.url, "public", table) for table in TABLES]
    fill(database.url, truth=tmp_path / "second.parquet")
    assert [table_digest(database.url, "public", table) for table in TABLES] == before
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "second.parquet").read_bytes()


def test_a_table_that_was_filled_keeps_its_truth_whatever_is_asked_later(make_database, tmp_path):
    database = make_database("agency")
    fill(database.url, truth=tmp_path / "truth.parquet")
    before = (tmp_path / "truth.parquet").read_bytes()
    steps = fill(database.url, truth=tmp_path / "truth.parquet", seed=99, citizens_wanted=10)
    assert (tmp_path / "truth.parquet").read_bytes() == before
    assert ("citizens", CITIZENS, CITIZENS) in steps


def test_a_load_that_breaks_half_way_leaves_no_citizen_and_can_be_repeated(make_database, monkeypatch):
    database = make_database("agency")
    monkeypatch.setattr(agency, "CHUNK_ROWS", 700)

    def pull_the_plug(stage, done, total):
        if stage == "citizens" and done >= 1_400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(database.url, citizens_wanted=CITIZENS, seed=4, reader=None, truth=None, progress=pull_the_plug)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) FROM nhan_khau").fetchone() == (0,)
    fill(database.url)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*), max(id) FROM nhan_khau").fetchone() == (CITIZENS, CITIZENS)


def test_the_next_citizen_gets_the_next_number(make_database):
    database = make_database("agency")
    fill(database.url)
    with psycopg.connect(database.url) as connection:
        row = connection.execute("INSERT INTO nhan_khau (ho_ten) VALUES ('x') RETURNING id").fetchone()
    assert row == (CITIZENS + 1,)


def test_the_reader_may_read_both_tables_and_write_neither(make_database):
    database = make_database("agency")
    reader = database.role("reader")
    fill(database.url, reader=database.user_of(reader))
    with psycopg.connect(reader, autocommit=True) as connection:
        for table in TABLES:
            assert connection.execute(f"SELECT count(*) > 0 FROM {table}").fetchone() == (True,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM {table}")


def test_without_a_grant_nobody_else_reads_a_row(make_database):
    database = make_database("agency")
    fill(database.url)
    with (
        psycopg.connect(database.role("stranger")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM nhan_khau")


def test_the_publication_holds_both_tables(make_database):
    database = make_database("agency")
    fill(database.url)
    with psycopg.connect(database.url) as connection:
        held = connection.execute(
            "SELECT tablename FROM pg_publication_tables WHERE pubname = 'lienthong'"
        ).fetchall()
    assert sorted(row[0] for row in held) == sorted(TABLES)


def test_the_command_tells_its_progress_in_json_lines(make_database, tmp_path):
    database = make_database("agency")
    code, lines = run_agency(database.url, "load", "--citizens", "1200", "--truth", str(tmp_path / "truth.parquet"))
    assert code == 0, lines
    steps = [json.loads(line) for line in lines]
    assert {"stage": "citizens", "done": 1200, "total": 1200} in steps
    assert {"stage": "enterprises", "done": 3943, "total": 3943} in steps
    assert steps[-1] == {"stage": "publication", "done": 1, "total": 1}
    assert (tmp_path / "truth.parquet").stat().st_size > 0


def test_a_refused_connection_ends_with_a_code_and_without_the_password(make_database):
    database = make_database("agency")
    url = database.server.url(database.name, database.owner, "not-the-password")
    code, lines = run_agency(url, "load", "--citizens", "1")
    assert code == 1
    assert json.loads(lines[-1])["stage"] == "refused"
    assert "not-the-password" not in "\n".join(lines)


@pytest.mark.parametrize(
    "arguments", [("load", "--citizens", "-1"), ("trickle", "--rate", "0"), ("load", "--citizens", "many"), ()]
)
def test_a_wrong_argument_is_refused(arguments):
    code, _ = run_agency("postgresql://nowhere.invalid/agency", *arguments)
    assert code == 2


def test_a_missing_address_is_refused_with_the_name_of_its_variable():
    code, lines = run_agency(None, "load")
    assert code == 2
    assert "LIENTHONG_AGENCY_URL" in lines[-1]


def test_the_mappings_decide_every_column_of_their_tables(make_database, tmp_path):
    database = make_database("agency")
    fill(database.url, citizens_wanted=1)
    code, lines = run_agency(None, "mappings", "--to", str(tmp_path / "mappings"))
    assert code == 0, lines
    with psycopg.connect(database.url) as connection:
        for table in TABLES:
            mapping = yaml.safe_load((tmp_path / "mappings" / f"{table}.yaml").read_text(encoding="utf-8"))
            cursor = connection.execute(f"SELECT * FROM {table} LIMIT 0")
            assert cursor.description is not None
            assert set(mapping["columns"]) == {column.name for column in cursor.description}
            assert mapping["table"] == f"public.{table}"
            for name, decision in mapping["columns"].items():
                assert decision["element"] != "none" or decision["reason"], name


def test_an_unchanged_mapping_file_is_not_written_again(tmp_path):
    run_agency(None, "mappings", "--to", str(tmp_path))
    before = (tmp_path / "nhan_khau.yaml").stat().st_mtime_ns
    run_agency(None, "mappings", "--to", str(tmp_path))
    assert (tmp_path / "nhan_khau.yaml").stat().st_mtime_ns == before
