"""What officers can read in the example file is what the resolver does."""

from __future__ import annotations

import tomllib
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
