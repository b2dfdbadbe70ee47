"""A sheet of an XLSX workbook as a table of texts; the workbook is opened by a child process of limited memory."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa

from lienthong.adapters.files.header import header_names
from lienthong.dictionary.model import Text
from lienthong.sources.archive_limits import ArchiveEntry, refusal_of_archive
from lienthong.sources.file_block import FileBlock, FileColumn, FileKind, Note, block_of
from lienthong.sources.file_refusals import (
    ArchiveRefused,
    FileEmpty,
    HeaderNotValid,
    SheetNotFound,
    SpreadsheetNotReadable,
)

CHILD: Final = "lienthong.adapters.files.sheet_child"
HEAD_BYTES_MAX: Final = 10_000_000
STOP_SECONDS: Final = 5
ENCRYPTED_FLAG: Final = 0x1

_FIXES: Final[Mapping[str, tuple[str, str]]] = {
    "password": ("it is locked by a password", "remove the password in the spreadsheet program and save it again"),
    "damaged": ("its parts are damaged or missing", "open it in a spreadsheet program and save it again as XLSX"),
    "doctype": ("it holds a document type declaration, which no spreadsheet has", "do not use it; ask who made it"),
    "memory": (
        "it needs more memory than allowed",
        "save the sheet as CSV UTF-8 and use that, or allow more with --limit-memory",
    ),
}


def guard(path: Path) -> None:
    """Judge a workbook by its directory before anything of it is opened.

    Raises:
        ArchiveRefused: it would unpack to too much.
        SpreadsheetNotReadable: it is no archive, or not of a workbook.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [
                ArchiveEntry(
                    name=each.filename,
                    unpacked_bytes=each.file_size,
                    packed_bytes=each.compress_size,
                    encrypted=bool(each.flag_bits & ENCRYPTED_FLAG),
                )
                for each in archive.infolist()
            ]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as cause:
        reason, fix = _FIXES["damaged"]
        raise SpreadsheetNotReadable(path=path, reason=reason, fix=fix) from cause
    refused = refusal_of_archive(entries)
    if refused is not None:
        raise ArchiveRefused(path=path, reason=refused)
    if not any(entry.name == "xl/workbook.xml" for entry in entries):
        raise SpreadsheetNotReadable(
            path=path, reason="it is an archive, but not an XLSX workbook", fix="save the table as XLSX or CSV"
        )


@dataclass(kw_only=True, slots=True)
class SheetTable:
    """Read one sheet, once."""

    path: Path
    kind: FileKind = field(init=False, default=FileKind.XLSX)
    columns: tuple[FileColumn, ...]
    sheet: str
    total: int  # rows of the sheet
    told: Mapping[str, Any]
    child: subprocess.Popen[bytes]
    numbers: list[int] = field(init=False)  # numeric cells by column, as far as read

    def __post_init__(self) -> None:
        self.numbers = [0] * len(self.columns)

    @classmethod
    def open(cls, path: Path, *, sheet: str | None, header_row: int | None, memory_bytes: int) -> SheetTable:
        """Start reading a sheet: the one named, or the only one with something in it."""
        guard(path)
        # -P: nothing is imported from the folder the command runs in.
        child = subprocess.Popen(  # noqa: S603 - our own module, arguments are passed as a list
            [sys.executable, "-P", "-m", CHILD, str(path), sheet or "", str(header_row or 0), str(memory_bytes)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert child.stdout is not None, "the child writes to a pipe"
        try:
            line = child.stdout.readline(HEAD_BYTES_MAX)
            told = _told(child, line)
            _must_be_readable(path, told)
            names = header_names(
                told["header"], path=path, line=int(told["header_row"]), chosen=header_row is not None
            )
        except BaseException:
            _stop(child)
            raise
        return cls(
            path=path,
            columns=tuple(FileColumn(name=name, type_name="text") for name in names),
            sheet=str(told["sheet"]),
            total=int(told["rows"]),
            told=told,
            child=child,
        )

    def blocks(self) -> Iterator[FileBlock]:
        """Yield all rows, in order; only once."""
        names = [column.name for column in self.columns]
        assert self.child.stdout is not None, "the child writes to a pipe"
        try:
            stream = pa.ipc.open_stream(self.child.stdout)
            while True:
                batch, metadata = stream.read_next_batch_with_custom_metadata()
                for place, count in enumerate(json.loads(metadata[b"numbers"])):
                    self.numbers[place] += count
                frame = pl.DataFrame(pa.Table.from_batches([batch]))
                assert isinstance(frame, pl.DataFrame), "a table becomes a frame"
                lines = frame["_row"]
                rows = frame.drop("_row")
                rows.columns = names
                last = lines[-1] if lines.len() else 0
                yield block_of(rows, lines.alias("lines"), position=int(last))
        except StopIteration:
            pass
        except (pa.ArrowInvalid, OSError, EOFError) as cause:
            raise _refusal(self.path, "memory", ()) from cause
        finally:
            _stop(self.child)

    def close(self) -> None:
        """Stop the child, whatever it is doing."""
        _stop(self.child)

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what is worth knowing about the sheet; complete after the last block."""
        told = self.told
        found = [("sheet", f"trang tính “{self.sheet}”", f"sheet “{self.sheet}”")]
        if told["formulas"]:
            vi = f"{told['formulas']} ô công thức: dùng giá trị đã lưu, không tính lại"
            found.append(("formulas", vi, f"{told['formulas']} formulas: their stored values are used"))
        if told["without_value"]:
            vi = f"{told['without_value']} ô công thức không có giá trị đã lưu: đọc là ô trống"
            found.append(
                ("formulas-empty", vi, f"{told['without_value']} formulas have no stored value: read as empty")
            )
        if told["errors"]:
            vi = f"{told['errors']} ô báo lỗi (#N/A, #DIV/0!…): đọc là ô trống"
            found.append(("errors", vi, f"{told['errors']} error values: read as empty"))
        if told["merged"]:
            vi = f"{told['merged']} vùng ô gộp: chỉ ô đầu tiên có giá trị"
            found.append(("merged", vi, f"{told['merged']} merged ranges: only the first cell has the value"))
        for column, count in zip(self.columns, self.numbers, strict=True):
            if count:
                vi = f"cột {column.name}: {count} ô là số, số 0 ở đầu (nếu có) đã mất"
                found.append(
                    ("numbers", vi, f"column {column.name}: {count} cells are numbers, without leading zeros")
                )
        return tuple(Note(kind=kind, text=Text(vi=vi, en=en)) for kind, vi, en in found)


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.stdout is not None:
        child.stdout.close()
    if child.poll() is None:
        child.kill()
    child.wait(timeout=STOP_SECONDS)


def _told(child: subprocess.Popen[bytes], line: bytes) -> Mapping[str, Any]:
    """Return what the child said first; one that was ended by the system ran out of memory or of time."""
    if line.endswith(b"\n"):
        found: Mapping[str, Any] = json.loads(line)
        return found
    ended = child.wait(timeout=STOP_SECONDS)
    return {"refused": "memory" if ended < 0 else "damaged", "sheets": []}


def _must_be_readable(path: Path, told: Mapping[str, Any]) -> None:
    if "refused" in told:
        raise _refusal(path, str(told["refused"]), told["sheets"])


def _refusal(path: Path, reason: str, sheets: list[str] | tuple[str, ...]) -> Exception:
    known = ", ".join(sheets) or "none"
    if reason == "unknown":
        return SheetNotFound(path=path, reason="there is no sheet of this name", known=known)
    if reason == "several":
        return SheetNotFound(path=path, reason="several sheets hold something", known=known)
    if reason == "empty":
        return FileEmpty(path=path, reason="has nothing in its visible sheets")
    if reason == "no-header":
        return HeaderNotValid(path=path, line=1, reason="there is no such row", fix="correct --header-row")
    text, fix = _FIXES.get(reason, _FIXES["damaged"])
    return SpreadsheetNotReadable(path=path, reason=text, fix=fix)
