"""The survey: names × values, with the shipped dictionary; synthetic values only."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.dictionary.load import load
from lienthong.dictionary.model import ElementId, Relation
from lienthong.dictionary.shipped import shipped_folder
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.profile import TableProfile, profile_column, questions_of
from lienthong.sources.spelling import fold, segment, words
from lienthong.sources.survey import NO_ELEMENT, Survey, TableProposal, notes
from lienthong.standardise.encodings.surveying import read_sample
from lienthong.standardise.encodings.tables import Encoding
from lienthong.testing.legacy_text import spell

DICTIONARY = load(shipped_folder("dictionary"))
QUESTIONS = questions_of(DICTIONARY)
SURVEY = Survey(DICTIONARY)

VALUES = {
    "number": [f"0012000{place:05}" for place in range(50)],
    "tax": [f"20001{place:05}" for place in range(50)],
    "person": ["Nguyễn Văn An", "TRẦN THỊ BÌNH", "Lê Hoàng Thanh Tâm"] * 10,
    "organisation": ["CÔNG TY TNHH MỘT THÀNH VIÊN BÌNH MINH", "HTX Nông nghiệp Tân Tiến"] * 10,
    "address": ["Số 9, đường Lý Bôn, Phường 2, Thành phố Cà Mau", "Ấp 3, xã Tân Thành"] * 10,
    "day first": ["07/03/1950", "1/2/1999"] * 10,
    "serial": ["36526", "44197"] * 10,
    "sex": ["Nam", "Nữ"] * 10,
    "phone": ["0912345678", "+84 912 345 678"] * 10,
    "money": ["98800000000", "1.500.000"] * 10,
    "nothing": [None, "  "] * 10,
    "noise": ["#?!", "~~"] * 10,
}


def profile(table: str, **columns: str) -> TableProfile:
    return TableProfile(
        name=TableName(schema="public", table=table),
        comment=None,
        rows_estimated=100,
        key=(),
        columns=tuple(
            profile_column(VALUES[kind], name=name, type_name="text", comment=None, questions=QUESTIONS)
            for name, kind in columns.items()
        ),
    )


def found(table: TableProfile) -> dict[str, str | None]:
    proposal = SURVEY.propose(table, source=SourceId("s"))
    assert proposal is not None
    return {column.column: column.element for column in proposal.mapping.columns}


def test_names_as_agencies_write_them_are_found():
    assert found(
        profile(
            "NHANKHAU", SO_CCCD="number", HOTEN="person", NTNS="day first", PHAI="sex", SDT="phone", DCTT="address"
        )
    ) == {
        "SO_CCCD": "SoDinhDanh",
        "HOTEN": "HoVaTen",
        "NTNS": "NgaySinh",
        "PHAI": "GioiTinh",
        "SDT": "SoDienThoai",
        "DCTT": "DiaChiThuongTru",
    }


def test_the_dataset_follows_from_the_columns_not_from_the_name_of_the_table():
    proposal = SURVEY.propose(
        profile("bang_1", msdn="tax", tendn="organisation", dctruso="address", ngaycap="serial"), source=SourceId("s")
    )
    assert proposal.mapping.dataset == "doanh-nghiep"
    assert {column.column: column.form for column in proposal.mapping.columns}["ngaycap"] == "excel-serial"


def test_values_outweigh_a_name_that_promises_something_else():
    assert found(profile("nhan_khau", so_dinh_danh="noise", ho_ten="person"))["so_dinh_danh"] is None


def test_an_element_goes_to_the_surer_of_two_columns():
    result = found(profile("nhan_khau", ho_va_ten="person", ho_ten="person"))
    assert sorted(each is None for each in result.values()) == [False, True]
    assert result["ho_va_ten"] == "HoVaTen"


def test_a_column_without_an_element_is_left_to_a_person_with_a_reason():
    proposal = SURVEY.propose(profile("nhan_khau", ho_ten="person", xyzzy="noise"), source=SourceId("s"))
    column = next(each for each in proposal.mapping.columns if each.column == "xyzzy")
    assert (column.element, column.relation, column.reason) == (None, Relation.NONE, NO_ELEMENT)


def test_a_table_like_nothing_gets_no_proposal():
    assert SURVEY.propose(profile("log", a="noise", b="nothing"), source=SourceId("s")) is None


def test_the_comment_of_a_column_counts_like_its_name():
    column = profile_column(VALUES["person"], name="c17", type_name="text", comment="Họ và tên", questions=QUESTIONS)
    plain = profile_column(VALUES["person"], name="c17", type_name="text", comment=None, questions=QUESTIONS)
    element = ElementId("HoVaTen")
    assert SURVEY.score(column, element).score > 0.9
    assert SURVEY.score(plain, element).score < 0.4


def test_a_day_first_date_is_proposed_with_its_form():
    proposal = SURVEY.propose(profile("nhan_khau", ngay_sinh="day first"), source=SourceId("s"))
    assert proposal.mapping.columns[0].form == "day-first"


def test_every_suggestion_has_a_reason_and_three_are_kept():
    proposal = SURVEY.propose(profile("nhan_khau", gioi_tinh="sex"), source=SourceId("s"))
    lines = notes(proposal)["gioi_tinh"]
    assert len(lines) == 3
    assert "100% of values are in code list" in lines[0]


def test_what_is_required_and_not_found_is_told():
    proposal = SURVEY.propose(profile("nhan_khau", ho_ten="person"), source=SourceId("s"))
    assert "SoDinhDanh" in proposal.missing
    assert "HoVaTen" not in proposal.missing


@given(values=st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=20))
def test_a_profile_shows_no_value(values):
    secret = "Bí-Mật-0912"
    result = profile_column([*values, secret], name="c", type_name="text", comment=None, questions=QUESTIONS)
    assert secret not in repr(result)
    assert result.sampled >= 1
    assert 0 <= result.null_share < 1


def test_blank_and_null_count_alike():
    result = profile_column(VALUES["nothing"], name="c", type_name="text", comment=None, questions=QUESTIONS)
    assert (result.sampled, result.null_share, result.distinct) == (0, 1.0, 0)


# ── spelling ────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(max_size=30))
def test_composed_and_decomposed_names_fold_alike(text):
    assert fold(normalize("NFC", text)) == fold(normalize("NFD", text))


def test_the_letter_d_with_stroke_folds():
    assert fold("Đường  Điện") == "duong dien"


SYLLABLES = frozenset({"ho", "ten", "tinh", "ngay", "sinh", "dia", "chi", "tam", "tru"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hoten", ("ho", "ten")),
        ("HO_TEN", ("ho", "ten")),
        ("hoTen", ("ho", "ten")),
        ("NgaySinh", ("ngay", "sinh")),
        ("DC_TAMTRU", ("dia", "chi", "tam", "tru")),
        ("Họ tên", ("ho", "ten")),
        ("tinhtp", ("tinh", "thanh", "pho")),
        ("xyz123", ("xyz123",)),
    ],
)
def test_names_run_together_are_taken_apart(name, expected):
    assert words(name, SYLLABLES) == expected


def test_a_word_that_cannot_be_taken_apart_stays_whole():
    assert segment("qqq", SYLLABLES) is None


# ── text of old encodings ───────────────────────────────────────────────────────────────────────────────────

NAMES = ["Nguyễn Văn Ân", "Trần Thị Bình", "Lê Hoàng Thắm", "Phạm Đức Hạnh", "Võ Thị Sáu", "Đặng Thuý Liễu"]


def surveyed(**columns: list[str | None]) -> TableProposal:
    table = TableProfile(
        name=TableName(schema="public", table="nhan_khau"),
        comment=None,
        rows_estimated=100,
        key=(),
        columns=tuple(
            profile_column(values, name=name, type_name="text", comment=None, questions=QUESTIONS, read=read_sample)
            for name, values in columns.items()
        ),
    )
    proposal = SURVEY.propose(table, source=SourceId("s"))
    assert proposal is not None
    return proposal


def encodings(proposal: TableProposal) -> dict[str, str | None]:
    return {column.column: column.encoding for column in proposal.mapping.columns}


@pytest.mark.parametrize("encoding", [Encoding.TCVN3, Encoding.VNI, Encoding.MOJIBAKE])
def test_the_encoding_of_a_column_is_proposed_with_what_it_rests_on(encoding):
    proposal = surveyed(ho_ten=[spell(name, encoding) for name in NAMES * 3], so_cccd=VALUES["number"])
    assert encodings(proposal) == {"ho_ten": encoding.value, "so_cccd": None}
    told = notes(proposal)["ho_ten"][-1]
    assert told == f"encoding {encoding.value}: confidence 1.00, from 6 different values"


def test_a_column_of_unicode_is_proposed_no_encoding():
    assert encodings(surveyed(ho_ten=[*NAMES, None], so_cccd=VALUES["number"])) == {"ho_ten": None, "so_cccd": None}


def test_a_column_of_several_encodings_is_proposed_mixed():
    written = [spell(name, (Encoding.TCVN3, Encoding.UTF_8)[place % 2]) for place, name in enumerate(NAMES * 5)]
    proposal = surveyed(ho_ten=[*written, *(spell(name, Encoding.TCVN3) for name in NAMES)])
    assert encodings(proposal)["ho_ten"] == "mixed"
    assert "values whose encoding is certain" in notes(proposal)["ho_ten"][-1]


def test_few_words_follow_the_other_columns_of_the_table():
    sex = [spell(each, Encoding.TCVN3) for each in ("Nam", "Nữ", "Nam")]
    names = [spell(name, Encoding.TCVN3) for name in NAMES]
    assert encodings(surveyed(ho_ten=names, gioi_tinh=sex))["gioi_tinh"] == "tcvn3"
    assert encodings(surveyed(ho_ten=list(NAMES), gioi_tinh=sex))["gioi_tinh"] is None


def test_values_are_judged_as_they_read():
    names = [spell(name, Encoding.TCVN3) for name in NAMES]
    sex = [spell("Nữ", Encoding.TCVN3)] * 5
    best = surveyed(ho_ten=names, gioi_tinh=sex).suggestions
    assert "100% of values look like person name" in best["ho_ten"][0].reasons
    assert "100% of values are in code list" in best["gioi_tinh"][0].reasons[1]


def test_notes_on_an_encoding_hold_no_value():
    proposal = surveyed(ho_ten=[spell(name, Encoding.TCVN3) for name in NAMES])
    text = str(notes(proposal))
    assert not [word for name in NAMES for word in name.split() if word in text]
