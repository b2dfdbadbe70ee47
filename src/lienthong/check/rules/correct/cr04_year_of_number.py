"""CR04: century and year in the personal number are those of the birth date (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.known_elements import (
    BIRTH_DATE,
    PERSONAL_NUMBER,
    PERSONAL_NUMBER_BASIS,
    PERSONAL_NUMBER_PATTERN,
)
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import label_of, member_of
from lienthong.dictionary.model import Dataset, Datatype, Dictionary, Text

CODE: Final = "CR04"
ERROR_CLASS: Final = ErrorClass.LOGIC
CENTURIES: Final = (("0", "1", "19"), ("2", "3", "20"), ("4", "5", "21"), ("6", "7", "22"), ("8", "9", "23"))


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Compare them where a dataset has both."""
    if member_of(dataset, PERSONAL_NUMBER) is None or member_of(dataset, BIRTH_DATE) is None:
        return ()
    number = dictionary.elements[PERSONAL_NUMBER].technical_name
    birth = dictionary.elements[BIRTH_DATE].technical_name
    is_date = dictionary.domain_of(BIRTH_DATE).datatype is Datatype.DATE
    written = f"CAST({birth} AS VARCHAR)" if is_date else birth
    cases = " ".join(f"WHEN substr({number}, 4, 1) IN ('{a}', '{b}') THEN '{c}'" for a, b, c in CENTURIES)
    label, other = label_of(dictionary, PERSONAL_NUMBER), label_of(dictionary, BIRTH_DATE)
    return (
        Rule(
            code=CODE,
            criterion=Criterion.CORRECT,
            severity=Severity.WARNING,
            element=number,
            title=Text(vi="Năm sinh khớp số định danh", en="Birth year agrees with the personal number"),
            sentence=Text(
                vi=f"{label.vi}: thế kỷ và năm (chữ số thứ 4 đến 6) phải khớp với {other.vi}",
                en=f"{label.en}: century and year (digits 4 to 6) must agree with {other.en}",
            ),
            when=f"regexp_like({number}, '{PERSONAL_NUMBER_PATTERN}') AND {birth} IS NOT NULL",
            check=(
                f"substr({number}, 5, 2) = substr({written}, 3, 2)"
                f" AND substr({written}, 1, 2) = CASE {cases} ELSE '' END"
            ),
            basis=PERSONAL_NUMBER_BASIS,
        ),
    )
