"""CL05: a value has one reading (sạch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lienthong.check.columns import OUTCOME, has_list
from lienthong.check.verdict import Criterion, ErrorClass, Rule, Severity
from lienthong.check.wording import is_must, label_of
from lienthong.dictionary.model import Dataset, Datatype, Dictionary, Text
from lienthong.standardise.batch import Outcome
from lienthong.standardise.registry import all_kernels

CODE: Final = "CL05"
ERROR_CLASS: Final = ErrorClass.FORMAT

_DAY: Final = Text(vi="năm hai chữ số không cho biết thế kỷ", en="a two-digit year leaves the century open")
_NUMBER: Final = Text(vi="“1.234” là một nghìn hay một phẩy hai", en="“1.234” may be a thousand or one and a bit")
_CODE: Final = Text(vi="cùng một cách viết ứng với nhiều mã", en="one spelling may stand for several codes")
_TEXT: Final = Text(vi="cùng một cách viết ứng với nhiều giá trị", en="one spelling may stand for several values")

# By datatype, what makes a value read in several ways; the other datatypes have one reading or none.
_EXAMPLES: Final[Mapping[Datatype, Text]] = {
    Datatype.DATE: _DAY,
    Datatype.PARTIAL_DATE: _DAY,
    Datatype.TIMESTAMP: _DAY,
    Datatype.DECIMAL: _NUMBER,
    Datatype.CODE: _CODE,
    Datatype.CODES: _CODE,
}
_DOUBTFUL_TEXTS: Final = frozenset({"person-name", "phone"})  # standardisers of texts that can be in doubt


def derive(dictionary: Dictionary, dataset: Dataset) -> tuple[Rule, ...]:
    """Ask it of every element whose standardiser can find several readings."""
    rules: list[Rule] = []
    for member in dataset.members:
        domain = dictionary.domain_of(member.element)
        example = _EXAMPLES.get(domain.datatype, _TEXT if _may_doubt(domain.standardiser) else None)
        coded = domain.datatype in {Datatype.CODE, Datatype.CODES}
        if example is None or (coded and not has_list(dictionary, member.element)):
            continue
        element = dictionary.elements[member.element]
        label = label_of(dictionary, member.element)
        outcome = element.technical_name + OUTCOME
        rules.append(
            Rule(
                code=CODE,
                criterion=Criterion.CLEAN,
                severity=Severity.BLOCKING if is_must(member) else Severity.WARNING,
                element=element.technical_name,
                title=Text(vi="Chỉ một cách hiểu", en="One reading only"),
                sentence=Text(
                    vi=f"{label.vi}: giá trị chỉ được có một cách hiểu ({example.vi})",
                    en=f"{label.en}: the value must have one reading ({example.en})",
                ),
                when=f"{outcome} <> {Outcome.EMPTY.value}",
                check=f"{outcome} <> {Outcome.AMBIGUOUS.value}",
                identifier=element.identifier and is_must(member),
            )
        )
    return tuple(rules)


def _may_doubt(standardiser: str) -> bool:
    kernel = all_kernels().get(standardiser)
    return standardiser in _DOUBTFUL_TEXTS or (kernel is not None and kernel.doubts)
