"""A run that is killed leaves files; the next one with the same output removes them, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from files_made import GOOD, Desk, csv_of

from lienthong.adapters.files.leftovers import MARKER, remove_leftovers
from lienthong.adapters.files.output import Outputs

SCHEMA = {"a": pl.String()}
WRITER = """
import sys
from pathlib import Path
import polars as pl
from lienthong.adapters.files.output import Outputs

with Outputs() as outputs:
    keep = outputs.table(Path(sys.argv[1]), {"a": pl.String()}, {})
    keep(pl.DataFrame({"a": ["x"]}))
    outputs.text(Path(sys.argv[1]).with_name("report.html"), "half")
    print("writing", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def writing(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that is in the middle of writing to a place."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        try:
            yield process
        finally:
            process.kill()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(".")}


def test_a_killed_run_leaves_files_and_the_next_one_removes_them(tmp_path: Path) -> None:
    desk = Desk(folder=tmp_path)
    with writing(tmp_path / "out.parquet") as process:
        kill(process)
    assert len(hidden(tmp_path)) == 4  # table and report, each with its marker
    done = desk.run(desk.put(csv_of(*GOOD)))
    assert done.code == 0, done.text
    assert hidden(tmp_path) == set()
    assert done.kept is not None
    assert done.kept.height == 3


def test_what_a_running_process_writes_is_left_alone(tmp_path: Path) -> None:
    with writing(tmp_path / "out.parquet") as process:
        before = hidden(tmp_path)
        assert remove_leftovers(tmp_path / "out.parquet") == 0
        with Outputs() as outputs:
            outputs.table(tmp_path / "out.parquet", SCHEMA, {})(pl.DataFrame({"a": ["y"]}))
            outputs.commit()
        assert hidden(tmp_path) == before
        assert str(process.pid) in "".join(before)


def test_files_that_only_look_alike_are_left_alone(tmp_path: Path) -> None:
    look_alikes = {
        ".out.parquet.77.part": b"of somebody else, without a marker",
        ".out.parquet.78.part": b"with a marker of another program",
        ".out.parquet.78.part.run": b"another program\n",
        ".other.parquet.79.part": b"of another output",
        ".other.parquet.79.part.run": MARKER,
        ".out.parquet.x.part.run": MARKER,
    }
    for name, content in look_alikes.items():
        (tmp_path / name).write_bytes(content)
    assert remove_leftovers(tmp_path / "out.parquet") == 0
    assert hidden(tmp_path) == set(look_alikes)


def test_a_marker_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(MARKER)
    (tmp_path / ".out.parquet.77.part.run").symlink_to(target)
    assert remove_leftovers(tmp_path / "out.parquet") == 0
    assert target.read_bytes() == MARKER


def test_leftovers_are_removed_with_both_files_of_a_rewriting(tmp_path: Path) -> None:
    for name in (".out.parquet.77.part", ".out.parquet.77.part.2"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".out.parquet.77.part.run").write_bytes(MARKER)
    assert remove_leftovers(tmp_path / "out.parquet") == 1
    assert hidden(tmp_path) == set()


@pytest.mark.parametrize("whole", [True, False])
def test_a_run_that_ends_leaves_no_marker(tmp_path: Path, whole: bool) -> None:
    with Outputs() as outputs:
        outputs.table(tmp_path / "out.parquet", SCHEMA, {})(pl.DataFrame({"a": ["y"]}))
        if whole:
            outputs.commit()
    assert hidden(tmp_path) == set()
    assert (tmp_path / "out.parquet").exists() is whole


def test_no_handle_stays_open_after_a_run(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with Outputs() as outputs:
            outputs.table(tmp_path / "out.parquet", SCHEMA, {})
    assert len(list(Path("/proc/self/fd").iterdir())) == before
