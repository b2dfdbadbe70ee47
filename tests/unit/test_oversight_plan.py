"""The plan says what its sources say; how a task stands is computed, never declared."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lienthong.deadlines import parse_due
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.plan import (
    PLAN_BYTES_MAX,
    AnnexStatus,
    Document,
    Plan,
    PlanNotReadable,
    PlanNotValid,
    StandingKind,
    Task,
    load_plan,
    standing,
)

SHIPPED = shipped_folder("dictionary") / "plan" / "nq214.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_plan(SHIPPED)


def make_task(due: str | None = "2025-08", done_on: date | None = None) -> Task:
    outcome = None if done_on is None else Document(document="Quyết định 1/QĐ", issued_on=done_on, source="nguồn")
    return Task(
        id="III.9",
        section="III.9",
        text="việc",
        lead=("Bộ A",),
        cooperate=(),
        due=parse_due(due),
        source="văn bản",
        outcome=outcome,
    )


def test_the_shipped_plan_holds_every_goal_requirement_task_and_annex(plan: Plan) -> None:
    assert (len(plan.goals), len(plan.requirements), len(plan.tasks), len(plan.annexes)) == (3, 5, 27, 3)
    assert sum(task.due.last_day is not None for task in plan.tasks) == 20


def test_every_item_of_the_shipped_plan_names_its_source(plan: Plan) -> None:
    items = [*plan.goals, *plan.requirements, *plan.tasks, *plan.annexes]
    assert all(item.source.strip() for item in items)
    assert all(task.outcome.source.strip() for task in plan.tasks if task.outcome)


def test_the_shipped_plan_carries_no_working_words() -> None:
    assert not re.search(r"\bseed\b|NOT_FOUND|người nghiên cứu", SHIPPED.read_text(encoding="utf-8"))


def test_what_no_source_gives_stays_unknown(plan: Plan) -> None:
    last = plan.task("III.3.d")
    assert last is not None
    assert last.due.in_vietnamese() == "chưa xác định"
    assert last.truncated == "bản lưu chỉ có đến III.3.d"
    assert [annex.status for annex in plan.annexes] == [
        AnnexStatus.NOT_FOUND,
        AnnexStatus.NOT_FOUND,
        AnnexStatus.PARTIAL,
    ]
    assert not plan.annexes[1].entries


def test_a_repeated_task_takes_the_outcome_of_its_original_and_says_so(plan: Plan) -> None:
    copy, original = plan.task("III.3.a.1"), plan.task("III.1.b")
    assert copy is not None
    assert original is not None
    assert copy.outcome == original.outcome
    assert copy.outcome_from == "III.1.b"
    assert original.outcome_from is None


def test_a_related_document_is_no_evidence(plan: Plan) -> None:
    task = plan.task("III.1.d.3")
    assert task is not None
    assert task.related is not None
    assert standing(task, on=date(2026, 11, 23)).kind is StandingKind.OVERDUE_NO_EVIDENCE


@pytest.mark.parametrize(
    ("due", "done_on", "on", "kind", "slip"),
    [
        ("2025-08", date(2025, 8, 31), date(2026, 1, 1), StandingKind.DONE_ON_TIME, None),
        ("2025-08", date(2025, 9, 1), date(2026, 1, 1), StandingKind.DONE_LATE, 1),
        ("2025-08", date(2025, 11, 4), date(2026, 1, 1), StandingKind.DONE_LATE, 65),
        ("2025-08", None, date(2025, 8, 31), StandingKind.DUE_LATER, None),
        ("2025-08", None, date(2025, 9, 1), StandingKind.OVERDUE_NO_EVIDENCE, 1),
        ("2025", None, date(2025, 12, 31), StandingKind.DUE_LATER, None),
        ("2025", None, date(2026, 1, 1), StandingKind.OVERDUE_NO_EVIDENCE, 1),
        ("roadmap", None, date(2099, 1, 1), StandingKind.NO_DATE, None),
        ("none", None, date(2099, 1, 1), StandingKind.NO_DATE, None),
        (None, None, date(2099, 1, 1), StandingKind.NO_DATE, None),
        ("roadmap", date(2025, 11, 4), date(2026, 1, 1), StandingKind.DONE_NO_DATE, None),
        # A document dated after the day that is asked about does not exist yet.
        ("2025-08", date(2025, 11, 4), date(2025, 10, 1), StandingKind.OVERDUE_NO_EVIDENCE, 31),
        ("2025-08", date(2025, 11, 4), date(2025, 8, 1), StandingKind.DUE_LATER, None),
    ],
)
def test_a_task_stands_where_its_dates_put_it(
    due: str | None, done_on: date | None, on: date, kind: StandingKind, slip: int | None
) -> None:
    stands = standing(make_task(due, done_on), on=on)
    assert stands.kind is kind
    assert stands.slip_days == slip


def test_days_left_are_counted_only_before_the_day() -> None:
    assert standing(make_task("2025-08"), on=date(2025, 8, 1)).days_left == 30
    assert standing(make_task("2025-08"), on=date(2025, 9, 1)).days_left is None


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "item"),
    [
        ('due: "2025-08"', 'due: "2025-8"', "task III.1.a.1"),
        ('due: "2025-08"', "due: 2025-08-01", "task III.1.a.1"),
        ('  due: "2025-08"\n', "", "task III.1.a.1"),
        ('lead: ["Bộ Công an"]', "lead: []", "task III.1.a.1"),
        ('lead: ["Bộ Công an"]', "lead: Bộ Công an", "task III.1.a.1"),
        ('lead: ["Bộ Công an"]', 'led: ["Bộ Công an"]', "task III.1.a.1"),
        ('date: "2025-11-04"', 'date: "2025-11-31"', "outcome of task III.1.a.1"),
        ("- id: III.1.a.2\n", "- id: III.1.a.1\n", "the plan"),
        ("duplicate_of: III.1.b", "duplicate_of: III.1.z", "the plan"),
        ("parent: III.2.b.2\n", "parent: III.2.b.2.i\n", "the plan"),
        ("status: not-found", "status: lost", "annex phu-luc-i"),
        ("count: 11", "count: eleven", "task III.2.b.4.i"),
        ("goals:\n", "goals: {}\nother:\n", "the plan"),
    ],
)
def test_a_mistake_in_the_plan_is_refused_with_its_place(tmp_path: Path, old: str, new: str, item: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(PlanNotValid) as refusal:
        load_plan(path)
    assert refusal.value.facts["item"] == item
    assert refusal.value.code == "OVS-002"


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe", b"#" * (PLAN_BYTES_MAX + 1)])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(PlanNotReadable):
        load_plan(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanNotReadable, match="No such file"):
        load_plan(tmp_path / "none.yaml")


@pytest.mark.parametrize("content", ["", "- a", "1: 2", "text"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PlanNotValid):
        load_plan(path)


def test_the_digest_changes_with_the_file(tmp_path: Path, plan: Plan) -> None:
    other = load_plan(changed(tmp_path, "Bộ Tài chính", "Bộ Tài  chính"))
    assert other.digest != plan.digest
    assert replace(other, digest=plan.digest) != plan
