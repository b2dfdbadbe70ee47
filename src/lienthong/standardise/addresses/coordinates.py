"""A coordinate decides which part of a divided commune is meant (toạ độ quyết định khi xã bị chia).

No boundaries are shipped: none has a source here. Whoever has a file of them configures it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, Protocol

import polars as pl

BORDER_METRES_MIN: Final = 50.0  # nearer to a border a coordinate decides nothing: so far receivers and maps err

# What the coordinate says of an address whose commune was divided.
DECIDES: Final = "decides"
NEAR_BORDER: Final = "near-border"
OUTSIDE: Final = "outside"  # of every candidate: text and coordinate disagree
OVERLAP: Final = "overlap"  # boundaries of two candidates hold it: the file is at fault
NO_BOUNDARY: Final = "no-boundary"  # in no candidate whose boundary is known, and one is not known
NO_COORDINATE: Final = "no-coordinate"

POINTS_SCHEMA: Final = {"lat": pl.Float64, "lon": pl.Float64}
CONTAINING_SCHEMA: Final = {"at": pl.UInt32, "code": pl.String, "border_m": pl.Float64}


class Boundaries(Protocol):
    """Boundaries of the communes of one list, WGS84 (ranh giới xã, phường)."""

    @property
    def codes(self) -> AbstractSet[str]:
        """Return the communes whose boundary is known."""
        ...

    def containing(self, points: pl.DataFrame) -> pl.DataFrame:
        """Return, for ``at``, ``lat``, ``lon``, the communes that hold each point (``CONTAINING_SCHEMA``).

        ``border_m`` is the distance from the point to the border of that commune in metres.
        """
        ...


def decided_by(told: pl.DataFrame, points: pl.DataFrame, boundaries: Boundaries) -> pl.DataFrame:
    """Return converted addresses with those decided whose coordinate lies in one candidate alone.

    ``told`` has ``at``, ``kind``, ``code`` and ``candidates``; ``points`` has ``lat`` and ``lon``, a row an address.
    ``coordinate`` is added: what the coordinate says of each divided commune, null for all others.
    """
    several = told.filter(pl.col("kind") == "several").select("at", "candidates")
    here = points.select(pl.col(name).cast(kind) for name, kind in POINTS_SCHEMA.items()).with_row_index("at")
    sound = pl.col("lat").is_between(-90, 90) & pl.col("lon").is_between(-180, 180)
    asked = several.join(here, on="at", how="left").with_columns(sound=sound.fill_null(value=False))
    holding = boundaries.containing(asked.filter("sound").select("at", "lat", "lon"))
    pairs = asked.explode("candidates").select("at", code="candidates")
    inside = pairs.join(holding, on=["at", "code"], how="inner").group_by("at").agg(
        pl.col("code").first().alias("within"), pl.len().alias("count"), pl.col("border_m").min()
    )  # fmt: skip
    known = pl.Series(sorted(boundaries.codes), dtype=pl.String).implode()
    unknown = pairs.group_by("at").agg((~pl.col("code").is_in(known)).any().alias("unknown"))
    judged = asked.join(inside, on="at", how="left").join(unknown, on="at", how="left").with_columns(
        coordinate=pl.when(~pl.col("sound"))
        .then(pl.lit(NO_COORDINATE))
        .when(pl.col("count") > 1)
        .then(pl.lit(OVERLAP))
        .when(pl.col("count").is_null() & pl.col("unknown"))
        .then(pl.lit(NO_BOUNDARY))
        .when(pl.col("count").is_null())
        .then(pl.lit(OUTSIDE))
        .when(pl.col("border_m") < BORDER_METRES_MIN)
        .then(pl.lit(NEAR_BORDER))
        .otherwise(pl.lit(DECIDES))
    )  # fmt: skip
    told = told.join(judged.select("at", "coordinate", "within"), on="at", how="left")
    decides = (pl.col("coordinate") == DECIDES).fill_null(value=False)
    return told.with_columns(
        pl.when(decides).then(pl.lit("one")).otherwise("kind").alias("kind"),
        pl.when(decides).then("within").otherwise("code").alias("code"),
    ).drop("within")
