"""The order of the stages: what arrived → standardised → checked → one batch for the centre."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lienthong.centre.batch import Batch, Truncation
from lienthong.centre.ports import CentreStore
from lienthong.check.engine import Checker
from lienthong.check.verdict import JudgedBatch
from lienthong.dictionary.model import Dataset, DatasetId
from lienthong.pipeline.envelope import wrap
from lienthong.sources.change import TRUNCATE, ChangeBatch, Delivery, Epoch, TableName
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.standardise.batch import RecordBatch
from lienthong.standardise.plan import StandardiserPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How one source table becomes records of a dataset."""

    mapping: ColumnDecisions
    dataset: Dataset
    plan: StandardiserPlan
    checker: Checker


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    """Turn deliveries of one source into batches of the centre."""

    ways: Mapping[TableName, Way]
    store: CentreStore
    dictionary_version: str

    def batch(self, delivery: Delivery, *, epoch: Epoch, snapshot: bool) -> Batch:
        """Standardise and check a delivery; tables without a way are counted as filtered."""
        parts: list[JudgedBatch | Truncation] = []
        filtered = 0
        for changes in delivery.batches:
            way = self.ways.get(changes.table.name)
            if way is None:
                filtered += changes.height
            elif changes.height and changes.meta["operation"][0] == TRUNCATE:
                parts.append(_truncation(changes, way))
            elif changes.height:
                parts.append(self._judge(changes, way, epoch))
        return Batch(
            source=delivery.source,
            epoch=epoch,
            end=delivery.end,
            snapshot=snapshot,
            read=delivery.read,
            filtered=filtered,
            parts=tuple(parts),
            dictionary_version=self.dictionary_version,
        )

    def _judge(self, changes: ChangeBatch, way: Way, epoch: Epoch) -> JudgedBatch:
        rows, envelope = wrap(changes, lambda ids: self.store.images(DatasetId(way.dataset.identity.id), ids))
        standardised = way.plan.run(rows)
        records = RecordBatch(
            dataset=way.dataset,
            source=changes.source,
            epoch=epoch,
            table=changes.table.name,
            values=standardised.values,
            outcomes=standardised.outcomes,
            envelope=envelope,
        )
        texts = rows.select(
            pl.col(step.column).alias(step.name) for step in way.plan.steps if step.column is not None
        )
        return way.checker.judge(records, oversized=standardised.oversized, texts=texts)


def _truncation(changes: ChangeBatch, way: Way) -> Truncation:
    meta = changes.meta.row(0, named=True)
    return Truncation(
        dataset=way.dataset,
        table=changes.table.name,
        version=meta["commit"],
        number=meta["number"],
        source_time=meta["time"],
    )
