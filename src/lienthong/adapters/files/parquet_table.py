"""A Parquet file as a table of texts, read a part of a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from lienthong.adapters.files.header import header_names
from lienthong.sources.file_block import FileBlock, FileColumn, FileKind, Note, block_of
from lienthong.sources.file_refusals import ColumnNotFlat, FileDamaged, FileNotReadable

BLOCK_ROWS: Final = 50_000
BUFFER_BYTES: Final = 1_000_000
WHOLE_DIGITS_MAX: Final = 10**15  # a float keeps fifteen digits

_STAMP: Final = "%Y-%m-%d %H:%M:%S%.f"


def text_of(column: pl.Series) -> pl.Series:
    """Return values as text: dates and times as ISO, whole numbers without a point, missing ones empty."""
    if column.dtype == pl.String:
        return column
    value = pl.col("value")
    text = value.cast(pl.String)
    if isinstance(column.dtype, pl.Datetime):
        text = value.dt.to_string(_STAMP if column.dtype.time_zone is None else _STAMP + "%:z")
        if column.dtype.time_zone is None:
            text = pl.when(value.dt.time() == pl.time(0, 0)).then(text.str.head(10)).otherwise(text)
    elif column.dtype.is_float():
        whole = (value == value.floor()) & (value.abs() < WHOLE_DIGITS_MAX)
        text = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(text)
    return column.to_frame("value").select(text).to_series()


@dataclass(kw_only=True, slots=True)
class ParquetTable:
    """Read one Parquet file."""

    path: Path
    kind: FileKind = field(init=False, default=FileKind.PARQUET)
    columns: tuple[FileColumn, ...]
    total: int
    notes: tuple[Note, ...] = ()

    @classmethod
    def open(cls, path: Path) -> ParquetTable:
        """Read the schema.

        Raises:
            ColumnNotFlat: a column holds lists, structures or bytes.
        """
        try:
            with parquet.ParquetFile(path) as file:
                schema, total = file.schema_arrow, file.metadata.num_rows
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as cause:
            raise FileDamaged(path=path, reason="its Parquet footer cannot be read") from cause
        except OSError as cause:
            raise FileNotReadable(path=path, reason=cause.strerror or "cannot be opened") from cause
        for each in schema:
            kind = each.type.value_type if pa.types.is_dictionary(each.type) else each.type
            bad = pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
            if bad or pa.types.is_fixed_size_binary(kind):
                raise ColumnNotFlat(path=path, column=each.name, type_name=str(each.type))
        names = header_names(schema.names, path=path, line=1, chosen=True)
        columns = zip(names, schema.types, strict=True)
        return cls(
            path=path,
            columns=tuple(FileColumn(name=name, type_name=str(kind)) for name, kind in columns),
            total=total,
        )

    def blocks(self) -> Iterator[FileBlock]:
        """Yield all rows, in order."""
        at = 0
        try:
            with parquet.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=BLOCK_ROWS):
                    frame = pl.DataFrame(pa.Table.from_batches([batch]))
                    rows = pl.DataFrame(
                        [text_of(frame.to_series(place)).alias(each.name) for place, each in enumerate(self.columns)]
                    )
                    lines = pl.int_range(at + 1, at + rows.height + 1, eager=True)
                    at += rows.height
                    yield block_of(rows, lines, position=at)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as cause:
            raise FileDamaged(path=self.path, reason=f"a part after row {at} cannot be read") from cause

    def close(self) -> None:
        """Give back what is open; nothing is between blocks."""
