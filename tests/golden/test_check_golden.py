"""Every rule on rows that must pass and rows that must be found, and the page that explains it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from check_samples import GOOD_ROW, batch, sample_dataset, sample_dictionary
from lienthong.check.engine import Checker
from lienthong.check.rule_set import all_rules, derive_rules
from lienthong.check.verdict import Letter
from lienthong.dictionary.load import load
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.batch import Event, Outcome

GOLDEN = Path(__file__).parent / "check"
PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "rules"

DICTIONARY = sample_dictionary()
DATASET = sample_dataset()
RULES = derive_rules(DICTIONARY, DATASET)


def read(code: str) -> dict[str, Any]:
    with (GOLDEN / f"{code}.toml").open("rb") as file:
        return tomllib.load(file)


def judge(cases: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the letters of each case by rule name."""
    rows = [{**GOOD_ROW, **case.get("values", {}), **dict.fromkeys(case.get("missing", []))} for case in cases]
    records = batch(
        DICTIONARY,
        DATASET,
        rows,
        outcomes=[{name: Outcome[said] for name, said in case.get("outcomes", {}).items()} for case in cases],
        damaged=[case.get("damaged", []) for case in cases],
        times=[case.get("source_time") for case in cases] if any("source_time" in case for case in cases) else None,
        events=[case.get("event", Event.NEW) for case in cases],
    )
    oversized = pl.Series([case.get("oversized", []) for case in cases], dtype=pl.List(pl.String))
    judged = Checker(DICTIONARY, RULES).judge(records, oversized=oversized)
    names = [rule.name for rule in RULES.rules]
    return [dict(zip(names, letters, strict=True)) for letters in judged.judgement.to_list()]


@pytest.mark.parametrize("code", all_rules())
def test_golden_rows_get_their_letters(code: str) -> None:
    cases = read(code)["case"]
    for case, letters in zip(cases, judge(cases), strict=True):
        expected = case["letters"]
        assert {name: letters[name] for name in expected} == expected, case["name"]


@pytest.mark.parametrize("code", all_rules())
def test_golden_file_has_rows_that_pass_and_rows_that_are_found(code: str) -> None:
    content = read(code)
    assert content["rule"] == code
    own = [rule for rule in RULES.rules if rule.code == code]
    assert own, "the sample dictionary derives the rule"
    seen = {
        letter for case in content["case"] for name, letter in case["letters"].items() if name.split(":")[0] == code
    }
    row_rule = all(rule.over is None for rule in own)
    wanted = {Letter.PASS, Letter.FAIL} if row_rule else {Letter.NOT_APPLICABLE}
    assert wanted <= seen


DECLARED = {rule.code for rule in load(shipped_folder("dictionary")).rules}


@pytest.mark.parametrize("code", sorted({*all_rules(), *DECLARED}))
def test_every_rule_has_a_page_in_both_languages(code: str) -> None:
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {code}: ")
    assert "Tiêu đề: " in page
    for heading in ("## Quy tắc", "## Cách sửa", "## The rule", "## What to do"):
        assert heading in page


def test_no_golden_file_and_no_page_outlives_its_rule() -> None:
    assert {path.stem for path in GOLDEN.glob("*.toml")} == set(all_rules())
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} == {*all_rules(), *DECLARED}
