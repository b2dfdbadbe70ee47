"""What is taken as a password, how it is kept, how long a wrong one makes an account wait, what an officer is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.oversight import passwords
from lienthong.oversight.officer_refusals import OfficerFactRefused, PasswordRefused
from lienthong.oversight.officers import (
    FAILURES_FREE,
    FIRST_WAIT,
    WAIT_MAX,
    Officer,
    Role,
    check_officer,
    is_name,
    wait_after,
)
from lienthong.oversight.passwords import check_password, is_right, keep, nobodys
from lienthong.wiring.officers import make_password

GOOD = "bốn từ không dính nhau"
SALT = bytes(range(16))
AN = Officer(name="tran.an", full_name="Trần An", agency="G01", roles=frozenset({Role.PROPOSER}))


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 2**10)
    monkeypatch.setattr(passwords, "LANES", 1)


def test_a_password_costs_32_mebibytes_and_says_its_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kept = keep(GOOD, salt=SALT)
    assert 128 * kept.block * kept.cost == 32 * 2**20
    assert kept.lanes == 3
    assert is_right(GOOD, kept)


def test_parameters_may_grow_without_closing_old_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    old = keep(GOOD, salt=SALT)
    monkeypatch.setattr(passwords, "COST", 2**11)
    assert is_right(GOOD, old)
    assert keep(GOOD, salt=SALT).digest != old.digest


def test_only_the_password_itself_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep(GOOD, salt=SALT)
    assert is_right(normalize("NFD", GOOD), kept)
    for wrong in ("", GOOD[:-1], GOOD + " ", GOOD.upper(), "x" * 10_000, "\ud800"):
        assert not is_right(wrong, kept)


def test_the_same_password_is_kept_differently_under_another_salt() -> None:
    assert keep(GOOD, salt=SALT).digest != keep(GOOD, salt=SALT[::-1]).digest


@given(st.text(max_size=30))
def test_nothing_opens_what_is_nobodys(typed: str) -> None:
    passwords.COST = 2**10
    assert not is_right(typed, nobodys(SALT))


def test_what_is_kept_shows_nothing_of_the_password() -> None:
    kept = keep(GOOD, salt=SALT)
    assert GOOD not in repr(kept)
    assert str(kept.digest) not in repr(kept)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("", "short"),
        ("mười một ký", "short"),
        ("a" * 201, "long"),
        ("có xuống\ndòng ở đây", "unprintable"),
        ("có số không\x00 ở đây", "unprintable"),
        ("aaaaaaaaaaaaaaa", "monotonous"),
        ("abababababababab", "monotonous"),
        ("tran.an 2026 hà nội", "name"),
        ("Trần-An cầu giấy", "name"),
        ("TRAN AN 12345678", "name"),
        ("password1234", "obvious"),
        ("matkhau2026!", "obvious"),
        ("Mật khẩu 2026", "obvious"),
        ("liênthông2026", "obvious"),
        ("1234567890123", "obvious"),
        ("abcdefghijklm", "obvious"),
        ("mnopqrstuvwx", "obvious"),
        ("zyxwvutsrqponm", "obvious"),
        ("hanoihanoihanoi", "obvious"),
    ],
)
def test_what_others_would_guess_is_refused_by_its_rule_and_not_repeated(password: str, rule: str) -> None:
    with pytest.raises(PasswordRefused) as caught:
        check_password(password, name=AN.name, full_name=AN.full_name)
    assert caught.value.facts["rule"] == rule
    if password:
        assert password not in str(caught.value)


@pytest.mark.parametrize("password", [GOOD, "thuyền giấy qua cầu tre", "xK9#mP2$vL7q", "correct horse battery"])
def test_long_words_need_neither_capitals_nor_signs(password: str) -> None:
    check_password(password, name=AN.name, full_name=AN.full_name)


def test_a_made_password_keeps_the_rules_and_is_never_the_same() -> None:
    made = {make_password() for _ in range(50)}
    assert len(made) == 50
    for each in made:
        check_password(each, name=AN.name, full_name=AN.full_name)


@given(st.integers(min_value=0, max_value=10_000))
def test_a_wait_grows_and_stays_below_its_limit(failures: int) -> None:
    assert timedelta() <= wait_after(failures) <= wait_after(failures + 1) <= WAIT_MAX


def test_the_first_failures_are_free() -> None:
    assert wait_after(FAILURES_FREE - 1) == timedelta()
    assert wait_after(FAILURES_FREE) == FIRST_WAIT


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Tran.An"},
        {"name": "an"},
        {"name": "trần.an"},
        {"name": "tran an"},
        {"name": "-tran"},
        {"name": "x" * 65},
        {"name": "tran.an\n"},
        {"full_name": ""},
        {"full_name": " Trần An"},
        {"full_name": "Trần\nAn"},
        {"full_name": "x" * 201},
        {"agency": ""},
        {"agency": "G 01"},
        {"agency": "Bộ Công an"},
    ],
)
def test_an_officer_whose_facts_cannot_be_kept_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(OfficerFactRefused):
        check_officer(replace(AN, **changed))  # type: ignore[arg-type] # facts by name


def test_an_officer_as_expected_is_taken() -> None:
    check_officer(AN)
    assert is_name("tran.an-2_x")
    assert AN.may(Role.PROPOSER)
    assert not AN.may(Role.APPROVER)
