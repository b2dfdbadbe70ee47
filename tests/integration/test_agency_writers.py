from __future__ import annotations

import json
import threading

import psycopg
import pytest

from lienthong.testing.agency.journal import Journal, read_journal
from lienthong.testing.agency.load import load
from lienthong.testing.writers import (
    OPERATIONS,
    Writer,
    broken_promises,
    compare,
    id_of,
    replay,
    row_digest,
    source_images,
    table_digest,
)


@pytest.fixture
def agency(make_database):
    database = make_database("agency")
    load(database.url, citizens_wanted=20, seed=1, reader=None, truth=None, progress=lambda *_: None)
    return database


def held(url: str) -> dict[int, dict[str, str | None]]:
    with psycopg.connect(url) as connection:
        return source_images(connection, "public", "nhan_khau")


def work(agency, folder, *, writers: int, transactions: int) -> list[Writer]:
    crew = [
        Writer(url=agency.url, seed=8, number=number, journal=folder / f"writer-{number}")
        for number in range(1, writers + 1)
    ]
    stop = threading.Event()
    threads = [threading.Thread(target=each.run, args=(stop,), kwargs={"stop_after": transactions}) for each in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    return crew


def test_what_the_journals_promise_is_what_the_table_holds(agency, tmp_path):
    crew = work(agency, tmp_path, writers=2, transactions=60)
    promised = replay(each.journal for each in crew)
    assert len(promised.certain) > 60
    assert promised.in_doubt == {}
    assert broken_promises(promised, held(agency.url)) == []
    assert {row_id for row_id, digest in promised.certain.items() if digest} | set(range(1, 21)) == set(
        held(agency.url)
    )


def test_every_operation_happens(agency, tmp_path):
    crew = work(agency, tmp_path, writers=1, transactions=150)
    done = {line["operation"] for line in read_journal(crew[0].journal) if "intent" in line}
    assert done == set(OPERATIONS) - {"rollback"}


def test_a_lost_row_and_an_altered_row_are_broken_promises(agency, tmp_path):
    crew = work(agency, tmp_path, writers=1, transactions=30)
    promised = replay(each.journal for each in crew)
    rows = held(agency.url)
    first, second = [row_id for row_id, digest in promised.certain.items() if digest][:2]
    del rows[first]
    rows[second] = {**rows[second], "ho_ten": "x"}
    assert broken_promises(promised, rows) == sorted([first, second])


def test_a_commit_without_acknowledgement_may_have_happened_or_not(tmp_path):
    journal = Journal(tmp_path / "writer")
    before, after = {"a": "1"}, {"a": "2"}
    number = journal.write(intent={"7": row_digest(before)})
    journal.write(acknowledged=number)
    journal.write(intent={"7": row_digest(after)})
    promised = replay([tmp_path / "writer"])
    assert broken_promises(promised, {7: before}) == []
    assert broken_promises(promised, {7: after}) == []
    assert broken_promises(promised, {7: {"a": "3"}}) == [7]
    assert broken_promises(promised, {}) == [7]


def test_a_writer_goes_on_after_its_connection_broke(agency, tmp_path):
    writer = Writer(url=agency.url, seed=8, number=1, journal=tmp_path / "writer")
    stop = threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,), kwargs={"stop_after": 120})
    thread.start()
    with psycopg.connect(agency.superuser_url, autocommit=True) as connection:
        for _ in range(6):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [agency.name],
            )
            stop.wait(0.1)
    thread.join(120)
    assert not thread.is_alive()
    assert broken_promises(replay([writer.journal]), held(agency.url)) == []


def test_the_digest_of_a_table_sees_one_changed_letter(agency):
    before = table_digest(agency.url, "public", "nhan_khau")
    with psycopg.connect(agency.url) as connection:
        connection.execute("UPDATE nhan_khau SET hon_nhan = hon_nhan || ' ' WHERE id = 1")
    after = table_digest(agency.url, "public", "nhan_khau")
    assert after != before
    assert after[0] == before[0]


def test_images_are_texts_whatever_the_session_says(agency):
    with psycopg.connect(agency.url) as connection:
        connection.execute("SET timezone TO 'Asia/Ho_Chi_Minh'")
        image = source_images(connection, "public", "nhan_khau", ids=[1])[1]
    assert image["id"] == "1"
    assert image["cap_nhat_luc"] is not None
    assert image["cap_nhat_luc"].endswith("+00")


def test_comparing_names_rows_that_lack_that_are_too_many_and_that_differ():
    source = {1: {"a": "x"}, 2: {"a": None}, 3: {"a": "z"}}
    centre = {2: json.dumps({"a": None}), 3: json.dumps({"a": "y"}), 4: json.dumps({"a": "w"})}
    found = compare(source, centre)
    assert (found.missing, found.unexpected, found.different) == ((1,), (4,), (3,))
    assert found
    assert not compare({2: {"a": None}}, {2: json.dumps({"a": None})})


def test_the_id_of_a_record_id_is_its_last_part():
    assert id_of("ca-mau/public.nhan_khau/2000000017") == 2_000_000_017
