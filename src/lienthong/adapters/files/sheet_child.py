"""Read one sheet of a workbook in a process of its own, whose memory is limited, and write it to standard output.

First a line of JSON says what there is or what was refused; then an Arrow stream follows, one text column per column
of the sheet and ``_row``, the number of the row in the sheet. A bomb costs this process its life and nothing else.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from itertools import islice
from typing import Any, BinaryIO, Final
from xml.parsers import expat

import pyarrow as pa
import python_calamine as calamine

BLOCK_ROWS: Final = 20_000
WORKBOOK_BYTES_MAX: Final = 10_000_000
CHUNK_BYTES: Final = 1_000_000
OVERLAP_BYTES: Final = 200
WHOLE_DIGITS_MAX: Final = 10**15  # spreadsheets keep fifteen digits
CPU_SECONDS_MAX: Final = 3_600

_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s>/]")
_NO_VALUE: Final = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^<>]*)?/>)\s*(?:<(?:\w+:)?v\s*/>\s*)?</(?:\w+:)?c>"
)
_ERROR: Final = re.compile(rb"<(?:\w+:)?c\s[^<>]*\bt=\"e\"")


class Refused(Exception):
    """The workbook cannot be read, for a reason the parent puts into words."""

    def __init__(self, reason: str, sheets: Sequence[str] = ()) -> None:
        self.reason = reason
        self.sheets = tuple(sheets)
        super().__init__(reason)


def text_of(cell: Any) -> str:
    """Return a cell as text: dates as ISO, whole numbers without a point."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < WHOLE_DIGITS_MAX else f"{cell:.15g}"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return cell if isinstance(cell, str) else str(cell)  # dates and times are ISO by themselves


def is_number(cell: Any) -> bool:
    """Return whether a cell holds a number, of which leading zeros are gone."""
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _attributes(document: bytes, wanted: str) -> list[dict[str, str]]:
    """Return the attributes of every element of a small document, names without prefix."""
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == wanted:
            found.append(
                {key.rpartition(":")[2] if key != "r:id" else "r:id": text for key, text in attributes.items()}
            )

    def doctype(*_: object) -> None:
        raise Refused("doctype")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    parser.Parse(document, True)
    return found


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        content = part.read(WORKBOOK_BYTES_MAX + 1)
    if len(content) > WORKBOOK_BYTES_MAX:
        raise Refused("damaged")
    return content


def _place_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the part of the archive that holds a sheet."""
    sheets = _attributes(_part(archive, "xl/workbook.xml"), "sheet")
    targets = {
        each.get("Id"): each.get("Target", "")
        for each in _attributes(_part(archive, "xl/_rels/workbook.xml.rels"), "Relationship")
    }
    for each in sheets:
        if each.get("name") == sheet:
            target = targets.get(each.get("r:id") or each.get("id")) or ""
            name = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            return name if name in archive.namelist() else None
    return None


def _counts(path: str, sheet: str) -> dict[str, int]:
    """Count what calamine does not tell: formulas, those without a stored value, and error values."""
    counts = {"formulas": 0, "without_value": 0, "errors": 0}
    with zipfile.ZipFile(path) as archive:
        name = _place_of(archive, sheet)
        if name is None:
            return counts
        with archive.open(name) as part:
            rest = b""
            while chunk := part.read(CHUNK_BYTES):
                # An element never begins in what is looked at twice: the seam lies at the last "<c".
                data = rest + chunk
                cut = data.rfind(b"<c ", max(0, len(data) - CHUNK_BYTES))
                cut = len(data) if cut < 0 else cut
                _add(counts, data[:cut])
                rest = data[cut:]
            _add(counts, rest)
    return counts


def _add(counts: dict[str, int], data: bytes) -> None:
    counts["formulas"] += sum(1 for _ in _FORMULA.finditer(data))
    counts["without_value"] += sum(1 for _ in _NO_VALUE.finditer(data))
    counts["errors"] += sum(1 for _ in _ERROR.finditer(data))


def _open(path: str, sheet: str | None) -> tuple[Any, tuple[str, ...]]:
    """Return the sheet that was named, or the only one with something in it, and the names of all."""
    try:
        book = calamine.CalamineWorkbook.from_path(path)
        known = [each for each in book.sheets_metadata if each.typ is calamine.SheetTypeEnum.WorkSheet]
        names = tuple(each.name for each in known)
        if sheet is not None:
            if sheet not in names:
                raise Refused("unknown", names)
            return book.get_sheet_by_name(sheet), names
        shown = (each.name for each in known if each.visible is calamine.SheetVisibleEnum.Visible)
        filled = [found for found in (book.get_sheet_by_name(name) for name in shown) if found.height]
    except calamine.PasswordError as cause:
        raise Refused("password") from cause
    except calamine.CalamineError as cause:
        raise Refused("damaged") from cause
    if len(filled) != 1:
        raise Refused("several" if filled else "empty", names)
    return filled[0], names


def _header(rows: Iterator[tuple[int, list[Any]]], wanted: int) -> tuple[int, list[str]]:
    for number, cells in rows:
        if number == wanted or (not wanted and any(cell != "" for cell in cells)):
            return number, [text_of(cell) for cell in cells]
    raise Refused("no-header")


def _send(rows: Iterator[tuple[int, list[Any]]], width: int, out: BinaryIO) -> None:
    names = [str(place) for place in range(width)]
    schema = pa.schema([*((name, pa.string()) for name in names), ("_row", pa.int64())])
    with pa.ipc.new_stream(out, schema) as stream:
        while part := list(islice(rows, BLOCK_ROWS)):
            columns = list(zip(*(_fitted(cells, width) for _, cells in part), strict=True))
            numbers = [sum(is_number(cell) for cell in column) for column in columns]
            arrays = [pa.array([text_of(cell) for cell in column], pa.string()) for column in columns]
            batch = pa.record_batch([*arrays, pa.array([number for number, _ in part], pa.int64())], schema=schema)
            stream.write_batch(batch, custom_metadata={"numbers": json.dumps(numbers)})


def _fitted(cells: list[Any], width: int) -> list[Any]:
    return cells if len(cells) == width else [*cells, *[""] * (width - len(cells))]


def main(arguments: Sequence[str]) -> int:
    """Send one sheet: path, sheet or "", header row or 0, bytes of memory."""
    path, sheet, header_row, memory = arguments
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    pa.set_memory_pool(pa.system_memory_pool())  # the default one reserves address space ahead
    out = sys.stdout.buffer
    try:
        found, known = _open(path, sheet or None)
        rows = enumerate(found.iter_rows(), start=1)
        row, header = _header(rows, int(header_row))
        told = {
            "sheet": found.name,
            "sheets": known,
            "header": header,
            "header_row": row,
            "rows": found.total_height,
            "merged": len(found.merged_cell_ranges or ()),
            **_counts(path, found.name),
        }
        out.write(json.dumps(told).encode() + b"\n")
        _send(rows, len(header), out)
    except Refused as refusal:
        _tell(out, refusal.reason, refusal.sheets)
    except MemoryError:
        _tell(out, "memory")
    except (zipfile.BadZipFile, expat.ExpatError, KeyError, NotImplementedError):
        _tell(out, "damaged")
    out.flush()
    return 0


def _tell(out: BinaryIO, reason: str, sheets: Sequence[str] = ()) -> None:
    out.write(json.dumps({"refused": reason, "sheets": list(sheets)}).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
