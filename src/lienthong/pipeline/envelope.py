"""From changes of a source table to the envelope of records: identity, event, version, raw image."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from lienthong.sources.change import DELETE, INSERT, READ, UPDATE, ChangeBatch, SourceId, TableName
from lienthong.standardise.batch import ENVELOPE_SCHEMA, Event

RECORD_ID_CHARACTERS_MAX = 150  # IdBanGhi, QCVN 09:2025/BCA as implementers write it

Images = Callable[[Sequence[str]], Mapping[str, str]]
"""Return the raw images (JSON) the centre holds, by record id; ids it does not know are left out."""

EVENTS: Mapping[str, str] = {
    INSERT: Event.NEW,
    READ: Event.NEW,
    UPDATE: Event.UPDATE,
    DELETE: Event.CANCEL,
}


def _shorten(record_id: str) -> str:
    """Replace a key too long for IdBanGhi by its digest, which stays unique."""
    prefix, _, key = record_id.rpartition("/")
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{prefix[: RECORD_ID_CHARACTERS_MAX - 72]}/sha256:{digest}"


def _record_ids(source: SourceId, table: TableName, keys: Sequence[pl.Series]) -> pl.Series:
    """Join the key texts into IdBanGhi: ``link/schema.table/key,key``."""
    frame = pl.DataFrame([key.alias(str(place)) for place, key in enumerate(keys)])
    escaped = [
        pl.col(str(place))
        .fill_null("")
        .str.replace_all("%", "%25", literal=True)
        .str.replace_all("/", "%2F", literal=True)
        .str.replace_all(",", "%2C", literal=True)
        for place in range(len(keys))
    ]
    joined = frame.select(
        (pl.lit(f"{source}/{table}/") + pl.concat_str(escaped, separator=",")).alias("_record_id")
    ).to_series()
    if (joined.str.len_chars() > RECORD_ID_CHARACTERS_MAX).any():
        return pl.Series(
            "_record_id",
            [each if len(each) <= RECORD_ID_CHARACTERS_MAX else _shorten(each) for each in joined.to_list()],
            dtype=pl.String,
        )
    return joined


def _spread_key_changes(batch: ChangeBatch, record_ids: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split each key change into the old record's end and the new record's beginning, order kept."""
    rows = batch.rows
    meta = batch.meta.with_columns(
        record_ids, _counted=pl.lit(value=True), _from=pl.lit(None, pl.String), _order=pl.int_range(pl.len()) * 2
    )
    moved = batch.meta["old_key"].is_not_null()
    if not moved.any():
        return rows, meta
    old_keys = batch.meta.filter(moved)["old_key"]
    keys = [old_keys.list.get(place) for place in range(len(batch.table.key))]
    old_ids = _record_ids(batch.source, batch.table.name, keys)
    ends = meta.filter(moved).with_columns(
        old_ids.alias("_record_id"),
        operation=pl.lit(DELETE),
        _counted=pl.lit(value=False),
        _order=pl.col("_order") - 1,
    )
    starts = pl.Series("_from", [None] * meta.height, dtype=pl.String).scatter(moved.arg_true(), old_ids)
    meta = meta.with_columns(
        starts, operation=pl.when(moved).then(pl.lit(INSERT)).otherwise(pl.col("operation")).alias("operation")
    )
    blank = pl.DataFrame({name: pl.Series([None] * ends.height, dtype=pl.String) for name in rows.columns})
    order = pl.concat([meta["_order"], ends["_order"]])
    places = order.arg_sort()
    return pl.concat([rows, blank])[places], pl.concat([meta, ends])[places]


def _fill_unchanged(rows: pl.DataFrame, meta: pl.DataFrame, images: Images) -> tuple[pl.DataFrame, pl.Series]:
    """Put in the values the source did not send because they had not changed.

    They come from the newest earlier change of the same record in this batch, else from the image the centre
    holds. Where neither knows the record, the row is marked (second result): it must be read again.
    """
    lacking = meta["unchanged"].list.len().fill_null(0) > 0
    unknown = pl.Series("unknown", [False] * rows.height, dtype=pl.Boolean)
    if not lacking.any():
        return rows, unknown
    # Rare and sequential by nature: only records with an unchanged large value take this way.
    wanted = meta.filter(lacking).select(pl.coalesce("_from", "_record_id")).to_series().unique().to_list()
    held = {each: json.loads(image) for each, image in images(wanted).items()}
    touched = set(wanted)
    columns = {name: rows[name].to_list() for name in rows.columns}
    ids, origins = meta["_record_id"].to_list(), meta["_from"].to_list()
    operations, absent = meta["operation"].to_list(), meta["unchanged"].to_list()
    missing: list[int] = []
    for place, record_id in enumerate(ids):
        origin = origins[place] or record_id
        if operations[place] == DELETE:
            if meta["_counted"][place]:
                held.pop(record_id, None)
            continue
        if absent[place]:
            before = held.get(origin)
            if before is None:
                missing.append(place)
                continue
            for name in absent[place]:
                columns[name][place] = before.get(name)
        if record_id in touched or origin in touched:
            held[record_id] = {name: values[place] for name, values in columns.items()}
    filled = pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in columns.items()})
    return filled, unknown.scatter(missing, True) if missing else unknown


def wrap(batch: ChangeBatch, images: Images) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (raw rows, envelope) of a batch, aligned; rows of a CANCEL are null.

    An UPDATE of a key becomes a CANCEL of the old record and a NEW of the new one, of which only the second counts.
    A row whose unchanged values nobody knows is marked damaged in those columns, so that it is quarantined.
    """
    keys = [batch.rows[name] for name in batch.table.key]
    record_ids = _record_ids(batch.source, batch.table.name, keys)
    rows, meta = _spread_key_changes(batch, record_ids)
    rows, unknown = _fill_unchanged(rows, meta, images)
    cancelled = meta["operation"] == DELETE
    if cancelled.any():
        keep = pl.Series("keep", ~cancelled)
        rows = rows.select(pl.when(keep).then(pl.col(name)).alias(name) for name in rows.columns)
    image = rows.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    envelope = meta.with_columns(
        image.alias("_image"),
        cancelled.alias("_cancel"),
        unknown,
        pl.col("_record_id").is_last_distinct().alias("_last"),
    ).select(
        "_record_id",
        pl.col("operation").replace_strict(EVENTS, return_dtype=pl.String).alias("_event"),
        pl.col("commit").alias("_version"),
        pl.col("number").alias("_number"),
        pl.col("time").alias("_source_time"),
        pl.when(~pl.col("_cancel")).then("_image").alias("_image"),
        pl.when(pl.col("unknown")).then(pl.col("unchanged")).otherwise(pl.col("damaged")).alias("_damaged"),
        (~pl.col("_last")).alias("_superseded"),
        "_counted",
    )
    return rows, envelope.cast(dict(ENVELOPE_SCHEMA))  # type: ignore[arg-type] # polars' stubs want a plain dict
