"""Read tables of MariaDB whole as of one moment: the text protocol, block by block, no value altered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import pymysql
from pymysql.constants import COMMAND

from lienthong.adapters.mariadb.catalogue import TableFacts, finish_of, quoted, selected
from lienthong.adapters.mariadb.connection import PACKET_BYTES_WHOLE, Session, refused_statement
from lienthong.sources.assembly import read_meta, text_frame
from lienthong.sources.change import ChangeBatch, Delivery, Position, SourceId
from lienthong.sources.refusals import StreamInterrupted

BLOCK_ROWS: Final = 20_000
BLOCK_BYTES: Final = 32 * 2**20

_NULL, _TWO, _THREE, _EIGHT = 0xFB, 0xFC, 0xFD, 0xFE
_END_BYTES_MAX: Final = 9
_WHAT: Final = "read the snapshot"

Row = list[bytes | None]


def _packets(session: Session) -> Iterator[bytes]:
    """Yield the packets of the answer whose head the driver has read."""
    read = session.incoming.read  # the driver would look at every value of every row
    while True:
        parts: list[bytes] = []
        while True:
            head = read(4)
            size = head[0] | head[1] << 8 | head[2] << 16 if len(head) == 4 else -1  # noqa: PLR2004 - a packet's head
            body = read(size) if size > 0 else b""
            if size < 0 or len(body) != size:
                raise StreamInterrupted(
                    source=session.address.source, reason=f"connection lost while trying to {_WHAT}"
                )
            parts.append(body)
            if size < PACKET_BYTES_WHOLE:
                break
        yield parts[0] if len(parts) == 1 else b"".join(parts)


def _row(packet: bytes, finish: list[Callable[[bytes], bytes] | None]) -> Row:
    values: Row = []
    append = values.append
    at = 0
    for make in finish:
        size = packet[at]
        at += 1
        if size == _NULL:
            append(None)
            continue
        if size == _TWO:
            size, at = packet[at] | packet[at + 1] << 8, at + 2
        elif size == _THREE:
            size, at = packet[at] | packet[at + 1] << 8 | packet[at + 2] << 16, at + 3
        elif size == _EIGHT:
            size, at = int.from_bytes(packet[at : at + 8], "little"), at + 8
        raw = packet[at : at + size]
        at += size
        append(raw if make is None else make(raw))
    return values


def _blocks(session: Session, statement: str, table: TableFacts) -> Iterator[list[Row]]:
    finish = [finish_of(column, table=table.name) for column in table.columns]
    try:
        session.command(COMMAND.COM_QUERY, statement.encode())
        head = pymysql.connections.MySQLResult(session.driver)
        head.init_unbuffered_query()
        head.unbuffered_active = False  # the rows are ours to read
    except pymysql.MySQLError as cause:
        raise refused_statement(session.address, cause, what=_WHAT) from cause
    rows: list[Row] = []
    size = 0
    for packet in _packets(session):
        if packet[:1] == b"\xfe" and len(packet) < _END_BYTES_MAX:
            break
        if packet[:1] == b"\xff":
            number = packet[1] | packet[2] << 8
            raise refused_statement(session.address, pymysql.MySQLError(number, ""), what=_WHAT)
        rows.append(_row(packet, finish))
        size += len(packet)
        if len(rows) >= BLOCK_ROWS or size >= BLOCK_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def enter_snapshot(session: Session) -> tuple[str, int, datetime]:
    """Begin the one transaction all tables are read in; return where the log stands then, and when.

    MariaDB fixes both together, without a lock (``binlog_snapshot_file``, ``binlog_snapshot_position``).
    """
    session.execute("SET SESSION max_statement_time = 0, character_set_results = NULL")
    session.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", what="enter the snapshot")
    rows = session.rows("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", what="enter the snapshot")
    status = {_plain(row["Variable_name"]).lower(): _plain(row["Value"]) for row in rows}
    moment = session.rows("SELECT CAST(UTC_TIMESTAMP(6) AS CHAR) AS moment", what="enter the snapshot")
    at = datetime.fromisoformat(_plain(moment[0]["moment"]) + "+00:00")
    return status["binlog_snapshot_file"], int(status["binlog_snapshot_position"]), at


def _plain(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def read_rows(
    session: Session, *, source: SourceId, table: TableFacts, position: Position, time: datetime
) -> Iterator[Delivery]:
    """Yield all rows of a table as deliveries; the session stands in the snapshot's transaction.

    Raises:
        LienthongError: of the SRC family.
    """
    names = [column.column.name for column in table.columns]
    columns = ", ".join(selected(column) for column in table.columns)
    # The names come from the catalogue and are quoted.
    statement = f"SELECT {columns} FROM {quoted(table.name.schema)}.{quoted(table.name.table)}"  # noqa: S608 - as said
    try:
        for rows in _blocks(session, statement, table):
            frame, damaged = text_frame(names, list(zip(*rows, strict=True)))
            meta = read_meta(frame.height, position=position, time=time, damaged=damaged)
            batch = ChangeBatch(source=source, table=table.table, rows=frame, meta=meta)
            yield Delivery(source=source, batches=(batch,), end=position)
    except OSError as cause:
        raise StreamInterrupted(source=source, reason=f"connection lost while trying to {_WHAT}") from cause
