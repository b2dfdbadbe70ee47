"""Columns and files of codes get the answers each code gets alone: one, several or unknown, and never a silent pick."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import orjson
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from lienthong.cli.codes import app
from lienthong.dictionary.code_columns import NO_DAY, CodeColumns
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeList, CodeListId
from lienthong.dictionary.shipped import shipped_folder

TO = date(2026, 9, 1)
HEADER = ["ma_xa", "ngay", "ten"]
ROWS = [
    ["00004", "2025-01-10", "một"],
    ["00016", "2024-01-01", "hai"],
    ["99999", "2024-01-01", "không có mã"],
    ["", "2024-01-01", "trống"],
    ["00004", "10/01/2025", "ngày viết khác"],
    ["00004", "", "không ngày"],
]


@pytest.fixture(scope="module")
def communes() -> CodeList:
    return load(shipped_folder("dictionary")).code_lists[CodeListId("don-vi-hanh-chinh-xa")]


def some(communes: CodeList, rows: int = 3_000) -> tuple[pl.Series, pl.Series]:
    chance = random.Random(7)
    codes = sorted({one.code for one in communes.codes} | {one.code for one in communes.sightings})
    turning = sorted({one.valid_to for one in communes.codes if one.valid_to is not None})
    between = [one.seen_to + timedelta(days=1) for one in communes.sightings]
    near = [day + timedelta(days=shift) for day in turning for shift in (-1, 0, 1)]
    days = [*between, *near, *(date(1990, 1, 1) + timedelta(days=chance.randrange(15_000)) for _ in range(len(near)))]
    return pl.Series(chance.choices(codes, k=rows)), pl.Series(chance.choices(days, k=rows))


@pytest.mark.parametrize("to", [date(2004, 5, 1), date(2025, 6, 30), date(2025, 7, 1), TO], ids=str)
@pytest.mark.parametrize("for_people", [False, True])
def test_a_column_is_converted_as_each_code_alone(communes: CodeList, *, to: date, for_people: bool) -> None:
    codes, days = some(communes)
    columns = CodeColumns.conversions(communes, to_date=to, for_people=for_people)
    told = columns.answer(codes, days).rows()
    assert told == [columns.ask(code, day) for code, day in zip(codes, days, strict=True)]
    assert {row[0] for row in told} == {"one", "several", "unknown"}


def test_a_column_means_what_each_code_means_alone(communes: CodeList) -> None:
    codes, days = some(communes)
    columns = CodeColumns.meanings(communes)
    told = columns.answer(codes, days).rows()
    assert told == [columns.ask(code, day) for code, day in zip(codes, days, strict=True)]
    assert {row[0] for row in told} == {"one", "several", "unknown"}


def test_a_second_column_gets_the_same_answers_from_what_is_remembered(communes: CodeList) -> None:
    codes, days = some(communes)
    columns = CodeColumns.conversions(communes, to_date=TO)
    columns.answer(codes.head(100), days.head(100))
    assert columns.answer(codes, days).equals(CodeColumns.conversions(communes, to_date=TO).answer(codes, days))


def test_nothing_is_said_without_a_code_and_nothing_is_known_without_a_day(communes: CodeList) -> None:
    columns = CodeColumns.conversions(communes, to_date=TO)
    told = columns.answer(pl.Series(["00004", None, "no"]), pl.Series([None, TO, None], dtype=pl.Date))
    assert told["kind"].to_list() == ["unknown", None, "unknown"]
    assert told["reason"].to_list() == [NO_DAY, None, NO_DAY]
    assert told["candidates"].to_list() == [[], None, []]


def test_one_day_may_stand_for_all_rows(communes: CodeList) -> None:
    columns = CodeColumns.meanings(communes)
    codes = pl.Series(["00008", "00008"])
    one = columns.answer(codes, date(2024, 1, 1))
    assert one["label"].to_list() == ["Phường Liễu Giai"] * 2
    assert columns.answer(codes, date(2026, 1, 1))["label"].to_list() == ["Phường Ngọc Hà"] * 2


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def csv_file(folder: Path, rows: Sequence[Sequence[str]] = ROWS) -> Path:
    path = folder / "ho-so.csv"
    path.write_text("".join(",".join(row) + "\n" for row in [HEADER, *rows]), encoding="utf-8")
    return path


def convert(path: Path, output: Path, *words: str) -> Result:
    days = () if "--from" in words else ("--from-column", "ngay")
    return run(
        "convert", "--file", path, "--column", "ma_xa", "--list", "commune", *days, "--to", "2026-01-01",
        "-o", output, *words,
    )  # fmt: skip


def test_a_file_keeps_its_rows_and_gains_the_answers(tmp_path: Path) -> None:
    done = convert(csv_file(tmp_path), tmp_path / "ra.parquet", "--json")
    assert done.exit_code == 3
    told = orjson.loads(done.stdout)
    assert told["rows"] == len(ROWS)
    assert told["outcomes"] == {"one": 1, "several": 1, "unknown": 3}
    assert told["reasons"] == {NO_DAY: 2, "not-in-force": 1}
    assert told["empty"] == 1
    rows = pl.read_parquet(tmp_path / "ra.parquet")
    assert rows["ten"].to_list() == [row[2] for row in ROWS]
    assert rows["outcome"].to_list() == ["one", "several", "unknown", None, "unknown", "unknown"]
    alone = [orjson.loads(run("convert", code, "--from", day, "--to", "2026-01-01", "--json").stdout)
             for code, day, _ in ROWS[:2]]  # fmt: skip
    assert rows["candidates"].to_list()[:2] == [[one["code"] for one in each["candidates"]] for each in alone]
    assert rows["answer"].to_list() == [alone[0]["candidates"][0]["code"], None, None, None, None, None]


def test_a_csv_output_says_the_same_with_candidates_side_by_side(tmp_path: Path) -> None:
    convert(csv_file(tmp_path), tmp_path / "ra.parquet")
    convert(csv_file(tmp_path), tmp_path / "ra.csv")
    written = pl.read_csv(tmp_path / "ra.csv", infer_schema=False)
    kept = pl.read_parquet(tmp_path / "ra.parquet")
    assert written.columns == kept.columns
    assert written["answer"].to_list() == kept["answer"].to_list()
    assert written["candidates"].to_list()[1] == "|".join(kept["candidates"].to_list()[1])


def test_a_parquet_file_with_real_days_is_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"ma_xa": ["00008", "00008"], "ngay": [date(2024, 1, 1), date(2026, 1, 1)]})
    frame.write_parquet(tmp_path / "a.parquet")
    done = run(
        "lookup", "--file", tmp_path / "a.parquet", "--column", "ma_xa", "--list", "commune", "--on-column", "ngay",
        "-o", tmp_path / "b.parquet",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert pl.read_parquet(tmp_path / "b.parquet")["answer"].to_list() == ["Phường Liễu Giai", "Phường Ngọc Hà"]


def test_a_million_bytes_of_rows_in_several_blocks_lose_none(tmp_path: Path) -> None:
    rows = [ROWS[0]] * 400_000
    done = convert(csv_file(tmp_path, rows), tmp_path / "ra.parquet", "--json")
    assert done.exit_code == 0, done.output
    assert orjson.loads(done.stdout)["outcomes"]["one"] == len(rows)
    assert pl.scan_parquet(tmp_path / "ra.parquet").select(pl.len()).collect().item() == len(rows)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["convert", "00004", "--file", "a.csv", "--to", "2026-01-01"], "a code is given too"),
        (["convert", "--file", "a.csv", "--to", "2026-01-01"], "--column"),
        (["convert", "--file", "a.csv", "--column", "x", "--to", "2026-01-01"], "--list"),
        (["convert", "--file", "a.csv", "--column", "x", "--list", "commune", "--to", "2026-01-01"], "--output"),
        (["convert", "--to", "2026-01-01"], "nothing is asked"),
        (["convert", "00004", "--to", "2026-01-01"], "--from"),
        (["lookup"], "nothing is asked"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], told: str) -> None:
    done = run(*words)
    assert done.exit_code == 1
    assert told in done.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ma_xa,ngay\n00004,2025-01-10,thừa\n", "line 2"),
        ("ma,ngay\n00004,2025-01-10\n", "no column ma_xa"),
        ("ma_xa,nam\n00004,2025\n", "no column ngay"),
        ("ma_xa,ngay,answer\n00004,2025-01-10,x\n", "a column answer already"),
        ("ma_xa,ngay\n", "no rows"),
    ],
)
def test_a_file_that_cannot_be_answered_leaves_nothing_behind(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "ho-so.csv"
    path.write_text(text, encoding="utf-8")
    done = convert(path, tmp_path / "ra.parquet")
    assert done.exit_code == 1
    assert told in done.output.replace("\n", " ")
    assert [one.name for one in tmp_path.iterdir()] == ["ho-so.csv"]


def test_one_day_and_a_column_of_days_together_are_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path)
    done = run(
        "convert", "--file", path, "--column", "ma_xa", "--list", "commune", "--from", "2025-01-10",
        "--from-column", "ngay", "--to", "2026-01-01", "-o", tmp_path / "ra.csv",
    )  # fmt: skip
    assert done.exit_code == 1
    assert "not both" in done.output.replace("\n", " ")


def test_an_output_that_exists_is_not_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "ra.csv").write_text("mine", encoding="utf-8")
    assert convert(csv_file(tmp_path), tmp_path / "ra.csv").exit_code == 1
    assert (tmp_path / "ra.csv").read_text("utf-8") == "mine"
    assert convert(csv_file(tmp_path), tmp_path / "ra.csv", "--force").exit_code == 3
