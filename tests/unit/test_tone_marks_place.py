"""Where the tone mark stands, in both styles, and the key for comparing."""

from __future__ import annotations

from unicodedata import normalize

import polars as pl
import pytest

from lienthong.standardise.tone_marks import ToneStyle, matching_key, place, place_word


def placed(text: str | None, style: ToneStyle) -> str | None:
    return place(pl.Series("c", [text], dtype=pl.String), style)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hòa", "hoà"),
        ("khỏe", "khoẻ"),
        ("thúy", "thuý"),
        ("ủy", "uỷ"),
        ("Hòa", "Hoà"),
        ("THÚY", "THUÝ"),
        ("lõa", "loã"),
        ("tọa", "toạ"),
    ],
)
def test_the_styles_differ_in_open_oa_oe_uy(old, new):
    for text in (old, new):
        assert (placed(text, ToneStyle.OLD), placed(text, ToneStyle.NEW)) == (old, new)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "quý",
            "Quỳnh",
            "già",
            "giúp",
            "gì",
            "giếng",
            "hoàn",
            "thuyền",
            "khuỷu",
            "thuở",
            "ngoài",
            "của",
            "mía",
            "hoặc",
        ),
        *("tuần", "Nguyễn", "đường", "yếu", "lùi", "Huế", "Đào", "khoái", "", "12", "hoa", "xoong"),
    ],
)
def test_all_other_syllables_are_written_one_way(text):
    assert {placed(text, style) for style in ToneStyle} == {text}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("hòan", "hoàn"),
        ("qúy", "quý"),
        ("gìa", "già"),
        ("thủơ", "thuở"),
        ("ngòai", "ngoài"),
        ("gíêng", "giếng"),
        ("QÚY", "QUÝ"),
    ],
)
def test_a_mark_that_stands_wrong_in_both_styles_moves(wrong, right):
    assert {placed(wrong, style) for style in ToneStyle} == {right}


@pytest.mark.parametrize("text", ["Krông", "Đắk Búk", "H'Lòek", "Ngọk", "múoac", "hoaa\u0301", "hòà", None])
def test_what_is_no_syllable_stays(text):
    expected = None if text is None else normalize("NFC", text)
    assert {placed(text, style) for style in ToneStyle} == {expected}


def test_words_are_placed_inside_a_text_and_all_else_stays():
    text = "Công ty TNHH MTV Hoà-Thuý (Quý), số 5/2 đường Tân Hoà,  Krông Hoà"
    assert placed(text, ToneStyle.OLD) == text.replace("Hoà", "Hòa").replace("Thuý", "Thúy")


def test_every_letter_keeps_its_case():
    assert place_word("hÒa", ToneStyle.NEW) == "hOà"


def test_a_name_is_never_changed_without_being_asked():
    from lienthong.dictionary.model import Datatype, Identity, Level, Status, Text, ValueDomain
    from lienthong.standardise.kernel import KernelContext
    from lienthong.standardise.registry import all_kernels

    domain = ValueDomain(
        identity=Identity(id="x", version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None),
        label=Text(vi="x"),
        datatype=Datatype.TEXT,
        rdf_type="xsd:string",
        standardiser="text",
    )
    names = pl.Series(["Nguyễn Thị Thuý", "Nguyễn Thị Thúy"])
    for kernel in ("text", "person-name", "organisation-name", "address"):
        assert all_kernels()[kernel].run(names, KernelContext(domain=domain)).values.to_list() == names.to_list()


def test_spellings_of_one_name_share_a_key():
    spellings = [
        "Đặng Thị  Hoà",
        "ĐẶNG THỊ HÒA",
        "Ðặng Thị Hòa",
        normalize("NFD", "đặng thị hoà"),
        " Đặng\u00a0Thị Hoà\u200b",
    ]
    assert matching_key(pl.Series(spellings)).unique().to_list() == ["ĐẶNG THỊ HOÀ"]


def test_apostrophes_and_hyphens_of_all_kinds_share_a_key():
    assert matching_key(pl.Series(["H’Hen Niê–A", "H'Hen Niê-A"])).unique().to_list() == ["H'HEN NIÊ-A"]


def test_different_names_keep_different_keys():
    assert matching_key(pl.Series(["Hoa", "Hoà", "Hóa", "Hoạ", "Huy", "Húy"])).n_unique() == 6


def test_nothing_readable_has_no_key():
    assert matching_key(pl.Series(["", " ", None, "a\x00b"])).to_list() == [None] * 4
