"""The access register on PostgreSQL: keys, grants, the journal, and what each role may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from lienthong.adapters.postgres import access
from lienthong.adapters.postgres.access import PostgresAccess
from lienthong.dictionary.model import DatasetId
from lienthong.exchange.grants import Grant, GrantMissing, KeyRefused, decide
from lienthong.exchange.keys import fingerprint, parse_key
from lienthong.exchange.refusals import AgencyUnknown, RegisterFault, RegisterUnreachable

ENTERPRISES = DatasetId("doanh-nghiep")
CITIZENS = DatasetId("nhan-khau")
TODAY = datetime.now(UTC).date()
GRANT = Grant(
    agency="G09",
    dataset=ENTERPRISES,
    elements=frozenset({"ma_so_doanh_nghiep", "ten_to_chuc"}),
    purpose="xác minh doanh nghiệp",
    legal_basis="Nghị quyết 214/NQ-CP",
    valid_from=TODAY,
    valid_to=TODAY + timedelta(days=30),
)


@dataclass(frozen=True, kw_only=True)
class Installed:
    owner_url: str
    gateway_url: str
    reader_url: str
    gateway: PostgresAccess

    def issue(self, grant: Grant = GRANT, random: bytes = bytes(range(32))) -> str:
        return access.issue(self.owner_url, password=None, random=random, grant=grant)

    def owner(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.owner_url) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture
def register(make_database) -> Iterator[Installed]:
    database = make_database("access")
    gateway_url, reader_url = database.role("gateway"), database.role("reader")
    for _ in range(2):  # a second time changes nothing
        access.install(
            database.url,
            password=None,
            gateway_role=database.user_of(gateway_url),
            reader_role=database.user_of(reader_url),
        )
    gateway = PostgresAccess(gateway_url)
    yield Installed(owner_url=database.url, gateway_url=gateway_url, reader_url=reader_url, gateway=gateway)
    gateway.close()


def test_an_issued_key_names_its_agency_and_opens_its_grant(register: Installed) -> None:
    key = register.issue()
    assert register.gateway.agency_of(key) == "G09"
    assert register.gateway.grants("G09", ENTERPRISES) == (GRANT,)
    assert decide(register.gateway, key=key, dataset=ENTERPRISES, on=TODAY) == GRANT


def test_the_register_keeps_a_fingerprint_and_not_the_key(register: Installed) -> None:
    key = register.issue()
    ((kept,),) = register.owner("SELECT fingerprint FROM lienthong.access_key")
    assert kept == fingerprint(parse_key(key))
    ((text,),) = register.owner("SELECT string_agg(k::text, '') FROM lienthong.access_key k")
    assert key not in text


@pytest.mark.parametrize("key", ["", "lt_", "lt_" + "A" * 43, "' OR true --", "lt_" + "é" * 43, "x" * 100_000])
def test_another_text_is_no_key(register: Installed, key: str) -> None:
    register.issue()
    assert register.gateway.agency_of(key) is None


def test_a_revoked_key_is_worthless_at_once_and_the_other_one_is_not(register: Installed) -> None:
    lost, kept = register.issue(), register.issue(random=bytes(32))
    mark = fingerprint(parse_key(lost)).hex()[:8]
    assert access.revoke(register.owner_url, password=None, agency="G09", mark=mark) == 1
    assert register.gateway.agency_of(lost) is None
    assert register.gateway.agency_of(kept) == "G09"
    assert access.revoke(register.owner_url, password=None, agency="G09") == 1
    with pytest.raises(KeyRefused):
        decide(register.gateway, key=kept, dataset=ENTERPRISES, on=TODAY)


def test_a_key_ends_with_the_grant_it_was_issued_for(register: Installed) -> None:
    key = register.issue(replace(GRANT, valid_from=TODAY - timedelta(days=9), valid_to=TODAY - timedelta(days=1)))
    assert register.gateway.agency_of(key) is None


def test_a_withdrawn_grant_opens_nothing_and_leaves_the_others(register: Installed) -> None:
    key = register.issue()
    access.add_grant(register.owner_url, password=None, grant=replace(GRANT, dataset=CITIZENS))
    assert access.withdraw(register.owner_url, password=None, agency="G09", dataset=ENTERPRISES) == 1
    with pytest.raises(GrantMissing):
        decide(register.gateway, key=key, dataset=ENTERPRISES, on=TODAY)
    assert decide(register.gateway, key=key, dataset=CITIZENS, on=TODAY).dataset == CITIZENS


def test_a_grant_of_one_agency_is_not_anothers(register: Installed) -> None:
    register.issue()
    other = register.issue(replace(GRANT, agency="G10", dataset=CITIZENS), bytes(32))
    with pytest.raises(GrantMissing):
        decide(register.gateway, key=other, dataset=ENTERPRISES, on=TODAY)


def test_a_further_grant_makes_the_keys_of_the_agency_last_as_long(register: Installed) -> None:
    register.issue()
    access.add_grant(register.owner_url, password=None, grant=replace(GRANT, valid_to=TODAY + timedelta(days=300)))
    (held,) = access.held_keys(register.owner_url, password=None)
    assert held.expires_at.date() >= TODAY + timedelta(days=299)


def test_nothing_is_taken_from_or_added_to_an_agency_that_has_nothing(register: Installed) -> None:
    register.issue()
    for attempt in (
        lambda: access.revoke(register.owner_url, password=None, agency="G10"),
        lambda: access.revoke(register.owner_url, password=None, agency="G09", mark="ffffffff"),
        lambda: access.withdraw(register.owner_url, password=None, agency="G10"),
        lambda: access.withdraw(register.owner_url, password=None, agency="G09", dataset=CITIZENS),
        lambda: access.add_grant(register.owner_url, password=None, grant=replace(GRANT, agency="G10")),
    ):
        with pytest.raises(AgencyUnknown):
            attempt()
    assert len(access.held_grants(register.owner_url, password=None)) == 1


def test_a_grant_the_tables_refuse_leaves_no_key_behind(register: Installed) -> None:
    with pytest.raises(RegisterFault):
        register.issue(replace(GRANT, valid_to=GRANT.valid_from))
    assert access.held_keys(register.owner_url, password=None) == ()


def test_a_look_is_in_the_journal_when_its_number_is_known(register: Installed) -> None:
    first = register.gateway.note(agency="G09", dataset=ENTERPRISES, purpose="p", outcome="found", records=1)
    second = register.gateway.note(agency="G09", dataset=ENTERPRISES, purpose="p", outcome="refused", records=0)
    assert second > first
    assert register.owner(
        "SELECT agency, dataset, purpose, outcome, records FROM lienthong.access_journal ORDER BY id"
    ) == [("G09", "doanh-nghiep", "p", "found", 1), ("G09", "doanh-nghiep", "p", "refused", 0)]


def test_an_outcome_nobody_knows_is_not_noted(register: Installed) -> None:
    with pytest.raises(RegisterFault):
        register.gateway.note(agency="G09", dataset=ENTERPRISES, purpose="p", outcome="096123456789", records=1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lienthong.access_journal SET records = 0",
        "DELETE FROM lienthong.access_journal",
        "TRUNCATE lienthong.access_journal",
    ],
)
@pytest.mark.parametrize("role", ["owner", "gateway"])
def test_the_journal_is_rewritten_by_nobody(register: Installed, role: str, statement: str) -> None:
    register.gateway.note(agency="G09", dataset=ENTERPRISES, purpose="p", outcome="found", records=1)
    url = register.owner_url if role == "owner" else register.gateway_url
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)
    assert register.owner("SELECT count(*) FROM lienthong.access_journal") == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO lienthong.access_key (fingerprint, agency, expires_at) VALUES (sha256('x'), 'G09', now())",
        "UPDATE lienthong.access_key SET revoked_at = NULL",
        "DELETE FROM lienthong.access_key",
        (
            "INSERT INTO lienthong.grant_of_access (agency, dataset, elements, purpose, legal_basis, valid_from, valid_to)"
            " VALUES ('G09', 'd', '{a}', 'p', 'l', '2026-01-01', '2027-01-01')"
        ),
        "UPDATE lienthong.grant_of_access SET elements = '{so_dinh_danh}'",
        "SELECT agency FROM lienthong.access_journal",
        (
            "INSERT INTO lienthong.access_journal (at, agency, dataset, purpose, outcome, records)"
            " VALUES ('2000-01-01', 'G09', 'd', 'p', 'found', 1)"
        ),
        "CREATE TABLE lienthong.mine (a int)",
        "ALTER TABLE lienthong.access_journal DISABLE TRIGGER ALL",
    ],
)
def test_the_gateway_can_do_nothing_but_read_the_register_and_add_to_the_journal(
    register: Installed, statement: str
) -> None:
    with psycopg.connect(register.gateway_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_readers_role_counts_looks_and_sees_no_keys(register: Installed) -> None:
    register.gateway.note(agency="G09", dataset=ENTERPRISES, purpose="p", outcome="found", records=1)
    with psycopg.connect(register.reader_url, autocommit=True) as connection:
        assert connection.execute("SELECT count(DISTINCT agency) FROM lienthong.access_journal").fetchone() == (1,)
        for table in ("access_key", "grant_of_access"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("lienthong", table)))


def test_a_register_that_was_never_made_refuses_and_opens_nothing(make_database) -> None:
    database = make_database("access")
    gateway = PostgresAccess(database.url)
    with pytest.raises(RegisterFault):
        gateway.agency_of("lt_" + "A" * 43)
    gateway.close()


def test_a_register_that_cannot_be_reached_says_so_without_the_password(make_database, monkeypatch) -> None:
    monkeypatch.setattr(access, "WAIT_S_MAX", 0.3)
    database = make_database("access")
    secret = "canary-4711"
    gateway = PostgresAccess(database.url, password=secret)
    with pytest.raises(RegisterUnreachable) as refused:
        gateway.agency_of("lt_" + "A" * 43)
    gateway.close()
    cause = refused.value.__cause__
    for text in (str(refused.value), repr(cause), repr(gateway)):
        assert secret not in text
    with pytest.raises(RegisterUnreachable):
        access.held_keys(database.url, password=secret)


def test_a_connection_the_server_cut_is_replaced_before_anybody_notices(register: Installed, superuser_url) -> None:
    key = register.issue()
    assert register.gateway.agency_of(key) == "G09"
    role = psycopg.conninfo.conninfo_to_dict(register.gateway_url)["user"]
    with psycopg.connect(superuser_url) as connection:
        cut = connection.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE usename = %s", [role]
        ).fetchone()
    assert cut[0] >= 1
    assert register.gateway.agency_of(key) == "G09"


def test_lists_show_marks_and_periods_newest_first(register: Installed) -> None:
    register.issue()
    register.issue(replace(GRANT, agency="G10"), bytes(32))
    keys = access.held_keys(register.owner_url, password=None)
    grants = access.held_grants(register.owner_url, password=None)
    assert [held.grant.agency for held in grants] == ["G10", "G09"]
    assert {len(key.mark) for key in keys} == {8}
    assert isinstance(grants[0].grant.valid_to, date)
