"""What every way to read an agency's system must hold to; run it for each adapter.

A test file gives a ``SourceHarness`` and runs every rule of ``CONTRACT`` with it::

    @pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
    def test_the_source_keeps_the_contract(rule, harness):
        rule(harness)
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Protocol

from lienthong.errors import LienthongError
from lienthong.sources.change import (
    DELETE,
    META_SCHEMA,
    READ,
    TRUNCATE,
    UPDATE,
    Delivery,
    Epoch,
    Idle,
    Position,
)
from lienthong.sources.ports import ChangeSource

KEY, NAME, BODY = "key", "name", "body"  # the columns of the harness' table, all texts, ``key`` is its key
LARGE_CHARACTERS = 40_000
IDLES_MAX = 200  # a source that says so often that it is idle without getting anywhere has failed
PATIENCE_S = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Put:
    """Insert a row."""

    key: str
    name: str | None = None
    body: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rename:
    """Change the name of a row and nothing else."""

    key: str
    name: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Change the key of a row and nothing else."""

    key: str
    to: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Remove:
    """Delete a row."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Empty:
    """Truncate the table."""


Operation = Put | Rename | Move | Remove | Empty


class SourceHarness(Protocol):
    """A system with one table (key, name, body) that an adapter follows."""

    def commit(self, *operations: Operation) -> None:
        """Carry out the operations in one transaction."""
        ...

    def roll_back(self, *operations: Operation) -> None:
        """Carry out the operations and take them back."""
        ...

    def commit_adjacent(self, first: Operation, second: Operation) -> Position:
        """Commit two transactions so that the second commit begins where the first ends; return that place."""
        ...

    def commit_elsewhere(self) -> None:
        """Commit something the link does not follow."""
        ...

    def written(self) -> Position:
        """Return a position after everything committed so far."""
        ...

    def kept_from(self) -> Position:
        """Return the position before which the system may have forgotten changes, as the link confirmed."""
        ...

    def rows(self) -> Mapping[str, tuple[str | None, str | None]]:
        """Return (name, body) of every row by key, as they are now."""
        ...

    def open(self) -> ChangeSource:
        """Return a new adapter for the same link; the harness closes it in the end."""
        ...


@dataclass(kw_only=True)
class Replica:
    """What somebody knows who saw only deliveries."""

    rows: dict[str, dict[str, str | None]] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    last: tuple[int, int] = (-1, -1)

    def take(self, delivery: Delivery) -> None:
        """Carry out the changes of a delivery, in order."""
        for batch in delivery.batches:
            assert batch.meta.schema == dict(META_SCHEMA), "meta has the columns of META_SCHEMA"
            assert batch.height, "a batch without changes is not handed over"
            for row, meta in zip(batch.rows.iter_rows(named=True), batch.meta.iter_rows(named=True), strict=True):
                self._take(dict(row), meta)
                assert meta["commit"] < delivery.end.commit or meta["operation"] == READ, "a delivery ends after it"

    def _take(self, row: dict[str, str | None], meta: Mapping[str, object]) -> None:
        operation, place = str(meta["operation"]), (meta["commit"], meta["number"])
        self.operations.append(operation)
        if operation != READ:
            assert place > self.last, "changes come in the order of their commits"
            self.last = place  # type: ignore[assignment] # META_SCHEMA says both are integers
        if operation == TRUNCATE:
            self.rows.clear()
            return
        key = str(row[KEY])
        if operation == DELETE:
            del self.rows[key]
            return
        if operation == UPDATE:
            old_key = meta["old_key"]
            origin = str(old_key[0]) if isinstance(old_key, list) else key
            before = self.rows.pop(origin)
            unchanged = meta["unchanged"]
            for name in unchanged if isinstance(unchanged, list) else []:
                assert row[name] is None, "a value that was not sent is null"
                row[name] = before[name]
        self.rows[key] = row

    def state(self) -> Mapping[str, tuple[str | None, str | None]]:
        """Return (name, body) by key, to compare with the harness."""
        return {key: (row[NAME], row[BODY]) for key, row in self.rows.items()}


@dataclass(frozen=True, kw_only=True)
class _Start:
    epoch: Epoch
    position: Position


def _snapshot(source: ChangeSource, replica: Replica) -> _Start:
    start = source.begin_snapshot()
    for delivery in source.snapshot():
        replica.take(delivery)
    return _Start(epoch=start.epoch, position=start.position)


def arrivals(source: ChangeSource, *, epoch: Epoch, after: Position, until: Position) -> Iterator[Delivery | Idle]:
    """Yield what a source hands over until everything before ``until`` has been; by position, never by time."""
    idles = 0
    last = after
    for arrived in source.stream(epoch=epoch, after=after):
        assert arrived.end >= last, "positions only grow"
        last = arrived.end
        idles = idles + 1 if isinstance(arrived, Idle) else 0
        assert idles < IDLES_MAX, f"the source says it is idle at {arrived.end} and does not reach {until}"
        yield arrived
        if arrived.end >= until:
            return
    raise AssertionError("the stream ended by itself")


def _drain(source: ChangeSource, replica: Replica, *, start: _Start, until: Position) -> Position:
    end = start.position
    stream = arrivals(source, epoch=start.epoch, after=start.position, until=until)
    for arrived in stream:
        end = arrived.end
        if isinstance(arrived, Delivery):
            replica.take(arrived)
    return end


@contextmanager
def _opened(harness: SourceHarness) -> Iterator[ChangeSource]:
    source = harness.open()
    try:
        yield source
    finally:
        source.close()


def _follow(harness: SourceHarness, *steps: Sequence[Operation]) -> Replica:
    """Snapshot, then commit each step as a transaction, then read all of it."""
    replica = Replica()
    with _opened(harness) as source:
        start = _snapshot(source, replica)
        for step in steps:
            harness.commit(*step)
        _drain(source, replica, start=start, until=harness.written())
    assert replica.state() == harness.rows()
    return replica


def large_text(seed: int) -> str:
    """Return a text that no database squeezes into its row."""
    chance = random.Random(seed)
    return "".join(chance.choice("0123456789abcdef") for _ in range(LARGE_CHARACTERS))


AWKWARD_TEXTS: tuple[str | None, ...] = (
    None,
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    '"',
    '""',
    "a,b;c\td",
    "two\nlines",
    "two\r\nlines",
    "\r",
    "\n",
    "\\x41\\",
    "'; DROP TABLE x; --",
    "Nguyễn Thị Đức",
    "Nguye\u0302\u0303n Thi\u0323 \u0110u\u031b\u0301c",  # the same, decomposed
    "\ufeffxin chào",
    "\u200b\u00a0\u2028",
    "🇻🇳",
)


def snapshot_and_stream_equal_the_state(harness: SourceHarness) -> None:
    """Changes made while the snapshot is read are neither lost nor taken twice."""
    harness.commit(*(Put(key=f"{place:03}", name=f"row {place}") for place in range(50)))
    replica = Replica()
    with _opened(harness) as source:
        begun = source.begin_snapshot()
        harness.commit(Rename(key="000", name="later"), Remove(key="001"), Put(key="100", name="new"))
        for delivery in source.snapshot():
            replica.take(delivery)
        assert set(replica.operations) == {READ}
        assert replica.rows["000"][NAME] == "row 0", "the snapshot shows the state at its starting point"
        harness.commit(Rename(key="100", name="newer"))
        _drain(source, replica, start=_Start(epoch=begun.epoch, position=begun.position), until=harness.written())
    assert replica.state() == harness.rows()


def values_are_the_source_s_text(harness: SourceHarness) -> None:
    """Neither snapshot nor stream alters, trims, unescapes or normalises a value."""
    puts = [Put(key=f"{place:03}", name=text) for place, text in enumerate(AWKWARD_TEXTS)]
    harness.commit(*puts)
    replica = _follow(harness, [replace(put, key=f"s{put.key}") for put in puts])
    for put in puts:
        assert replica.rows[put.key][NAME] == put.name
        assert replica.rows[f"s{put.key}"][NAME] == put.name


def deliveries_end_where_a_transaction_ends(harness: SourceHarness) -> None:
    """Two rows that every transaction changes together never differ between deliveries."""
    harness.commit(Put(key="a", name="0"), Put(key="b", name="0"))
    replica = Replica()
    with _opened(harness) as source:
        start = _snapshot(source, replica)
        for round_ in range(30):
            harness.commit(Rename(key="a", name=str(round_)), Rename(key="b", name=str(round_)))
        for arrived in arrivals(source, epoch=start.epoch, after=start.position, until=harness.written()):
            if isinstance(arrived, Delivery):
                replica.take(arrived)
                assert replica.rows["a"][NAME] == replica.rows["b"][NAME], "half a transaction was handed over"
    assert replica.state() == harness.rows()


def resuming_from_every_end_loses_nothing(harness: SourceHarness) -> None:
    """Whoever kept a delivery and its end can go on from there with a new adapter."""
    replica = Replica()
    stations: list[tuple[Position, Replica]] = []
    with _opened(harness) as source:
        start = _snapshot(source, replica)
        for number in range(8):
            harness.commit(*(Put(key=f"{number}-{place}") for place in range(3)))
            harness.commit(Rename(key=f"{number}-0", name="renamed"), Remove(key=f"{number}-1"))
        until = harness.written()
        for arrived in arrivals(source, epoch=start.epoch, after=start.position, until=until):
            if isinstance(arrived, Delivery):
                replica.take(arrived)
            stations.append((arrived.end, deepcopy(replica)))
    assert len(stations) > 1, "the harness makes its adapter hand over in several deliveries"
    for end, known in stations:
        with _opened(harness) as source:
            _drain(source, known, start=replace(start, position=end), until=until)
        assert known.state() == harness.rows(), f"resuming at {end} went wrong"


def an_adjacent_commit_at_the_resume_point_is_not_lost(harness: SourceHarness) -> None:
    """A commit that begins exactly where the last one taken ended comes next."""
    replica = Replica()
    with _opened(harness) as source:
        start = _snapshot(source, replica)
    between = harness.commit_adjacent(Put(key="first"), Put(key="second"))
    replica.rows["first"] = {KEY: "first", NAME: None, BODY: None}
    with _opened(harness) as source:
        _drain(source, replica, start=replace(start, position=between), until=harness.written())
    assert replica.state() == harness.rows()


def nothing_is_confirmed_before_confirm(harness: SourceHarness) -> None:
    """The source may forget only what ``confirm`` named, however much was read and however long it was idle."""
    with _opened(harness) as source:
        start = _snapshot(source, Replica())
    before = harness.kept_from()
    harness.commit(Put(key="a"))
    confirmed: Position | None = None
    with _opened(harness) as source:
        until = harness.written()
        idles = 0
        for arrived in source.stream(epoch=start.epoch, after=start.position):
            kept = harness.kept_from()
            if confirmed is None:
                assert kept == before, "the source was told to forget what nobody confirmed"
            else:
                assert kept <= max(confirmed, before), "the source was told to forget more than was confirmed"
            if isinstance(arrived, Idle):
                idles += 1
                if arrived.end >= until and confirmed is None and idles > 1:
                    confirmed = arrived.end
                    source.confirm(confirmed)
                    idles = 0
                harness.commit_elsewhere()
            if confirmed is not None and idles > 3:
                break
    assert confirmed is not None
    assert before < harness.kept_from() <= confirmed


def confirmed_changes_need_not_be_kept(harness: SourceHarness) -> None:
    """What was confirmed reaches the source, at the latest when the adapter is closed."""
    replica = Replica()
    with _opened(harness) as source:
        start = _snapshot(source, replica)
        harness.commit(Put(key="a"))
        end = _drain(source, replica, start=start, until=harness.written())
    with _opened(harness) as source:
        for arrived in source.stream(epoch=start.epoch, after=end):
            source.confirm(arrived.end)
            if harness.kept_from() >= end:
                break
    assert harness.kept_from() >= end


def order_is_kept(harness: SourceHarness) -> None:
    """Many changes of one row arrive in the order they were made."""
    replica = _follow(
        harness,
        [Put(key="a"), *(Rename(key="a", name=str(place)) for place in range(20))],
        [Remove(key="a"), Put(key="a", name="again")],
        [Rename(key="a", name="last")],
    )
    assert replica.rows["a"][NAME] == "last"


def a_changed_key_says_what_it_was(harness: SourceHarness) -> None:
    """A row that moves to another key is one change that names both, also through a chain."""
    harness.commit(Put(key="a", name="x"))
    replica = _follow(harness, [Move(key="a", to="b")], [Put(key="a", name="y"), Move(key="b", to="c")])
    assert set(replica.rows) == {"a", "c"}
    assert replica.operations.count(UPDATE) == 2


def a_deleted_row_is_gone(harness: SourceHarness) -> None:
    """A deletion names the row by its key."""
    harness.commit(Put(key="a"), Put(key="b"))
    assert set(_follow(harness, [Remove(key="a")]).rows) == {"b"}


def an_emptied_table_is_one_step_in_order(harness: SourceHarness) -> None:
    """What was written before a truncation goes, what was written after it stays, in one transaction too."""
    harness.commit(Put(key="a"))
    replica = _follow(harness, [Put(key="b")], [Put(key="c"), Empty(), Put(key="d")], [Put(key="e")])
    assert set(replica.rows) == {"d", "e"}
    assert replica.operations.count(TRUNCATE) == 1


def what_is_rolled_back_never_arrives(harness: SourceHarness) -> None:
    """A transaction that did not commit leaves no trace."""
    replica = Replica()
    with _opened(harness) as source:
        start = _snapshot(source, replica)
        harness.roll_back(Put(key="ghost"))
        harness.commit(Put(key="a"))
        _drain(source, replica, start=start, until=harness.written())
    assert set(replica.rows) == {"a"}


def unchanged_large_values_are_marked(harness: SourceHarness) -> None:
    """A large value that was not sent again is marked, never taken for null; also when the key changes."""
    harness.commit(Put(key="a", name="x", body=large_text(1)))
    replica = _follow(
        harness,
        [Rename(key="a", name="y")],
        [Move(key="a", to="b")],
        [Put(key="c", body=large_text(2))],
        [Rename(key="c", name=None)],
    )
    assert replica.rows["b"][BODY] == large_text(1)
    assert replica.rows["c"][BODY] == large_text(2)


def an_idle_source_moves_on(harness: SourceHarness) -> None:
    """When only others write, the position still grows, so that the source need not keep its log."""
    with _opened(harness) as source:
        start = _snapshot(source, Replica())
        for _ in range(5):
            harness.commit_elsewhere()
        until = harness.written()
        assert until > start.position
        seen = list(arrivals(source, epoch=start.epoch, after=start.position, until=until))
    assert all(isinstance(arrived, Idle) for arrived in seen)


def another_history_is_refused(harness: SourceHarness) -> None:
    """A position of another system means nothing here."""
    with _opened(harness) as source:
        start = _snapshot(source, Replica())
    with _opened(harness) as source:
        try:
            next(iter(source.stream(epoch=replace(start.epoch, system="another"), after=start.position)))
        except LienthongError as refusal:
            assert refusal.code.startswith("SRC-")  # noqa: PT017 - this module does not import pytest
        else:
            raise AssertionError("the source went on with a foreign position")


def a_new_snapshot_replaces_an_unfinished_one(harness: SourceHarness) -> None:
    """Whoever died while reading a snapshot starts again."""
    harness.commit(*(Put(key=str(place)) for place in range(10)))
    with _opened(harness) as source:
        source.begin_snapshot()
        next(iter(source.snapshot()))
    harness.commit(Put(key="later"))
    replica = _follow(harness, [Put(key="last")])
    assert len(replica.rows) == 12


def closing_ends_a_waiting_stream(harness: SourceHarness) -> None:
    """``close`` from another thread ends a stream that waits."""
    with _opened(harness) as source:
        start = _snapshot(source, Replica())
        waiting = threading.Event()

        def follow() -> None:
            for _ in source.stream(epoch=start.epoch, after=start.position):
                waiting.set()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        assert waiting.wait(PATIENCE_S)
        source.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


CONTRACT: tuple[Callable[[SourceHarness], None], ...] = (
    snapshot_and_stream_equal_the_state,
    values_are_the_source_s_text,
    deliveries_end_where_a_transaction_ends,
    resuming_from_every_end_loses_nothing,
    an_adjacent_commit_at_the_resume_point_is_not_lost,
    nothing_is_confirmed_before_confirm,
    confirmed_changes_need_not_be_kept,
    order_is_kept,
    a_changed_key_says_what_it_was,
    a_deleted_row_is_gone,
    an_emptied_table_is_one_step_in_order,
    what_is_rolled_back_never_arrives,
    unchanged_large_values_are_marked,
    an_idle_source_moves_on,
    another_history_is_refused,
    a_new_snapshot_replaces_an_unfinished_one,
    closing_ends_a_waiting_stream,
)

# For systems that keep their log until the reader lets go of it; others forget by age, whoever reads.
OF_RETENTION: frozenset[Callable[[SourceHarness], None]] = frozenset(
    {nothing_is_confirmed_before_confirm, confirmed_changes_need_not_be_kept}
)
