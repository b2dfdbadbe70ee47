"""From the text of an address to the code of a commune on a day (phân giải địa chỉ)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl

from lienthong.standardise.addresses.exact import exact
from lienthong.standardise.addresses.folding import cleaned, parted
from lienthong.standardise.addresses.gazetteer import Gazetteer, shipped_gazetteer
from lienthong.standardise.addresses.index import Index, Structure
from lienthong.standardise.addresses.tokens import spans_of, words_of
from lienthong.standardise.addresses.weighing import candidates, far_names, found_names, near_names
from lienthong.standardise.addresses.wording import reworded

ONE: Final = "ONE"
SEVERAL: Final = "SEVERAL"
UNKNOWN: Final = "UNKNOWN"

SCORE_MIN: Final = 7.0  # a commune and one unit above it, both by name
SCORE_SURE: Final = 11.0  # below it the pass with edits is tried too
MARGIN_MIN: Final = 1.0  # to the best reading as another unit
MARGIN_FULL: Final = 4.0  # from here on the margin no longer lowers the confidence
EDIT_CONFIDENCE: Final = 0.85  # what is left of the confidence after each letter that had to be changed
ALTERNATIVES_MAX: Final = 8
CHARACTERS_MAX: Final = 500  # the dictionary allows no longer address
SEVERAL_PARTS: Final = r",| - "
_COMMUNE: Final = r"(?:phường|xã|thị trấn|p\.|x\.|phuong|xa|thi tran)"
JOINED: Final = rf"(?i)\b{_COMMUNE}\s?[^,;]{{1,40}}\s(?:và|va|hoặc|hoac|&|\+)\s{_COMMUNE}"
BATCH_ADDRESSES: Final = 20_000  # distinct addresses weighed at once: bounds memory

RESOLVED_SCHEMA: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "outcome": pl.String,  # ONE, SEVERAL, UNKNOWN
    "commune_code": pl.String,  # null unless ONE
    "province_code": pl.String,
    "district_code": pl.String,  # three levels only
    "district_name": pl.String,
    "structure": pl.String,  # old, new
    "list_date": pl.Date,  # a day on which the codes are in force
    "street": pl.String,  # what stands before the units
    "confidence": pl.Float64,  # 0 to 1
    "alternatives": pl.List(pl.String),  # other codes it may be, the likeliest first
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolver:
    """A gazetteer prepared for one day and structure; prepare it once, use it for every batch."""

    index: Index
    structure: Structure

    @classmethod
    def of(cls, gazetteer: Gazetteer, *, on: date | None, structure: Structure = "auto") -> Resolver:
        """Prepare the units listed on a day; without a day all that were ever listed count alike."""
        return cls(index=Index.of(gazetteer, on=on, structure=structure), structure=structure)

    def resolve(self, addresses: pl.Series) -> pl.DataFrame:
        """Return one row an address, in the same order (``RESOLVED_SCHEMA``); null and empty text is UNKNOWN."""
        raw = pl.DataFrame({"raw": addresses.cast(pl.String)})
        distinct = raw.unique().drop_nulls().with_columns(cleaned(pl.col("raw")).alias("text"))
        distinct = distinct.with_columns(reworded(distinct["text"]))
        texts = distinct.select("text").unique().filter(
            pl.col("text").str.len_chars().is_between(1, CHARACTERS_MAX)
        ).with_row_index("id")  # fmt: skip
        answers = [self._batch(part) for part in texts.iter_slices(BATCH_ADDRESSES)]
        empty = pl.DataFrame(schema={"text": pl.String, **RESOLVED_SCHEMA})
        known = distinct.join(pl.concat([empty, *answers]), on="text", how="left")
        return raw.join(known.drop("text"), on="raw", how="left", maintain_order="left").select(
            pl.col("outcome").fill_null(UNKNOWN),
            *(name for name in RESOLVED_SCHEMA if name not in {"outcome", "confidence", "alternatives"}),
            pl.col("confidence").fill_null(0.0),
            pl.col("alternatives").fill_null([]),
        ).select(list(RESOLVED_SCHEMA))  # fmt: skip

    def _batch(self, texts: pl.DataFrame) -> pl.DataFrame:
        structures = self.index.communes["structure"].unique().to_list()
        sure = exact(texts, self.index.exact, old="old" in structures, new="new" in structures)
        rest = texts.join(sure, on="id", how="anti")
        first = sure.select(
            "id", "row", pl.lit(None, dtype=pl.Int32).alias("start"), "used", pl.lit(1.0).alias("confidence")
        ).with_columns(pl.lit(ONE).alias("outcome"), pl.lit([], dtype=pl.List(pl.String)).alias("alternatives"))
        words = words_of(rest)
        judged = self._weighed(words)
        return self._told(texts, pl.concat([first, judged.select(first.columns)]), words)

    def _weighed(self, words: pl.DataFrame) -> pl.DataFrame:
        spans = spans_of(words)
        names = found_names(spans, self.index)
        ranked = candidates(names, self.index)
        best = ranked.sort("score", descending=True).unique("id", keep="first")
        well = best.filter((pl.col("score") >= SCORE_SURE) & ~pl.col("gaps"))
        doubtful = spans.join(well, on="id", how="anti")
        if doubtful.height:
            near = near_names(doubtful, self.index)
            names = pl.concat([names.join(well, on="id", how="anti"), near.select(names.columns)])
            ranked = pl.concat([ranked.join(well, on="id", how="semi"), candidates(names, self.index)])
        judged = _judged(ranked.join(self.index.communes.select("row", "code"), on="row"))
        return self._with_far_names(judged, spans, names)

    def _with_far_names(self, judged: pl.DataFrame, spans: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
        """Try names two edits away where nothing was found, or where words are left over between the units."""
        found = judged.filter((pl.col("outcome") != UNKNOWN) & ~pl.col("gaps"))
        lost = spans.join(found, on="id", how="anti")
        if lost.height == 0:
            return judged
        far = far_names(lost, self.index)
        again = candidates(pl.concat([names.join(found, on="id", how="anti"), far.select(names.columns)]), self.index)
        last = _judged(again.join(self.index.communes.select("row", "code"), on="row"))
        return pl.concat([found, last])

    def _told(self, texts: pl.DataFrame, judged: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
        """Add to each judgement what its unit is called, and the street."""
        units = self.index.communes.join(
            self.index.districts.select("district", pl.col("code").alias("district_code"), district_name="label"),
            on="district",
            how="left",
        ).select("row", "code", "structure", "province", "district_code", "district_name", "listed_on")
        told = texts.join(judged, on="id", how="left").join(units, on="row", how="left")
        told = told.join(_street_of_parts(told), on="id", how="left")
        told = told.join(_street_of_words(told, words), on="id", how="left")
        told = self._with_second(told.with_columns(street=pl.coalesce("by_parts", "by_words", pl.lit(""))))
        one = pl.col("outcome") == ONE
        return told.select(
            "text",
            pl.col("outcome").fill_null(UNKNOWN),
            pl.when(one).then("code").alias("commune_code"),
            pl.when(one).then("province").alias("province_code"),
            pl.when(one).then("district_code").alias("district_code"),
            pl.when(one).then("district_name").alias("district_name"),
            pl.when(one).then("structure").alias("structure"),
            pl.when(one).then("listed_on").alias("list_date"),
            pl.when(one).then("street").alias("street"),
            pl.col("confidence").fill_null(0.0),
            pl.col("alternatives").fill_null([]),
        )

    def _with_second(self, told: pl.DataFrame) -> pl.DataFrame:
        """Leave open which unit is meant where the text names two: a whole address before it, or "and" between."""
        asked = told.filter(pl.col("outcome") == ONE, pl.col("street").str.contains(SEVERAL_PARTS))
        structures = self.index.communes["structure"].unique().to_list()
        rest = asked.select("id", text="street")
        found = exact(rest, self.index.exact, old="old" in structures, new="new" in structures)
        before = found.select("id", "row").join(
            self.index.communes.select("row", second="code"), on="row", how="inner"
        )
        told = told.join(before.select("id", "second"), on="id", how="left")
        joined = pl.col("used").is_null() & pl.col("text").str.contains(JOINED)
        doubt = (pl.col("outcome") == ONE) & ((pl.col("second") != pl.col("code")) | joined).fill_null(value=False)
        others = pl.concat_list("code", "second", "alternatives").list.drop_nulls().list.unique(maintain_order=True)
        return told.with_columns(
            pl.when(doubt).then(pl.lit(SEVERAL)).otherwise("outcome").alias("outcome"),
            pl.when(doubt).then(others.list.head(ALTERNATIVES_MAX)).otherwise("alternatives").alias("alternatives"),
            pl.when(doubt).then(0.0).otherwise("confidence").alias("confidence"),
        )


def _judged(ranked: pl.DataFrame) -> pl.DataFrame:
    """Decide by the margin between the best reading and the best one as another unit."""
    per_code = ranked.sort("score", "row", descending=True).unique(["id", "code"], keep="first", maintain_order=True)
    grouped = per_code.group_by("id", maintain_order=True).agg(
        pl.col("row").first(),
        pl.col("start").first(),
        pl.col("score").first().alias("best"),
        pl.col("edits").first(),
        pl.col("gaps").first(),
        pl.col("score").get(1, null_on_oob=True).alias("second"),
        pl.col("code").alias("codes"),
        pl.col("score").alias("scores"),
    )
    margin = (pl.col("best") - pl.col("second")).fill_null(MARGIN_FULL)
    outcome = (
        pl.when(pl.col("best") < SCORE_MIN)
        .then(pl.lit(UNKNOWN))
        .when(margin < MARGIN_MIN)
        .then(pl.lit(SEVERAL))
        .otherwise(pl.lit(ONE))
    )
    judged = grouped.with_columns(
        outcome.alias("outcome"),
        (
            (margin / MARGIN_FULL).clip(0, 1)
            * (pl.col("best") / SCORE_SURE).clip(0, 1)
            * pl.lit(EDIT_CONFIDENCE).pow(pl.col("edits"))
        ).alias("confidence"),
        pl.lit(None, dtype=pl.Int32).alias("used"),
    )
    near = pl.col("scores").list.eval(pl.element() > pl.element().max() - MARGIN_FULL).list.sum()
    judged = judged.with_columns(pl.col("codes").list.head(near))
    several = pl.col("outcome") == SEVERAL
    others = pl.when(several).then(pl.col("codes")).otherwise(pl.col("codes").list.slice(1))
    return judged.with_columns(
        others.list.head(ALTERNATIVES_MAX).alias("alternatives"),
        pl.when(pl.col("outcome") == UNKNOWN).then(0.0).otherwise("confidence").alias("confidence"),
    )


def _street_of_parts(told: pl.DataFrame) -> pl.DataFrame:
    """Return what stands before the parts that the exact pass used."""
    parts = parted(pl.col("text")).str.split(",")
    kept = parts.list.head(parts.list.len().cast(pl.Int64) - pl.col("used").cast(pl.Int64))
    return told.filter(pl.col("used").is_not_null()).select(
        "id", kept.list.eval(pl.element().str.strip_chars()).list.join(", ").alias("by_parts")
    )


def _street_of_words(told: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    """Return the words before the commune that was found, parts set apart by commas."""
    starts = told.filter(pl.col("start").is_not_null()).select("id", "start")
    before = words.join(starts, on="id").filter(pl.col("place") < pl.col("start"))
    parts = before.group_by("id", "part", maintain_order=True).agg(pl.col("word").str.join(" "))
    return parts.group_by("id", maintain_order=True).agg(pl.col("word").str.join(", ").alias("by_words"))


@lru_cache(maxsize=8)
def _shipped(on: date | None, structure: Structure) -> Resolver:
    return Resolver.of(shipped_gazetteer(), on=on, structure=structure)


def resolve(addresses: pl.Series, *, on: date | None, structure: Structure = "auto") -> pl.DataFrame:
    """Resolve a column of addresses with the units that travel with the product.

    ``on`` is the day of the record: it says which units were in force. Without it a name that belonged to different
    codes over time is SEVERAL. No service is called.
    """
    return _shipped(on, structure).resolve(addresses)
