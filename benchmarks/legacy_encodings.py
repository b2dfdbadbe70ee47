"""Measure old encodings: values per CPU second of detection and conversion, beside what others offer.

    python benchmarks/legacy_encodings.py --values 200000

Every value is different, so nothing is won by standardising distinct values only. ``ftfy`` (UTF-8 read as Windows-1252)
and ``charset-normalizer`` (which encoding bytes are in) are measured in the same run where they are installed; neither
reads TCVN3, VNI or VPS.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import polars as pl

from lienthong.standardise.encodings.convert import convert
from lienthong.standardise.encodings.detect import detect
from lienthong.standardise.encodings.tables import Encoding
from lienthong.standardise.tone_marks import ToneStyle, matching_key, place
from lienthong.testing.citizens import generate
from lienthong.testing.legacy_text import as_windows, spell

MEASURED = (Encoding.TCVN3, Encoding.VNI, Encoding.MOJIBAKE, Encoding.VISCII, Encoding.VPS, Encoding.CP1258)
SMALL = 1_000
OTHERS_VALUES_MAX = 5_000  # the others are measured over so many values


def timed(work: Callable[[], Any], values: int) -> dict[str, float]:
    work()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "cpu_s": round(cpu, 4),
        "wall_s": round(wall, 4),
        "values_per_cpu_s": round(values / max(cpu, 1e-9)),
        "values_per_s": round(values / max(wall, 1e-9)),
    }


def names_of(count: int) -> list[str]:
    citizens, _ = generate(count, seed=214, defect_share=0)
    return [f"{name} {place}" for place, name in enumerate(citizens["ho_ten"])]


def of_encoding(names: list[str], encoding: Encoding) -> dict[str, Any]:
    column = pl.Series([as_windows(spell(name, encoding)) for name in names])
    read = convert(column, encoding).values
    right = sum(each is not None and each.lower() == name.lower() for each, name in zip(read, names, strict=True))
    found = detect(column)
    return {
        "found": found.encoding,
        "read_right_share": right / len(names),
        "detect": timed(lambda: detect(column), len(names)),
        "convert": timed(lambda: convert(column, encoding), len(names)),
        "detect_and_convert": timed(lambda: convert(column, detect(column).encoding), len(names)),
        "convert_batch_of_1000": timed(lambda: convert(column.head(SMALL), encoding), SMALL),
    }


def of_mixed(names: list[str]) -> dict[str, Any]:
    mixture = (Encoding.UTF_8, Encoding.TCVN3)
    column = pl.Series([spell(name, mixture[at % 2]) for at, name in enumerate(names)])
    return {"mixed": detect(column).mixed, "detect": timed(lambda: detect(column), len(names))}


def of_ftfy(names: list[str]) -> dict[str, Any] | None:
    if find_spec("ftfy") is None:
        return None
    ftfy = import_module("ftfy")

    spelled = [as_windows(spell(name, Encoding.MOJIBAKE)) for name in names[:OTHERS_VALUES_MAX]]
    fixed = [ftfy.fix_encoding(each) for each in spelled]
    right = sum(each == name for each, name in zip(fixed, names, strict=False))
    ours = convert(pl.Series(spelled), Encoding.MOJIBAKE).values
    return {
        "read_right_share": right / len(spelled),
        "read_right_share_ours": sum(each == name for each, name in zip(ours, names, strict=False)) / len(spelled),
        "mojibake": timed(lambda: [ftfy.fix_encoding(each) for each in spelled], len(spelled)),
    }


def of_charset_detector(names: list[str]) -> dict[str, Any] | None:
    if find_spec("charset_normalizer") is None:
        return None
    from_bytes = import_module("charset_normalizer").from_bytes

    found = {}
    for encoding in (Encoding.TCVN3, Encoding.VNI, Encoding.VISCII, Encoding.CP1258):
        raw = "\n".join(spell(name, encoding) for name in names[:SMALL]).encode("latin-1")
        best = from_bytes(raw).best()
        found[encoding.value] = None if best is None else best.encoding
    return {"found": found, "detect": timed(lambda: from_bytes(raw).best(), SMALL)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--values", type=int, default=200_000)
    count = arguments.parse_args().values
    names = names_of(count)
    plain = pl.Series(names)
    report = {
        "benchmark": "legacy_encodings",
        "values": count,
        "polars": pl.__version__,
        "plain_scan": timed(lambda: plain.str.len_bytes().sum(), count),
        "unicode_detect": timed(lambda: detect(plain), count),
        "encodings": {encoding.value: of_encoding(names, encoding) for encoding in MEASURED},
        "mixed": of_mixed(names),
        "tone_marks": timed(lambda: place(plain, ToneStyle.NEW), count),
        "matching_key": timed(lambda: matching_key(plain), count),
        "ftfy": of_ftfy(names),
        "charset_normalizer": of_charset_detector(names),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
