"""Measure loading a dictionary of 3,000 elements, and answers to a million codes, each beside a reference.

    python benchmarks/dictionary.py --rounds 3

The elements are made from the shipped ones in three sizes: all like the smallest file, the shipped files in turn
(mean), all like the largest. The code lists are those shipped, about 15,000 codes. Loading is cold: every round is a
new process, nothing is kept between runs, only the operating system holds the files in memory. The reference parses
the same element files with PyYAML's C parser and does nothing else: no check, no reference, no hash.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from lienthong.dictionary.code_columns import CodeColumns
from lienthong.dictionary.codes import lookup
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeList, CodeListId
from lienthong.dictionary.shipped import shipped_folder

ELEMENTS = 3_000
PAIRS = 1_000_000
LOOP_PAIRS = 100_000  # of the reference that asks one by one; told per second
PROMISED_LOAD_S = 1.5
PROMISED_PAIRS_A_S = 1_000_000
SIZES = ("small", "mean", "large")
TO = date(2026, 9, 1)


def build(folder: Path, size: str, elements: int) -> None:
    """Write a dictionary with the shipped code lists and domains and many elements of one size."""
    shipped = shipped_folder("dictionary")
    shutil.copy(shipped / "release.yaml", folder / "release.yaml")
    for name in ("codelists", "domains", "code_mappings"):
        shutil.copytree(shipped / name, folder / name)
    (folder / "datasets").mkdir()
    files = sorted((shipped / "elements").rglob("*.yaml"), key=lambda path: path.stat().st_size)
    chosen = {"small": files[:1], "mean": files, "large": files[-1:]}[size]
    for number in range(elements):
        path = chosen[number % len(chosen)]
        place = folder / "elements" / f"nhom-{number % 20}"
        place.mkdir(parents=True, exist_ok=True)
        name = f"{path.stem}X{number}"
        (place / f"{name}.yaml").write_text(_varied(path.read_text("utf-8"), name, number), encoding="utf-8")


def _varied(text: str, name: str, number: int) -> str:
    text = re.sub(r"^id: .*$", f"id: {name}", text, flags=re.MULTILINE)
    text = re.sub(r"^technical_name: (.*)$", rf"technical_name: \1_x{number}", text, flags=re.MULTILINE)
    text = re.sub(r"^concept: (.*)$", rf"concept: \1-x{number}", text, flags=re.MULTILINE)
    text = re.sub(r"^related:\n(  - .*\n)+", "", text, flags=re.MULTILINE)
    # A definition of its own: two elements may not share one. The first line of it is enough.
    return re.sub(
        r"^(definition:\n(?:  en: .*\n(?:   .*\n)*)?  vi: ['\"]?)", rf"\g<1>Mục {number} ", text, flags=re.MULTILINE
    )


def _timed(act: Callable[[], Any], told: Any) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    told.put((time.perf_counter() - wall, time.process_time() - cpu))


def _load(folder: Path) -> None:
    assert len(load(folder).elements) > 0


def _parse(folder: Path) -> None:
    for path in (folder / "elements").rglob("*.yaml"):
        yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def _work(act: Callable[[Path], None], folder: Path, told: Any) -> None:
    _timed(lambda: act(folder), told)


def cold(act: Callable[[Path], None], folder: Path, rounds: int) -> dict[str, float]:
    """Return the median of several runs, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    found = []
    for _ in range(rounds):
        told = context.SimpleQueue()
        process = context.Process(target=_work, args=(act, folder, told))
        process.start()
        found.append(told.get())
        process.join()
    walls, cpus = zip(*found, strict=True)
    return {"wall_s": round(statistics.median(walls), 3), "cpu_s": round(statistics.median(cpus), 3)}


def loading(rounds: int, elements: int) -> list[dict[str, object]]:
    results: list[dict[str, object]] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="lienthong-benchmark-") as name:
            folder = Path(name)
            build(folder, size, elements)
            files = list((folder / "elements").rglob("*.yaml"))
            loaded = load(folder)
            ours = cold(_load, folder, rounds)
            results.append(
                {
                    "size": size,
                    "elements": len(loaded.elements),
                    "codes": sum(len(one.codes) for one in loaded.code_lists.values()),
                    "bytes_per_element": round(sum(path.stat().st_size for path in files) / len(files)),
                    "load_and_validate": ours,
                    "reference_yaml_csafeloader_parse_only": cold(_parse, folder, rounds),
                    "promised_s": PROMISED_LOAD_S,
                    "kept": ours["cpu_s"] < PROMISED_LOAD_S,
                }
            )
    return results


def _pairs(code_list: CodeList, count: int) -> tuple[list[str], list[date]]:
    chance = random.Random(1)
    codes = sorted({one.code for one in code_list.codes})
    days = [date(2004, 1, 1) + timedelta(days=number) for number in range(8_200)]
    return chance.choices(codes, k=count), chance.choices(days, k=count)


def _rate(act: Callable[[], object], count: int, rounds: int) -> dict[str, float]:
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    return {
        "wall_s": round(wall, 3),
        "cpu_s": round(cpu, 3),
        "per_cpu_s": round(count / cpu),
        "per_wall_s": round(count / wall),
    }


def _loop(periods: dict[str, list[Any]], codes: list[str], days: list[date]) -> list[str | None]:
    """Answer one by one, as a program with a dict of lists would."""
    told: list[str | None] = []
    for code, day in zip(codes, days, strict=True):
        for one in periods.get(code, ()):
            if (one.valid_from is None or one.valid_from <= day) and (one.valid_to is None or day < one.valid_to):
                told.append(one.label.vi)
                break
        else:
            told.append(None)
    return told


def looking_up(rounds: int) -> dict[str, object]:
    code_list = load(shipped_folder("dictionary")).code_lists[CodeListId("don-vi-hanh-chinh-xa")]
    codes, days = _pairs(code_list, PAIRS)
    asked, on = pl.Series(codes), pl.Series(days)
    meanings = CodeColumns.meanings(code_list)
    conversions = CodeColumns.conversions(code_list, to_date=TO)
    first = {}
    for name, columns in (("meanings", meanings), ("conversions", conversions)):
        first[name] = _rate(partial(columns.answer, asked.head(20_000), on.head(20_000)), 20_000, 1)
        columns.answer(asked, on)
    periods: dict[str, list[Any]] = {}
    for one in code_list.codes:
        periods.setdefault(one.code, []).append(one)
    loop = _rate(lambda: _loop(periods, codes[:LOOP_PAIRS], days[:LOOP_PAIRS]), LOOP_PAIRS, rounds)
    scan = _rate(
        lambda: [lookup(code_list, code, day) for code, day in zip(codes[:200], days[:200], strict=True)], 200, 1
    )
    joined = _rate(lambda: meanings.answer(asked, on), PAIRS, rounds)
    return {
        "pairs": PAIRS,
        "codes_known": len(periods),
        "first_20_000_with_preparation": first,
        "meaning_of_code_on_day": joined,
        "conversion_of_code_to_another_day": _rate(lambda: conversions.answer(asked, on), PAIRS, rounds),
        "reference_python_dict_loop": {"pairs": LOOP_PAIRS, **loop},
        "reference_python_scan_of_the_list": {"pairs": 200, **scan},
        "promised_per_s": PROMISED_PAIRS_A_S,
        "kept": joined["per_cpu_s"] > PROMISED_PAIRS_A_S,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--elements", type=int, default=ELEMENTS)
    given = parser.parse_args()
    result = {
        "python": sys.version.split()[0],
        "loading": loading(given.rounds, given.elements),
        "looking_up": looking_up(given.rounds),
    }
    print(json.dumps(result, ensure_ascii=False, indent=2))
