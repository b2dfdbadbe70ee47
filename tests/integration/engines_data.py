"""Rows with planted defects in the form every engine examines, and what each engine makes of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from check_samples import GOOD_ROW, batch, sample_dataset, sample_dictionary
from lienthong.check.engines import Examined, Judged, RuleEngine
from lienthong.check.examined import examined_rows
from lienthong.check.program import RECORD_ID, RuleProgram, compile_program
from lienthong.check.rule_set import derive_rules
from lienthong.dictionary.load import load
from lienthong.dictionary.shipped import shipped_folder
from lienthong.pipeline.file_run import build_way, to_records
from lienthong.sources.mapping_file import parse_mapping
from lienthong.testing import citizens

ENTERPRISE_COLUMNS = [
    "ma_so",
    "ten",
    "dia_chi",
    "quan_huyen",
    "von_dieu_le",
    "nganh_chinh",
    "nganh_nghe",
    "ngay_cap",
    "loai_hinh",
]
AGENCY = resources.files("lienthong.testing.agency")
DAY = date(2026, 11, 23)
CITIZENS = 20_000
ENTERPRISES_REPEATED = 4  # times the rows of the extract, so that there are tens of thousands


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table to be examined, and the program for it."""

    name: str
    program: RuleProgram
    rows: pl.DataFrame

    def write(self, folder: Path, *, files: int = 1) -> Examined:
        """Put the rows into Parquet files."""
        share = -(-self.rows.height // files)
        paths = []
        for place in range(files):
            path = folder / f"{self.name}-{place}.parquet"
            self.rows.slice(place * share, share).write_parquet(path, row_group_size=3_000)
            paths.append(str(path))
        return Examined(paths=tuple(paths), rows=self.rows.height)


def outcome_of(engine: RuleEngine, source: Examined, program: RuleProgram) -> tuple[pl.DataFrame, Judged]:
    """Return every row with its judgement and what a finding may show, by record."""
    told: list[pl.DataFrame] = []
    judged = engine.run(source, program, found=told.append, every=True)
    columns = [RECORD_ID, "_judgement", *program.shown]
    return pl.concat([each.select(columns) for each in told]).sort(RECORD_ID), judged


def must_agree(engine: RuleEngine, table: Table, source: Examined, reference: tuple[pl.DataFrame, Judged]) -> None:
    """Hold an engine against another: every letter, every shown value, every finding with its mask."""
    rows, judged = outcome_of(engine, source, table.program)
    assert_frame_equal(rows, reference[0])
    assert as_json(judged) == as_json(reference[1])
    assert judged.rows == source.rows
    told: list[pl.DataFrame] = []
    engine.run(source, table.program, found=told.append)
    expected = table.program.findings(reference[0])
    assert expected.height > 100
    suspect = pl.concat([each.select(rows.columns) for each in told]).sort(RECORD_ID)
    assert_frame_equal(table.program.findings(suspect), expected)


def residents() -> Table:
    frame, _ = citizens.generate(CITIZENS, seed=214)
    return _standardised("nhan_khau", frame.select(pl.all().cast(pl.String)))


def enterprises() -> Table:
    """Take the extract several times, and break every seventh value of each column in a way of its own."""
    packed = (AGENCY / "enterprises_ca_mau.csv.gz").read_bytes()
    given = pl.read_csv(gzip.decompress(packed), infer_schema=False, new_columns=ENTERPRISE_COLUMNS)
    frame = pl.concat([given] * ENTERPRISES_REPEATED).with_row_index("place")
    # Copies of a number are duplicates; most rows get a number of their own that keeps its shape.
    number = pl.col("ma_so")
    frame = frame.with_columns(
        pl.when(pl.col("place") >= given.height)
        .then(number.str.head(4) + (pl.col("place") % 1_000_000).cast(pl.String).str.zfill(6))
        .otherwise(number)
        .alias("ma_so"),
        *(
            pl.when(pl.col("place") % 7 == at).then(pl.lit(spoiled)).otherwise(pl.col(name)).alias(name)
            for at, (name, spoiled) in enumerate(
                [("nganh_nghe", "4661, 99999, 0111"), ("von_dieu_le", "-5"), ("ngay_cap", "31/02/2020"), ("ten", "?")]
            )
        ),
    )
    return _standardised("doanh_nghiep", frame.rename({"place": "id"}).cast(pl.String))


def _standardised(name: str, rows: pl.DataFrame) -> Table:
    dictionary = load(shipped_folder("dictionary"))
    text = (AGENCY / "mappings" / f"{name}.yaml").read_text(encoding="utf-8")
    way = build_way(dictionary, parse_mapping(text, path="mapping", dictionary=dictionary), on=DAY)
    lines = pl.int_range(2, rows.height + 2, eager=True, dtype=pl.Int64)
    damaged = pl.Series([[] if each % 501 else ["ten"] for each in range(rows.height)], dtype=pl.List(pl.String))
    records, standardised, texts = to_records(rows, lines, damaged, way)
    program = way.checker.program
    examined = examined_rows(records, program, oversized=standardised.oversized, texts=texts)
    return Table(name=name, program=program, rows=examined)


def strange() -> Table:
    """Rows of the sample dictionary on every edge of its code lists, days, lists of codes and texts."""
    dictionary, dataset = sample_dictionary(), sample_dataset()
    rows: list[dict[str, Any]] = []
    times: list[datetime | None] = []
    for day in (None, date(1899, 12, 31), date(2025, 6, 30), date(2025, 7, 1), date(2027, 1, 1), date(9999, 12, 31)):
        for code in ("00001", "26734", "25741", "99999", "12345", "", None):
            for codes in (["0111"], ["0111", "46610"], ["0111", "5022", "x"], ["5022", "5022"], [], None):
                rows.append({**GOOD_ROW, "ngay_lap": day, "ma_xa_thuong_tru": code, "nganh_nghe": codes})
                times.append(None if len(rows) % 3 == 0 else datetime(2025, 6, 30, 10 + len(rows) % 12, tzinfo=UTC))
    spoiled = {
        "so_dinh_danh": ["079190012345\n", "٣" * 12, "0 79190012345", "'; DROP TABLE x; --"],
        "ho_va_ten": ["Nguy?n", 'O\'Neil \\ "x"', "tab\tline\nend", "e\u0301", "%_", "-"],
        "ngay_sinh": ["1990", "2027-01", "1990-07-03"],
        "ma_so_thue": ["0100109107", "0100109106-000", "0100109106-001"],
        "so_nguoi": [0, -1, 101, 10**15],
        "von_dieu_le": ["-0.01", "1000.50", "1000.51"],
        "tu_khoa": [["abcd"], ["", "a"], []],
        "ma_ho_so": ["AB-1", "AB-1", "A", None],
    }
    for name, values in spoiled.items():
        rows += [{**GOOD_ROW, name: value} for value in values]
        times += [None if place % 2 else datetime(2026, 3, 10, 3, tzinfo=UTC) for place in range(len(values))]
    program = compile_program(dictionary, derive_rules(dictionary, dataset))
    marks = pl.Series([[] if each % 5 else ["anh"] for each in range(len(rows))], dtype=pl.List(pl.String))
    records = batch(dictionary, dataset, rows, times=times)
    return Table(name="mau", program=program, rows=examined_rows(records, program, oversized=marks))


def broken(table: Table) -> Table:
    """Return the table with a column of another type than was promised: rules that read it cannot run."""
    rows = table.rows.with_columns(so_nguoi=pl.lit("bảy"))
    return Table(name="broken", program=table.program, rows=rows)


def as_json(judged: Judged) -> str:
    """Return counts and rules that could not run, to be compared."""
    counts = [
        [each.rule.name, each.passed, each.failed, each.not_applicable, each.not_evaluated]
        for each in judged.outcomes
    ]
    return json.dumps([judged.rows, counts, sorted(judged.broken)])


TABLES: dict[str, Callable[[], Table]] = {"nhan_khau": residents, "doanh_nghiep": enterprises, "mau": strange}
