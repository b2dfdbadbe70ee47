"""CL07: a source value is within the size limit (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import OVERSIZED, OVERSIZED_NAMES
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CL07"
ERROR_CLASS: Final = ErrorClass.FORMAT


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:  # noqa: ARG001 - every dataset, whatever it holds
    """Ask it of every record, of all its source columns together."""
    return (
        Rule(
            code=CODE,
            criterion=Criterion.CLEAN,
            severity=Severity.BLOCKING,
            element=None,
            title=Text(vi="Không quá cỡ", en="Within the size limit"),
            sentence=Text(
                vi="Giá trị ở nguồn không được vượt giới hạn kích thước",
                en="A source value may not be over the size limit",
            ),
            when="TRUE",
            check=f"NOT {OVERSIZED}",
            shows=OVERSIZED_NAMES,
        ),
    )
