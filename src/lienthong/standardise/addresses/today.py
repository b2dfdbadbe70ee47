"""From the unit an address named to the unit of a later day: one, several or unknown (đổi sang đơn vị mới)."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from lienthong.dictionary.conversion import Converter
from lienthong.standardise.addresses.coordinates import Boundaries, decided_by
from lienthong.standardise.addresses.folding import plain

PLACES_SCHEMA: Final = {"old_code": pl.String, "place": pl.String, "new_code": pl.String}


def carried_over(
    resolved: pl.DataFrame,
    converter: Converter,
    *,
    on: date,
    for_people: bool = False,
    places: pl.DataFrame | None = None,
    boundaries: Boundaries | None = None,
    points: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return ``kind``, ``code``, ``candidates``, ``reason`` on a day for resolved addresses, row by row.

    A divided commune stays *several* unless the street names a hamlet or street of ``places`` (``PLACES_SCHEMA``)
    that lies in one of its successors, or a coordinate of ``points`` (``lat``, ``lon``; a row an address) lies in one
    of them by ``boundaries``; ``coordinate`` then says what each coordinate told. Neither table nor boundaries are
    shipped: who has them gives them.
    """
    assert (boundaries is None) == (points is None), "coordinates need boundaries, and boundaries coordinates"
    rows = resolved.select("commune_code", "list_date", "street").with_row_index("at")
    known = rows.filter(pl.col("commune_code").is_not_null())
    answers = []
    for (day,), group in known.group_by("list_date"):
        assert isinstance(day, date), "every resolved address has the day of its list"
        answer = converter.convert_frame(group["commune_code"], from_date=day, to_date=on, for_people=for_people)
        answers.append(pl.concat([group, answer], how="horizontal"))
    empty = pl.DataFrame(
        schema={
            **rows.schema,
            "kind": pl.String,
            "code": pl.String,
            "candidates": pl.List(pl.String),
            "reason": pl.String,
        }
    )
    told = pl.concat([empty, *answers])
    if places is not None:
        told = _decided(told, places)
    if boundaries is not None and points is not None:
        assert points.height == resolved.height, "one coordinate an address"
        told = decided_by(told, points, boundaries)
    back = rows.select("at").join(told.drop("commune_code", "list_date", "street"), on="at", how="left")
    return back.sort("at").select(
        pl.col("kind").fill_null("unknown"),
        "code",
        pl.col("candidates").fill_null([]),
        pl.when(pl.col("kind").is_null()).then(pl.lit("not-resolved")).otherwise("reason").alias("reason"),
        *(["coordinate"] if boundaries is not None else []),
    )


def _decided(told: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    several = told.filter(pl.col("kind") == "several").join(
        places.select(commune_code="old_code", place=_words("place"), new_code="new_code"), on="commune_code"
    )
    # Blanks on both sides: "Tân Lập" must not be found in "Tân Lập Đông 2" by half a word.
    named = several.filter(
        _words("street").str.contains(pl.col("place"), literal=True),
        pl.col("candidates").list.contains(pl.col("new_code")),
    )
    single = named.group_by("at").agg(pl.col("new_code").unique()).filter(pl.col("new_code").list.len() == 1)
    told = told.join(single.select("at", decided=pl.col("new_code").list.first()), on="at", how="left")
    by_place = pl.col("decided").is_not_null()
    return told.with_columns(
        pl.when(by_place).then(pl.lit("one")).otherwise("kind").alias("kind"),
        pl.coalesce("decided", "code").alias("code"),
    ).drop("decided")


def _words(column: str) -> pl.Expr:
    return " " + plain(pl.col(column).str.normalize("NFC")).str.replace_all(r"[^\p{L}\p{N}]+", " ") + " "
