"""Where synthetic citizens live and were registered: taken from the shipped lists of administrative units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from lienthong.dictionary.shipped import shipped_folder

REFORM_DAY = date(2025, 7, 1)  # the day the two-level administration began, QĐ 19/2025/QĐ-TTg


@dataclass(frozen=True, kw_only=True)
class Places:
    """The units one province's register needs."""

    province: str  # code in force
    province_label: str
    communes: pl.Series  # codes in force
    commune_labels: pl.Series  # aligned with ``communes``
    old_labels: pl.Series  # aligned: a name of before the reform for part of the same land, else null
    ended: pl.Series  # codes that ended on the reform day and were not given out again
    elsewhere: pl.Series  # codes in force in other provinces
    registries: pl.Series  # three digits that begin a personal number, own province most often


def _units(name: str) -> pl.DataFrame:
    path = shipped_folder("dictionary") / "codelists" / f"{name}.csv"
    return pl.read_csv(path, infer_schema=False)


def places_of(province: str = "96") -> Places:
    """Return the places of a province of today (mã tỉnh in force since 2025-07-01)."""
    reform = REFORM_DAY.isoformat()
    provinces = _units("don-vi-hanh-chinh-tinh")
    communes = _units("don-vi-hanh-chinh-xa")
    in_force = communes.filter(pl.col("valid_to").is_null()).unique("code", keep="first", maintain_order=True)
    here = in_force.filter(pl.col("parent") == province).sort("code")
    merged = provinces.filter(pl.col("replaced_by").str.split("|").list.contains(province))["code"].unique().to_list()
    before = communes.filter((pl.col("valid_to") == reform) & pl.col("parent").is_in(merged))
    # A commune that was split has several successors; its name says nothing sure about one of them.
    whole = before.filter(~pl.col("replaced_by").str.contains("|", literal=True)).select(
        "label_vi", code="replaced_by"
    )
    old = whole.group_by("code").agg(pl.col("label_vi").sort().first().alias("old"))
    labels = here.join(old, on="code", how="left", maintain_order="left")
    ended = before.filter(~pl.col("code").is_in(in_force["code"].implode()))
    own = pl.Series([f"0{code}" for code in sorted(merged)], dtype=pl.String)
    others = ("0" + provinces["code"].unique().sort()).rename("")
    return Places(
        province=province,
        province_label=provinces.filter((pl.col("code") == province) & pl.col("valid_to").is_null())["label_vi"][0],
        communes=labels["code"],
        commune_labels=labels["label_vi"],
        old_labels=labels["old"],
        ended=ended["code"].unique().sort(),
        elsewhere=in_force.filter(pl.col("parent") != province)["code"].sort(),
        registries=pl.concat([own] * (6 * others.len() // max(1, own.len())) + [others]),
    )
