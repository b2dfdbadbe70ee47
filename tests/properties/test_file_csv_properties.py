"""Whatever a CSV file holds, and wherever its blocks are cut, every line is accounted for and rows come out the same."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.adapters.files.csv_table import CsvTable
from lienthong.sources.file_block import Flaw

WIDTH = 3
HEADER = "một,hai,ba\n"

cells = st.text(
    st.one_of(st.sampled_from('ab",; \n\r\tđ0'), st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    max_size=8,
)
tables = st.lists(st.lists(cells, min_size=WIDTH, max_size=WIDTH), max_size=12)
damage = st.lists(
    st.one_of(st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"\xff", b"\0", b'""', b"x,y,z\n", b'1,"a",b\n']), st.binary(max_size=4)),
    max_size=40,
)  # fmt: skip
block_sizes = st.integers(1, 40)


def read(
    content: bytes, block_bytes: int
) -> tuple[list[tuple[int, tuple[str, ...]]], list[tuple[int, str, str]], int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes(content)
        table = CsvTable.open(path, encoding="utf-8", delimiter="comma", header_row=1, block_bytes=block_bytes)
        rows: list[tuple[int, tuple[str, ...]]] = []
        flawed: list[tuple[int, str, str]] = []
        blank = 0
        for block in table.blocks():
            rows += list(zip(block.lines.to_list(), block.rows.rows(), strict=True))
            flawed += block.flawed.rows()
            blank += block.blank
    return rows, flawed, blank


@settings(deadline=None)
@given(tables, block_sizes)
def test_what_was_written_whole_is_read_whole(table: list[list[str]], block_bytes: int):
    text = io.StringIO(newline="")
    # The standard library leaves a lone CR bare, which at the end of a line nobody can tell from CR LF.
    returns = any("\r" in cell for row in table for cell in row)
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL).writerows(table)
    rows, flawed, blank = read((HEADER + text.getvalue()).encode(), block_bytes)
    hides = any(
        line.count(",") == WIDTH - 1
        for row in table
        for cell in row
        for line in cell.replace('"', '""').split("\n")[1:-1]
    )
    if not hides:  # a cell that holds whole rows is taken for a broken quote, on purpose
        assert not flawed
        wanted = [tuple(row) for row in table if any(row)]
        assert [row for _, row in rows] == wanted
        assert blank == len(table) - len(wanted)


@settings(deadline=None)
@given(damage, block_sizes, block_sizes)
def test_where_the_blocks_are_cut_changes_nothing(parts: list[bytes], first: int, second: int):
    content = HEADER.encode() + b"".join(parts)
    assert read(content, first) == read(content, second)


@settings(deadline=None)
@given(damage, block_sizes)
def test_every_row_is_told_once_and_by_its_line(parts: list[bytes], block_bytes: int):
    content = HEADER.encode() + b"".join(parts)
    rows, flawed, _ = read(content, block_bytes)
    lines = [line for line, _ in rows] + [line for line, _, _ in flawed]
    assert len(set(lines)) == len(lines)
    assert all(2 <= line <= content.count(b"\n") + 1 for line in lines)
    assert {flaw for _, flaw, _ in flawed} <= {flaw.value for flaw in Flaw}
    assert [line for line, _ in rows] == sorted(line for line, _ in rows)


@settings(deadline=None)
@given(tables, st.integers(0, 12), block_sizes)
def test_one_broken_quote_costs_one_line(table: list[list[str]], place: int, block_bytes: int):
    clean = [[cell.translate({ord(sign): "_" for sign in '",\n\r'}) + "x" for cell in row] for row in table]
    lines = [",".join(row) for row in clean]
    lines.insert(min(place, len(lines)), 'a,"never closed,b')
    rows, flawed, blank = read((HEADER + "\n".join(lines) + "\n").encode(), block_bytes)
    assert [row for _, row in rows] == [tuple(row) for row in clean]
    assert [(line, flaw) for line, flaw, _ in flawed] == [(min(place, len(clean)) + 2, Flaw.BROKEN_QUOTE.value)]
    assert blank == 0
