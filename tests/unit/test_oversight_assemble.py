"""The overview tells idle from lagging, silent from idle, and unknown from zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lienthong.centre.ports import LinkStatus, Phase
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.assemble import (
    BATCHES_SHOWN,
    HEARTBEAT_SILENT_AFTER_S,
    MOVING_WINDOW_S,
    assemble_overview,
    measure_lag,
    task_lines,
)
from lienthong.oversight.overview import Overview
from lienthong.oversight.plan import load_plan
from lienthong.testing.fakes import (
    CITIZENS,
    ENTERPRISES,
    MOMENT,
    FakeReader,
    batch_line,
    lively_reader,
    small_dictionary,
    small_mappings,
    small_rule_sets,
    streaming_link,
)

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")


def assemble(reader: FakeReader, now: datetime = MOMENT) -> Overview:
    return assemble_overview(
        dictionary=small_dictionary(),
        mappings=small_mappings(),
        rule_sets=small_rule_sets(),
        reader=reader,
        plan=PLAN,
        now=now,
    )


def ago(seconds: float) -> datetime:
    return MOMENT - timedelta(seconds=seconds)


def test_a_fresh_change_moves() -> None:
    newest = batch_line(batch_id=1, applied_at=ago(1), lag_s=0.4)
    lag = measure_lag(streaming_link(quiet_s=1), newest=newest, now=MOMENT)
    assert lag.state == "moving"
    assert lag.seconds == pytest.approx(0.4)


def test_an_old_change_and_a_fresh_heartbeat_are_idle_not_lagging() -> None:
    newest = batch_line(batch_id=1, applied_at=ago(7_200), lag_s=0.4)
    lag = measure_lag(streaming_link(quiet_s=7_200, heartbeat_age_s=2), newest=newest, now=MOMENT)
    assert lag.state == "idle"
    assert lag.seconds == pytest.approx(0.4)
    assert lag.heartbeat_age_s == pytest.approx(2)


@pytest.mark.parametrize(("quiet_s", "state"), [(MOVING_WINDOW_S, "moving"), (MOVING_WINDOW_S + 0.1, "idle")])
def test_moving_ends_with_its_window(quiet_s: float, state: str) -> None:
    assert measure_lag(streaming_link(quiet_s=quiet_s), newest=None, now=MOMENT).state == state


@pytest.mark.parametrize(
    ("age_s", "state"), [(HEARTBEAT_SILENT_AFTER_S, "idle"), (HEARTBEAT_SILENT_AFTER_S + 0.1, "silent")]
)
def test_a_source_that_does_not_answer_is_silent(age_s: float, state: str) -> None:
    link = streaming_link(quiet_s=7_200, heartbeat_age_s=age_s)
    assert measure_lag(link, newest=None, now=MOMENT).state == state


def test_a_source_that_sends_changes_is_heard_even_without_a_heartbeat() -> None:
    link = replace(streaming_link(quiet_s=1), heartbeat_at=None)
    assert measure_lag(link, newest=None, now=MOMENT).state == "moving"


def test_a_link_that_waits_for_its_source_is_silent_at_once() -> None:
    link = replace(streaming_link(), status=LinkStatus.WAITING_FOR_SOURCE)
    assert measure_lag(link, newest=None, now=MOMENT).state == "silent"


@pytest.mark.parametrize("status", [LinkStatus.BROKEN, LinkStatus.WAITING_FOR_DECISION])
def test_a_broken_link_is_stopped_however_fresh_it_is(status: LinkStatus) -> None:
    assert measure_lag(replace(streaming_link(), status=status), newest=None, now=MOMENT).state == "stopped"


def test_a_link_that_catches_up_moves_however_old_its_last_batch_is() -> None:
    link = replace(streaming_link(quiet_s=20), status=LinkStatus.CATCHING_UP)
    assert measure_lag(link, newest=None, now=MOMENT).state == "moving"


def test_a_link_nobody_started_is_silent_and_its_lag_unknown() -> None:
    lag = measure_lag(None, newest=None, now=MOMENT)
    assert (lag.state, lag.seconds, lag.heartbeat_age_s) == ("silent", None, None)


@pytest.mark.parametrize(("done", "estimated", "progress"), [(50, 200, 0.25), (300, 200, 1.0), (50, 0, None)])
def test_a_snapshot_shows_its_progress(done: int, estimated: int, progress: float | None) -> None:
    link = replace(streaming_link(), phase=Phase.SNAPSHOT, rows_done=done, rows_estimated=estimated)
    lag = measure_lag(link, newest=None, now=MOMENT)
    assert (lag.state, lag.progress) == ("snapshot", progress)


def test_rows_of_a_snapshot_say_nothing_about_lag() -> None:
    reader = lively_reader()
    reader.journal = tuple(line for line in reader.journal if line.snapshot)
    assert {line.lag.seconds for line in assemble(reader).databases} == {None}


@pytest.mark.parametrize(("lag_s", "seconds"), [(-0.5, 0.0), (-5.0, None)])
def test_a_source_clock_far_ahead_makes_the_lag_unknown(lag_s: float, seconds: float | None) -> None:
    newest = batch_line(batch_id=1, applied_at=ago(1), lag_s=lag_s)
    assert measure_lag(streaming_link(), newest=newest, now=MOMENT).seconds == seconds


def test_a_database_line_says_what_the_centre_counted() -> None:
    enterprises, citizens = assemble(lively_reader()).databases
    assert (enterprises.title_vi, enterprises.rows, enterprises.quarantined, enterprises.history) == (
        "Doanh nghiệp",
        3_921,
        22,
        148,
    )
    assert (citizens.owner, citizens.status) == ("Công an tỉnh Cà Mau", "healthy")
    assert citizens.position == "1/6B374D10"


def test_an_empty_centre_gives_a_page_without_inventing() -> None:
    overview = assemble(FakeReader())
    assert [(line.rows, line.status, line.lag.state) for line in overview.databases] == [(0, "new", "silent")] * 2
    assert overview.batches == ()
    assert all(
        not criterion.known or criterion.percent is not None for s in overview.scores for criterion in s.criteria
    )


def test_nobody_is_expected_to_read_so_sharing_is_unknown_and_counts_as_nothing() -> None:
    reader = lively_reader()
    reader.reading_agencies = 3
    for score in assemble(reader).scores:
        shared = next(each for each in score.criteria if each.criterion == "shared")
        assert (shared.known, shared.percent, score.minimum) == (False, 0.0, 0.0)


def test_live_is_the_share_of_changes_visible_within_the_promise() -> None:
    live = next(each for each in assemble(lively_reader()).scores[0].criteria if each.criterion == "live")
    assert live.percent == pytest.approx(100 * 1_187 / 1_190)


def test_each_dataset_is_scored_once_though_two_sources_feed_it() -> None:
    mappings = small_mappings()
    overview = assemble_overview(
        dictionary=small_dictionary(),
        mappings=(*mappings, mappings[0]),
        rule_sets=small_rule_sets(),
        reader=lively_reader(),
        plan=PLAN,
        now=MOMENT,
    )
    assert [score.dataset for score in overview.scores] == [ENTERPRISES, CITIZENS]
    assert len(overview.databases) == 3


def test_only_the_newest_batches_are_shown() -> None:
    reader = FakeReader(journal=tuple(batch_line(batch_id=n, applied_at=MOMENT) for n in range(40, 0, -1)))
    assert [line.batch_id for line in assemble(reader).batches] == list(range(40, 40 - BATCHES_SHOWN, -1))


def test_tasks_stand_by_the_day_in_vietnam_not_in_utc() -> None:
    one_minute_past = datetime(2025, 8, 31, 17, 1, tzinfo=UTC)  # 1 September, 00:01 in Hà Nội
    before, after = (
        next(line for line in task_lines(PLAN, now=moment) if line.id == "III.2.a")
        for moment in (one_minute_past - timedelta(minutes=2), one_minute_past)
    )
    assert before.standing == "due-later"
    assert (after.standing, after.slip_days) == ("overdue-no-evidence", 1)


def test_a_task_line_carries_the_outcome_its_source_and_its_slip() -> None:
    line = next(each for each in assemble(FakeReader()).tasks if each.id == "III.1.a.2")
    assert (line.outcome, line.slip_days, line.due_vi) == ("Nghị định 278/2025/NĐ-CP", 52, "tháng 8/2025")
    assert line.outcome_source is not None
    assert "vbpl.vn" in line.outcome_source
