"""The gazetteer prepared for one day and one structure: what the passes join against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, Literal

import polars as pl

from lienthong.standardise.addresses.folding import plain
from lienthong.standardise.addresses.gazetteer import REFORM_DAY, Gazetteer
from lienthong.standardise.encodings.syllables import spellings

Structure = Literal["old", "new", "auto"]

FUZZY_LETTERS_MIN: Final = 4  # one letter of a shorter name is too much of it
TWICE_LETTERS_MIN: Final = 8  # two letters of a shorter name are too much of it
NUMBER: Final = r"^[0-9]+$"

_COMMUNE: Final = ("structure", "code", "label", "kind", "key", "marked", "district", "province", "listed_on", "past")


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """Units that may be named, and the keys under which they are found."""

    communes: pl.DataFrame  # listed_on: a day on which it surely was in force; past: not on the day asked for
    districts: pl.DataFrame
    provinces: pl.DataFrame
    successors: pl.DataFrame  # province, successor: of three levels, and of two
    spellings: pl.DataFrame  # key, name, edits, short: names of units, and their short forms as if one edit away
    deletions: pl.DataFrame  # shorter, at, name: keys with one letter left out; at -1 for the key itself
    twice: pl.DataFrame  # shorter, name: long keys with up to two letters left out
    undated: bool  # no day was given: two levels may be three with one left out
    exact: pl.DataFrame  # chain, code, …: chains of full names that mean one unit only

    @classmethod
    def of(cls, gazetteer: Gazetteer, *, on: date | None, structure: Structure) -> Index:
        """Prepare the units; with no day, every unit ever listed counts alike."""
        dated = _dated(gazetteer.communes, on)
        if structure != "auto":
            dated = dated.filter(pl.col("structure") == structure)
        elif on is not None and on < REFORM_DAY:
            dated = dated.filter(pl.col("structure") == "old")
        communes = dated.select(_COMMUNE).with_row_index("row")
        districts = gazetteer.districts.filter(pl.col("district").is_in(communes["district"].drop_nulls().implode()))
        districts = districts.unique("district", keep="last", maintain_order=True)
        provinces = gazetteer.provinces.filter(pl.col("structure").is_in(communes["structure"].unique().implode()))
        names = pl.concat([frame.select(pl.col("key").alias("name")) for frame in (communes, districts, provinces)])
        names = names.unique().filter(pl.col("name") != "")
        return cls(
            communes=communes,
            districts=districts,
            provinces=provinces,
            successors=gazetteer.successors,
            spellings=_spellings(names, districts, provinces),
            deletions=shortened(names, "name"),
            twice=twice_shortened(names, "name"),
            undated=on is None,
            exact=_chains(communes, districts, provinces, undated=on is None),
        )


def _spellings(names: pl.DataFrame, districts: pl.DataFrame, provinces: pl.DataFrame) -> pl.DataFrame:
    """Return names as they are, and those of districts and provinces with all words but the last as one letter.

    "T.Giang" is Tiền Giang, "Q. BThạnh" is Bình Thạnh; where one short form fits several names, the rest decides.
    ``short`` says of a short form how many words it has at least: "Tân" is a word, and "T. An" short for Tân An.
    """
    full = names.select(
        pl.col("name").alias("key"),
        "name",
        pl.lit(0, dtype=pl.Int32).alias("edits"),
        pl.lit(None, dtype=pl.Int32).alias("short"),
    )
    words = pl.concat(
        [frame.select("label", pl.col("key").alias("name"), "kind") for frame in (districts, provinces)]
    )
    bare = plain(pl.col("label").str.replace("(?i)^(tỉnh|thành phố|quận|huyện|thị xã) ", ""))
    listed = words.unique().select("name", bare.str.split(" ").alias("words")).filter(
        pl.col("words").list.len().is_between(2, 3)
    )  # fmt: skip
    letters = pl.col("words").list.eval(pl.element().str.slice(0, 1)).list
    last = pl.col("words").list.last()
    count = pl.col("words").list.len() - 1
    short = pl.concat(
        [
            listed.select((letters.head(count).list.join("") + last).alias("key"), "name"),
            listed.select((letters.head(count).list.join("") + last.str.slice(0, 1)).alias("key"), "name"),
        ]
    )
    short = short.join(full, on="key", how="anti").unique()
    is_word = pl.col("key").is_in(_plain_syllables().implode())
    return pl.concat(
        [
            full,
            short.with_columns(
                pl.lit(1, dtype=pl.Int32).alias("edits"),
                pl.when(is_word).then(2).otherwise(1).cast(pl.Int32).alias("short"),
            ),
        ]
    )


@cache
def _plain_syllables() -> pl.Series:
    """Return every syllable of Vietnamese without its marks."""
    return pl.DataFrame({"syllable": list(spellings())}).select(plain(pl.col("syllable")).unique()).to_series()


def _dated(communes: pl.DataFrame, on: date | None) -> pl.DataFrame:
    """Say of every unit whether it was listed on the day, and name a day on which it surely was."""
    old = pl.col("structure") == "old"
    first_sure = pl.max_horizontal("since", pl.when(old).then(pl.lit(date.min)).otherwise(pl.lit(REFORM_DAY)))
    if on is None:
        listed_on = pl.when(old).then("sure").otherwise(pl.max_horizontal(first_sure, pl.lit(REFORM_DAY)))
        return communes.with_columns(listed_on.alias("listed_on"), pl.lit(value=False).alias("past"))
    inside = (pl.col("since") <= on) & (pl.lit(on) < pl.col("until"))
    if on >= REFORM_DAY:
        # Nothing says when an address of three levels was written, so every old list counts alike.
        past = old.not_() & inside.not_()
        listed_on = pl.when(old).then("sure").otherwise(pl.max_horizontal(first_sure, pl.lit(on)))
        future = old.not_() & (pl.col("since") > on)
        return communes.filter(~future).with_columns(
            pl.when(past).then("sure").otherwise(listed_on).alias("listed_on"), past.alias("past")
        )
    nearest = pl.when(pl.col("until") <= on).then("sure").otherwise(first_sure)
    listed_on = pl.when(inside).then(pl.lit(on)).otherwise(nearest)
    return communes.with_columns(listed_on.alias("listed_on"), inside.not_().alias("past"))


def shortened(keys: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return each key of ``FUZZY_LETTERS_MIN`` letters or more, whole and with each one letter left out."""
    long = keys.filter((pl.col(column).str.len_chars() >= FUZZY_LETTERS_MIN) & ~pl.col(column).str.contains(NUMBER))
    whole = long.with_columns(pl.col(column).alias("shorter"), pl.lit(-1, dtype=pl.Int32).alias("at"))
    places = long.with_columns(pl.int_ranges(0, pl.col(column).str.len_chars(), dtype=pl.Int32).alias("at"))
    cut = places.explode("at").with_columns(
        (pl.col(column).str.slice(0, pl.col("at")) + pl.col(column).str.slice(pl.col("at") + 1)).alias("shorter")
    )
    return pl.concat([whole, cut.select(whole.columns)])


def twice_shortened(keys: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return each key of ``TWICE_LETTERS_MIN`` letters or more with none, one or two letters left out."""
    long = keys.filter(pl.col(column).str.len_chars() >= TWICE_LETTERS_MIN)
    once = shortened(long, column).select(column, pl.col("shorter").alias("once"))
    return shortened(once, "once").select("shorter", column).unique()


def _chains(
    communes: pl.DataFrame, districts: pl.DataFrame, provinces: pl.DataFrame, *, undated: bool
) -> pl.DataFrame:
    """Return the chains "kind name|kind name|name" that lead to one code only, marked and plain."""
    above = districts.select(
        "district", pl.col("kind").alias("d_kind"), pl.col("key").alias("d_key"), pl.col("marked").alias("d_marked")
    )
    top = provinces.select("structure", "province", pl.col("key").alias("p_key"), pl.col("marked").alias("p_marked"))
    full = (
        communes.filter(~pl.col("past"))
        .join(above, on="district", how="left")
        .join(top, on=["structure", "province"], how="inner")
        .select(
            "row", "code", "structure", "kind", "key", "marked", "d_kind", "d_key", "d_marked", "p_key", "p_marked"
        )
    )
    found = []
    old = pl.col("structure") == "old"
    for name in ("key", "marked"):
        commune, district = pl.col(name), pl.col(f"d_{name}")
        for kind in (pl.col("kind"), pl.lit("")):
            for d_kind in (pl.col("d_kind"), pl.lit("")):
                bare = kind.eq("") & pl.col("key").str.contains(NUMBER)
                bare = bare | (old & d_kind.eq("") & pl.col("d_key").str.contains(NUMBER))
                between = pl.when(old).then(d_kind + ":" + district + "|").otherwise(pl.lit(""))
                chain = kind + ":" + commune + "|" + between + pl.col(f"p_{name}")
                found.append(
                    full.select(chain.alias("chain"), "code", "row", bare.alias("bare")).filter(~pl.col("bare"))
                )
        if undated:  # three levels with the district left out look like two
            for kind in (pl.col("kind"), pl.lit("")):
                chain = kind + ":" + commune + "|" + pl.col(f"p_{name}")
                loose = full.filter(old).select(
                    chain.alias("chain"), "code", "row", pl.lit(value=False).alias("bare")
                )
                found.append(loose.with_columns(pl.lit(None, dtype=pl.String).alias("code")))
    chains = pl.concat(found).drop("bare").drop_nulls("chain")
    single = chains.group_by("chain").agg(
        pl.col("code").n_unique().alias("codes"), pl.col("code").null_count().alias("loose"), pl.col("row").max()
    )
    return single.filter(pl.col("codes") == 1, pl.col("loose") == 0).select("chain", "row")
