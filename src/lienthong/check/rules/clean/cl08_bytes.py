"""CL08: the bytes of the source are text (sạch)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import DAMAGED, DAMAGED_NAMES
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CL08"
ERROR_CLASS: Final = ErrorClass.FORMAT


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:  # noqa: ARG001 - every dataset, whatever it holds
    """Ask it of every record, of all its source columns together."""
    return (
        Rule(
            code=CODE,
            criterion=Criterion.CLEAN,
            severity=Severity.BLOCKING,
            element=None,
            title=Text(vi="Đọc được ký tự", en="Bytes are text"),
            sentence=Text(vi="Giá trị ở nguồn phải là văn bản UTF-8 hợp lệ", en="A source value must be valid UTF-8"),
            when="TRUE",
            check=f"NOT {DAMAGED}",
            shows=DAMAGED_NAMES,
        ),
    )
