from __future__ import annotations

import unicodedata
from datetime import date
from functools import cache

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.dictionary.load import load
from lienthong.dictionary.meanings import MeaningIndex
from lienthong.dictionary.model import CodeListId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.addresses import resolve
from lienthong.standardise.addresses.gazetteer import shipped_gazetteer

DAYS = (date(2021, 6, 1), date(2024, 2, 1), date(2025, 6, 30), date(2025, 7, 1), date(2026, 6, 1))


@cache
def names() -> list[str]:
    units = shipped_gazetteer()
    return sorted({*units.communes["label"], *units.districts["label"], *units.provinces["label"].drop_nulls()})


@cache
def index() -> MeaningIndex:
    return MeaningIndex.of(load(shipped_folder("dictionary")).code_lists[CodeListId("don-vi-hanh-chinh-xa")])


@cache
def full_names() -> tuple[tuple[str, str, date], ...]:
    """Return full addresses of both structures with a day on which they are right, and their codes."""
    units = shipped_gazetteer()
    found = []
    for structure, day in (("old", date(2025, 6, 30)), ("new", date(2026, 6, 1))):
        rows = units.communes.filter(
            pl.col("structure") == structure, pl.col("since") <= day, pl.col("until") > day
        ).join(units.districts.select("district", district_label="label"), on="district", how="left")
        tops = units.provinces.filter(pl.col("structure") == structure, pl.col("kind").is_not_null())
        top = dict(tops.select("province", "label").rows())
        for row in rows.iter_rows(named=True):
            chain = [row["label"], row["district_label"], top[row["province"]]]
            found.append((", ".join(name for name in chain if name), row["code"], day))
    return tuple(found)


@st.composite
def messy(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.one_of(st.sampled_from(names()), st.text(max_size=12)), max_size=5))
    return draw(st.sampled_from([", ", " ", ",", " - ", ";"])).join(parts)


def one(text: str, on: date | None) -> dict:
    return resolve(pl.Series([text], dtype=pl.String), on=on).row(0, named=True)


@given(messy(), st.sampled_from(DAYS))
@settings(max_examples=60, deadline=None)
def test_a_code_is_in_force_on_the_day_of_its_list(text, on):
    answer = one(text, on)
    if answer["outcome"] == "ONE":
        assert answer["commune_code"] in {
            found.code for found in index().on(answer["commune_code"], answer["list_date"])
        }


@given(messy(), st.sampled_from([None, *DAYS]))
@settings(max_examples=60, deadline=None)
def test_only_one_answer_is_given_as_a_code(text, on):
    answer = one(text, on)
    assert (answer["outcome"] == "ONE") == (answer["commune_code"] is not None)
    assert 0.0 <= answer["confidence"] <= 1.0
    assert answer["commune_code"] not in answer["alternatives"]
    if answer["outcome"] == "SEVERAL":
        assert len(set(answer["alternatives"])) > 1


@given(messy(), st.sampled_from(DAYS))
@settings(max_examples=60, deadline=None)
def test_composed_and_decomposed_spellings_have_one_answer(text, on):
    composed, decomposed = (one(unicodedata.normalize(form, text), on) for form in ("NFC", "NFD"))
    assert composed == decomposed


@given(messy(), st.sampled_from(DAYS))
@settings(max_examples=40, deadline=None)
def test_the_street_is_composed_text(text, on):
    street = one(text, on)["street"]
    assert street is None or unicodedata.is_normalized("NFC", street)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_full_name_of_a_unit_is_read_back_as_that_unit(data):
    text, code, day = data.draw(st.sampled_from(full_names()))
    answer = one(text, day)
    assert answer["outcome"] != "UNKNOWN"
    assert code == answer["commune_code"] or code in answer["alternatives"]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_neighbours_in_a_batch_change_nothing(data):
    texts = data.draw(st.lists(messy(), min_size=2, max_size=6))
    together = resolve(pl.Series(texts, dtype=pl.String), on=DAYS[2])
    assert together.rows(named=True) == [one(text, DAYS[2]) for text in texts]
