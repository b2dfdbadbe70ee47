"""Rows in the words of the dictionary."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lienthong.dictionary.model import Dataset
from lienthong.sources.change import Epoch, SourceId, TableName


class Outcome(enum.IntEnum):
    """What a standardiser did to one value; stored as UInt8."""

    UNCHANGED = 0
    CHANGED = 1
    AMBIGUOUS = 2  # several readings: the value is null, the raw text stays
    REFUSED = 3  # no reading: the value is null, the raw text stays
    EMPTY = 4  # nothing was sent


class Event:
    """What happened to a record (SuKien, QCVN 09:2025/BCA)."""

    NEW = "NEW"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"


ENVELOPE_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "_record_id": pl.String,  # IdBanGhi: unique at the centre, at most 150 characters
    "_event": pl.String,  # SuKien
    "_version": pl.Int64,  # PhienBan: commit position at the source, grows
    "_number": pl.Int32,  # order inside that commit
    "_source_time": pl.Datetime("us", "UTC"),  # ThoiGianCapNhat
    "_image": pl.String,  # the raw row as a JSON object of texts; null for CANCEL
    "_damaged": pl.List(pl.String),  # source columns whose bytes were not UTF-8
    "_superseded": pl.Boolean,  # a later change of the same batch replaced it
    "_counted": pl.Boolean,  # False for the second half of a key change
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordBatch:
    """Records of one dataset, in order of arrival.

    ``values`` has one typed column per member, named by the element's technical name: String, Int64,
    Decimal(38, scale), Date, Boolean, Datetime(us, UTC), List(String); a partial date is a String.
    ``outcomes`` has the same columns as UInt8 (``Outcome``). ``envelope`` has ``ENVELOPE_SCHEMA``.
    All three have the same height; values of a CANCEL are null.
    """

    dataset: Dataset
    source: SourceId
    epoch: Epoch
    table: TableName
    values: pl.DataFrame
    outcomes: pl.DataFrame
    envelope: pl.DataFrame

    def __post_init__(self) -> None:
        assert self.values.height == self.outcomes.height == self.envelope.height, "the three frames must align"
        assert self.values.columns == self.outcomes.columns, "values and outcomes name the same columns"
