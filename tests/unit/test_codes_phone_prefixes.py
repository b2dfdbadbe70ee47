"""The dated list of telephone prefixes says what the standardiser of telephone numbers does."""

from __future__ import annotations

from datetime import date

import pytest

from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeListId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.phone_prefixes import new_prefixes


@pytest.fixture(scope="module")
def listed():
    return load(shipped_folder("dictionary")).code_lists[CodeListId("dau-so-dien-thoai")]


def test_every_change_the_standardiser_makes_is_in_the_list(listed):
    ended = {code.code: code.replaced_by for code in listed.codes if code.valid_to is not None}
    seen = {sighting.code for sighting in listed.sightings}
    begun = {code.code for code in listed.codes if code.valid_from is not None}
    for old, new in new_prefixes().items():
        assert new in begun, new
        assert ended.get(old) == (new,) or old in seen, old


def test_one_prefix_means_two_things_in_two_times(listed):
    (carrier,) = [code for code in listed.codes if code.code == "033"]
    (area,) = [sighting for sighting in listed.sightings if sighting.code == "033"]
    assert carrier.valid_from == date(2018, 9, 15)
    assert area.gone_by == date(2018, 1, 1)
    assert "Quảng Ninh" in area.label
