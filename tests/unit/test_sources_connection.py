"""What libpq says when it cannot connect, in our words; the texts are those of PostgreSQL 15 to 18."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from lienthong.adapters.postgres.connection import read_address, refused_connection, refused_statement
from lienthong.errors import CATALOGUE
from lienthong.sources.change import SourceId
from lienthong.sources.refusals import (
    AuthenticationRefused,
    DatabaseUnknown,
    EncryptionRefused,
    NoFreeSlot,
    ReplicationRightMissing,
    SourceRefused,
    SourceTooBusy,
    SourceUnreachable,
    StreamInterrupted,
)

ADDRESS = read_address(SourceId("s"), "postgresql://reader:s3cret@db.example:5433/agency", None)
PREFIX = 'connection failed: connection to server at "10.0.0.1", port 5433 failed: '


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
            SourceUnreachable,
        ),
        ("timeout expired", SourceUnreachable),
        ('could not translate host name "x" to address: Name or service not known', SourceUnreachable),
        ("FATAL:  the database system is starting up", SourceUnreachable),
        ('FATAL:  password authentication failed for user "reader"', AuthenticationRefused),
        ('FATAL:  role "reader" does not exist', AuthenticationRefused),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "reader", database "agency", SSL off',
            AuthenticationRefused,
        ),
        ("fe_sendauth: no password supplied", AuthenticationRefused),
        ('FATAL:  database "agency" does not exist', DatabaseUnknown),
        (
            "FATAL:  permission denied to start WAL sender\nDETAIL:  Only roles with the REPLICATION …",
            ReplicationRightMissing,
        ),
        ("FATAL:  must be superuser or replication role to start walsender", ReplicationRightMissing),
        ('FATAL:  no pg_hba.conf entry for replication connection from host "1.2.3.4"', ReplicationRightMissing),
        ("FATAL:  number of requested standby connections exceeds max_wal_senders (currently 10)", NoFreeSlot),
        ("FATAL:  sorry, too many clients already", NoFreeSlot),
        ("server does not support SSL, but SSL was required", EncryptionRefused),
        ("SSL error: certificate verify failed", EncryptionRefused),
    ],
)
def test_a_refused_connection_says_who_can_act(text, kind):
    error = refused_connection(ADDRESS, PREFIX + text)
    assert type(error) is kind
    assert "s3cret" not in f"{error} {error.remedy}"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.QueryCanceled(), SourceTooBusy),
        (psycopg.errors.LockNotAvailable(), SourceTooBusy),
        (psycopg.errors.AdminShutdown(), StreamInterrupted),
        (psycopg.OperationalError("server closed the connection unexpectedly"), StreamInterrupted),
        (psycopg.errors.ConfigurationLimitExceeded(), NoFreeSlot),
        (psycopg.errors.UndefinedColumn('column "secret value" does not exist'), SourceRefused),
    ],
)
def test_a_refused_statement_keeps_the_server_s_text_out(error, kind):
    refusal = refused_statement(ADDRESS, error, what="read")
    assert type(refusal) is kind
    assert "secret value" not in str(refusal)


def test_an_address_shows_its_place_and_never_its_password():
    assert repr(ADDRESS) == "Address(db.example:5433/agency)"
    assert "s3cret" in ADDRESS.text


def test_the_options_an_operator_gave_are_kept():
    address = read_address(
        SourceId("s"), "postgresql://db/agency?options=-c%20work_mem%3D1MB&connect_timeout=3", None
    )
    assert "-c work_mem=1MB" in address.text
    assert "-c timezone=UTC" in address.text
    assert "connect_timeout=3" in address.text


def test_every_refusal_of_a_source_has_a_page():
    pages = Path(__file__).parents[2] / "docs" / "reference" / "errors"
    codes = [code for code in CATALOGUE if code.startswith("SRC-")]
    assert codes
    assert [code for code in codes if not (pages / f"{code}.md").is_file()] == []
