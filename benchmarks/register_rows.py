"""A register of people with planted defects, written to Parquet a piece at a time, and 26 rules about it.

Fifteen columns, nineteen kinds of defects: seventeen that a rule about form can see and two that none can (a plausible
swap of day and month, a plausible wrong phone). Everything follows from the seed; nobody in it exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import polars as pl
from pyarrow import parquet

from lienthong.testing.chance import Chance, words

PIECE_ROWS = 250_000
DEFECT_SHARE = 0.03
TODAY = date(2026, 11, 23)
STALE_BEFORE = date(2024, 1, 1)
PROVINCES = [f"{place:02d}" for place in range(1, 35)]
COMMUNES = 3_321
REGISTRIES = [f"{place:03d}" for place in range(1, 64)]
WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
FAMILIES = words("Nguyễn Trần Lê Phạm Huỳnh Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Quách")
MIDDLES = words("Văn Thị Hữu Đức Ngọc Minh Thanh Quốc Kim Hồng")
GIVEN = words("An Bình Chi Dũng Giang Hà Hùng Lan Mai Nam Oanh Phúc Quân Sơn Yến")
FIRST_UPDATE = 20_089  # days since 1970: 1 January 2025
UPDATE_DAYS = 690
NUMBERS_PER_BLOCK = 1_000_000

VISIBLE = (
    *("missing_name", "short_number", "unknown_registry", "sex_against_number", "year_against_number"),
    *("birth_in_future", "unknown_commune", "commune_elsewhere", "check_digit", "bad_phone", "digits_in_name"),
    *("one_letter_name", "duplicate_number", "stale", "married_alone", "unknown_status", "death_without_day"),
)
INVISIBLE = ("day_month_swapped", "other_phone")
KINDS = (*VISIBLE, *INVISIBLE)

COLUMNS: Mapping[str, pl.DataType] = {
    "_record_id": pl.String(),
    "so_dinh_danh": pl.String(),
    "ho_va_ten": pl.String(),
    "ngay_sinh": pl.Date(),
    "gioi_tinh": pl.String(),
    "ma_tinh_thuong_tru": pl.String(),
    "ma_xa_thuong_tru": pl.String(),
    "dia_chi": pl.String(),
    "so_dien_thoai": pl.String(),
    "ma_so_thue": pl.String(),
    "hon_nhan": pl.String(),
    "so_vo_chong": pl.String(),
    "tinh_trang": pl.String(),
    "ngay_mat": pl.Date(),
    "record_day": pl.Date(),
}


def communes() -> tuple[list[str], list[str]]:
    """Return the codes of communes and the provinces they lie in."""
    codes = [f"{10_000 + 7 * place:05d}" for place in range(COMMUNES)]
    return codes, [PROVINCES[place % len(PROVINCES)] for place in range(COMMUNES)]


def pieces(rows: int, *, seed: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the register and its truth (``_record_id``, ``kind``), piece by piece."""
    for first in range(0, rows, PIECE_ROWS):
        places = pl.int_range(first, min(first + PIECE_ROWS, rows), dtype=pl.UInt64, eager=True)
        yield _piece(Chance(seed=seed, rows=places))


def write(folder: Path, rows: int, *, seed: int) -> None:
    """Write ``register.parquet`` and ``truth.parquet``; memory follows the piece."""
    truths = []
    writer: parquet.ParquetWriter | None = None
    for frame, truth in pieces(rows, seed=seed):
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if writer is None:
            writer = parquet.ParquetWriter(folder / "register.parquet", table.schema, compression="zstd")
        writer.write_table(table, row_group_size=131_072)
        truths.append(truth)
    assert writer is not None, "a register has rows"
    writer.close()
    pl.concat(truths).write_parquet(folder / "truth.parquet")


def _piece(chance: Chance) -> tuple[pl.DataFrame, pl.DataFrame]:
    place = chance.rows.cast(pl.Int64)
    codes, parents = communes()
    commune = chance.below("commune", COMMUNES)
    # Six digits follow the place; where they begin anew the registry moves on, so that no number is made twice.
    registry = (place % NUMBERS_PER_BLOCK * 7_919 + place // NUMBERS_PER_BLOCK) % len(REGISTRIES)
    frame = pl.DataFrame(
        {
            "place": place,
            "registry": pl.Series(REGISTRIES).gather(registry),
            "year": chance.below("year", 94) + 1930,
            "month": chance.below("month", 12) + 1,
            "day": chance.below("day", 28) + 1,
            "male": chance.happens("male", 0.5),
            "family": chance.pick("family", FAMILIES),
            "middle": chance.pick("middle", MIDDLES),
            "given": chance.pick("given", GIVEN),
            "commune": pl.Series(codes).gather(commune),
            "province": pl.Series(parents).gather(commune),
            "house": chance.below("house", 900) + 1,
            "phone": chance.below("phone", 500_000_000),
            "no_phone": chance.happens("no-phone", 0.25),
            "tax": _tax_numbers(chance),
            "single": chance.happens("single", 0.4),
            "dead": chance.happens("dead", 0.04),
            "age": chance.below("age", 30_000),
            "updated": chance.below("updated", UPDATE_DAYS) + FIRST_UPDATE,
            "kind": _kinds(chance),
        }
    ).with_columns(married=(pl.col("year") < 2004) & ~pl.col("single"))
    planted = _plant(_clean(frame))
    names = dict(enumerate(KINDS))
    truth = planted.filter(pl.col("kind") >= 0).select(
        "_record_id", pl.col("kind").replace_strict(names, return_dtype=pl.String)
    )
    copied = planted.filter(pl.col("kind").shift(-1) == KINDS.index("duplicate_number"))
    both = copied.select("_record_id", pl.lit("duplicate_number").alias("kind"))
    return planted.select(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()), pl.concat([truth, both])


def _tax_numbers(chance: Chance) -> pl.Series:
    """Return numbers with their check digit; where the formula gives ten, no number is issued."""
    digits = [chance.below(f"tax-{place}", 10) for place in range(len(WEIGHTS))]
    total = pl.Series([0], dtype=pl.Int64).new_from_index(0, chance.rows.len())
    for digit, weight in zip(digits, WEIGHTS, strict=True):
        total = total + digit * weight
    frame = pl.DataFrame({"rest": 10 - total % 11, "none": chance.happens("no-tax", 0.3)})
    frame = frame.hstack([digit.cast(pl.String).alias(f"d{place}") for place, digit in enumerate(digits)])
    number = pl.concat_str([f"d{place}" for place in range(len(WEIGHTS))] + [pl.col("rest").cast(pl.String)])
    return frame.select(pl.when(~pl.col("none") & (pl.col("rest") < 10)).then(number).alias("tax")).to_series()


def _kinds(chance: Chance) -> pl.Series:
    """Draw at most one defect a row; a duplicate copies the clean row before it, inside its piece."""
    kind = pl.when(chance.happens("defect", DEFECT_SHARE)).then(chance.below("kind", len(KINDS))).otherwise(-1)
    copy = KINDS.index("duplicate_number")
    drawn = pl.select(kind.alias("kind")).with_row_index("at")
    first = (pl.col("at") == 0) & (pl.col("kind") == copy)
    drawn = drawn.with_columns(pl.when(first).then(-1).otherwise("kind").alias("kind"))
    # Of two copies in a row the second has no clean row before it: it becomes clean itself.
    again = (pl.col("kind") == copy) & (pl.col("kind").shift(1) == copy)
    drawn = drawn.with_columns(pl.when(again).then(-1).otherwise("kind").alias("kind"))
    copied = pl.col("kind").shift(-1) == copy
    return drawn.select(pl.when(copied.fill_null(value=False)).then(-1).otherwise("kind").alias("kind")).to_series()


def _clean(frame: pl.DataFrame) -> pl.DataFrame:
    year = pl.col("year")
    century = (year // 100 - 19) * 2 + (~pl.col("male")).cast(pl.Int64)
    tail = (pl.col("place") * 387_421 % 1_000_000).cast(pl.String).str.zfill(6)
    # The place decides registry, year and tail together, so numbers do not meet by chance.
    number = pl.concat_str("registry", century.cast(pl.String), (year % 100).cast(pl.String).str.zfill(2), tail)
    phone = pl.concat_str(
        pl.lit("0"),
        pl.col("phone").mod(5).replace_strict({0: "3", 1: "5", 2: "7", 3: "8", 4: "9"}, return_dtype=pl.String),
        (pl.col("phone") // 5).cast(pl.String).str.zfill(8),
    )
    birth = pl.date("year", "month", "day")
    return frame.select(
        "place",
        "kind",
        "year",
        "month",
        "day",
        "male",
        pl.format("r{}", "place").alias("_record_id"),
        number.alias("so_dinh_danh"),
        pl.concat_str("family", "middle", "given", separator=" ").alias("ho_va_ten"),
        birth.alias("ngay_sinh"),
        pl.when("male").then(pl.lit("1")).otherwise(pl.lit("2")).alias("gioi_tinh"),
        pl.col("province").alias("ma_tinh_thuong_tru"),
        pl.col("commune").alias("ma_xa_thuong_tru"),
        pl.format("Số {}, ấp {}", "house", "given").alias("dia_chi"),
        pl.when(~pl.col("no_phone")).then(phone).alias("so_dien_thoai"),
        phone.str.head(4).alias("head"),
        pl.col("tax").alias("ma_so_thue"),
        pl.when("married").then(pl.lit("2")).otherwise(pl.lit("1")).alias("hon_nhan"),
        pl.when("married").then(number.str.reverse()).alias("so_vo_chong"),
        pl.when("dead").then(pl.lit("4")).otherwise(pl.lit("1")).alias("tinh_trang"),
        pl.when("dead").then(pl.min_horizontal(birth + pl.duration(days="age"), pl.lit(TODAY))).alias("ngay_mat"),
        pl.from_epoch("updated", time_unit="d").alias("record_day"),
    )


def _plant(frame: pl.DataFrame) -> pl.DataFrame:
    number, province = pl.col("so_dinh_danh"), pl.col("ma_tinh_thuong_tru")
    tax = pl.coalesce("ma_so_thue", pl.lit("0100109106"))
    sign = pl.when("male").then(pl.lit("2")).otherwise(pl.lit("1"))
    year = pl.col("year")
    other = pl.when(year > 1960).then(year - 9).otherwise(year + 9)
    swapped = pl.col("day") % 12 + 1
    defects: dict[str, dict[str, pl.Expr]] = {
        "missing_name": {"ho_va_ten": pl.lit(None, pl.String)},
        "short_number": {"so_dinh_danh": number.str.head(11)},
        "unknown_registry": {"so_dinh_danh": pl.lit("999") + number.str.slice(3)},
        "sex_against_number": {"gioi_tinh": sign},
        "year_against_number": {"ngay_sinh": pl.date(other, "month", "day")},
        "birth_in_future": {"ngay_sinh": pl.date(year + 100, "month", "day")},
        "unknown_commune": {"ma_xa_thuong_tru": pl.lit("99999")},
        "commune_elsewhere": {
            "ma_tinh_thuong_tru": pl.when(province == "01").then(pl.lit("02")).otherwise(pl.lit("01"))
        },
        "check_digit": {"ma_so_thue": tax.str.head(9) + ((tax.str.tail(1).cast(pl.Int64) + 1) % 10).cast(pl.String)},
        "bad_phone": {"so_dien_thoai": pl.lit("01") + pl.col("head")},
        "digits_in_name": {"ho_va_ten": pl.col("ho_va_ten") + "1"},
        "one_letter_name": {"ho_va_ten": pl.lit("Đ")},
        "duplicate_number": {
            name: pl.col(name).shift(1)
            for name in ("so_dinh_danh", "ngay_sinh", "gioi_tinh", "ngay_mat", "tinh_trang")
        },
        "stale": {"record_day": pl.lit(date(2023, 6, 1))},
        "married_alone": {"hon_nhan": pl.lit("2"), "so_vo_chong": pl.lit(None, pl.String)},
        "unknown_status": {"tinh_trang": pl.lit("7")},
        "death_without_day": {"tinh_trang": pl.lit("4"), "ngay_mat": pl.lit(None, pl.Date)},
        "day_month_swapped": {"ngay_sinh": pl.date("year", swapped, "month")},
        "other_phone": {"so_dien_thoai": pl.col("head") + pl.lit("123456")},
    }
    columns: dict[str, pl.Expr] = {}
    for kind, changes in defects.items():
        for name, value in changes.items():
            columns[name] = (
                pl.when(pl.col("kind") == KINDS.index(kind)).then(value).otherwise(columns.get(name, pl.col(name)))
            )
    return frame.with_columns(each.alias(name) for name, each in columns.items())
