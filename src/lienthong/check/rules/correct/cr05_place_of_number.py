"""CR05: the personal number begins with the code of a province that exists or existed (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.known_elements import (
    PERSONAL_NUMBER,
    PERSONAL_NUMBER_BASIS,
    PERSONAL_NUMBER_PATTERN,
    PROVINCES,
)
from lienthong.check.language import literal
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import label_of, member_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CR05"
ERROR_CLASS: Final = ErrorClass.REFERENTIAL


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of numbers that begin with 0; the others name countries, whose list has no source yet."""
    provinces = dictionary.code_lists.get(PROVINCES)
    if member_of(dataset, PERSONAL_NUMBER) is None or provinces is None or not provinces.codes:
        return ()
    # Numbers never change, so a province that was merged away counts for ever.
    known = sorted({f"0{code.code}" for code in provinces.codes})
    number = dictionary.elements[PERSONAL_NUMBER].technical_name
    label = label_of(dictionary, PERSONAL_NUMBER)
    return (
        Rule(
            code=CODE,
            criterion=Criterion.CORRECT,
            severity=Severity.WARNING,
            element=number,
            title=Text(vi="Mã nơi khai sinh có thật", en="Place of birth registration exists"),
            sentence=Text(
                vi=f"{label.vi}: ba chữ số đầu phải là mã của một tỉnh, thành phố đang có hoặc đã từng có",
                en=f"{label.en}: the first three digits must be the code of a present or former province",
            ),
            when=f"regexp_like({number}, '{PERSONAL_NUMBER_PATTERN}') AND starts_with({number}, '0')",
            check=f"substr({number}, 1, 3) IN ({', '.join(literal(code) for code in known)})",
            basis=PERSONAL_NUMBER_BASIS,
        ),
    )
