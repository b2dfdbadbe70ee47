"""Cases of look-ups in PostgreSQL, as the gateway's role: two functions, no table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from lienthong.adapters.postgres.repair_rows import Connection, address, refusals
from lienthong.deadlines import WorkCalendar
from lienthong.dictionary.model import UNKNOWN_VI, DatasetId
from lienthong.oversight.repair import CaseState
from lienthong.oversight.repair_looks import LookUpCase
from lienthong.oversight.repair_policy import IDENTIFIER, RepairPolicy

CONNECTIONS_MAX: Final = 4
WAIT_S_MAX: Final = 2.0
STATEMENT_MS_MAX: Final = 2_000  # the answer to a look-up waits for this
LOCK_MS_MAX: Final = 1_000
CASE_NUMBER_MAX: Final = 2**62
# How grave an outcome is, by the levels of the policy.
LEVEL_OF: Final = {"not-found": "error", "incomplete": "blocking", "disputed": IDENTIFIER}
RULE_OF_LOOKS: Final = "look-up:"


class PostgresLookUpCases:
    """``LookUpCases`` over a pool of connections that opens when it is first asked."""

    def __init__(
        self,
        url: str,
        *,
        calendar: WorkCalendar,
        policy: RepairPolicy,
        owners: Mapping[str, tuple[str, ...]],  # dataset: the agencies whose records it holds
        owner_of: Mapping[str, str],  # "source/schema.table": agency
        password: str | None = None,
    ) -> None:
        self._calendar, self._policy, self._owners, self._owner_of = calendar, policy, owners, owner_of
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            address(url, password, statement_ms=STATEMENT_MS_MAX, lock_ms=LOCK_MS_MAX),
            min_size=0,
            max_size=CONNECTIONS_MAX,
            timeout=WAIT_S_MAX,
            kwargs={"row_factory": dict_row, "autocommit": True},
            check=ConnectionPool.check_connection,
            open=False,
            name="look-ups",
        )

    def __repr__(self) -> str:
        return "PostgresLookUpCases()"  # the address may hold a password

    def note(
        self,
        *,
        dataset: DatasetId,
        key: Sequence[str],
        outcome: str,
        requester: str,
        purpose: str,
        records: Sequence[str],
        at: datetime,
    ) -> int:
        """Open a case, or add to the one open for the same key, and return its number."""
        facts = {
            "dataset": dataset,
            "key": list(key),
            "outcome": outcome,
            "requester": requester,
            "purpose": purpose,
            "owner": self._owner(dataset, records),
            "level": self._policy.severity[LEVEL_OF[outcome]].value,
            "records": list(records),
            "at": at,
            "answer": self._calendar.add_work_hours(at, self._policy.answer_hours),
            "check": self._policy.check_workdays,
            "correct": self._policy.correct_workdays,
            "hard": self._policy.hard_workdays,
        }
        with self._connection() as connection:
            row = connection.execute(
                "SELECT lienthong.repair_note_look(%(dataset)s, %(key)s::text[], %(outcome)s, %(requester)s,"
                " %(purpose)s, %(owner)s, %(level)s, %(records)s::text[], %(at)s::timestamptz,"
                " %(answer)s::timestamptz, %(check)s::integer, %(correct)s::integer, %(hard)s::integer) AS number",
                facts,
            ).fetchone()
        assert row is not None, "a function returns a row"
        return int(row["number"])

    def state(self, number: int, *, requester: str) -> LookUpCase | None:
        """Return a case the agency brought about; None for every other number."""
        if not 0 < number <= CASE_NUMBER_MAX:
            return None
        with self._connection() as connection:
            row = connection.execute(
                "SELECT * FROM lienthong.repair_case_of(%s::bigint, %s)", [number, requester]
            ).fetchone()
        if row is None:
            return None
        return LookUpCase(
            number=row["id"],
            dataset=DatasetId(row["dataset"]),
            outcome=row["rule"].removeprefix(RULE_OF_LOOKS),
            state=CaseState(row["state"]),
            owner=row["agency"],
            opened_at=row["opened_at"].astimezone(UTC),
            answer_by=None if row["answer_by"] is None else row["answer_by"].astimezone(UTC),
            planned_on=row["planned_on"],
            closed_at=None if row["closed_at"] is None else row["closed_at"].astimezone(UTC),
        )

    def close(self) -> None:
        """Give back connections."""
        self._pool.close()

    def _owner(self, dataset: DatasetId, records: Sequence[str]) -> str:
        """Return the one agency it can be; where several may own the record, nobody is picked."""
        named = {self._owner_of.get("/".join(record.split("/")[:2]), UNKNOWN_VI) for record in records}
        candidates = named or set(self._owners.get(dataset, ()))
        return candidates.pop() if len(candidates) == 1 else UNKNOWN_VI

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with refusals():
            if self._pool.closed:
                self._pool.open()
            with self._pool.connection() as connection:
                yield connection
