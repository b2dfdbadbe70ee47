"""CR23: a health insurance card ends with the social insurance number beside it (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import basis_of, label_of
from lienthong.dictionary.model import Dataset, Dictionary, ElementId, Text

CODE: Final = "CR23"
ERROR_CLASS: Final = ErrorClass.LOGIC
CARD: Final = "health-card"
NUMBER: Final = "social-insurance"
CARD_SHAPED: Final = "^[A-Z]{2}[1-5][0-9]{12}$"
NUMBER_SHAPED: Final = "^[0-9]{10}$"


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Compare them where a dataset has exactly one of each."""
    cards, numbers = _written_as(dictionary, dataset, CARD), _written_as(dictionary, dataset, NUMBER)
    if len(cards) != 1 or len(numbers) != 1:
        return ()
    card = dictionary.elements[cards[0]].technical_name
    number = dictionary.elements[numbers[0]].technical_name
    label, other = label_of(dictionary, cards[0]), label_of(dictionary, numbers[0])
    return (
        Rule(
            code=CODE,
            criterion=Criterion.CORRECT,
            severity=Severity.WARNING,
            element=card,
            title=Text(vi="Thẻ khớp mã số bảo hiểm xã hội", en="Card agrees with the social insurance number"),
            sentence=Text(
                vi=f"{label.vi}: mười chữ số cuối phải là {other.vi}",
                en=f"{label.en}: the last ten digits must be the {other.en}",
            ),
            when=f"regexp_like({card}, '{CARD_SHAPED}') AND regexp_like({number}, '{NUMBER_SHAPED}')",
            check=f"substr({card}, 6, 10) = {number}",
            basis=basis_of(dictionary.domain_of(cards[0]).sources),
        ),
    )


def _written_as(dictionary: Dictionary, dataset: Dataset, standardiser: str) -> list[ElementId]:
    return [
        member.element
        for member in dataset.members
        if dictionary.domain_of(member.element).standardiser == standardiser
    ]
