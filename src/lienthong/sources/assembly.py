"""Collect decoded changes into deliveries: whole transactions, columns instead of rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from polars.exceptions import PolarsError

from lienthong.sources.change import (
    DELETE,
    INSERT,
    META_SCHEMA,
    READ,
    TRUNCATE,
    UPDATE,
    ChangeBatch,
    Delivery,
    Position,
    SourceId,
    SourceTable,
)
from lienthong.sources.events import (
    Begin,
    Commit,
    Delete,
    Event,
    Insert,
    Relation,
    Truncate,
    Update,
    Values,
)
from lienthong.sources.refusals import MessageNotUnderstood, TransactionTooLarge

DELIVERY_CHANGES_MAX = 5_000  # a delivery ends at the next commit after so many changes
DELIVERY_BYTES_MAX = 64 * 2**20  # … or after so many bytes
TRANSACTION_CHANGES_MAX = 2_000_000  # a transaction is taken whole into memory; staging on disk comes later
TRANSACTION_BYTES_MAX = 2**30
CHUNK_CHANGES = 10_000  # Python values are packed into columns after so many changes, six times smaller

POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970-01-01

TableOf = Callable[[Relation], SourceTable]
"""Say which table a relation message declares; raises when the link cannot go on with it."""


def as_text(name: str, values: Sequence[bytes | None]) -> tuple[pl.Series, Mapping[int, str]]:
    """Return a column of bytes as text, and by place the texts that had to be escaped."""
    column = pl.Series(name, values, dtype=pl.Binary)
    try:
        return column.cast(pl.String), {}
    except PolarsError:
        pass
    damaged: dict[int, str] = {}
    texts: list[str | None] = []
    for place, value in enumerate(values):
        if value is None:
            texts.append(None)
            continue
        try:
            texts.append(value.decode())
        except UnicodeDecodeError:
            texts.append(value.decode("utf-8", "backslashreplace"))
            damaged[place] = name
    return pl.Series(name, texts, dtype=pl.String), damaged


def marks(name: str, height: int, values: Mapping[int, list[str]]) -> pl.Series:
    """Return a column of lists that is null except at the given places."""
    if not values:
        return pl.Series(name, [None], dtype=pl.List(pl.String)).new_from_index(0, height)
    return pl.Series(name, [values.get(place) for place in range(height)], dtype=pl.List(pl.String))


def text_frame(names: Sequence[str], columns: Sequence[Sequence[bytes | None]]) -> tuple[pl.DataFrame, pl.Series]:
    """Return columns of bytes as a frame of texts, and the column of damaged names beside it."""
    height = len(columns[0]) if columns else 0
    series: list[pl.Series] = []
    damaged: dict[int, list[str]] = {}
    for name, values in zip(names, columns, strict=True):
        column, escaped = as_text(name, values)
        series.append(column)
        for place in escaped:
            damaged.setdefault(place, []).append(name)
    return pl.DataFrame(series), marks("damaged", height, damaged)


def read_meta(height: int, *, position: Position, time: datetime, damaged: pl.Series) -> pl.DataFrame:
    """Return what stands beside rows of a snapshot: all of one position and moment."""

    def same(name: str, value: object) -> pl.Series:
        return pl.Series(name, [value], dtype=META_SCHEMA[name]).new_from_index(0, height)

    return pl.DataFrame(
        [
            same("operation", READ),
            same("commit", position.commit),
            same("number", 0),
            same("time", time),
            marks("unchanged", height, {}),
            damaged,
            marks("old_key", height, {}),
        ]
    )


@dataclass(slots=True)
class _Changes:
    """Changes of one table inside one segment, in order."""

    table: SourceTable
    key_places: tuple[int, ...]
    origin_us: int
    chunks: list[tuple[pl.DataFrame, pl.DataFrame]] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    unchanged: dict[int, list[str]] = field(default_factory=dict)
    old_keys: dict[int, list[str]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.values and not self.chunks

    def pack(self) -> None:
        """Turn the collected Python values into columns."""
        if not self.values:
            return
        names = self.table.column_names
        rows, damaged = text_frame(names, list(zip(*self.values, strict=True)))
        height = len(self.values)
        meta = pl.DataFrame(
            [
                pl.Series("operation", self.operations, dtype=pl.String),
                pl.Series("commit", self.commits, dtype=pl.Int64),
                pl.Series("number", self.numbers, dtype=pl.Int32),
                (pl.Series("time", self.times, dtype=pl.Int64) + self.origin_us).cast(META_SCHEMA["time"]),
                marks("unchanged", height, self.unchanged),
                damaged,
                marks("old_key", height, self.old_keys),
            ]
        )
        self.chunks.append((rows, meta))
        self._forget()

    def _forget(self) -> None:
        for each in (self.values, self.operations, self.commits, self.numbers, self.times):
            each.clear()
        self.unchanged.clear()
        self.old_keys.clear()

    def drop_from(self, commit: int) -> None:
        """Forget the changes of the transaction that commits at ``commit``, which is the newest."""
        self.pack()
        kept = []
        for rows, meta in self.chunks:
            height = bisect_left(meta["commit"].to_list(), commit)
            if height:
                kept.append((rows.head(height), meta.head(height)))
        self.chunks = kept

    def batch(self, source: SourceId) -> ChangeBatch:
        """Return everything collected as one batch."""
        self.pack()
        rows, meta = self.chunks[0]
        if len(self.chunks) > 1:
            rows = pl.concat([each for each, _ in self.chunks])
            meta = pl.concat([each for _, each in self.chunks])
        return ChangeBatch(source=source, table=self.table, rows=rows, meta=meta)


def is_wanted(commit: int, after: int) -> bool:
    """Return whether a transaction belongs after a stored position.

    The position is the *end* of the last commit taken, and in a busy database the next commit record often begins
    exactly there: with ``>`` that whole transaction would be lost.
    """
    return commit >= after


class Assembly:
    """Turn events of one stream into deliveries that end where a transaction ends."""

    def __init__(
        self, *, source: SourceId, after: Position, table_of: TableOf, origin_us: int = POSTGRES_EPOCH_US
    ) -> None:
        self.end = after.commit  # everything before it has been taken
        self.in_transaction = False
        self.changes = 0  # since the last delivery, the open transaction included
        self._source = source
        self._after = after.commit
        self._table_of = table_of
        self._origin_us = origin_us  # where the server's clock counts from, in microseconds since 1970-01-01
        self._tables: dict[int, SourceTable] = {}
        self._relations: dict[int, Relation] = {}
        self._segments: list[dict[int, _Changes]] = [{}]
        self._bytes = 0
        self._commit = 0
        self._time = 0
        self._number = 0
        self._bytes_before = 0
        self._wanted = False

    @property
    def full(self) -> bool:
        """Return whether enough whole transactions are there for a delivery."""
        return not self.in_transaction and (self.changes >= DELIVERY_CHANGES_MAX or self._bytes >= DELIVERY_BYTES_MAX)

    def take(self, event: Event, size: int) -> None:
        """Take one event of ``size`` bytes.

        Raises:
            LienthongError: the link cannot go on with this transaction; call ``abandon`` and deliver what was before.
        """
        if isinstance(event, (Insert, Update, Delete, Truncate)):
            if self._wanted:
                self._change(event)
                self._bytes += size
                self._check_size()
        elif isinstance(event, Begin):
            self.in_transaction = True
            self._commit, self._time, self._number = event.commit, event.time_us, 0
            self._bytes_before = self._bytes
            self._wanted = is_wanted(event.commit, self._after)
        elif isinstance(event, Commit):
            self.in_transaction = False
            self.end = max(self.end, event.end)
        elif isinstance(event, Relation):
            self._declare(event)

    def _declare(self, relation: Relation) -> None:
        """Remember a table as it is from here on; what it means is asked when its first change comes."""
        if self._relations.get(relation.oid) != relation:
            self._relations[relation.oid] = relation
            self._tables.pop(relation.oid, None)
            if relation.oid in self._segments[-1]:
                self._segments.append({})

    def _table(self, relation: int) -> SourceTable:
        table = self._tables.get(relation)
        if table is None:
            declared = self._relations.get(relation)
            if declared is None:
                raise MessageNotUnderstood(reason="a change of a table that was not declared")
            table = self._tables[relation] = self._table_of(declared)
        return table

    def _changes_of(self, relation: int) -> _Changes:
        segment = self._segments[-1]
        changes = segment.get(relation)
        if changes is None:
            table = self._table(relation)
            names = table.column_names
            changes = _Changes(
                table=table,
                key_places=tuple(names.index(name) for name in table.key),
                origin_us=self._origin_us,
            )
            segment[relation] = changes
        return changes

    def _change(self, event: Insert | Update | Delete | Truncate) -> None:
        if isinstance(event, Truncate):
            self._truncate(event)
            return
        changes = self._changes_of(event.relation)
        if isinstance(event, Insert):
            values, operation = event.new, INSERT
        elif isinstance(event, Update):
            values, operation = event.new, UPDATE
            if event.unchanged or event.old is not None:
                self._complete(changes, event)
        else:
            values, operation = event.old, DELETE
        if len(values) != len(changes.table.columns):
            raise MessageNotUnderstood(reason="a row with another number of columns than its table")
        changes.values.append(values)
        changes.operations.append(operation)
        changes.commits.append(self._commit)
        changes.numbers.append(self._number)
        changes.times.append(self._time)
        self._number += 1
        self.changes += 1
        if len(changes.values) >= CHUNK_CHANGES:
            changes.pack()

    def _complete(self, changes: _Changes, event: Update) -> None:
        """Note a key change and the large values that were not sent; take from the old row what it carries."""
        place, old, new = len(changes.values), event.old, event.new
        absent = event.unchanged
        if old is not None:
            carried = (
                absent if event.old_kind == "O" else tuple(each for each in absent if each in changes.key_places)
            )
            for each in carried:
                new[each] = old[each]
            absent = tuple(each for each in absent if each not in carried)
            before = [old[each] for each in changes.key_places]
            if before != [new[each] for each in changes.key_places]:
                changes.old_keys[place] = [(each or b"").decode("utf-8", "backslashreplace") for each in before]
        if absent:
            names = changes.table.column_names
            changes.unchanged[place] = [names[each] for each in absent]

    def _truncate(self, event: Truncate) -> None:
        """Give each emptied table a segment of its own, so that nothing moves across it."""
        for relation in event.relations:
            self._segments.append({})
            changes = self._changes_of(relation)
            changes.values.append([None] * len(changes.table.columns))
            changes.operations.append(TRUNCATE)
            changes.commits.append(self._commit)
            changes.numbers.append(self._number)
            changes.times.append(self._time)
            self._number += 1
            self.changes += 1
        self._segments.append({})

    def _check_size(self) -> None:
        if self._number > TRANSACTION_CHANGES_MAX:
            limit, unit = TRANSACTION_CHANGES_MAX, "changes"
        elif self._bytes - self._bytes_before > TRANSACTION_BYTES_MAX:
            limit, unit = TRANSACTION_BYTES_MAX, "bytes"
        else:
            return
        raise TransactionTooLarge(source=self._source, position=Position(commit=self._commit), limit=limit, unit=unit)

    def abandon(self) -> None:
        """Forget the open transaction; what was complete before it can still be delivered."""
        if self.in_transaction:
            for segment in self._segments:
                for changes in segment.values():
                    changes.drop_from(self._commit)
            self.in_transaction = False

    def deliver(self) -> Delivery | None:
        """Return everything taken since the last delivery; None when there was no change."""
        assert not self.in_transaction, "a delivery ends where a transaction ends"
        batches = tuple(
            changes.batch(self._source)
            for segment in self._segments
            for changes in segment.values()
            if not changes.empty
        )
        self._segments = [{}]
        self.changes = self._bytes = 0
        if not batches:
            return None
        return Delivery(source=self._source, batches=batches, end=Position(commit=self.end))
