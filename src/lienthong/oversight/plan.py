"""The action plan of Nghị quyết 214/NQ-CP: who owes what by when, and what came of it.

The plan is product data (``dictionary/plan/nq214.yaml``). What its sources do not say is None and stays None.
"""

from __future__ import annotations

import enum
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import yaml

from lienthong.deadlines import Due, parse_due
from lienthong.errors import Actor, LienthongError

PLAN_BYTES_MAX = 1_000_000


class PlanNotReadable(LienthongError, code="OVS-001", actor=Actor.OPERATOR):
    """The file of the action plan is missing, too large or not YAML."""

    message = "action plan {path} cannot be read: {reason}"
    hint = "the file ships with the product: install lienthong again, or restore {path}"


class PlanNotValid(LienthongError, code="OVS-002", actor=Actor.STEWARD):
    """An item of the action plan breaks a rule of its form."""

    message = "action plan {path}, {item}: {reason}"
    hint = "correct {item} in {path}; an unknown fact is written as null, never guessed"


class AnnexStatus(enum.Enum):
    """How much of an annex is known."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NOT_FOUND = "not-found"  # shown as "chưa xác định"


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A goal or a requirement of the plan (mục tiêu, yêu cầu)."""

    id: str
    text: str
    source: str
    measure: str | None = None
    target_percent: int | None = None
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document that was really issued, and who reports it (văn bản kết quả)."""

    document: str
    issued_on: date
    source: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One task of the plan (nhiệm vụ).

    ``lead`` may name a class of bodies ("các bộ, ngành"). ``outcome`` is what fulfils the task; ``related`` is a
    document on the same matter that is no evidence. ``outcome_from`` names the task whose outcome a duplicate takes.
    """

    id: str
    section: str
    text: str
    lead: tuple[str, ...]
    cooperate: tuple[str, ...]
    due: Due
    source: str
    lead_note: str | None = None
    guidance_from: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    due_note: str | None = None
    binding: str | None = None
    count: int | None = None
    parent: str | None = None
    duplicate_of: str | None = None
    truncated: str | None = None
    outcome: Document | None = None
    outcome_from: str | None = None
    related: Document | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnexEntry:
    """One line of an annex: an agency and the firms that go with it (doanh nghiệp đồng hành)."""

    agency: str
    partners: tuple[str, ...]
    lead_partner: str | None = None
    partners_note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Annex:
    """What is known of an annex (phụ lục)."""

    id: str
    title: str
    status: AnnexStatus
    count: int | None
    note: str
    source: str
    entries: tuple[AnnexEntry, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """An action plan (kế hoạch hành động), as far as its text is held."""

    document: str
    title: str
    issued_on: date
    effective_on: date
    signed_by: str
    proposed_by: str
    source: str
    truncated: str | None
    notes: tuple[str, ...]
    goals: tuple[Goal, ...]
    requirements: tuple[Goal, ...]
    tasks: tuple[Task, ...]
    annexes: tuple[Annex, ...]
    digest: str  # SHA-256 of the file, hex

    def task(self, task_id: str) -> Task | None:
        """Return a task by its place in the plan: ``III.1.a.1``."""
        return next((task for task in self.tasks if task.id == task_id), None)


class StandingKind(enum.Enum):
    """How a task stands on a day."""

    DONE_ON_TIME = "done-on-time"
    DONE_LATE = "done-late"
    DONE_NO_DATE = "done-no-date"  # fulfilled, and nothing to measure it against
    OVERDUE_NO_EVIDENCE = "overdue-no-evidence"  # the day has passed and no outcome is recorded here
    DUE_LATER = "due-later"
    NO_DATE = "no-date"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a task stands on a day (tình trạng thực hiện).

    ``slip_days`` counts the days from the last day on time to the outcome, or to today when there is none;
    ``days_left`` the days that remain. Both are None where they have no meaning.
    """

    kind: StandingKind
    last_day: date | None
    slip_days: int | None = None
    days_left: int | None = None


def standing(task: Task, *, on: date) -> Standing:
    """Say how a task stands on a day, from its due date and its recorded outcome alone."""
    last_day = task.due.last_day
    done_on = None if task.outcome is None or task.outcome.issued_on > on else task.outcome.issued_on
    if last_day is None:
        return Standing(kind=StandingKind.NO_DATE if done_on is None else StandingKind.DONE_NO_DATE, last_day=None)
    if done_on is not None:
        late = (done_on - last_day).days
        if late > 0:
            return Standing(kind=StandingKind.DONE_LATE, last_day=last_day, slip_days=late)
        return Standing(kind=StandingKind.DONE_ON_TIME, last_day=last_day)
    if on > last_day:
        return Standing(kind=StandingKind.OVERDUE_NO_EVIDENCE, last_day=last_day, slip_days=(on - last_day).days)
    return Standing(kind=StandingKind.DUE_LATER, last_day=last_day, days_left=(last_day - on).days)


def load_plan(path: Path) -> Plan:
    """Read the action plan that ships with the product.

    Raises:
        PlanNotReadable: the file is missing, too large, or not YAML.
        PlanNotValid: an item has an unknown key, a wrong value or an unresolved reference.
    """
    try:
        # Asked before reading: a limit after the fact is no limit.
        if path.stat().st_size > PLAN_BYTES_MAX:
            raise PlanNotReadable(path=path, reason=f"larger than {PLAN_BYTES_MAX} bytes")
        content = path.read_bytes()
        tree = yaml.safe_load(content.decode("utf-8"))
    except OSError as cause:
        raise PlanNotReadable(path=path, reason=cause.strerror or "cannot be opened") from cause
    except UnicodeDecodeError as cause:
        raise PlanNotReadable(path=path, reason="not UTF-8") from cause
    except yaml.YAMLError as cause:
        raise PlanNotReadable(path=path, reason="not YAML") from cause
    return _plan(_Item(path=path, name="the plan", fields=tree), digest=hashlib.sha256(content).hexdigest())


class _Item:
    """One mapping of the file; every key must be taken once, so a misspelt key is refused."""

    def __init__(self, *, path: Path, name: str, fields: object) -> None:
        self.path = path
        self.name = name
        if not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):
            raise self.refusal("must be a mapping with text keys")
        self._left: dict[str, object] = dict(fields)
        if isinstance(given := fields.get("id"), str):
            self.name = f"{name} {given}"

    def refusal(self, reason: str) -> PlanNotValid:
        return PlanNotValid(path=self.path, item=self.name, reason=reason)

    def text(self, key: str) -> str:
        value = self.text_or_none(key)
        if value is None:
            raise self.refusal(f"{key} is missing")
        return value

    def text_or_none(self, key: str) -> str | None:
        value = self._left.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.refusal(f"{key} must be a text, in quotation marks if it looks like a number or a date")
        return unicodedata.normalize("NFC", value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._left.pop(key, None) or []
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            raise self.refusal(f"{key} must be a list of texts")
        return tuple(unicodedata.normalize("NFC", each) for each in value)

    def whole_or_none(self, key: str) -> int | None:
        value = self._left.pop(key, None)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise self.refusal(f"{key} must be a whole number")
        return value

    def day(self, key: str) -> date:
        text = self.text(key)
        try:
            return date.fromisoformat(text)
        except ValueError as cause:
            raise self.refusal(f"{key} must be a day, YYYY-MM-DD") from cause

    def due(self, key: str) -> Due:
        if key not in self._left:
            raise self.refusal(f"{key} is missing; an unknown date is written as null")
        try:
            return parse_due(self.text_or_none(key))
        except ValueError as cause:
            raise self.refusal(f"{key} must be YYYY-MM, YYYY, roadmap, none or null") from cause

    def item_or_none(self, key: str) -> _Item | None:
        value = self._left.pop(key, None)
        return None if value is None else _Item(path=self.path, name=f"{key} of {self.name}", fields=value)

    def items(self, key: str, *, named: str) -> list[_Item]:
        value = self._left.pop(key, None)
        if not isinstance(value, list):
            raise self.refusal(f"{key} must be a list")
        return [_Item(path=self.path, name=named, fields=each) for each in value]

    def end(self) -> None:
        if self._left:
            raise self.refusal(f"key {min(self._left)} is not known")


def _plan(item: _Item, *, digest: str) -> Plan:
    plan = Plan(
        document=item.text("document"),
        title=item.text("title"),
        issued_on=item.day("date"),
        effective_on=item.day("effective"),
        signed_by=item.text("signed_by"),
        proposed_by=item.text("proposed_by"),
        source=item.text("source"),
        truncated=item.text_or_none("truncated"),
        notes=item.texts("notes"),
        goals=tuple(_goal(each) for each in item.items("goals", named="goal")),
        requirements=tuple(_goal(each) for each in item.items("requirements", named="requirement")),
        tasks=tuple(_task(each) for each in item.items("tasks", named="task")),
        annexes=tuple(_annex(each) for each in item.items("annexes", named="annex")),
        digest=digest,
    )
    item.end()
    if repeated := [name for name, times in Counter(task.id for task in plan.tasks).items() if times > 1]:
        raise item.refusal(f"task {repeated[0]} stands there twice")
    by_id = {task.id: task for task in plan.tasks}
    return replace(plan, tasks=tuple(_resolved(task, by_id, item) for task in plan.tasks))


def _goal(item: _Item) -> Goal:
    goal = Goal(
        id=item.text("id"),
        text=item.text("text"),
        source=item.text("source"),
        measure=item.text_or_none("measure"),
        target_percent=item.whole_or_none("target_percent"),
        criteria=item.texts("criteria"),
    )
    item.end()
    return goal


def _task(item: _Item) -> Task:
    outcome = item.item_or_none("outcome")
    related = item.item_or_none("related")
    task = Task(
        id=item.text("id"),
        section=item.text("section"),
        text=item.text("text"),
        lead=item.texts("lead"),
        cooperate=item.texts("cooperate"),
        due=item.due("due"),
        source=item.text("source"),
        lead_note=item.text_or_none("lead_note"),
        guidance_from=item.texts("guidance_from"),
        excluded=item.texts("excluded"),
        due_note=item.text_or_none("due_note"),
        binding=item.text_or_none("binding"),
        count=item.whole_or_none("count"),
        parent=item.text_or_none("parent"),
        duplicate_of=item.text_or_none("duplicate_of"),
        truncated=item.text_or_none("truncated"),
        outcome=None if outcome is None else _document(outcome),
        related=None if related is None else _document(related),
    )
    if not task.lead:
        raise item.refusal("lead is missing")
    item.end()
    return task


def _document(item: _Item) -> Document:
    document = Document(
        document=item.text("document"),
        issued_on=item.day("date"),
        source=item.text("source"),
        note=item.text_or_none("note"),
    )
    item.end()
    return document


def _annex(item: _Item) -> Annex:
    status = item.text("status")
    if status not in {each.value for each in AnnexStatus}:
        raise item.refusal(f"status {status} is not known")
    annex = Annex(
        id=item.text("id"),
        title=item.text("title"),
        status=AnnexStatus(status),
        count=item.whole_or_none("count"),
        note=item.text("note"),
        source=item.text("source"),
        entries=tuple(_annex_entry(each) for each in item.items("entries", named="annex entry")),
    )
    item.end()
    return annex


def _annex_entry(item: _Item) -> AnnexEntry:
    entry = AnnexEntry(
        agency=item.text("agency"),
        partners=item.texts("partners"),
        lead_partner=item.text_or_none("lead_partner"),
        partners_note=item.text_or_none("partners_note"),
    )
    item.end()
    return entry


def _resolved(task: Task, by_id: Mapping[str, Task], item: _Item) -> Task:
    """Check a task's references, and give a word-for-word duplicate the outcome of its original."""
    for reference in (task.parent, task.duplicate_of):
        if reference is not None and (reference not in by_id or reference == task.id):
            raise item.refusal(f"task {task.id} points to task {reference}, which is not another task of the plan")
    if task.duplicate_of is None or task.outcome is not None:
        return task
    original = by_id[task.duplicate_of]
    if original.outcome is None:
        return task
    return replace(task, outcome=original.outcome, outcome_from=original.id)
