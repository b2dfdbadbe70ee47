"""The past as the centre tells it is what a slow copy of every state it ever had tells, by both clocks."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest
from centre_rows import DATASET, DICTIONARY, EPOCH, SOURCE, START, TABLE, R, judged, make_batch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_centre_against_memory import _CLEAR, Play, prepare, steps

from lienthong.adapters.memory_centre import MemoryCentreStore
from lienthong.adapters.postgres.centre_reader import PostgresCentreReader
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.time_travel import install
from lienthong.centre.reading import LookupOutcome
from lienthong.centre.time_travel import Knowledge

EXAMPLES = int(os.environ.get("LIENTHONG_EXAMPLES", "25"))
FIRST = START - timedelta(seconds=1)  # the moment of the first snapshot
HALF = timedelta(seconds=30)
KEYS = ("k1", "k2", "k0")


@dataclass
class Remembering(Play):
    """Keep a copy of everything after every step, with the moment of the centre's clock."""

    states: list[tuple[object, object]] = field(default_factory=list)

    def both(self, call):
        result = super().both(call)
        shelf = self.stores[1].shelves[DATASET]
        self.states.append((self.now(), copy.deepcopy((shelf.current, shelf.history))))
        return result

    def now(self):
        self.moment -= 1
        return self.at()

    def state(self, known_at):
        """Return (records, earlier versions) as they were stored at a moment of the centre's clock."""
        found = [state for at, state in self.states if known_at is None or at <= known_at]
        return found[-1] if found else ({}, [])


def truth(play, moment, known_at):
    """Return every version valid then, in the words of the reference: one record after another."""
    current, history = play.state(known_at)
    found = [(entry, None, None) for entry in current.values() if entry.valid_from <= moment]
    found += [
        (ended.entry, ended.valid_to, ended.ended_by)
        for ended in history
        if ended.entry.valid_from <= moment < ended.valid_to
    ]
    return found


def in_order(rows):
    return sorted(rows, key=lambda row: (row[0], row[1]))


def told(connection, moment, known_at):
    rows = connection.execute("SELECT * FROM dataset.doanh_nghiep_as_of(%s, %s)", [moment, known_at]).fetchall()
    return in_order(
        # A row that a later snapshot confirms moves its position and is no new version: the position does not count.
        (row["_record_id"], row["_batch"], row["_valid_from"], row["_valid_to"], row["_ended_by"], row["ma_so"],
         row["ten"])
        for row in rows
    )  # fmt: skip


def as_told(found):
    return in_order(
        (entry.record_id, entry.batch, entry.valid_from, valid_to, ended_by, entry.values["ma_so"],
         entry.values["ten"])
        for entry, valid_to, ended_by in found
    )  # fmt: skip


def begin(play):
    """Take a first snapshot of one row, so that everything after its moment is known."""
    play.start(new_epoch=False)
    row = R(id="a0", at=play.position, event="NEW", key="k0", seconds=-1)
    batch = make_batch(judged([row], table=TABLE), end=play.position, snapshot=True, epoch=EPOCH)
    play.apply(batch)
    play.finish()


def check_moment(play, connection, reader, moment, known_at):
    found = truth(play, moment, known_at)
    records = [entry.record_id for entry, _, _ in found]
    assert len(records) == len(set(records)), "no record has two versions at one moment"
    assert told(connection, moment, known_at) == as_told(found)
    count = reader.count_as_of(DATASET, moment, known_at)
    assert (count.knowledge, count.rows) == (Knowledge.KNOWN, len(found))
    for key in KEYS:
        answer = reader.record_as_of(DATASET, [key], moment, known_at)
        mine = [one for one in found if one[0].values["ma_so"] == key]
        assert sorted(each.record.provenance.record_id for each in answer.versions) == sorted(
            one[0].record_id for one in mine
        )
        if mine:
            assert answer.outcome is (LookupOutcome.FOUND if len(mine) == 1 else LookupOutcome.DISPUTED)
        elif answer.outcome is not LookupOutcome.INCOMPLETE:
            assert answer.outcome is without_trace(play, key, moment, known_at, records)


def without_trace(play, key, moment, known_at, valid):
    _, history = play.state(known_at)
    gone = [
        ended
        for ended in history
        if ended.entry.values["ma_so"] == key and ended.ended_by == "CANCEL" and ended.valid_to <= moment
    ]
    cancelled = any(ended.entry.record_id not in valid for ended in gone)
    return LookupOutcome.CANCELLED if cancelled else LookupOutcome.NOT_FOUND


@pytest.fixture
def database(make_database):
    return make_database("past")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    plan=st.lists(steps, min_size=1, max_size=7),
    seconds=st.lists(st.integers(-1, 10), min_size=1, max_size=3),
    ago=st.lists(st.integers(0, 12), min_size=1, max_size=3),
)
def test_every_moment_is_told_as_it_was_by_both_clocks(database, plan, seconds, ago):
    store, memory = PostgresCentreStore(database.url), MemoryCentreStore()
    reader = PostgresCentreReader(database.url, DICTIONARY)
    try:
        prepare(store)
        install(database.url, password=None, dictionary=DICTIONARY)
        with psycopg.connect(database.url) as connection:
            connection.execute(_CLEAR)
        for each in (store, memory):
            prepare(each)
        play = Remembering(stores=(store, memory))
        begin(play)
        known = play.now()
        for step in plan:
            play.take(step)
        with psycopg.connect(database.url, row_factory=psycopg.rows.dict_row) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for moment in [START + timedelta(seconds=each) for each in seconds]:
                for known_at in [None, *(max(known, play.now() - timedelta(minutes=each) + HALF) for each in ago)]:
                    check_moment(play, connection, reader.history(), moment, known_at)
        check_versions(play, reader.history())
    finally:
        reader.close()
        store.close()


def check_versions(play, reader):
    """All versions of each record are those that are stored, in their order, each with what ended it."""
    current, history = play.state(None)
    names = {*current, *(ended.entry.record_id for ended in history)}
    for name in names:
        kept = [(ended.entry, ended.valid_to, ended.ended_by) for ended in history if ended.entry.record_id == name]
        kept += [(current[name], None, None)] if name in current else []
        kept.sort(key=lambda one: (one[0].order, one[0].batch))
        assert [
            (each.record.provenance.version, each.record.values["ten"], each.valid_from, each.valid_to, each.ended_by)
            for each in reader.versions(DATASET, name)
        ] == [
            (entry.order[1], entry.values["ten"], entry.valid_from, valid_to, ended_by)
            for entry, valid_to, ended_by in kept
        ]
    assert reader.versions(DATASET, "nobody") == ()
    assert play.stores[0].link(SOURCE) is not None
