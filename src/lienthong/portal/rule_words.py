"""What a rule over other records compares, as a sentence for its page (nội dung so sánh của quy tắc)."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.check.verdict import Rule
from lienthong.dictionary.model import DatasetId, Dictionary


def compared_words(rule: Rule, dictionary: Dictionary) -> str | None:
    """Return what a rule compares with what; None for a rule that reads one row alone."""
    with_ = rule.comparison
    if rule.over == "unique":
        return "không hai bản ghi nào trong bộ dữ liệu có cùng giá trị"
    if with_ is None:
        return None
    named = _Names(dictionary)
    if rule.over == "near-duplicate":
        return (
            f"tìm trong {named.dataset(with_.dataset)} bản ghi khác giống hệt ở {named.of(a for a, _ in with_.on)}"
            f" và gần giống ở {named.of(with_.similar)} (độ giống Jaro-Winkler từ {_decimal(with_.similarity)})"
        )
    found = f"tìm trong {named.dataset(with_.dataset)} bản ghi có {named.pairs(with_.on)}"
    if rule.over == "reference":
        return f"{found}; phải có ít nhất một"
    return f"{found}; khi đó {named.pairs(with_.equal)} phải giống nhau"


class _Names:
    """Labels of the dictionary for the names a rule is written in."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._datasets = dictionary.datasets
        self._labels = {each.technical_name: each.label.vi for each in dictionary.elements.values()}

    def dataset(self, name: DatasetId) -> str:
        found = self._datasets.get(name)
        return f"“{name if found is None else found.label.vi}”"

    def of(self, columns: Iterable[str]) -> str:
        return ", ".join(self._labels.get(each, each) for each in columns)

    def pairs(self, pairs: tuple[tuple[str, str], ...]) -> str:
        return ", ".join(
            self._labels.get(own, own)
            if own == other
            else f"{self._labels.get(own, own)} (bên kia: {self._labels.get(other, other)})"
            for own, other in pairs
        )


def _decimal(number: float) -> str:
    return f"{number:g}".replace(".", ",")
