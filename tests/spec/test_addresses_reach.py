"""How far the resolver reaches, on three sets: facts made with a seed, a real register, and our own writing."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from address_writing import written

from lienthong.standardise.addresses import resolve
from lienthong.standardise.addresses.gazetteer import shipped_gazetteer

WRONG_MAX = 0.003
DATA = Path(__file__).resolve().parent.parent / "data" / "addresses_synthetic.csv"
REGISTER = Path(__file__).resolve().parents[2] / "src/lienthong/testing/agency/enterprises_ca_mau.csv.gz"
REGISTER_DAY = date(2024, 2, 1)


def _shares(expected: pl.DataFrame, answer: pl.DataFrame) -> tuple[float, float]:
    """Return the share of right answers and of wrong ones given as certain."""
    both = pl.concat([expected.select("expected_code"), answer], how="horizontal")
    one = pl.col("outcome") == "ONE"
    right = one & (pl.col("commune_code") == pl.col("expected_code"))
    return tuple(both.select(right.mean().alias("right"), (one & ~right).mean().alias("wrong")).row(0))


@pytest.mark.parametrize(
    ("structure", "on", "least"), [("old", date(2025, 6, 30), 0.995), ("new", date(2025, 7, 1), 0.985)]
)
@pytest.mark.parametrize("told", ["told the structure", "left to find it"])
def test_written_facts_are_resolved(structure, on, least, told):
    rows = pl.read_csv(DATA, infer_schema=False).filter(pl.col("structure") == structure)
    asked = structure if told == "told the structure" else "auto"
    right, wrong = _shares(rows, resolve(rows["address"], on=on, structure=asked))
    assert right >= least
    assert wrong < WRONG_MAX


@pytest.mark.parametrize("on", [None, date(2026, 6, 1)])
def test_old_addresses_of_unknown_age_are_open_rather_than_wrong(on):
    rows = pl.read_csv(DATA, infer_schema=False).filter(pl.col("structure") == "old")
    right, wrong = _shares(rows, resolve(rows["address"], on=on))
    assert right >= 0.975
    assert wrong < WRONG_MAX


def _register() -> pl.DataFrame:
    """Return the register's addresses labelled by their commas and the district column, never by the resolver."""
    table = pl.read_csv(gzip.decompress(REGISTER.read_bytes()), infer_schema=False)
    parts = pl.col("address").str.normalize("NFC").str.split(",")
    rows = table.select(address="Địa chỉ trụ sở chính", column="Quận / Huyện").with_columns(
        *(
            parts.list.get(-back, null_on_oob=True).str.strip_chars().str.to_lowercase().alias(name)
            for back, name in ((4, "commune"), (3, "district"), (2, "province"))
        )
    )
    rows = rows.filter(
        pl.col("district") == pl.col("column").str.normalize("NFC").str.to_lowercase(),
        pl.col("province") == "tỉnh cà mau",
    )
    units = shipped_gazetteer()
    old = pl.col("structure") == "old"
    listed = units.communes.filter(old, pl.col("since") <= REGISTER_DAY, pl.col("until") > REGISTER_DAY)
    named = listed.filter(pl.col("province") == "96").join(
        units.districts.select("district", district_label="label"), on="district"
    )
    labels = named.select(
        expected_code="code",
        commune=pl.col("label").str.to_lowercase(),
        district=pl.col("district_label").str.to_lowercase(),
    )
    return rows.join(labels, on=["commune", "district"], how="inner")


def test_the_register_of_ca_mau_is_resolved_by_the_list_of_its_day():
    rows = _register()
    assert rows.height > 3_900
    right, wrong = _shares(rows, resolve(rows["address"], on=REGISTER_DAY))
    assert right >= 0.97
    assert wrong < WRONG_MAX


def test_a_later_day_never_makes_the_register_wrong():
    rows = _register()
    _, wrong = _shares(rows, resolve(rows["address"], on=date(2026, 1, 1)))
    assert wrong < WRONG_MAX


def test_register_addresses_without_a_commune_are_unknown():
    table = pl.read_csv(gzip.decompress(REGISTER.read_bytes()), infer_schema=False)
    bare = table.filter(pl.col("Quận / Huyện").is_null() | (pl.col("Quận / Huyện") == ""))
    answer = resolve(bare["Địa chỉ trụ sở chính"], on=REGISTER_DAY)
    assert bare.height > 10
    assert (answer["outcome"] == "UNKNOWN").mean() > 0.9


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize(
    ("structure", "on"), [("old", date(2021, 6, 1)), ("old", date(2025, 6, 30)), ("new", date(2026, 6, 1))]
)
def test_addresses_written_in_other_styles_are_resolved(structure, on, seed):
    rows = written(shipped_gazetteer(), on=on, structure=structure, count=60, seed=seed)
    right, wrong = _shares(rows, resolve(rows["address"], on=on))
    assert right >= 0.985
    assert wrong < WRONG_MAX


def _listed(day: date) -> pl.DataFrame:
    units = shipped_gazetteer()
    official = units.provinces.filter(pl.col("structure") == "old")
    official = official.unique("province", keep="first", maintain_order=True)
    districts = units.districts.unique("district", keep="last", maintain_order=True)
    listed = units.communes.filter(pl.col("structure") == "old", pl.col("since") <= day, pl.col("until") > day)
    return listed.join(districts.select("district", named="label"), on="district").join(
        official.select("province", above="label"), on="province"
    )


def _contradicting(what: str, *, count: int = 800) -> pl.Series:
    """Return addresses whose district or province does not have the commune, as slips and merged columns give."""
    rows = _listed(date(2025, 6, 30)).sort("code").sample(count, seed=7, shuffle=True)
    other = _listed(date(2025, 6, 30)).sort("code").sample(count, seed=8, shuffle=True)
    pairs = pl.concat([rows, other.select(pl.all().name.prefix("other_"))], how="horizontal")
    if what == "province":
        pairs = pairs.filter(pl.col("province") != pl.col("other_province"))
        return pairs.select(pl.concat_str("label", "named", "other_above", separator=", ")).to_series()
    same = rows.join(other, on="province", suffix="_other").filter(pl.col("district") != pl.col("district_other"))
    known = _listed(date(2025, 6, 30)).select("key", district_other="district")
    same = same.join(known, on=["key", "district_other"], how="anti").unique("code", maintain_order=True)
    return same.select(pl.concat_str("label", "named_other", "above", separator=", ")).to_series()


@pytest.mark.parametrize(("what", "most"), [("province", 0.04), ("district", 0.08)])
def test_an_address_that_contradicts_itself_is_hardly_ever_given_a_code(what, most):
    answer = resolve(_contradicting(what), on=date(2025, 6, 30))
    assert answer.height > 300
    assert (answer["outcome"] == "ONE").mean() <= most
