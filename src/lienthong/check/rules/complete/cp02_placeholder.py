"""CP02: a value is a value and not a sign that there is none (đủ)."""

from __future__ import annotations

from typing import Final

from lienthong.check.language import literal
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import is_must, label_of
from lienthong.dictionary.model import Dataset, Dictionary, Text

CODE: Final = "CP02"
ERROR_CLASS: Final = ErrorClass.EMPTY

# What agencies really write instead of leaving a field empty; standardisers keep it, since nobody should guess.
PLACEHOLDERS: Final = (
    "-", "--", "---", ".", "..", "...", "…", "?", "x", "X", "xx", "XX", "xxx", "XXX", "n/a", "N/A", "NA", "na",
    "null", "NULL", "Null", "none", "None", "không", "Không", "KHÔNG", "không có", "Không có", "Không Có", "KHÔNG CÓ",
    "chưa có", "Chưa có", "Chưa Có", "CHƯA CÓ", "không rõ", "Không rõ", "Không Rõ", "KHÔNG RÕ", "chưa rõ", "Chưa rõ",
    "Chưa Rõ", "CHƯA RÕ", "chưa xác định", "Chưa xác định", "Chưa Xác Định", "CHƯA XÁC ĐỊNH",
)  # fmt: skip

_FREE: Final = frozenset({"text", "person-name", "organisation-name", "address"})  # standardisers that keep any text


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every free text: codes, dates and numbers are read or refused."""
    rules: list[Rule] = []
    words = ", ".join(literal(word) for word in PLACEHOLDERS)
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        if domain.standardiser not in _FREE or domain.pattern is not None:
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        name = element.technical_name
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.COMPLETE,
                severity=Severity.ERROR if is_must(member) else Severity.WARNING,
                element=name,
                title=Text(vi="Không điền ký hiệu thay cho giá trị", en="No sign in place of a value"),
                sentence=Text(
                    vi=f"{label.vi}: không được điền ký hiệu thay cho giá trị (như “-”, “không có”)",
                    en=f"{label.en}: a sign such as “-” or “không có” is no value",
                ),
                when=f"{name} IS NOT NULL",
                check=f"{name} NOT IN ({words})",
                identifier=element.identifier and is_must(member),
            )
        )
    return tuple(rules)
