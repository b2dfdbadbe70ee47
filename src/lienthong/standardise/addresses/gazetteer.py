"""All units an address can name, of both structures, with the days on which each was listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

import polars as pl

from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeList, CodeListId, Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.addresses.folding import marked, plain, squeezed

REFORM_DAY: Final = date(2025, 7, 1)  # QĐ 19/2025/QĐ-TTg: no districts from this day on
BEGINNING: Final = date(1900, 1, 1)  # stands for "before every list we have"
OPEN_END: Final = date(9999, 12, 31)

COMMUNES: Final = CodeListId("don-vi-hanh-chinh-xa")
DISTRICTS: Final = CodeListId("don-vi-hanh-chinh-huyen")
PROVINCES: Final = CodeListId("don-vi-hanh-chinh-tinh")

# How a label begins, and the kind of unit it names.
KINDS: Final = (
    ("Thành phố ", "tp"),
    ("Tỉnh ", "t"),
    ("Quận ", "q"),
    ("Huyện ", "h"),
    ("Thị xã ", "tx"),
    ("Thị trấn ", "tt"),
    ("Phường ", "p"),
    ("Xã ", "x"),
    ("Đặc khu ", "dk"),
)

# What people write for a province beside its name. Unambiguous abbreviations only.
PROVINCE_SPELLINGS: Final = (
    ("79", "hcm"), ("79", "hcmc"), ("79", "tphcm"), ("79", "saigon"), ("79", "hochiminhcity"),
    ("01", "hn"), ("01", "hanoi"), ("48", "danang"), ("31", "haiphong"),
    ("77", "brvt"), ("77", "vungtau"), ("46", "tthue"), ("46", "thuathienhue"), ("46", "hue"),
    ("66", "daclac"), ("66", "daklak"), ("67", "dacnong"), ("62", "kontum"), ("62", "contum"),
)  # fmt: skip

Frame = pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class Gazetteer:
    """Units as columns (danh mục địa danh hành chính).

    ``communes``: structure, code, label, kind, key, marked, district (id or null), province, since, until and
    ``sure``, the last day on which the unit was surely listed.
    ``districts``: district (id), code, label, kind, key, marked, province, since, until. An id is code + key, since a
    district keeps its code when its name or kind changes.
    ``provinces``: structure, province, label, kind, key, marked. A unit is listed on ``since <= day < until``; the
    ends of periods known from dated lists only overlap by the days between two lists.
    ``successors``: province, successor: what a province of three levels became part of.
    """

    communes: Frame
    districts: Frame
    provinces: Frame
    successors: Frame

    @classmethod
    def of(cls, dictionary: Dictionary) -> Gazetteer:
        """Gather the units of a dictionary."""
        lists = dictionary.code_lists
        districts = _districts(lists[DISTRICTS])
        return cls(
            communes=_communes(lists[COMMUNES], districts),
            districts=districts,
            provinces=_provinces(lists[PROVINCES]),
            successors=_successors(lists[PROVINCES]),
        )


@cache
def shipped_gazetteer() -> Gazetteer:
    """Return the units of the dictionary that travels with the product."""
    return Gazetteer.of(load(shipped_folder("dictionary")))


def _with_keys(units: Frame) -> Frame:
    label = pl.col("label")
    kind = pl.lit(None, dtype=pl.String)
    bare = label
    for start, name in KINDS:
        named = label.str.to_lowercase().str.starts_with(start.lower())  # lists write "Thị Xã" too
        kind = pl.when(named).then(pl.lit(name)).otherwise(kind)
        bare = pl.when(named).then(label.str.slice(len(start))).otherwise(bare)
    bare = bare.str.normalize("NFC")
    return units.with_columns(
        kind.alias("kind"), squeezed(plain(bare)).alias("key"), squeezed(marked(bare)).alias("marked")
    )


def _listed(code_list: CodeList) -> Frame:
    """Return every period and sighting of a list; a final period begins where the last sighting ended."""
    gone: dict[str, date] = {}
    rows: list[tuple[str, str, str | None, date, date, date, bool]] = []
    for one in sorted(code_list.sightings, key=lambda seen: (seen.code, seen.seen_to)):
        since = gone.get(one.code, BEGINNING)
        rows.append((one.code, one.label, one.within, since, one.gone_by, one.seen_to, True))
        gone[one.code] = one.seen_to + timedelta(days=1)
    districts = {one.old: one.within for one in code_list.successions}
    for code in code_list.codes:
        old = code.valid_to is not None and code.valid_to <= REFORM_DAY
        since = code.valid_from or gone.get(code.code, BEGINNING)
        until = code.valid_to or OPEN_END
        above = districts.get(code.code) if old else code.parent
        rows.append((code.code, code.label.vi, above, since, until, until - timedelta(days=1), old))
    schema = {
        "code": pl.String,
        "label": pl.String,
        "above": pl.String,
        "since": pl.Date,
        "until": pl.Date,
        "sure": pl.Date,
        "old": pl.Boolean,
    }
    return _with_keys(Frame(rows, schema=schema, orient="row"))


def _districts(code_list: CodeList) -> Frame:
    parents = {code.code: code.parent for code in code_list.codes}
    parents.update({one.code: one.within for one in code_list.sightings})
    return _listed(code_list).with_columns(
        (pl.col("code") + pl.col("kind") + pl.col("key")).alias("district"),
        pl.col("code").replace_strict(parents, return_dtype=pl.String).alias("province"),
    )


def _communes(code_list: CodeList, districts: Frame) -> Frame:
    listed = _listed(code_list)
    old = listed.filter("old").join(
        districts.select(
            "district",
            "province",
            above="code",
            district_since="since",
            district_until="until",
        ),
        on="above",
        how="inner",
    )
    # A commune lay in the district as it was called on the same days.
    since = pl.max_horizontal("since", "district_since")
    until = pl.min_horizontal("until", "district_until")
    old = old.with_columns(
        since=since, until=until, sure=pl.min_horizontal("sure", until - pl.duration(days=1))
    ).filter(pl.col("since") < pl.col("until"))
    new = listed.filter(~pl.col("old")).with_columns(district=pl.lit(None, dtype=pl.String), province=pl.col("above"))
    columns = ("code", "label", "kind", "key", "marked", "district", "province", "since", "until", "sure")
    return pl.concat(
        [
            old.select(pl.lit("old").alias("structure"), *columns),
            new.select(pl.lit("new").alias("structure"), *columns),
        ]
    )


def _provinces(code_list: CodeList) -> Frame:
    listed = _listed(code_list)
    named = listed.select(
        pl.when("old").then(pl.lit("old")).otherwise(pl.lit("new")).alias("structure"),
        pl.col("code").alias("province"),
        "label",
        "kind",
        "key",
        "marked",
    ).unique(subset=["structure", "province", "kind", "key"], keep="last", maintain_order=True)
    spelled = Frame(list(PROVINCE_SPELLINGS), schema={"province": pl.String, "spelling": pl.String}, orient="row")
    spelled = named.unique(subset=["structure", "province"], keep="last").join(spelled, on="province")
    spelled = spelled.with_columns(key=pl.col("spelling"), marked=pl.col("spelling")).drop("spelling")
    return pl.concat([named, spelled]).unique(
        subset=["structure", "province", "kind", "key"], keep="first", maintain_order=True
    )


def _successors(code_list: CodeList) -> Frame:
    rows = [(one.old, one.new) for one in code_list.successions if one.on == REFORM_DAY]
    return Frame(rows, schema={"province": pl.String, "successor": pl.String}, orient="row")
