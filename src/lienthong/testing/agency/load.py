"""Fill the agency's database: the real enterprises untouched, synthetic citizens, and what a reader is granted."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import polars as pl
import psycopg
from psycopg import sql

from lienthong.testing import citizens

CHUNK_ROWS = 50_000
PUBLICATION = "lienthong"
ENTERPRISES = sql.Identifier("public", "doanh_nghiep")
CITIZENS = sql.Identifier("public", "nhan_khau")
# The order of the extract's header: Mã số doanh nghiệp, Tên doanh nghiệp, Địa chỉ trụ sở chính, Quận / Huyện,
# Vốn điều lệ, Ngành nghề KD chính, Ngành nghề KD, Ngày cấp, Loại hình DN.
ENTERPRISE_COLUMNS = (
    *("ma_so", "ten", "dia_chi", "quan_huyen", "von_dieu_le", "nganh_chinh", "nganh_nghe", "ngay_cap", "loai_hinh"),
)

Progress = Callable[[str, int, int], None]
"""Told (stage, rows done, rows in all)."""


def extract() -> bytes:
    """Return the extract of the enterprise register, CSV in UTF-8, as it was published."""
    packed = resources.files(__package__).joinpath("enterprises_ca_mau.csv.gz").read_bytes()
    return gzip.decompress(packed)


def load(
    url: str,
    *,
    citizens_wanted: int,
    seed: int,
    reader: str | None,
    truth: Path | None,
    progress: Progress,
) -> None:
    """Create and fill what is missing; run again, it changes nothing. Each table is filled in one transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = resources.files(__package__).joinpath("tables.sql").read_bytes()
        with connection.transaction():
            connection.execute(tables)
        _load_enterprises(connection, progress)
        filled = _rows(connection, CITIZENS)
        planted: pl.DataFrame | None = None
        if filled and (truth is None or truth.exists()):
            progress("citizens", filled, filled)
        else:
            planted = _load_citizens(
                connection, wanted=citizens_wanted, filled=filled > 0, seed=seed, progress=progress
            )
        _publish(connection)
        if reader is not None:
            _grant(connection, reader)
        progress("publication", 1, 1)
    if truth is not None and planted is not None:
        _write_truth(truth, planted)


def _rows(connection: psycopg.Connection, table: sql.Identifier) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    assert row is not None, "count always answers"
    return int(row[0])


def _restart_numbers(connection: psycopg.Connection, table: sql.Identifier, first: int) -> None:
    """Let the next row get this number; unlike ``setval`` this is undone with the transaction."""
    connection.execute(sql.SQL("ALTER TABLE {} ALTER COLUMN id RESTART WITH {}").format(table, sql.Literal(first)))


def _load_enterprises(connection: psycopg.Connection, progress: Progress) -> None:
    if _rows(connection, ENTERPRISES) == 0:
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER)").format(
            ENTERPRISES, sql.SQL(", ").join(sql.Identifier(name) for name in ENTERPRISE_COLUMNS)
        )
        with connection.transaction(), connection.cursor() as cursor:
            _restart_numbers(connection, ENTERPRISES, 1)
            with cursor.copy(statement) as copy:
                copy.write(extract())
    rows = _rows(connection, ENTERPRISES)
    progress("enterprises", rows, rows)


def _load_citizens(
    connection: psycopg.Connection, *, wanted: int, filled: bool, seed: int, progress: Progress
) -> pl.DataFrame:
    """Fill the table unless it was filled before; return the truth either way."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        CITIZENS, sql.SQL(", ").join(sql.Identifier(name) for name in citizens.COLUMNS)
    )
    truths: list[pl.DataFrame] = []
    progress("citizens", 0, wanted)
    with connection.transaction(), connection.cursor() as cursor:
        for first in range(0, wanted, CHUNK_ROWS):
            rows = min(CHUNK_ROWS, wanted - first)
            frame, truth = citizens.generate(rows, seed=seed, first=first, of=wanted)
            truths.append(truth)
            if not filled:
                with cursor.copy(statement) as copy:
                    copy.write(_csv(frame))
            progress("citizens", first + rows, wanted)
        if wanted and not filled:
            _restart_numbers(connection, CITIZENS, wanted + 1)
    return pl.concat(truths) if truths else pl.DataFrame(schema=dict(citizens.TRUTH_SCHEMA))


def _csv(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False)
    return buffer.getvalue()


def _publish(connection: psycopg.Connection) -> None:
    known = connection.execute("SELECT 1 FROM pg_publication WHERE pubname = %s", [PUBLICATION]).fetchone()
    if known is None:
        connection.execute(
            sql.SQL("CREATE PUBLICATION {} FOR TABLE {}, {}").format(
                sql.Identifier(PUBLICATION), ENTERPRISES, CITIZENS
            )
        )


def _grant(connection: psycopg.Connection, reader: str) -> None:
    role = sql.Identifier(reader)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
    connection.execute(sql.SQL("GRANT SELECT ON {}, {} TO {}").format(ENTERPRISES, CITIZENS, role))


def _write_truth(path: Path, truth: pl.DataFrame) -> None:
    # Written beside and renamed: whoever reads it finds the whole table or none.
    fresh = path.with_name(path.name + ".new")
    truth.write_parquet(fresh)
    fresh.replace(path)
