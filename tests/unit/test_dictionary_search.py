"""People find a term by what they type: marks first, then without marks, then words, then what looks alike."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.dictionary.load import load
from lienthong.dictionary.search import QUERY_LETTERS_MAX, Kind, NameKind, SearchIndex, Subject, Tier
from lienthong.dictionary.shipped import shipped_folder


def subject(name: str, *names: str, prose: str = "") -> Subject:
    return Subject(kind=Kind.ELEMENT, id=name, names=tuple((NameKind.LABEL, each) for each in names), prose=prose)


INDEX = SearchIndex(
    [
        subject("name", "Họ và tên", "HoVaTen", "ho_va_ten", "HOTEN", prose="Họ, chữ đệm và tên khai sinh."),
        subject("mother", "Họ, chữ đệm, tên mẹ", "HoVaTenMe"),
        subject("number", "Số định danh cá nhân", "SoDinhDanh", prose="Dãy 12 chữ số cấp cho công dân."),
        subject("project", "Dự án", "DuAn"),
        subject("judgement", "Bản án", "BanAn"),
        subject("print", "Bản in", "BanIn"),
        subject("quarter", "Quý", "Quy"),
        subject("thể", "Thể loại"),
        subject("thế", "Thế hệ"),
        subject("street", "Đường", "Duong"),
        subject("an", "An toàn"),
        subject("án", "Án phí"),
    ]
)


def found(text: str) -> list[str]:
    return [hit.id for hit in INDEX.search(text)]


def tiers(text: str) -> dict[str, Tier]:
    return {hit.id: hit.tier for hit in INDEX.search(text)}


@pytest.mark.parametrize(
    "text",
    [
        "Họ và tên",
        "ho va ten",
        "HO VA TEN",
        "  họ   và tên ",
        "hovaten",
        "HoVaTen",
        "ho_va_ten",
        "HOTEN",
        "họ va ten",
    ],
)
def test_every_way_to_write_a_name_finds_it_first(text: str) -> None:
    assert found(text)[0] == "name"
    assert tiers(text)["name"] is Tier.EXACT


@pytest.mark.parametrize("text", ["Họ và tên", "Thể loại", "Đường", "Số định danh"])
def test_composed_and_decomposed_queries_agree(text: str) -> None:
    assert INDEX.search(normalize("NFC", text)) == INDEX.search(normalize("NFD", text))


def test_a_query_with_marks_prefers_the_same_marks() -> None:
    assert found("thế")[:2] == ["thế", "thể"]
    assert found("thể")[:2] == ["thể", "thế"]
    assert tiers("thế") == {"thế": Tier.EXACT, "thể": Tier.FOLDED}


def test_a_query_without_marks_finds_every_marking_and_the_unmarked_first() -> None:
    assert found("an")[:2] == ["an", "án"]
    assert {tiers("an")[name] for name in ("an", "án", "project", "judgement")} == {Tier.EXACT}


def test_only_the_words_typed_with_marks_must_have_them() -> None:
    assert tiers("Họ va ten")["name"] is Tier.EXACT
    assert tiers("Hò va ten")["name"] is Tier.FOLDED


def test_the_letter_with_a_stroke_is_a_mark() -> None:
    assert tiers("đường")["street"] is Tier.EXACT
    assert tiers("duong")["street"] is Tier.EXACT
    assert tiers("dường")["street"] is Tier.FOLDED


def test_the_place_of_the_tone_and_final_y_make_no_difference() -> None:
    index = SearchIndex([subject("peace", "Hòa bình"), subject("quarter", "Quý")])
    for text, name in (("hoà bình", "peace"), ("hòa bình", "peace"), ("quí", "quarter"), ("quý", "quarter")):
        assert [(hit.id, hit.tier) for hit in index.search(text)] == [(name, Tier.EXACT)]


def test_another_order_of_words_is_found_below_and_said_to_be_another() -> None:
    assert tiers("số định danh")["number"] is Tier.EXACT
    assert tiers("danh định số")["number"] is Tier.SCATTERED
    assert tiers("định danh cá nhân")["number"] is Tier.EXACT


def test_words_with_others_between_them_come_after_words_that_stand_together() -> None:
    index = SearchIndex([subject("apart", "Số thẻ bảo hiểm"), subject("together", "Loại số bảo hiểm y tế")])
    assert [(hit.id, hit.tier) for hit in index.search("số bảo hiểm")] == [
        ("together", Tier.EXACT),
        ("apart", Tier.WORDS),
    ]


def test_a_definition_is_searched_after_names() -> None:
    assert tiers("12 chữ số") == {"number": Tier.DEFINITION}
    assert tiers("khai sinh")["name"] is Tier.DEFINITION


def test_a_slip_of_the_finger_still_finds_the_term() -> None:
    assert found("ho va tem")[0] == "name"
    assert tiers("so dinh dahn")["number"] is Tier.SIMILAR


def test_what_looks_alike_is_not_shown_where_enough_was_found() -> None:
    many = SearchIndex([*(subject(f"{place}", f"Ngày cấp {place}") for place in range(5)), subject("x", "Ngày cập")])
    assert all(hit.tier < Tier.SIMILAR for hit in many.search("ngày cấp"))


def test_the_whole_name_comes_before_its_beginning_and_before_its_inside() -> None:
    index = SearchIndex(
        [
            subject("inside", "Nơi đăng ký"),
            subject("beginning", "Ký hiệu"),
            subject("whole", "Ký"),
            subject("end", "Chữ ký"),
        ]
    )
    assert [hit.id for hit in index.search("ký")] == ["whole", "beginning", "end", "inside"]


@pytest.mark.parametrize("text", ["", "   ", "!!!", "“”", "\x00", "🙂", "%", "__"])
def test_nothing_is_found_by_what_is_no_word(text: str) -> None:
    assert INDEX.search(text) == ()


def test_only_the_first_letters_of_a_long_query_count() -> None:
    text = "họ và tên".ljust(QUERY_LETTERS_MAX)
    assert INDEX.search(text + "x" * 10_000) == INDEX.search("họ và tên")


@given(st.text(max_size=200))
def test_no_text_breaks_the_search_and_nothing_is_found_twice(text: str) -> None:
    hits = INDEX.search(text)
    assert len({(hit.kind, hit.id) for hit in hits}) == len(hits)
    assert [hit.tier for hit in hits] == sorted(hit.tier for hit in hits)


@given(st.sampled_from(["Họ và tên", "Số định danh cá nhân", "Dự án", "Thể loại"]), st.booleans())
def test_every_label_finds_its_own_term_first(label: str, upper: bool) -> None:
    hit = INDEX.search(label.upper() if upper else label)[0]
    assert (hit.name or "").casefold() == label.casefold()


def test_every_element_of_the_shipped_dictionary_is_found_by_its_label_code_and_technical_name() -> None:
    dictionary = load(shipped_folder("dictionary"))
    index = SearchIndex.of(dictionary)
    lost = [
        (text, name)
        for name, element in dictionary.elements.items()
        for text in (element.label.vi, name, element.technical_name)
        if name not in {hit.id for hit in index.search(text) if hit.tier is Tier.EXACT}
    ]
    assert lost == []


def test_lists_and_datasets_are_found_too() -> None:
    index = SearchIndex.of(load(shipped_folder("dictionary")))
    kinds = {hit.kind for hit in index.search("đơn vị hành chính cấp xã")}
    assert Kind.CODE_LIST in kinds
    assert Kind.DATASET in {hit.kind for hit in index.search("nhan khau")}
