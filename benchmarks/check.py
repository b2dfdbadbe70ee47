"""Measure the checks: rows per second of judging, alone and after standardising, beside a plain scan of the same rows.

    python benchmarks/check.py --rows 200000

The rows are synthetic residents with planted defects; the rules are all those the shipped dictionary derives for them.
CPU seconds are the figure to compare: wall time follows whoever else uses the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from lienthong.check.engine import Checker
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import JudgedBatch
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.sources.change import Epoch
from lienthong.standardise.batch import ENVELOPE_SCHEMA, Event, RecordBatch
from lienthong.standardise.plan import StandardiserPlan, build_plan
from lienthong.testing import agency
from lienthong.testing.citizens import generate
from lienthong.wiring.services import read_mapping

BATCHES = (1_000, 10_000)
BATCH_ROUNDS = 50
SOURCE_TIME = datetime(2026, 11, 23, tzinfo=UTC)


def measured(work: Callable[[], object], *, rows: int, rounds: int) -> dict[str, float]:
    """Run once to warm up, then return the best of some rounds: the others measure the neighbours."""
    work()
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "wall_s": round(min(walls), 4),
        "cpu_s": round(min(cpus), 4),
        "rows_per_s": round(rows / min(walls)),
        "rows_per_cpu_s": round(rows / max(min(cpus), 1e-9)),
    }


def records_of(plan: StandardiserPlan, rows: pl.DataFrame) -> tuple[RecordBatch, pl.Series]:
    done = plan.run(rows)
    height = rows.height
    envelope = pl.DataFrame(
        {
            "_record_id": pl.int_range(height, eager=True).cast(pl.String),
            "_event": pl.repeat(Event.NEW, height, eager=True),
            "_version": pl.repeat(1, height, eager=True),
            "_number": pl.int_range(height, eager=True),
            "_source_time": pl.repeat(SOURCE_TIME, height, eager=True),
            "_image": pl.repeat("{}", height, eager=True),
            "_damaged": pl.repeat([], height, dtype=pl.List(pl.String), eager=True),
            "_superseded": pl.repeat(value=False, n=height, eager=True),
            "_counted": pl.repeat(value=True, n=height, eager=True),
        }
    ).cast(dict(ENVELOPE_SCHEMA))
    records = RecordBatch(
        dataset=plan.dataset,
        source=plan.mapping.source,
        epoch=Epoch(system="0", timeline=1, database="benchmark", slot="benchmark"),
        table=plan.mapping.table,
        values=done.values,
        outcomes=done.outcomes,
        envelope=envelope,
    )
    return records, done.oversized


def cut(records: RecordBatch, rows: int) -> RecordBatch:
    return replace(
        records,
        values=records.values.head(rows),
        outcomes=records.outcomes.head(rows),
        envelope=records.envelope.head(rows),
    )


def latency(work: Callable[[], object]) -> dict[str, float]:
    work()
    times = []
    for _ in range(BATCH_ROUNDS):
        start = time.perf_counter()
        work()
        times.append(1_000 * (time.perf_counter() - start))
    return {"p50_ms": round(statistics.median(times), 2), "p95_ms": round(sorted(times)[int(0.95 * BATCH_ROUNDS)], 2)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=200_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()

    dictionary = load(shipped_folder("dictionary"))
    dataset = dictionary.datasets[DatasetId("nhan-khau")]
    mapping = read_mapping(Path(agency.__path__[0]) / "mappings" / "nhan_khau.yaml", dictionary)
    plan = build_plan(dictionary, dataset, mapping)
    started = time.perf_counter()
    rules = derive_rules(dictionary, dataset)
    checker = Checker(dictionary, rules)
    compile_s = time.perf_counter() - started
    citizens, truth = generate(given.rows, seed=1)
    rows = citizens.with_columns(pl.all().cast(pl.String))
    records, oversized = records_of(plan, rows)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        records.values.write_parquet(path)
        scan = measured(
            lambda: pl.scan_parquet(path).select(pl.all().hash().sum()).collect(),
            rows=given.rows,
            rounds=given.rounds,
        )
    check = measured(lambda: checker.judge(records, oversized=oversized), rows=given.rows, rounds=given.rounds)

    def whole() -> JudgedBatch:
        made, too_long = records_of(plan, rows)
        return checker.judge(made, oversized=too_long)

    both = measured(whole, rows=given.rows, rounds=given.rounds)
    judged = checker.judge(records, oversized=oversized)
    batches = {}
    for size in BATCHES:
        small, marks = cut(records, size), oversized.head(size)
        batches[str(size)] = latency(lambda small=small, marks=marks: checker.judge(small, oversized=marks))
    print(
        json.dumps(
            {
                "benchmark": "check",
                "rows": given.rows,
                "columns": records.values.width,
                "rules": len(rules.rules),
                "threads": pl.thread_pool_size(),
                "planted": truth.height,
                "findings": judged.findings.height,
                "quarantined": int(judged.quarantined.sum()),
                "compile_s": round(compile_s, 4),
                "reference_scan": scan,
                "check": check,
                "standardise_and_check": both,
                "check_cpu_per_scan_cpu": round(check["cpu_s"] / max(scan["cpu_s"], 1e-9), 1),
                "batches": batches,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
