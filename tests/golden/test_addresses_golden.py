"""What officers can read in the example file is what the resolver does."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lienthong.standardise.addresses import resolve

BOOK = tomllib.loads((Path(__file__).parent / "addresses.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", BOOK["examples"], ids=lambda example: example["say"])
def test_an_example_is_read_as_it_says(example: dict[str, Any]) -> None:
    answer = resolve(pl.Series([example["address"]]), on=example.get("on")).row(0, named=True)
    if "commune" in example:
        assert (answer["outcome"], answer["commune_code"]) == ("ONE", example["commune"])
        assert answer["street"] == example["street"]
    elif "several" in example:
        assert answer["outcome"] == "SEVERAL"
        assert sorted(answer["alternatives"]) == example["several"]
    else:
        assert answer["outcome"] == "UNKNOWN"


ELSEWHERE = tomllib.loads((Path(__file__).parent / "addresses_elsewhere.toml").read_text(encoding="utf-8"))[
    "examples"
]


@pytest.mark.parametrize("day", sorted({example["on"] for example in ELSEWHERE}))
def test_addresses_as_people_elsewhere_write_them_are_read_right_or_left_open(day: date) -> None:
    examples = [example for example in ELSEWHERE if example["on"] == day]
    answers = resolve(pl.Series([example["address"] for example in examples]), on=day)
    wrong = [
        (example["say"], answer["outcome"], answer["commune_code"])
        for example, answer in zip(examples, answers.iter_rows(named=True), strict=True)
        if not _as_told(example, answer)
    ]
    assert wrong == []


def _as_told(example: dict[str, Any], answer: dict[str, Any]) -> bool:
    if example.get("unknown"):
        return answer["outcome"] == "UNKNOWN"
    if answer["outcome"] != "ONE":
        return bool(example.get("open") or example.get("or_open"))
    return answer["commune_code"] == example.get("commune")


def test_enough_ways_to_write_an_address_are_kept() -> None:
    assert len(ELSEWHERE) >= 120
    assert sum("commune" in example for example in ELSEWHERE) >= 80
