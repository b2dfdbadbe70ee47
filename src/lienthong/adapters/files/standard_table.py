"""A file that ``lienthong standardise`` wrote: what it says of itself, and its rows as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from lienthong.sources.file_refusals import FileDamaged

BLOCK_ROWS: Final = 50_000
PREFIX: Final = "lienthong."
DATASET: Final = PREFIX + "dataset"
DICTIONARY: Final = PREFIX + "dictionary"
DAY: Final = PREFIX + "on"
SOURCE: Final = PREFIX + "file"
_WANTED: Final = (DATASET, DICTIONARY, DAY, SOURCE, PREFIX + "rules")


@dataclass(frozen=True, kw_only=True, slots=True)
class StandardTable:
    """A table of standardised values."""

    path: Path
    facts: Mapping[str, str]  # PREFIX and more
    columns: Mapping[str, pl.DataType]
    total: int

    @classmethod
    def recognise(cls, path: Path) -> StandardTable | None:
        """Return the table; None for every file that does not say it was made by ``lienthong standardise``."""
        try:
            with parquet.ParquetFile(path) as file:
                metadata, schema, total = file.schema_arrow.metadata or {}, file.schema_arrow, file.metadata.num_rows
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
            return None  # what opens files of all kinds says what is wrong with it
        facts = {key.decode(): value.decode() for key, value in metadata.items() if key.startswith(PREFIX.encode())}
        if not all(name in facts for name in _WANTED):
            return None
        empty = pl.DataFrame(schema.empty_table())
        return cls(path=path, facts=facts, columns=dict(empty.schema), total=total)

    def blocks(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, in order."""
        at = 0
        try:
            with parquet.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=BLOCK_ROWS):
                    at += batch.num_rows
                    yield pl.DataFrame(pa.Table.from_batches([batch]))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as cause:
            raise FileDamaged(path=self.path, reason=f"a part after row {at} cannot be read") from cause
