"""Tables and columns as a rating sees them, wherever they were read."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


class Kind(enum.Enum):
    """What a column can hold."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"  # with decimals
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the dictionary asks of the element a column means."""

    element: str  # code of the element
    code_list: str | None = None
    codes_have_dates: bool = False
    code_length: int | None = None  # characters of the longest code
    max_length: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table, or a member of a dataset."""

    name: str
    type_name: str
    kind: Kind
    required: bool = False
    max_length: int | None = None  # characters; None: not limited
    listed: bool = False  # a foreign key or an enumeration says which values there are
    comment: str | None = None
    meaning: Asked | None = None
    undecided: bool = False  # nobody and nothing could say what it means
    sampled: int = 0  # values looked at
    shapes: Mapping[str, float] = field(default_factory=dict)  # share of the sample written in each shape
    other_lengths: tuple[str, ...] = ()  # what other sources say of the same element


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table or a dataset."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    missing: tuple[str, ...] = ()  # elements its dataset requires that no column means
    stamped: bool = False  # the platform itself adds when a record was updated and from when to when it holds


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """Tables that are rated together."""

    name: str
    tables: tuple[Table, ...]


class Weight(enum.Enum):
    """How much a remark takes from the rating; the numbers are this product's own choice."""

    GRAVE = "grave"  # data will be wrong
    MIDDLING = "middling"  # data will be hard to use
    LIGHT = "light"


POINTS: Mapping[Weight, float] = {Weight.GRAVE: 10.0, Weight.MIDDLING: 4.0, Weight.LIGHT: 1.0}
TIMES_MAX = 3  # one rule takes no more than so many times its points


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a rule found something, and what was seen there; no values of records."""

    table: str
    columns: tuple[str, ...]  # empty: the table as a whole
    seen: str


Find = Callable[[Schema], Iterator[Place]]
