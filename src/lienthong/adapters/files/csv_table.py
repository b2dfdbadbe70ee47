"""A CSV file as a table of texts: encoding, delimiter and header found, then block after block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from lienthong.adapters.files.csv_frames import LINE_BYTES_MAX, Frame, Framer, Single, TooLong
from lienthong.adapters.files.csv_record import LINE, Record, State, read_record
from lienthong.adapters.files.csv_text import Sniffed, sniff, utf8_blocks
from lienthong.adapters.files.header import header_names
from lienthong.dictionary.model import Text
from lienthong.sources.file_block import (
    FLAWED_SCHEMA,
    FileBlock,
    FileColumn,
    FileKind,
    Flaw,
    Note,
    block_of,
    undamaged,
)
from lienthong.sources.file_refusals import EncodingNotValid, FileEmpty, HeaderNotValid, LineTooLong, OptionNotValid

BLOCK_BYTES: Final = 8_000_000
DELIMITERS: Final = (",", ";", "\t", "|")
DELIMITER_NAMES: Final = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
DIRECTIVE: Final = b"sep="  # first line some spreadsheets write
HEADER_BYTES_MAX: Final = 1_000_000


@dataclass(kw_only=True, slots=True)
class CsvTable:
    """Read one CSV file; ``blocks`` may be called again and begins anew."""

    path: Path
    kind: FileKind = field(init=False, default=FileKind.CSV)
    columns: tuple[FileColumn, ...]
    sniffed: Sniffed
    delimiter: str
    header_line: int  # physical line on which the header ends
    header_end: int  # bytes of the UTF-8 text before the first row
    total: int
    block_bytes: int
    several: int = 0  # rows over several lines, as far as read

    @classmethod
    def open(
        cls, path: Path, *, encoding: str | None, delimiter: str | None, header_row: int | None, block_bytes: int
    ) -> CsvTable:
        """Look at the beginning of a file: how it is written and what its columns are called."""
        sniffed = sniff(path, encoding)
        head = b""
        for block in utf8_blocks(path, sniffed, block_bytes=HEADER_BYTES_MAX):
            head += block
            if len(head) >= HEADER_BYTES_MAX:
                break
        if not head.strip():
            raise FileEmpty(path=path, reason="is empty")
        place, line, named = _start(head, header_row, path)
        chosen = _delimiter(delimiter or named, head, place)
        record = _header(head, place, line, delimiter=chosen, whole=sniffed.size <= HEADER_BYTES_MAX, path=path)
        names = _names(record.fields, path=path, line=line)
        return cls(
            path=path,
            columns=tuple(
                FileColumn(name=name, type_name="text")
                for name in header_names(names, path=path, line=line, chosen=header_row is not None)
            ),
            sniffed=sniffed,
            delimiter=chosen,
            header_line=line + head.count(LINE, place, record.end) - (head[record.end - 1 : record.end] == LINE),
            header_end=record.end,
            total=sniffed.size,
            block_bytes=block_bytes,
        )

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what is worth knowing about how the file is written."""
        found = list(self.sniffed.notes)
        if self.several:
            found.append(
                Note(
                    kind="several-lines",
                    text=Text(
                        vi=f"{self.several} dòng dữ liệu có ô xuống dòng, chiếm nhiều dòng trong tệp",
                        en=f"{self.several} rows have a cell with line ends and take several lines of the file",
                    ),
                )
            )
        return tuple(found)

    def blocks(self) -> Iterator[FileBlock]:
        """Yield all rows, in order."""
        self.several = 0
        framer = Framer(delimiter=self.delimiter.encode(), width=len(self.columns), next_line=self.header_line + 1)
        names = [column.name for column in self.columns]
        position = [0]
        texts = utf8_blocks(self.path, self.sniffed, block_bytes=self.block_bytes, position=position)
        counted = [0]
        try:
            for frame in framer.frames(_without_head(texts, self.header_end, counted)):
                self.several += frame.several
                yield _block(frame, names, self.delimiter, position=position[0])
        except TooLong as cause:
            raise LineTooLong(path=self.path, line=cause.line, limit=LINE_BYTES_MAX) from cause
        # Every physical line is in exactly one record, or is blank: nothing was swallowed on the way.
        assert framer.next_line - self.header_line - 1 == counted[0], "lines read and lines accounted for differ"

    def close(self) -> None:
        """Give back what is open; nothing is between blocks."""


def _header(head: bytes, place: int, line: int, *, delimiter: str, whole: bool, path: Path) -> Record:
    """Read the line with the names, which has to end within the beginning of the file."""
    record = read_record(head, place, delimiter=delimiter.encode(), final=whole)
    if record.state is not State.WHOLE:
        raise HeaderNotValid(
            path=path, line=line, reason="a quote in the header is not closed", fix="correct the quotes of the line"
        )
    if record.end == len(head) and not whole:
        raise HeaderNotValid(
            path=path,
            line=line,
            reason=f"longer than {HEADER_BYTES_MAX} bytes",
            fix="a line end is missing, or this is not a CSV file",
        )
    return record


def _names(fields: tuple[bytes, ...], *, path: Path, line: int) -> list[str]:
    try:
        return [value.decode() for value in fields]
    except UnicodeDecodeError as cause:
        raise EncodingNotValid(
            path=path,
            line=line,
            reason="the names of the columns are not UTF-8",
            fix="save the file as UTF-8, or name its encoding with --encoding",
        ) from cause


def _without_head(blocks: Iterator[bytes], size: int, counted: list[int]) -> Iterator[bytes]:
    last = b""
    for block in blocks:
        rest = block[size:]
        size = max(0, size - len(block))
        if rest:
            counted[0] += rest.count(LINE)
            last = rest[-1:]
            yield rest
    counted[0] += last not in (b"", LINE)


def _start(head: bytes, header_row: int | None, path: Path) -> tuple[int, int, str | None]:
    """Return where the header begins, its line, and the delimiter a first line names."""
    place, line, named = 0, 1, None
    if head[: len(DIRECTIVE)].lower() == DIRECTIVE:
        end = head.find(LINE)
        named = head[len(DIRECTIVE) : end].decode("utf-8", "replace").strip("\r") or None
        place, line = end + 1, 2
    while header_row is None or line < header_row:
        end = head.find(LINE, place)
        if header_row is None and head[place : end if end >= 0 else len(head)].strip():
            break
        if end < 0:
            raise HeaderNotValid(path=path, line=line, reason="there is no such line", fix="correct --header-row")
        place, line = end + 1, line + 1
    return place, line, named


def _delimiter(wanted: str | None, head: bytes, place: int) -> str:
    if wanted is not None:
        chosen = DELIMITER_NAMES.get(wanted.lower(), wanted.replace("\\t", "\t"))
        if len(chosen) != 1 or not chosen.isascii() or chosen in '"\r\n\0' or chosen.isalnum():
            raise OptionNotValid(
                option="--delimiter", reason="must be one sign", fix="write one of: comma, semicolon, tab, pipe"
            )
        return chosen
    end = head.find(LINE, place)
    line = head[place : end if end >= 0 else len(head)]
    outside = b"".join(line.split(b'"')[::2])
    return max(DELIMITERS, key=lambda sign: (outside.count(sign.encode()), -DELIMITERS.index(sign)))


def _block(frame: Frame, names: list[str], delimiter: str, *, position: int) -> FileBlock:
    rows, lines, flawed = _plain(frame, names, delimiter)
    whole = [each for each in frame.singles if each.fields is not None and len(each.fields) == len(names)]
    damaged = undamaged(rows.height)
    if whole:
        texts, marks = _singles(whole, names)
        rows = pl.concat([rows, texts])
        lines = pl.concat([lines, pl.Series([each.line for each in whole], dtype=pl.Int64)])
        damaged = pl.concat([damaged, marks])
        order = lines.arg_sort()
        rows, lines, damaged = rows[order], lines[order], damaged[order]
    flawed += [
        _flaw(each, delimiter) for each in frame.singles if each.fields is None or len(each.fields) != len(names)
    ]
    flawed.sort()
    return block_of(
        rows,
        lines,
        damaged=damaged,
        flawed=pl.DataFrame(flawed, schema=dict(FLAWED_SCHEMA), orient="row"),
        blank=frame.blank,
        position=position,
    )


def _plain(
    frame: Frame, names: list[str], delimiter: str
) -> tuple[pl.DataFrame, pl.Series, list[tuple[int, str, str]]]:
    """Take the whole lines apart; those with another number of fields come back as they are."""
    places = [str(place) for place in range(len(names))]
    if not frame.plain:
        return (
            pl.DataFrame({name: [] for name in names}, schema=dict.fromkeys(names, pl.String)),
            frame.plain_lines,
            [],
        )
    ragged: list[tuple[int, str]] = []

    def skip(row: arrow_csv.InvalidRow) -> str:
        ragged.append((row.number, row.text))
        return "skip"

    table = arrow_csv.read_csv(
        pa.py_buffer(frame.plain),
        # With threads Arrow does not number the rows it refuses; all of the frame is one block to it.
        read_options=arrow_csv.ReadOptions(use_threads=False, column_names=places, block_size=len(frame.plain) + 1),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=False, ignore_empty_lines=False, invalid_row_handler=skip
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.large_string()), strings_can_be_null=False, check_utf8=False
        ),
    )
    rows = pl.DataFrame(table)
    assert isinstance(rows, pl.DataFrame), "a table becomes a frame"
    rows.columns = names
    lines = frame.plain_lines
    assert rows.height + len(ragged) == lines.len(), "every line is a row or a flaw"
    if not ragged:
        return rows, lines, []
    bad = [number - 1 for number, _ in ragged]
    found = list(
        zip(lines.gather(bad).to_list(), [Flaw.RAGGED.value] * len(bad), [text for _, text in ragged], strict=True)
    )
    keep = pl.repeat(True, lines.len(), dtype=pl.Boolean, eager=True).scatter(bad, False)
    return rows, lines.filter(keep), found


def _singles(records: list[Single], names: list[str]) -> tuple[pl.DataFrame, pl.Series]:
    columns: dict[str, list[str]] = {name: [] for name in names}
    marks: list[list[str] | None] = []
    for record in records:
        assert record.fields is not None, "only whole records come here"
        bad = []
        for name, value in zip(names, record.fields, strict=True):
            text, damaged = readable(value)
            columns[name].append(text)
            if damaged:
                bad.append(name)
        marks.append(bad or None)
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)), pl.Series(marks, dtype=pl.List(pl.String))


def _flaw(record: Single, delimiter: str) -> tuple[int, str, str]:
    if record.fields is None:
        return record.line, Flaw.BROKEN_QUOTE.value, readable(record.text)[0]
    return record.line, Flaw.RAGGED.value, readable(delimiter.encode().join(record.fields))[0]


def readable(value: bytes) -> tuple[str, bool]:
    r"""Return the text of some bytes, and whether some of them had to be written as ``\xNN``."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8", "backslashreplace").replace("\0", "\\x00"), True
    return (text.replace("\0", "\\x00"), True) if "\0" in text else (text, False)
