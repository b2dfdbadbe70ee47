"""A centre on PostgreSQL opened for a test, and a look inside its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from centre_rows import DATASET, DICTIONARY, EPOCH, NOW, RULES, SOURCE, TABLE, make_batch
from psycopg.rows import dict_row

from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.sources.change import Position

AT = NOW


@dataclass
class Centre:
    """A store with a link that streams from position 100, and a look inside its database."""

    store: PostgresCentreStore
    url: str

    def rows(self, question: str, *facts: object) -> list[dict[str, object]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(question, facts).fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)

    @property
    def current(self) -> dict[str, dict[str, object]]:
        return {str(row["_record_id"]): row for row in self.rows("SELECT * FROM dataset.doanh_nghiep")}

    def history(self, record_id: str) -> list[dict[str, object]]:
        return self.rows(
            "SELECT * FROM dataset.doanh_nghiep_history WHERE _record_id = %s ORDER BY _history_id", record_id
        )

    def cases(self, record_id: str) -> list[tuple[object, object]]:
        found = self.rows("SELECT * FROM lienthong.quarantine WHERE record_id = %s ORDER BY id", record_id)
        return [(case["state"], case["version"]) for case in found]

    def open_findings(self) -> set[tuple[object, object]]:
        found = self.rows("SELECT record_id, rule FROM lienthong.finding WHERE closed_batch IS NULL")
        return {(finding["record_id"], finding["rule"]) for finding in found}

    def counters(self) -> dict[object, tuple[object, ...]]:
        found = self.rows("SELECT * FROM lienthong.rule_counter ORDER BY rule_set, place")
        return {
            row["rule"]: (row["passed"], row["failed"], row["not_applicable"], row["not_evaluated"]) for row in found
        }

    def apply(self, *parts, end, at=AT, **facts):
        return self.store.apply(make_batch(*parts, end=end, **facts), at=at)


@contextmanager
def open_centre(url: str) -> Iterator[Centre]:
    store = PostgresCentreStore(url)
    store.prepare(DICTIONARY, {DATASET: RULES})
    start(store, 100)
    store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=Position(commit=100), at=AT)
    yield Centre(store=store, url=url)
    store.close()


def start(store, position, *, epoch=EPOCH, source=SOURCE, estimated=10):
    store.begin_snapshot(
        source,
        epoch=epoch,
        position=Position(commit=position),
        plan_digest="plan",
        rows_estimated=estimated,
        at=AT,
    )


def numbers(receipt):
    return (receipt.read, receipt.applied, receipt.quarantined, receipt.superseded, receipt.filtered)
