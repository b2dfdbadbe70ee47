"""Names of databases and agencies: one, several or none, and never a silent pick."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeList, CodeListId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.references.matching import MATCH_SCHEMA, WORDS_MAX, Answer, match, match_text
from lienthong.standardise.references.registry import Registry
from lienthong.standardise.references.spelling import distance_is_one, words

ANNEX = Path(__file__).resolve().parents[1] / "data" / "nq66_7_annex_1.csv"

# Counted by hand on the text of the resolution, before this program existed.
ROWS_BY_DATABASE = {
    "dkdn": 480,
    "dan-cu": 151,
    "dat-dai": 88,
    "ho-tich": 76,
    "dang-ky-xe": 19,
    "can-cuoc": 12,
    "lltp": 10,
    "gplx": 5,
    "suc-khoe": 4,
    "bao-hiem": 2,
    "ho-chieu": 2,
    "dinh-danh-to-chuc": 2,
    "tre-em": 1,
}
ROWS_WITH_SEVERAL = 49
MINISTRIES = ["bo-cong-an", "bo-nong-nghiep-va-moi-truong", "bo-tai-chinh", "bo-tu-phap", "bo-y-te"]
DECREE = "Nghị định số 23/2015/NĐ-CP được sửa đổi, bổ sung bởi Nghị định số 07/2025/NĐ-CP"


@pytest.fixture(scope="module")
def lists() -> dict[str, CodeList]:
    return {str(name): one for name, one in load(shipped_folder("dictionary")).code_lists.items()}


@pytest.fixture(scope="module")
def databases(lists: dict[str, CodeList]) -> Registry:
    return Registry.of(lists["co-so-du-lieu"])


@pytest.fixture(scope="module")
def agencies(lists: dict[str, CodeList]) -> Registry:
    return Registry.of(lists["co-quan-chu-quan"])


@pytest.fixture(scope="module")
def annex() -> pl.DataFrame:
    return pl.read_csv(ANNEX, infer_schema=False)


def test_all_spellings_of_the_annex_lead_to_the_thirteen_databases(annex: pl.DataFrame, databases: Registry) -> None:
    found = match(annex["csdl"], databases)
    assert annex["csdl"].n_unique() == 62
    assert dict(found.schema) == MATCH_SCHEMA
    assert set(found["answer"]) == {Answer.ONE.value, Answer.SEVERAL.value}
    counted = dict(found.explode("ids")["ids"].value_counts().iter_rows())
    assert counted == ROWS_BY_DATABASE
    assert (found["ids"].list.len() > 1).sum() == ROWS_WITH_SEVERAL


def test_all_ministries_of_the_annex_are_found_and_a_decree_is_none(annex: pl.DataFrame, agencies: Registry) -> None:
    found = match(annex["bo_chu_quan"], agencies)
    left = found.filter(pl.col("answer") == Answer.NONE.value)
    assert set(left["value"]) == {DECREE}
    assert left["ids"].list.len().sum() == left["candidates"].list.len().sum() == 0
    named = set(found.explode("ids")["ids"].drop_nulls())
    assert named == {*MINISTRIES, "bao-hiem-xa-hoi-viet-nam"}


def test_a_name_that_was_cut_off_is_less_sure_and_says_why(databases: Registry) -> None:
    answer = match_text("Cơ sở dữ liệu quốc gia về đăng ký doanh", databases)
    assert (answer["answer"], answer["ids"]) == (Answer.ONE.value, ["dkdn"])
    assert answer["confidence"] == 0.7
    assert "cắt" in str(answer["reason"])


# Wordings that the annex does not have, written after the matching, which was not changed for them.
@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("CSDLQG VỀ DÂN CƯ", ["dan-cu"]),
        ("co so du lieu quoc gia ve dat dai", ["dat-dai"]),
        ("CSDL QG về Đăng kí doanh nghiệp", ["dkdn"]),
        ("Cơ sở dữ liệu Quốc gia về dân cư/CSDL hộ tịch", ["dan-cu", "ho-tich"]),
        ("CSDL dân cư + CSDL đất đai", ["dan-cu", "dat-dai"]),
        ("CSDL đất đai,CSDL giấy phép lái xe,CSDL trẻ em", ["dat-dai", "gplx", "tre-em"]),
        ("CSDL dân cư, hộ tịch và đất đai", ["dan-cu", "ho-tich", "dat-dai"]),
        ("CSDL quốc gia về dân cư\nCSDL hộ tịch điện tử", ["dan-cu", "ho-tich"]),
        ("Cơ sở dữ liệu lí lịch tư pháp", ["lltp"]),
        ("CSDL GPLX", ["gplx"]),
        ("CSDL về CCCD", ["can-cuoc"]),
        ("CSDL bảo hiểm, y tế", ["bao-hiem", "suc-khoe"]),
        ("CSDL quốc gia về bảo hiểm y tế", ["bao-hiem"]),
        ("Cơ sở dữ liệu quốc gia về đăng ký doanh nghiêp", ["dkdn"]),
        ("CSDL đăng ký doanh ngiệp", ["dkdn"]),
        ("CSDL dâncư", ["dan-cu"]),
        ("CSDL đăngký doanhnghiệp", ["dkdn"]),
        ("CSDL quốc gia về dân cư (phần cư trú)", ["dan-cu"]),
        ("CSDL hộ tịch;;; CSDL hộ tịch điện tử.", ["ho-tich"]),
        ("Hộ tịch", ["ho-tich"]),
        ("CSDL về đăng ký phương tiện", ["dang-ky-xe"]),
        ("Dữ liệu đất đai", None),
        ("CSDL quốc gia", None),
        ("CSDL", None),
        ("CSDL về công chứng", None),
        ("CSDL dân cư và CSDL công chứng", None),
        ("CSDL đăng ký", None),
        ("CSDL đăng ký xe máy chuyên dùng", None),
        ("CSDL quốc gia về dân", None),
        ("Sở Tài nguyên", None),
        ("", None),
        ("---", None),
        ("12345", None),
    ],
)
def test_held_out_wordings_of_databases(databases: Registry, text: str, ids: list[str] | None) -> None:
    answer = match_text(text, databases)
    assert answer["ids"] == (ids or [])
    wanted = Answer.NONE if ids is None else Answer.ONE if len(ids) == 1 else Answer.SEVERAL
    assert answer["answer"] == wanted.value


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Bộ TC", ["bo-tai-chinh"]),
        ("BCA, BTP", ["bo-cong-an", "bo-tu-phap"]),
        ("bộ nông nghiệp, môi trường", ["bo-nong-nghiep-va-moi-truong"]),
        ("Bộ NN&MT", ["bo-nong-nghiep-va-moi-truong"]),
        ("Bộ Công an, Tư pháp", ["bo-cong-an", "bo-tu-phap"]),
        ("BỘ Y TẾ và BHXH Việt Nam", ["bo-y-te", "bao-hiem-xa-hoi-viet-nam"]),
        ("Bo Khoa hoc va Cong nghe", ["bo-khoa-hoc-va-cong-nghe"]),
        ("Bộ Văn hoá, Thể thao và Du lịch; Bộ Xây dựng", ["bo-van-hoa-the-thao-va-du-lich", "bo-xay-dung"]),
        ("Bộ Tài chinh", ["bo-tai-chinh"]),
        ("Bộ Tài chíh", ["bo-tai-chinh"]),
        ("Sở Y tế", None),
        ("Công an tỉnh", None),
        ("Bộ", None),
        ("Bộ Tài nguyên và Môi trường", None),
        ("Bộ Kế hoạch và Đầu tư", None),
        ("Nghị định số 01/2021/NĐ-CP", None),
    ],
)
def test_held_out_wordings_of_agencies(agencies: Registry, text: str, ids: list[str] | None) -> None:
    assert match_text(text, agencies)["ids"] == (ids or [])


def test_what_was_recognised_beside_something_unknown_is_only_a_candidate(databases: Registry) -> None:
    answer = match_text("CSDL dân cư và CSDL công chứng", databases)
    assert answer["ids"] == []
    assert answer["candidates"] == ["dan-cu"]
    assert answer["confidence"] == 0.0
    assert "cong chung" in str(answer["reason"])


def test_the_beginning_of_several_names_is_none_of_them(databases: Registry) -> None:
    answer = match_text("CSDL đăng ký", databases)
    assert answer["answer"] == Answer.NONE.value
    assert set(answer["candidates"]) == {"dkdn", "dang-ky-xe"}  # type: ignore[call-overload] # a list of texts


def test_a_wording_of_two_entries_names_neither(lists: dict[str, CodeList]) -> None:
    base = lists["co-so-du-lieu"]
    registry = Registry.of(replace(base, aliases=(*base.aliases, ("nhà đất", "dat-dai"), ("nhà  đất.", "dan-cu"))))
    answer = match_text("CSDL nhà đất", registry)
    assert answer["answer"] == Answer.NONE.value
    assert answer["candidates"] == ["dan-cu", "dat-dai"]
    assert "nhiều mục" in str(answer["reason"])


def test_a_text_without_end_is_refused_not_searched(databases: Registry) -> None:
    answer = match_text("dân cư " * WORDS_MAX, databases)
    assert answer["answer"] == Answer.NONE.value


def test_a_column_keeps_its_rows_and_their_order(databases: Registry) -> None:
    column = pl.Series("x", ["CSDL trẻ em", None, "CSDL đất đai", "CSDL trẻ em"])
    found = match(column, databases)
    assert found["value"].to_list() == column.to_list()
    assert found["ids"].to_list() == [["tre-em"], [], ["dat-dai"], ["tre-em"]]


def test_composed_and_decomposed_names_agree(databases: Registry) -> None:
    composed = "Cơ sở dữ liệu quốc gia về đăng ký doanh nghiệp"
    column = pl.Series([composed]).to_frame("t").select(pl.col("t").str.normalize("NFD")).to_series()
    assert match(column, databases)["ids"].to_list() == [["dkdn"]]


def test_every_registry_entry_is_found_by_its_own_name_and_aliases(lists: dict[str, CodeList]) -> None:
    for name in ("co-so-du-lieu", "co-quan-chu-quan"):
        code_list = lists[CodeListId(name)]
        registry = Registry.of(code_list)
        spellings = [(code.label.vi, code.code) for code in code_list.codes] + list(code_list.aliases)
        for spelling, code in spellings:
            assert match_text(spelling, registry)["ids"] == [code], spelling


def test_words_ignore_case_diacritics_signs_and_abbreviations() -> None:
    assert words("CSDLQG về Lý lịch") == words("cơ sở dữ liệu Quốc-gia VỀ  lí lịch (bản nháp)")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("nghiep", "nghep", True),
        ("nghep", "nghiep", True),
        ("nghiep", "nghiap", True),
        ("nghiep", "nighep", False),
        ("nghiep", "nghipe", True),
        ("dat", "dat", False),
        ("dat", "datxx", False),
        ("abcd", "abdd", True),
        ("abcd", "badc", False),
    ],
)
def test_one_slip_is_one_letter_or_two_neighbours_swapped(one: str, other: str, expected: bool) -> None:
    assert distance_is_one(one, other) is expected
