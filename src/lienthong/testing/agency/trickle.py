"""The agency at work: a live trickle of inserts, updates and deletes, some wrong, some mending what was wrong."""

from __future__ import annotations

import random
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from lienthong.testing import citizens
from lienthong.testing.agency.journal import Journal
from lienthong.testing.agency.load import CITIZENS, ENTERPRISE_COLUMNS, ENTERPRISES

RECONNECT_S = 0.5
BAD_SHARE = 0.15  # of inserts
ENTERPRISE_SHARE = 0.15  # of all work
REMEMBERED_MAX = 1_000  # bad rows kept in mind to be mended later
TRIES_MAX = 8  # an operation may find nothing to do: the row is gone
TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
SYNTHETIC_SERIES = 200_190_000  # nine digits that begin the made-up enterprise codes, plus a counter
SYNTHETIC_NAME = "CÔNG TY TNHH GIẢ LẬP SỐ"  # says itself that there is no such company
PLANTED = tuple(name for name, kind in citizens.KINDS.items() if kind.plant is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one transaction did, without any value."""

    table: str
    operation: str
    id: int
    kind: str | None = None  # defect planted or mended


def made_up_code(counter: int) -> str:
    """Return a well-formed enterprise code with its check digit, from the series kept for made-up companies."""
    base = SYNTHETIC_SERIES + counter
    while True:
        digits = f"{base:09d}"
        check = 10 - sum(w * int(d) for w, d in zip(TAX_WEIGHTS, digits, strict=True)) % 11
        if check < 10:  # remainder 0 is not issued
            return f"{digits}{check}"
        base += 5_000


@dataclass(kw_only=True)
class Trickle:
    """Work on the agency's tables at a steady rate."""

    url: str
    seed: int
    rate: float  # transactions per second
    journal: Journal
    report: Callable[[str], None] = field(default=lambda _: None)  # told of lost connections
    remembered: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random()

    def run(self, stop: threading.Event, *, stop_after: int | None = None) -> int:
        """Work until told to stop; return how many transactions were acknowledged.

        A lost connection is opened again; what was under way then may or may not have been committed and is not
        in the journal.
        """
        done = 0
        while not stop.is_set() and (stop_after is None or done < stop_after):
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    self._seat(connection)
                    while not stop.is_set() and (stop_after is None or done < stop_after):
                        step = self._step(connection)
                        self.journal.write(table=step.table, operation=step.operation, id=step.id, kind=step.kind)
                        done += 1
                        stop.wait(self.chance.uniform(0.5, 1.5) / self.rate)
            except psycopg.OperationalError as error:
                self.report(error.sqlstate or type(error).__name__)
                stop.wait(RECONNECT_S)
        return done

    def _seat(self, connection: psycopg.Connection) -> None:
        """Go on from what the tables hold, so that a second run does other things than the first."""
        row = connection.execute(
            "SELECT coalesce(max(id) FILTER (WHERE t = 1), 0), coalesce(max(id) FILTER (WHERE t = 2), 0) FROM ("
            "SELECT 1 AS t, max(id) AS id FROM public.nhan_khau "
            "UNION ALL SELECT 2, max(id) FROM public.doanh_nghiep) AS ends"
        ).fetchone()
        assert row is not None, "an aggregate always answers"
        self.last_citizen, self.last_enterprise = int(row[0]), int(row[1])
        self.chance.seed(f"{self.seed}/{self.last_citizen}/{self.journal.number}")

    def _step(self, connection: psycopg.Connection) -> Step:
        for _ in range(TRIES_MAX):
            operation = self.chance.choices(("insert", "update", "delete"), (60, 30, 10))[0]
            enterprise = self.chance.random() < ENTERPRISE_SHARE
            with _transaction(connection) as cursor:
                step: Step | None = getattr(self, f"_{operation}_{'enterprise' if enterprise else 'citizen'}")(cursor)
            if step is not None:
                return step
        with _transaction(connection) as cursor:
            return self._insert_citizen(cursor)

    def _insert_citizen(self, cursor: psycopg.Cursor) -> Step:
        kind = self.chance.choice(PLANTED) if self.chance.random() < BAD_SHARE else None
        # The next row of the same seed: its number is unique beside all the rows loaded before.
        cursor.execute("SELECT nextval(pg_get_serial_sequence('public.nhan_khau', 'id'))")
        row = cursor.fetchone()
        assert row is not None, "a sequence always answers"
        new = int(row[0])
        values = citizens.citizen(new - 1, seed=self.seed, kind=kind) | {"id": new}
        del values["cap_nhat_luc"]
        _insert(cursor, CITIZENS, values, stamp="cap_nhat_luc")
        self.last_citizen = new
        if kind is not None:
            self._remember(new, kind)
        return Step(table="public.nhan_khau", operation="insert", id=new, kind=kind)

    def _update_citizen(self, cursor: psycopg.Cursor) -> Step | None:
        turn = self.chance.random()
        if turn < 0.4 and self.remembered:
            target, kind = self.remembered.pop(self.chance.randrange(len(self.remembered)))
            clean = citizens.citizen(target - 1, seed=self.seed)
            column = citizens.KINDS[kind].column
            # The number too: a birth date planted in the future came with a number that agrees.
            values = {column: clean[column], "so_cccd": clean["so_cccd"]}
            return self._update(cursor, target, values, kind=kind)
        target = self.chance.randint(1, max(1, self.last_citizen))
        if turn < 0.55:
            kind = self.chance.choice(PLANTED)
            column = citizens.KINDS[kind].column
            step = self._update(cursor, target, self._spoilt(target, kind, column), kind=kind)
            if step is not None:
                self._remember(target, kind)
            return step
        # A move, a new telephone or a change of standing: taken from another row, so that the values fit together.
        other = citizens.citizen(target + 50_000_000, seed=self.seed)
        columns = self.chance.choice((("dia_chi", "ma_xa", "ma_tinh"), ("dien_thoai",), ("hon_nhan",)))
        return self._update(cursor, target, {name: other[name] for name in columns}, kind=None)

    def _spoilt(self, target: int, kind: str, column: str) -> dict[str, Any]:
        bad = citizens.citizen(target - 1, seed=self.seed, kind=kind)
        return {column: bad[column], "so_cccd": bad["so_cccd"]}

    def _update(
        self, cursor: psycopg.Cursor, target: int, values: dict[str, Any], *, kind: str | None
    ) -> Step | None:
        assignments = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in values]
        cursor.execute(
            sql.SQL("UPDATE {} SET {}, cap_nhat_luc = now() WHERE id = {}").format(
                CITIZENS, sql.SQL(", ").join(assignments), sql.Placeholder("id")
            ),
            {**values, "id": target},
        )
        if cursor.rowcount == 0:
            return None
        return Step(table="public.nhan_khau", operation="update", id=target, kind=kind)

    def _delete_citizen(self, cursor: psycopg.Cursor) -> Step | None:
        target = self.chance.randint(1, max(1, self.last_citizen))
        cursor.execute(sql.SQL("DELETE FROM {} WHERE id = %s").format(CITIZENS), [target])
        if cursor.rowcount == 0:
            return None
        self.remembered = [each for each in self.remembered if each[0] != target]
        return Step(table="public.nhan_khau", operation="delete", id=target)

    def _insert_enterprise(self, cursor: psycopg.Cursor) -> Step:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('public.doanh_nghiep', 'id'))")
        row = cursor.fetchone()
        assert row is not None, "a sequence always answers"
        new = int(row[0])
        trade = "6201:Lập trình máy vi tính"
        place = citizens.citizen(new, seed=self.seed)["dia_chi"]
        bad = self.chance.random() < BAD_SHARE
        values = (
            made_up_code(new)[: 8 if bad else 10],
            f"{SYNTHETIC_NAME} {new}",
            f"{place}, Việt Nam",
            None,
            str(self.chance.randint(1, 90) * 100_000_000),
            trade,
            trade,
            str(46_000 + self.chance.randint(0, 300)),
            "Công ty trách nhiệm hữu hạn một thành viên",
        )
        _insert(cursor, ENTERPRISES, {"id": new, **dict(zip(ENTERPRISE_COLUMNS, values, strict=True))})
        return Step(table="public.doanh_nghiep", operation="insert", id=new, kind="short_code" if bad else None)

    def _update_enterprise(self, cursor: psycopg.Cursor) -> Step | None:
        """Mend spellings of real enterprises, never their facts; change facts of made-up ones only."""
        turn = self.chance.random()
        if turn < 0.1:
            return _fill_empty_code(cursor)
        if turn < 0.6:
            return _tidy_name(cursor)
        cursor.execute(
            sql.SQL(
                "UPDATE {0} SET von_dieu_le = %s WHERE id = (SELECT id FROM {0} WHERE ten LIKE %s "
                "ORDER BY id DESC LIMIT 1 OFFSET %s) RETURNING id"
            ).format(ENTERPRISES),
            [str(self.chance.randint(1, 90) * 150_000_000), f"{SYNTHETIC_NAME} %", self.chance.randint(0, 20)],
        )
        return _step_of(cursor, "update", None)

    def _delete_enterprise(self, cursor: psycopg.Cursor) -> Step | None:
        cursor.execute(
            sql.SQL(
                "DELETE FROM {0} WHERE id = (SELECT id FROM {0} WHERE ten LIKE %s ORDER BY id LIMIT 1) RETURNING id"
            ).format(ENTERPRISES),
            [f"{SYNTHETIC_NAME} %"],
        )
        return _step_of(cursor, "delete", None)

    def _remember(self, target: int, kind: str) -> None:
        if len(self.remembered) < REMEMBERED_MAX:
            self.remembered.append((target, kind))


@contextmanager
def _transaction(connection: psycopg.Connection) -> Iterator[psycopg.Cursor]:
    with connection.transaction(), connection.cursor() as cursor:
        yield cursor


def _insert(
    cursor: psycopg.Cursor, table: sql.Identifier, values: dict[str, Any], *, stamp: str | None = None
) -> None:
    """Insert one row; the column named by ``stamp`` gets the moment of the transaction."""
    columns = [sql.Identifier(name) for name in values]
    marks: list[sql.Composable] = [sql.Placeholder(name) for name in values]
    if stamp is not None:
        columns.append(sql.Identifier(stamp))
        marks.append(sql.SQL("now()"))
    cursor.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            table, sql.SQL(", ").join(columns), sql.SQL(", ").join(marks)
        ),
        values,
    )


def _fill_empty_code(cursor: psycopg.Cursor) -> Step | None:
    """Give the enterprise that came without a code a made-up one: the true one is not known."""
    cursor.execute(
        sql.SQL("SELECT id FROM {} WHERE coalesce(ma_so, '') = '' ORDER BY id LIMIT 1").format(ENTERPRISES)
    )
    row = cursor.fetchone()
    if row is None:
        return None
    cursor.execute(
        sql.SQL("UPDATE {} SET ma_so = %s WHERE id = %s RETURNING id").format(ENTERPRISES),
        [made_up_code(int(row[0])), row[0]],
    )
    return _step_of(cursor, "update", "empty_code_filled")


def _tidy_name(cursor: psycopg.Cursor) -> Step | None:
    """Take doubled and outer spaces out of one name, and compose its letters."""
    cursor.execute(
        sql.SQL(
            "SELECT id, ten FROM {} WHERE ten ~ '  |^ | $' OR ten IS NOT NFC NORMALIZED ORDER BY id LIMIT 1"
        ).format(ENTERPRISES)
    )
    row = cursor.fetchone()
    if row is None:
        return None
    tidy = unicodedata.normalize("NFC", " ".join(row[1].split()))
    cursor.execute(sql.SQL("UPDATE {} SET ten = %s WHERE id = %s RETURNING id").format(ENTERPRISES), [tidy, row[0]])
    return _step_of(cursor, "update", "name_tidied")


def _step_of(cursor: psycopg.Cursor, operation: str, kind: str | None) -> Step | None:
    row = cursor.fetchone()
    if row is None:
        return None
    return Step(table="public.doanh_nghiep", operation=operation, id=int(row[0]), kind=kind)
