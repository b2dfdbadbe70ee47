"""Rows that share a key inside a file are found after the last row, in whatever block they stood."""

from __future__ import annotations

import polars as pl
import pytest

from lienthong.check.rule_set import derive_rules
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.pipeline import file_unique
from lienthong.pipeline.file_run import JUDGEMENT
from lienthong.pipeline.file_unique import Uniqueness

KEY = "ma_so_doanh_nghiep"


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def asked(dictionary: Dictionary) -> Uniqueness:
    return Uniqueness.of(dictionary, derive_rules(dictionary, dictionary.datasets[DatasetId("doanh-nghiep")]))


def keys(*values: str | None) -> pl.DataFrame:
    return pl.DataFrame({KEY: values}, schema={KEY: pl.String})


def judged(unique: Uniqueness, *values: str | None) -> list[bool]:
    place = unique.places[0]
    frame = keys(*values).with_columns(pl.lit("p" * (place + 3)).alias(JUDGEMENT))
    return [letters[place] == "f" for letters in unique.corrected(frame)[JUDGEMENT]]


def test_a_key_twice_in_different_blocks_fails_both_rows(dictionary: Dictionary):
    unique = asked(dictionary)
    unique.add(keys("a", "b", None))
    unique.add(keys("c", "a", None))
    assert unique.finish()
    assert judged(unique, "a", "b", None, "c") == [True, False, False, False]
    assert unique.failed(keys("a", "b", "a", None)) == (2,)


def test_missing_keys_are_not_the_same_key(dictionary: Dictionary):
    unique = asked(dictionary)
    unique.add(keys(None, None, "a"))
    assert not unique.finish()


def test_other_letters_of_a_judgement_stay(dictionary: Dictionary):
    unique = asked(dictionary)
    unique.add(keys("a", "a"))
    unique.finish()
    place = unique.places[0]
    before = "".join("npe"[number % 3] for number in range(place + 5))
    frame = keys("a").with_columns(pl.lit(before).alias(JUDGEMENT))
    assert unique.corrected(frame)[JUDGEMENT][0] == before[:place] + "f" + before[place + 1 :]


def test_above_the_limit_nothing_is_kept_and_nothing_is_claimed(
    dictionary: Dictionary, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(file_unique, "ROWS_MAX", 3)
    unique = asked(dictionary)
    unique.add(keys("a", "a"))
    unique.add(keys("b", "c"))
    assert not unique.finish()
    assert not unique.measured
    assert judged(unique, "a") == [False]
