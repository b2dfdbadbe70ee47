"""Pieces of the sentences that stewards read, taken from the dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lienthong.dictionary.model import Dataset, Dictionary, ElementId, Member, Source, Text, Trust

_MARK: Final[dict[Trust, str]] = {
    Trust.OFFICIAL: "",
    Trust.SUMMARY: " (theo bản tóm tắt)",
    Trust.VENDOR: " (theo mã nguồn hệ thống kết nối)",
    Trust.SECONDARY: " (chưa kiểm chứng)",
}


def label_of(dictionary: Dictionary, element: ElementId) -> Text:
    """Return the element's label, the Vietnamese one standing in where there is no other."""
    label = dictionary.elements[element].label
    return Text(vi=label.vi, en=label.en or label.vi)


def basis_of(sources: Sequence[Source]) -> str | None:
    """Return the most trusted outside source, marked when it is not the text of the law; None when there is none."""
    for trust, mark in _MARK.items():
        for source in sources:
            if source.trust is trust:
                article = "" if source.article is None else f", {source.article}"
                return f"{source.document}{article}{mark}"
    return None


def is_must(member: Member) -> bool:
    """Return whether a record cannot be kept without this element."""
    return member.required or member.key


def member_of(dataset: Dataset, element: ElementId) -> Member | None:
    """Return the place of an element in a dataset, if it has one."""
    return next((member for member in dataset.members if member.element == element), None)
