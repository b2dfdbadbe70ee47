"""Measure the standardisers: rows per CPU second beside a plain scan of the same frame, and the time of one batch.

    python benchmarks/standardise.py --rows 1000000

Names are all different, so nothing is won by standardising distinct values only; ``name-repeating`` shows that gain.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable

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
    batch = rows.head(BATCH_ROWS)
    taken: list[float] = []
    for _ in range(BATCH_ROUNDS):
        start = time.perf_counter()
        plan.run(batch)
        taken.append((time.perf_counter() - start) * 1_000)
    taken.sort()
    return {
        "rows": batch.height,
        "columns": len(plan.steps),
        "wall_ms_median": round(statistics.median(taken), 3),
        "wall_ms_p95": round(taken[int(len(taken) * 0.95)], 3),
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
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
