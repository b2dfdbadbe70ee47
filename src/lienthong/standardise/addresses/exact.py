"""The first pass: addresses whose last parts between commas are full names, read by one join."""

from __future__ import annotations

from typing import Final

import polars as pl

from lienthong.standardise.addresses.folding import marked, parted, plain, squeezed, unglued

TWO_LEVELS: Final = 2  # commune, province
THREE_LEVELS: Final = 3  # commune, district, province

# How a part may begin; the longer spelling first. Marks count: "Phương Liệt" is a name, not a phường.
_COMMUNE: Final = r"^((?:phường|xã|thị trấn|đặc khu|phuong|xa|thi tran|dac khu|ph|p|f|x|t\.t|tt|dk|đk)[. ]+)"
_DISTRICT: Final = r"^((?:quận|huyện|thị xã|thành phố|quan|huyen|thi xa|thanh pho|q|h|t\.x|tx|t\.p|tp)[. ]+)"
_PROVINCE: Final = r"^((?:tỉnh|thành phố|tinh|thanh pho|t\.p|tp|t)[. ]+)"
_KINDS: Final = {
    "phuong": "p", "ph": "p", "p": "p", "f": "p", "xa": "x", "x": "x", "thi tran": "tt", "t.t": "tt", "tt": "tt",
    "dac khu": "dk", "dk": "dk", "quan": "q", "q": "q", "huien": "h", "h": "h", "thi xa": "tx", "t.x": "tx",
    "tx": "tx", "thanh pho": "tp", "t.p": "tp", "tp": "tp",
}  # fmt: skip
_ANNOUNCED: Final = r"^(?:phuong|ph|p|f|xa|x|dac khu|dk)[. ]"
_HAS_MARKS: Final = r"[^\x00-\x7f]"


def exact(texts: pl.DataFrame, chains: pl.DataFrame, *, old: bool, new: bool) -> pl.DataFrame:
    """Return id, row and the number of parts used, for the addresses whose chain of names is known.

    The chain of three is tried before that of two: a district of three levels must not be read as a commune of two.
    """
    parts = texts.select("id", parted(pl.col("text")).str.split(",").alias("parts")).with_columns(
        pl.col("parts").list.len().alias("count")
    )
    parts = parts.filter(pl.col("count") >= TWO_LEVELS)
    cut = parts.select(
        "id",
        "count",
        *(
            unglued(pl.col("parts").list.get(-back, null_on_oob=True)).str.strip_chars(" .;").alias(f"part_{back}")
            for back in (1, 2, 3)
        ),
    )
    province = _named(pl.col("part_1"), _PROVINCE, with_kind=False)
    found = []
    for spelled in (marked, plain):
        top = province[spelled is plain]
        if old:
            commune, district = _named(pl.col("part_3"), _COMMUNE), _named(pl.col("part_2"), _DISTRICT)
            chain = commune[spelled is plain] + "|" + district[spelled is plain] + "|" + top
            found.append((cut.filter(pl.col("count") >= THREE_LEVELS), chain, THREE_LEVELS, spelled))
        if new:
            commune = _named(pl.col("part_2"), _COMMUNE)
            # A bare name after another may be a district of three levels: the weighing decides.
            clear = cut.filter((pl.col("count") == TWO_LEVELS) | plain(pl.col("part_2")).str.contains(_ANNOUNCED))
            found.append((clear, commune[spelled is plain] + "|" + top, TWO_LEVELS, spelled))
    answers = [_looked_up(frame, chain, chains, used, spelled is plain) for frame, chain, used, spelled in found]
    together = (
        pl.concat(answers) if answers else pl.DataFrame(schema={"id": pl.UInt32, "row": pl.UInt32, "used": pl.Int32})
    )
    return together.sort("id", "used", descending=[False, True]).unique("id", keep="first", maintain_order=True)


def _named(part: pl.Expr, starts: str, *, with_kind: bool = True) -> tuple[pl.Expr, pl.Expr]:
    """Return "kind:name" of a part, marked and plain; both spellings have the same letters in the same places."""
    bare, spelled = plain(part), marked(part)
    start = spelled.str.extract(starts)
    length = start.str.len_chars().fill_null(0)
    names = squeezed(spelled.str.slice(length)), squeezed(bare.str.slice(length))
    if not with_kind:
        return names
    kind = (
        plain(start).str.strip_chars(". ").replace_strict(_KINDS, default=None, return_dtype=pl.String).fill_null("")
    )
    return kind + ":" + names[0], kind + ":" + names[1]


def _looked_up(
    frame: pl.DataFrame, chain: pl.Expr, chains: pl.DataFrame, used: int, without_marks: bool
) -> pl.DataFrame:
    if without_marks:  # letters without marks are trusted only where the writer used none at all
        last = pl.concat_str([f"part_{back}" for back in range(1, used + 1)], ignore_nulls=True)
        frame = frame.filter(~last.str.contains(_HAS_MARKS))
    else:  # "Xa Nga Thanh" may be Nga Thanh or Nga Thành: a commune written without any mark is weighed
        frame = frame.filter(pl.col(f"part_{used}").str.contains(_HAS_MARKS))
    return (
        frame.select("id", chain.alias("chain"))
        .join(chains, on="chain", how="inner")
        .select("id", "row", pl.lit(used, dtype=pl.Int32).alias("used"))
    )
