"""Table maps of MariaDB's binary log: what a table looked like when its rows were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lienthong.adapters.mariadb.texts import BINARY, decoder_of
from lienthong.adapters.mariadb.values import (
    BIT,
    BLOB,
    DATETIME2,
    DOUBLE,
    ENUM,
    FLOAT,
    GEOMETRY,
    JSON,
    NEWDECIMAL,
    SET,
    STRING,
    TIME2,
    TIMESTAMP2,
    VAR_STRING,
    VARCHAR,
    WITH_COLLATION,
    WITH_SIGN,
    StoredColumn,
)
from lienthong.sources.refusals import MessageNotUnderstood

Charsets = Mapping[int, str]
"""Name of the character set of each collation, by its number."""

_SIGNEDNESS, _DEFAULT_CHARSET, _COLUMN_CHARSET, _NAMES, _SET_MEMBERS, _ENUM_MEMBERS = 1, 2, 3, 4, 5, 6
_PRIMARY_KEY, _PRIMARY_KEY_PREFIX, _MEMBERS_DEFAULT_CHARSET, _MEMBERS_CHARSET = 8, 9, 10, 11

_ONE_BYTE: Final = frozenset({FLOAT, DOUBLE, BLOB, GEOMETRY, JSON, TIMESTAMP2, DATETIME2, TIME2, 140, 249, 250, 251})
_TWO_BYTES: Final = frozenset({VARCHAR, 141})


@dataclass(frozen=True, kw_only=True, slots=True)
class TableMap:
    """A table as the log declares it; ``key`` is empty where it has no primary key."""

    schema: str
    table: str
    columns: tuple[StoredColumn, ...]
    key: tuple[int, ...]


def length(data: bytes, at: int) -> tuple[int, int]:
    """Read a length-encoded number."""
    first = data[at]
    if first < 0xFB:  # noqa: PLR2004 - the protocol's mark
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first)
    if size is None:
        raise MessageNotUnderstood(reason="a length that is none")
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = length(data, at)
    return data[at : at + size], at + size


def _metadata(types: bytes, data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (type, metadata) of each column; ENUM and SET hide in STRING."""
    at = 0
    for code in types:
        if code in _ONE_BYTE:
            yield code, data[at]
            at += 1
        elif code in _TWO_BYTES:
            yield code, data[at] | data[at + 1] << 8
            at += 2
        elif code == NEWDECIMAL:
            yield code, data[at] << 8 | data[at + 1]
            at += 2
        elif code == BIT:
            yield code, data[at + 1] << 8 | data[at]
            at += 2
        elif code in {STRING, VAR_STRING, ENUM, SET}:
            first, second = data[at], data[at + 1]
            at += 2
            if first & 0x30 != 0x30:  # noqa: PLR2004 - two bits of the length, upside down, in the type's byte
                yield first | 0x30, second | ((first & 0x30) ^ 0x30) << 4
            else:
                yield first, second
        else:
            yield code, 0
    if at != len(data):
        raise MessageNotUnderstood(reason="metadata of a table map that does not fit its types")


def _pieces(data: bytes, at: int, end: int) -> dict[int, bytes]:
    """Return the optional metadata by its kind."""
    pieces: dict[int, bytes] = {}
    while at < end:
        kind = data[at]
        size, at = length(data, at + 1)
        pieces[kind] = data[at : at + size]
        at += size
    return pieces


def _numbers(data: bytes) -> list[int]:
    numbers: list[int] = []
    at = 0
    while at < len(data):
        number, at = length(data, at)
        numbers.append(number)
    return numbers


def _collations(pieces: Mapping[int, bytes], default: int, single: int, count: int) -> list[int]:
    """Return the collation of each of ``count`` columns, in order."""
    if single in pieces:
        return _numbers(pieces[single])
    if default not in pieces:
        return [0] * count
    first, *pairs = _numbers(pieces[default])
    collations = [first] * count
    for place, collation in zip(pairs[::2], pairs[1::2], strict=True):
        collations[place] = collation
    return collations


def _members(piece: bytes) -> Iterator[tuple[bytes, ...]]:
    at = 0
    while at < len(piece):
        count, at = length(piece, at)
        members: list[bytes] = []
        for _ in range(count):
            member, at = _text(piece, at)
            members.append(member)
        yield tuple(members)


def read_table_map(data: bytes, at: int, end: int, *, charsets: Charsets) -> TableMap:
    """Read the body of a table map from its schema's name on.

    Raises:
        MessageNotUnderstood: it carries no names of columns (``binlog_row_metadata`` is not FULL), or is cut off.
        ColumnNotFollowed: the members of an ENUM or SET are in a character set nobody here knows.
    """
    schema, at = data[at + 1 : at + 1 + data[at]].decode(), at + 2 + data[at]
    table, at = data[at + 1 : at + 1 + data[at]].decode(), at + 2 + data[at]
    count, at = length(data, at)
    types, at = data[at : at + count], at + count
    size, at = length(data, at)
    kinds = list(_metadata(types, data[at : at + size]))
    at += size + (count + 7) // 8
    pieces = _pieces(data, at, end)
    if _NAMES not in pieces:
        raise MessageNotUnderstood(reason=f"table {schema}.{table} without names of columns (binlog_row_metadata)")
    names = _names(pieces[_NAMES])
    if len(names) != count:
        raise MessageNotUnderstood(reason="names of a table map that do not fit its columns")
    unsigned = _unsigned(kinds, pieces.get(_SIGNEDNESS, b""))
    collation = iter(
        _collations(pieces, _DEFAULT_CHARSET, _COLUMN_CHARSET, sum(code in WITH_COLLATION for code, _ in kinds))
    )
    listed = sum(code in {ENUM, SET} for code, _ in kinds)
    of_members = iter(_collations(pieces, _MEMBERS_DEFAULT_CHARSET, _MEMBERS_CHARSET, listed))
    enums, sets = _members(pieces.get(_ENUM_MEMBERS, b"")), _members(pieces.get(_SET_MEMBERS, b""))
    columns: list[StoredColumn] = []
    for place, (code, metadata) in enumerate(kinds):
        charset = BINARY
        members: tuple[bytes, ...] = ()
        if code in WITH_COLLATION:
            charset = charsets.get(next(collation), BINARY)
        elif code in {ENUM, SET}:
            listed_in = charsets.get(next(of_members), "utf8mb4")
            members = _in_utf8(next(enums if code == ENUM else sets, ()), listed_in, table=table, column=names[place])
        columns.append(
            StoredColumn(
                name=names[place], type_code=code, metadata=metadata, unsigned=unsigned[place], charset=charset,
                members=members,
            )
        )  # fmt: skip
    return TableMap(schema=schema, table=table, columns=tuple(columns), key=_key(pieces))


def _in_utf8(members: tuple[bytes, ...], charset: str, *, table: str, column: str) -> tuple[bytes, ...]:
    decode = decoder_of(charset, table=table, column=column)
    return members if decode is None else tuple(decode(member) for member in members)


def _names(piece: bytes) -> list[str]:
    names: list[str] = []
    at = 0
    while at < len(piece):
        name, at = _text(piece, at)
        names.append(name.decode())
    return names


def _unsigned(kinds: list[tuple[int, int]], bits: bytes) -> list[bool]:
    """Say which columns are unsigned; only those with a sign have a bit."""
    unsigned: list[bool] = []
    number = 0
    for code, _ in kinds:
        if code not in WITH_SIGN:
            unsigned.append(False)
            continue
        unsigned.append(number // 8 < len(bits) and bool(bits[number // 8] & 0x80 >> number % 8))
        number += 1
    return unsigned


def _key(pieces: Mapping[int, bytes]) -> tuple[int, ...]:
    if _PRIMARY_KEY in pieces:
        return tuple(_numbers(pieces[_PRIMARY_KEY]))
    return tuple(_numbers(pieces.get(_PRIMARY_KEY_PREFIX, b""))[::2])
