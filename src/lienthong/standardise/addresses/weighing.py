"""The second and third pass: names found anywhere in the text, weighed together (commune, district, province).

Every weight is a named constant; `docs/explanation/addresses.md` says what each is for.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import polars as pl

from lienthong.standardise.addresses.contradictions import of_district, of_province
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
TURNED: Final = -0.5  # the unit above stands directly before: "Quận 1, Phường Bến Nghé"
A_NAME_ITSELF: Final = -2.5  # what is the name of another unit of the level as it stands is hardly a mistyped one
INSIDE_A_NAME: Final = -4.0  # Phú Đông in "Huyện Tân Phú Đông"
OTHER_ANNOUNCED: Final = -4.0  # a bare name is read as the commune, and another one is announced: "Phường 1"
CONTRADICTED: Final = -6.0  # another district or province than that of the commune is named

# As a span's first word, with its marks; without them "tinh" may be Tịnh, so alone only.
KIND_WORDS: Final = ("phường", "xã", "huyện", "quận", "tỉnh")
TWO_KIND_WORDS: Final = "^(?:thànhphố|thịtrấn|thịxã)"
PLAIN_KIND_WORDS: Final = ("phuong", "huien", "quan", "tinh", "thanhpho", "thitran", "thixa")
_COMMUNE_KINDS: Final = ("p", "x", "tt", "dk")
_DISTRICT_KINDS: Final = ("q", "h", "tx", "tp")
_PROVINCE_KINDS: Final = ("t", "tp")


def found_names(spans: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return the spans that are names of units or known short forms of them, with ``name`` and ``edits``."""
    found = spans.filter(~pl.col("begins").is_in(KIND_WORDS)).join(index.spellings, on="key", how="inner")
    return found.filter((pl.col("end") - pl.col("start") >= pl.col("short")).fill_null(value=True))


def _may_be_mistyped(spans: pl.DataFrame) -> pl.DataFrame:
    """Leave out the spans that begin with a word for a kind of unit: "Huyện" is not a Phú Yên without its P."""
    begins = pl.col("begins").is_in(KIND_WORDS) | pl.col("marked").str.contains(TWO_KIND_WORDS)
    alone = (pl.col("end") - pl.col("start") == 1) & pl.col("key").is_in(PLAIN_KIND_WORDS)
    return spans.filter(~(begins | alone))


def near_names(spans: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return the spans one edit away from a name of a unit, with that ``name`` and ``edits`` 1."""
    spans = _may_be_mistyped(spans)
    keys = spans.select("key").unique()
    shorter = shortened(keys, "key")
    pairs = shorter.join(index.deletions, on="shorter", suffix="_name").filter(pl.col("key") != pl.col("name"))
    # One letter missing or too many, one wrong, or two neighbours exchanged; other letters left out are two edits.
    one_sided = (pl.col("at") < 0) | (pl.col("at_name") < 0)
    left_out = pl.col("key").str.slice(pl.col("at"), 1) == pl.col("name").str.slice(pl.col("at_name"), 1)
    exchanged = ((pl.col("at") - pl.col("at_name")).abs() == 1) & left_out
    pairs = pairs.filter(one_sided | (pl.col("at") == pl.col("at_name")) | exchanged).select("key", "name").unique()
    return spans.join(pairs, on="key", how="inner").with_columns(
        pl.lit(1, dtype=pl.Int32).alias("edits"), pl.lit(None, dtype=pl.Int32).alias("short")
    )


def far_names(spans: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return the spans two edits away from a long name, with that ``name`` and ``edits`` 2."""
    spans = _may_be_mistyped(spans)
    pairs = twice_shortened(spans.select("key").unique(), "key").join(index.twice, on="shorter").select("key", "name")
    listed = [pair for pair in pairs.unique().iter_rows() if _distance(*pair) == EDITS_MAX]
    table = pl.DataFrame(listed, schema={"key": pl.String, "name": pl.String}, orient="row")
    return spans.join(table, on="key", how="inner").with_columns(
        pl.lit(EDITS_MAX, dtype=pl.Int32).alias("edits"), pl.lit(None, dtype=pl.Int32).alias("short")
    )


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
    # "Phường 8, Thành phố Bến Tre, Tỉnh Bến Tre": the first of the two is the district.
    ends = provinces.filter(pl.col("p_edits") == 0).group_by("id", "province").agg(p_last=pl.col("p_start").max())
    two = communes.join(top, on=["id", "structure", "province"], how="inner").filter(_apart("c"))
    two = two.join(ends, on=["id", "province"], how="left").filter(
        (pl.col("p_start") >= pl.col("p_last")).fill_null(value=True)
    )
    missing = NO_DISTRICT_UNDATED if index.undated else NO_DISTRICT
    no_district = pl.when(pl.col("structure") == "old").then(missing).otherwise(0.0)
    three = _against(three, provinces, districts, index, "c", "d", "p")
    with_district = _against(with_district, provinces, districts, index, "c", "d")
    two = _against(two, provinces, districts, index, "c", "p")
    columns = ("id", "row")
    weighed = [
        three.select(
            *columns,
            (_sum("c", "d", "p") + pl.col("against")).alias("score"),
            _start("c", "d", "p"),
            *_flaws("c", "d", "p"),
        ),
        with_district.select(
            *columns, (_sum("c", "d") + pl.col("against")).alias("score"), _start("c", "d"), *_flaws("c", "d")
        ),
        two.select(
            *columns,
            (_sum("c", "p") + no_district + pl.col("against")).alias("score"),
            _start("c", "p"),
            *_flaws("c", "p"),
        ),
    ]
    together = pl.concat(weighed)
    return together.sort("score", descending=True).unique(["id", "row"], keep="first", maintain_order=True)


def _against(
    readings: pl.DataFrame, provinces: pl.DataFrame, districts: pl.DataFrame, index: Index, *levels: str
) -> pl.DataFrame:
    """Add what counts against readings whose address names another district or province."""
    bounded = readings.with_columns(
        start=pl.min_horizontal(f"{level}_start" for level in levels),
        end=pl.max_horizontal(f"{level}_end" for level in levels),
    )
    key = ["id", "row", "start", "end"]
    judged = bounded.join(of_province(bounded, provinces, index.successors), on=key, how="left")
    judged = judged.join(of_district(judged, districts, *levels), on=key, how="left")
    contradicted = pl.any_horizontal(pl.col("other_province", "other_district").fill_null(value=False))
    return judged.with_columns(pl.when(contradicted).then(CONTRADICTED).otherwise(0.0).alias("against"))


def _apart(level: str) -> pl.Expr:
    return (pl.col("p_end") <= pl.col(f"{level}_start")) | (pl.col("p_start") >= pl.col(f"{level}_end"))


def _sum(*levels: str) -> pl.Expr:
    """Weigh the units named, how they follow one another, and whether the last one ends the address."""
    total = pl.sum_horizontal(f"{level}_weight" for level in levels)
    start, end = pl.col(f"{levels[0]}_start"), pl.col(f"{levels[0]}_end")  # of the units joined so far
    for level in levels[1:]:
        next_start, next_end = pl.col(f"{level}_start"), pl.col(f"{level}_end")
        gap = next_start - end
        total = total + (
            pl.when(next_end == start)
            .then(TURNED)
            .when(gap < 0)
            .then(WRONG_ORDER)
            .when(gap == 0)
            .then(ADJACENT)
            .otherwise(GAP * gap.clip(upper_bound=GAP_MAX).cast(pl.Float64))
        )
        start, end = pl.min_horizontal(start, next_start), pl.max_horizontal(end, next_end)
    behind = pl.col(f"{levels[1]}_start") - pl.col("c_end")
    total = total + pl.when((behind > 0) & pl.col("goes_on")).then(NAME_GOES_ON).otherwise(0.0)
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
    itself = pl.when((pl.col("edits") > 0) & pl.col("itself")).then(A_NAME_ITSELF).otherwise(0.0)
    return base + by_kind + by_marks + itself + EDIT * pl.col("edits").cast(pl.Float64)


def _starts(kinds: tuple[str, ...]) -> pl.Expr:
    """Return where a unit starts, the word that announces it included."""
    return pl.col("start") - pl.when(pl.col("announced").is_in(kinds)).then("lead").otherwise(0)


def _units(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.select(*columns, "kind", pl.col("key").alias("name"), pl.col("marked").alias("unit_marked"))


def _provinces(names: pl.DataFrame, index: Index) -> pl.DataFrame:
    names = names.join(_itself(names, index.provinces), on=["id", "start", "end"], how="left")
    found = names.rename({"kind": "announced"}).join(
        _units(index.provinces, "structure", "province"), on="name", how="inner"
    )
    return found.select(
        "id",
        "structure",
        "province",
        "last",
        pl.col("structure").alias("p_structure"),
        pl.col("announced").is_in(_PROVINCE_KINDS).fill_null(value=False).alias("p_announced"),
        _starts(_PROVINCE_KINDS).alias("p_start"),
        pl.col("end").alias("p_end"),
        pl.col("edits").alias("p_edits"),
        _weight(PROVINCE, _PROVINCE_KINDS, KIND_AGREES_ABOVE, (MARKS_AGREE_ABOVE, MARKS_DISAGREE_ABOVE)).alias(
            "p_weight"
        ),
    )


def _districts(names: pl.DataFrame, index: Index) -> pl.DataFrame:
    names = names.join(_itself(names, index.districts), on=["id", "start", "end"], how="left")
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
        pl.col("short").is_null(),  # of districts and provinces only
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
    found = _with_doubts(found, usable, names, index)
    bare = pl.col("announced").is_null()
    weight = (
        _weight(COMMUNE, _COMMUNE_KINDS, KIND_AGREES, (MARKS_AGREE, MARKS_DISAGREE))
        + pl.when(bare & pl.col("within")).then(INSIDE_A_NAME).otherwise(0.0)
        + pl.when(bare & pl.col("other_announced")).then(OTHER_ANNOUNCED).otherwise(0.0)
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


def _itself(names: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """Return the spans that are names of units as they stand; with marks only where the marks agree."""
    known = units.select(name="key", unit_marked="marked").unique()
    exact = names.filter(pl.col("edits") == 0).join(known, on="name", how="inner")
    exact = exact.filter(
        (pl.col("marked") == pl.col("unit_marked")) | ~pl.col("marked").str.contains(r"[^\x00-\x7F]")
    )
    return exact.select("id", "start", "end", pl.lit(value=True).alias("itself")).unique()


def _with_doubts(found: pl.DataFrame, usable: pl.DataFrame, names: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Add ``itself``, ``within`` and ``other_announced``: why a span may not name the commune it is like."""
    exact = _itself(usable, index.communes)
    announced = exact.join(
        usable.filter(pl.col("announced").is_in(_COMMUNE_KINDS)), on=["id", "start", "end"], how="semi"
    )
    above = pl.concat([_itself(names, index.districts), _itself(names, index.provinces)])
    long = above.select("id", a_start="start", a_end="end").unique()
    spans = found.select("id", "start", "end").unique()
    within = spans.join(long, on="id").filter(
        pl.col("a_start") <= pl.col("start"),
        pl.col("a_end") >= pl.col("end"),
        (pl.col("a_end") - pl.col("a_start")) > (pl.col("end") - pl.col("start")),
    )
    others = spans.join(announced.select("id", o_start="start", o_end="end"), on="id").filter(
        (pl.col("o_end") <= pl.col("start")) | (pl.col("o_start") >= pl.col("end"))
    )
    key = ["id", "start", "end"]
    for flags, name in ((within, "within"), (others, "other_announced")):
        spans = spans.join(
            flags.select(key).unique().with_columns(pl.lit(value=True).alias(name)), on=key, how="left"
        )
    return found.join(exact, on=key, how="left").join(spans, on=key, how="left")
