"""Which bytes are which letters in MariaDB, and how its numbers are written: the same for snapshot and stream.

Both ways of reading take the bytes as they are stored and make text here, so that a value cannot come out in two
forms. What cannot be read stays bytes that are no UTF-8: the stages after this one mark it as damaged.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final

from lienthong.sources.refusals import ColumnNotFollowed

Decode = Callable[[bytes], bytes]
"""Turn stored bytes into UTF-8."""

UTF8: Final = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii"})
BINARY: Final = "binary"

_CODECS: Final[Mapping[str, str]] = {
    "armscii8": "", "big5": "big5", "binary": "", "cp1250": "cp1250", "cp1251": "cp1251", "cp1256": "cp1256",
    "cp1257": "cp1257", "cp850": "cp850", "cp852": "cp852", "cp866": "cp866", "cp932": "cp932",
    "eucjpms": "euc_jp", "euckr": "euc_kr", "gb2312": "gb2312", "gbk": "gbk", "greek": "iso8859_7",
    "hebrew": "iso8859_8", "koi8r": "koi8_r", "koi8u": "koi8_u", "latin1": "cp1252", "latin2": "iso8859_2",
    "latin5": "iso8859_9", "latin7": "iso8859_13", "macce": "mac_latin2", "macroman": "mac_roman",
    "sjis": "shift_jis", "tis620": "tis_620", "ucs2": "utf_16_be", "ujis": "euc_jp", "utf16": "utf_16_be",
    "utf16le": "utf_16_le", "utf32": "utf_32_be",
}  # fmt: skip
_NO_UTF8: Final = b"\xff"  # marks what could not be read: its bytes, shown after it, may look like UTF-8 by accident

_single = struct.Struct("<f")


def decoder_of(charset: str, *, table: str, column: str) -> Decode | None:
    """Return how to make UTF-8 of a character set; None where the bytes are UTF-8 or are kept as they are.

    Raises:
        ColumnNotFollowed: nobody here knows the character set.
    """
    if charset in UTF8:
        return None
    codec = _CODECS.get(charset, "")
    if not codec:
        raise ColumnNotFollowed(table=table, column=column, reason=f"its character set is {charset}")
    # MariaDB's latin1 is cp1252 whose five empty places are control characters.
    control = charset == "latin1"

    def decode(raw: bytes) -> bytes:
        try:
            return raw.decode(codec).encode()
        except UnicodeDecodeError:
            if control:
                return "".join(_western(byte) for byte in raw).encode()
            return _NO_UTF8 + raw.decode("ascii", "backslashreplace").encode()

    return decode


def _western(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def hexadecimal(raw: bytes) -> bytes:
    r"""Return bytes as text the way PostgreSQL writes them: ``\x00ff``."""
    return b"\\x" + raw.hex().encode()


def double_text(value: float) -> bytes:
    """Return the shortest text that gives the same double again."""
    return repr(value).replace("e+", "e").removesuffix(".0").encode()


def single_text(value: float) -> bytes:
    """Return the shortest text that gives the same single-precision number again."""
    packed = _single.pack(value)
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if _single.pack(float(text)) == packed:
            return double_text(float(text))
    raise AssertionError("nine digits tell any two single-precision numbers apart")


def bits_text(raw: bytes, bits: int) -> bytes:
    """Return a BIT value as its digits, all of them."""
    return f"{int.from_bytes(raw, 'big'):0{bits}b}".encode()
