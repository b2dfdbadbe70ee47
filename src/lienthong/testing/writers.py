"""Random writers for tests that pull the plug: what they were promised is in their journals.

Every writer owns the rows it made, so writers never wait for each other. A journal line with ``intent`` is written
before a commit and one with ``acknowledged`` after it: a transaction with an intent and no acknowledgement may or may
not have happened, everything else is certain (``replay``).
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from lienthong.testing import citizens
from lienthong.testing.agency.journal import Journal, read_journal

RECONNECT_S = 0.2
LARGE_CHARACTERS = 6_000
BIG_TRANSACTION_ROWS = (300, 1_500)
STOCK_ROWS = 2_000
IDS_PER_WRITER = 1_000_000_000
ROW_OFFSET = 10_000_000  # rows of the generator that no loaded table reaches
OPERATIONS = ("insert", "update", "delete", "move", "large", "rollback", "many")
WEIGHTS = (34, 30, 12, 8, 8, 5, 3)
AWKWARD = (
    "tab\tand\nnew line\r\n",
    "back\\slash \\N \\. \\x41",
    "quote ' and \" and , and ;",
    "Nguyễn Thị Ánh",  # decomposed
    "",
    " ",
    "𠀀 🏠 \u200b",
    '{"json": [1, null]}',
)

Row = dict[str, str | None]


def row_digest(row: Mapping[str, str | None]) -> str:
    """Return a digest of a row of texts that does not depend on the order of its columns."""
    text = json.dumps(dict(row), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(kw_only=True)
class Writer:
    """Write at random into ``public.nhan_khau`` of the agency until told to stop."""

    url: str
    seed: int
    number: int  # which of the writers this is, from 1
    journal: Path
    transactions: int = 0  # acknowledged so far
    own: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}/{self.number}")
        self.next_id = self.number * IDS_PER_WRITER
        self.stock: list[dict[str, Any]] = []
        self.made = 0

    def run(self, stop: threading.Event, *, stop_after: int | None = None) -> None:
        """Write until told to stop, or until so many transactions were acknowledged; connect again when needed."""
        journal = Journal(self.journal)
        try:
            while not self._done(stop, stop_after):
                try:
                    with psycopg.connect(self.url, autocommit=True) as connection:
                        self._look(connection)
                        while not self._done(stop, stop_after):
                            self._transaction(connection, journal)
                except psycopg.OperationalError:
                    stop.wait(RECONNECT_S)
        finally:
            journal.close()

    def _done(self, stop: threading.Event, stop_after: int | None) -> bool:
        return stop.is_set() or (stop_after is not None and self.transactions >= stop_after)

    def _look(self, connection: psycopg.Connection) -> None:
        """Read back which rows are there: what was under way when the connection broke is not known."""
        first, end = self.number * IDS_PER_WRITER, (self.number + 1) * IDS_PER_WRITER
        found = connection.execute("SELECT id FROM public.nhan_khau WHERE id >= %s AND id < %s", [first, end])
        self.own = {int(row[0]) for row in found}
        self.next_id = max([self.next_id, *(each + 1 for each in self.own)])

    def _transaction(self, connection: psycopg.Connection, journal: Journal) -> None:
        operation = self.chance.choices(OPERATIONS, WEIGHTS)[0]
        try:
            with connection.transaction():
                writes = self._write(connection, operation)
                if operation == "rollback":
                    raise psycopg.Rollback
                intent = journal.write(
                    intent={str(each): None if row is None else row_digest(row) for each, row in writes.items()},
                    operation=operation,
                )
        except psycopg.IntegrityError:
            # A constraint the test put on the table: nothing was written, nothing is promised.
            return
        if operation == "rollback":
            return
        journal.write(acknowledged=intent)
        self.transactions += 1
        self.own -= {each for each, row in writes.items() if row is None}
        self.own |= {each for each, row in writes.items() if row is not None}

    def _write(self, connection: psycopg.Connection, operation: str) -> dict[int, Row | None]:
        """Do one operation; return what each row touched is now, None for gone."""
        if operation == "many":
            fresh = [self._fresh() for _ in range(self.chance.randint(*BIG_TRANSACTION_ROWS))]
            with connection.cursor() as cursor:
                cursor.executemany(_insertion(), fresh)
            return self._read(connection, [int(row["id"]) for row in fresh])
        if operation == "insert" or not self.own:
            row = self._fresh()
            connection.execute(_insertion(), row)
            return self._read(connection, [int(row["id"])])
        target = self.chance.choice(tuple(self.own))
        if operation == "delete":
            connection.execute("DELETE FROM public.nhan_khau WHERE id = %s", [target])
            return {target: None}
        if operation == "move":
            new = self._take_id()
            connection.execute("UPDATE public.nhan_khau SET id = %s WHERE id = %s", [new, target])
            return {target: None, **self._read(connection, [new])}
        if operation == "large":
            # Random letters: text that can be packed stays in the row and is sent anyway.
            large = "".join(self.chance.choices("ăâđêôơưabcdefghijklmnopqrstuvwxyz0123456789", k=LARGE_CHARACTERS))
            connection.execute("UPDATE public.nhan_khau SET dia_chi = %s WHERE id = %s", [large, target])
            return self._read(connection, [target])
        values = {"id": target, "dien_thoai": self.chance.choice(AWKWARD), "hon_nhan": self.chance.choice("123")}
        connection.execute(
            "UPDATE public.nhan_khau SET dien_thoai = %(dien_thoai)s, hon_nhan = %(hon_nhan)s, cap_nhat_luc = now() "
            "WHERE id = %(id)s",
            values,
        )
        return self._read(connection, [target])

    def _take_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def _fresh(self) -> dict[str, Any]:
        if not self.stock:
            # Rows are made many at once: one by one each would cost as much as a hundred.
            first = ROW_OFFSET * self.number + self.made
            frame, _ = citizens.generate(STOCK_ROWS, seed=self.seed, first=first, defect_share=0.1)
            self.made += STOCK_ROWS
            self.stock = frame.rows(named=True)
        row = self.stock.pop() | {"id": self._take_id()}
        if self.chance.random() < 0.3:
            row["dia_chi"] = self.chance.choice(AWKWARD)
        return row

    def _read(self, connection: psycopg.Connection, ids: list[int]) -> dict[int, Row | None]:
        found = source_images(connection, "public", "nhan_khau", ids=ids)
        return {each: found.get(each) for each in ids}


def _insertion() -> sql.Composed:
    return sql.SQL("INSERT INTO public.nhan_khau ({}) VALUES ({})").format(
        sql.SQL(", ").join(sql.Identifier(name) for name in citizens.COLUMNS),
        sql.SQL(", ").join(sql.Placeholder(name) for name in citizens.COLUMNS),
    )


def source_images(
    connection: psycopg.Connection, schema: str, table: str, *, ids: list[int] | None = None
) -> dict[int, Row]:
    """Return every row of a table as its column texts, by ``id``, as the centre's raw images have them."""
    found = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass "
        "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [schema, table],
    )
    names = [row[0] for row in found]
    with connection.transaction():
        # Text of a moment depends on the session; the links read in UTC.
        connection.execute("SET LOCAL timezone TO 'UTC'")
        connection.execute("SET LOCAL datestyle TO 'ISO, MDY'")
        statement = sql.SQL("SELECT id, {} FROM {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names),
            sql.Identifier(schema, table),
        )
        if ids is None:
            rows = connection.execute(statement).fetchall()
        else:
            rows = connection.execute(statement + sql.SQL(" WHERE id = ANY(%s)"), [ids]).fetchall()
    return {int(row[0]): dict(zip(names, row[1:], strict=True)) for row in rows}


def table_digest(url: str, schema: str, table: str) -> tuple[int, int]:
    """Return (rows, sum of row hashes): two tables of the same server and shape are alike when both agree."""
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        row = connection.execute(
            sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {} AS t").format(
                sql.Identifier(schema, table)
            )
        ).fetchone()
    assert row is not None, "an aggregate always answers"
    return int(row[0]), int(row[1])


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What journals say of the rows: certain ones, and those a kill left in doubt."""

    certain: Mapping[int, str | None]  # id → digest, None: deleted
    in_doubt: Mapping[int, frozenset[str | None]]  # id → the states it may be in


def replay(journals: Iterable[Path]) -> Promised:
    """Return what the writers were promised."""
    certain: dict[int, str | None] = {}
    in_doubt: dict[int, set[str | None]] = {}
    for path in journals:
        lines = read_journal(path)
        acknowledged = {line["acknowledged"] for line in lines if "acknowledged" in line}
        for line in lines:
            for key, digest in line.get("intent", {}).items():
                each = int(key)
                if line["number"] in acknowledged:
                    certain[each] = digest
                    in_doubt.pop(each, None)
                else:
                    in_doubt.setdefault(each, {certain.get(each)}).add(digest)
    return Promised(certain=certain, in_doubt={each: frozenset(states) for each, states in in_doubt.items()})


def broken_promises(promised: Promised, held: Mapping[int, Row]) -> list[int]:
    """Return the ids of rows that are not what an acknowledged commit made them."""
    broken = []
    for each, digest in promised.certain.items():
        now = row_digest(held[each]) if each in held else None
        if now != digest and now not in promised.in_doubt.get(each, frozenset()):
            broken.append(each)
    return sorted(broken)


@dataclass(frozen=True, kw_only=True)
class Differences:
    """How what the centre holds differs from the source; ids only, no values."""

    missing: tuple[int, ...]  # in the source, not at the centre
    unexpected: tuple[int, ...]  # at the centre, not in the source
    different: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.different)


def compare(source: Mapping[int, Row], centre: Mapping[int, str]) -> Differences:
    """Compare source rows with the centre's raw images (JSON objects of texts), both by the source's id."""
    images = {each: json.loads(image) for each, image in centre.items()}
    return Differences(
        missing=tuple(sorted(source.keys() - images.keys())),
        unexpected=tuple(sorted(images.keys() - source.keys())),
        different=tuple(sorted(each for each in source.keys() & images.keys() if source[each] != images[each])),
    )


def id_of(record_id: str) -> int:
    """Return the source's id from a record id (IdBanGhi ``link/schema.table/key``)."""
    return int(record_id.rpartition("/")[2])
