"""Decode messages of PostgreSQL's ``pgoutput`` plugin, protocol version 1: bytes in, events out, no I/O.

Values stay the bytes the server sent; ``assembly`` turns whole columns of them into text at once. Protocol 1 does not
stream transactions in progress: the source keeps a huge one on its own disk until it commits, then sends it whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from lienthong.sources.events import (
    Begin,
    Commit,
    Delete,
    Event,
    Insert,
    Message,
    Origin,
    Relation,
    RelationColumn,
    Truncate,
    Type,
    Update,
    Values,
)
from lienthong.sources.refusals import MessageNotUnderstood

_TEXT, _NULL, _UNCHANGED = ord("t"), ord("n"), ord("u")
_INSERT, _UPDATE, _DELETE = ord("I"), ord("U"), ord("D")
_NEW, _KEY, _OLD = ord("N"), ord("K"), ord("O")
_PAD = b"\0\0\0\0"  # lets the kind and the length be read in one step, also for a null at the very end

_kind_length = struct.Struct(">BI").unpack_from
_u32 = struct.Struct(">I").unpack_from
_begin = struct.Struct(">qqI").unpack_from
_commit = struct.Struct(">Bqqq").unpack_from
_lsn = struct.Struct(">q").unpack_from
_truncate = struct.Struct(">IB").unpack_from
_message = struct.Struct(">Bq").unpack_from
_column = struct.Struct(">Ii").unpack_from


def _values(data: bytes, at: int) -> tuple[Values, tuple[int, ...], int]:
    """Read a tuple: its values, the places marked unchanged, and where it ends."""
    count = data[at] << 8 | data[at + 1]
    at += 2
    values: Values = []
    append = values.append
    unchanged: tuple[int, ...] = ()
    for place in range(count):
        kind, length = _kind_length(data, at)
        if kind == _TEXT:
            at += 5
            end = at + length
            append(data[at:end])
            at = end
        elif kind == _NULL:
            append(None)
            at += 1
        elif kind == _UNCHANGED:
            append(None)
            unchanged += (place,)
            at += 1
        else:
            raise MessageNotUnderstood(reason=f"value of kind {kind}")
    return values, unchanged, at


def _text(data: bytes, at: int) -> tuple[str, int]:
    """Read a text that ends with a zero byte."""
    end = data.index(b"\0", at)
    return data[at:end].decode("utf-8", "backslashreplace"), end + 1


def _relation(data: bytes) -> Relation:
    (oid,) = _u32(data, 1)
    schema, at = _text(data, 5)
    table, at = _text(data, at)
    identity = chr(data[at])
    count = data[at + 1] << 8 | data[at + 2]
    at += 3
    columns = []
    for _ in range(count):
        identifies = data[at] == 1
        name, at = _text(data, at + 1)
        type_oid, type_modifier = _column(data, at)
        at += 8
        columns.append(
            RelationColumn(name=name, type_oid=type_oid, type_modifier=type_modifier, identifies=identifies)
        )
    # An empty schema name stands for pg_catalog in the protocol.
    return Relation(oid=oid, schema=schema or "pg_catalog", table=table, identity=identity, columns=tuple(columns))


def _update(data: bytes) -> tuple[Update, int]:
    (relation,) = _u32(data, 1)
    kind = data[5]
    if kind == _NEW:
        new, unchanged, end = _values(data, 6)
        return Update(relation, new, unchanged, "", None), end
    if kind not in (_KEY, _OLD):
        raise MessageNotUnderstood(reason=f"tuple of kind {kind} in an update")
    old, _, at = _values(data, 6)
    if data[at] != _NEW:
        raise MessageNotUnderstood(reason="an update without its new tuple")
    new, unchanged, end = _values(data, at + 1)
    return Update(relation, new, unchanged, chr(kind), old), end


def _delete(data: bytes) -> tuple[Delete, int]:
    (relation,) = _u32(data, 1)
    if data[5] not in (_KEY, _OLD):
        raise MessageNotUnderstood(reason=f"tuple of kind {data[5]} in a delete")
    old, _, end = _values(data, 6)
    return Delete(relation, chr(data[5]), old), end


def _insert(data: bytes) -> tuple[Insert, int]:
    if data[5] != _NEW:
        raise MessageNotUnderstood(reason="an insert without its new tuple")
    values, _, end = _values(data, 6)
    return Insert(_u32(data, 1)[0], values), end


def _decode_commit(data: bytes) -> Commit:
    _, commit, end, time_us = _commit(data, 1)
    return Commit(commit, end, time_us)


def _decode_truncate(data: bytes) -> Truncate:
    count, options = _truncate(data, 1)
    relations = struct.unpack_from(f">{count}I", data, 6)
    return Truncate(tuple(relations), bool(options & 1), bool(options & 2))


def _decode_type(data: bytes) -> Type:
    schema, at = _text(data, 5)
    return Type(_u32(data, 1)[0], schema or "pg_catalog", _text(data, at)[0])


def _decode_message(data: bytes) -> Message:
    flags, lsn = _message(data, 1)
    prefix, at = _text(data, 10)
    (length,) = _u32(data, at)
    return Message(bool(flags & 1), lsn, prefix, data[at + 4 : at + 4 + length])


RARE: Mapping[int, Callable[[bytes], Event]] = {  # what comes a few times in a transaction, not once a change
    ord("B"): lambda data: Begin(*_begin(data, 1)),
    ord("C"): _decode_commit,
    ord("R"): _relation,
    ord("T"): _decode_truncate,
    ord("Y"): _decode_type,
    ord("O"): lambda data: Origin(_lsn(data, 1)[0], _text(data, 9)[0]),
    ord("M"): _decode_message,
}


def decode(message: bytes) -> Event:
    """Decode one message.

    Raises:
        MessageNotUnderstood: the bytes are not a message of protocol version 1.
    """
    try:
        kind = message[0]
        data = message + _PAD
        event: Event
        if kind == _INSERT:
            event, end = _insert(data)
        elif kind == _UPDATE:
            event, end = _update(data)
        elif kind == _DELETE:
            event, end = _delete(data)
        else:
            return RARE[kind](message)
    except KeyError as cause:
        raise MessageNotUnderstood(reason=f"message of kind {message[0]}") from cause
    except (struct.error, IndexError, ValueError) as cause:
        raise MessageNotUnderstood(reason="the message is cut short") from cause
    if end != len(message):
        raise MessageNotUnderstood(reason="the message is longer or shorter than its values")
    return event
