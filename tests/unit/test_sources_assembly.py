"""From events to deliveries: segments, boundaries, old keys, damaged bytes."""

from __future__ import annotations

import polars as pl
import pytest

from lienthong.sources import assembly as module
from lienthong.sources.assembly import Assembly, text_frame
from lienthong.sources.change import META_SCHEMA, Position, SourceColumn, SourceId, SourceTable, TableName
from lienthong.sources.events import Begin, Commit, Delete, Insert, Relation, RelationColumn, Truncate, Update
from lienthong.sources.refusals import MessageNotUnderstood, TransactionTooLarge

A, B = 1, 2


def relation(oid: int, *names: str) -> Relation:
    return Relation(
        oid=oid,
        schema="public",
        table=f"t{oid}",
        identity="d",
        columns=tuple(
            RelationColumn(name=name, type_oid=25, type_modifier=-1, identifies=place == 0)
            for place, name in enumerate(names)
        ),
    )


def table_of(declared: Relation) -> SourceTable:
    return SourceTable(
        name=TableName(schema=declared.schema, table=declared.table),
        columns=tuple(SourceColumn(name=column.name, type_name="text") for column in declared.columns),
        key=tuple(column.name for column in declared.columns if column.identifies),
    )


def collect(*events, after: int = 0) -> Assembly:
    assembly = Assembly(source=SourceId("s"), after=Position(commit=after), table_of=table_of)
    for event in events:
        assembly.take(event, 100)
    return assembly


def transaction(commit: int, *events):
    return (Begin(commit, 0, 1), *events, Commit(commit, commit + 10, 0))


def test_rows_become_columns_with_their_place_in_the_transaction():
    delivery = collect(
        relation(A, "k", "v"),
        *transaction(
            100, Insert(A, [b"1", b"x"]), Update(A, [b"1", None], (), "", None), Delete(A, "K", [b"1", None])
        ),
    ).deliver()
    (batch,) = delivery.batches
    assert batch.rows.to_dict(as_series=False) == {"k": ["1", "1", "1"], "v": ["x", None, None]}
    assert batch.meta.schema == dict(META_SCHEMA)
    assert batch.meta["operation"].to_list() == ["insert", "update", "delete"]
    assert batch.meta["number"].to_list() == [0, 1, 2]
    assert batch.meta["time"].dt.year().to_list() == [2000] * 3
    assert delivery.end == Position(commit=110)


def test_tables_of_one_transaction_share_the_count():
    delivery = collect(
        relation(A, "k"), relation(B, "k"), *transaction(1, Insert(A, [b"1"]), Insert(B, [b"1"]), Insert(A, [b"2"]))
    ).deliver()
    numbers = {batch.table.name.table: batch.meta["number"].to_list() for batch in delivery.batches}
    assert numbers == {"t1": [0, 2], "t2": [1]}


def test_a_truncation_stands_alone_between_what_was_before_and_after():
    delivery = collect(
        relation(A, "k"),
        relation(B, "k"),
        *transaction(
            1, Insert(A, [b"1"]), Truncate((A, B), cascade=False, restart_identity=False), Insert(A, [b"2"])
        ),
    ).deliver()
    steps = [(batch.table.name.table, batch.meta["operation"].to_list()) for batch in delivery.batches]
    assert steps == [("t1", ["insert"]), ("t1", ["truncate"]), ("t2", ["truncate"]), ("t1", ["insert"])]
    assert delivery.read == 4


def test_a_table_declared_anew_starts_a_segment_and_the_same_again_does_not():
    delivery = collect(
        relation(A, "k"),
        *transaction(1, Insert(A, [b"1"])),
        relation(A, "k"),
        *transaction(20, Insert(A, [b"2"])),
        *transaction(40, relation(A, "k", "v"), Insert(A, [b"3", b"x"])),
    ).deliver()
    assert [batch.rows.columns for batch in delivery.batches] == [["k"], ["k", "v"]]
    assert delivery.batches[0].rows["k"].to_list() == ["1", "2"]


def test_a_transaction_before_the_position_is_left_out_and_one_right_at_it_is_taken():
    before = transaction(90, Insert(A, [b"before"]))
    at = transaction(100, Insert(A, [b"at"]))
    delivery = collect(relation(A, "k"), *before, *at, after=100).deliver()
    assert delivery.batches[0].rows["k"].to_list() == ["at"]


def test_a_table_declared_inside_a_left_out_transaction_is_known_afterwards():
    delivery = collect(
        *transaction(90, relation(A, "k"), Insert(A, [b"before"])), *transaction(100, Insert(A, [b"at"])), after=100
    ).deliver()
    assert delivery.batches[0].rows["k"].to_list() == ["at"]


def test_a_key_change_keeps_the_old_key_and_an_equal_one_is_none():
    (batch,) = (
        collect(
            relation(A, "k", "v"),
            *transaction(
                1,
                Update(A, [b"2", None], (1,), "K", [b"1", None]),
                Update(A, [b"2", b"x"], (), "O", [b"2", b"y"]),
                Update(A, [None, b"x"], (0,), "K", [b"2", None]),
            ),
        )
        .deliver()
        .batches
    )
    assert batch.meta["old_key"].to_list() == [["1"], None, None]
    assert batch.meta["unchanged"].to_list() == [["v"], None, None]
    assert batch.rows["k"].to_list() == ["2", "2", "2"]


def test_an_old_whole_row_gives_the_values_that_were_not_sent():
    (batch,) = (
        collect(relation(A, "k", "v"), *transaction(1, Update(A, [b"1", None], (1,), "O", [b"1", b"large"])))
        .deliver()
        .batches
    )
    assert batch.rows["v"].to_list() == ["large"]
    assert batch.meta["unchanged"].to_list() == [None]


def test_bytes_that_are_no_utf8_are_escaped_and_their_columns_named():
    (batch,) = (
        collect(
            relation(A, "k", "v", "w"),
            *transaction(1, Insert(A, [b"1", b"\xff", b"\xc3"]), Insert(A, [b"2", "ấ".encode(), None])),
        )
        .deliver()
        .batches
    )
    assert batch.rows.row(0) == ("1", "\\xff", "\\xc3")
    assert batch.rows.row(1) == ("2", "ấ", None)
    assert batch.meta["damaged"].to_list() == [["v", "w"], None]


def test_nothing_is_handed_over_when_nothing_changed():
    assembly = collect(relation(A, "k"), *transaction(1))
    assert assembly.deliver() is None
    assert assembly.end == 11


def test_chunks_of_one_delivery_are_joined_in_order(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_CHANGES", 3)
    (batch,) = (
        collect(relation(A, "k"), *transaction(1, *(Insert(A, [str(place).encode()]) for place in range(10))))
        .deliver()
        .batches
    )
    assert batch.rows["k"].to_list() == [str(place) for place in range(10)]


@pytest.mark.parametrize("chunk", [2, 3, 100])
def test_an_abandoned_transaction_leaves_only_what_was_complete(monkeypatch, chunk):
    monkeypatch.setattr(module, "CHUNK_CHANGES", chunk)
    assembly = collect(
        relation(A, "k"),
        *transaction(1, Insert(A, [b"1"]), Insert(A, [b"2"])),
        Begin(20, 0, 1),
        Insert(A, [b"3"]),
        Insert(A, [b"4"]),
    )
    assembly.abandon()
    delivery = assembly.deliver()
    assert delivery.batches[0].rows["k"].to_list() == ["1", "2"]
    assert delivery.end == Position(commit=11)


def test_an_abandoned_first_transaction_leaves_nothing():
    assembly = collect(relation(A, "k"), Begin(20, 0, 1), Insert(A, [b"3"]))
    assembly.abandon()
    assert assembly.deliver() is None


def test_a_transaction_of_too_many_bytes_is_refused(monkeypatch):
    monkeypatch.setattr(module, "TRANSACTION_BYTES_MAX", 250)
    with pytest.raises(TransactionTooLarge):
        collect(relation(A, "k"), *transaction(1, *(Insert(A, [b"x"]) for _ in range(3))))


def test_many_small_transactions_together_may_be_larger_than_one(monkeypatch):
    monkeypatch.setattr(module, "TRANSACTION_BYTES_MAX", 250)
    assembly = collect(relation(A, "k"), *(e for n in range(9) for e in transaction(n * 20, Insert(A, [b"x"]))))
    assert assembly.deliver().read == 9


def test_a_change_of_an_unknown_table_or_of_another_width_is_refused():
    with pytest.raises(MessageNotUnderstood):
        collect(*transaction(1, Insert(A, [b"1"])))
    with pytest.raises(MessageNotUnderstood):
        collect(relation(A, "k"), *transaction(1, Insert(A, [b"1", b"2"])))


def test_a_delivery_in_the_middle_of_a_transaction_is_a_fault_of_ours():
    assembly = collect(relation(A, "k"), Begin(1, 0, 1), Insert(A, [b"1"]))
    with pytest.raises(AssertionError):
        assembly.deliver()


def test_a_frame_of_texts_keeps_empty_and_null_apart():
    frame, damaged = text_frame(["a"], [[b"", None, b"x"]])
    assert frame["a"].to_list() == ["", None, "x"]
    assert damaged.dtype == pl.List(pl.String)
