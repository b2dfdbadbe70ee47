"""LV01: changes are visible at the centre within the promised time (sống)."""

from __future__ import annotations

from typing import Final

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "LV01"
ERROR_CLASS: Final = ErrorClass.STALE


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:  # noqa: ARG001 - every dataset makes the promise
    """State the promise; oversight measures it on the changes that streamed in."""
    seconds = dataset.allowed_lag_s
    return (
        Rule(
            code=CODE,
            criterion=Criterion.LIVE,
            severity=Severity.WARNING,
            element=None,
            title=Text(vi="Kịp thời", en="In time"),
            sentence=Text(
                vi=f"Thay đổi ở nguồn phải thấy được tại trung tâm trong vòng {seconds} giây",
                en=f"A change at the source must be visible at the centre within {seconds} s",
            ),
            when="",
            check="",
            over="lag",
        ),
    )
