"""CR02: a day that has to be past is not after the day the source wrote it (đúng)."""

from __future__ import annotations

from typing import Final

from lienthong.check.columns import SOURCE_DAY
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import label_of
from lienthong.dictionary.model import Dataset, Datatype, Dictionary, Text

CODE: Final = "CR02"
ERROR_CLASS: Final = ErrorClass.OUTLIER
TODAY: Final = "today"


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every date whose domain ends today.

    "Today" is the day on which the source committed the row, in Vietnam: the dataset's record date would let the
    record date itself pass unread.
    """
    rules: list[Rule] = []
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        if domain.maximum != TODAY or domain.datatype not in {Datatype.DATE, Datatype.PARTIAL_DATE}:
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        name = element.technical_name
        # A partial date is compared with as much of the day as it has: "2026" is not after 2026-11-23.
        partial = f"{name} <= substr(CAST({SOURCE_DAY} AS VARCHAR), 1, length({name}))"
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CORRECT,
                severity=Severity.ERROR,
                element=name,
                title=Text(vi="Không ở tương lai", en="Not in the future"),
                sentence=Text(
                    vi=f"{label.vi}: không được sau ngày cơ quan ghi bản ghi",
                    en=f"{label.en}: not after the day the agency wrote the record",
                ),
                when=f"{name} IS NOT NULL",
                check=partial if domain.datatype is Datatype.PARTIAL_DATE else f"{name} <= {SOURCE_DAY}",
                identifier=element.identifier,
            )
        )
    return tuple(rules)
