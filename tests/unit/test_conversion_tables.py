from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from lienthong.dictionary.canonical import item_hash
from lienthong.dictionary.conversion import (
    Candidate,
    Converter,
    One,
    Reason,
    Several,
    Unknown,
    convert,
    convert_frame,
    divided,
)
from lienthong.dictionary.load import load, problems
from lienthong.dictionary.model import CodeList, CodeListId
from lienthong.dictionary.shipped import shipped_folder

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
COMMUNES, PROVINCES = "don-vi-hanh-chinh-xa", "don-vi-hanh-chinh-tinh"


@pytest.fixture(scope="module")
def lists() -> dict[CodeListId, CodeList]:
    return dict(load(shipped_folder("dictionary")).code_lists)


@pytest.fixture(scope="module")
def communes(lists) -> CodeList:
    return lists[CodeListId(COMMUNES)]


@pytest.fixture(scope="module")
def converter(communes) -> Converter:
    return Converter.of(communes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "dictionary"
    shutil.copytree(shipped_folder("dictionary"), place)
    return place


def _append(folder: Path, name: str, row: str) -> None:
    path = folder / "codelists" / name
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")


def test_a_whole_commune_has_one_answer(converter):
    assert converter.convert("00004", from_date=BEFORE, to_date=AFTER) == One(code="00004", kind="whole")


def test_a_code_given_to_another_unit_is_followed_by_unit_not_by_number(converter):
    # 00006 Vĩnh Phúc went into the unit that now has 00008, as old 00008 Liễu Giai did.
    assert converter.convert("00006", from_date=BEFORE, to_date=AFTER) == One(code="00008", kind="whole")


def test_a_divided_commune_has_several_candidates_with_their_kind(converter):
    answer = converter.convert("00007", from_date=BEFORE, to_date=AFTER)
    assert isinstance(answer, Several)
    assert len(answer.candidates) > 1
    assert {one.kind for one in answer.candidates} <= {"part", "part-area"}


def test_a_row_for_all_people_decides_for_persons_only(communes, converter):
    rows = [one for one in communes.successions if one.kind == "part-area-all-people"]
    assert len(rows) == 58
    for row in rows:
        for_people = converter.convert(row.old, from_date=BEFORE, to_date=AFTER, for_people=True)
        assert for_people == One(code=row.new, kind="part-area-all-people")
        assert isinstance(converter.convert(row.old, from_date=BEFORE, to_date=AFTER), Several)


def test_every_old_commune_is_converted_and_exactly_the_divided_ones_are_open(communes, converter):
    old = sorted({one.old for one in communes.successions})
    kinds = {code: type(converter.convert(code, from_date=BEFORE, to_date=AFTER)) for code in old}
    assert Counter(kinds.values()) == {One: 9_595, Several: 440}
    assert {code for code, kind in kinds.items() if kind is Several} == divided(communes)


def test_a_column_is_answered_as_its_codes_are(communes, converter):
    codes = pl.Series([*sorted({one.old for one in communes.successions})[::97], "00007", "99999", None, "00007"])
    frame = converter.convert_frame(codes, from_date=BEFORE, to_date=AFTER)
    assert frame.height == codes.len()
    for code, row in zip(codes, frame.iter_rows(named=True), strict=True):
        if code is None:
            assert row["kind"] is None
            continue
        answer = converter.convert(code, from_date=BEFORE, to_date=AFTER)
        if isinstance(answer, One):
            assert (row["kind"], row["code"], row["candidates"]) == ("one", answer.code, [answer.code])
        elif isinstance(answer, Several):
            assert (row["kind"], row["code"]) == ("several", None)
            assert row["candidates"] == [one.code for one in answer.candidates]
        else:
            assert (row["kind"], row["code"], row["reason"]) == ("unknown", None, answer.reason.value)


def test_backwards_a_merged_commune_has_all_its_parts_as_candidates(communes):
    answer = convert(communes, "00008", from_date=AFTER, to_date=BEFORE)
    assert isinstance(answer, Several)
    assert {"00006", "00008"} <= {one.code for one in answer.candidates}


def test_within_one_period_a_code_stays_itself(converter):
    assert converter.convert("00004", from_date=AFTER, to_date=date(2027, 1, 1)) == One(
        code="00004", kind="unchanged"
    )


def test_a_change_of_kind_without_a_table_keeps_the_code(communes, converter):
    wards = [one.code for one in communes.codes if one.valid_from == date(2026, 4, 30)]
    assert len(wards) == 10
    for code in wards:
        assert isinstance(converter.convert(code, from_date=AFTER, to_date=date(2026, 5, 1)), One)


def test_a_code_that_was_another_unit_then_is_unknown_not_converted_as_its_namesake(converter):
    # 32002 was Phường 4 of Cà Mau in the lists up to November 2024, and Phường 2 when the table was made.
    assert converter.convert("32002", from_date=date(2024, 2, 1), to_date=AFTER) == Unknown(
        reason=Reason.MEANT_ANOTHER_UNIT
    )
    assert converter.convert("32002", from_date=date(2024, 12, 1), to_date=AFTER) == Unknown(
        reason=Reason.BETWEEN_LISTS
    )
    assert isinstance(converter.convert("32002", from_date=date(2025, 3, 1), to_date=AFTER), One)


def test_a_code_that_never_was_is_not_in_force(converter):
    assert converter.convert("99999", from_date=BEFORE, to_date=AFTER) == Unknown(reason=Reason.NOT_IN_FORCE)


def test_without_a_table_nothing_is_carried_over_a_change(lists):
    districts = lists[CodeListId("don-vi-hanh-chinh-huyen")]
    answer = convert(districts, "964", from_date=BEFORE, to_date=AFTER)
    assert answer == Unknown(reason=Reason.NO_CONVERSION)


@pytest.mark.parametrize(("old", "new"), [("10", "15"), ("27", "24"), ("87", "82"), ("89", "91"), ("91", "91")])
def test_provinces_that_changed_their_code_are_followed(lists, old, new):
    assert convert(lists[CodeListId(PROVINCES)], old, from_date=BEFORE, to_date=AFTER) == One(code=new, kind="whole")


def test_every_province_has_one_answer_and_thirty_four_remain(lists):
    provinces = lists[CodeListId(PROVINCES)]
    old = [one.code for one in provinces.codes if one.valid_to == AFTER]
    answers = convert_frame(provinces, pl.Series(sorted(set(old))), from_date=BEFORE, to_date=AFTER)
    assert answers["kind"].unique().to_list() == ["one"]
    assert (len(set(old)), answers["code"].n_unique()) == (63, 34)


def test_a_name_that_changed_before_the_reform_keeps_the_code(lists):
    provinces = lists[CodeListId(PROVINCES)]
    assert convert(provinces, "46", from_date=date(2024, 6, 1), to_date=BEFORE) == One(code="46", kind="renamed")
    assert convert(provinces, "01", from_date=date(2024, 6, 1), to_date=BEFORE) == One(code="01", kind="unchanged")


def test_candidates_are_codes_in_force_on_the_day(communes, converter):
    answer = converter.convert("18796", from_date=BEFORE, to_date=AFTER)
    assert isinstance(answer, Several)
    now = {one.code for one in communes.codes if one.valid_to is None}
    assert all(isinstance(one, Candidate) and one.code in now for one in answer.candidates)


def test_the_table_is_part_of_what_the_hash_covers(folder):
    before = item_hash(load(folder).code_lists[CodeListId(PROVINCES)])
    path = folder / "codelists" / f"{PROVINCES}.conversion.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("01,01,2025-07-01,whole", "01,01,2025-07-01,renamed"))
    assert item_hash(load(folder).code_lists[CodeListId(PROVINCES)]) != before


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("02,99,2025-07-01,part,,x", "unknown-code"),
        ("99,08,2025-07-01,part,,x", "unknown-code"),
        ("02,08,2025-07-01,whole,,x", "duplicate-value"),
        ("02,01,2025-07-01,whole,,x", "contradiction"),
        ("02,01,2025-13-01,part,,x", "not-a-day"),
        ("02,01,,part,,x", "not-a-day"),
        ("02,01,2025-07-01,somehow,,x", "unknown-value"),
        ("02,01,2025-07-01,part,,", "blank-text"),
        ("02,01,2025-07-01,part,001,x", "missing-key"),
        ("02,01,2025-07-01", "csv-row"),
    ],
)
def test_a_bad_line_of_a_conversion_table_is_named(folder, row, rule):
    _append(folder, f"{PROVINCES}.conversion.csv", row)
    assert {one.rule for one in problems(folder)} == {rule}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("32011,Phường 2,964,2024-02-30,2024-05-01,2024-11-01,x", "not-a-day"),
        ("32011,Phường 2,964,2024-05-01,2024-02-01,2024-11-01,x", "empty-period"),
        ("32011,Phường 2,964,2024-02-01,2024-11-01,2024-11-01,x", "empty-period"),
        ("32011,,964,2024-02-01,2024-05-01,2024-11-01,x", "blank-text"),
        ("32011,Phường 2,999,2024-02-01,2024-05-01,2024-11-01,x", "unknown-code"),
        ("32011,Phường 2,964,2020-02-25,2024-11-01,2025-01-04,x", "duplicate-value"),
    ],
)
def test_a_bad_line_of_a_history_is_named(folder, row, rule):
    _append(folder, f"{COMMUNES}.history.csv", row)
    assert {one.rule for one in problems(folder)} == {rule}


def test_a_table_of_no_list_and_a_table_of_no_kind_are_refused(folder):
    (folder / "codelists" / "khong-co.conversion.csv").write_text("x\n", encoding="utf-8")
    (folder / "codelists" / f"{PROVINCES}.mapping.csv").write_text("x\n", encoding="utf-8")
    assert [one.rule for one in problems(folder)] == ["file-name", "file-name"]
