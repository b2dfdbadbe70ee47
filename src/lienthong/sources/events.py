"""What the log of a source says, one event after another; made by decoders, taken by ``assembly``.

Values stay the bytes the server sent or the text form of them in UTF-8; whole columns become text at once.
"""

from __future__ import annotations

from typing import NamedTuple

Values = list[bytes | None]

# Events are named tuples, not dataclasses: one is made per change, and a frozen dataclass costs four times as much.


class Begin(NamedTuple):
    """A transaction begins; its commit is already known."""

    commit: int  # position of the commit, smaller than ``Commit.end``
    time_us: int  # microseconds since the origin of the server's clock
    transaction: int


class Commit(NamedTuple):
    """A transaction ends."""

    commit: int
    end: int  # position after the transaction
    time_us: int


class Origin(NamedTuple):
    """The transaction was made elsewhere and replicated to this source."""

    commit: int
    name: str


class RelationColumn(NamedTuple):
    """A column as the stream declares it."""

    name: str
    type_oid: int
    type_modifier: int
    identifies: bool  # part of the replica identity


class Relation(NamedTuple):
    """A table as it is from here on."""

    oid: int
    schema: str
    table: str
    identity: str  # replica identity: d, n, f, i
    columns: tuple[RelationColumn, ...]


class Type(NamedTuple):
    """A type that is not built in."""

    oid: int
    schema: str
    name: str


class Insert(NamedTuple):
    """A new row."""

    relation: int
    new: Values


class Update(NamedTuple):
    """A changed row; ``old_kind`` is K (key only), O (whole row) or empty."""

    relation: int
    new: Values
    unchanged: tuple[int, ...]  # places whose large value was not sent because it did not change
    old_kind: str
    old: Values | None


class Delete(NamedTuple):
    """A row that is gone; ``old_kind`` is K (key only) or O (whole row)."""

    relation: int
    old_kind: str
    old: Values


class Truncate(NamedTuple):
    """Tables that were emptied."""

    relations: tuple[int, ...]
    cascade: bool
    restart_identity: bool


class Message(NamedTuple):
    """A message an application wrote into the log."""

    transactional: bool
    lsn: int
    prefix: str
    content: bytes


Event = Begin | Commit | Origin | Relation | Type | Insert | Update | Delete | Truncate | Message
