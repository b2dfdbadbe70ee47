"""Measure the dictionary search: time of one query on 3,000 elements beside a plain scan of all names.

    python benchmarks/dictionary_search.py --elements 3000

The elements are the shipped ones, repeated with further words, so that words are shared as in a real dictionary.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from lienthong.dictionary.finding import folded
from lienthong.dictionary.load import load
from lienthong.dictionary.search import Kind, SearchIndex, Subject, subjects
from lienthong.dictionary.shipped import shipped_folder

ROUNDS = 20
PROMISED_S = 0.05
QUERIES = ("ho va ten", "Họ và tên", "danh định số", "ho va tem", "a", "họ", "ngày", "x" * 100, "số " * 30)


def many(elements: int) -> list[Subject]:
    own = [one for one in subjects(load(shipped_folder("dictionary"))) if one.kind is Kind.ELEMENT]
    chance = random.Random(1)
    words = [word for one in own for _, name in one.names for word in name.split()]
    made = []
    for number in range(elements):
        one = own[number % len(own)]
        further = " ".join(chance.choices(words, k=3))
        names = tuple((kind, f"{name} {further}") for kind, name in one.names)
        made.append(replace(one, id=f"{one.id}{number}", names=names))
    return made


def measured(act: Callable[[], object]) -> tuple[float, float]:
    """Return median wall seconds and median CPU seconds."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return statistics.median(walls), statistics.median(cpus)


def run(elements: int) -> dict[str, object]:
    made = many(elements)
    names = [name for one in made for _, name in one.names]
    wall, cpu = time.perf_counter(), time.process_time()
    index = SearchIndex(made)
    built = {"wall_s": round(time.perf_counter() - wall, 4), "cpu_s": round(time.process_time() - cpu, 4)}
    results = []
    for query in QUERIES:
        ours, ours_cpu = measured(lambda query=query: index.search(query))
        results.append(
            {
                "query": query[:40],
                "hits": len(index.search(query)),
                "wall_ms": round(ours * 1000, 2),
                "cpu_ms": round(ours_cpu * 1000, 2),
                "kept": ours_cpu < PROMISED_S,
            }
        )
    wall, cpu = time.perf_counter(), time.process_time()
    wanted = folded(QUERIES[0])
    found = sum(wanted in folded(name) for name in names)
    scan = {
        "what": "fold every name and look for the query in it, once, without ranking",
        "hits": found,
        "wall_ms": round((time.perf_counter() - wall) * 1000, 2),
        "cpu_ms": round((time.process_time() - cpu) * 1000, 2),
    }
    return {"elements": elements, "names": len(names), "index": built, "queries": results, "reference": scan}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=int, default=3_000)
    print(json.dumps(run(parser.parse_args().elements), ensure_ascii=False, indent=2))
