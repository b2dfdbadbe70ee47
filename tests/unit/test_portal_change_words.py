"""An officer reads in Vietnamese what became of an item; no wording of a change is left in English."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import pytest

from lienthong.dictionary import changes, diff
from lienthong.portal.change_words import change_in_words


def wordings() -> Iterator[str]:
    """Give every fixed wording that the comparison of two states can say."""
    for module in (changes, diff):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.keyword) and node.arg == "text":
                yield from _texts(node.value)
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and _is_impact(node.elts[0]):
                yield from _texts(node.elts[1])
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_always":
                yield from _texts(node.args[1])


def _is_impact(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Impact"


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def test_every_fixed_wording_has_vietnamese_words() -> None:
    found = set(wordings())
    assert len(found) > 40
    assert sorted(text for text in found if change_in_words(text) is None) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("length narrowed", "độ dài tối đa chặt hơn"),
        ("least value is another", "giá trị nhỏ nhất là cái khác"),
        ("check digit lifted", "bỏ chữ số kiểm tra"),
        ("code ends", "mã hết hiệu lực"),
        ("code ends, replaced by 00025, 00097", "mã hết hiệu lực, thay bằng 00025, 00097"),
        ("is superseded by MauSon@1.0.0", "được thay bằng MauSon@1.0.0"),
        ("spelling added: Ba Đình", "thêm cách viết: Ba Đình"),
        ("conversion table: 2 line(s) gone, 3 added", "bảng conversion: bớt 2 dòng, thêm 3 dòng"),
    ],
)
def test_a_wording_with_values_keeps_them(text: str, words: str) -> None:
    assert change_in_words(text) == words


def test_what_nobody_translated_is_not_guessed() -> None:
    assert change_in_words("something else entirely") is None
