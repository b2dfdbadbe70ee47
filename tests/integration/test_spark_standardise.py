"""A distributed engine gives the very bytes that one process gives, however the rows are dealt out."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from lienthong.pipeline.file_run import ROW
from lienthong.testing import citizens
from lienthong.wiring.distributed import ArrowStandardiser

ROWS = 12_000
PARTS = 5
MAPPINGS = resources.files("lienthong.testing.agency") / "mappings"


@pytest.fixture(scope="module")
def work() -> ArrowStandardiser:
    mapping = (MAPPINGS / "nhan_khau.yaml").read_text(encoding="utf-8")
    return ArrowStandardiser(mapping=mapping, on=date(2026, 11, 23)).pinned()


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    frame, _ = citizens.generate(ROWS, seed=214)
    texts = frame.select(pl.all().cast(pl.String)).with_columns(pl.int_range(2, ROWS + 2, dtype=pl.Int64).alias(ROW))
    table = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(pa.schema([(name, pa.int64() if name == ROW else pa.string()) for name in table.schema.names]))


def in_one_process(work: ArrowStandardiser, rows: pa.Table) -> pa.Table:
    return pa.Table.from_batches(work(rows.combine_chunks().to_batches()))


def as_bytes(table: pa.Table, schema: pa.Schema) -> bytes:
    """Return the Parquet file of some rows in the order of their lines."""
    buffer = io.BytesIO()
    parquet.write_table(table.select(schema.names).cast(schema).sort_by(ROW).combine_chunks(), buffer)
    return buffer.getvalue()


def test_the_size_of_batches_does_not_matter(work: ArrowStandardiser, rows: pa.Table) -> None:
    dealt = [batch for start in range(0, ROWS, 977) for batch in rows.slice(start, 977).combine_chunks().to_batches()]
    apart = pa.Table.from_batches(work(dealt))
    assert as_bytes(apart, work.schema) == as_bytes(in_one_process(work, rows), work.schema)


def test_the_work_travels_as_a_pickle_to_another_process(
    work: ArrowStandardiser, rows: pa.Table, tmp_path: Path
) -> None:
    import pickle

    (tmp_path / "work").write_bytes(pickle.dumps(work))
    with pa.OSFile(str(tmp_path / "rows"), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)
    program = (
        "import pickle, sys, pyarrow as pa\n"
        "work = pickle.load(open(sys.argv[1] + '/work', 'rb'))\n"
        "rows = pa.ipc.open_file(sys.argv[1] + '/rows').read_all()\n"
        "done = pa.Table.from_batches(work(rows.to_batches(max_chunksize=3000)))\n"
        "with pa.OSFile(sys.argv[1] + '/done', 'wb') as file, pa.ipc.new_file(file, done.schema) as writer:\n"
        "    writer.write_table(done)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=120)
    elsewhere = pa.ipc.open_file(str(tmp_path / "done")).read_all()
    assert as_bytes(elsewhere, work.schema) == as_bytes(in_one_process(work, rows), work.schema)


def test_a_worker_with_another_dictionary_refuses(work: ArrowStandardiser, rows: pa.Table) -> None:
    from lienthong.sources.file_refusals import DictionaryDiffers

    other = ArrowStandardiser(mapping=work.mapping, on=work.on, digest="0" * 64)
    with pytest.raises(DictionaryDiffers):
        list(other(rows.to_batches()))


@pytest.fixture(scope="module")
def spark(require) -> Iterator[object]:
    """Run Sail, which speaks Spark Connect and needs no Java; ``LIENTHONG_SPARK_REMOTE`` names another engine."""
    remote = os.environ.get("LIENTHONG_SPARK_REMOTE")
    needed = ("pyspark",) if remote is not None else ("pysail", "pyspark")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    require(not missing, f"{' and '.join(missing)} not installed: uv sync --group spark")
    from pyspark.sql import SparkSession

    if remote is not None:
        session = SparkSession.builder.remote(remote).getOrCreate()
        yield session
        session.stop()
        return
    from pysail.spark import SparkConnectServer

    # A main module without a file, as a test worker has it, makes the client believe that it runs its own doctests.
    main = sys.modules["__main__"]
    if not hasattr(main, "__file__"):
        main.__file__ = __file__

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
    try:
        yield session
    finally:
        session.stop()
        server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning")
def test_a_spark_job_gives_the_bytes_that_one_process_gives(
    spark, work: ArrowStandardiser, rows: pa.Table, tmp_path: Path
) -> None:
    for part in range(PARTS):
        parquet.write_table(rows.slice(part * ROWS // PARTS, ROWS // PARTS), tmp_path / f"part-{part}.parquet")
    dealt = spark.read.parquet(*(str(tmp_path / f"part-{part}.parquet") for part in range(PARTS)))
    done = dealt.repartition(PARTS).mapInArrow(work, work.spark_schema).toArrow()
    assert done.num_rows == ROWS
    assert as_bytes(done, work.schema) == as_bytes(in_one_process(work, rows), work.schema)
