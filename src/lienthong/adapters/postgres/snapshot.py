"""Read tables whole as of one moment: COPY in text form, block by block, no value altered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl
import psycopg
import pyarrow as pa
from pyarrow import csv

from lienthong.adapters.postgres.catalogue import (
    PARTITIONED,
    Connection,
    PublishedTable,
    TableFacts,
    as_source_table,
    quoted,
    quoted_table,
)
from lienthong.sources.assembly import marks, read_meta, text_frame
from lienthong.sources.change import (
    ChangeBatch,
    Delivery,
    Position,
    SourceId,
    SourceTable,
)

BLOCK_ROWS = 20_000
BLOCK_BYTES = 32 * 2**20  # a block ends after so many bytes, or after one row that is larger


def copy_statement(table: TableFacts, published: PublishedTable) -> str:
    """Return the statement that writes the rows the stream would carry, in the form the stream writes them."""
    columns = ", ".join(quoted(name) for name in as_source_table(table, published).column_names)
    only = "" if table.kind == PARTITIONED else "ONLY "
    where = "" if published.row_filter is None else f" WHERE {published.row_filter}"
    # The names come from the catalogue and are quoted; the filter is the catalogue's own text of an expression.
    return f"COPY (SELECT {columns} FROM {only}{quoted_table(table.name)}{where}) TO STDOUT (FORMAT csv)"  # noqa: S608 - as said


def blocks(connection: Connection, statement: str) -> Iterator[list[bytes]]:
    """Yield the rows of a COPY as the server sent them, grouped into blocks."""
    rows: list[bytes] = []
    size = 0
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in copy:
            rows.append(bytes(row))
            size += len(row)
            if len(rows) >= BLOCK_ROWS or size >= BLOCK_BYTES:
                yield rows
                rows, size = [], 0
    if rows:
        yield rows


def _read(names: Sequence[str], data: bytes, kind: pa.DataType) -> pa.Table:
    return csv.read_csv(
        pa.py_buffer(data),
        read_options=csv.ReadOptions(use_threads=False, block_size=min(len(data) + 1, 2**31 - 1)),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, kind),
            null_values=[""],  # COPY writes NULL as nothing, an empty text as ""
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def parse(names: Sequence[str], rows: Sequence[bytes]) -> tuple[pl.DataFrame, pl.Series]:
    """Return rows of COPY's CSV as a frame of texts, and the column of damaged names beside it."""
    places = [f"c{place}" for place in range(len(names))]
    # The header is ours: without it a byte order mark in the first value would be taken for the file's and dropped.
    data = b"".join([",".join(places).encode(), b"\n", *rows])
    table = _read(places, data, pa.binary())
    assert table.num_rows == len(rows), "one message of COPY is one row"
    try:
        texts = [column.cast(pa.string()) for column in table.columns]
    except pa.ArrowInvalid:
        return text_frame(names, [column.to_pylist() for column in table.columns])
    frame = pl.DataFrame(
        [pl.Series(name, pl.from_arrow(column), dtype=pl.String) for name, column in zip(names, texts, strict=True)]
    )
    return frame, marks("damaged", table.num_rows, {})


def read_rows(
    connection: Connection,
    *,
    source: SourceId,
    table: TableFacts,
    published: PublishedTable,
    position: Position,
    time: datetime,
) -> Iterator[Delivery]:
    """Yield all rows of a table as deliveries; the connection stands in the snapshot's transaction."""
    declared: SourceTable = as_source_table(table, published)
    for rows in blocks(connection, copy_statement(table, published)):
        frame, damaged = parse(declared.column_names, rows)
        meta = read_meta(frame.height, position=position, time=time, damaged=damaged)
        batch = ChangeBatch(source=source, table=declared, rows=frame, meta=meta)
        yield Delivery(source=source, batches=(batch,), end=position)


def enter_snapshot(connection: Connection, *, snapshot: str, raw: bool) -> datetime:
    """Begin the one transaction all tables are read in and return its time; ``raw`` takes bytes as they are."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(psycopg.sql.Literal(snapshot)))
    row = connection.execute("SELECT transaction_timestamp() AS moment").fetchone()
    assert row is not None, "the statement has no FROM: one row always"
    connection.execute("SELECT set_config('statement_timeout', '0', true)")
    if raw:
        connection.execute("SELECT set_config('client_encoding', 'SQL_ASCII', true)")
    moment: datetime = row["moment"]
    return moment
