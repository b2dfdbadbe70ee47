"""CR03: the sex in the personal number is the sex of the record (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.known_elements import (
    FEMALE,
    MALE,
    PERSONAL_NUMBER,
    PERSONAL_NUMBER_BASIS,
    PERSONAL_NUMBER_PATTERN,
    SEX,
)
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import label_of, member_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CR03"
ERROR_CLASS: Final = ErrorClass.LOGIC


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Compare them where a dataset has both; an even fourth digit is male, an odd one female."""
    if member_of(dataset, PERSONAL_NUMBER) is None or member_of(dataset, SEX) is None:
        return ()
    number = dictionary.elements[PERSONAL_NUMBER].technical_name
    sex = dictionary.elements[SEX].technical_name
    digit = f"substr({number}, 4, 1)"
    label, other = label_of(dictionary, PERSONAL_NUMBER), label_of(dictionary, SEX)
    return (
        Rule(
            code=CODE,
            criterion=Criterion.CORRECT,
            severity=Severity.WARNING,
            element=number,
            title=Text(vi="Giới tính khớp số định danh", en="Sex agrees with the personal number"),
            sentence=Text(
                vi=f"{label.vi}: chữ số thứ tư phải khớp với {other.vi} (chẵn là nam, lẻ là nữ)",
                en=f"{label.en}: the fourth digit must agree with {other.en} (even male, odd female)",
            ),
            when=f"regexp_like({number}, '{PERSONAL_NUMBER_PATTERN}') AND {sex} IN ('{MALE}', '{FEMALE}')",
            check=(
                f"CASE WHEN {sex} = '{MALE}' THEN {digit} IN ('0', '2', '4', '6', '8')"
                f" ELSE {digit} IN ('1', '3', '5', '7', '9') END"
            ),
            basis=PERSONAL_NUMBER_BASIS,
        ),
    )
