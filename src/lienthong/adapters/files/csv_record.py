"""One CSV record taken apart byte by byte: for the few lines that a pattern cannot prove to be whole."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

QUOTE: Final = b'"'
LINE: Final = b"\n"
QUOTED_LINES_MAX: Final = 1_000  # a value over more lines than this is a quote that was never closed
QUOTED_BYTES_MAX: Final = 64_000_000


class State(enum.Enum):
    """How the reading of a record ended."""

    WHOLE = "whole"
    OPEN = "open"  # a quote is open where the bytes end
    BROKEN = "broken"  # a quote is closed where no field ends, or after too long


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A record, or where it went wrong."""

    state: State
    fields: tuple[bytes, ...] = ()
    end: int = 0  # after the line end


@dataclass(frozen=True, kw_only=True, slots=True)
class _Quoted:
    state: State
    value: bytes = b""
    end: int = 0  # after the closing quote


def read_record(data: bytes, start: int, *, delimiter: bytes, final: bool, width: int | None = None) -> Record:
    """Read the record that begins at ``start``.

    A quote inside a field that does not begin with one is a letter like any other. With ``width``, a quoted value
    that has a whole line of so many fields inside is taken for a quote that was never closed.
    """
    fields: list[bytes] = []
    place = start
    line_end = data.find(LINE, start)
    line_end = len(data) if line_end < 0 else line_end
    while True:
        if data[place : place + 1] == QUOTE:
            quoted = _read_quoted(data, place, delimiter=delimiter, final=final)
            if quoted.state is not State.WHOLE or _hides_rows(quoted.value, delimiter, width):
                return Record(state=State.BROKEN if quoted.state is State.WHOLE else quoted.state)
            fields.append(quoted.value.replace(b'""', b'"'))
            place = quoted.end
            if place > line_end:
                line_end = data.find(LINE, place)
                line_end = len(data) if line_end < 0 else line_end
        else:
            comma = data.find(delimiter, place, line_end)
            end = line_end if comma < 0 else comma
            value = data[place:end]
            fields.append(value.removesuffix(b"\r") if comma < 0 else value)
            place = end
        if data[place : place + 1] != delimiter:
            return Record(state=State.WHOLE, fields=tuple(fields), end=min(line_end + 1, len(data)))
        place += 1


def _read_quoted(data: bytes, opened: int, *, delimiter: bytes, final: bool) -> _Quoted:
    place = opened + 1
    lines = 0
    while True:
        closed = data.find(QUOTE, place)
        far = len(data) if closed < 0 else closed
        lines += data.count(LINE, place, far)
        too_long = far - opened > QUOTED_BYTES_MAX or lines > QUOTED_LINES_MAX
        if too_long or (closed < 0 and final):
            return _Quoted(state=State.BROKEN)
        if closed < 0 or (closed + 1 == len(data) and not final):
            return _Quoted(state=State.OPEN)
        after = data[closed + 1 : closed + 3]
        if after[:1] == QUOTE:
            place = closed + 2
            continue
        if after[:1] in (b"", delimiter, LINE) or after == b"\r\n" or (after == b"\r" and final):
            return _Quoted(state=State.WHOLE, value=data[opened + 1 : closed], end=closed + 1)
        return _Quoted(state=State.BROKEN)


def _hides_rows(value: bytes, delimiter: bytes, width: int | None) -> bool:
    """Return whether a line inside a value is a row of its own by the number of its fields."""
    if width is None or width == 1 or value.count(LINE) <= 1:
        return False
    inner = value.split(LINE)[1:-1]
    return any(line.count(delimiter) == width - 1 for line in inner)
