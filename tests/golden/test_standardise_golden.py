"""What officers can read in the example files is what the kernels do."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lienthong.dictionary.model import (
    Code,
    CodeList,
    Datatype,
    Identity,
    Level,
    Status,
    Text,
    ValueDomain,
)
from lienthong.standardise.batch import Outcome
from lienthong.standardise.kernel import KernelContext
from lienthong.standardise.registry import all_kernels

FILES = sorted((Path(__file__).parent / "standardise").glob("*.toml"))
FILE_CASES = [
    pytest.param(book, place, id=f"{book['kernel']}-{place}")
    for book in (tomllib.loads(path.read_text(encoding="utf-8")) for path in FILES)
    for place in range(len(book["examples"]))
]
IDENTITY = Identity(id="golden", version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)


def context_of(book: dict[str, Any], example: dict[str, Any]) -> KernelContext:
    code_list = CodeList(
        identity=IDENTITY,
        label=Text(vi="golden"),
        codes=tuple(Code(code=code, label=Text(vi=label), valid_from=None) for code, label in book.get("codes", [])),
        aliases=tuple((spelling, code) for spelling, code in book.get("aliases", [])),
    )
    domain = ValueDomain(
        identity=IDENTITY,
        label=Text(vi="golden"),
        datatype=Datatype(book.get("datatype", "text")),
        rdf_type="xsd:string",
        precision=book.get("precision"),
        scale=example.get("scale", book.get("scale")),
        standardiser=book["kernel"],
    )
    return KernelContext(domain=domain, code_list=code_list if "codes" in book else None, form=example.get("form"))


@pytest.mark.parametrize(("book", "place"), FILE_CASES)
def test_every_example_comes_out_as_written(book: dict[str, Any], place: int) -> None:
    example = book["examples"][place]
    context = context_of(book, example)
    result = all_kernels()[book["kernel"]].run(pl.Series("c", [example["source"]], dtype=pl.String), context)
    expected = example.get("value")
    if context.domain.datatype is Datatype.DECIMAL and expected is not None:
        expected = Decimal(expected)
    assert (result.values.to_list(), Outcome(result.outcomes[0]).name.lower()) == ([expected], example["outcome"])


def test_every_kernel_has_a_file_of_examples() -> None:
    assert {path.stem.replace("_", "-") for path in FILES} == set(all_kernels())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_shows_what_is_kept_and_what_is_not(path: Path) -> None:
    outcomes = {example["outcome"] for example in tomllib.loads(path.read_text(encoding="utf-8"))["examples"]}
    assert "unchanged" in outcomes
    assert "changed" in outcomes
    assert outcomes <= {outcome.name.lower() for outcome in Outcome}
