"""The row of a link, to and from plain values."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from lienthong.centre.ports import LinkState, LinkStatus, Phase
from lienthong.sources.change import Epoch, Position, SourceId

LINK_COLUMNS = (
    "source, phase, epoch_system, epoch_timeline, epoch_database, epoch_slot, position, plan_digest, status, reason,"
    " next_action, heartbeat_at, source_time, applied_at, rows_done, rows_estimated"
)
SELECT_LINKS = f"SELECT {LINK_COLUMNS} FROM lienthong.link"  # noqa: S608 - both parts are constants


def link_state(row: tuple[object, ...]) -> LinkState:
    """Return a link from a row of ``LINK_COLUMNS``."""
    return LinkState(
        source=SourceId(cast("str", row[0])),
        phase=Phase(row[1]),
        epoch=_epoch(row[2:6]),
        position=None if row[6] is None else Position(commit=cast("int", row[6])),
        plan_digest=cast("str", row[7]),
        status=LinkStatus(row[8]),
        reason=cast("str | None", row[9]),
        next_action=cast("str | None", row[10]),
        heartbeat_at=cast("datetime | None", row[11]),
        source_time=cast("datetime | None", row[12]),
        applied_at=cast("datetime | None", row[13]),
        rows_done=cast("int", row[14]),
        rows_estimated=cast("int", row[15]),
    )


def _epoch(parts: tuple[object, ...]) -> Epoch | None:
    if parts[0] is None:
        return None
    system, timeline, database, slot = parts
    return Epoch(
        system=cast("str", system),
        timeline=cast("int", timeline),
        database=cast("str", database),
        slot=cast("str", slot),
    )
