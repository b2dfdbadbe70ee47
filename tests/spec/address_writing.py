"""Addresses as people write them, made from the shipped units: a set the resolver's weights were not chosen on.

Every style is a function of (commune, district or None, province) and chance; all are seeded.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from datetime import date

import polars as pl

from lienthong.standardise.addresses.gazetteer import Gazetteer

STREETS = (
    "12 Nguyễn Trãi", "Số 5 ngõ 72 Trần Đại Nghĩa", "Kiot 7 chợ Bình An", "Thửa 315 tờ bản đồ 22", "Tổ dân phố số 9",
    "Ấp Tân Lập", "Khu phố Phước Long", "QL1A km 2047", "Lô B2-7 KCN Tân Bình", "Xóm Đông", "43/5B Hòa Bình",
    "Thôn Trung Thành", "Tầng 3, tòa nhà Vĩnh Phúc, 8 Lê Duẩn", "Bản Pá Lau", "Hẻm 51 đường Long Thành", "",
)  # fmt: skip
SHORT = {"Phường ": "P. ", "Xã ": "Xã ", "Thị trấn ": "TTr ", "Quận ": "Q.", "Huyện ": "H. ", "Thị xã ": "TX "}
LIKE = {"n": "m", "m": "n", "i": "l", "l": "i", "c": "e", "e": "c", "o": "a", "a": "o", "h": "b", "u": "n", "t": "f"}

Style = Callable[[random.Random, list[str], str], str]


def bare(label: str) -> str:
    for kind in ("Thành phố ", "Tỉnh ", "Quận ", "Huyện ", "Thị xã ", "Thị trấn ", "Phường ", "Xã ", "Đặc khu "):
        if label.lower().startswith(kind.lower()):
            return label[len(kind) :]
    return label


def without_marks(text: str) -> str:
    spread = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(sign for sign in spread if not unicodedata.combining(sign))


def _joined(street: str, units: list[str], separator: str) -> str:
    return separator.join([*([street] if street else []), *units])


def official(_: random.Random, units: list[str], street: str) -> str:
    return _joined(street, units, ", ") + ", Việt Nam."


def small_letters(_: random.Random, units: list[str], street: str) -> str:
    return _joined(street, units, ", ").lower()


def small_without_commas(_: random.Random, units: list[str], street: str) -> str:
    return without_marks(_joined(street, units, " ").lower())


def shortened(_: random.Random, units: list[str], street: str) -> str:
    short = []
    for unit in units:
        found = next((kind for kind in SHORT if unit.startswith(kind)), None)
        short.append(unit if found is None else SHORT[found] + unit[len(found) :])
    return _joined(street, [*short[:-1], bare(units[-1])], " - ")


def glued(_: random.Random, units: list[str], street: str) -> str:
    return _joined(street, ["".join(unit.split()) for unit in units], ",")


def in_brackets(_: random.Random, units: list[str], street: str) -> str:
    return _joined(street, [units[0]], ", ") + " (" + "; ".join(units[1:]) + ")"


def doubled_blanks(_: random.Random, units: list[str], street: str) -> str:
    return _joined(street, units, " ,  ").replace(" ", "  ")


def misread(chance: random.Random, units: list[str], street: str) -> str:
    """Take one letter of one unit's name for one that looks like it."""
    which = chance.randrange(len(units))
    start = len(units[which]) - len(bare(units[which]))
    letters = list(unicodedata.normalize("NFC", units[which]))
    places = [place for place in range(start, len(letters)) if letters[place] in LIKE]
    if len(places) > 3:  # a short name misread is another name
        place = chance.choice(places)
        letters[place] = LIKE[letters[place]]
    changed = [*units[:which], "".join(letters), *units[which + 1 :]]
    return _joined(street, changed, ", ")


def wrong_tone(chance: random.Random, units: list[str], street: str) -> str:
    """Lose the marks of the commune's name only."""
    del chance
    return _joined(street, [without_marks(units[0]), *units[1:]], ", ")


def decomposed(_: random.Random, units: list[str], street: str) -> str:
    return unicodedata.normalize("NFD", _joined(street, units, ", ")).upper()


def bare_names(_: random.Random, units: list[str], street: str) -> str:
    kept = [unit if bare(unit)[:1].isdigit() else bare(unit) for unit in units]
    return _joined(street, kept, ", ")


STYLES: dict[str, Style] = {
    style.__name__: style
    for style in (
        official, small_letters, small_without_commas, shortened, glued, in_brackets, doubled_blanks, misread,
        wrong_tone, decomposed, bare_names,
    )
}  # fmt: skip


def written(gazetteer: Gazetteer, *, on: date, structure: str, count: int, seed: int) -> pl.DataFrame:
    """Return ``count`` addresses a style: address, style, expected_code."""
    chance = random.Random(seed)
    units = gazetteer.communes.filter(
        pl.col("structure") == structure, pl.col("since") <= on, pl.col("until") > on
    ).join(gazetteer.districts.select("district", district_label="label"), on="district", how="left")
    official_names = gazetteer.provinces.filter(pl.col("structure") == structure, pl.col("marked").is_not_null())
    provinces = {
        row["province"]: row["label"]
        for row in official_names.unique(["province"], keep="first", maintain_order=True).to_dicts()
    }
    rows = units.sort("code").select("code", "label", "district_label", "province").rows()
    made = []
    for name, style in STYLES.items():
        for code, label, district, province in chance.sample(rows, count):
            chain = [label, *([district] if district else []), provinces[province]]
            made.append((style(chance, chain, chance.choice(STREETS)), name, code))
    return pl.DataFrame(made, schema=["address", "style", "expected_code"], orient="row")
