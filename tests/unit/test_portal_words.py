"""Numbers, dates and durations read as people in Vietnam write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lienthong.oversight.plan import StandingKind
from lienthong.portal import words
from lienthong.portal.templatetags import vietnamese as vn

NOW = datetime(2026, 11, 23, 7, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (3943, "3.943"), (1_234_567, "1.234.567"), (None, "chưa xác định")]
)
def test_thousands_are_parted_by_points(value: int | None, text: str) -> None:
    assert vn.vn_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100%"),
        (99.96, "99,9%"),  # never rounded up to a hundred
        (98.7, "98,7%"),
        (98.0, "98%"),
        (0.0, "0%"),
        (0.04, "dưới 0,1%"),
        (None, "chưa đo được"),
    ],
)
def test_a_percentage_is_rounded_down(value: float | None, text: str) -> None:
    assert vn.vn_percent(value) == text


def test_moments_are_shown_in_the_time_of_vietnam() -> None:
    assert vn.vn_moment(NOW) == "23/11/2026 14:05"
    assert vn.vn_clock(NOW) == "14:05:09"
    assert vn.vn_date_of(datetime(2026, 11, 23, 18, 0, tzinfo=UTC)) == "24/11/2026"
    assert vn.vn_date(date(2025, 8, 1)) == "01/08/2025"
    assert vn.vn_date(None) == vn.vn_moment(None) == "chưa xác định"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "vừa xong"),
        (4.9, "vừa xong"),
        (12, "12 giây trước"),
        (200, "3 phút trước"),
        (7_300, "2 giờ trước"),
        (90_000, "22/11/2026 13:05"),
        (-3, "vừa xong"),
        (-60, "23/11/2026 14:06"),  # a clock ahead of ours is shown as it is
    ],
)
def test_how_long_ago(seconds: float, text: str) -> None:
    assert vn.vn_ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.02, "dưới 0,1 giây"),
        (0.38, "0,4 giây"),
        (5.0, "5 giây"),
        (200, "3 phút 20 giây"),
        (120, "2 phút"),
        (7_500, "2 giờ 5 phút"),
        (260_000, "3 ngày"),
        (None, "chưa xác định"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert vn.vn_seconds(seconds) == text


@pytest.mark.parametrize(("value", "width"), [(None, "0.00"), (-3.0, "0.00"), (42.5, "42.50"), (120.0, "100.00")])
def test_a_bar_never_leaves_its_frame(value: float | None, width: str) -> None:
    assert vn.bar_width(value) == width


def test_every_standing_has_a_word() -> None:
    assert set(words.STANDING) == {kind.value for kind in StandingKind}


def test_words_of_one_kind_differ_so_that_colour_is_never_needed() -> None:
    for kind in (words.STANDING, words.LAG, words.COLOUR, words.SEVERITY, words.ANNEX):
        texts = [word.text for word in kind.values()]
        assert len(set(texts)) == len(texts)
