"""What a rule over other records compares can be read on its page, in words."""

from __future__ import annotations

import pytest

from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Rule
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.portal.rule_words import compared_words

CITIZENS = DatasetId("nhan-khau")


@pytest.fixture(scope="module")
def shipped() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.fixture(scope="module")
def rules(shipped: Dictionary) -> dict[str, Rule]:
    return {
        rule.name: rule for name in shipped.datasets for rule in derive_rules(shipped, shipped.datasets[name]).rules
    }


def test_every_rule_about_records_has_a_text_or_words(shipped: Dictionary, rules: dict[str, Rule]) -> None:
    silent = [
        name
        for name, rule in rules.items()
        if rule.over not in {"lag", "readers"} and not rule.check and not compared_words(rule, shipped)
    ]
    assert silent == []


def test_words_name_the_other_database_and_the_columns_by_their_labels(
    shipped: Dictionary, rules: dict[str, Rule]
) -> None:
    said = compared_words(rules["UN20:so_dinh_danh"], shipped)
    assert said is not None
    other = shipped.datasets[DatasetId("cong-dan")].label.vi
    assert said == f"tìm trong “{other}” bản ghi có Số định danh cá nhân; phải có ít nhất một"


def test_near_duplicates_say_what_is_shared_what_resembles_and_how_much(
    shipped: Dictionary, rules: dict[str, Rule]
) -> None:
    near = [rule for rule in rules.values() if rule.over == "near-duplicate"]
    assert near
    for rule in near:
        said = compared_words(rule, shipped)
        assert said is not None
        assert "giống hệt ở" in said
        assert "Jaro-Winkler từ 0," in said
        assert "_" not in said  # labels, not technical names


def test_agreement_says_which_values_must_be_the_same(shipped: Dictionary, rules: dict[str, Rule]) -> None:
    agreements = [rule for rule in rules.values() if rule.over == "agreement"]
    assert agreements
    for rule in agreements:
        said = compared_words(rule, shipped)
        assert said is not None
        assert said.endswith("phải giống nhau")


def test_a_rule_about_one_row_needs_no_words(shipped: Dictionary, rules: dict[str, Rule]) -> None:
    assert compared_words(rules["CL02:so_dinh_danh"], shipped) is None
