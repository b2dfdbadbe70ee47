"""Put right what a comparison found: read those records again, and apply them as of the position compared at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import polars as pl

from lienthong.centre.batch import Batch, BatchReceipt
from lienthong.centre.reconciling import DifferenceKind
from lienthong.centre.reconciling_refusals import TooManyToRepair
from lienthong.clock import Clock
from lienthong.dictionary.model import DatasetId
from lienthong.pipeline.envelope import wrap
from lienthong.pipeline.reconcile import Found
from lienthong.pipeline.transfer import Transfer
from lienthong.sources.assembly import marks
from lienthong.sources.change import DELETE, META_SCHEMA, ChangeBatch, Delivery, SourceTable
from lienthong.sources.reconcilable import Moment, Reconcilable

REPAIR_RECORDS_MAX = 10_000  # of one table


class RepairStore(Protocol):
    """The part of the store that a repair uses."""

    def images(self, dataset: DatasetId, record_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the raw images (JSON) of records that are kept or in open quarantine, by record id."""
        ...

    def apply_apart(self, batch: Batch, *, at: datetime) -> BatchReceipt:
        """Apply rows read again as of a position that the link has passed, beside its stream."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """Read the records that differ again and apply them; surplus ones are cancelled.

    They go the way of every change: standardised, checked, in one transaction with its journal and its history. Their
    version is the position they were compared at, so whatever the stream brought since then stays.
    """

    source: Reconcilable
    store: RepairStore
    transfer: Transfer
    clock: Clock
    records_max: int = REPAIR_RECORDS_MAX

    def put_right(self, moment: Moment, found: Sequence[Found]) -> None:
        """Repair every table that differs.

        Raises:
            TooManyToRepair: a new snapshot of the link is the better repair; nothing was changed.
        """
        for each in found:
            if each.result.buckets_unopened or each.differences.height > self.records_max:
                raise TooManyToRepair(
                    source=each.result.link, table=each.result.table, count=each.result.count, limit=self.records_max
                )
        tables = {table.name: table for table in moment.tables}
        for each in found:
            for batch in self._batches(moment, tables[each.result.table], each):
                delivery = Delivery(source=self.source.source, batches=(batch,), end=moment.position)
                self.store.apply_apart(
                    self.transfer.batch(delivery, epoch=moment.epoch, snapshot=True), at=self.clock.now()
                )

    def _batches(self, moment: Moment, table: SourceTable, found: Found) -> Iterator[ChangeBatch]:
        surplus = pl.col("kind") == DifferenceKind.SURPLUS.value
        gone = found.differences.filter(surplus)["record_id"]
        if len(gone):
            keys = _Keys(table=table, prefix=f"{self.source.source}/{table.name}/")
            ended = self._ended(moment, keys, found.result.dataset, gone.to_list())
            if ended is not None:
                yield ended
        wanted = found.differences.filter(~surplus)["record_id"]
        if len(wanted):
            yield from self._read_again(table, wanted)

    def _read_again(self, table: SourceTable, wanted: pl.Series) -> Iterator[ChangeBatch]:
        for delivery in self.source.rows(table.name):
            for batch in delivery.batches:
                _, envelope = wrap(batch, lambda _: {})
                chosen = envelope["_record_id"].is_in(wanted.implode())
                if chosen.any():
                    yield ChangeBatch(
                        source=batch.source,
                        table=batch.table,
                        rows=batch.rows.filter(chosen),
                        meta=batch.meta.filter(chosen),
                    )

    def _ended(self, moment: Moment, keys: _Keys, dataset: DatasetId, gone: list[str]) -> ChangeBatch | None:
        """Return the ends of records the source does not have; a record whose key nobody can tell is left out."""
        images = self.store.images(dataset, gone)
        known = [(each, key) for each in gone if (key := keys.of(each, images.get(each))) is not None]
        if not known:
            return None
        batch = _deletes(self.source, moment, keys.table, [key for _, key in known])
        _, envelope = wrap(batch, lambda _: {})
        # A key read from an image that somebody changed may be another record's: it must lead back to the same id.
        right = envelope["_record_id"] == pl.Series([each for each, _ in known], dtype=pl.String)
        if not right.any():
            return None
        return ChangeBatch(
            source=batch.source, table=batch.table, rows=batch.rows.filter(right), meta=batch.meta.filter(right)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Keys:
    """Tell the key of a record from its id, or, where the id is only a digest of it, from the image."""

    table: SourceTable
    prefix: str

    def of(self, record_id: str, image: str | None) -> list[str | None] | None:
        if record_id.startswith(self.prefix):
            parts = record_id[len(self.prefix) :].split(",")
            if len(parts) == len(self.table.key):
                return [each.replace("%2C", ",").replace("%2F", "/").replace("%25", "%") for each in parts]
        found = {} if image is None else json.loads(image)
        values = [found.get(name) for name in self.table.key] if isinstance(found, dict) else []
        return values if values and all(isinstance(each, str) for each in values) else None


def _deletes(source: Reconcilable, moment: Moment, table: SourceTable, keys: list[list[str | None]]) -> ChangeBatch:
    height = len(keys)
    by_column = dict(zip(table.key, zip(*keys, strict=True), strict=True))
    rows = pl.DataFrame(
        {name: pl.Series(by_column.get(name, [None] * height), dtype=pl.String) for name in table.column_names}
    )
    meta = pl.DataFrame(
        [
            pl.Series("operation", [DELETE] * height, dtype=pl.String),
            pl.Series("commit", [moment.position.commit] * height, dtype=pl.Int64),
            pl.Series("number", [0] * height, dtype=pl.Int32),
            pl.Series("time", [moment.time] * height, dtype=META_SCHEMA["time"]),
            *(marks(name, height, {}) for name in ("unchanged", "damaged", "old_key")),
        ]
    )
    return ChangeBatch(source=source.source, table=table, rows=rows, meta=meta)
