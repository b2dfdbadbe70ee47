"""The same standardiser inside a distributed engine: Arrow in, Arrow out (chuẩn hoá phân tán).

    work = ArrowStandardiser(mapping=Path("mapping.yaml").read_text(), on=date(2026, 11, 23))
    rows.mapInArrow(work, work.spark_schema).write.parquet("out")

The object that travels to the workers is the text of the mapping and a date; each worker builds its plan from the
dictionary that is installed beside it, once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from lienthong.adapters.files.output import arrow_schema, to_arrow
from lienthong.dictionary.load import load
from lienthong.dictionary.shipped import shipped_folder
from lienthong.pipeline.file_run import ROW, FileWay, build_way, standardise_rows
from lienthong.sources.file_refusals import DictionaryDiffers
from lienthong.sources.mapping_file import parse_mapping

_SPARK_TYPES: Final = {
    pl.String: "string",
    pl.Int8: "tinyint",
    pl.Int64: "bigint",
    pl.Date: "date",
    pl.Boolean: "boolean",
    pl.Datetime: "timestamp",
}


@dataclass(frozen=True, kw_only=True)
class ArrowStandardiser:
    """Standardise and check batches of texts with ``_row``; the columns are those of the command's output.

    ``digest`` is the dictionary's; a worker with another dictionary refuses to work, since its rows would differ.
    """

    mapping: str  # text of a mapping file
    on: date
    digest: str | None = None
    dictionary: Path | None = None  # folder on every worker; None: the one shipped with the product

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Standardise what a worker is given, batch by batch."""
        way = _way(self)
        schema = arrow_schema(way.schema)
        for batch in batches:
            rows = pl.DataFrame(pa.Table.from_batches([batch]))
            done = to_arrow(standardise_rows(_as_texts(rows), way), schema)
            yield from done.combine_chunks().to_batches()

    @property
    def schema(self) -> pa.Schema:
        """Return the columns that come out."""
        return arrow_schema(_way(self).schema)

    @property
    def spark_schema(self) -> str:
        """Return the columns that come out, as Spark writes them."""
        return ", ".join(f"`{name}` {_spark_type(dtype)}" for name, dtype in _way(self).schema.items())

    def pinned(self) -> ArrowStandardiser:
        """Return the same work, bound to the dictionary this process has."""
        dictionary = load(_folder(self))
        return ArrowStandardiser(
            mapping=self.mapping, on=self.on, digest=dictionary.digest, dictionary=self.dictionary
        )


def _folder(work: ArrowStandardiser) -> Path:
    return shipped_folder("dictionary") if work.dictionary is None else work.dictionary


@functools.lru_cache(maxsize=8)
def _way(work: ArrowStandardiser) -> FileWay:
    dictionary = load(_folder(work))
    if work.digest not in (None, dictionary.digest):
        raise DictionaryDiffers(expected=work.digest, observed=dictionary.digest)
    mapping = parse_mapping(work.mapping, path="mapping", dictionary=dictionary)
    return build_way(dictionary, mapping, on=work.on)


def _as_texts(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.exclude(ROW).cast(pl.String), pl.col(ROW).cast(pl.Int64))


def _spark_type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        return "array<string>"
    if isinstance(dtype, pl.Decimal):
        return f"decimal({dtype.precision},{dtype.scale})"
    return _SPARK_TYPES[type(dtype)]
