"""Accounts and sessions on a real register: what a wrong password costs, when a session ends, what the portal's role may."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from lienthong.adapters.postgres import access, dictionary_drafts
from lienthong.adapters.postgres import officers as store
from lienthong.adapters.postgres.officers import FAILURES_A_MINUTE_MAX, Owner, PostgresOfficers
from lienthong.errors import LienthongError
from lienthong.oversight import passwords
from lienthong.oversight.officer_refusals import (
    OfficerFactRefused,
    OfficersUnreachable,
    OfficerUnknown,
    PasswordRefused,
    SignInRefused,
    SignInTooOften,
)
from lienthong.oversight.officers import FAILURES_FREE, ONE_TIME_MAX, WAIT_MAX, Officer, Role, wait_after

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
RIGHT, OTHER = "bốn từ không dính nhau", "thuyền giấy qua cầu tre"
AN = Officer(name="tran.an", full_name="Trần An", agency="G01", roles=frozenset({Role.PROPOSER, Role.REVIEWER}))


@dataclass(frozen=True, kw_only=True)
class House:
    owner: Owner
    portal_url: str
    officers: PostgresOfficers

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.owner.url) as connection:
            return connection.execute(query, values).fetchall()

    def sign_in(self, password: str = RIGHT, *, name: str = AN.name, at: datetime = NOW) -> str:
        return self.officers.sign_in(name, password, at=at)[0]

    def refused(self, password: str = "một mật khẩu sai rồi", *, name: str = AN.name, at: datetime = NOW) -> str:
        with pytest.raises(SignInRefused) as caught:
            self.officers.sign_in(name, password, at=at)
        return str(caught.value)


@pytest.fixture
def house(make_database, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    # The least that the table takes: what a password costs is the business of other tests.
    monkeypatch.setattr(passwords, "COST", 2**14)
    monkeypatch.setattr(passwords, "LANES", 1)
    database = make_database("officers")
    portal_url, gateway_url = database.role("portal"), database.role("gateway")
    access.install(database.url, password=None, gateway_role=database.user_of(gateway_url))
    dictionary_drafts.install(database.url, password=None)
    for _ in range(2):  # a second time changes nothing
        store.install(database.url, password=None, portal_role=database.user_of(portal_url))
    owner = Owner(url=database.url, password=None, actor="quản trị")
    officers = PostgresOfficers(portal_url, session_max=8 * HOUR, session_idle_max=30 * MINUTE)
    store.add_officer(owner, AN, password=RIGHT, one_time=False, at=NOW - HOUR)
    yield House(owner=owner, portal_url=portal_url, officers=officers)
    officers.close()


def test_the_right_password_begins_a_session_that_names_officer_agency_and_roles(house: House) -> None:
    secret, begun = house.officers.sign_in(AN.name, RIGHT, at=NOW)
    found = house.officers.session(secret, at=NOW + MINUTE)
    assert found == begun
    assert found is not None
    assert found.officer == AN
    assert (found.began_at, found.ends_at) == (NOW, NOW + 8 * HOUR)
    assert not found.must_change_password


def test_composed_and_decomposed_spellings_are_one_password(house: House) -> None:
    from unicodedata import normalize

    assert normalize("NFD", RIGHT) != RIGHT
    assert house.sign_in(normalize("NFD", RIGHT))


def test_neither_passwords_nor_secrets_of_sessions_are_kept(house: House) -> None:
    secret = house.sign_in()
    with psycopg.connect(house.owner.url) as connection:
        tables = connection.execute(
            "SELECT string_agg(t::text, ' ') FROM (SELECT row(o.*)::text AS t FROM lienthong.officer o"
            " UNION ALL SELECT row(s.*)::text FROM lienthong.officer_session s"
            " UNION ALL SELECT row(e.*)::text FROM lienthong.officer_event e"
            " UNION ALL SELECT row(a.*)::text FROM lienthong.sign_in_attempt a) AS everything"
        ).fetchone()
    assert tables is not None
    assert "Trần An" in tables[0]
    for kept_nowhere in (secret, RIGHT, secret.encode().hex(), RIGHT.encode().hex()):
        assert kept_nowhere not in tables[0]


def test_every_way_to_a_refusal_says_the_same_and_examines_one_password(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dong.cua", "bi.khoa", "dang.cho", "qua.han"):
        officer = replace(AN, name=name)
        store.add_officer(house.owner, officer, password=RIGHT, one_time=name == "qua.han", at=NOW - 2 * ONE_TIME_MAX)
    store.close_account(house.owner, "dong.cua", at=NOW)
    store.lock(house.owner, "bi.khoa", at=NOW)
    for _ in range(FAILURES_FREE):
        house.refused(name="dang.cho")
    examined: list[str] = []
    real = store.is_right
    monkeypatch.setattr(store, "is_right", lambda password, kept: examined.append("one") or real(password, kept))
    told = {
        house.refused(name=AN.name),
        *(house.refused(RIGHT, name=name) for name in ("khong.ai", "dong.cua", "bi.khoa", "dang.cho", "qua.han")),
        house.refused(RIGHT, name="TRAN.AN"),
        house.refused(RIGHT, name="' OR true --"),
        house.refused("", name=""),
        house.refused(RIGHT, name="tran\x00an"),
    }
    assert len(told) == 1
    assert len(examined) == 10


def test_a_locked_out_account_is_looked_at_again_after_its_wait_and_forgets_failures_at_success(house: House) -> None:
    for _ in range(FAILURES_FREE):
        house.refused()
    house.refused(RIGHT)
    house.refused(RIGHT, at=NOW + wait_after(FAILURES_FREE) - timedelta(seconds=1))
    later = NOW + wait_after(FAILURES_FREE)
    assert house.sign_in(at=later)
    for _ in range(FAILURES_FREE - 1):
        house.refused(at=later)
    assert house.sign_in(at=later)


def test_each_wrong_password_after_the_fifth_makes_the_wait_longer_up_to_a_limit(house: House) -> None:
    at = NOW
    for failures in range(1, FAILURES_FREE + 4):
        house.refused(at=at)
        waits = house.ask("SELECT waits_until FROM lienthong.officer")[0][0]
        wait = wait_after(failures)
        assert waits == (at + wait if wait else None)
        at += wait
    waits = [wait_after(failures) for failures in range(100)]
    assert waits == sorted(waits)
    assert waits[FAILURES_FREE - 1] == timedelta()
    assert waits[-1] == WAIT_MAX


def test_many_wrong_passwords_at_once_are_worth_no_more_than_one_after_another(house: House) -> None:
    refusals: list[str] = []

    def guess() -> None:
        try:
            house.officers.sign_in(AN.name, "một mật khẩu sai rồi", at=NOW)
        except LienthongError as error:
            refusals.append(error.code)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refusals == ["PRT-101"] * 8
    outcomes = sorted(outcome for (outcome,) in house.ask("SELECT outcome FROM lienthong.sign_in_attempt"))
    assert outcomes == ["waiting"] * 3 + ["wrong"] * 5


def test_a_process_stops_taking_attempts_when_too_many_fail_whatever_the_names(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.is_right
    monkeypatch.setattr(store, "is_right", lambda password, kept: False)
    for number in range(FAILURES_A_MINUTE_MAX):
        house.refused(name=f"ten.{number}")
    with pytest.raises(SignInTooOften):
        house.officers.sign_in(AN.name, RIGHT, at=NOW + timedelta(seconds=59))
    monkeypatch.setattr(store, "is_right", real)
    assert house.sign_in(at=NOW + MINUTE)


def test_names_that_nobody_has_are_not_written_down(house: House) -> None:
    house.refused(name="mat khau go nham cho")
    assert house.ask("SELECT * FROM lienthong.sign_in_attempt") == []


def test_a_session_ends_at_its_limit_however_busy(house: House) -> None:
    secret = house.sign_in()
    at = NOW
    while at < NOW + 8 * HOUR - 20 * MINUTE:
        at += 20 * MINUTE
        assert house.officers.session(secret, at=at) is not None
    assert house.officers.session(secret, at=NOW + 8 * HOUR - timedelta(seconds=1)) is not None
    assert house.officers.session(secret, at=NOW + 8 * HOUR) is None


def test_a_session_ends_when_nobody_uses_it(house: House) -> None:
    secret = house.sign_in()
    assert house.officers.session(secret, at=NOW + 29 * MINUTE) is not None
    assert house.officers.session(secret, at=NOW + 58 * MINUTE) is not None
    assert house.officers.session(secret, at=NOW + 88 * MINUTE) is None


def test_signing_out_ends_one_session_at_the_server(house: House) -> None:
    one, other = house.sign_in(), house.sign_in()
    house.officers.sign_out(one)
    assert house.officers.session(one, at=NOW) is None
    assert house.officers.session(other, at=NOW) is not None


@pytest.mark.parametrize("secret", ["", "x", "x" * 10_000, "\ud800", "a\x00b"])
def test_what_is_no_secret_of_a_session_opens_nothing(house: House, secret: str) -> None:
    assert house.officers.session(secret, at=NOW) is None
    house.officers.sign_out(secret)


@pytest.mark.parametrize("act", ["roles", "password", "reset", "lock", "close"])
def test_whatever_changes_an_account_ends_all_its_sessions(house: House, act: str) -> None:
    secrets = [house.sign_in(), house.sign_in()]
    if act == "roles":
        store.set_roles(house.owner, AN.name, frozenset({Role.APPROVER}), at=NOW)
    elif act == "password":
        house.officers.change_password(AN.name, RIGHT, OTHER, at=NOW)
    elif act == "reset":
        store.reset_password(house.owner, AN.name, password=OTHER, at=NOW)
    elif act == "lock":
        store.lock(house.owner, AN.name, at=NOW)
    else:
        store.close_account(house.owner, AN.name, at=NOW)
    assert [house.officers.session(secret, at=NOW) for secret in secrets] == [None, None]


def test_a_password_set_by_somebody_else_is_for_one_time_and_for_a_week(house: House) -> None:
    store.reset_password(house.owner, AN.name, password=OTHER, at=NOW)
    _, session = house.officers.sign_in(AN.name, OTHER, at=NOW)
    assert session.must_change_password
    house.refused(OTHER, at=NOW + ONE_TIME_MAX)
    house.officers.change_password(AN.name, OTHER, RIGHT, at=NOW)
    _, session = house.officers.sign_in(AN.name, RIGHT, at=NOW + 2 * ONE_TIME_MAX)
    assert not session.must_change_password


def test_a_new_password_needs_the_present_one_and_keeps_the_rules(house: House) -> None:
    with pytest.raises(SignInRefused):
        house.officers.change_password(AN.name, "một mật khẩu sai rồi", OTHER, at=NOW)
    with pytest.raises(PasswordRefused, match="fewer than 12"):
        house.officers.change_password(AN.name, RIGHT, "ngắn", at=NOW)
    with pytest.raises(PasswordRefused, match="name"):
        house.officers.change_password(AN.name, RIGHT, "tran-an-12-thang", at=NOW)
    with pytest.raises(PasswordRefused, match="present"):
        house.officers.change_password(AN.name, RIGHT, RIGHT, at=NOW)
    assert house.sign_in()


def test_a_name_is_never_given_twice_even_after_the_account_was_closed(house: House) -> None:
    store.close_account(house.owner, AN.name, at=NOW)
    with pytest.raises(OfficerFactRefused, match="given before"):
        store.add_officer(house.owner, AN, password=OTHER, one_time=True, at=NOW)
    with pytest.raises(OfficerUnknown):
        store.lock(house.owner, AN.name, at=NOW)
    assert store.accounts(house.owner) == ()
    assert [account.officer.name for account in store.accounts(house.owner, every=True)] == [AN.name]


def test_the_journal_says_who_did_what_to_whom_and_is_never_rewritten(house: House) -> None:
    store.set_roles(house.owner, AN.name, frozenset({Role.LEADER}), at=NOW)
    house.officers.change_password(AN.name, RIGHT, OTHER, at=NOW)
    store.lock(house.owner, AN.name, at=NOW)
    store.lock(house.owner, AN.name, undo=True, at=NOW)
    assert house.ask("SELECT actor, officer, act, roles FROM lienthong.officer_event ORDER BY id") == [
        ("quản trị", AN.name, "added", ["proposer", "reviewer"]),
        ("quản trị", AN.name, "roles", ["leader"]),
        (AN.name, AN.name, "password", None),
        ("quản trị", AN.name, "locked", None),
        ("quản trị", AN.name, "unlocked", None),
    ]
    for statement in ("UPDATE lienthong.officer_event SET actor = 'x'", "DELETE FROM lienthong.officer_event"):
        with psycopg.connect(house.owner.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO lienthong.officer_role (officer, role) SELECT id, 'approver' FROM lienthong.officer",
        "DELETE FROM lienthong.officer_role",
        "UPDATE lienthong.officer SET locked_at = NULL",
        "UPDATE lienthong.officer SET name = 'khac'",
        "DELETE FROM lienthong.officer",
        "DELETE FROM lienthong.sign_in_attempt",
        "SELECT * FROM lienthong.officer_event",
        "UPDATE lienthong.officer_session SET ends_at = ends_at + interval '1 year'",
        "UPDATE lienthong.dictionary_event SET actor = 'x'",
        "DELETE FROM lienthong.dictionary_draft",
        "SELECT * FROM lienthong.access_key",
        "SELECT * FROM lienthong.access_journal",
        "INSERT INTO lienthong.grant_of_access (agency) VALUES ('x')",
        "CREATE TABLE lienthong.mine (x int)",
    ],
)
def test_the_portals_role_can_neither_make_an_account_nor_give_a_role_nor_rewrite_anything(
    house: House, statement: str
) -> None:
    with psycopg.connect(house.portal_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_a_database_that_is_away_is_said_so(house: House) -> None:
    away = PostgresOfficers("postgresql://nobody@127.0.0.1:1/none", session_max=HOUR, session_idle_max=HOUR)
    try:
        with pytest.raises(OfficersUnreachable):
            away.session("x", at=NOW)
    finally:
        away.close()
    assert repr(away) == "PostgresOfficers()"
    assert house.owner.url not in repr(house.owner)
