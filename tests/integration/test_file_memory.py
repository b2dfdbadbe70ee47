"""Memory depends on the size of a block and not on the size of the file, also when a quote is never closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_made import COLUMNS, GOOD, Desk

SMALL_BYTES = 16_000_000
LARGE_BYTES = 64_000_000
GROWTH_MAX_MB = 130  # four times the rows; kept in memory, these rows and what is made of them take 300 MB and more

PEAK = """
import atexit
def told():
    with open("/proc/self/status") as status, open(PLACE, "w") as place:
        place.write(next(line.split()[1] for line in status if line.startswith("VmHWM")))
atexit.register(told)
"""


def table(path: Path, size: int, *, begins: str) -> int:
    """Write rows without a quote up to a size; returns how many rows there are."""
    tail = ",".join(cell.replace(",", "") for cell in GOOD[0][1:])
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n" + begins)
        while file.tell() < size:
            file.write("".join(f"{number:010},{tail}\n" for number in range(rows, rows + 10_000)))
            rows += 10_000
    return rows


@pytest.mark.parametrize(
    "begins", ["", '2000113222,"Mở mà không đóng,x,1,2020-01-01,CTCP\n'], ids=["whole", "broken"]
)
def test_four_times_the_rows_take_no_more_memory(tmp_path: Path, begins: str):
    peaks = []
    for size in (SMALL_BYTES, LARGE_BYTES):
        folder = tmp_path / str(size)
        folder.mkdir()
        desk = Desk(folder=folder)
        rows = table(folder / "in.csv", size, begins=begins)
        done = desk.run_apart(folder / "in.csv", before=[f"PLACE = {str(folder / 'peak')!r}", PEAK])
        assert done.code == 0, done.text
        assert done.rows[0] == rows + bool(begins)
        peaks.append(int((folder / "peak").read_text()) // 1024)
        if begins:
            assert done.reasons[2] == ["broken-quote"]
    assert peaks[1] - peaks[0] < GROWTH_MAX_MB, peaks
