"""Measure the standardisers against their promises, each beside the best package there is, in the same run.

    python benchmarks/standardise.py --rows 1000000

Names are all different, so nothing is won by standardising distinct values only; ``name_repeating`` shows that gain.
CPU seconds are the figure to compare: wall time follows whoever else uses the machine. The packages beside do less than
the kernels (none of them refuses, says what it did, or knows Vietnamese names and prefixes) and are measured over fewer
rows, since they work value by value; those that are not installed are left out and named. Addresses have a benchmark of
their own (``addresses.py``), and so have old encodings (``legacy_encodings.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
import unicodedata
from collections.abc import Callable
from collections.abc import Mapping as Lookup
from importlib import import_module
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the promises are CPU seconds of one core

import polars as pl

from lienthong.dictionary.model import (
    AgencyId,
    Code,
    CodeList,
    CodeListId,
    Dataset,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Identity,
    Level,
    Member,
    Ref,
    Relation,
    Sensitivity,
    Status,
    Text,
    ValueDomain,
)
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.standardise.plan import StandardiserPlan, build_plan

BATCH_ROWS = 1_000
BATCH_ROUNDS = 200
BESIDE_ROWS = 20_000
SLOW_BESIDE_ROWS = 2_000  # of packages that need seconds for so many
OWNER = AgencyId("benchmark")
COLUMNS = {
    "ho_ten": ("person-name", Datatype.TEXT),
    "ngay_sinh": ("date", Datatype.DATE),
    "dien_thoai": ("phone", Datatype.TEXT),
    "gioi_tinh": ("code", Datatype.CODE),
    "von": ("decimal", Datatype.DECIMAL),
}
MORE_COLUMNS = {
    "ngay_thieu": ("partial-date", Datatype.PARTIAL_DATE),
    "nganh_nghe": ("codes", Datatype.CODES),
    "dia_chi": ("address", Datatype.TEXT),
    "so_dinh_danh": ("personal-number", Datatype.TEXT),
    "cap_nhat": ("timestamp", Datatype.TIMESTAMP),
}


def identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)


def plan_for(columns: dict[str, tuple[str, Datatype]]) -> StandardiserPlan:
    sexes = CodeList(
        identity=identity("gioi-tinh"),
        label=Text(vi="Giới tính"),
        codes=tuple(Code(code=c, label=Text(vi=t), valid_from=None) for c, t in (("1", "Nam"), ("2", "Nữ"))),
        aliases=(("trai", "1"), ("gái", "2"), ("M", "1"), ("F", "2")),
    )
    domains = {
        DomainId(name): ValueDomain(
            identity=identity(name),
            label=Text(vi=name),
            datatype=datatype,
            rdf_type="xsd:string",
            precision=20,
            scale=2,
            code_list=CodeListId("gioi-tinh") if kernel == "code" else None,
            standardiser=kernel,
        )
        for name, (kernel, datatype) in columns.items()
    }
    elements = {
        ElementId(name): Element(
            identity=identity(name),
            label=Text(vi=name),
            definition=Text(vi=name),
            concept=name,
            value_domain=Ref(id=name, version="1.0.0"),
            technical_name=name,
            business_attributes={},
            technical_attributes={},
            sensitivity=Sensitivity.INTERNAL,
        )
        for name in columns
    }
    dataset = Dataset(
        identity=identity("benchmark"),
        label=Text(vi="benchmark"),
        definition=Text(vi="benchmark"),
        table="benchmark",
        domain="benchmark",
        members=tuple(Member(element=element) for element in elements),
    )
    dictionary = Dictionary(
        version="1.0.0",
        digest="",
        elements=elements,
        domains=domains,
        code_lists={CodeListId("gioi-tinh"): sexes},
        datasets={DatasetId("benchmark"): dataset},
    )
    mapping = Mapping(
        source=SourceId("benchmark"),
        table=TableName(schema="public", table="benchmark"),
        dataset=DatasetId("benchmark"),
        owner=OWNER,
        columns=tuple(ColumnMapping(column=name, element=name, relation=Relation.EXACT) for name in elements),
        digest="",
    )
    return build_plan(dictionary, dataset, mapping)


def rows_of(height: int) -> pl.DataFrame:
    chance = random.Random(214)
    surnames = ["NGUYỄN", "trần", "LÊ", "Phạm", "HUỲNH", "Võ", "ĐẶNG"]
    letters = "ABCDEGHIKLMNẤỀÔƠƯ"
    names = [f"{chance.choice(surnames)} VĂN {''.join(chance.choices(letters, k=9))}" for _ in range(height)]
    names = [name if place % 50 else " " + name.replace("Ô", "Ô") for place, name in enumerate(names)]
    days = [(chance.randint(1, 28), chance.randint(1, 12), chance.randint(1930, 2020)) for _ in range(height)]
    shapes = ("{0:02}/{1:02}/{2}", "{2}-{1:02}-{0:02}", "{0}/{1}/{2}", "{2}{1:02}{0:02}", "{0:02}-{1:02}-{2}")
    weights = (60, 20, 10, 6, 4)
    numbers = [f"{chance.choice('39')}{chance.randint(20000000, 89999999)}" for _ in range(height)]
    spellings = ("0{}", "+84{}", "0{} ", "84{}", "0{}.")
    trades = ("4661:Bán buôn nhiên liệu rắn, lỏng, khí", "5022:Vận tải hàng hoá", "1020:Chế biến, bảo quản thuỷ sản")
    return pl.DataFrame(
        {
            "ho_ten": names,
            "ngay_sinh": [chance.choices(shapes, weights)[0].format(*day) for day in days],
            "dien_thoai": [chance.choices(spellings, (80, 8, 4, 4, 4))[0].format(number) for number in numbers],
            "gioi_tinh": chance.choices(("1", "2", "Nam", "nữ", "M"), (40, 40, 10, 6, 4), k=height),
            "von": [str(chance.randint(1, 10**11)) for _ in range(height)],
            "ngay_thieu": [chance.choice(("{0:02}/{1:02}/{2}", "{2}", "00/00/{2}")).format(*day) for day in days],
            "nganh_nghe": [",".join(chance.choices(trades, k=3)) for _ in range(height)],
            "dia_chi": [f"Số {chance.randint(1, 10**6)}, đường Lý Thường Kiệt ,Phường 6,Tỉnh Cà Mau" for _ in days],
            "so_dinh_danh": [f"0960{chance.randint(0, 99_999_999):08}" for _ in days],
            "cap_nhat": [f"2024-{month:02}-{day:02} 10:11:{day:02}.123456+07" for day, month, _ in days],
        }
    )


def measure(work: Callable[[], object], rows: int) -> dict[str, float]:
    work()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "cpu_s": round(cpu, 4),
        "wall_s": round(wall, 4),
        "rows_per_cpu_s": round(rows / max(cpu, 1e-9)),
        "rows_per_s": round(rows / max(wall, 1e-9)),
    }


def one_batch(plan: StandardiserPlan, rows: pl.DataFrame) -> dict[str, float]:
    batch = pl.DataFrame(rows.head(BATCH_ROWS).to_dicts())  # as it arrives: no slice of a million rows
    taken: list[float] = []
    cpu = time.process_time()
    for _ in range(BATCH_ROUNDS):
        start = time.perf_counter()
        plan.run(batch)
        taken.append((time.perf_counter() - start) * 1_000)
    cpu = time.process_time() - cpu
    taken.sort()
    return {
        "rows": batch.height,
        "columns": len(plan.steps),
        "cpu_ms_mean": round(cpu * 1_000 / BATCH_ROUNDS, 3),
        "wall_ms_median": round(statistics.median(taken), 3),
        "wall_ms_p95": round(taken[int(len(taken) * 0.95)], 3),
    }


def plain_name(value: str) -> str:
    """Do in plain Python what one would write first: NFC, single blanks, first letters in capitals."""
    return " ".join(word.capitalize() for word in unicodedata.normalize("NFC", value).split())


def packages() -> Lookup[str, tuple[str, str | None, int, Callable[[Any], Callable[[str], object]]]]:
    """Return, by name: the column, the module it needs, how many rows, and how it reads one value."""

    def of_nameparser(module: Any) -> Callable[[str], object]:
        return lambda value: str(module.HumanName(value))

    def of_dateutil(module: Any) -> Callable[[str], object]:
        return lambda value: module.parse(value, dayfirst=True)

    def of_dateparser(module: Any) -> Callable[[str], object]:
        return lambda value: module.parse(value, settings={"DATE_ORDER": "DMY"})

    def of_phonenumbers(module: Any) -> Callable[[str], object]:
        return lambda value: module.is_valid_number(module.parse(value, "VN"))

    return {
        "plain Python": ("ho_ten", None, BESIDE_ROWS, lambda _: plain_name),
        "nameparser": ("ho_ten", "nameparser", SLOW_BESIDE_ROWS, of_nameparser),
        "dateutil": ("ngay_sinh", "dateutil.parser", BESIDE_ROWS, of_dateutil),
        "dateparser": ("ngay_sinh", "dateparser", SLOW_BESIDE_ROWS, of_dateparser),
        "phonenumbers": ("dien_thoai", "phonenumbers", BESIDE_ROWS, of_phonenumbers),
    }


def beside(rows: pl.DataFrame) -> dict[str, object]:
    """Measure other packages over the first rows of the same columns."""
    measured: dict[str, object] = {}
    for name, (column, module, count, made) in packages().items():
        if module is not None and find_spec(module.split(".")[0]) is None:
            measured[name] = {"column": column, "skipped": "not installed"}
            continue
        read = made(None if module is None else import_module(module))
        values = rows[column].head(count).to_list()
        failed = 0

        def every(values: list[str] = values, read: Callable[[str], object] = read) -> None:
            nonlocal failed
            failed = 0
            for value in values:
                try:
                    read(value)
                except Exception:  # noqa: BLE001 - what another package cannot read is counted, whatever it raises
                    failed += 1

        measured[name] = {"column": column, **measure(every, len(values)), "failed": failed}
    if find_spec("pandas") is not None:
        pandas = import_module("pandas")
        days = rows["ngay_sinh"].head(BESIDE_ROWS).to_list()
        measured["pandas"] = {
            "column": "ngay_sinh",
            **measure(lambda: pandas.to_datetime(days, dayfirst=True, format="mixed", errors="coerce"), len(days)),
        }
    return measured


def promises(report: Lookup[str, Any]) -> dict[str, dict[str, object]]:
    """Say of each promise what was measured and whether it was kept."""
    names, days = report["kernels"]["person-name"], report["kernels"]["date"]
    per_million = report["five_columns"]["cpu_s"] * 1_000_000 / report["rows"]
    told = {
        "repeating names per CPU s": (report["name_repeating"]["rows_per_cpu_s"], 2_000_000, True),
        "different names per CPU s": (names["rows_per_cpu_s"], 1_000_000, True),
        "dates per CPU s": (days["rows_per_cpu_s"], 1_600_000, True),
        "CPU s of five columns per million rows": (round(per_million, 3), 2.2, False),
        "CPU ms of a batch of 1,000": (report["batch"]["cpu_ms_mean"], 6.0, False),
    }
    return {
        name: {"measured": value, "promised": limit, "kept": value >= limit if more else value <= limit}
        for name, (value, limit, more) in told.items()
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    height = arguments.parse_args().rows
    rows = rows_of(height)
    every = {**COLUMNS, **MORE_COLUMNS}
    typical = plan_for(COLUMNS)
    repeating = rows.head(max(height // 20, 1)).sample(height, with_replacement=True, seed=214)
    scanned = rows.select(list(COLUMNS))
    report = {
        "benchmark": "standardise",
        "rows": height,
        "polars": pl.__version__,
        "plain_scan_5_columns": measure(lambda: scanned.select(pl.all().str.len_bytes().sum()), height),
        "five_columns": measure(lambda: typical.run(rows), height),
        "kernels": {},
        "name_repeating": measure(lambda: plan_for({"ho_ten": COLUMNS["ho_ten"]}).run(repeating), height),
        "batch": one_batch(typical, rows),
    }
    for name, kind in every.items():
        plan = plan_for({name: kind})
        report["kernels"][kind[0]] = measure(lambda plan=plan: plan.run(rows), height)
    report["beside"] = beside(rows)
    report = {"promises": promises(report), **report}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
