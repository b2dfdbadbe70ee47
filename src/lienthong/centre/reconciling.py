"""Whether source and centre are equal at a position (đối soát), and what an inspector is shown of it.

Each side is reduced to counts and sums of row digests in buckets; the sums do not depend on the order in which rows
arrive. Only buckets that differ are opened, record by record. The digests are keyed with a salt that is drawn when
the rows are fixed already, so nobody can prepare rows whose digests cancel out.
"""

from __future__ import annotations

import enum
import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import polars as pl
from polars.exceptions import PolarsError

from lienthong.centre.ports import LinkState
from lienthong.check.masking import mask_text
from lienthong.dictionary.model import DatasetId, Sensitivity
from lienthong.sources.change import Epoch, Position, SourceId, TableName

BUCKETS: Final = 4_096
SALT_BYTES: Final = 32
DIGEST_BYTES: Final = 16
OPENED_ROWS_MAX: Final = 200_000  # of all buckets of a table that are opened at once
DIFFERENCES_KEPT_MAX: Final = 100  # named, masked, with a result; the counts are complete

_LANES: Final = tuple(f"lane_{place}" for place in range(DIGEST_BYTES // 4))
_TOTALS: Final = ("rows", *_LANES)
_PREFIX_SEPARATOR: Final = "/"


class DifferenceKind(enum.Enum):
    """On which side a record is not as on the other."""

    MISSING = "missing"  # the source has it, the centre does not
    SURPLUS = "surplus"  # the centre keeps it, the source does not have it
    DIFFERING = "differing"  # both have it, with other content


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One record that is not the same on both sides; its content is never part of it."""

    record_id: str
    kind: DifferenceKind

    @property
    def shown(self) -> str:
        """Return the record's id with the key masked: a key may be a personal number."""
        prefix, separator, key = self.record_id.rpartition(_PREFIX_SEPARATOR)
        return f"{prefix}{separator}{mask_text(key, Sensitivity.BASIC_PERSONAL)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A source table with what of it is compared."""

    table: TableName
    dataset: DatasetId
    columns: tuple[str, ...]  # that the mapping names and the source has, sorted


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """One comparison of one table at one position; ``equal`` is None when it came to no result."""

    link: SourceId
    table: TableName
    dataset: DatasetId
    began_at: datetime
    ended_at: datetime
    position: Position | None = None  # None: the source could not be read
    moment: datetime | None = None  # when the source stood there, by its clock
    equal: bool | None = None
    rows_source: int | None = None
    rows_centre: int | None = None  # records kept and records in open quarantine
    buckets: int = BUCKETS
    buckets_differing: int = 0
    buckets_unopened: int = 0  # more differ than were opened: the three counts are then a lower bound
    missing: int = 0
    surplus: int = 0
    differing: int = 0
    columns: tuple[str, ...] = ()
    salt: str | None = None  # hex; with it anybody who has the rows can compute the digests again
    digest_source: str | None = None
    digest_centre: str | None = None
    error: str | None = None  # code and message when there is no result, no personal data
    differences: tuple[Difference, ...] = ()  # at most DIFFERENCES_KEPT_MAX
    number: int | None = None  # given by the keeper

    def __post_init__(self) -> None:
        found = self.missing + self.surplus + self.differing + self.buckets_unopened
        assert (self.equal is None) == (self.error is not None), "no result is never a pass, and says why"
        assert self.equal is None or self.equal == (found == 0), "equal means that nothing was found to differ"

    @property
    def count(self) -> int:
        """Return how many records differ; a lower bound when buckets stayed unopened."""
        return self.missing + self.surplus + self.differing


class KeptThen(Protocol):
    """What the centre kept at a position; all answers are of one moment of the centre."""

    def rows(self, table: TableName, dataset: DatasetId) -> Iterator[pl.DataFrame]:
        """Yield what was kept or held of a source table: ``record_id``, ``image`` (JSON), ``doubtful``.

        A doubtful row was either as given or not there: it left quarantine in the batch that the position falls into,
        and the centre does not know before or after.
        """
        ...


class ReconcilingCentre(Protocol):
    """The centre as a reconciliation sees it; the role owns the centre's database."""

    def link(self, source: SourceId) -> LinkState | None:
        """Return what is remembered of a link."""
        ...

    def alone(self, source: SourceId) -> AbstractContextManager[None]:
        """Let no other reconciliation of this link run meanwhile.

        Raises:
            ReconciliationUnderWay: another one runs.
        """
        ...

    def then(self, source: SourceId, *, epoch: Epoch, position: Position) -> AbstractContextManager[KeptThen]:
        """Look at the centre as it was at a position that the link has passed.

        Raises:
            SnapshotMeanwhile: a snapshot taken after the position has moved the versions of what is kept.
        """
        ...

    def keep(self, result: Reconciliation) -> Reconciliation:
        """Keep a result for ever and return it with its number."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class ReconciliationReader(Protocol):
    """What the faces are shown."""

    def newest(self) -> tuple[Reconciliation, ...]:
        """Return the newest result of every table of every link."""
        ...

    def newest_equal(self) -> tuple[Reconciliation, ...]:
        """Return the newest result of every table that was equal."""
        ...


# ── digests ─────────────────────────────────────────────────────────────────────────────────────────────────────


def values_of(images: pl.Series, columns: Sequence[str]) -> pl.Series:
    """Return raw images (JSON) as structs of the columns; a value an image does not have is null.

    An image that is not what this product writes becomes null as a whole: it equals no row.
    """
    shape = pl.Struct(dict.fromkeys(columns, pl.String))
    try:
        decoded = images.str.json_decode(shape)
    except PolarsError:
        decoded = None
    if decoded is not None and len(decoded) == len(images):  # an empty text is left out instead of refused
        return decoded.alias("values")
    # Somebody changed an image by hand: read one by one, so that only the changed ones are seen as such.
    return pl.Series("values", [_values_of_one(image, columns) for image in images.to_list()], dtype=shape)


def _values_of_one(image: str, columns: Sequence[str]) -> dict[str, str | None] | None:
    try:
        found = json.loads(image)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    values = {name: found.get(name) for name in columns}
    return values if all(value is None or isinstance(value, str) for value in values.values()) else None


def digested(record_ids: pl.Series, values: pl.Series, *, salt: bytes) -> pl.DataFrame:
    """Return ``record_id``, ``bucket`` and the digest in four lanes of each row.

    The digest covers the record's id and the values as JSON with the columns in a fixed order.
    """
    frame = pl.DataFrame([record_ids.alias("record_id"), values.alias("values")])
    texts = frame.select(pl.struct("record_id", "values").struct.json_encode().cast(pl.Binary)).to_series()
    # No vectorised engine here has a keyed cryptographic digest; this one costs about a microsecond a row.
    digests = [hashlib.blake2b(text, key=salt, digest_size=DIGEST_BYTES).digest() for text in texts.to_list()]
    raw = pl.Series("digest", digests, dtype=pl.Binary)
    return pl.DataFrame([record_ids.alias("record_id"), raw]).select(
        "record_id",
        (pl.col("record_id").hash(seed=int.from_bytes(salt[:4], "big")) % BUCKETS).cast(pl.UInt16).alias("bucket"),
        *(
            pl.col("digest")
            .bin.slice(4 * place, 4)
            .bin.reinterpret(dtype=pl.UInt32, endianness="little")
            .cast(pl.UInt64)
            .alias(name)
            for place, name in enumerate(_LANES)
        ),
    )


class Buckets:
    """Counts and sums of one side of one table; the memory it takes does not depend on the rows."""

    def __init__(self) -> None:
        self._sums = pl.DataFrame(
            {
                "bucket": pl.Series(range(BUCKETS), dtype=pl.UInt16),
                **{name: pl.Series([0], dtype=pl.UInt64).new_from_index(0, BUCKETS) for name in _TOTALS},
            }
        )

    def add(self, rows: pl.DataFrame) -> None:
        """Count digested rows in."""
        sums = rows.group_by("bucket").agg(pl.len().cast(pl.UInt64).alias("rows"), pl.col(_LANES).sum())
        self._sums = pl.concat([self._sums, sums]).group_by("bucket").agg(pl.col(_TOTALS).sum()).sort("bucket")

    @property
    def rows(self) -> int:
        """Return how many rows were counted."""
        return int(self._sums["rows"].sum())

    def digest(self, *, salt: bytes) -> str:
        """Return one digest of everything counted: the number of rows and the sums of their digests."""
        totals = [int(self._sums[name].sum()) for name in _TOTALS]
        packed = b"".join(struct.pack(">QQ", total >> 64, total & (2**64 - 1)) for total in totals)
        return hashlib.sha256(salt + packed).hexdigest()

    def differing(self, other: Buckets) -> frozenset[int]:
        """Return the buckets in which the sides are not the same."""
        both = self._sums.join(other._sums, on="bucket", suffix="_other")
        unlike = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_other") for name in _TOTALS)
        return frozenset(both.filter(unlike)["bucket"].to_list())

    def within(self, buckets: frozenset[int], other: Buckets, *, rows_max: int) -> frozenset[int]:
        """Return as many of the buckets, lowest first, as hold at most so many rows; one at least."""
        larger = pl.max_horizontal("rows", "rows_other")
        sizes = (
            self._sums.join(other._sums, on="bucket", suffix="_other")
            .filter(pl.col("bucket").is_in(sorted(buckets)))
            .sort("bucket")
            .with_columns(larger.cum_sum().alias("until"))
        )
        return frozenset(
            sizes.filter((pl.col("until") <= rows_max) | (pl.int_range(pl.len()) == 0))["bucket"].to_list()
        )


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What the opened buckets showed, record by record."""

    differences: pl.DataFrame  # record_id, kind
    present: pl.DataFrame  # digested doubtful rows that turned out to have been there


def only(rows: pl.DataFrame, buckets: frozenset[int]) -> pl.DataFrame:
    """Return the digested rows of some buckets."""
    return rows.filter(pl.col("bucket").is_in(sorted(buckets)))


def compare_rows(source: pl.DataFrame, centre: pl.DataFrame) -> Opened:
    """Compare digested rows of the same buckets record by record; ``centre`` says which of its rows are doubtful."""
    both = source.join(centre, on="record_id", how="full", coalesce=True, suffix="_centre")
    here, there = pl.col("bucket").is_not_null(), pl.col("bucket_centre").is_not_null()
    same = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_centre") for name in _LANES)
    doubtful = pl.col("doubtful").fill_null(value=False)
    kind = (
        pl.when(here & ~there)
        .then(pl.lit(DifferenceKind.MISSING.value))
        .when(~here & there & ~doubtful)
        .then(pl.lit(DifferenceKind.SURPLUS.value))
        .when(here & there & ~same)
        .then(pl.lit(DifferenceKind.DIFFERING.value))
    )
    judged = both.with_columns(kind.alias("kind"), (here & there & doubtful & same).alias("present"))
    return Opened(
        differences=judged.filter(pl.col("kind").is_not_null()).select("record_id", "kind").sort("record_id"),
        present=judged.filter("present").select("record_id", "bucket", *_LANES),
    )
