"""Synthetic citizens as an agency would hold them, with planted defects and a list of the truth.

No person here is real. Names are put together from short lists, numbers and addresses from random digits; a likeness
to a living person is chance. Weights are rough and only keep the table from looking odd: they are no statistics.

A row depends on nothing but the seed and its number: ``generate(100, seed=1, first=1_000)`` is rows 1,000 to 1,099 of
``generate(2_000, seed=1)``, and with ``defect_share=0`` it is the same rows before anything was planted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lienthong.testing.chance import Chance, slots, words
from lienthong.testing.places import Places, places_of

COLUMNS = (
    *("id", "so_cccd", "ho_ten", "ngay_sinh", "gioi_tinh", "dan_toc", "quoc_tich", "ma_xa", "ma_tinh"),
    *("dia_chi", "dien_thoai", "hon_nhan", "cap_nhat_luc"),
)
TRUTH_SCHEMA: Mapping[str, Any] = {"id": pl.Int64, "kind": pl.String, "column": pl.String, "expected": pl.String}
INVISIBLE = "invisible"  # no rule about form can see it
STANDARDISED = "standardised"  # no defect: the standardiser makes it right

NUMBERS_PER_BLOCK = 1_000_000  # six free digits
BIRTH_YEAR_FIRST = 1935
BIRTH_YEARS = 90  # 1935 to 2024
UPDATED_FROM_S = 1_751_414_400  # 2025-07-02T00:00:00Z
UPDATED_WITHIN_S = 360 * 86_400

FAMILY_NAMES = slots(
    {"Nguyễn": 32, "Trần": 11, "Lê": 9, "Phạm": 6, "Huỳnh": 4, "Hoàng": 2, "Võ": 4, "Vũ": 2, "Trương": 3, "Bùi": 2}
    | {"Đặng": 2, "Đỗ": 2, "Ngô": 2, "Hồ": 2, "Dương": 2, "Đinh": 1, "Lý": 1, "Lâm": 1, "Quách": 1, "Thạch": 1}
    | {"Hứa": 1, "Tạ": 1, "Mạc": 1, "Tô": 1, "Diệp": 1, "Khưu": 1, "Trịnh": 1, "Tăng": 1, "Đoàn": 1, "Kỷ": 1}
)
MIDDLE_NAMES_MALE = slots(
    {"Văn": 30, "Hữu": 6, "Đức": 6, "Quốc": 6, "Minh": 6, "Thanh": 5, "Công": 3, "Trọng": 3, "Hoàng": 5, "Tấn": 4}
)
MIDDLE_NAMES_FEMALE = slots(
    {"Thị": 32, "Ngọc": 8, "Thị Kim": 4, "Thị Mỹ": 4, "Thanh": 4, "Bích": 3, "Thúy": 3, "Hồng": 3, "Thị Thu": 4}
)
GIVEN_NAMES_MALE = words(
    "An Bình Cường Dũng Đạt Đông Hải Hậu Hiếu Hòa Hùng Huy Khang Khánh Khoa Kiệt Lâm Lộc Long Lợi Luân Mẫn Nam "
    "Nghĩa Nhân Phát Phong Phú Phúc Quân Quang Sang Sơn Tài Tâm Thắng Thành Thịnh Thuận Toàn Trí Trung Tú Tuấn "
    "Út Vinh Vũ Vượng"
)
GIVEN_NAMES_FEMALE = words(
    "Ánh Châu Chi Diễm Diệu Dung Duyên Đào Giang Hà Hạnh Hằng Hiền Hoa Huệ Hương Khuyên Kiều Lan Lệ Liên Linh "
    "Loan Mai My Nga Ngân Nhi Như Nhung Oanh Phương Phượng Quyên Quỳnh Sương Thảo Thơ Thủy Tiên Trang Trâm Trinh "
    "Tuyết Uyên Vân Vy Xuân Yến"
)
ETHNIC_CODES = slots({"01": 930, "05": 45, "04": 15, "02": 3, "06": 3, "17": 2, "03": 1, "07": 1})  # list of 1979
STREETS = slots(
    dict.fromkeys(
        ("Lý Thường Kiệt", "Nguyễn Trãi", "Phan Ngọc Hiển", "Trần Hưng Đạo", "Nguyễn Tất Thành", "Hùng Vương"), 1
    )
)
HAMLETS = slots(
    dict.fromkeys(("Tân Hòa", "Cái Keo", "Kinh Mới", "Vàm Đầm", "Rạch Chèo", "Xóm Lớn", "Bà Điều", "Giá Ngự"), 1)
)
MOBILE_PREFIXES = words(
    "032 033 034 035 036 037 038 039 070 076 077 078 079 081 082 083 084 085 086 088 089 090 091 093 094 096 097 098"
)
MOBILE_PREFIXES_BEFORE_2018 = words("0120 0121 0122 0123 0125 0162 0163 0165 0166 0168 0169")
PHONE_GARBAGE = words("12345 0000000000 099999 0123x456y 84 111111111111111")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of planted defect: which column it touches and which rule should see it."""

    column: str
    expected: str  # code of a rule, STANDARDISED or INVISIBLE
    plant: Callable[[], pl.Expr] | None  # the column's new value; None: several columns, see ``_copy_number``


def _birth(year: pl.Expr | str, month: str = "_month", day: str = "_day") -> pl.Expr:
    """Spell a birth date as day/month/year."""
    return pl.format("{}/{}/{}", _two(day), _two(month), pl.col(year) if isinstance(year, str) else year)


def _two(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.zfill(2)


def _contradicting_year() -> pl.Expr:
    return _birth(
        pl.when(pl.col("_year") > BIRTH_YEAR_FIRST + 20).then(pl.col("_year") - 7).otherwise(pl.col("_year") + 7)
    )


KINDS: Mapping[str, Kind] = {
    "missing_name": Kind(column="ho_ten", expected="CP01", plant=lambda: pl.lit(None, pl.String)),
    "number_too_short": Kind(column="so_cccd", expected="CL02", plant=lambda: pl.col("so_cccd").str.head(11)),
    "letters_in_number": Kind(
        column="so_cccd",
        expected="CL02",
        plant=lambda: pl.col("so_cccd").str.head(5) + "X" + pl.col("so_cccd").str.tail(6),
    ),
    "sex_contradicts_number": Kind(
        column="gioi_tinh",
        expected="CR03",
        plant=lambda: pl.when("_male").then(pl.lit("Nữ")).otherwise(pl.lit("Nam")),
    ),
    "birth_year_contradicts_number": Kind(column="ngay_sinh", expected="CR04", plant=_contradicting_year),
    "birth_in_future": Kind(column="ngay_sinh", expected="CR02", plant=lambda: _birth("_future_year")),
    "impossible_date": Kind(
        column="ngay_sinh", expected="CL01", plant=lambda: pl.format("31/02/{}", pl.col("_year"))
    ),
    "unknown_commune": Kind(column="ma_xa", expected="UN01", plant=lambda: pl.col("_unknown_commune")),
    "ended_commune": Kind(column="ma_xa", expected="UN02", plant=lambda: pl.col("_ended_commune")),
    "commune_of_another_province": Kind(column="ma_xa", expected="UN03", plant=lambda: pl.col("_commune_elsewhere")),
    "duplicate_number": Kind(column="so_cccd", expected="CL04", plant=None),
    "unknown_marital_code": Kind(column="hon_nhan", expected="UN01", plant=lambda: pl.lit("9")),
    "decomposed_name": Kind(
        column="ho_ten", expected=STANDARDISED, plant=lambda: pl.col("ho_ten").str.normalize("NFD")
    ),
    "phone_garbage": Kind(column="dien_thoai", expected="CL01", plant=lambda: pl.col("_phone_garbage")),
    "day_and_month_swapped": Kind(
        column="ngay_sinh", expected=INVISIBLE, plant=lambda: _birth("_year", month="_low_day", day="_month")
    ),
    "wrong_phone": Kind(column="dien_thoai", expected=INVISIBLE, plant=lambda: pl.col("_other_phone")),
}
DUPLICATE = "duplicate_number"


@functools.cache
def _places() -> Places:
    return places_of()


def _numbers(chance: Chance) -> pl.DataFrame:
    """Make personal numbers by the rule in force before 2025; unique over ninety million rows.

    The six free digits are a permutation of the row number inside its block of a million, and every later block moves
    the birth year on by one, so two rows never share both.
    """
    block = chance.rows // NUMBERS_PER_BLOCK
    place = chance.rows % NUMBERS_PER_BLOCK
    same_place = Chance(seed=chance.seed, rows=place)
    offset = chance.seed % NUMBERS_PER_BLOCK
    digits = (place * 387_421 + offset) % NUMBERS_PER_BLOCK
    year = (same_place.below("year", BIRTH_YEARS) + block.cast(pl.Int64)) % BIRTH_YEARS + BIRTH_YEAR_FIRST
    male = same_place.happens("sex", 0.5)
    frame = pl.DataFrame(
        {
            "_registry": same_place.pick("registry", _places().registries),
            "_year": year,
            "_male": male,
            "_digits": digits,
            "_future_year": 2090 + (block % 10).cast(pl.Int64),
        }
    )
    return frame.with_columns(_number("_year").alias("so_cccd"), _number("_future_year").alias("_future_number"))


def _number(year: str) -> pl.Expr:
    """Join registry, century and sex, year, six digits (NĐ 137/2015/NĐ-CP, article 13)."""
    century_and_sex = (pl.col(year) // 100 - 19) * 2 + (~pl.col("_male")).cast(pl.Int64)
    return pl.concat_str(
        "_registry",
        century_and_sex.cast(pl.String),
        (pl.col(year) % 100).cast(pl.String).str.zfill(2),
        pl.col("_digits").cast(pl.String).str.zfill(6),
    )


def _names(chance: Chance, male: pl.Series) -> pl.Series:
    frame = pl.DataFrame(
        {
            "male": male,
            "family": chance.pick("family", FAMILY_NAMES),
            "middle_male": chance.pick("middle", MIDDLE_NAMES_MALE),
            "middle_female": chance.pick("middle", MIDDLE_NAMES_FEMALE),
            "given_male": chance.pick("given", GIVEN_NAMES_MALE),
            "given_female": chance.pick("given", GIVEN_NAMES_FEMALE),
            "spelling": chance.below("name-spelling", 100),
        }
    )
    name = pl.concat_str(
        "family",
        pl.when("male").then("middle_male").otherwise("middle_female"),
        pl.when("male").then("given_male").otherwise("given_female"),
        separator=" ",
    )
    return frame.select(
        pl.when(pl.col("spelling") < 15)
        .then(name.str.to_uppercase())
        .when(pl.col("spelling") < 18)
        .then(name.str.replace(" ", "  ", literal=True))
        .otherwise(name)
        .alias("ho_ten")
    ).to_series()


def _birth_dates(chance: Chance, year: pl.Series) -> pl.DataFrame:
    """Spell birth dates the ways agencies do; older people are often known by year alone."""
    frame = pl.DataFrame(
        {
            "_year": year,
            "_month": chance.below("month", 12) + 1,
            "_day": chance.below("day", 28) + 1,
            "_form": chance.below("birth-form", 1000),
        }
    )
    form, old = pl.col("_form"), pl.col("_year") < 1965
    spelled = (
        pl.when(old & (form < 200))
        .then(pl.format("00/00/{}", "_year"))
        .when(old & (form < 260))
        .then(pl.col("_year").cast(pl.String))
        .when(form < 280)
        .then(pl.format("{}/{}", _two("_month"), "_year"))
        .when(form < 620)
        .then(pl.format("{}-{}-{}", "_year", _two("_month"), _two("_day")))
        .otherwise(_birth("_year"))
    )
    # For the swap: a day that could be a month and is not the month itself.
    low_day = pl.col("_day") % 12 + 1
    low_day = pl.when(low_day == pl.col("_month")).then(low_day % 12 + 1).otherwise(low_day)
    return frame.select("_month", "_day", spelled.alias("ngay_sinh"), low_day.alias("_low_day"))


def _homes(chance: Chance) -> pl.DataFrame:
    """Give commune, province and address, some of them still in the structure of before July 2025."""
    places = _places()
    at = chance.below("commune", places.communes.len())
    frame = pl.DataFrame(
        {
            "ma_xa": places.communes.gather(at),
            "label": places.commune_labels.gather(at),
            "old": places.old_labels.gather(at),
            "is_old": chance.happens("old-address", 0.2),
            "house": chance.below("house", 480) + 1,
            "street": chance.pick("street", STREETS),
            "hamlet": chance.pick("hamlet", HAMLETS),
            "_ended_commune": chance.pick("ended", places.ended),
            "_commune_elsewhere": chance.pick("elsewhere", places.elsewhere),
            # No code above 98000 has been given out; the tests hold this against the shipped list.
            "_unknown_commune": (98_000 + chance.below("unknown", 2_000)).cast(pl.String),
        }
    )
    street = (
        pl.when(pl.col("label").str.starts_with("Phường"))
        .then(pl.format("Số {}, đường {}", "house", "street"))
        .otherwise(pl.format("Ấp {}", "hamlet"))
    )
    unit = pl.when(pl.col("is_old")).then(pl.coalesce("old", "label")).otherwise("label")
    return frame.select(
        "ma_xa",
        pl.lit(places.province).alias("ma_tinh"),
        pl.format("{}, {}, {}", street, unit, pl.lit(places.province_label)).alias("dia_chi"),
        "_ended_commune",
        "_commune_elsewhere",
        "_unknown_commune",
    )


def _phone(chance: Chance, stream: str) -> pl.Series:
    frame = pl.DataFrame(
        {
            "prefix": chance.pick(f"{stream}-prefix", MOBILE_PREFIXES),
            "old": chance.pick(f"{stream}-old", MOBILE_PREFIXES_BEFORE_2018),
            "digits": chance.below(f"{stream}-digits", 10_000_000),
            "form": chance.below(f"{stream}-form", 100),
        }
    ).with_columns(pl.col("digits").cast(pl.String).str.zfill(7))
    form, digits = pl.col("form"), pl.col("digits")
    return frame.select(
        pl.when(form < 12)
        .then(pl.col("old") + digits)
        .when(form < 22)
        .then(
            pl.format("{}.{}.{}", pl.col("prefix") + digits.str.head(1), digits.str.slice(1, 3), digits.str.tail(3))
        )
        .when(form < 27)
        .then(pl.format("+84{}", pl.col("prefix").str.tail(2) + digits))
        .otherwise(pl.col("prefix") + digits)
        .alias(stream)
    ).to_series()


def _clean(chance: Chance) -> pl.DataFrame:
    """Make the rows before anything is planted, with the columns the defects are made of."""
    numbers = _numbers(chance)
    year, male = numbers["_year"], numbers["_male"]
    frame = pl.DataFrame(
        [
            (chance.rows + 1).cast(pl.Int64).alias("id"),
            _names(chance, male),
            chance.pick("ethnic", ETHNIC_CODES).alias("dan_toc"),
            pl.repeat("VN", male.len(), eager=True).alias("quoc_tich"),
            _phone(chance, "dien_thoai"),
            _phone(chance, "_other_phone"),
            chance.pick("garbage", PHONE_GARBAGE).alias("_phone_garbage"),
            chance.below("marital", 100).alias("_marital"),
            chance.happens("sex-as-code", 0.15).alias("_sex_as_code"),
            chance.happens("no-phone", 0.08).alias("_no_phone"),
            (chance.below("updated", UPDATED_WITHIN_S) + UPDATED_FROM_S).alias("_updated"),
        ]
    ).hstack([*numbers, *_birth_dates(chance, year), *_homes(chance)])
    sex = (
        pl.when(pl.col("_sex_as_code"))
        .then(pl.when("_male").then(pl.lit("1")).otherwise(pl.lit("2")))
        .otherwise(pl.when("_male").then(pl.lit("Nam")).otherwise(pl.lit("Nữ")))
    )
    child = pl.col("_year") > 2004
    marital = (
        pl.when(child | (pl.col("_marital") < 20))
        .then(pl.lit("1"))
        .when(pl.col("_marital") < 90)
        .then(pl.lit("2"))
        .otherwise(pl.lit("3"))
    )
    return frame.with_columns(
        sex.alias("gioi_tinh"),
        marital.alias("hon_nhan"),
        pl.when(~(pl.col("_no_phone") | (pl.col("_year") > 2012))).then("dien_thoai").alias("dien_thoai"),
        pl.from_epoch("_updated", time_unit="s").dt.replace_time_zone("UTC").alias("cap_nhat_luc"),
    )


def _drawn_kinds(seed: int, rows: pl.Series, share: float) -> pl.Series:
    chance = Chance(seed=seed, rows=rows)
    kind = chance.pick("kind", slots(dict.fromkeys(KINDS, 1)))
    return pl.select(pl.when(chance.happens("defect", share)).then(kind).alias("kind")).to_series()


def _kinds(seed: int, rows: pl.Series, share: float, *, last: int) -> pl.DataFrame:
    """Decide each row's defect; a duplicate needs a clean row before it, which is marked as its partner."""
    before = _drawn_kinds(seed, rows - 1, share)  # row 0 wraps to a row that is never made; it is masked below
    after = _drawn_kinds(seed, rows + 1, share)
    frame = pl.DataFrame(
        {"row": rows, "kind": _drawn_kinds(seed, rows, share), "before": before, "after": after}
    ).with_columns(pl.col("kind", "before", "after").fill_null(""))
    copies = (pl.col("kind") == DUPLICATE) & (pl.col("before") != DUPLICATE) & (pl.col("row") > 0)
    copied = (pl.col("after") == DUPLICATE) & (pl.col("kind") != DUPLICATE) & (pl.col("row") < last)
    return frame.select(
        pl.when(copies | copied)
        .then(pl.lit(DUPLICATE))
        .when((pl.col("kind") != DUPLICATE) & (pl.col("kind") != ""))
        .then("kind")
        .alias("_kind"),
        copies.alias("_copies"),
    )


def _plant(frame: pl.DataFrame) -> pl.DataFrame:
    """Put each row's defect (column ``_kind``) into its column."""
    columns: dict[str, pl.Expr] = {}
    for name, kind in KINDS.items():
        if kind.plant is not None:
            kept = columns.get(kind.column, pl.col(kind.column))
            columns[kind.column] = pl.when(pl.col("_kind") == name).then(kind.plant()).otherwise(kept)
    # A date in the future stands beside a number that says the same year: one defect, not two.
    columns["so_cccd"] = (
        pl.when(pl.col("_kind") == "birth_in_future").then("_future_number").otherwise(columns["so_cccd"])
    )
    # Who is given another's number is given their birth date and sex too: only the number is wrong.
    for name in ("so_cccd", "ngay_sinh", "gioi_tinh"):
        columns[name] = pl.when("_copies").then(pl.col(name).shift(1)).otherwise(columns.get(name, pl.col(name)))
    return frame.with_columns(expression.alias(name) for name, expression in columns.items())


def generate(
    rows: int, *, seed: int, defect_share: float = 0.03, first: int = 0, of: int | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (citizens, truth): rows ``first`` to ``first + rows - 1`` of a table that has ``of`` rows in all.

    ``truth`` has ``TRUTH_SCHEMA``: one line per planted row, and for a duplicate one for each of the two.
    """
    begin = max(0, first - 1)  # a duplicate looks at the row before it
    numbers = pl.int_range(begin, first + rows, dtype=pl.UInt64, eager=True)
    last = (first + rows if of is None else of) - 1
    frame = _clean(Chance(seed=seed, rows=numbers))
    if defect_share > 0:
        frame = frame.hstack(_kinds(seed, numbers, defect_share, last=last))
        planted = _plant(frame)
    else:
        planted = frame.with_columns(_kind=pl.lit(None, pl.String))
    planted = planted.slice(first - begin)
    return planted.select(COLUMNS), _truth(planted.select("id", kind="_kind").drop_nulls())


def _truth(marked: pl.DataFrame) -> pl.DataFrame:
    columns = {name: kind.column for name, kind in KINDS.items()}
    expected = {name: kind.expected for name, kind in KINDS.items()}
    return marked.with_columns(
        pl.col("kind").replace_strict(columns, return_dtype=pl.String).alias("column"),
        pl.col("kind").replace_strict(expected, return_dtype=pl.String).alias("expected"),
    )


def citizen(row: int, *, seed: int, kind: str | None = None) -> dict[str, Any]:
    """Return one row by its number: clean, or with a defect of the kind asked for.

    Raises:
        KeyError: there is no such kind, or it needs a second row.
    """
    frame = _clean(Chance(seed=seed, rows=pl.Series([row], dtype=pl.UInt64)))
    if kind is not None:
        if KINDS[kind].plant is None:
            raise KeyError(kind)
        frame = _plant(frame.with_columns(_kind=pl.lit(kind), _copies=pl.lit(value=False)))
    return frame.select(COLUMNS).row(0, named=True)
