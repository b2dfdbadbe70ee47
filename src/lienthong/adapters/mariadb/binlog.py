"""Decode MariaDB's binary log in row format: events of the server in, our events out, no I/O.

A position is the number of the log file and the place in it, in one integer: ``number << 32 | place``. A transaction
is known by where it begins; whatever begins at or after a stored end comes again.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lienthong.adapters.mariadb.table_map import Charsets, TableMap, length, read_table_map
from lienthong.adapters.mariadb.values import Read, read_rows, reader_of
from lienthong.sources.change import TableName
from lienthong.sources.events import Begin, Commit, Delete, Event, Insert, Relation, RelationColumn, Truncate, Update
from lienthong.sources.refusals import LogNotFollowed, MessageNotUnderstood

MICROSECONDS: Final = 1_000_000
HEADER_BYTES: Final = 19
FILE_SHIFT: Final = 32
SUM_BYTES: Final = 4
_CRC32: Final = 1

QUERY, STOP, ROTATE, FORMAT, XID, TABLE_MAP, INCIDENT, HEARTBEAT = 2, 3, 4, 15, 16, 19, 26, 27
_XA_PREPARE, _ANNOTATE, _CHECKPOINT, _GTID, _GTID_LIST, _START_ENCRYPTION, _QUERY_COMPRESSED = (
    38, 160, 161, 162, 163, 164, 165,
)  # fmt: skip
_PASSED_BY: Final = frozenset({STOP, FORMAT, _ANNOTATE, _CHECKPOINT, _GTID_LIST, _START_ENCRYPTION, 5, 13, 14})
_INSERT, _UPDATE, _DELETE = "insert", "update", "delete"
_ROWS: Final = {  # kind, second form, compressed
    23: (_INSERT, False, False), 24: (_UPDATE, False, False), 25: (_DELETE, False, False),
    30: (_INSERT, True, False), 31: (_UPDATE, True, False), 32: (_DELETE, True, False),
    166: (_INSERT, False, True), 167: (_UPDATE, False, True), 168: (_DELETE, False, True),
    169: (_INSERT, True, True), 170: (_UPDATE, True, True), 171: (_DELETE, True, True),
}  # fmt: skip
_STANDALONE, _PREPARED_XA = 1, 64

_header = struct.Struct("<IBIIIH").unpack_from
_gtid = struct.Struct("<QIB").unpack_from
_query = struct.Struct("<IIBHH").unpack_from

_NAME = r"(?:`(?P<s{0}>(?:[^`]|``)+)`|(?P<p{0}>[\w$]+))"
_TRUNCATE: Final = re.compile(
    r"\s*TRUNCATE\s+(?:TABLE\s+)?" + f"(?:{_NAME.format(1)}\\s*\\.\\s*)?{_NAME.format(2)}", re.IGNORECASE
)
_COMMENTS: Final = re.compile(r"\A(?:\s|/\*(?!!).*?\*/|--[^\n]*\n|#[^\n]*\n)+", re.DOTALL)
_WRITES: Final = re.compile(r"(?:INSERT|UPDATE|DELETE|REPLACE|LOAD|WITH|CALL)\b", re.IGNORECASE)
_MOVES: Final = re.compile(
    r"(?:DROP|RENAME)\s+TABLE\b|ALTER\s+TABLE\b.*\bRENAME\s+(?!COLUMN\b|INDEX\b|KEY\b)", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Beat:
    """The server has sent everything before ``place`` of the present file."""

    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """A table map made ready for its rows; ``readers`` is empty for tables the link does not follow."""

    relation: Relation | None
    readers: tuple[Read, ...] = ()


class Decoder:
    """Turn the events of one connection into ours, in order."""

    def __init__(self, *, followed: frozenset[TableName], charsets: Charsets, file_number: int) -> None:
        self.in_transaction = False
        self._followed = followed
        self._charsets = charsets
        self._file = file_number
        self._maps: dict[bytes, _Table] = {}  # by everything a table map says
        self._tables: dict[int, _Table] = {}  # by the server's number, until the next log file
        self._numbers: dict[tuple[str, str], int] = {}  # ours: stays when the server's changes
        self._begun = 0
        self._time_us = 0
        self._standalone = False
        self._prepared = False
        self._database = ""
        self._summed = False

    def decode(self, event: bytes) -> Iterable[Event | Beat]:
        """Return what an event means; most mean nothing.

        Raises:
            LogNotFollowed: the log holds something that cannot be followed without loss.
            MessageNotUnderstood: the bytes are not what the format says.
        """
        seconds, kind, _, size, end, _ = _header(event)
        if size != len(event):
            raise MessageNotUnderstood(reason=f"an event of {len(event)} bytes that says it has {size}")
        event = self._checked(event, kind)
        rows = _ROWS.get(kind)
        if rows is not None:
            return self._rows(event, *rows)
        if kind == TABLE_MAP:
            return self._declare(event)
        if kind == _GTID:
            return (self._begin(event, seconds, end, size),)
        if kind == XID:
            return (self._commit(end),)
        if kind in {QUERY, _QUERY_COMPRESSED}:
            return self._statement(event, end, compressed=kind == _QUERY_COMPRESSED)
        return self._seldom(event, kind, end)

    def _checked(self, event: bytes, kind: int) -> bytes:
        """Return an event without its checksum, once it is known to be right."""
        if kind == FORMAT:
            # The description of a file says, before its own checksum, whether the file's events have any.
            self._summed = event[-5] == _CRC32
            return event
        if kind == ROTATE or self._summed:
            body = event[:-SUM_BYTES]
            if zlib.crc32(body) == int.from_bytes(event[-SUM_BYTES:], "little"):
                return body
            if kind != ROTATE:  # one is made up before the first file is described
                raise MessageNotUnderstood(reason="an event whose checksum is wrong")
        return event

    def _seldom(self, event: bytes, kind: int, end: int) -> Iterator[Event | Beat]:
        """Take what comes once a file or once a second."""
        if kind == ROTATE:
            self._file = file_number(event[HEADER_BYTES + 8 :])
            self._tables.clear()
        elif kind == HEARTBEAT:
            yield Beat(position=self._file << FILE_SHIFT | end)
        elif kind == _XA_PREPARE:
            yield from self._prepare(end)
        elif kind == INCIDENT:
            raise LogNotFollowed(reason="the server noted an incident: changes may be missing from its log")
        elif kind not in _PASSED_BY:
            raise LogNotFollowed(reason=f"events of kind {kind} are not read")

    def _begin(self, event: bytes, seconds: int, end: int, size: int) -> Begin:
        flags = _gtid(event, HEADER_BYTES)[2]
        self._standalone = bool(flags & _STANDALONE)
        self._prepared = bool(flags & _PREPARED_XA)
        self.in_transaction = True
        self._begun = self._file << FILE_SHIFT | (end - size)
        self._time_us = seconds * MICROSECONDS
        return Begin(commit=self._begun, time_us=self._time_us, transaction=0)

    def _commit(self, end: int) -> Commit:
        self.in_transaction = False
        return Commit(commit=self._begun, end=self._file << FILE_SHIFT | end, time_us=self._time_us)

    def _prepare(self, end: int) -> Iterator[Event]:
        """End a prepared XA transaction: only one without rows of ours may pass."""
        self._prepared = False
        yield self._commit(end)

    def _statement(self, event: bytes, end: int, *, compressed: bool) -> Iterator[Event]:
        _, _, database_bytes, _, status_bytes = _query(event, HEADER_BYTES)
        at = HEADER_BYTES + 13 + status_bytes
        self._database = event[at : at + database_bytes].decode("utf-8", "replace")
        raw = event[at + database_bytes + 1 :]
        text = (decompress(raw) if compressed else raw).decode("utf-8", "replace")
        text = _COMMENTS.sub("", text)
        word = text[:8].rstrip("; \n").upper()
        if word == "BEGIN":
            return
        if word == "COMMIT":
            yield self._commit(end)
            return
        if word == "ROLLBACK":
            raise LogNotFollowed(
                reason="a transaction was rolled back after its rows were logged (engine without undo)"
            )
        yield from self._change_of_tables(text)
        if self._standalone:
            yield self._commit(end)

    def _change_of_tables(self, text: str) -> Iterator[Event]:
        """Take a truncation; stop at statements that change followed tables without rows."""
        found = _TRUNCATE.match(text)
        if found is not None:
            schema = (found["s1"] or found["p1"] or self._database).replace("``", "`")
            table = (found["s2"] or found["p2"]).replace("``", "`")
            if TableName(schema=schema, table=table) in self._followed:
                number = self._numbers.get((schema, table))
                yield from self._emptied(schema, table, number)
            return
        if not any(_names(text, name) for name in self._followed):
            return
        if _WRITES.match(text):
            raise LogNotFollowed(reason="a table of the link was changed in statement format (binlog_format)")
        if _MOVES.match(text):
            raise LogNotFollowed(reason="a table of the link was dropped or renamed")

    def _emptied(self, schema: str, table: str, number: int | None) -> Iterator[Event]:
        if number is None:
            # Nothing was declared yet: the source asks the catalogue for a table without columns here.
            number = self._number_of(schema, table)
            yield Relation(oid=number, schema=schema, table=table, identity="?", columns=())
        yield Truncate(relations=(number,), cascade=False, restart_identity=True)

    def _number_of(self, schema: str, table: str) -> int:
        return self._numbers.setdefault((schema, table), len(self._numbers) + 1)

    def _declare(self, event: bytes) -> Iterator[Event]:
        at = HEADER_BYTES
        number = int.from_bytes(event[at : at + 6], "little")
        said = event[at + 8 :]
        table = self._maps.get(said)
        if table is None:
            table = self._maps[said] = self._made_ready(event, at + 8)
        self._tables[number] = table
        if table.relation is not None:
            yield table.relation

    def _made_ready(self, event: bytes, at: int) -> _Table:
        schema_bytes = event[at]
        table_bytes = event[at + 2 + schema_bytes]
        schema = event[at + 1 : at + 1 + schema_bytes].decode()
        table = event[at + 3 + schema_bytes : at + 3 + schema_bytes + table_bytes].decode()
        if TableName(schema=schema, table=table) not in self._followed:
            return _Table(relation=None)
        declared = read_table_map(event, at, len(event), charsets=self._charsets)
        return _Table(
            relation=self._relation(declared),
            readers=tuple(reader_of(column, table=f"{schema}.{table}") for column in declared.columns),
        )

    def _relation(self, declared: TableMap) -> Relation:
        return Relation(
            oid=self._number_of(declared.schema, declared.table),
            schema=declared.schema,
            table=declared.table,
            identity="f",
            columns=tuple(
                RelationColumn(
                    name=column.name, type_oid=column.type_code, type_modifier=column.metadata,
                    identifies=place in declared.key,
                )
                for place, column in enumerate(declared.columns)
            ),
        )  # fmt: skip

    def _rows(self, event: bytes, kind: str, second_form: bool, compressed: bool) -> Iterator[Event]:
        at = HEADER_BYTES
        number = int.from_bytes(event[at : at + 6], "little")
        at += 8
        table = self._tables.get(number)
        if table is None:
            raise MessageNotUnderstood(reason="rows of a table that was not declared")
        if table.relation is None:
            return
        if self._prepared:
            raise LogNotFollowed(reason="a table of the link was changed in an XA transaction")
        if second_form:
            at += event[at] | event[at + 1] << 8
        count, at = length(event, at)
        images = 2 if kind == _UPDATE else 1
        bitmap = (count + 7) // 8
        present = int.from_bytes(event[at : at + bitmap], "little")
        after = int.from_bytes(event[at + bitmap : at + 2 * bitmap], "little") if images > 1 else present
        whole = (1 << count) - 1
        if count != len(table.readers) or present != whole or after != whole:
            raise LogNotFollowed(reason="rows without all their columns (binlog_row_image is not FULL)")
        at += bitmap * images
        data, end = event, len(event)
        if compressed:
            data = decompress(event[at:])
            at, end = 0, len(data)
        oid = table.relation.oid
        rows = read_rows(table.readers, data, at, end, images=images)
        if kind == _INSERT:
            yield from (Insert(relation=oid, new=row[0]) for row in rows)
        elif kind == _DELETE:
            yield from (Delete(relation=oid, old_kind="O", old=row[0]) for row in rows)
        else:
            yield from (
                Update(relation=oid, new=after, unchanged=(), old_kind="O", old=before) for before, after in rows
            )


def _names(text: str, name: TableName) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name.table)}(?![\w$])", text, re.IGNORECASE) is not None


def file_number(name: bytes) -> int:
    """Return the number at the end of a log file's name."""
    digits = name.rstrip(b"\0").rpartition(b".")[2]
    if not digits.isdigit():
        raise MessageNotUnderstood(reason="a log file whose name does not end in a number")
    return int(digits)


def decompress(data: bytes) -> bytes:
    """Undo the server's own compression of an event's body.

    Raises:
        MessageNotUnderstood: it is another method, or the size is not what it says.
    """
    if not data[0] & 0x80 or data[0] >> 4 & 7:
        raise MessageNotUnderstood(reason="an event compressed in an unknown way")
    size_bytes = data[0] & 7
    size = int.from_bytes(data[1 : 1 + size_bytes], "big")
    # The limit is what the event says, so that a few bytes cannot fill the memory.
    body = zlib.decompressobj().decompress(data[1 + size_bytes :], size + 1)
    if len(body) != size:
        raise MessageNotUnderstood(reason="a compressed event of another size than it says")
    return body
