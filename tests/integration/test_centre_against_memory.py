"""The store that works on sets does what the store that works row after row does, whatever arrives."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

import psycopg
import pytest
from centre_rows import (
    DATASET,
    DICTIONARY,
    EPOCH,
    MONEY_RULE,
    NAME_RULE,
    NOW,
    RULES,
    SOURCE,
    TABLE,
    VALUES_SCHEMA,
    R,
    judged,
    make_batch,
    make_rules,
    truncation,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lienthong.adapters.memory_centre import MemoryCentreStore
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.sources.change import Position, TableName

OTHER = TableName(schema="public", table="ho_kinh_doanh")
NEWER = make_rules(DICTIONARY, digest="r2", reverse=True)
TABLES = [(TABLE, DATASET), (OTHER, DATASET)]
EXAMPLES = int(os.environ.get("LIENTHONG_EXAMPLES", "30"))


@dataclass(frozen=True)
class Change:
    record: str
    kind: str
    key: str | None
    name: str
    clock: int
    failed: tuple[str, ...]
    counted: bool
    same_commit: bool


@dataclass(frozen=True)
class Step:
    kind: str  # batch, truncate, snapshot, killed-snapshot, again, heartbeat
    changes: tuple[tuple[str, tuple[Change, ...]], ...] = ()  # per part: table, rows
    newer_rules: bool = False
    repeated: int = 0  # rows of the batch before, sent once more
    understated: bool = False  # the batch ends before its rows do
    new_epoch: bool = False


changes = st.builds(
    Change,
    record=st.sampled_from(["1", "2", "3"]),
    kind=st.sampled_from(["good", "good", "good", "bad", "cancel"]),
    key=st.sampled_from(["k1", "k2", None]),
    name=st.sampled_from(["x", "y"]),
    clock=st.integers(0, 9),
    failed=st.sets(st.sampled_from([NAME_RULE, MONEY_RULE])).map(lambda found: tuple(sorted(found))),
    counted=st.sampled_from([True, True, True, False]),
    same_commit=st.booleans(),
)
parts = st.lists(st.tuples(st.sampled_from("ab"), st.lists(changes, max_size=6).map(tuple)), max_size=3).map(tuple)
steps = st.one_of(
    st.builds(
        Step,
        kind=st.just("batch"),
        changes=parts,
        newer_rules=st.booleans(),
        repeated=st.integers(0, 3),
        understated=st.booleans(),
    ),
    st.builds(
        Step,
        kind=st.sampled_from(["snapshot", "killed-snapshot"]),
        changes=parts,
        newer_rules=st.booleans(),
        new_epoch=st.booleans(),
    ),
    st.builds(Step, kind=st.sampled_from(["truncate", "again", "heartbeat"])),
)


@dataclass
class Play:
    """Send the same to both stores and give positions and moments to what happens."""

    stores: tuple[PostgresCentreStore, MemoryCentreStore]
    commit: int = 10
    moment: int = 0
    position: int = 0
    epoch: object = EPOCH
    last: list[tuple[str, list[R]]] = field(default_factory=list)
    last_batch: object = None

    def both(self, call):
        results = [call(store) for store in self.stores]
        assert results[0] == results[1]
        return results[0]

    def at(self):
        self.moment += 1
        return NOW + timedelta(minutes=self.moment)

    def rows(self, step, *, snapshot):
        made = []
        for table, found in step.changes:
            rows = []
            for change in found:
                if not snapshot and not (rows and change.same_commit):
                    self.commit += 1
                number = 0 if snapshot else len(rows)
                cancel = change.kind == "cancel"
                rows.append(
                    R(
                        id=f"{table}{change.record}",
                        at=self.commit,
                        number=number,
                        event="NEW" if cancel and snapshot else "CANCEL" if cancel else "UPDATE",
                        bad=change.kind == "bad",
                        key=change.key,
                        name=change.name,
                        seconds=change.clock,
                        failed=change.failed,
                        counted=change.counted or snapshot,
                    )
                )
            if snapshot:
                rows = list({row.id: row for row in rows}.values())
            made.append((table, rows))
        return made

    def batch(self, made, *, end, snapshot, newer):
        rules = NEWER if newer else RULES
        found = [
            judged(rows, rules=rules, table=TABLE if table == "a" else OTHER, epoch=self.epoch)
            for table, rows in made
        ]
        return make_batch(*found, end=end, snapshot=snapshot, epoch=self.epoch, filtered=1)

    def start(self, *, new_epoch):
        if new_epoch:
            self.epoch = replace(self.epoch, timeline=self.epoch.timeline + 1)
            self.commit //= 2
        self.commit += 1
        self.position = self.commit
        at = self.at()
        self.both(
            lambda store: store.begin_snapshot(
                SOURCE,
                epoch=self.epoch,
                position=Position(commit=self.position),
                plan_digest="p",
                rows_estimated=1,
                at=at,
            )
        )
        self.last, self.last_batch = [], None

    def finish(self):
        at = self.at()
        self.both(
            lambda store: store.finish_snapshot(SOURCE, tables=TABLES, position=Position(commit=self.position), at=at)
        )

    def apply(self, batch):
        at = self.at()
        return self.both(lambda store: store.apply(batch, at=at))

    def take(self, step):
        if step.kind in {"snapshot", "killed-snapshot"}:
            self.start(new_epoch=step.new_epoch)
            made = self.rows(step, snapshot=True)
            for part in made:
                self.apply(self.batch([part], end=self.position, snapshot=True, newer=step.newer_rules))
            if step.kind == "killed-snapshot":
                self.start(new_epoch=False)
                again = [(table, [replace(row, at=self.commit) for row in rows]) for table, rows in made]
                self.apply(self.batch(again, end=self.position, snapshot=True, newer=step.newer_rules))
            self.finish()
        elif step.kind == "batch":
            repeated = [(table, rows[-step.repeated :]) for table, rows in self.last] if step.repeated else []
            made = self.rows(step, snapshot=False)
            end = self.position + 1 if step.understated else self.commit + 1
            self.last_batch = self.batch(repeated + made, end=end, snapshot=False, newer=step.newer_rules)
            self.apply(self.last_batch)
            self.last, self.position = made, max(self.position, end)
            self.commit = max(self.commit, end)
        elif step.kind == "truncate":
            self.commit += 1
            self.position = self.commit + 1
            self.apply(make_batch(truncation(self.commit), end=self.position, epoch=self.epoch))
            self.commit += 1
        elif step.kind == "again" and self.last_batch is not None:
            self.apply(self.last_batch)
        elif step.kind == "heartbeat":
            at = self.at()
            self.both(lambda store: store.heartbeat(SOURCE, position=Position(commit=self.position), at=at))


_CLEAR = """
TRUNCATE lienthong.link, lienthong.batch, lienthong.batch_dataset, lienthong.quarantine, lienthong.finding,
    lienthong.rule_set, lienthong.rule_counter, lienthong.dataset_state, dataset.doanh_nghiep,
    dataset.doanh_nghiep_history RESTART IDENTITY
"""


@pytest.fixture
def database(make_database):
    return make_database("centre")


def prepare(store):
    store.prepare(DICTIONARY, {DATASET: RULES})
    store.prepare(DICTIONARY, {DATASET: NEWER})


def stored(url):
    """Return what the database holds, in the words of the store in memory."""
    with psycopg.connect(url) as connection, connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        cursor.execute("SET TimeZone = 'UTC'")

        def ask(question):
            return cursor.execute(question).fetchall()

        return {
            "current": ask("SELECT t.*, _image::text AS image, r.digest FROM dataset.doanh_nghiep t"
                           " JOIN lienthong.rule_set r ON r.id = _rule_set ORDER BY _record_id"),
            "history": ask("SELECT t.*, _image::text AS image, r.digest FROM dataset.doanh_nghiep_history t"
                           " JOIN lienthong.rule_set r ON r.id = _rule_set ORDER BY _record_id, _history_id"),
            "cases": ask("SELECT q.*, r.digest FROM lienthong.quarantine q"
                         " JOIN lienthong.rule_set r ON r.id = rule_set"),
            "findings": ask("SELECT * FROM lienthong.finding"),
            "counters": ask("SELECT c.*, r.digest FROM lienthong.rule_counter c"
                            " JOIN lienthong.rule_set r ON r.id = rule_set ORDER BY rule_set, place"),
            "state": ask("SELECT rows, quarantined, history, findings FROM lienthong.dataset_state"),
        }  # fmt: skip


def entry_of_row(row):
    meta = (
        row["_record_id"], row["_event"], (row["_epoch"], row["_version"], row["_number"]), row["_source"], row["_table"],
        row["_source_time"], row["_valid_from"], row["_batch"], row["_applied_at"], row["image"], row["_judgement"],
        row["digest"], row["_dictionary"],
    )  # fmt: skip
    return meta, {name: row[name] for name in VALUES_SCHEMA}


def entry_of_memory(entry):
    meta = (
        entry.record_id, entry.event, entry.order, entry.source, entry.table, entry.source_time, entry.valid_from,
        entry.batch, entry.applied_at, entry.image, entry.judgement, entry.rule_set, entry.dictionary,
    )  # fmt: skip
    return meta, dict(entry.values)


def compare(url, memory):
    found, shelf = stored(url), memory.shelves[DATASET]
    assert [entry_of_row(row) for row in found["current"]] == [
        entry_of_memory(shelf.current[record_id]) for record_id in sorted(shelf.current)
    ]

    def by_record(items):
        return sorted(items, key=lambda item: (item[0][0][0], item[0][0][2]))

    assert by_record(
        (entry_of_row(row), row["_valid_to"], row["_ended_by"],
         (row["_ended_epoch"], row["_ended_version"], row["_ended_number"]), row["_ended_batch"])
        for row in found["history"]
    ) == by_record(
        (entry_of_memory(ended.entry), ended.valid_to, ended.ended_by, ended.order, ended.batch)
        for ended in shelf.history
    )  # fmt: skip
    assert sorted(
        (row["record_id"], (row["epoch"], row["version"], row["number"]), row["source"], row["table"], row["image"],
         row["judgement"], row["digest"], tuple(row["rules"]), tuple(row["business_key"] or ()), row["state"],
         row["opened_batch"], row["closed_batch"] or 0)
        for row in found["cases"]
    ) == sorted(
        (case.record_id, case.order, case.source, case.table, case.image, case.judgement, case.rule_set, case.rules,
         case.business_key or (), case.state, case.opened_batch, case.closed_batch or 0)
        for case in shelf.cases
    )  # fmt: skip
    assert sorted(
        (row["record_id"], row["rule"], row["observed"] or "", row["opened_batch"], row["closed_batch"] or 0)
        for row in found["findings"]
    ) == sorted(
        (note.record_id, note.rule, note.observed or "", note.opened_batch, note.closed_batch or 0)
        for note in shelf.notes
    )
    for rules in (RULES, NEWER):
        kept = [
            (row["rule"], row["passed"], row["failed"], row["not_applicable"], row["not_evaluated"])
            for row in found["counters"]
            if row["digest"] == rules.digest
        ]
        assert kept == [
            (count.rule, count.passed, count.failed, count.not_applicable, count.not_evaluated)
            for count in memory.rule_counts(DATASET, rules.digest)
        ]
    count = memory.counts()[DATASET]
    assert found["state"] == [
        {"rows": count.rows, "quarantined": count.quarantined, "history": count.history, "findings": count.findings}
    ]


def intervals_follow_one_another(url):
    found = stored(url)
    by_record = {}
    for row in [*found["history"], *found["current"]]:
        by_record.setdefault(row["_record_id"], []).append(row)
    for versions in by_record.values():
        versions.sort(key=lambda row: (row["_epoch"], row["_version"], row["_number"]))
        for earlier, later in pairwise(versions):
            assert earlier["_valid_from"] <= earlier["_valid_to"] <= later["_valid_from"]
            if earlier["_ended_by"] == "UPDATE":
                assert earlier["_valid_to"] == later["_valid_from"]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(steps, min_size=1, max_size=8))
def test_both_stores_hold_the_same_after_every_step(database, plan):
    store, memory = PostgresCentreStore(database.url), MemoryCentreStore()
    try:
        prepare(store)
        with psycopg.connect(database.url) as connection:
            connection.execute(_CLEAR)
        for each in (store, memory):
            prepare(each)
        play = Play(stores=(store, memory))
        play.start(new_epoch=False)
        play.finish()
        for step in plan:
            play.take(step)
            compare(database.url, memory)
        intervals_follow_one_another(database.url)
        for link in [store.link(SOURCE)]:
            known = memory.link(SOURCE)
            assert (link.phase, link.position, link.epoch, link.rows_done) == (
                known.phase,
                known.position,
                known.epoch,
                known.rows_done,
            )
        assert store.recount(DATASET) == memory.rule_counts(DATASET, NEWER.digest)
    finally:
        store.close()
