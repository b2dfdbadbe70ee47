"""Measure the address resolver: distinct addresses per second, beside the parser of vietnamadminunits where installed.

    python benchmarks/addresses.py --addresses 50000

The mix is the generated facts of the tests (11 styles, typos among them) with a street number of its own in every
address, so that none repeats; half of it is written in full between commas, as registers write. CPU seconds are the
figure to compare: wall time follows whoever else uses the machine.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from lienthong.dictionary.conversion import Converter
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeListId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.addresses import Resolver
from lienthong.standardise.addresses.gazetteer import shipped_gazetteer

ROOT = Path(__file__).resolve().parent.parent
REFERENCE_ROWS = 500
ROUNDS = 3


def measured(work: Callable[[], object], *, rows: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Run once to warm up, then return the best of some rounds."""
    work()
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "rows": rows,
        "wall_s": round(min(walls), 4),
        "cpu_s": round(min(cpus), 4),
        "rows_per_cpu_s": round(rows / min(cpus)),
        "rows_per_wall_s": round(rows / min(walls)),
    }


def numbered(addresses: pl.Series, count: int) -> pl.Series:
    """Return ``count`` addresses, each with a house number of its own."""
    rows = pl.DataFrame({"address": addresses}).select(pl.all().repeat_by(-(-count // addresses.len())).explode())
    text = pl.lit("Số ") + pl.int_range(1, pl.len() + 1).cast(pl.String) + ", " + pl.col("address")
    return rows.head(count).select(text).to_series()


def register() -> pl.Series:
    """Return the addresses of a real register."""
    path = ROOT / "src/lienthong/testing/agency/enterprises_ca_mau.csv.gz"
    return pl.read_csv(gzip.decompress(path.read_bytes()), infer_schema=False)["Địa chỉ trụ sở chính"]


def reference(addresses: list[str], *, old: bool) -> dict[str, object]:
    """Run the parser of vietnamadminunits, which never calls a service; its converter does and is not run."""
    try:
        from vietnamadminunits import ParseMode, parse_address  # noqa: PLC0415 - optional
    except ImportError:
        return {"skipped": "vietnamadminunits is not installed"}
    mode = ParseMode.LEGACY if old else ParseMode.FROM_2025
    return dict(measured(lambda: [parse_address(one, mode=mode) for one in addresses], rows=len(addresses), rounds=1))


def main() -> None:
    """Measure and write JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--addresses", type=int, default=50_000)
    count = options.parse_args().addresses
    facts = pl.read_csv(ROOT / "tests/data/addresses_synthetic.csv", infer_schema=False)
    report: dict[str, object] = {}
    for structure, day in (("old", date(2025, 6, 30)), ("new", date(2025, 7, 1))):
        rows = facts.filter(pl.col("structure") == structure)
        clean = rows.filter(pl.col("style") == "clean")["address"]
        mix = pl.concat([numbered(rows["address"], count // 2), numbered(clean, count - count // 2)]).unique()
        resolver = Resolver.of(shipped_gazetteer(), on=day, structure=structure)
        report[f"prepare_{structure}"] = measured(
            lambda day=day, structure=structure: Resolver.of(shipped_gazetteer(), on=day, structure=structure), rows=1
        )
        report[f"mix_{structure}"] = measured(lambda mix=mix, r=resolver: r.resolve(mix), rows=mix.len())
        styles = numbered(rows["address"], count // 2)
        report[f"all_styles_{structure}"] = measured(lambda t=styles, r=resolver: r.resolve(t), rows=styles.len())
        some = mix.head(REFERENCE_ROWS).to_list()
        report[f"vietnamadminunits_{structure}"] = reference(some, old=structure == "old")
    resolver = Resolver.of(shipped_gazetteer(), on=date(2024, 2, 1))
    real = register()
    report["register_ca_mau"] = measured(lambda: resolver.resolve(real), rows=real.len())
    codes = load(shipped_folder("dictionary")).code_lists[CodeListId("don-vi-hanh-chinh-xa")]
    converter = Converter.of(codes)
    column = pl.Series([one.old for one in codes.successions] * 200)
    report["convert_codes"] = measured(
        lambda: converter.convert_frame(column, from_date=date(2025, 6, 30), to_date=date(2025, 7, 1)),
        rows=column.len(),
    )
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
