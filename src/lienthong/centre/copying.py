"""The analytical copy (bản sao phân tích): versions of records as Parquet, appended batch by batch, and a manifest.

A segment holds versions of the records of one bucket: *open* ones, current when they were written, and *closed* ones
with their end. A version is written once open and, when a later batch has ended it, once closed; an open
one counts only while no closed one of its record was ended by a later batch. So appending needs no look at what is
there, and a copy built in many steps says the same as one built at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

import polars as pl

from lienthong.centre.copying_refusals import CopyDamaged
from lienthong.centre.tables import TableSpec
from lienthong.dictionary.model import DatasetId

FORMAT = 1
BUCKETS = 16
BUCKET_DIGITS = 4  # of the MD5 of the record id, in hexadecimal: any engine can say where a record lies
SEGMENTS_MAX = 8  # in a bucket, before they are put together
MANIFEST = "manifest.json"
BUCKET = "_bucket"
# What a later snapshot or another record may change in place is left out: a copy could not follow it by batches.
COPIED_META: tuple[tuple[str, pl.DataType], ...] = (
    ("_record_id", pl.String()),
    ("_event", pl.String()),
    ("_source", pl.String()),
    ("_table", pl.String()),
    ("_source_time", pl.Datetime("us", "UTC")),
    ("_valid_from", pl.Datetime("us", "UTC")),
    ("_batch", pl.Int64()),
    ("_applied_at", pl.Datetime("us", "UTC")),
)
COPIED_END: tuple[tuple[str, pl.DataType], ...] = (
    ("_valid_to", pl.Datetime("us", "UTC")),
    ("_ended_by", pl.String()),
    ("_ended_batch", pl.Int64()),
)
_TYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "text[]": pl.List(pl.String),
    "bigint": pl.Int64(),
    "date": pl.Date(),
    "boolean": pl.Boolean(),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
    "lienthong.partial_date": pl.String(),
}


def copied_schema(spec: TableSpec) -> dict[str, pl.DataType]:
    """Return the columns of a copy; a number of any precision travels as its exact text."""
    return {
        **dict(COPIED_META),
        **{column.name: _type(column.type) for column in spec.columns},
        **dict(COPIED_END),
    }


def _type(stored: str) -> pl.DataType:
    if stored.startswith("numeric("):
        precision, scale = stored.removeprefix("numeric(").removesuffix(")").split(",")
        return pl.Decimal(int(precision), int(scale))
    return _TYPES.get(stored, pl.String())


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One Parquet file of a bucket."""

    path: str  # inside the dataset's folder
    bucket: int
    after_batch: int
    up_to_batch: int
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a copy consists of; files that it does not name are no part of it."""

    dataset: DatasetId
    columns: tuple[str, ...]  # name and type, so that a copy of another shape is not appended to
    buckets: int
    watermark: int  # the newest batch whose effect is in the copy
    newest_at: datetime | None  # when the centre applied it
    written_at: datetime
    segments: tuple[Segment, ...]


class ChangeFeed(Protocol):
    """Read versions of a dataset from the centre, by batches."""

    def newest(self, dataset: DatasetId) -> tuple[int, datetime | None]:
        """Return the newest batch that changed the dataset, and when it was applied; 0 when none did."""
        ...

    def versions(self, dataset: DatasetId, *, after: int, buckets: int) -> Iterator[pl.DataFrame]:
        """Yield, as of the state ``newest`` saw, what began or ended after a batch, with the bucket of each."""
        ...


def live(versions: pl.DataFrame) -> pl.DataFrame:
    """Return versions without the open ones that a later batch has ended."""
    ends = (
        versions.filter(pl.col("_ended_batch").is_not_null())
        .group_by("_record_id")
        .agg(pl.col("_ended_batch").max().alias("_last_end"))
    )
    joined = versions.join(ends, on="_record_id", how="left", maintain_order="left")
    stale = pl.col("_ended_batch").is_null() & (pl.col("_last_end") > pl.col("_batch")).fill_null(value=False)
    return joined.filter(~stale).drop("_last_end")


def crowded(segments: Sequence[Segment], *, limit: int = SEGMENTS_MAX) -> tuple[int, ...]:
    """Return the buckets that hold more segments than they may."""
    counts: dict[int, int] = {}
    for segment in segments:
        counts[segment.bucket] = counts.get(segment.bucket, 0) + 1
    return tuple(sorted(bucket for bucket, count in counts.items() if count > limit))


def render_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as JSON that carries its own digest."""
    told: dict[str, object] = {
        "format": FORMAT,
        "dataset": manifest.dataset,
        "columns": list(manifest.columns),
        "buckets": manifest.buckets,
        "watermark": manifest.watermark,
        "newest_at": None if manifest.newest_at is None else manifest.newest_at.isoformat(),
        "written_at": manifest.written_at.isoformat(),
        "segments": [{name: getattr(each, name) for name in Segment.__slots__} for each in manifest.segments],
    }
    return json.dumps({**told, "digest": _digest(told)}, ensure_ascii=False, indent=1).encode() + b"\n"


def parse_manifest(text: bytes, *, path: str) -> Manifest:
    """Read a manifest.

    Raises:
        CopyDamaged: it is not one, was changed, or belongs to another version of the product.
    """
    try:
        told = json.loads(text)
        digest = told.pop("digest")
        whole = digest == _digest(told) and told["format"] == FORMAT
        newest = told["newest_at"]
        found = Manifest(
            dataset=DatasetId(told["dataset"]),
            columns=tuple(told["columns"]),
            buckets=told["buckets"],
            watermark=told["watermark"],
            newest_at=None if newest is None else datetime.fromisoformat(newest),
            written_at=datetime.fromisoformat(told["written_at"]),
            segments=tuple(Segment(**cast("dict[str, int]", each)) for each in told["segments"]),  # type: ignore[arg-type]  # its digest was checked
        )
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise CopyDamaged(path=path, reason="the manifest cannot be read") from cause
    if not whole:
        raise CopyDamaged(path=path, reason="the manifest was changed, or is of another version of the product")
    return found


def _digest(told: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
