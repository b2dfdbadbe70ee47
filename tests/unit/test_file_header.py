"""The names of the columns: each once, and names, not values of a record."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest

from lienthong.adapters.files.header import header_names
from lienthong.sources.file_refusals import HeaderNotValid


def names(*cells: str | None, chosen: bool = False) -> tuple[str, ...]:
    return header_names(cells, path=Path("f.csv"), line=1, chosen=chosen)


def test_names_are_composed_and_trimmed():
    assert names("\ufeff Mã  số ", normalize("NFD", "Họ và tên")) == ("Mã số", "Họ và tên")


def test_a_column_without_a_name_is_called_by_its_place():
    assert names("a", "b", "") == ("a", "b", "(3)")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("a", "b", "a"), "the same name in column 1, 3"),
        (("a", normalize("NFC", "tên"), normalize("NFD", "tên")), "the same name in column 2, 3"),
        (("012345678901", "Nguyễn Văn A", "01/02/1990"), "looks like values"),
        (("DANH SÁCH DOANH NGHIỆP", "", ""), "looks like a title"),
        (("a", "b", "", "", ""), "no name in column 3, 4, 5"),
        (("a", "b" * 300), "more than 200 characters in column 2"),
    ],
)
def test_a_header_that_is_none_is_refused(cells: tuple[str, ...], told: str):
    with pytest.raises(HeaderNotValid, match=told) as refused:
        names(*cells)
    assert "Nguyễn" not in str(refused.value)
    assert "012345678901" not in str(refused.value)


def test_a_header_whose_place_is_named_may_look_like_values():
    assert names("2023", "2024", chosen=True) == ("2023", "2024")


def test_more_columns_than_a_table_has_is_a_wrong_delimiter():
    with pytest.raises(HeaderNotValid, match="2001 columns"):
        names(*(f"c{number}x" for number in range(2_001)))
