"""Columns into PostgreSQL by COPY, in the text format: no value can end the data or become another."""

from __future__ import annotations

import io

import polars as pl
import psycopg
from psycopg import sql

_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S%.6f+00"


def copy_frame(cursor: psycopg.Cursor[tuple[object, ...]], table: sql.Composable, frame: pl.DataFrame) -> None:
    """Append the rows of a frame to a table with columns of the same names."""
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in frame.columns)
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, columns)) as copy:
        copy.write(as_copy_text(frame))


def as_copy_text(frame: pl.DataFrame) -> memoryview:
    r"""Return a frame in COPY's text format, exactly: null is ``\N``, an empty text is empty."""
    buffer = io.BytesIO()
    frame.select(_as_text(name, dtype) for name, dtype in frame.schema.items()).write_csv(
        buffer, include_header=False, separator="\t", quote_style="never", null_value="\\N"
    )
    return buffer.getbuffer()


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.String:
        return _escaped(column)
    if isinstance(dtype, pl.List):
        return _escaped(_as_array(column)).alias(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.to_string(_TIMESTAMP_FORMAT)
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.String)
    return column


def _as_array(column: pl.Expr) -> pl.Expr:
    """Return a list of texts as an array literal."""
    quoted = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    inner = column.list.eval(pl.concat_str(pl.lit('"'), quoted, pl.lit('"')).fill_null("NULL")).list.join(",")
    return pl.concat_str(pl.lit("{"), inner, pl.lit("}"))


def _escaped(column: pl.Expr) -> pl.Expr:
    for plain, escape in _ESCAPES:
        column = column.str.replace_all(plain, escape, literal=True)
    return column
