"""Cut a CSV file into records, so that one damaged line never costs the lines after it.

Nearly all lines are proved to be whole by one pattern over the block and are taken apart by Arrow; only the others
are looked at one by one. Memory is bounded by the block and by the longest line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from lienthong.adapters.files.csv_record import LINE, QUOTE, QUOTED_BYTES_MAX, State, read_record

LINE_BYTES_MAX: Final = 64_000_000


class TooLong(Exception):
    """A line is longer than a row can be."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__()


@dataclass(frozen=True, kw_only=True, slots=True)
class Single:
    """A record that was taken apart alone; without fields it is the text of a line that could not be."""

    line: int
    fields: tuple[bytes, ...] | None
    text: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """Records of a block: whole lines for Arrow, with their line numbers, and the single ones."""

    plain: bytes
    plain_lines: pl.Series
    singles: tuple[Single, ...]
    blank: int
    lines: int  # physical lines of the frame
    several: int  # records over more than one line
    consumed: int  # bytes


@dataclass(kw_only=True, slots=True)
class Framer:
    """Cut blocks of UTF-8 bytes into frames, each ending where a record ends."""

    delimiter: bytes
    width: int
    next_line: int
    _rest: bytes = b""
    _whole: str = field(init=False)

    def __post_init__(self) -> None:
        plain = f'[^{re.escape(self.delimiter.decode())}"\\n\\r\\x00]*'
        value = f'(?:"(?:[^"\\x00]|"")*"|{plain})'
        self._whole = f"^{value}(?:{re.escape(self.delimiter.decode())}{value})*\\r?$"

    def frames(self, blocks: Iterator[bytes]) -> Iterator[Frame]:
        """Yield the frames of a file, in order."""
        for block in blocks:
            yield from self._cut(block, final=False)
        yield from self._cut(b"", final=True)

    def _cut(self, block: bytes, *, final: bool) -> Iterator[Frame]:
        data = self._rest + block
        end = len(data) if final else data.rfind(LINE) + 1
        if len(data) - end > LINE_BYTES_MAX:
            raise TooLong(self.next_line + data.count(LINE, 0, end))
        body, self._rest = data[:end], data[end:]
        if final and body and not body.endswith(LINE):
            body += LINE
        if body:
            yield self._frame(body, final=final)

    def _frame(self, body: bytes, *, final: bool) -> Frame:
        lines = body.count(LINE)
        if self._is_plain(body):
            numbers = pl.int_range(self.next_line, self.next_line + lines, eager=True)
            self.next_line += lines
            return Frame(
                plain=body, plain_lines=numbers, singles=(), blank=0, lines=lines, several=0, consumed=len(body)
            )
        return self._frame_by_line(body, final=final)

    @staticmethod
    def _is_plain(body: bytes) -> bool:
        """Return whether no line of the block needs a look."""
        if QUOTE in body or b"\0" in body or body.startswith((b"\n", b"\r\n")) or b"\n\n" in body:
            return False
        if b"\r" in body and (b"\n\r\n" in body or body.count(b"\r") != body.count(b"\r\n")):
            return False
        return _is_text(pl.Series([body], dtype=pl.Binary))

    def _frame_by_line(self, body: bytes, *, final: bool) -> Frame:
        texts = body.split(LINE)
        texts.pop()
        raw = pl.Series(texts, dtype=pl.Binary)
        text = raw.cast(pl.String) if _is_text(raw) else pl.Series([_text(each) for each in texts], dtype=pl.String)
        whole = text.str.contains(self._whole).fill_null(value=False)
        blank = ((text == "") | (text == "\r")).fill_null(value=False)
        taken = [] if whole.all() else (~whole).arg_true().to_list()
        ends = (raw.bin.size().cast(pl.Int64) + 1).cum_sum().to_list() if taken else []
        found = self._singles(body, texts, taken, ends, final=final)
        if found.kept < len(texts):  # a value is still open where the block ends
            cut = ends[found.kept - 1] if found.kept else 0
            self._rest = body[cut:] + self._rest
            body = body[:cut]
            raw, blank = raw.head(found.kept), blank.head(found.kept)
        keep = ~blank
        if found.lines:
            keep = keep.scatter([each for each in found.lines if each < found.kept], False)
            blank = blank.scatter([each for each in found.lines if each < found.kept], False)
        numbers = pl.int_range(self.next_line, self.next_line + found.kept, eager=True).filter(keep)
        plain = body if keep.all() else b"".join(each + LINE for each in raw.filter(keep))
        self.next_line += found.kept
        return Frame(
            plain=plain,
            plain_lines=numbers,
            singles=tuple(found.singles),
            blank=int(blank.sum()),
            lines=found.kept,
            several=found.several,
            consumed=len(body),
        )

    def _singles(self, body: bytes, texts: list[bytes], taken: list[int], ends: list[int], *, final: bool) -> _Found:
        """Look at the lines that are not proved whole, and at those that belong to them."""
        found = _Found(kept=len(texts))
        after = 0  # first line that no record has taken yet
        for place in taken:
            if place < after:
                continue
            start = ends[place - 1] if place else 0
            record = read_record(body, start, delimiter=self.delimiter, final=final, width=self.width)
            if record.state is State.OPEN and len(body) - start + len(self._rest) <= QUOTED_BYTES_MAX:
                found.kept = place
                return found
            line = self.next_line + place
            if record.state is State.WHOLE:
                last = bisect_left(ends, record.end, lo=place)
                found.singles.append(Single(line=line, fields=record.fields))
                found.several += last > place
            else:
                last = place
                found.singles.append(Single(line=line, fields=None, text=texts[place]))
            found.lines.extend(range(place, last + 1))
            after = last + 1
        return found


def _is_text(raw: pl.Series) -> bool:
    try:
        raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return True


def _text(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


@dataclass(kw_only=True, slots=True)
class _Found:
    kept: int  # lines of the block that belong to finished records
    singles: list[Single] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # that the singles take
    several: int = 0
