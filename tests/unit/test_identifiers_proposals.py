"""What damaged identifiers may have been: proposed, never taken."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from lienthong.dictionary.load import load
from lienthong.dictionary.model import Dictionary, DomainId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.batch import Outcome
from lienthong.standardise.kernel import KernelContext
from lienthong.standardise.proposals import proposals
from lienthong.standardise.readings import PROPOSAL_SCHEMA, REASONS, Reason
from lienthong.standardise.registry import all_kernels

ANNEX = Path(__file__).resolve().parents[1] / "data" / "nq66_7_annex_1.csv"


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def proposed(dictionary: Dictionary, domain: str, *values: str | None) -> list[tuple[str, str, str]]:
    found = proposals(pl.Series(values, dtype=pl.String), dictionary.domains[DomainId(domain)])
    assert dict(found.schema) == dict(PROPOSAL_SCHEMA)
    return found.rows()


def test_every_damaged_code_of_the_annex_gets_one_proposal_and_no_other_code_any(dictionary: Dictionary) -> None:
    with ANNEX.open(encoding="utf-8", newline="") as file:
        codes = [row["ma_tthc"] for row in csv.DictReader(file)]
    found = proposed(dictionary, "vd-ma-tthc", *codes)
    assert len(codes) == 798
    assert len(found) == len({value for value, _, _ in found}) == 26
    assert ("1,010818", "1.010818", Reason.COMMA_FOR_POINT.value) in found
    assert ("1.01417", "1.014170", Reason.ZERO_BEHIND.value) in found
    assert ("2.00056", "2.000560", Reason.ZERO_BEHIND.value) in found


def test_a_damaged_code_is_never_repaired_silently(dictionary: Dictionary) -> None:
    domain = dictionary.domains[DomainId("vd-ma-tthc")]
    result = all_kernels()[domain.standardiser].run(pl.Series(["1,010818", "1.01417"]), KernelContext(domain=domain))
    assert result.values.to_list() == [None, None]
    assert set(result.outcomes) == {Outcome.AMBIGUOUS}


@pytest.mark.parametrize(
    ("domain", "value", "expected"),
    [
        ("vd-so-cmnd", "12345678", ["012345678"]),
        ("vd-so-cmnd", "271450001.0", ["271450001"]),
        ("vd-so-cmnd", "96086001234", []),
        ("vd-so-dinh-danh", "96086001234", ["096086001234"]),
        ("vd-so-dinh-danh", "271450001", []),
        ("vd-ma-so-bhxh", "120860538", ["0120860538"]),
        ("vd-ma-so-doanh-nghiep", "100109106", ["0100109106"]),
        ("vd-ma-so-doanh-nghiep", "100109107", []),
        ("vd-ma-so-doanh-nghiep", "100109106001", ["0100109106-001"]),
        ("vd-ma-so-thue", "96086001234", ["096086001234"]),
        ("vd-ma-so-thue", "096086001234", []),
        ("vd-ma-so-thue", "100109106-000", []),
        ("vd-ma-co-quan", "G12,18", ["G12.18"]),
        ("vd-ma-co-quan", " g12, 18", ["G12.18"]),
        ("vd-ma-so-bhxh", "120.860.538", ["0120860538"]),
        ("vd-ma-thua-dat", "w7er8u9evo1k", ["w7er8u9ev01k"]),
        ("vd-ma-thua-dat", "w7er8u9evokk", ["w7er8u9ev0kk"]),
        ("vd-ma-thua-dat", "w7er8u9evoik", ["w7er8u9ev01k"]),
        ("vd-bien-so-xe", "29A12345", ["29A-12345", "29A1-2345"]),
        ("vd-the-bhyt", "DN4010120860538;GD4790120860538", []),
    ],
)
def test_only_readings_that_the_field_accepts_are_proposed(
    dictionary: Dictionary, domain: str, value: str, expected: list[str]
) -> None:
    assert [reading for _, reading, _ in proposed(dictionary, domain, value)] == expected


def test_nine_digits_are_never_computed_into_a_personal_number(dictionary: Dictionary) -> None:
    domain = dictionary.domains[DomainId("vd-so-cmnd")]
    numbers = pl.Series(["271450001", "012345678", "096086001234"])
    result = all_kernels()["citizen-card-old"].run(numbers, KernelContext(domain=domain))
    assert result.values.to_list() == numbers.to_list()
    assert proposals(numbers, dictionary.domains[DomainId("vd-so-dinh-danh")]).is_empty()


def test_each_value_is_proposed_once_however_often_it_was_sent(dictionary: Dictionary) -> None:
    found = proposed(dictionary, "vd-so-cmnd", "12345678", None, "12345678", "271450001", "87654321")
    assert [value for value, _, _ in found] == ["12345678", "87654321"]


def test_the_value_is_shown_as_it_was_sent(dictionary: Dictionary) -> None:
    assert proposed(dictionary, "vd-ma-tthc", " 1,010818 ") == [
        (" 1,010818 ", "1.010818", Reason.COMMA_FOR_POINT.value)
    ]


def test_a_field_whose_standardiser_knows_no_damage_has_no_proposals(dictionary: Dictionary) -> None:
    assert proposed(dictionary, "vd-ho-ten", "Nguyen", "") == []
    assert proposed(dictionary, "vd-ma-tthc") == []


def test_every_reason_can_be_told_to_people() -> None:
    assert set(REASONS) == set(Reason)
    assert all(text.vi and text.en for text in REASONS.values())


def test_a_kernel_that_doubts_has_readings() -> None:
    for kernel in all_kernels().values():
        assert bool(kernel.readings) or not kernel.doubts, kernel.name
