"""Files for the tests of ``lienthong standardise``, and the command run in this process or in its own."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pyarrow.parquet
import typer
from typer.testing import CliRunner

from lienthong.cli.standardise import standardise
from lienthong.dictionary.load import load
from lienthong.dictionary.model import Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.wiring import files

COLUMNS = ("ma_so", "ten", "dia_chi", "von_dieu_le", "ngay_cap", "loai_hinh")
GOOD = (
    ("2000113222", "Công ty Một", "Số 1, đường A, Tỉnh Cà Mau", "1000000", "2020-03-07", "CTCP"),
    ("2000120999", "Công ty Hai", "Số 2, đường B, Tỉnh Cà Mau", "2000000", "07/03/2021", "DNTN"),
    ("2000125443", "Công ty Ba", "Số 3, đường C, Tỉnh Cà Mau", "3000000", "2022-03-07", "Công ty cổ phần"),
)

WORKED = (0, 3)

PROGRAM = """
import typer
from lienthong.cli.standardise import standardise
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(standardise)
app()
"""

MAPPING = """
source: any
table: public.any
dataset: doanh-nghiep
owner: Sở Tài chính
columns:
  ma_so: {element: MaSoDoanhNghiep}
  ten: {element: TenToChuc}
  dia_chi: {element: DiaChiTruSo}
  von_dieu_le: {element: VonDieuLe}
  ngay_cap: {element: NgayCapDangKy}
  loai_hinh: {element: LoaiHinhDoanhNghiep}
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the command said and left behind."""

    code: int
    told: dict[str, Any]
    folder: Path
    text: str
    kept: pl.DataFrame | None = None  # None: there is no such file, or not of this run
    quarantined: pl.DataFrame | None = None
    report: str | None = None

    @property
    def refused(self) -> str | None:
        return self.told.get("error", {}).get("code")

    @property
    def rows(self) -> tuple[int, int, int]:
        counts = self.told["rows"]
        return counts["read"], counts["written"], counts["quarantined"]

    @property
    def reasons(self) -> dict[int, list[str]]:
        assert self.quarantined is not None
        return dict(zip(self.quarantined["_row"].to_list(), self.quarantined["_reasons"].to_list(), strict=True))

    @property
    def notes(self) -> set[str]:
        return {note["kind"] for note in self.told["notes"]}


@dataclass(kw_only=True)
class Desk:
    """A folder with a file in it."""

    folder: Path
    arguments: list[str] = field(default_factory=list)

    @property
    def mapping(self) -> Path:
        path = self.folder / "mapping.yaml"
        path.write_text(MAPPING, encoding="utf-8")
        return path

    def put(self, content: bytes | str, name: str = "in.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, path: Path, *options: str, mapped: bool = True) -> Run:
        """Standardise a file through the command line, in this process."""
        result = invoke(*self.words(path, mapped=mapped), *options)
        return self._done(result.exit_code, result.stdout)

    def run_apart(self, path: Path, *options: str, before: Sequence[str] = ()) -> Run:
        """Standardise a file in a process of its own, ``before`` it the lines of a program."""
        program = "\n".join([*before, PROGRAM])
        words = [sys.executable, "-c", program, *self.words(path, mapped=True), *options]
        done = subprocess.run(words, capture_output=True, timeout=250, check=False)
        return self._done(done.returncode, done.stdout.decode())

    def left_behind(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def words(self, path: Path, *, mapped: bool) -> list[str]:
        words = [str(path), "--json", "--on", "2026-11-23", "-o", str(self.folder / "out.parquet")]
        words += ["--report", str(self.folder / "report.html")]
        return [*words, "--mapping", str(self.mapping)] if mapped else [*words, "--dataset", "doanh-nghiep"]

    def _done(self, code: int, text: str) -> Run:
        out, held, report = (self.folder / name for name in ("out.parquet", "out.quarantine.parquet", "report.html"))
        return Run(
            code=code,
            told=json.loads(text) if text.startswith("{") else {},
            text=text,
            folder=self.folder,
            kept=pl.read_parquet(out) if code in WORKED and out.exists() else None,
            quarantined=pl.read_parquet(held) if code in WORKED and held.exists() else None,
            report=report.read_text(encoding="utf-8") if code in WORKED and report.exists() else None,
        )


@functools.cache
def shipped_dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def invoke(*words: str) -> Any:
    """Run the command in this process; the dictionary is read once for all tests."""
    app = typer.Typer()
    app.command()(standardise)
    with mock.patch.object(files, "working_dictionary", shipped_dictionary):
        return CliRunner().invoke(app, list(words))


def csv_of(*rows: Sequence[str], header: Sequence[str] = COLUMNS) -> str:
    """Return rows as a CSV file, quoted where needed."""
    frame = pl.DataFrame(
        [dict(zip(header, row, strict=True)) for row in rows], schema=dict.fromkeys(header, pl.String)
    )
    return frame.write_csv()


def facts_of(path: Path) -> dict[str, str]:
    """Return the key-value facts of a Parquet file."""
    metadata = pyarrow.parquet.read_schema(path).metadata or {}
    return {key.decode(): text.decode() for key, text in metadata.items()}
