"""The second and third pass: names found anywhere in the text, weighed together (commune, district, province).

Every weight is a named constant; `docs/explanation/addresses.md` says what each is for.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import polars as pl

from lienthong.standardise.addresses.index import NUMBER, Index, shortened, twice_shortened

COMMUNE: Final = 4.0
DISTRICT: Final = 3.0
PROVINCE: Final = 3.0
KIND_AGREES: Final = 1.5  # "phường" stands before a phường
KIND_AGREES_ABOVE: Final = 0.8  # the same for a district or province
KIND_OTHER: Final = -0.7  # "xã" before a thị trấn: another unit of the same level
KIND_STRANGE: Final = -3.0  # "đường" or "huyện" before a commune
MARKS_AGREE: Final = 0.6
MARKS_AGREE_ABOVE: Final = 0.3
MARKS_DISAGREE: Final = -0.6
MARKS_DISAGREE_ABOVE: Final = -0.3
EDITS_MAX: Final = 2
EDIT: Final = -1.6  # one letter too many, missing, wrong or two exchanged
ADJACENT: Final = 1.0  # the next unit follows at once
GAP: Final = -0.6  # for each word in between
GAP_MAX: Final = 5
NAME_GOES_ON: Final = -2.0  # and the first of them stands right behind the commune's name: its name may be longer
WRONG_ORDER: Final = -2.5
AT_END: Final = 0.8
PAST: Final = -1.5  # not listed on the day asked for
NO_DISTRICT: Final = -1.5  # three levels, but no district named
NO_DISTRICT_UNDATED: Final = -0.5  # the same where no day says that the address is of two levels
AFTER_NUMBER: Final = -2.5  # "12 Nguyễn Trãi" is a street
INSIDE_PART: Final = -1.0  # a bare name not at the beginning of its part

_COMMUNE_KINDS: Final = ("p", "x", "tt", "dk")
_DISTRICT_KINDS: Final = ("q", "h", "tx", "tp")
_PROVINCE_KINDS: Final = ("t", "tp")


def found_names(spans: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return the spans that are names of units or known short forms of them, with ``name`` and ``edits``."""
    return spans.join(index.spellings, on="key", how="inner")


def near_names(spans: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return the spans one edit away from a name of a unit, with that ``name`` and ``edits`` 1."""
    keys = spans.select("key").unique()
    shorter = shortened(keys, "key")
    pairs = shorter.join(index.deletions, on="shorter", suffix="_name").filter(pl.col("key") != pl.col("name"))
    # One letter missing or too many, one wrong, or two neighbours exchanged; other letters left out are two edits.
    one_sided = (pl.col("at") < 0) | (pl.col("at_name") < 0)
    left_out = pl.col("key").str.slice(pl.col("at"), 1) == pl.col("name").str.slice(pl.col("at_name"), 1)
    exchanged = ((pl.col("at") - pl.col("at_name")).abs() == 1) & left_out
    pairs = pairs.filter(one_sided | (pl.col("at") == pl.col("at_name")) | exchanged).select("key", "name").unique()
    return spans.join(pairs, on="key", how="inner").with_columns(pl.lit(1, dtype=pl.Int32).alias("edits"))


def far_names(spans: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return the spans two edits away from a long name, with that ``name`` and ``edits`` 2."""
    pairs = twice_shortened(spans.select("key").unique(), "key").join(index.twice, on="shorter").select("key", "name")
    listed = [pair for pair in pairs.unique().iter_rows() if _distance(*pair) == EDITS_MAX]
    table = pl.DataFrame(listed, schema={"key": pl.String, "name": pl.String}, orient="row")
    return spans.join(table, on="key", how="inner").with_columns(pl.lit(EDITS_MAX, dtype=pl.Int32).alias("edits"))


def _distance(one: str, other: str) -> int:
    """Return how many letters must be added, left out, changed or exchanged with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        older, before, row = before, row, [place]
        for column, wanted in enumerate(other, 1):
            cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != wanted))
            exchanged = place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == wanted
            row.append(min(cost, older[column - 2] + 1) if exchanged else cost)
    return row[-1]


def candidates(names: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return id, row, score, start, gaps, edits: every way to read an address as a commune, the best of each."""
    provinces = _provinces(names, index)
    districts = _districts(names, index)
    communes = _communes(names, index, provinces, districts)
    above = districts.select("id", "district", "d_start", "d_end", "d_edits", "d_weight")
    top = provinces.select("id", "structure", "province", "p_start", "p_end", "p_edits", "p_weight")
    with_district = communes.join(above, on=["id", "district"], how="inner").filter(
        (pl.col("d_end") <= pl.col("c_start")) | (pl.col("d_start") >= pl.col("c_end"))
    )
    three = with_district.join(top, on=["id", "structure", "province"], how="inner").filter(_apart("d"), _apart("c"))
    two = communes.join(top, on=["id", "structure", "province"], how="inner").filter(_apart("c"))
    missing = NO_DISTRICT_UNDATED if index.undated else NO_DISTRICT
    no_district = pl.when(pl.col("structure") == "old").then(missing).otherwise(0.0)
    columns = ("id", "row")
    weighed = [
        three.select(*columns, _sum("c", "d", "p").alias("score"), _start("c", "d", "p"), *_flaws("c", "d", "p")),
        with_district.select(*columns, _sum("c", "d").alias("score"), _start("c", "d"), *_flaws("c", "d")),
        two.select(*columns, (_sum("c", "p") + no_district).alias("score"), _start("c", "p"), *_flaws("c", "p")),
    ]
    together = pl.concat(weighed)
    return together.sort("score", descending=True).unique(["id", "row"], keep="first", maintain_order=True)


def _apart(level: str) -> pl.Expr:
    return (pl.col("p_end") <= pl.col(f"{level}_start")) | (pl.col("p_start") >= pl.col(f"{level}_end"))


def _sum(*levels: str) -> pl.Expr:
    """Weigh the units named, how they follow one another, and whether the last one ends the address."""
    total = pl.sum_horizontal(f"{level}_weight" for level in levels)
    for before, after in pairwise(levels):
        gap = pl.col(f"{after}_start") - pl.col(f"{before}_end")
        total = total + (
            pl.when(gap < 0)
            .then(WRONG_ORDER)
            .when(gap == 0)
            .then(ADJACENT)
            .otherwise(GAP * gap.clip(upper_bound=GAP_MAX).cast(pl.Float64))
        )
    behind = pl.col(f"{levels[1]}_start") - pl.col("c_end")
    total = total + pl.when((behind > 0) & pl.col("goes_on")).then(NAME_GOES_ON).otherwise(0.0)
    end = pl.max_horizontal(f"{level}_end" for level in levels)
    return total + pl.when(end > pl.col("last")).then(AT_END).otherwise(0.0)


def _start(*levels: str) -> pl.Expr:
    """Return where the first of the units starts: the street ends there."""
    return pl.min_horizontal(f"{level}_start" for level in levels).alias("start")


def _flaws(*levels: str) -> tuple[pl.Expr, pl.Expr]:
    """Return whether words stand between the units, or they are not in their order; and the edits of all names."""
    gaps = pl.any_horizontal(
        pl.col(f"{after}_start") != pl.col(f"{before}_end") for before, after in pairwise(levels)
    )
    return gaps.alias("gaps"), pl.sum_horizontal(f"{level}_edits" for level in levels).alias("edits")


def _weight(base: float, kinds: tuple[str, ...], agrees: float, marks: tuple[float, float]) -> pl.Expr:
    announced, kind = pl.col("announced"), pl.col("kind")
    by_kind = (
        pl.when(announced.is_null())
        .then(0.0)
        .when(announced == kind)
        .then(agrees)
        .when(announced.is_in(kinds))
        .then(KIND_OTHER)
        .otherwise(KIND_STRANGE)
    )
    written = pl.col("marked")
    by_marks = (
        pl.when(written == pl.col("unit_marked"))
        .then(marks[0])
        .when(written.str.contains(r"[^a-z0-9]") & (pl.col("edits") == 0))
        .then(marks[1])
        .otherwise(0.0)
    )
    return base + by_kind + by_marks + EDIT * pl.col("edits").cast(pl.Float64)


def _starts(kinds: tuple[str, ...]) -> pl.Expr:
    """Return where a unit starts, the word that announces it included."""
    return pl.col("start") - pl.when(pl.col("announced").is_in(kinds)).then("lead").otherwise(0)


def _units(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.select(*columns, "kind", pl.col("key").alias("name"), pl.col("marked").alias("unit_marked"))


def _provinces(names: pl.DataFrame, index: Index) -> pl.DataFrame:
    found = names.rename({"kind": "announced"}).join(
        _units(index.provinces, "structure", "province"), on="name", how="inner"
    )
    return found.select(
        "id",
        "structure",
        "province",
        _starts(_PROVINCE_KINDS).alias("p_start"),
        pl.col("end").alias("p_end"),
        pl.col("edits").alias("p_edits"),
        _weight(PROVINCE, _PROVINCE_KINDS, KIND_AGREES_ABOVE, (MARKS_AGREE_ABOVE, MARKS_DISAGREE_ABOVE)).alias(
            "p_weight"
        ),
    )


def _districts(names: pl.DataFrame, index: Index) -> pl.DataFrame:
    found = names.rename({"kind": "announced"}).join(
        _units(index.districts, "district", "province"), on="name", how="inner"
    )
    found = found.filter(~pl.col("name").str.contains(NUMBER) | (pl.col("announced") == "q"))
    return found.select(
        "id",
        "district",
        "province",
        _starts(_DISTRICT_KINDS).alias("d_start"),
        pl.col("end").alias("d_end"),
        pl.col("edits").alias("d_edits"),
        _weight(DISTRICT, _DISTRICT_KINDS, KIND_AGREES_ABOVE, (MARKS_AGREE_ABOVE, MARKS_DISAGREE_ABOVE)).alias(
            "d_weight"
        ),
    )


def _communes(names: pl.DataFrame, index: Index, provinces: pl.DataFrame, districts: pl.DataFrame) -> pl.DataFrame:
    """Return communes whose district or province is named too; alone a commune's name decides nothing."""
    usable = names.rename({"kind": "announced"}).filter(
        pl.col("announced").is_null() | ~pl.col("announced").is_in([*_DISTRICT_KINDS, "t"]),
        ~pl.col("name").str.contains(NUMBER) | pl.col("announced").is_in(_COMMUNE_KINDS),
    )
    units = _units(index.communes, "row", "structure", "district", "province", "past")
    found = usable.join(units, on="name", how="inner")
    in_province = found.join(
        provinces.select("id", "structure", "province"), on=["id", "structure", "province"], how="semi"
    )
    in_district = found.join(districts.select("id", "district"), on=["id", "district"], how="semi")
    found = pl.concat([in_province, in_district]).unique(["id", "row", "start", "end"])
    bare = pl.col("announced").is_null()
    weight = (
        _weight(COMMUNE, _COMMUNE_KINDS, KIND_AGREES, (MARKS_AGREE, MARKS_DISAGREE))
        + pl.when("past").then(PAST).otherwise(0.0)
        + pl.when(bare & pl.col("after_number")).then(AFTER_NUMBER).otherwise(0.0)
        + pl.when(bare & pl.col("inside")).then(INSIDE_PART).otherwise(0.0)
    )
    return found.select(
        "id",
        "row",
        "structure",
        "district",
        "province",
        "last",
        "goes_on",
        _starts(_COMMUNE_KINDS).alias("c_start"),
        pl.col("end").alias("c_end"),
        pl.col("edits").alias("c_edits"),
        weight.alias("c_weight"),
    )
