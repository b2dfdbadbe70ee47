"""What the checks say about a batch: a letter per rule and row, and the findings spelled out."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lienthong.dictionary.model import Dataset, DatasetId, Text
from lienthong.standardise.batch import RecordBatch


class Criterion(enum.Enum):
    """The six words of Resolution 214/NQ-CP, II.2."""

    CORRECT = "correct"  # đúng
    COMPLETE = "complete"  # đủ
    CLEAN = "clean"  # sạch
    LIVE = "live"  # sống
    UNIFIED = "unified"  # thống nhất
    SHARED = "shared"  # dùng chung


class Severity(enum.Enum):
    """What a failed rule does to a record."""

    BLOCKING = "blocking"  # the record goes to quarantine
    ERROR = "error"
    WARNING = "warning"


class ErrorClass(enum.Enum):
    """The eight classes of errors a finding belongs to; the names are the guidance's, unverified as law."""

    EMPTY = "empty"  # bỏ trống, giá trị giữ chỗ
    OUTLIER = "outlier"  # ngoại lai
    DUPLICATE = "duplicate"  # trùng lặp
    FORMAT = "format"  # sai định dạng
    REFERENTIAL = "referential"  # sai tham chiếu
    LOGIC = "logic"  # mâu thuẫn giữa các trường
    STALE = "stale"  # không cập nhật
    MISMATCH = "mismatch"  # lệch với nguồn gốc hợp pháp


class Letter:
    """Outcome of one rule on one row."""

    PASS = "p"  # noqa: S105 - a letter, not a password
    FAIL = "f"
    NOT_APPLICABLE = "n"
    NOT_EVALUATED = "e"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The other records a rule looks at; all names are technical names.

    ``on`` pairs own columns with the other dataset's: records that agree in all of them are compared. ``equal`` pairs
    the columns whose values must then agree. For near-duplicates the other dataset is the rule's own, ``on`` holds
    the columns two records share exactly, and ``similar`` the columns that must resemble each other from
    ``similarity`` (0 to 1, Jaro-Winkler of the matching keys).
    """

    dataset: DatasetId
    on: tuple[tuple[str, str], ...]
    equal: tuple[tuple[str, str], ...] = ()
    similar: tuple[str, ...] = ()
    similarity: float = 0.92


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule bound to a dataset and, where it is derived from the dictionary, to an element.

    ``when`` and ``check`` are predicates in the closed SQL subset (``check/language.py``) over the columns of
    ``RecordBatch.values`` plus those of ``check/columns.py``: ``<column>__outcome``, ``record_day`` (Date), facts of
    code lists and so on. ``check`` must hold where ``when`` does.
    ``over`` names what the rule is about when it is not about one row: "unique" is evaluated by the centre with every
    batch; "reference" (the compared record exists), "agreement" (its values are the same) and "near-duplicate" by a
    measurement, over ``comparison``; "lag", "readers" and "sample" by oversight. Then ``check`` is empty, and so is
    ``when``, except for the rules of a measurement, where it says to which records they apply.
    """

    code: str  # "CL02"
    criterion: Criterion
    severity: Severity
    element: str | None  # technical name
    title: Text
    sentence: Text  # shown to stewards, filled in: "Mã số doanh nghiệp phải gồm 10 chữ số"
    when: str
    check: str
    over: str | None = None
    weight: float = 1.0
    identifier: bool = False  # 100 % is asked
    basis: str | None = None  # law or source the rule rests on
    shows: str | None = None  # column shown as observed instead of the element's value
    comparison: Comparison | None = None
    error_class: ErrorClass | None = None  # None: the class usual for the rule's code
    scored: bool = True  # national rules score; local rules only show
    version: int = 1

    @property
    def name(self) -> str:
        """Return the unique name inside the dataset: ``CL02:ma_so_doanh_nghiep``."""
        return self.code if self.element is None else f"{self.code}:{self.element}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSet:
    """All rules of a dataset, in the order of the letters of a judgement."""

    dataset: Dataset
    rules: tuple[Rule, ...]
    digest: str  # SHA-256 over rule texts and the dictionary's digest, hex


FINDING_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,  # place in the batch
    "record_id": pl.String,
    "rule": pl.String,  # Rule.name
    "observed": pl.String,  # masked by the element's sensitivity; null when empty
}


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedBatch:
    """A record batch with its verdict.

    ``judgement`` is one String per row with one letter per rule of ``rules`` (null for CANCEL);
    ``quarantined`` is one Boolean per row; ``findings`` has ``FINDING_SCHEMA``: one line per failed rule, and per
    blocking rule that could not be evaluated, since that holds a record back too.
    """

    records: RecordBatch
    rules: RuleSet
    judgement: pl.Series
    quarantined: pl.Series
    findings: pl.DataFrame
