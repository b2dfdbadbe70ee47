"""SH01: other agencies really read the dataset (dùng chung)."""

from __future__ import annotations

from typing import Final

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "SH01"
ERROR_CLASS: Final[ErrorClass | None] = None  # data that nobody reads is not wrong data


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:  # noqa: ARG001 - every dataset is to be shared
    """State the aim; oversight counts the agencies in the log of the gateway."""
    return (
        Rule(
            code=CODE,
            criterion=Criterion.SHARED,
            severity=Severity.WARNING,
            element=None,
            title=Text(vi="Có cơ quan khác khai thác", en="Read by other agencies"),
            sentence=Text(
                vi="Dữ liệu phải được cơ quan khác thực sự khai thác qua cổng chia sẻ",
                en="Other agencies must really read the data through the gateway",
            ),
            when="",
            check="",
            over="readers",
        ),
    )
