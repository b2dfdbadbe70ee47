"""What a sample says of a column without showing a value: shares, lengths, counts (khảo sát cột dữ liệu)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lienthong.dictionary.model import CodeListId, Dictionary, DomainId
from lienthong.sources.change import SourceTable, TableName
from lienthong.sources.spelling import fold

MIXED = "mixed"  # as a mapping calls a column of several encodings
SAMPLE_ROWS_MAX = 2_000
SAMPLE_CHARACTERS_MAX = 400  # a longer value is cut before it leaves the server

_SHAPES: Mapping[str, re.Pattern[str]] = {
    "digits": re.compile(r"\d+"),
    "number": re.compile(r"[+-]?\d[\d.,\s]*"),
    "iso date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "day-first date": re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}"),
    "serial day": re.compile(r"[1-5]\d{4}(?:\.\d+)?"),  # days since 1900 as spreadsheets count: 1927 to 2064
    "year": re.compile(r"(?:19|20)\d{2}"),
    "timestamp": re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*"),
    "phone": re.compile(r"(?:\+?84|0)[\d\s.()-]{8,13}"),
    "e-mail": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "words": re.compile(r"[^\W\d_]+(?:[ '.-]+[^\W\d_]+){1,6}"),
    "long words": re.compile(r".*[^\W\d_]+\s+[^\W\d_]+.*[^\W\d_]{2,}.*"),
    "parts with commas": re.compile(r"[^,]*[^\W\d_][^,]*(?:,[^,]+)+"),
    "code with label": re.compile(r"\d{2,6}\s*[:-]\s*\D.*"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingSeen:
    """How a column's text seems to be encoded, where it is not Unicode (bảng mã cũ)."""

    encoding: str  # as a mapping names it: "tcvn3", "mixed"
    confidence: float  # 0 to 1; of a mixed column the share of values whose encoding is certain
    values: int  # distinct values it rests on
    sure: bool  # False: too few words, unless another column of the table says the same


@dataclass(frozen=True, kw_only=True, slots=True)
class TextSeen:
    """A sample of text of an old encoding, and what it reads."""

    encoding: EncodingSeen
    values: Sequence[str | None]


ReadText = Callable[[Sequence[str | None]], TextSeen | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnProfile:
    """A column as a sample shows it; holds no value."""

    name: str
    type_name: str
    comment: str | None
    sampled: int  # values that are neither null nor blank
    null_share: float
    distinct: int
    length_min: int
    length_max: int
    shapes: Mapping[str, float]  # share of values of each shape
    patterns: Mapping[DomainId, float]  # share of values that fit the pattern of a value domain
    codes: Mapping[CodeListId, float]  # share of values that are in a code list, by code, alias or label
    encoding: EncodingSeen | None = None  # None: Unicode, or nothing can be said


@dataclass(frozen=True, kw_only=True, slots=True)
class TableProfile:
    """A table as a sample shows it."""

    name: TableName
    comment: str | None
    rows_estimated: int
    key: tuple[str, ...]
    columns: tuple[ColumnProfile, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """What the dictionary asks of every column."""

    patterns: Mapping[DomainId, re.Pattern[str]]
    codes: Mapping[CodeListId, frozenset[str]]  # folded spellings


def questions_of(dictionary: Dictionary) -> Questions:
    """Return the questions of a dictionary: its patterns and its codes in every spelling it knows."""
    patterns = {
        name: re.compile(domain.pattern) for name, domain in dictionary.domains.items() if domain.pattern is not None
    }
    codes = {}
    for name, code_list in dictionary.code_lists.items():
        spellings = {fold(code.code) for code in code_list.codes} | {fold(code.label.vi) for code in code_list.codes}
        codes[name] = frozenset(spellings | {fold(spelling) for spelling, _ in code_list.aliases})
    return Questions(patterns=patterns, codes=codes)


def profile_column(
    values: Sequence[str | None],
    *,
    name: str,
    type_name: str,
    comment: str | None,
    questions: Questions,
    read: ReadText | None = None,
) -> ColumnProfile:
    """Describe a sample of a column; nothing of the result lets a value be read back.

    ``read`` recognises text of old encodings; shapes and codes are then those of the text it reads.
    """
    seen = None if read is None else read(values)
    values = values if seen is None else seen.values
    present = [value.strip() for value in values if value is not None and value.strip()]
    distinct = set(present)
    lengths = [len(value) for value in distinct]
    folded = [fold(value) for value in present]
    count = len(present) or 1
    return ColumnProfile(
        name=name,
        type_name=type_name,
        comment=comment,
        sampled=len(present),
        null_share=1 - len(present) / len(values) if values else 0.0,
        distinct=len(distinct),
        length_min=min(lengths, default=0),
        length_max=max(lengths, default=0),
        shapes={
            shape: sum(pattern.fullmatch(value) is not None for value in present) / count
            for shape, pattern in _SHAPES.items()
        },
        patterns={
            domain: sum(pattern.fullmatch(value) is not None for value in present) / count
            for domain, pattern in questions.patterns.items()
        },
        codes={
            code_list: sum(value in spellings for value in folded) / count
            for code_list, spellings in questions.codes.items()
        },
        encoding=None if seen is None else seen.encoding,
    )


def profile_table(
    table: SourceTable,
    sample: Sequence[Mapping[str, str | None]],
    *,
    comment: str | None,
    rows_estimated: int,
    questions: Questions,
    read: ReadText | None = None,
) -> TableProfile:
    """Describe a table by rows of it, as texts by column; a column the account may not read is missing in them."""
    return TableProfile(
        name=table.name,
        comment=comment,
        rows_estimated=rows_estimated,
        key=table.key,
        columns=tuple(
            profile_column(
                [row.get(column.name) for row in sample],
                name=column.name,
                type_name=column.type_name,
                comment=column.comment,
                questions=questions,
                read=read,
            )
            for column in table.columns
        ),
    )
