"""What officers can read in the example files is what becomes of old texts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lienthong.sources.profile import MIXED
from lienthong.standardise.batch import Outcome
from lienthong.standardise.encodings.binding import DECLARABLE
from lienthong.standardise.encodings.convert import convert
from lienthong.standardise.encodings.detect import detect
from lienthong.standardise.encodings.mixed import convert_each
from lienthong.standardise.encodings.tables import Encoding
from lienthong.standardise.tone_marks import ToneStyle, place

HERE = Path(__file__).parent


def book(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


FILES = sorted(path for path in (HERE / "encodings").glob("*.toml") if path.stem != "detection")
CASES = [
    pytest.param(each["encoding"], example, id=f"{each['encoding']}-{place}")
    for each in map(book, FILES)
    for place, example in enumerate(each["examples"])
]


@pytest.mark.parametrize(("encoding", "example"), CASES)
def test_every_example_is_read_as_written(encoding: str, example: dict[str, Any]) -> None:
    source = pl.Series([example["source"]], dtype=pl.String)
    done = convert_each(source) if encoding == MIXED else convert(source, Encoding(encoding))
    assert (done.values[0], Outcome(done.outcomes[0]).name.lower()) == (example.get("value"), example["outcome"])


def test_every_encoding_a_mapping_may_name_has_a_file_of_examples() -> None:
    assert {path.stem for path in FILES} == set(DECLARABLE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_shows_what_is_kept_and_what_is_not(path: Path) -> None:
    outcomes = {example["outcome"] for example in book(path)["examples"]}
    assert {"unchanged", "changed"} < outcomes
    assert outcomes <= {outcome.name.lower() for outcome in Outcome}


@pytest.mark.parametrize("example", book(HERE / "encodings" / "detection.toml")["columns"])
def test_every_column_is_known_for_what_it_is(example: dict[str, Any]) -> None:
    found = detect(pl.Series(example["values"]))
    name = "mixed" if found.mixed else "none" if found.encoding is None else found.encoding.value
    assert name == example["encoding"]


@pytest.mark.parametrize("example", book(HERE / "tone_marks.toml")["examples"])
def test_every_mark_stands_where_the_example_says(example: dict[str, Any]) -> None:
    for style in ToneStyle:
        assert place(pl.Series([example["source"]]), style).to_list() == [example[style.value]]
