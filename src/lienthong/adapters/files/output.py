"""Write results beside where they belong and put them there when all of them are whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from lienthong.adapters.files.leftovers import SECOND, Claim, claim
from lienthong.sources.file_refusals import OutputExists, OutputNotWritten

COMPRESSION: Final = "zstd"


def arrow_schema(schema: Mapping[str, pl.DataType]) -> pa.Schema:
    """Return columns as every Arrow reader knows them: no views, no large types."""
    fields = [pa.field(name, _arrow_type(dtype)) for name, dtype in schema.items()]
    return pa.schema(fields)


def _arrow_type(dtype: pl.DataType) -> pa.DataType:
    if isinstance(dtype, pl.List):
        return pa.list_(pa.string())
    if dtype == pl.String:
        return pa.string()
    return pl.DataFrame(schema={"value": dtype}).to_arrow().schema.field("value").type


def to_arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a frame in exactly these columns and types."""
    table = frame.select(schema.names).to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(schema)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        reason = os.strerror(cause.errno) if cause.errno else "the system refused to write"
        raise OutputNotWritten(path=path, reason=reason) from cause


def must_be_free(path: Path, *, force: bool, inputs: tuple[Path, ...]) -> None:
    """Refuse a place where something is, or where it would overwrite what is read."""
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise OutputExists(path=path, reason="is the file to be read", fix="choose another name with -o")
    if path.is_dir():
        raise OutputExists(path=path, reason="is a folder", fix="name a file")
    if path.exists() and not force:
        raise OutputExists(
            path=path, reason="exists already", fix="choose another name, or overwrite it with --force"
        )
    if not path.parent.is_dir():
        raise OutputNotWritten(path=path, reason=os.strerror(errno.ENOENT))


@dataclass(kw_only=True, slots=True)
class _Growing:
    """A Parquet file that is not there yet."""

    path: Path
    fresh: Path
    schema: pa.Schema
    writer: parquet.ParquetWriter

    def write(self, frame: pl.DataFrame) -> None:
        if frame.height:
            with _writing(self.path):
                self.writer.write_table(to_arrow(frame, self.schema))


@dataclass(kw_only=True, slots=True)
class Outputs:
    """All files of one run; left without ``commit`` nothing of them stays."""

    _growing: list[_Growing] = field(default_factory=list)
    _texts: list[tuple[Path, Path]] = field(default_factory=list)
    _claims: list[Claim] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._growing:
            if each.writer.is_open:
                with suppress(OSError):  # what could not be written is removed anyhow
                    each.writer.close()
        for fresh in [*(each.fresh for each in self._growing), *(fresh for _, fresh in self._texts)]:
            fresh.unlink(missing_ok=True)
        for claimed in self._claims:
            claimed.give_back()

    def _beside(self, path: Path) -> Path:
        """Return where a file grows until it is whole; what a killed run left there is removed."""
        with _writing(path):
            claimed = claim(path)
        self._claims.append(claimed)
        return claimed.fresh

    def table(
        self, path: Path, schema: Mapping[str, pl.DataType], facts: Mapping[str, str]
    ) -> Callable[[pl.DataFrame], None]:
        """Begin a Parquet file; returns how to add rows to it."""
        fresh = self._beside(path)
        wanted = arrow_schema(schema)
        with _writing(path):
            writer = parquet.ParquetWriter(fresh, wanted.with_metadata(dict(facts)), compression=COMPRESSION)
        growing = _Growing(path=path, fresh=fresh, schema=wanted, writer=writer)
        self._growing.append(growing)
        return growing.write

    def lines(self, path: Path, columns: Sequence[str]) -> Callable[[pl.DataFrame], None]:
        """Begin a CSV file (UTF-8) with its header; returns how to add rows to it."""
        fresh = self._beside(path)
        self._texts.append((path, fresh))
        with _writing(path):
            fresh.write_bytes(pl.DataFrame(schema=dict.fromkeys(columns, pl.String)).write_csv().encode())

        def add(frame: pl.DataFrame) -> None:
            with _writing(path), fresh.open("ab") as file:
                frame.select(columns).write_csv(file, include_header=False)

        return add

    def text(self, path: Path, content: str) -> None:
        """Write a text file."""
        fresh = self._beside(path)
        self._texts.append((path, fresh))
        with _writing(path):
            fresh.write_text(content, encoding="utf-8", newline="\n")

    def made(self, path: Path, make: Callable[[Path], None]) -> None:
        """Let somebody else write a file where it is not seen yet."""
        fresh = self._beside(path)
        self._texts.append((path, fresh))
        with _writing(path):
            make(fresh)

    def rewrite(self, columns: Sequence[str], change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Write every table anew with some columns changed, a row group at a time; once, after the last row."""
        for each in self._growing:
            self._close(each)
            second = each.fresh.with_name(each.fresh.name + SECOND)
            try:
                with _writing(each.path):
                    _rewrite(each, second, columns, change)
                    second.replace(each.fresh)
            finally:
                second.unlink(missing_ok=True)

    def _close(self, growing: _Growing) -> None:
        with _writing(growing.path):
            growing.writer.close()

    def commit(self) -> None:
        """Put every file in its place; before this nothing is where it will be."""
        for each in self._growing:
            self._close(each)
        ready = [(each.path, each.fresh) for each in self._growing] + self._texts
        for path, fresh in ready:
            with _writing(path):
                _sync(fresh)
        for path, fresh in ready:
            with _writing(path):
                fresh.replace(path)
        for folder in {path.parent for path, _ in ready}:
            with _writing(folder):
                _sync(folder)


def _rewrite(
    growing: _Growing, second: Path, columns: Sequence[str], change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    with (
        parquet.ParquetFile(growing.fresh) as file,
        parquet.ParquetWriter(second, growing.writer.schema, compression=COMPRESSION) as writer,
    ):
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            changed = change(pl.DataFrame(table.select(list(columns))))
            for name in changed.columns:
                place = table.schema.get_field_index(name)
                wanted = growing.schema.field(name)
                table = table.set_column(place, wanted, to_arrow(changed.select(name), pa.schema([wanted])).column(0))
            writer.write_table(table)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
