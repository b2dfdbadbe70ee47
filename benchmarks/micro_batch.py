"""Measure a micro-batch of the live stream: 1,000 changed rows standardised and checked.

    python benchmarks/micro_batch.py
    python benchmarks/micro_batch.py --rows 1000 --batches 200

Two sets of rules: those of nhan-khau with its standardisers, and the 26 of the register that check_peers.py measures
(checking alone: its values come standardised). Beside them a plain ``select`` of the same columns, which is the least
that any work with Polars costs, and the same 26 rules through dataframely where it is installed. Every batch has rows
of its own. CPU milliseconds are the figure to compare: wall time follows whoever else uses the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

import register_rows
import register_rules
from check import records_of
from check_peers import SEED, _conditions
from lienthong.check.engine import Checker
from lienthong.check.rule_set import derive_rules
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.plan import build_plan
from lienthong.testing import agency
from lienthong.testing.citizens import generate
from lienthong.wiring.services import read_mapping

WARM_UP = 5
PROMISED_MS = 12


def measured(work: Callable[[Any], object], batches: Sequence[Any]) -> dict[str, float]:
    """Return what one batch costs: the least, the middle and the nineteenth of twenty."""
    for batch in batches[:WARM_UP]:
        work(batch)
    cpu, wall = [], []
    for batch in batches:
        began, busy = time.perf_counter(), time.process_time()
        work(batch)
        cpu.append(1_000 * (time.process_time() - busy))
        wall.append(1_000 * (time.perf_counter() - began))
    told = {}
    for name, times in (("cpu_ms", cpu), ("wall_ms", wall)):
        told[f"{name}_min"] = round(min(times), 2)
        told[f"{name}_median"] = round(statistics.median(times), 2)
        told[f"{name}_p95"] = round(sorted(times)[int(0.95 * len(times))], 2)
    return told


def residents(rows: int, batches: int) -> dict[str, Any]:
    """Standardise and check source rows of nhan-khau, as the link does with a delivery."""
    dictionary = load(shipped_folder("dictionary"))
    dataset = dictionary.datasets[DatasetId("nhan-khau")]
    mapping = read_mapping(Path(agency.__path__[0]) / "mappings" / "nhan_khau.yaml", dictionary)
    plan, rules = build_plan(dictionary, dataset, mapping), derive_rules(dictionary, dataset)
    checker = Checker(dictionary, rules)
    citizens, _ = generate(rows * batches, seed=SEED)
    source = citizens.select(pl.all().cast(pl.String))
    parts = [source.slice(at * rows, rows) for at in range(batches)]
    fed = [(step.name, step.column) for step in plan.steps if step.column is not None]

    def texts(part: pl.DataFrame) -> pl.DataFrame:
        return part.select(pl.col(column).alias(name) for name, column in fed)

    def whole(part: pl.DataFrame) -> object:
        records, oversized = records_of(plan, part)
        return checker.judge(records, oversized=oversized, texts=texts(part))

    made = [(*records_of(plan, part), texts(part)) for part in parts]
    return {
        "columns": len(fed),
        "rules": len(rules.rules),
        "standardise": measured(plan.run, parts),
        "check": measured(lambda one: checker.judge(one[0], oversized=one[1], texts=one[2]), made),
        "standardise_and_check": measured(whole, parts),
        "plain_select": measured(texts, parts),
    }


def register(rows: int, batches: int) -> dict[str, Any]:
    """Check rows of the register by its 26 rules, which are about form, agreement between fields, and days."""
    program = register_rules.program()
    checker = Checker(program.dictionary, program.rules)
    with tempfile.TemporaryDirectory() as folder:
        register_rows.write(Path(folder), rows * batches, seed=SEED)
        table = pl.read_parquet(Path(folder) / "register.parquet")
    parts = [table.slice(at * rows, rows) for at in range(batches)]

    def check(part: pl.DataFrame) -> object:
        done = checker.examine(part)
        told = part.filter(done.suspect).with_columns(done.judgement)
        return program.findings(told)

    told = {"rules": len(program.bound), "check": measured(check, parts)}
    told["plain_select"] = measured(lambda part: part.select(pl.all()), parts)
    if importlib.util.find_spec("dataframely"):
        told["dataframely"] = measured(_dataframely(table), parts)
    return told


def _dataframely(table: pl.DataFrame) -> Callable[[pl.DataFrame], object]:
    import dataframely as dy  # noqa: PLC0415 - a peer, not always there

    types = {pl.String(): dy.String, pl.Date(): dy.Date}
    members: dict[str, Any] = {name: types[dtype](nullable=True) for name, dtype in table.schema.items()}
    for name, condition in _conditions().items():
        members[name] = dy.rule()(lambda cls, condition=condition: condition.fill_null(value=True))  # noqa: ARG005
    schema = type("Register", (dy.Schema,), members)

    def work(part: pl.DataFrame) -> object:
        _, failures = schema.filter(part)
        return failures.invalid()

    return work


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000)
    arguments.add_argument("--batches", type=int, default=100)
    given = arguments.parse_args()
    before = os.getloadavg()
    told = {
        "benchmark": "micro_batch",
        "rows": given.rows,
        "batches": given.batches,
        "threads": pl.thread_pool_size(),
        "promised_ms": PROMISED_MS,
        "nhan_khau": residents(given.rows, given.batches),
        "register": register(given.rows, given.batches),
        "load_average": [round(before[0], 1), round(os.getloadavg()[0], 1)],
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
