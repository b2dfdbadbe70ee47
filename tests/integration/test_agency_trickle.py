from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter

import psycopg
import pytest
from stdnum.vn import mst

from lienthong.testing.agency.journal import Journal, read_journal
from lienthong.testing.agency.load import load
from lienthong.testing.agency.trickle import SYNTHETIC_NAME, Trickle, made_up_code
from lienthong.testing.citizens import KINDS, citizen
from lienthong.testing.writers import table_digest

CITIZENS = 400
SEED = 6


@pytest.fixture
def agency(make_database):
    database = make_database("agency")
    load(database.url, citizens_wanted=CITIZENS, seed=SEED, reader=None, truth=None, progress=lambda *_: None)
    return database


def work(url: str, journal: Journal, transactions: int) -> Trickle:
    trickle = Trickle(url=url, seed=SEED, rate=1e9, journal=journal)
    assert trickle.run(threading.Event(), stop_after=transactions) == transactions
    return trickle


def rows(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def child(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lienthong.testing.agency",
            "trickle",
            "--rate",
            "50",
            "--seed",
            str(SEED),
            *arguments,
        ],
        env={**os.environ, "LIENTHONG_AGENCY_URL": url},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_every_acknowledged_commit_has_one_numbered_line(agency, tmp_path):
    journal = Journal(tmp_path / "journal")
    work(agency.url, journal, 300)
    lines = read_journal(tmp_path / "journal")
    assert [line["number"] for line in lines] == list(range(1, 301))
    kinds = Counter(line["operation"] for line in lines)
    assert kinds["insert"] > kinds["update"] > kinds["delete"] > 0
    assert {line["table"] for line in lines} == {"public.nhan_khau", "public.doanh_nghiep"}


def test_the_journal_accounts_for_every_row_that_came_or_went(agency, tmp_path):
    work(agency.url, Journal(tmp_path / "journal"), 300)
    lines = read_journal(tmp_path / "journal")
    expected = set(range(1, CITIZENS + 1))
    for line in lines:
        if line["table"] == "public.nhan_khau":
            if line["operation"] == "insert":
                expected.add(line["id"])
            elif line["operation"] == "delete":
                expected.remove(line["id"])
            else:
                assert line["id"] in expected
    assert {row[0] for row in rows(agency.url, "SELECT id FROM nhan_khau")} == expected


def test_the_journal_holds_no_value_of_a_person(agency, tmp_path):
    work(agency.url, Journal(tmp_path / "journal"), 100)
    assert all(
        set(line) == {"number", "table", "operation", "id", "kind"} for line in read_journal(tmp_path / "journal")
    )


def test_a_second_run_goes_on_with_the_numbers_and_makes_no_number_twice(agency, tmp_path):
    work(agency.url, Journal(tmp_path / "journal"), 80)
    work(agency.url, Journal(tmp_path / "journal"), 80)
    assert [line["number"] for line in read_journal(tmp_path / "journal")] == list(range(1, 161))
    new = rows(agency.url, f"SELECT so_cccd FROM nhan_khau WHERE id > {CITIZENS} AND length(so_cccd) = 12")
    assert len(set(new)) == len(new) > 20


def test_some_of_the_new_citizens_are_wrong_and_some_wrong_ones_are_mended(agency, tmp_path):
    work(agency.url, Journal(tmp_path / "journal"), 500)
    bad: dict[int, str] = {}
    mended: list[tuple[int, str]] = []
    for line in read_journal(tmp_path / "journal"):
        if line["kind"] in KINDS:
            if line["operation"] == "update" and bad.get(line["id"]) == line["kind"]:
                mended.append((line["id"], bad.pop(line["id"])))
            else:
                bad[line["id"]] = line["kind"]
    assert len(bad) > 3
    assert len(mended) > 5
    touched_last = {line["id"]: line for line in read_journal(tmp_path / "journal") if "nhan_khau" in line["table"]}
    checked = 0
    for row_id, kind in mended:
        last = touched_last[row_id]
        if last["operation"] == "update" and last["kind"] == kind:
            column = KINDS[kind].column
            held = rows(agency.url, f"SELECT {column} FROM nhan_khau WHERE id = {row_id}")
            assert held == [(citizen(row_id - 1, seed=SEED)[column],)]
            checked += 1
    assert checked > 3


def test_no_real_enterprise_is_deleted_or_loses_a_fact(agency, tmp_path):
    query = (
        "SELECT id, dia_chi, quan_huyen, von_dieu_le, nganh_chinh, nganh_nghe, ngay_cap, loai_hinh, nullif(ma_so, '')"
        f" FROM doanh_nghiep WHERE ten NOT LIKE '{SYNTHETIC_NAME}%' ORDER BY id"
    )
    before = rows(agency.url, query)
    work(agency.url, Journal(tmp_path / "journal"), 400)
    after = rows(agency.url, query)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert all(old[-1] is None and old[:-1] == new[:-1] for old, new in changed)


def test_made_up_enterprise_codes_are_well_formed_and_differ():
    codes = [made_up_code(counter) for counter in range(1, 4_000)]
    assert all(mst.is_valid(code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_made_up_enterprise_codes_are_none_of_the_real_ones(agency):
    real = {row[0] for row in rows(agency.url, "SELECT ma_so FROM doanh_nghiep WHERE ma_so IS NOT NULL")}
    assert not real & {made_up_code(counter) for counter in range(1, 4_000)}


def test_a_lost_connection_is_opened_again(agency, tmp_path):
    stop = threading.Event()
    lost: list[str] = []

    def tell(reason: str) -> None:
        lost.append(reason)
        stop.set()

    trickle = Trickle(url=agency.url, seed=SEED, rate=200, journal=Journal(tmp_path / "journal"), report=tell)
    thread = threading.Thread(target=trickle.run, args=(stop,))
    thread.start()
    with psycopg.connect(agency.superuser_url, autocommit=True) as connection:
        while not stop.is_set():
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [agency.name],
            )
            stop.wait(0.02)
    thread.join(20)
    assert lost
    assert not thread.is_alive()
    stop.clear()
    assert trickle.run(stop, stop_after=5) == 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(agency, tmp_path, number):
    process = child(agency.url, "--journal", str(tmp_path / "journal"))
    wait_for_lines(tmp_path / "journal", 3)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(errors.splitlines()[-1])["done"] == len(read_journal(tmp_path / "journal"))


def test_it_ends_when_its_standard_input_closes(agency, tmp_path):
    process = child(agency.url, "--journal", str(tmp_path / "journal"), "--until-stdin-closes")
    wait_for_lines(tmp_path / "journal", 3)
    assert process.poll() is None
    process.communicate(timeout=20)
    assert process.returncode == 0


def wait_for_lines(path, count: int) -> None:
    pause = threading.Event()
    for _ in range(600):
        if path.exists() and len(read_journal(path)) >= count:
            return
        pause.wait(0.05)
    pytest.fail(f"the journal does not reach {count} lines")


def test_a_journal_line_cut_off_by_a_kill_is_left_out(tmp_path):
    path = tmp_path / "journal"
    path.write_text('{"number": 1}\n{"number": 2}\n{"num', encoding="utf-8")
    assert [line["number"] for line in read_journal(path)] == [1, 2]


def test_nothing_changes_when_nobody_works(agency):
    before = table_digest(agency.url, "public", "nhan_khau")
    assert table_digest(agency.url, "public", "nhan_khau") == before
    work(agency.url, Journal(None), 30)
    assert table_digest(agency.url, "public", "nhan_khau") != before
