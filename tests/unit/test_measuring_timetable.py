"""When measurements are due by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lienthong.centre.measuring import FRESHNESS, Extent, measured_kind
from lienthong.check.verdict import Criterion, Rule, Severity
from lienthong.dictionary.model import Text
from lienthong.wiring.measuring import Timetable
from lienthong.wiring.settings import MeasuringSettings, SettingNotValid, load_settings

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # in Vietnam
TWO_AT_NIGHT = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
SETTINGS = MeasuringSettings(every_minutes=5, whole_at_hour=2)


def due(*moments, settings=SETTINGS):
    times = Timetable(settings)
    return [times.due(moment) for moment in moments]


def test_the_first_run_builds_on_what_an_earlier_process_left():
    assert due(NOON, NOON) == [Extent.CHANGED, None]


def test_what_changed_is_due_after_the_minutes_of_the_settings():
    assert due(NOON, NOON + timedelta(minutes=4, seconds=59), NOON + timedelta(minutes=5)) == [
        Extent.CHANGED,
        None,
        Extent.CHANGED,
    ]


def test_everything_is_due_once_a_night_in_vietnam():
    assert due(
        NOON, TWO_AT_NIGHT - timedelta(seconds=1), TWO_AT_NIGHT, TWO_AT_NIGHT, TWO_AT_NIGHT + timedelta(hours=5)
    ) == [Extent.CHANGED, Extent.CHANGED, Extent.WHOLE, None, Extent.CHANGED]


def test_a_process_started_shortly_before_the_hour_still_measures_everything_that_night():
    assert due(TWO_AT_NIGHT - timedelta(minutes=1), TWO_AT_NIGHT) == [Extent.CHANGED, Extent.WHOLE]


def test_a_night_that_was_slept_through_is_made_up_for():
    assert due(NOON, TWO_AT_NIGHT + timedelta(hours=3))[-1] is Extent.WHOLE


def test_a_clock_set_back_brings_no_second_night_and_no_endless_wait():
    back = NOON - timedelta(days=3)
    assert due(NOON, back, back, back + timedelta(minutes=5)) == [
        Extent.CHANGED,
        Extent.CHANGED,
        None,
        Extent.CHANGED,
    ]


def test_nothing_is_due_where_the_settings_ask_for_nothing():
    assert due(NOON, TWO_AT_NIGHT, settings=MeasuringSettings(every_minutes=0)) == [None, None]


MINIMUM = """
[centre.writer]
url = "postgresql://w@/c"
[centre.reader]
url = "postgresql://r@/c"
[centre.gateway]
url = "postgresql://g@/c"
"""


def read(tmp_path, text):
    path = tmp_path / "lienthong.toml"
    path.write_text(MINIMUM + text, encoding="utf-8")
    return load_settings(path, {}).measuring


def test_the_timetable_stands_in_the_settings(tmp_path):
    assert read(tmp_path, "") == MeasuringSettings()
    written = "[measuring]\nevery_minutes = 0\nwhole_at_hour = 0\nlimit_minutes = 60\n"
    assert read(tmp_path, written) == MeasuringSettings(every_minutes=0, whole_at_hour=0, limit_minutes=60)


@pytest.mark.parametrize(
    "line", ["every_minutes = -1", "every_minutes = false", "whole_at_hour = 24", "limit_minutes = 0", "nightly = 1"]
)
def test_a_timetable_that_makes_no_sense_is_refused(tmp_path, line):
    with pytest.raises(SettingNotValid):
        read(tmp_path, f"[measuring]\n{line}\n")


def rule(*, over=None, when="true", check="true"):
    return Rule(
        code="LV02",
        criterion=Criterion.LIVE,
        severity=Severity.WARNING,
        element=None,
        title=Text(vi="t"),
        sentence=Text(vi="s"),
        when=when,
        check=check,
        over=over,
    )


def test_what_only_a_measurement_can_say_is_known_by_the_rule():
    assert measured_kind(rule(over="agreement")) == "agreement"
    assert measured_kind(rule(when="age_days IS NOT NULL", check="age_days <= 366")) == FRESHNESS
    assert measured_kind(rule(check="measured_day IS NULL")) == FRESHNESS
    assert measured_kind(rule(check="my_age_days_old IS NULL")) is None
    assert measured_kind(rule(over="unique")) is None
    assert measured_kind(rule(over="lag")) is None
