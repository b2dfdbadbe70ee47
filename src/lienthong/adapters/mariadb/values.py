"""Values of MariaDB's row events: stored bytes in, the text the server would write out.

One reader per column, made once per table: (data, place) → (text in UTF-8, next place).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from lienthong.adapters.mariadb.texts import BINARY, bits_text, decoder_of, double_text, hexadecimal, single_text
from lienthong.sources.refusals import ColumnNotFollowed, MessageNotUnderstood

Read = Callable[[bytes, int], tuple[bytes, int]]

TINY, SHORT, LONG, FLOAT, DOUBLE = 1, 2, 3, 4, 5
LONGLONG, INT24, DATE, YEAR, VARCHAR, BIT = 8, 9, 10, 13, 15, 16
TIMESTAMP2, DATETIME2, TIME2 = 17, 18, 19
JSON, NEWDECIMAL, ENUM, SET, BLOB, VAR_STRING, STRING, GEOMETRY = 245, 246, 247, 248, 252, 253, 254, 255

CHARACTER: Final = frozenset({VARCHAR, BLOB, VAR_STRING, STRING})
# Which columns have a bit in a table map's list of signs, and which a place in its list of collations.
WITH_SIGN: Final = frozenset({TINY, SHORT, LONG, FLOAT, DOUBLE, LONGLONG, INT24, NEWDECIMAL, YEAR})
WITH_COLLATION: Final = CHARACTER | {GEOMETRY}
_INTEGERS: Final[Mapping[int, tuple[int, str, str]]] = {  # size, signed, unsigned
    TINY: (1, "<b", "<B"),
    SHORT: (2, "<h", "<H"),
    LONG: (4, "<i", "<I"),
    LONGLONG: (8, "<q", "<Q"),
}
_OLD: Final = {7: "TIMESTAMP", 11: "TIME", 12: "DATETIME", 14: "DATE"}  # forms of servers before MariaDB 10.1
_DIGIT_BYTES: Final = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
_FRACTION: Final = {0: (0, 1), 1: (1, 10_000), 2: (1, 10_000), 3: (2, 100), 4: (2, 100), 5: (3, 1), 6: (3, 1)}
_SIZE: Final = {1: struct.Struct("<B"), 2: struct.Struct("<H"), 4: struct.Struct("<I")}


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredColumn:
    """A column as a table map declares it."""

    name: str
    type_code: int
    metadata: int  # as the type defines it
    unsigned: bool = False
    charset: str = BINARY
    members: tuple[bytes, ...] = ()  # of ENUM and SET, in UTF-8


def reader_of(column: StoredColumn, *, table: str) -> Read:
    """Return how to read a column.

    Raises:
        ColumnNotFollowed: its type or character set is not read by this product.
    """
    code, metadata = column.type_code, column.metadata
    if code in _INTEGERS:
        size, signed, unsigned = _INTEGERS[code]
        return _integer(struct.Struct(unsigned if column.unsigned else signed), size)
    if code in CHARACTER:
        return _characters(column, table=table)
    simple = _SIMPLE.get(code)
    if simple is not None:
        return simple(column)
    name = _OLD.get(code, str(code))
    reason = f"type {name} (metadata {metadata}) is not read"
    raise ColumnNotFollowed(table=table, column=column.name, reason=reason)


def _integer(form: struct.Struct, size: int) -> Read:
    unpack = form.unpack_from

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        return b"%d" % unpack(data, at)[0], at + size

    return read


def _medium(column: StoredColumn) -> Read:
    signed = not column.unsigned

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        return b"%d" % int.from_bytes(data[at : at + 3], "little", signed=signed), at + 3

    return read


def _float(_: StoredColumn) -> Read:
    unpack = struct.Struct("<f").unpack_from
    return lambda data, at: (single_text(unpack(data, at)[0]), at + 4)


def _double(_: StoredColumn) -> Read:
    unpack = struct.Struct("<d").unpack_from
    return lambda data, at: (double_text(unpack(data, at)[0]), at + 8)


def _year(_: StoredColumn) -> Read:
    return lambda data, at: (b"%d" % (data[at] + 1900) if data[at] else b"0000", at + 1)


def _date(_: StoredColumn) -> Read:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        packed = data[at] | data[at + 1] << 8 | data[at + 2] << 16
        return b"%04d-%02d-%02d" % (packed >> 9, packed >> 5 & 15, packed & 31), at + 3

    return read


def _fraction(data: bytes, at: int, size: int, digits: int) -> bytes:
    if not size:
        return b""
    micro = int.from_bytes(data[at : at + size], "big") * _FRACTION[digits][1]
    return b".%06d" % micro if digits == 6 else (b".%06d" % micro)[: digits + 1]  # noqa: PLR2004 - microseconds


def _datetime(column: StoredColumn) -> Read:
    digits = column.metadata
    size = _FRACTION[digits][0]

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        packed = int.from_bytes(data[at : at + 5], "big") - 0x8000000000
        months, day = packed >> 22, packed >> 17 & 31
        text = b"%04d-%02d-%02d %02d:%02d:%02d" % (
            months // 13, months % 13, day, packed >> 12 & 31, packed >> 6 & 63, packed & 63,
        )  # fmt: skip
        return text + _fraction(data, at + 5, size, digits), at + 5 + size

    return read


@cache
def _day(days: int) -> bytes:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat().encode()


def _timestamp(column: StoredColumn) -> Read:
    digits = column.metadata
    size = _FRACTION[digits][0]

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        moment = int.from_bytes(data[at : at + 4], "big")
        fraction = _fraction(data, at + 4, size, digits)
        if moment == 0 and not fraction.strip(b".0"):
            return b"0000-00-00 00:00:00" + fraction, at + 4 + size
        days, rest = divmod(moment, 86_400)
        clock = b" %02d:%02d:%02d" % (rest // 3600, rest // 60 % 60, rest % 60)
        return _day(days) + clock + fraction + b"+00", at + 4 + size

    return read


def _time(column: StoredColumn) -> Read:
    digits = column.metadata
    size, scale = _FRACTION[digits]

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        whole = int.from_bytes(data[at : at + 3 + size], "big") - (0x800000 << 8 * size)
        sign = b"-" if whole < 0 else b""
        whole = abs(whole)
        part = whole & (1 << 8 * size) - 1
        clock = whole >> 8 * size
        text = sign + b"%02d:%02d:%02d" % (clock >> 12 & 0x3FF, clock >> 6 & 63, clock & 63)
        if digits:
            text += (b".%06d" % (part * scale))[: digits + 1]
        return text, at + 3 + size

    return read


def _decimal(column: StoredColumn) -> Read:
    precision, scale = column.metadata >> 8, column.metadata & 0xFF
    whole = precision - scale
    first, full = whole % 9, whole // 9
    full_after, last = scale // 9, scale % 9
    size = _DIGIT_BYTES[first] + full * 4 + full_after * 4 + _DIGIT_BYTES[last]
    groups = [(first, _DIGIT_BYTES[first])] if first else []
    groups += [(9, 4)] * full
    after = [(9, 4)] * full_after + ([(last, _DIGIT_BYTES[last])] if last else [])

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        raw = bytearray(data[at : at + size])
        negative = not raw[0] & 0x80
        raw[0] ^= 0x80
        if negative:
            raw = bytearray(byte ^ 0xFF for byte in raw)
        place = 0
        digits: list[str] = []
        for width, length in groups:
            digits.append(f"{int.from_bytes(raw[place : place + length], 'big'):0{width}d}")
            place += length
        before = "".join(digits).lstrip("0") or "0"
        digits.clear()
        for width, length in after:
            digits.append(f"{int.from_bytes(raw[place : place + length], 'big'):0{width}d}")
            place += length
        text = f"{'-' if negative else ''}{before}{'.' if after else ''}{''.join(digits)}"
        return text.encode(), at + size

    return read


def _bit(column: StoredColumn) -> Read:
    bits = (column.metadata >> 8) * 8 + (column.metadata & 0xFF)
    size = (bits + 7) // 8
    return lambda data, at: (bits_text(data[at : at + size], bits), at + size)


def _enum(column: StoredColumn) -> Read:
    size = column.metadata & 0xFF
    members = column.members

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        place = int.from_bytes(data[at : at + size], "little")
        if place > len(members):
            raise MessageNotUnderstood(reason="an ENUM value that its table map does not name")
        return (members[place - 1] if place else b""), at + size

    return read


def _set(column: StoredColumn) -> Read:
    size = column.metadata & 0xFF
    members = column.members

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        mask = int.from_bytes(data[at : at + size], "little")
        if mask >> len(members):
            raise MessageNotUnderstood(reason="a SET value that its table map does not name")
        return b",".join(member for place, member in enumerate(members) if mask >> place & 1), at + size

    return read


def _geometry(column: StoredColumn) -> Read:
    return _sized(column.metadata, hexadecimal)


def _characters(column: StoredColumn, *, table: str) -> Read:
    code, metadata = column.type_code, column.metadata
    if column.charset == BINARY:
        fixed = metadata if code == STRING else 0
        finish: Callable[[bytes], bytes] | None = (
            (lambda raw: hexadecimal(raw.ljust(fixed, b"\0"))) if fixed else hexadecimal
        )
    else:
        finish = decoder_of(column.charset, table=table, column=column.name)
    if code == BLOB:
        return _sized(metadata, finish)
    return _sized(1 if metadata < 256 else 2, finish)  # noqa: PLR2004 - what a byte can count


def _sized(size: int, finish: Callable[[bytes], bytes] | None) -> Read:
    """Read a length of ``size`` bytes and then so many bytes."""
    if size == 3:  # noqa: PLR2004 - MEDIUMTEXT; struct has no such number

        def length_of(data: bytes, at: int) -> tuple[int]:
            return (data[at] | data[at + 1] << 8 | data[at + 2] << 16,)
    else:
        length_of = _SIZE[size].unpack_from  # type: ignore[assignment] # same shape, other names of arguments

    if finish is None:

        def read(data: bytes, at: int) -> tuple[bytes, int]:
            at += size
            end = at + length_of(data, at - size)[0]
            return data[at:end], end
    else:

        def read(data: bytes, at: int) -> tuple[bytes, int]:
            at += size
            end = at + length_of(data, at - size)[0]
            return finish(data[at:end]), end

    return read


_SIMPLE: Final[Mapping[int, Callable[[StoredColumn], Read]]] = {
    INT24: _medium,
    FLOAT: _float,
    DOUBLE: _double,
    YEAR: _year,
    DATE: _date,
    DATETIME2: _datetime,
    TIMESTAMP2: _timestamp,
    TIME2: _time,
    NEWDECIMAL: _decimal,
    BIT: _bit,
    ENUM: _enum,
    SET: _set,
    GEOMETRY: _geometry,
}


def read_rows(
    readers: Sequence[Read], data: bytes, at: int, end: int, *, images: int
) -> list[tuple[list[bytes | None], ...]]:
    """Read the rows of an event: one image each, or two (before, after) for an update.

    Raises:
        MessageNotUnderstood: the bytes do not end where the event ends.
    """
    count = len(readers)
    null_bytes = (count + 7) // 8
    rows: list[tuple[list[bytes | None], ...]] = []
    image: list[list[bytes | None]] = []
    while at < end:
        nulls = int.from_bytes(data[at : at + null_bytes], "little")
        at += null_bytes
        values: list[bytes | None] = []
        append = values.append
        if nulls:
            for read in readers:
                if nulls & 1:
                    append(None)
                else:
                    value, at = read(data, at)
                    append(value)
                nulls >>= 1
        else:
            for read in readers:
                value, at = read(data, at)
                append(value)
        image.append(values)
        if len(image) == images:
            rows.append(tuple(image))
            image = []
    if at != end or image:
        raise MessageNotUnderstood(reason="row images that do not fill their event")
    return rows
