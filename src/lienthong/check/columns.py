"""The columns predicates may read: the dataset's own, and what the checks add beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from lienthong.dictionary.model import Dataset, Datatype, Dictionary, ElementId, ValueDomain
from lienthong.standardise.plan import schema_of

RECORD_DAY: Final = "record_day"  # on which day codes must be valid: the dataset's record date, else the source's day
SOURCE_DAY: Final = "source_day"  # on which day the source committed the row, in Vietnam
MEASURED_DAY: Final = "measured_day"  # the day a measurement speaks of; null where a row is judged as it arrives
AGE_DAYS: Final = (
    "age_days"  # from the source's day to the measured day; null if one is missing or they run backwards
)
DAMAGED: Final = "damaged"  # a source value held bytes that are not UTF-8
OVERSIZED: Final = "oversized"  # a source value was over the size limit
DAMAGED_NAMES: Final = "damaged__names"  # the source columns concerned, for people
OVERSIZED_NAMES: Final = "oversized__names"

OUTCOME: Final = "__outcome"  # Outcome of the standardiser, a small integer
TEXT: Final = "__text"  # what the source wrote where the value is null; shown, never judged
LISTED: Final = "__listed"  # the code stands in its list, on whatever day
IN_FORCE: Final = "__in_force"  # the code is valid on the record day
PARENT: Final = "__parent"  # the code's parent on the record day
PATTERNED: Final = "__patterned"  # each code of a list of codes has the domain's pattern
SIZED: Final = "__sized"  # each code of a list of codes has the domain's length

ROW_COLUMNS: Final[Mapping[str, pl.DataType]] = {
    RECORD_DAY: pl.Date(),
    SOURCE_DAY: pl.Date(),
    MEASURED_DAY: pl.Date(),
    AGE_DAYS: pl.Int64(),
    DAMAGED: pl.Boolean(),
    OVERSIZED: pl.Boolean(),
    DAMAGED_NAMES: pl.String(),
    OVERSIZED_NAMES: pl.String(),
}


def known_columns(dictionary: Dictionary, dataset: Dataset) -> dict[str, pl.DataType]:
    """Return name and type of every column a predicate about this dataset may read."""
    columns = schema_of(dictionary, dataset)
    columns.update({name + OUTCOME: pl.UInt8() for name in tuple(columns)})
    for member in dataset.members:
        columns.update(fact_columns(dictionary, member.element))
    columns.update(ROW_COLUMNS)
    return columns


def fact_columns(dictionary: Dictionary, element: ElementId) -> dict[str, pl.DataType]:
    """Return the facts computed for one element."""
    name = dictionary.elements[element].technical_name
    domain = dictionary.domain_of(element)
    facts: dict[str, pl.DataType] = {}
    if has_list(dictionary, element):
        facts[name + LISTED] = pl.Boolean()
        facts[name + IN_FORCE] = pl.Boolean()
        if domain.datatype is Datatype.CODE:
            facts[name + PARENT] = pl.String()
    if domain.datatype is Datatype.CODES:
        if domain.pattern is not None:
            facts[name + PATTERNED] = pl.Boolean()
        if has_length(domain):
            facts[name + SIZED] = pl.Boolean()
    return facts


def has_list(dictionary: Dictionary, element: ElementId) -> bool:
    """Return whether the element's values are codes of a list with codes in it."""
    code_list = dictionary.code_list_of(element)
    return code_list is not None and bool(code_list.codes)


def has_length(domain: ValueDomain) -> bool:
    """Return whether the domain limits the length of its values."""
    return domain.min_length is not None or domain.max_length is not None
