"""CR01: the check digit of an enterprise or tax number agrees with its other digits (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.language import literal
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CR01"
ERROR_CLASS: Final = ErrorClass.FORMAT
ALGORITHM: Final = "mst"  # the only one known so far
PATTERN: Final = "^[0-9]{10}(-[0-9]{3})?$"
WEIGHTS: Final = (31, 29, 23, 19, 17, 13, 7, 5, 3)
BASIS: Final = "Công thức theo mã nguồn kiểm tra mã số thuế công khai; văn bản gốc: chưa xác định"


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every element whose domain names the algorithm.

    The tenth digit is 10 − (sum of digit × weight) mod 11. Where that is 10 there is no such digit: a number of this
    kind is not issued, so it fails too.
    """
    rules: list[Rule] = []
    for member in dataset.members:
        if dictionary.domain_of(member.element).check_digit != ALGORITHM:
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        name = element.technical_name
        shaped = f"regexp_like({name}, {literal(PATTERN)})"
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CORRECT,
                severity=Severity.ERROR,
                element=name,
                title=Text(vi="Đúng chữ số kiểm tra", en="Check digit agrees"),
                sentence=Text(
                    vi=f"{label.vi}: chữ số thứ 10 phải khớp với chín chữ số đầu (công thức trọng số, chia 11)",
                    en=f"{label.en}: the tenth digit must agree with the first nine (weighted sum, modulo 11)",
                ),
                when=f"{name} IS NOT NULL AND {shaped}",
                check=f"CASE WHEN {shaped} THEN {_sum(name)} END",
                identifier=element.identifier,
                basis=BASIS,
            )
        )
    return tuple(rules)


def _sum(name: str) -> str:
    terms = " + ".join(f"{weight} * {_digit(name, place)}" for place, weight in enumerate(WEIGHTS, start=1))
    return f"10 - ({terms}) % 11 = {_digit(name, 10)}"


def _digit(name: str, place: int) -> str:
    return f"TRY_CAST(substr({name}, {place}, 1) AS BIGINT)"
