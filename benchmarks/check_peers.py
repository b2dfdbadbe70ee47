"""Measure 26 rules over a register with planted defects: our engines beside their peers and a plain scan.

    python benchmarks/check_peers.py --rows 5000000
    python benchmarks/check_peers.py --rows 5000000 --peers /path/to/venv/bin/python   # dataframely, pandera, ...

Every runner is a process of its own. CPU seconds are those of the work, from the first byte read to the last row
returned; importing the tool is not counted. Peak memory is the process's, all included. A runner writes the ids of the rows it returns as bad; precision and recall are
counted against the truth file. Recall is asked of the defects that a rule about form can see.
"""

# ruff: noqa: PLC0415 - a runner imports its own tool and no other

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

HERE = Path(__file__).parent
SEED = 214
OURS = ("polars", "duckdb")
PEERS = ("dataframely", "pandera", "pointblank", "great_expectations")
BATCH_ROUNDS = 200


def run_scan(folder: Path, out: Path) -> None:
    """Read every column of every row and nothing more, a piece at a time."""
    del out
    table = pl.scan_parquet(folder / "register.parquet")
    total = table.select(pl.len()).collect().item()
    rows = 0
    for start in range(0, total, 131_072):
        rows += table.slice(start, 131_072).collect(engine="in-memory").height
    assert rows == total


def _ours(engine: Any, folder: Path, out: Path) -> None:
    import register_rules
    from lienthong.check.engines import Examined

    path = folder / "register.parquet"
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    program = register_rules.program()
    told: list[pl.DataFrame] = []
    findings = 0

    def found(part: pl.DataFrame) -> None:
        nonlocal findings
        findings += program.findings(part).height
        told.append(part.select("_record_id"))

    judged = engine.run(Examined(paths=(str(path),), rows=rows, texts=False), program, found=found)
    assert judged.rows == rows
    assert not judged.broken
    pl.concat(told).write_parquet(out)
    out.with_suffix(".json").write_text(json.dumps({"findings": findings}))


def run_polars(folder: Path, out: Path) -> None:
    from lienthong.adapters.files.checking import PolarsEngine

    _ours(PolarsEngine(), folder, out)


def run_duckdb(folder: Path, out: Path) -> None:
    from lienthong.adapters.duckdb.checking import DuckDBEngine

    _ours(DuckDBEngine(memory_bytes=600_000_000), folder, out)


def _conditions() -> dict[str, pl.Expr]:
    """Return the 26 rules as expressions a person would write by hand: true, or null where a rule does not apply."""
    from register_rows import PROVINCES, REGISTRIES, STALE_BEFORE, WEIGHTS, communes

    number, name, birth, sex = (pl.col(each) for each in ("so_dinh_danh", "ho_va_ten", "ngay_sinh", "gioi_tinh"))
    commune, province, tax = (pl.col(each) for each in ("ma_xa_thuong_tru", "ma_tinh_thuong_tru", "ma_so_thue"))
    status, death = pl.col("tinh_trang"), pl.col("ngay_mat")
    codes, parents = communes()
    digits = number.str.contains("^[0-9]{12}$")
    sign = number.str.slice(3, 1)
    year = pl.when(digits).then(number.str.slice(4, 2)).cast(pl.Int32, strict=False)
    century = pl.when(digits).then(sign).cast(pl.Int32, strict=False) // 2 * 100 + 1900
    shaped = tax.str.contains("^[0-9]{10}$")
    figures = [pl.when(shaped).then(tax.str.slice(at, 1)).cast(pl.Int32, strict=False) for at in range(10)]
    total = pl.sum_horizontal([figure * weight for figure, weight in zip(figures, WEIGHTS, strict=False)])
    return {
        "r01": number.is_not_null(),
        "r02": name.is_not_null(),
        "r03": birth.is_not_null(),
        "r04": sex.is_not_null(),
        "r05": commune.is_not_null(),
        "r06": province.is_not_null(),
        "r07": digits,
        "r08": name.str.len_chars() >= 2,
        "r09": name.str.contains("^[^0-9]{1,100}$"),
        "r10": sex.is_in(["1", "2"]),
        "r11": ~digits | number.str.slice(0, 3).is_in(REGISTRIES),
        "r12": ~digits
        | (sex == pl.when(sign.is_in(["0", "2", "4", "6", "8"])).then(pl.lit("1")).otherwise(pl.lit("2"))),
        "r13": ~digits | (birth.dt.year() == century + year),
        "r14": birth <= pl.col("record_day"),
        "r15": birth >= pl.date(1900, 1, 1),
        "r16": commune.is_in(codes),
        "r17": commune.replace_strict(codes, parents, default=None, return_dtype=pl.String) == province,
        "r18": province.is_in(PROVINCES),
        "r19": shaped,
        "r20": ~shaped | (10 - total % 11 == figures[9]),
        "r21": pl.col("so_dien_thoai").str.contains("^0[35789][0-9]{8}$"),
        "r22": number.is_null() | number.is_unique(),
        "r23": pl.col("record_day") >= pl.lit(STALE_BEFORE),
        "r24": (pl.col("hon_nhan") != "2") | pl.col("so_vo_chong").is_not_null(),
        "r25": status.is_in(["1", "2", "3", "4"]),
        "r26": ~((status == "4") | death.is_not_null())
        | ((status == "4") & death.is_not_null() & (death >= birth).fill_null(value=True)),
    }


def run_dataframely(folder: Path, out: Path) -> None:
    """One schema class, a rule each; ``filter`` returns the good rows and the failures."""
    import dataframely as dy

    types = {pl.String(): dy.String, pl.Date(): dy.Date}
    frame = pl.read_parquet(folder / "register.parquet")
    members: dict[str, Any] = {name: types[dtype](nullable=True) for name, dtype in frame.schema.items()}
    for name, condition in _conditions().items():
        members[name] = dy.rule()(lambda cls, condition=condition: condition.fill_null(value=True))  # noqa: ARG005
    good, failures = type("Register", (dy.Schema,), members).filter(frame)
    del good
    failures.invalid().select("_record_id").write_parquet(out)


def run_pandera(folder: Path, out: Path) -> None:
    """One schema with 26 checks; lazy validation returns a line per failure."""
    import pandera.polars as pa

    def checked(name: str, condition: pl.Expr) -> pa.Check:
        return pa.Check(
            lambda data: data.lazyframe.select(condition.fill_null(value=True).alias(name)), name=name, error=name
        )

    frame = pl.read_parquet(folder / "register.parquet")
    schema = pa.DataFrameSchema(checks=[checked(name, condition) for name, condition in _conditions().items()])
    places: pl.Series = pl.Series(dtype=pl.Int32)
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        places = error.failure_cases["index"].drop_nulls().unique()
    frame["_record_id"].gather(places).to_frame().write_parquet(out)


def run_pointblank(folder: Path, out: Path) -> None:
    """26 steps; the limit on extracted rows is lifted, at its default the answer has 500 rows a step."""
    import pointblank as pb

    frame = pl.read_parquet(folder / "register.parquet")
    plan = pb.Validate(frame)
    for condition in _conditions().values():
        plan = plan.col_vals_expr(expr=condition.fill_null(value=True))
    done = plan.interrogate(get_first_n=frame.height, extract_limit=frame.height)
    parts = [done.get_data_extracts(i=step, frame=True) for step in range(1, 27)]
    kept = [part.select("_record_id") for part in parts if part is not None and part.height]
    pl.concat(kept).unique().write_parquet(out)


def run_great_expectations(folder: Path, out: Path) -> None:
    """Column expectations on pandas with every failing index asked for; rules across columns need classes of one's own."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import pandas as pd

    from register_rows import PROVINCES, STALE_BEFORE, communes

    frame = pd.read_parquet(folder / "register.parquet")
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("register")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="register")
    names = ("so_dinh_danh", "ho_va_ten", "ngay_sinh", "gioi_tinh", "ma_xa_thuong_tru", "ma_tinh_thuong_tru")
    expectations: list[Any] = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in names]
    for name, pattern in (
        ("so_dinh_danh", "^[0-9]{12}$"),
        ("ho_va_ten", "^[^0-9]{2,100}$"),
        ("ma_so_thue", "^[0-9]{10}$"),
        ("so_dien_thoai", "^0[35789][0-9]{8}$"),
    ):
        expectations.append(gxe.ExpectColumnValuesToMatchRegex(column=name, regex=pattern))
    for name, values in (
        ("gioi_tinh", ["1", "2"]),
        ("ma_xa_thuong_tru", communes()[0]),
        ("ma_tinh_thuong_tru", PROVINCES),
        ("tinh_trang", ["1", "2", "3", "4"]),
    ):
        expectations.append(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=values))
    expectations.append(gxe.ExpectColumnValuesToBeUnique(column="so_dinh_danh"))
    expectations.append(gxe.ExpectColumnValuesToBeBetween(column="record_day", min_value=STALE_BEFORE))
    for each in expectations:
        suite.add_expectation(each)
    result = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    places: set[int] = set()
    for each in result.results:
        places.update(each.result.get("unexpected_index_list") or ())
    ids = frame["_record_id"].iloc[sorted(places)]
    pl.DataFrame({"_record_id": ids.to_list()}, schema={"_record_id": pl.String}).write_parquet(out)


RUNNERS: dict[str, Callable[[Path, Path], None]] = {
    "scan": run_scan,
    "polars": run_polars,
    "duckdb": run_duckdb,
    "dataframely": run_dataframely,
    "pandera": run_pandera,
    "pointblank": run_pointblank,
    "great_expectations": run_great_expectations,
}


IMPORTS = {
    "scan": ("polars",),
    "polars": ("register_rules", "lienthong.adapters.files.checking"),
    "duckdb": ("register_rules", "lienthong.adapters.duckdb.checking"),
    "dataframely": ("register_rows", "dataframely"),
    "pandera": ("register_rows", "pandera.polars"),
    "pointblank": ("register_rows", "pointblank"),
    "great_expectations": ("register_rows", "great_expectations.expectations", "pandas"),
}


def work(name: str, folder: Path) -> None:
    """Do one runner's work in this process and write down what it cost."""
    for module in IMPORTS[name]:
        importlib.import_module(module)
    wall, cpu = time.perf_counter(), time.process_time()
    RUNNERS[name](folder, folder / f"{name}.parquet")
    cost = {"cpu_s": round(time.process_time() - cpu, 2), "wall_s": round(time.perf_counter() - wall, 2)}
    cost["peak_mb"] = _peak_mb()
    (folder / f"{name}.cost.json").write_text(json.dumps(cost))


def _peak_mb() -> int:
    """Return the most memory this program held; what rusage says begins before exec, with the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0


def measured(name: str, folder: Path, *, python: str, rounds: int) -> dict[str, Any]:
    """Run in processes of their own; the least CPU is kept, the others measure the neighbours."""
    best: dict[str, Any] = {}
    out = folder / f"{name}.parquet"
    for _ in range(rounds):
        out.unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONPATH": f"{HERE.parent / 'src'}{os.pathsep}{HERE}"}
        process = subprocess.Popen(
            [python, str(HERE / "check_peers.py"), "--runner", name, "--folder", str(folder)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace")
        process.stderr.close()
        if process.wait():
            return {"failed": said.strip().splitlines()[-1:] or [f"left with {process.returncode}"]}
        cost = json.loads((folder / f"{name}.cost.json").read_text())
        if not best or cost["cpu_s"] < best["cpu_s"]:
            best = cost
    if out.exists():
        best |= judged(folder, out)
    return best


def judged(folder: Path, out: Path) -> dict[str, float]:
    """Hold the rows a runner returned against the truth."""
    from register_rows import VISIBLE

    truth = pl.read_parquet(folder / "truth.parquet")
    visible = truth.filter(pl.col("kind").is_in(VISIBLE))["_record_id"].unique()
    returned = pl.read_parquet(out)["_record_id"].unique()
    true = returned.is_in(truth["_record_id"].implode()).sum()
    seen = visible.is_in(returned.implode()).sum()
    return {
        "returned": returned.len(),
        "precision": round(true / returned.len(), 6) if returned.len() else 1.0,
        "recall_of_visible": round(seen / visible.len(), 6) if visible.len() else 1.0,
    }


def compared(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the ratios the project has promised, of CPU seconds."""
    own = {name: each["cpu_s"] for name, each in results.items() if "cpu_s" in each}
    told: dict[str, Any] = {}
    for name in OURS:
        if name in own and "scan" in own:
            told[f"{name}_per_scan"] = round(own[name] / max(own["scan"], 0.01), 2)
            if "dataframely" in own:
                told[f"{name}_per_dataframely"] = round(own[name] / max(own["dataframely"], 0.01), 2)
    return told


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=5_000_000)
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--peers", help="Python with the packages of the group peers; without it only ours run")
    arguments.add_argument("--only", action="append", default=[], help="names of runners")
    arguments.add_argument("--folder", type=Path, help="where the register is, or is to be written")
    arguments.add_argument("--runner", choices=list(RUNNERS), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.runner:
        work(given.runner, given.folder)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        if not (folder / "truth.parquet").exists():
            from register_rows import write

            write(folder, given.rows, seed=SEED)
        names = given.only or ["scan", *OURS, *(PEERS if given.peers else ())]
        results = {
            name: measured(name, folder, python=given.peers if name in PEERS else sys.executable, rounds=given.rounds)
            for name in dict.fromkeys(names)
        }
        facts = {"benchmark": "check_peers", "rows": given.rows, "rules": 26, "threads": os.cpu_count()}
        print(json.dumps({**facts, "results": results, "compared": compared(results)}, indent=2))


if __name__ == "__main__":
    main()
