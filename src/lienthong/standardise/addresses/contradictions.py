"""What speaks against a reading: the address names another district or province than the unit lies in."""

from __future__ import annotations

from typing import Final

import polars as pl

_READING: Final = ["id", "row", "start", "end"]


def of_province(readings: pl.DataFrame, provinces: pl.DataFrame, successors: pl.DataFrame) -> pl.DataFrame:
    """Say of readings whether a province they do not lie in is named behind their units.

    The province that took in the one of the reading agrees: after a merger people write either.
    """
    named = provinces.filter(
        pl.col("p_edits") == 0, (pl.col("p_end") > pl.col("last")) | pl.col("p_announced")
    ).select("id", "structure", at="p_start", named="province")
    lies = readings.select(*_READING, "province", "structure").unique()
    pairs = lies.join(named, on="id", how="inner", suffix="_named").filter(pl.col("at") >= pl.col("end"))
    told = pairs.join(successors, on="province", how="left")
    same = pl.col("named") == pl.col("province")
    agrees = (
        pl.when(pl.col("structure") == pl.col("structure_named"))
        .then(same)
        .when(pl.col("structure_named") == "new")
        .then(pl.col("named") == pl.col("successor"))
        .otherwise(pl.lit(value=True))  # the old name beside a unit of two levels
    )
    spans = told.group_by(*_READING, "at").agg(agrees.any().alias("agrees"))
    return spans.group_by(_READING).agg((~pl.col("agrees")).any().alias("other_province"))


def of_district(readings: pl.DataFrame, districts: pl.DataFrame, *levels: str) -> pl.DataFrame:
    """Say of readings of three levels whether a district they do not lie in is named behind their commune.

    Only districts of the same province count: streets have names of districts too.
    """
    named = districts.filter(pl.col("d_edits") == 0).select(
        "id", "province", at="d_start", to="d_end", named="district"
    )
    spans = [f"{level}_{side}" for level in levels for side in ("start", "end")]
    old = readings.filter(pl.col("structure") == "old").select(*_READING, "province", "district", *spans).unique()
    pairs = old.join(named, on=["id", "province"], how="inner").filter(pl.col("at") >= pl.col("c_end"))
    pairs = pairs.filter(
        (pl.col("to") <= pl.col(f"{level}_start")) | (pl.col("at") >= pl.col(f"{level}_end")) for level in levels
    )
    agrees = (pl.col("named") == pl.col("district")).any().alias("agrees")
    return pairs.group_by(*_READING, "at").agg(agrees).group_by(_READING).agg(
        (~pl.col("agrees")).any().alias("other_district")
    )  # fmt: skip
