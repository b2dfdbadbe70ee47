"""A source that lives in memory: the reference of the contract, and a stand-in where no server is wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from lienthong.sources.change import (
    DELETE,
    INSERT,
    META_SCHEMA,
    READ,
    TRUNCATE,
    UPDATE,
    ChangeBatch,
    Delivery,
    Epoch,
    Idle,
    Position,
    SourceId,
    SourceTable,
)
from lienthong.sources.ports import Grade, Readiness, SnapshotStart
from lienthong.sources.refusals import SourceChanged

Row = Mapping[str, str | None]
Key = tuple[str | None, ...]

LARGE_CHARACTERS = 2_000  # a value this large is not sent again when it did not change
RECORD_SIZE = 8  # every change and every commit record takes so much of the log

EPOCH_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    operation: str
    row: Row
    unchanged: tuple[str, ...] = ()
    old_key: Key | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Commit:
    commit: int
    end: int
    changes: tuple[_Change, ...]


@dataclass(kw_only=True)
class MemoryTransaction:
    """Changes that are not committed yet."""

    table: SourceTable
    rows: dict[Key, Row]
    changes: list[_Change] = field(default_factory=list)

    def _key(self, row: Row) -> Key:
        return tuple(row[name] for name in self.table.key)

    def insert(self, row: Row) -> None:
        """Add a row."""
        assert self._key(row) not in self.rows, "the key is taken"
        self.rows[self._key(row)] = dict(row)
        self.changes.append(_Change(operation=INSERT, row=dict(row)))

    def update(self, key: Key, values: Row) -> None:
        """Change values of a row, its key too."""
        before = self.rows.pop(key)
        after = {**before, **values}
        self.rows[self._key(after)] = after
        unchanged = tuple(
            name
            for name, value in after.items()
            if name not in self.table.key and value == before[name] and len(value or "") > LARGE_CHARACTERS
        )
        sent = {name: None if name in unchanged else value for name, value in after.items()}
        moved = key if self._key(after) != key else None
        self.changes.append(_Change(operation=UPDATE, row=sent, unchanged=unchanged, old_key=moved))

    def delete(self, key: Key) -> None:
        """Remove a row; only its key is sent."""
        row = self.rows.pop(key)
        sent = {name: value if name in self.table.key else None for name, value in row.items()}
        self.changes.append(_Change(operation=DELETE, row=sent))

    def truncate(self) -> None:
        """Remove all rows at once."""
        self.rows.clear()
        self.changes.append(_Change(operation=TRUNCATE, row=dict.fromkeys(self.table.column_names)))


class MemoryDatabase:
    """One table and the log of its commits; a commit record begins exactly where the one before it ended."""

    def __init__(self, table: SourceTable) -> None:
        self.table = table
        self.rows: dict[Key, Row] = {}
        self.commits: list[_Commit] = []
        self.end = RECORD_SIZE
        self.confirmed = 0
        self.moved = threading.Condition()

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """Commit the changes of the block together; an exception rolls them back."""
        with self.moved:
            draft = MemoryTransaction(table=self.table, rows=dict(self.rows))
            yield draft
            self.rows = draft.rows
            commit = self.end
            self.end = commit + RECORD_SIZE
            self.commits.append(_Commit(commit=commit, end=self.end, changes=tuple(draft.changes)))
            self.moved.notify_all()

    def advance(self) -> None:
        """Let something happen that nobody follows."""
        with self.moved:
            self.end += RECORD_SIZE
            self.moved.notify_all()


class MemorySource:
    """Follow a ``MemoryDatabase``."""

    def __init__(
        self,
        database: MemoryDatabase,
        *,
        source: SourceId,
        heartbeat_s: float = 2.0,
        delivery_changes_max: int = 5_000,
    ) -> None:
        self._database = database
        self._source = source
        self._heartbeat_s = heartbeat_s
        self._delivery_changes_max = delivery_changes_max
        self._snapshot: tuple[Position, tuple[Row, ...]] | None = None
        self._stopped = False

    @property
    def source(self) -> SourceId:
        """Return the name of the link."""
        return self._source

    @property
    def epoch(self) -> Epoch:
        """Return the history the positions belong to."""
        return Epoch(system=f"{id(self._database)}", timeline=1, database="memory", slot=str(self._source))

    def readiness(self) -> tuple[Readiness, ...]:
        """Return one line: memory is always ready."""
        return (Readiness(item="connection", grade=Grade.OK, observed="memory"),)

    def tables(self) -> tuple[SourceTable, ...]:
        """Return the table."""
        return (self._database.table,)

    def begin_snapshot(self) -> SnapshotStart:
        """Remember the rows as they are and where the log stands."""
        with self._database.moved:
            position = Position(commit=self._database.end)
            rows = tuple(self._database.rows.values())
        self._snapshot = (position, rows)
        return SnapshotStart(epoch=self.epoch, position=position, tables=self.tables(), rows_estimated=len(rows))

    def snapshot(self) -> Iterator[Delivery]:
        """Yield the rows remembered."""
        assert self._snapshot is not None, "begin_snapshot comes first"
        position, rows = self._snapshot
        for start in range(0, len(rows), self._delivery_changes_max):
            block = rows[start : start + self._delivery_changes_max]
            changes = [(position.commit, 0, _Change(operation=READ, row=row)) for row in block]
            yield Delivery(source=self._source, batches=(self._batch(changes),), end=position)

    def _batch(self, changes: list[tuple[int, int, _Change]]) -> ChangeBatch:
        """Build a batch from (commit, number, change)."""
        names = self._database.table.column_names
        rows = pl.DataFrame(
            [pl.Series(name, [change.row[name] for _, _, change in changes], dtype=pl.String) for name in names]
        )
        meta = pl.DataFrame(
            {
                "operation": [change.operation for _, _, change in changes],
                "commit": [commit for commit, _, _ in changes],
                "number": [number for _, number, _ in changes],
                "time": [EPOCH_START] * len(changes),
                "unchanged": [list(change.unchanged) or None for _, _, change in changes],
                "damaged": [None] * len(changes),
                "old_key": [None if change.old_key is None else list(change.old_key) for _, _, change in changes],
            },
            schema=dict(META_SCHEMA),
        )
        return ChangeBatch(source=self._source, table=self._database.table, rows=rows, meta=meta)

    def _delivery(self, commits: list[_Commit]) -> Delivery:
        batches: list[ChangeBatch] = []
        segment: list[tuple[int, int, _Change]] = []
        for commit in commits:
            for number, change in enumerate(commit.changes):
                if change.operation == TRUNCATE:
                    batches += [self._batch(segment)] if segment else []
                    batches.append(self._batch([(commit.commit, number, change)]))
                    segment = []
                else:
                    segment.append((commit.commit, number, change))
        batches += [self._batch(segment)] if segment else []
        return Delivery(source=self._source, batches=tuple(batches), end=Position(commit=commits[-1].end))

    def _next(self, after: int) -> tuple[list[_Commit], int]:
        """Return the next whole transactions and the end of the log; wait a heartbeat when there are none."""
        with self._database.moved:
            waiting = [each for each in self._database.commits if each.commit >= after]
            if not waiting and not self._stopped:
                self._database.moved.wait(self._heartbeat_s)
                waiting = [each for each in self._database.commits if each.commit >= after]
            end = self._database.end
        taken: list[_Commit] = []
        changes = 0
        for each in waiting:
            taken.append(each)
            changes += len(each.changes)
            if changes >= self._delivery_changes_max:
                break
        return taken, end

    def stream(self, *, epoch: Epoch, after: Position) -> Iterator[Delivery | Idle]:
        """Yield changes committed at or after ``after``."""
        if epoch != self.epoch:
            raise SourceChanged(source=self._source, expected=epoch, observed=self.epoch)
        place = after.commit
        while not self._stopped:
            commits, end = self._next(place)
            if any(each.changes for each in commits):
                place = commits[-1].end
                yield self._delivery(commits)
            else:
                place = max(place, end)
                yield Idle(source=self._source, end=Position(commit=place))

    def confirm(self, position: Position) -> None:
        """Remember what is kept."""
        self._database.confirmed = max(self._database.confirmed, position.commit)

    def stop(self) -> None:
        """End the stream soon."""
        self._stopped = True
        with self._database.moved:
            self._database.moved.notify_all()

    def close(self) -> None:
        """End the stream; nothing else is held."""
        self.stop()
