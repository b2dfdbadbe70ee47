"""Measure ``lienthong standardise``: CPU seconds per million rows and peak memory, beside a plain copy to Parquet.

    python benchmarks/standardise_file.py --rows 1000000

Each case runs in a process of its own, so that its peak is its own. ``five_columns`` maps five columns of the citizen
table (name, birth date, sex, commune, phone) and the number; ``all_columns`` maps eleven. The reference reads the same
CSV file as text and writes it as Parquet with Polars, without looking at a value.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib import resources
from pathlib import Path

import polars as pl

from lienthong.testing import citizens
from lienthong.wiring import files

CHUNK_ROWS = 200_000
FIVE = ("HoVaTen", "NgaySinh", "GioiTinh", "MaXaThuongTru", "SoDienThoai")
NEEDED = ("SoDinhDanh", "MaTinhThuongTru")  # the dataset cannot do without
CASES = ("reference", "five_columns", "all_columns", "all_columns_parquet")
DAY = date(2026, 11, 23)


def make(folder: Path, rows: int) -> None:
    with (folder / "people.csv").open("wb") as file:
        for first in range(0, rows, CHUNK_ROWS):
            frame, _ = citizens.generate(min(CHUNK_ROWS, rows - first), seed=214, first=first, of=rows)
            frame.write_csv(file, include_header=first == 0)
    pl.scan_csv(folder / "people.csv", infer_schema=False).sink_parquet(folder / "people.parquet")


def mapping(folder: Path, *, five: bool) -> Path:
    text = (resources.files("lienthong.testing.agency") / "mappings" / "nhan_khau.yaml").read_text(encoding="utf-8")
    if five:
        lines = []
        for line in text.splitlines():
            mapped = "{element: " in line and "none" not in line
            keep = not mapped or any(f"element: {name}" in line for name in (*FIVE, *NEEDED))
            lines.append(line if keep else f"{line.partition('{')[0]}{{element: none, reason: not measured}}")
        text = "\n".join(lines)
    path = folder / f"mapping-{five}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def peak_mb() -> int:
    with Path("/proc/self/status").open() as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM"))) // 1024


def one(case: str, folder: Path) -> dict[str, object]:
    source = folder / ("people.parquet" if case.endswith("parquet") else "people.csv")
    if case == "reference":
        cpu, wall = time.process_time(), time.perf_counter()
        pl.scan_csv(source, infer_schema=False).sink_parquet(folder / "copy.parquet")
        told: dict[str, object] = {}
    else:
        request = files.Request(
            path=source, mapping=mapping(folder, five=case == "five_columns"), output=folder / f"{case}.out", on=DAY
        )
        cpu, wall = time.process_time(), time.perf_counter()
        done = files.standardise_file(request, progress=lambda *_: None)
        told = {"rows_read": done.read, "rows_written": done.kept, "rows_quarantined": done.quarantined}
    return {
        "cpu_s": round(time.process_time() - cpu, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        "peak_mb": peak_mb(),
        **told,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.case is not None:
        print(json.dumps(one(given.case, given.folder)))
        return
    report: dict[str, object] = {"benchmark": "standardise_file", "rows": given.rows, "polars": pl.__version__}
    with tempfile.TemporaryDirectory(prefix="lienthong-benchmark-") as place:
        folder = Path(place)
        make(folder, given.rows)
        report["csv_bytes"] = (folder / "people.csv").stat().st_size
        for case in CASES:
            words = [sys.executable, __file__, "--case", case, "--folder", place]
            measured = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            measured["cpu_s_per_million_rows"] = round(measured["cpu_s"] * 1_000_000 / given.rows, 3)
            report[case] = measured
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
