"""The decoder of pgoutput: bytes written here by hand from the protocol's description."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.adapters.postgres.pgoutput import decode
from lienthong.sources.events import Begin, Commit, Delete, Insert, Message, Origin, Relation, Truncate, Type, Update
from lienthong.sources.refusals import MessageNotUnderstood

UNCHANGED = object()


def tuple_bytes(*values) -> bytes:
    parts = [struct.pack(">H", len(values))]
    for value in values:
        if value is None:
            parts.append(b"n")
        elif value is UNCHANGED:
            parts.append(b"u")
        else:
            parts.append(b"t" + struct.pack(">I", len(value)) + value)
    return b"".join(parts)


def relation_bytes(oid: int, name: str, columns, identity: bytes = b"d", schema: str = "public") -> bytes:
    parts = [b"R", struct.pack(">I", oid), schema.encode(), b"\0", name.encode(), b"\0", identity]
    parts.append(struct.pack(">H", len(columns)))
    for column, is_key in columns:
        parts.append(bytes([is_key]) + column.encode() + b"\0" + struct.pack(">Ii", 25, -1))
    return b"".join(parts)


def test_a_transaction_says_its_commit_at_its_beginning_and_its_end_at_the_end():
    assert decode(b"B" + struct.pack(">qqI", 100, 5, 7)) == Begin(commit=100, time_us=5, transaction=7)
    assert decode(b"C" + struct.pack(">Bqqq", 0, 100, 148, 5)) == Commit(commit=100, end=148, time_us=5)


def test_a_relation_names_its_columns_and_its_key():
    relation = decode(relation_bytes(9, "hộ", [("mã", True), ("tên", False)]))
    assert isinstance(relation, Relation)
    assert (relation.oid, relation.schema, relation.table, relation.identity) == (9, "public", "hộ", "d")
    assert [(column.name, column.identifies) for column in relation.columns] == [("mã", True), ("tên", False)]


def test_a_relation_without_a_schema_is_of_the_catalogue():
    assert decode(relation_bytes(9, "t", [], schema="")).schema == "pg_catalog"


def test_an_insert_keeps_null_and_empty_apart():
    message = b"I" + struct.pack(">I", 9) + b"N" + tuple_bytes(b"", None, b"x")
    assert decode(message) == Insert(relation=9, new=[b"", None, b"x"])


def test_an_update_marks_what_was_not_sent():
    message = b"U" + struct.pack(">I", 9) + b"N" + tuple_bytes(b"1", UNCHANGED, None)
    assert decode(message) == Update(relation=9, new=[b"1", None, None], unchanged=(1,), old_kind="", old=None)


@pytest.mark.parametrize("kind", ["K", "O"])
def test_an_update_may_carry_the_old_row(kind):
    message = b"U" + struct.pack(">I", 9) + kind.encode() + tuple_bytes(b"0", None) + b"N" + tuple_bytes(b"1", b"x")
    assert decode(message) == Update(relation=9, new=[b"1", b"x"], unchanged=(), old_kind=kind, old=[b"0", None])


@pytest.mark.parametrize("kind", ["K", "O"])
def test_a_delete_carries_the_old_row(kind):
    message = b"D" + struct.pack(">I", 9) + kind.encode() + tuple_bytes(b"0", None)
    assert decode(message) == Delete(relation=9, old_kind=kind, old=[b"0", None])


def test_a_truncation_names_all_its_tables():
    assert decode(b"T" + struct.pack(">IBII", 2, 3, 9, 10)) == Truncate(
        relations=(9, 10), cascade=True, restart_identity=True
    )


def test_what_the_platform_does_not_use_is_read_all_the_same():
    assert decode(b"O" + struct.pack(">q", 5) + b"elsewhere\0") == Origin(commit=5, name="elsewhere")
    assert decode(b"Y" + struct.pack(">I", 5) + b"public\0mood\0") == Type(oid=5, schema="public", name="mood")
    assert decode(b"M" + struct.pack(">Bq", 1, 5) + b"p\0" + struct.pack(">I", 2) + b"hi") == Message(
        transactional=True, lsn=5, prefix="p", content=b"hi"
    )


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"Z",
        b"B\0",
        b"I" + struct.pack(">I", 9) + b"K" + tuple_bytes(b"x"),
        b"U" + struct.pack(">I", 9) + b"X" + tuple_bytes(b"x"),
        b"U" + struct.pack(">I", 9) + b"K" + tuple_bytes(b"x"),
        b"D" + struct.pack(">I", 9) + b"N" + tuple_bytes(b"x"),
        b"I" + struct.pack(">I", 9) + b"N" + struct.pack(">H", 1) + b"b" + struct.pack(">I", 1) + b"x",
        b"T" + struct.pack(">IB", 2**31, 0),
    ],
)
def test_what_is_outside_the_protocol_is_refused(message):
    with pytest.raises(MessageNotUnderstood):
        decode(message)


VALUES = st.lists(st.one_of(st.none(), st.just(UNCHANGED), st.binary(max_size=300)), max_size=30)


@given(old=VALUES, new=VALUES)
def test_every_row_comes_back_as_it_was_written(old, new):
    event = decode(b"U" + struct.pack(">I", 9) + b"O" + tuple_bytes(*old) + b"N" + tuple_bytes(*new))
    assert event.new == [None if value is UNCHANGED else value for value in new]
    assert event.old == [None if value is UNCHANGED else value for value in old]
    assert event.unchanged == tuple(place for place, value in enumerate(new) if value is UNCHANGED)


@given(values=VALUES.filter(bool), data=st.data())
def test_a_row_cut_anywhere_or_made_longer_is_refused(values, data):
    message = b"I" + struct.pack(">I", 9) + b"N" + tuple_bytes(*values)
    cut = data.draw(st.integers(min_value=0, max_value=len(message) - 1))
    for wrong in (message[:cut], message + b"\0"):
        with pytest.raises(MessageNotUnderstood):
            decode(wrong)


@given(noise=st.binary(max_size=60))
def test_noise_is_an_event_or_a_refusal_and_nothing_else(noise):
    with suppress(MessageNotUnderstood):
        assert decode(noise) is not None
