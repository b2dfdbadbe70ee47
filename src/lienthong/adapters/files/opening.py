"""Open a file by what it holds, not by what its name says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from lienthong.adapters.files.csv_table import BLOCK_BYTES, CsvTable
from lienthong.adapters.files.parquet_table import ParquetTable
from lienthong.adapters.files.sheet_table import SheetTable
from lienthong.sources.file_block import FileBlock, FileColumn, FileKind, Note
from lienthong.sources.file_refusals import FileChanged, FileEmpty, FileKindUnknown, FileNotReadable, OptionNotValid

MAGIC_BYTES: Final = 8
BLOCK_BYTES_MIN: Final = 1_000_000
BLOCKS_IN_MEMORY: Final = 64  # a block of text takes up to this many times its size while it is worked on
MEGABYTE: Final = 1_000_000

_OTHERS: Final = (
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old XLS or a locked workbook", "save it as XLSX without a password, or as CSV UTF-8"),
    (b"%PDF", "a PDF", "ask for the table itself: CSV, XLSX or Parquet"),
    (b"\x7fELF", "a program", "name the file that holds the table"),
    (b"<?xml", "XML", "save the table as CSV UTF-8 or XLSX"),
    (b"<html", "a web page", "save the table as CSV UTF-8 or XLSX"),
    (b"<!DOCT", "a web page", "save the table as CSV UTF-8 or XLSX"),
    (b"{", "JSON", "save the table as CSV UTF-8 or Parquet"),
)


class FileTable(Protocol):
    """A file with rows, whatever its kind."""

    @property
    def kind(self) -> FileKind:
        """Return what the file is."""
        ...

    @property
    def columns(self) -> tuple[FileColumn, ...]:
        """Return the columns, in order."""
        ...

    @property
    def total(self) -> int:
        """Return what the position of the last block will be, about."""
        ...

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what whoever uses the rows should know; complete after the last block."""
        ...

    def blocks(self) -> Iterator[FileBlock]:
        """Yield all rows, in order."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How a file is to be read."""

    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    memory_bytes: int = 2_000 * MEGABYTE


def kind_of(path: Path) -> FileKind:
    """Return what a file is by its first bytes.

    Raises:
        FileNotReadable, FileEmpty, FileKindUnknown: it is nothing this command reads.
    """
    try:
        if not path.is_file():
            raise FileNotReadable(path=path, reason="not a file" if path.exists() else "there is no such file")
        with path.open("rb") as file:
            magic = file.read(MAGIC_BYTES)
    except OSError as cause:
        raise FileNotReadable(path=path, reason=cause.strerror or "cannot be opened") from cause
    if not magic:
        raise FileEmpty(path=path, reason="is empty")
    if magic.startswith(b"PAR1"):
        return FileKind.PARQUET
    if magic.startswith(b"PK"):
        return FileKind.XLSX
    for start, kind, fix in _OTHERS:
        if magic.lower().startswith(start.lower()):
            raise FileKindUnknown(path=path, kind=kind, fix=fix)
    return FileKind.CSV


def open_table(path: Path, reading: Reading) -> FileTable:
    """Open a file for reading."""
    kind = kind_of(path)
    if reading.sheet is not None and kind is not FileKind.XLSX:
        raise OptionNotValid(option="--sheet", reason=f"a {kind.value} file has no sheets", fix="leave it out")
    if kind is FileKind.PARQUET:
        return ParquetTable.open(path)
    if kind is FileKind.XLSX:
        return SheetTable.open(
            path, sheet=reading.sheet, header_row=reading.header_row, memory_bytes=reading.memory_bytes
        )
    wanted = reading.memory_bytes // BLOCKS_IN_MEMORY
    return CsvTable.open(
        path,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        header_row=reading.header_row,
        block_bytes=min(BLOCK_BYTES, max(BLOCK_BYTES_MIN, wanted)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """What tells whether a file is still the same."""

    size: int
    modified_ns: int
    place: tuple[int, int]

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Look at a file."""
        try:
            found = path.stat()
        except OSError as cause:
            raise FileNotReadable(path=path, reason=cause.strerror or "cannot be read") from cause
        return cls(size=found.st_size, modified_ns=found.st_mtime_ns, place=(found.st_dev, found.st_ino))

    def must_be(self, path: Path) -> None:
        """Refuse a file that is another one by now."""
        if Fingerprint.of(path) != self:
            raise FileChanged(path=path)
