"""From a standardised batch to rows of the table that every engine examines."""

from __future__ import annotations

from datetime import date

import polars as pl

from lienthong.check.columns import TEXT
from lienthong.check.facts import row_columns
from lienthong.check.program import RECORD_ID, RuleProgram
from lienthong.standardise.batch import Event, RecordBatch


def examined_rows(
    records: RecordBatch,
    program: RuleProgram,
    *,
    oversized: pl.Series | None = None,
    texts: pl.DataFrame | None = None,
    measured_day: date | None = None,
) -> pl.DataFrame:
    """Return the records that are not withdrawn, in the columns of ``program.schema``.

    ``oversized``, ``texts`` and ``measured_day`` are what ``Checker.judge`` takes.
    """
    frame = row_columns(records, record_date=program.record_date, oversized=oversized, measured_day=measured_day)
    sent = pl.DataFrame() if texts is None else texts
    written = [
        (pl.when(pl.col(name).is_null()).then(sent[name]) if name in sent.columns else pl.lit(None, pl.String)).alias(
            name + TEXT
        )
        for name in records.values.columns
    ]
    frame = pl.concat([records.envelope.select(RECORD_ID), frame], how="horizontal").with_columns(written)
    schema = program.schema
    frame = frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
    return frame.filter(records.envelope["_event"] != Event.CANCEL)
