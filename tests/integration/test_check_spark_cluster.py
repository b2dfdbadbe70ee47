"""Apache Spark with two executors in processes of their own gives what one process gives, also when one is killed.

All tests share one cluster, which takes its time to start: they belong to one worker (``--dist loadgroup``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from edges_asked import GROUPS, by_spark, wrong
from engines_data import AGENCY, CITIZENS, DAY, TABLES, as_json, outcome_of
from polars.testing import assert_frame_equal
from spark_opened import EXECUTORS, NOISE, Cluster, Require, cluster

from lienthong.adapters.files.checking import PolarsEngine
from lienthong.adapters.spark.checking import SparkEngine
from lienthong.pipeline.file_run import ROW
from lienthong.testing import citizens
from lienthong.wiring.distributed import ArrowStandardiser

PARTS = 12  # tasks of the run in which an executor dies: enough for a middle
MIDDLE_S_MAX = 120
RUN_S_MAX = 240

pytestmark = [pytest.mark.filterwarnings(*NOISE), pytest.mark.xdist_group("spark"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def running(require: Require, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(require, tmp_path_factory.mktemp("spark")) as opened:
        yield opened


def test_the_rule_language_has_the_same_edges(running: Cluster) -> None:
    assert [told for group in GROUPS for told in wrong(group, by_spark(running.session, group))] == []


@pytest.mark.parametrize("name", ["doanh_nghiep", "mau"])
def test_findings_are_the_same_row_by_row(running: Cluster, tmp_path: Path, name: str) -> None:
    table = TABLES[name]()
    source = table.write(tmp_path, files=3)
    rows, judged = outcome_of(SparkEngine(session=running.session), source, table.program)
    expected, counted = outcome_of(PolarsEngine(), source, table.program)
    assert_frame_equal(rows, expected)
    assert as_json(judged) == as_json(counted)
    assert_frame_equal(table.program.findings(rows), table.program.findings(expected))


def shuffled(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("shuffle_*") if path.is_file()}


def test_an_executor_that_dies_in_the_middle_of_a_run_changes_nothing(running: Cluster, tmp_path: Path) -> None:
    table = TABLES["nhan_khau"]()
    source = table.write(tmp_path, files=PARTS)
    expected, counted = outcome_of(PolarsEngine(), source, table.program)
    running.session.conf.set("spark.sql.files.openCostInBytes", "128m")  # a task for every file
    before = {each.pid for each in running.executors()}
    assert len(before) == EXECUTORS
    written = shuffled(running.folder)
    found: list[Any] = []
    engine = SparkEngine(session=running.session)
    run = threading.Thread(target=lambda: found.append(outcome_of(engine, source, table.program)))
    run.start()
    until = time.monotonic() + MIDDLE_S_MAX
    while time.monotonic() < until and run.is_alive() and not shuffled(running.folder) - written:
        time.sleep(0.02)
    assert run.is_alive(), "the run ended before anything could happen to it"
    victim = running.executors()[0]  # what it has written so far dies with it
    victim.kill()
    victim.wait(30)
    run.join(RUN_S_MAX)
    assert found, "the run did not survive"
    rows, judged = found[0]
    assert_frame_equal(rows, expected)
    assert as_json(judged) == as_json(counted)
    assert victim.pid in before


def test_the_standardisers_give_what_one_process_gives(running: Cluster) -> None:
    mapping = (AGENCY / "mappings" / "nhan_khau.yaml").read_text(encoding="utf-8")
    work = ArrowStandardiser(mapping=mapping, on=DAY).pinned()
    frame, _ = citizens.generate(CITIZENS // 10, seed=7)
    texts = frame.select(pl.all().cast(pl.String)).with_columns(pl.int_range(2, pl.len() + 2).alias(ROW))
    given = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    rows = running.session.createDataFrame(given).repartition(4)
    done = pl.DataFrame(rows.mapInArrow(work, work.spark_schema).toArrow()).sort(ROW)
    alone = pl.DataFrame(pa.Table.from_batches(work(given.to_batches())))
    assert_frame_equal(done, alone.select(done.columns))
