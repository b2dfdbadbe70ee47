from __future__ import annotations

import hashlib
import re
import unicodedata

import phonenumbers
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lienthong.testing.chance import Chance
from lienthong.testing.citizens import COLUMNS, DUPLICATE, INVISIBLE, KINDS, STANDARDISED, citizen, generate
from lienthong.testing.places import places_of

ROWS = 20_000


@pytest.fixture(scope="module")
def table() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    frame, truth = generate(ROWS, seed=11, defect_share=0.05)
    clean, nothing = generate(ROWS, seed=11, defect_share=0)
    assert nothing.is_empty()
    return frame, truth, clean


def planted(table, kind: str) -> pl.DataFrame:
    frame, truth, _ = table
    rows = frame.join(truth.filter(pl.col("kind") == kind), on="id", maintain_order="left")
    assert rows.height > 10, f"too few rows of {kind} to say anything"
    return rows


def mix(value: int) -> int:
    """SplitMix64 as published, in plain integers."""
    mask = (1 << 64) - 1
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)


def test_draws_are_splitmix64_whatever_the_version_of_polars():
    rows = pl.Series([0, 1, 2, 99_999_999], dtype=pl.UInt64)
    drawn = Chance(seed=7, rows=rows).draw("x").to_list()
    mask, golden = (1 << 64) - 1, 0x9E3779B97F4A7C15
    key = int.from_bytes(hashlib.sha256(b"7/x").digest()[:8], "big")
    assert drawn == [mix((row * golden + key) & mask) for row in rows.to_list()]


def test_the_same_seed_gives_the_same_table():
    assert_frame_equal(generate(500, seed=3)[0], generate(500, seed=3)[0])


def test_another_seed_gives_another_table():
    assert not generate(500, seed=3)[0].equals(generate(500, seed=4)[0])


@pytest.mark.parametrize(("first", "rows"), [(0, 700), (1, 50), (699, 701), (1_999, 1)])
def test_a_part_is_the_same_rows_as_in_the_whole(first, rows):
    whole, truth = generate(2_000, seed=5, defect_share=0.4)
    part, part_truth = generate(rows, seed=5, defect_share=0.4, first=first, of=2_000)
    assert_frame_equal(part, whole.slice(first, rows))
    assert_frame_equal(part_truth, truth.filter(pl.col("id").is_between(first + 1, first + rows)))


def test_rows_without_a_line_in_the_truth_are_clean(table):
    frame, truth, clean = table
    untouched = frame.join(truth, on="id", how="anti")
    assert_frame_equal(untouched, clean.join(truth, on="id", how="anti"))


def test_every_row_in_the_truth_differs_from_its_clean_form_in_the_named_column(table):
    frame, truth, clean = table
    for kind, spec in KINDS.items():
        if kind == DUPLICATE:
            continue
        ids = truth.filter(pl.col("kind") == kind)["id"].implode()
        bad = frame.filter(pl.col("id").is_in(ids))[spec.column]
        good = clean.filter(pl.col("id").is_in(ids))[spec.column]
        assert bad.ne_missing(good).all(), kind


def test_a_row_has_at_most_one_defect(table):
    assert table[1]["id"].is_unique().all()


def test_every_kind_is_planted(table):
    assert set(table[1]["kind"]) == set(KINDS)


def test_no_column_but_the_planted_one_is_touched_save_what_must_agree_with_it(table):
    frame, truth, clean = table
    also = {"birth_in_future": {"so_cccd"}, DUPLICATE: {"ngay_sinh", "gioi_tinh"}}
    for kind, spec in KINDS.items():
        ids = truth.filter(pl.col("kind") == kind)["id"].implode()
        bad, good = (each.filter(pl.col("id").is_in(ids)) for each in (frame, clean))
        for name in set(COLUMNS) - {spec.column} - also.get(kind, set()):
            assert bad[name].eq_missing(good[name]).all(), f"{kind} touched {name}"


def test_personal_numbers_follow_the_rule_and_are_unique(table):
    clean = table[2]
    assert clean["so_cccd"].is_unique().all()
    assert clean["so_cccd"].str.contains(r"^0[0-9]{11}$").all()
    year = (clean["so_cccd"].str.slice(3, 1).cast(pl.Int32) // 2 + 19) * 100 + clean["so_cccd"].str.slice(4, 2).cast(
        pl.Int32
    )
    assert year.is_between(1935, 2024).all()
    assert (year.cast(pl.String) == clean["ngay_sinh"].str.extract(r"(\d{4})")).all()
    woman = clean["so_cccd"].str.slice(3, 1).cast(pl.Int32) % 2 == 1
    assert (woman == clean["gioi_tinh"].is_in(["Nữ", "2"])).all()


def test_numbers_stay_unique_when_the_six_digits_come_round():
    blocks = [
        generate(2_000, seed=9, defect_share=0, first=first)[0] for first in (0, 1_000_000, 2_000_000, 88_000_000)
    ]
    assert pl.concat(blocks)["so_cccd"].is_unique().all()


def test_communes_are_in_force_and_lie_in_their_province(table):
    places = places_of()
    assert table[2]["ma_xa"].is_in(places.communes.implode()).all()
    assert set(table[2]["ma_tinh"]) == {places.province}
    assert places.communes.len() == 64


def test_planted_commune_codes_are_what_their_kind_says(table):
    places = places_of()
    known = pl.concat([places.communes, places.elsewhere]).implode()
    assert planted(table, "ended_commune")["ma_xa"].is_in(places.ended.implode()).all()
    assert not planted(table, "ended_commune")["ma_xa"].is_in(known).any()
    assert planted(table, "commune_of_another_province")["ma_xa"].is_in(places.elsewhere.implode()).all()
    assert not planted(table, "unknown_commune")["ma_xa"].is_in(known).any()
    assert not planted(table, "unknown_commune")["ma_xa"].is_in(places.ended.implode()).any()


def test_a_duplicate_stands_beside_the_row_it_copies(table):
    rows = planted(table, DUPLICATE)
    counts = rows.group_by("so_cccd").len()["len"]
    assert set(counts) == {2}
    other = table[0].join(table[1].filter(pl.col("kind") == DUPLICATE), on="id", how="anti")
    assert not other["so_cccd"].is_in(rows["so_cccd"].implode()).any()


def test_the_last_row_is_no_partner_of_a_row_that_is_not_there():
    for rows in range(1, 60):
        _, truth = generate(rows, seed=2, defect_share=1.0)
        assert truth.filter(pl.col("kind") == DUPLICATE).height % 2 == 0, rows


def test_decomposed_names_compose_to_the_clean_ones(table):
    clean = dict(table[2].select("id", "ho_ten").iter_rows())
    for row in planted(table, "decomposed_name").iter_rows(named=True):
        assert unicodedata.normalize("NFC", row["ho_ten"]) == clean[row["id"]]


def test_a_birth_in_the_future_agrees_with_its_number(table):
    for row in planted(table, "birth_in_future").iter_rows(named=True):
        assert re.fullmatch(r"\d{2}/\d{2}/209\d", row["ngay_sinh"])
        assert row["so_cccd"][3] in "23"
        assert row["so_cccd"][4:6] == row["ngay_sinh"][-2:]


def test_swapped_dates_are_dates_of_the_same_year(table):
    clean = dict(table[2].select("id", "so_cccd").iter_rows())
    for row in planted(table, "day_and_month_swapped").iter_rows(named=True):
        day, month, year = (int(part) for part in row["ngay_sinh"].split("/"))
        assert 1 <= day <= 12
        assert 1 <= month <= 12
        assert day != month
        assert clean[row["id"]][4:6] == f"{year % 100:02d}"


def test_wrong_phones_are_plausible_and_garbage_is_not(table):
    def valid(text: str) -> bool:
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(text, "VN"))
        except phonenumbers.NumberParseException:
            return False

    new = planted(table, "wrong_phone")["dien_thoai"]
    # The numbers of before 2018 have eleven digits; the standardiser turns them, this library does not.
    assert all(valid(text) for text in new if len(text) != 11)
    assert not any(valid(text) for text in planted(table, "phone_garbage")["dien_thoai"])


def test_a_single_row_is_the_row_of_the_table(table):
    assert citizen(17, seed=11) == table[2].row(17, named=True)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.plant is not None])
def test_a_single_row_can_be_spoilt_in_every_way(kind):
    assert citizen(17, seed=11, kind=kind)[KINDS[kind].column] != citizen(17, seed=11)[KINDS[kind].column]


def test_a_duplicate_cannot_be_made_of_one_row():
    with pytest.raises(KeyError):
        citizen(17, seed=11, kind=DUPLICATE)


def test_no_rows_make_an_empty_table():
    frame, truth = generate(0, seed=1)
    assert frame.height == truth.height == 0
    assert frame.columns == list(COLUMNS)


def test_two_kinds_are_invisible_to_rules_about_form():
    assert sum(kind.expected == INVISIBLE for kind in KINDS.values()) == 2
    assert sum(kind.expected == STANDARDISED for kind in KINDS.values()) == 1
