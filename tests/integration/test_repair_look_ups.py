"""Look-ups without a good answer on a real centre: one case a key, no key kept, closed by the record itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from centre_opened import Centre, open_centre
from centre_rows import DATASET, NOW, R, make_batch
from test_repair_loop import KNOWN, LATER, OWNER, PREFIX, plan_at, rid

from lienthong.adapters.postgres import repair, repair_sync
from lienthong.adapters.postgres.repair import PostgresRepairDesk
from lienthong.adapters.postgres.repair_looks import PostgresLookUpCases
from lienthong.dictionary.model import UNKNOWN_VI
from lienthong.oversight.officers import Officer, Role
from lienthong.oversight.repair import CaseKind, CaseState, Step
from lienthong.oversight.repair_desk import CaseFilter, Wish

KEY = "0101234567"
STEWARD = Officer(name="lan", full_name="Lan", agency=OWNER, roles=frozenset({Role.STEWARD}))
ASSESSOR = Officer(name="minh", full_name="Minh", agency="G01", roles=frozenset({Role.ASSESSOR}))
WHY = "không có doanh nghiệp nào như vậy"


@dataclass
class Counter:
    centre: Centre
    url: str
    gateway_url: str
    looks: PostgresLookUpCases
    desk: PostgresRepairDesk
    end: int = 100

    def note(self, outcome: str = "not-found", *, key: str = KEY, who: str = "G09", **facts: Any) -> int:
        asked = {"records": (), "at": NOW, "purpose": "xác minh"} | facts
        return self.looks.note(dataset=DATASET, key=[key], outcome=outcome, requester=who, **asked)

    def change(self, *rows: R, at: datetime = NOW) -> None:
        self.end += 10
        self.centre.store.apply(make_batch([replace(row, at=self.end - 1) for row in rows], end=self.end), at=at)

    def sync(self, at: datetime = NOW) -> int:
        (result,) = repair_sync.sync(self.url, password=None, plans=[plan_at(at)], at=at)
        return result.closed

    def state(self, number: int, who: str = "G09") -> CaseState | None:
        case = self.looks.state(number, requester=who)
        return None if case is None else case.state


@pytest.fixture
def counter(make_database: Callable[..., Any]) -> Iterator[Counter]:
    database = make_database("looks")
    with open_centre(database.url) as centre:
        gateway = database.role("gateway")
        repair.install(database.url, password=None, gateway_role=database.user_of(gateway))
        looks = PostgresLookUpCases(
            gateway,
            calendar=KNOWN.calendar,
            policy=KNOWN.policy,
            owners={DATASET: (OWNER,)},
            owner_of={PREFIX: OWNER},
        )
        desk = PostgresRepairDesk(database.url, calendar=KNOWN.calendar, policy=KNOWN.policy)
        yield Counter(centre, database.url, gateway, looks, desk)
        looks.close()
        desk.close()


def test_one_key_is_one_case_however_often_it_is_asked_for(counter: Counter) -> None:
    number = counter.note()
    assert counter.note(who="G01", at=NOW + LATER) == number
    assert counter.note(at=NOW + 2 * LATER) == number
    assert counter.note(key="0107654321") != number
    view = counter.desk.case(number)
    assert (view.case.kind, view.case.looks, view.case.agency) == (CaseKind.LOOK_UP, 3, OWNER)
    assert [look.requester for look in view.looks] == ["G09", "G01"]


def test_the_clock_of_the_asker_is_eight_working_hours(counter: Counter) -> None:
    case = counter.looks.state(counter.note(), requester="G09")
    assert case is not None
    assert case.answer_by == KNOWN.calendar.add_work_hours(NOW, 8)
    assert (case.outcome, case.owner) == ("not-found", OWNER)


def test_the_key_is_kept_nowhere(counter: Counter) -> None:
    counter.note()
    with psycopg.connect(counter.url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'lienthong' AND tablename LIKE 'repair%'"
        ).fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f"SELECT t::text FROM lienthong.{table} t"):
                assert KEY not in row
    with psycopg.connect(counter.gateway_url, autocommit=True) as gateway:
        for statement in (
            "SELECT * FROM lienthong.repair_secret",
            "SELECT * FROM lienthong.repair_case",
            "SELECT lienthong.repair_digest('doanh-nghiep', ARRAY['1'])",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                gateway.execute(statement)


def test_only_who_asked_can_follow_a_case(counter: Counter) -> None:
    number = counter.note()
    assert counter.state(number) is CaseState.OPEN
    assert counter.state(number, "G01") is None
    assert counter.state(number + 1) is None
    assert counter.state(2**70) is None


def test_a_missing_record_that_arrives_closes_its_case(counter: Counter) -> None:
    number = counter.note()
    other = counter.note(key="0107654321")
    counter.sync(NOW)
    assert counter.state(number) is CaseState.OPEN
    counter.change(R(id=rid(1), key=KEY), at=NOW + LATER)
    assert counter.sync(NOW + LATER) == 1
    assert (counter.state(number), counter.state(other)) == (CaseState.CLOSED, CaseState.OPEN)
    assert counter.note(at=NOW + 2 * LATER) != number, "asked again after that, it is another case"


def test_a_record_in_quarantine_that_becomes_right_closes_its_case(counter: Counter) -> None:
    counter.change(R(id=rid(1), key=KEY, bad=True))
    number = counter.note("incomplete")
    counter.sync(NOW)
    assert counter.state(number) is CaseState.OPEN
    counter.change(R(id=rid(1), key=KEY), at=NOW + LATER)
    counter.sync(NOW + LATER)
    assert counter.state(number) is CaseState.CLOSED


def test_a_dispute_ends_when_one_record_alone_has_the_key(counter: Counter) -> None:
    counter.change(R(id=rid(1), key=KEY), R(id=rid(2), key=KEY))
    number = counter.note("disputed", records=(rid(1), rid(2)))
    counter.sync(NOW)
    assert counter.state(number) is CaseState.OPEN
    counter.change(R(id=rid(2), event="CANCEL"), at=NOW + LATER)
    counter.sync(NOW + LATER)
    assert counter.state(number) is CaseState.CLOSED


def test_where_no_record_is_missing_asking_again_opens_nothing(counter: Counter) -> None:
    number = counter.note()
    counter.desk.take(number, Wish(step=Step.CLAIM, by=STEWARD, reason=WHY), at=NOW)
    counter.desk.take(number, Wish(step=Step.ACCEPT, by=ASSESSOR, reason=WHY), at=NOW)
    counter.sync(NOW + LATER)
    assert counter.state(number) is CaseState.EXCEPTED
    assert counter.note(at=NOW + timedelta(days=3)) == number
    assert counter.desk.cases(CaseFilter()) == ()


def test_of_several_possible_owners_none_is_picked(counter: Counter) -> None:
    counter.looks._owners = {DATASET: (OWNER, "G09")}
    assert counter.looks.state(counter.note(), requester="G09").owner == UNKNOWN_VI
    disputed = counter.note("disputed", key="0107654321", records=(rid(1),))
    assert counter.looks.state(disputed, requester="G09").owner == OWNER
