"""What the centre kept at a position, whatever was written after it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from centre_opened import AT, Centre, open_centre, start
from centre_rows import DATASET, DICTIONARY, EPOCH, SOURCE, TABLE, R, truncation

from lienthong.adapters.postgres import reconciling
from lienthong.adapters.postgres.reconciling import PostgresReconciling
from lienthong.centre.batch import Truncation
from lienthong.centre.reconciling_refusals import LinkNotStreaming, ReconciliationUnderWay, SnapshotMeanwhile
from lienthong.centre.refusals import EpochDiffers
from lienthong.sources.change import Epoch, Position, SourceId

State = dict[str, str | None]


@pytest.fixture
def centre(make_database) -> Iterator[Centre]:
    with open_centre(make_database("centre").url) as made:
        yield made


@pytest.fixture
def then(centre) -> Iterator[PostgresReconciling]:
    made = PostgresReconciling(centre.url, DICTIONARY)
    yield made
    made.close()


def at(then: PostgresReconciling, position: int, *, epoch: Epoch = EPOCH) -> tuple[State, set[str]]:
    """Return the image of every record at a position, and the records that may not have been there."""
    with then.then(SOURCE, epoch=epoch, position=Position(commit=position)) as kept:
        rows = [row for frame in kept.rows(TABLE, DATASET) for row in frame.iter_rows()]
    state: State = {}
    for record, image, _ in rows:
        state[record] = "more than once" if record in state else image
    return state, {record for record, _, doubtful in rows if doubtful}


def test_a_change_at_the_position_is_not_in_the_state_and_one_before_it_is(centre, then):
    centre.apply([R(id="a", at=149, name="trước"), R(id="b", at=150, name="đúng lúc")], end=151)
    before, doubtful = at(then, 150)
    assert set(before) == {"a"}
    assert set(at(then, 151)[0]) == {"a", "b"}
    assert not doubtful


def test_a_row_read_by_a_snapshot_at_the_position_is_in_the_state(make_database):
    with open_centre(make_database("centre").url) as centre:
        start(centre.store, 200)
        centre.apply([R(id="a", at=200)], end=200, snapshot=True)
        centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=200), at=AT)
        then = PostgresReconciling(centre.url, DICTIONARY)
        assert set(at(then, 200)[0]) == {"a"}
        then.close()


def test_a_held_row_is_the_state_of_its_record_until_the_row_that_settles_it(centre, then):
    centre.apply([R(id="a", at=101, name="tốt")], end=102)
    centre.apply([R(id="a", at=110, name="hỏng", bad=True)], end=111)
    centre.apply([R(id="a", at=120, name="sửa")], end=121)
    images = [json.loads(at(then, position)[0]["a"] or "") for position in (105, 115, 121)]
    assert [image["ten"] for image in images] == ["tốt", "hỏng", "sửa"]


def test_a_held_row_deleted_in_the_batch_of_the_position_is_doubtful_and_in_a_later_batch_is_not(centre, then):
    centre.apply([R(id="a", at=101, bad=True), R(id="b", at=101, number=1, bad=True)], end=102)
    centre.apply([R(id="a", at=110, event="CANCEL"), R(id="x", at=120)], end=121)
    centre.apply([R(id="b", at=130, event="CANCEL")], end=131)
    state, doubtful = at(then, 115)
    assert (set(state), doubtful) == ({"a", "b"}, {"a"})
    state, doubtful = at(then, 121)
    assert (set(state), doubtful) == ({"b", "x"}, {"b"})
    assert at(then, 131) == ({"x": state["x"]}, set())


def test_a_snapshot_after_the_position_makes_it_unanswerable(centre, then):
    centre.apply([R(id="a", at=101)], end=150)
    start(centre.store, 200)
    with pytest.raises(LinkNotStreaming):
        at(then, 150)
    centre.store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=200), at=AT)
    with pytest.raises(SnapshotMeanwhile):
        at(then, 150)


def test_another_history_of_the_source_is_refused(centre, then):
    centre.apply([R(id="a", at=101)], end=150)
    with pytest.raises(EpochDiffers):
        at(then, 150, epoch=Epoch(system="other", timeline=1, database="agency", slot="lienthong"))


def test_one_reconciliation_of_a_link_runs_at_a_time_and_other_links_do_not_wait(centre, then):
    other = PostgresReconciling(centre.url, DICTIONARY)
    with then.alone(SOURCE):
        with pytest.raises(ReconciliationUnderWay), other.alone(SOURCE):
            pass
        with other.alone(SourceId("another")):
            pass
    with other.alone(SOURCE):
        pass
    other.close()


def test_a_held_row_whose_record_was_deleted_before_the_position_is_gone_without_a_doubt(centre, then):
    centre.apply([R(id="a", at=101)], end=102)
    centre.apply([R(id="a", at=110, bad=True), R(id="a", at=115, event="CANCEL"), R(id="x", at=119)], end=120)
    assert at(then, 118) == ({}, set())


@pytest.mark.parametrize("seed", range(6))
def test_the_state_at_every_position_is_what_replaying_the_changes_before_it_gives(centre, then, seed):
    history = apply_history(centre, seed)
    assert wrong_positions(then, history) == []


MUTANTS = {
    "a change at the position counts": (
        "(t._epoch, t._version, t._number) < {at}",
        "(t._epoch, t._version, t._number) <= {at}",
    ),
    "history is not asked": ("AND (h._ended_epoch, h._ended_version, h._ended_number) >= {at}", "AND false"),
    "what was held is asked as of now": ("q.closed_batch >= {batch}", "q.closed_batch > {batch}"),
    "nothing is doubtful": (
        "closed_batch IS NOT NULL AND closed_batch = {batch}",
        "false AND closed_batch = {batch}",
    ),
    "what is held always wins": ("(q.epoch, q.version, q.number) > (k._epoch, k._version, k._number)", "true"),
}


def test_every_wrong_version_of_the_question_is_caught_by_the_replay(centre, then, monkeypatch):
    history = apply_history(centre, 0)
    right = reconciling._ROWS
    survivors = []
    for name, (part, wrong) in MUTANTS.items():
        assert part in right, name
        monkeypatch.setattr(reconciling, "_ROWS", right.replace(part, wrong))
        if not wrong_positions(then, history):
            survivors.append(name)
    assert survivors == []


def apply_history(centre: Centre, seed: int) -> list[R | Truncation]:
    """Apply random changes in random batches; return them."""
    chance = random.Random(seed)
    history: list[R | Truncation] = []
    commit = 101
    for _ in range(60):
        history.extend(_change(chance, commit, number) for number in range(chance.randint(1, 4)))
        commit += chance.choice([1, 1, 5])
    for batch in _batches(chance, history):
        parts = [[change] if isinstance(change, R) else change for change in batch]
        centre.apply(*_joined(parts), end=_commit(batch[-1]) + 1)
    return history


def wrong_positions(then: PostgresReconciling, history: list[R | Truncation]) -> list[int]:
    """Return the positions at which the state is not what the changes before it make."""
    wrong = []
    for position in range(101, _commit(history[-1]) + 2):
        observed, doubtful = at(then, position)
        expected = _replayed(history, position)
        sure = {record: image for record, image in observed.items() if record not in doubtful}
        right = sure == {record: image for record, image in expected.items() if record not in doubtful}
        if not right or any(expected.get(record) not in {None, observed[record]} for record in doubtful):
            wrong.append(position)
    return wrong


def _change(chance: random.Random, commit: int, number: int) -> R | Truncation:
    if chance.random() < 0.02:
        return truncation(commit, number=number)
    record = f"r{chance.randint(1, 5)}"
    if chance.random() < 0.25:
        return R(id=record, at=commit, number=number, event="CANCEL", key=record)
    bad = chance.random() < 0.4
    return R(id=record, at=commit, number=number, key=record, name=f"{commit}.{number}", bad=bad)


def _commit(change: R | Truncation) -> int:
    return change.at if isinstance(change, R) else change.version


def _batches(chance: random.Random, history: list[R | Truncation]) -> Iterator[list[R | Truncation]]:
    """Cut a history into batches that end where a commit ends."""
    batch: list[R | Truncation] = []
    for change in history:
        if batch and _commit(batch[-1]) != _commit(change) and chance.random() < 0.25:
            yield batch
            batch = []
        batch.append(change)
    yield batch


def _joined(parts: list[list[R] | Truncation]) -> list[list[R] | Truncation]:
    joined: list[list[R] | Truncation] = []
    for part in parts:
        if isinstance(part, list) and joined and isinstance(joined[-1], list):
            joined[-1].extend(part)
        else:
            joined.append(part)
    return joined


def _replayed(history: list[R | Truncation], position: int) -> State:
    state: State = {}
    for change in history:
        if _commit(change) >= position:
            break
        if isinstance(change, Truncation):
            state.clear()
        elif change.event == "CANCEL":
            state.pop(change.id, None)
        else:
            state[change.id] = change.raw
    return state


def test_the_next_reconciliation_may_begin_as_soon_as_one_has_ended(then):
    for _ in range(50):
        with then.alone(SOURCE):
            pass
