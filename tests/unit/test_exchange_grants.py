from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from lienthong.dictionary.model import DatasetId
from lienthong.exchange.granting import GRANT_DAYS_MAX, check_grant
from lienthong.exchange.grants import Grant, GrantMissing, KeyRefused, decide, is_in_force, permitted
from lienthong.exchange.refusals import GrantNotValid
from lienthong.testing.fakes import small_dictionary

ENTERPRISES = DatasetId("doanh-nghiep")
CITIZENS = DatasetId("nhan-khau")
DAY = date(2026, 11, 23)
GRANT = Grant(
    agency="G09",
    dataset=ENTERPRISES,
    elements=frozenset({"ten_to_chuc"}),
    purpose="xác minh",
    legal_basis="Nghị quyết 214/NQ-CP",
    valid_from=DAY,
    valid_to=DAY + timedelta(days=30),
)


@dataclass
class Register:
    held: tuple[Grant, ...] = (GRANT,)

    def agency_of(self, key: str) -> str | None:
        return {"right": "G09"}.get(key)

    def grants(self, agency: str, dataset: DatasetId) -> tuple[Grant, ...]:
        return self.held

    def note(self, **facts: object) -> int:
        return 1


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (DAY - timedelta(days=1), False),
        (DAY, True),
        (DAY + timedelta(days=29), True),
        (DAY + timedelta(days=30), False),
    ],
)
def test_a_grant_holds_from_its_first_day_until_the_day_it_ends(on: date, expected: bool) -> None:
    assert is_in_force(GRANT, on=on) is expected


def test_the_right_key_gets_the_grant() -> None:
    assert decide(Register(), key="right", dataset=ENTERPRISES, on=DAY) == GRANT


@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_no_key_and_a_wrong_key_are_refused_alike(key: str | None) -> None:
    with pytest.raises(KeyRefused) as refused:
        decide(Register(), key=key, dataset=ENTERPRISES, on=DAY)
    assert str(refused.value) == "access key missing or not valid"


@pytest.mark.parametrize(
    "held",
    [
        (),
        (replace(GRANT, valid_to=DAY),),
        (replace(GRANT, valid_from=DAY + timedelta(days=1)),),
        (replace(GRANT, dataset=CITIZENS),),
        (replace(GRANT, agency="G10"),),
    ],
    ids=["none", "ended", "later", "other dataset", "other agency"],
)
def test_nothing_but_a_grant_of_this_agency_for_this_dataset_today_permits(held: tuple[Grant, ...]) -> None:
    with pytest.raises(GrantMissing):
        decide(Register(held), key="right", dataset=ENTERPRISES, on=DAY)


def test_a_named_purpose_takes_the_grant_of_this_purpose_only() -> None:
    other = replace(GRANT, purpose="thống kê")
    register = Register((GRANT, other))
    assert permitted(register, agency="G09", dataset=ENTERPRISES, on=DAY, purpose="thống kê") == other
    with pytest.raises(GrantMissing):
        permitted(register, agency="G09", dataset=ENTERPRISES, on=DAY, purpose="tò mò")


def test_a_sound_grant_is_written_down() -> None:
    check_grant(GRANT, small_dictionary())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"agency": ""}, "agency"),
        ({"agency": "Sở Tài chính"}, "agency"),
        ({"agency": "a" * 64}, "agency"),
        ({"dataset": DatasetId("khong-co")}, "no such dataset"),
        ({"elements": frozenset()}, "no elements"),
        ({"elements": frozenset({"ho_va_ten"})}, "no element 'ho_va_ten'"),
        ({"elements": frozenset({"_record_id"})}, "no element '_record_id'"),
        ({"purpose": "  "}, "purpose"),
        ({"purpose": "a\nb"}, "purpose"),
        ({"legal_basis": ""}, "legal basis"),
        ({"legal_basis": "x" * 501}, "legal basis"),
        ({"valid_to": DAY}, "ends"),
        ({"valid_to": DAY + timedelta(days=GRANT_DAYS_MAX + 1)}, "for ever"),
    ],
)
def test_a_grant_with_a_part_that_means_nothing_is_refused(changed: dict[str, object], reason: str) -> None:
    with pytest.raises(GrantNotValid, match=reason):
        check_grant(replace(GRANT, **changed), small_dictionary())
