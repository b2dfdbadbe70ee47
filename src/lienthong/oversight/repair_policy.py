"""The clock of the repair loop: figures that are data (``dictionary/plan/repair.yaml``), not law."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from lienthong.check.verdict import ErrorClass, Rule, Severity
from lienthong.deadlines import WorkCalendar
from lienthong.oversight.repair_refusals import RepairPolicyNotValid

POLICY_BYTES_MAX: Final = 200_000
WORKDAYS_MOST: Final = 250
HOURS_MOST: Final = 200
IDENTIFIER: Final = "identifier"


class Colour(enum.Enum):
    """The three levels of the issue log (mức độ)."""

    RED = "red"  # Đỏ
    YELLOW = "yellow"  # Vàng
    GREEN = "green"  # Xanh


# From the least to the most urgent.
STEPS: Final = (Colour.GREEN, Colour.YELLOW, Colour.RED)


# The class of an error that a rule of this code finds, where the rule itself names none.
USUAL_CLASS: Final[Mapping[str, ErrorClass]] = MappingProxyType(
    {
        "CP": ErrorClass.EMPTY,
        "CL01": ErrorClass.FORMAT,
        "CL02": ErrorClass.FORMAT,
        "CL03": ErrorClass.FORMAT,
        "CL04": ErrorClass.DUPLICATE,
        "CL05": ErrorClass.FORMAT,
        "CL06": ErrorClass.OUTLIER,
        "CL": ErrorClass.FORMAT,
        "CR01": ErrorClass.FORMAT,
        "CR": ErrorClass.LOGIC,
        "UN": ErrorClass.REFERENTIAL,
        "LV": ErrorClass.STALE,
        "SH": ErrorClass.STALE,
    }
)
_OF_COMPARISON: Final[Mapping[str, ErrorClass]] = MappingProxyType(
    {
        "unique": ErrorClass.DUPLICATE,
        "near-duplicate": ErrorClass.DUPLICATE,
        "reference": ErrorClass.REFERENTIAL,
        "agreement": ErrorClass.MISMATCH,
        "sample": ErrorClass.MISMATCH,
    }
)


def error_class(rule: Rule) -> ErrorClass | None:
    """Return the class of what a rule finds; None when nothing says it."""
    named = rule.error_class or _OF_COMPARISON.get(rule.over or "")
    return named or USUAL_CLASS.get(rule.code) or USUAL_CLASS.get(rule.code[:2])


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairPolicy:
    """How long a repair may take, and how urgent a finding is (quy định thời hạn sửa dữ liệu)."""

    check_workdays: int
    correct_workdays: int
    hard_workdays: int
    answer_hours: float
    counter_workdays: int
    reopen_within_days: int
    severity: Mapping[str, Colour]  # Severity.value or "identifier"
    escalate_overdue_workdays: int
    escalate_reopened_times: int
    agencies: Mapping[str, str]  # an owner's name as mapping files write it: the code its officers act under
    clock_basis: str
    look_up_basis: str

    def colour(self, severity: Severity, *, identifier: bool) -> Colour:
        """Return the level of a finding; of an identifier the graver of its two."""
        own = self.severity[severity.value]
        return max(own, self.severity[IDENTIFIER], key=STEPS.index) if identifier else own

    def agency_of(self, owner: str) -> str:
        """Return what the owner named in a mapping file acts under."""
        return self.agencies.get(owner, owner)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairRules:
    """By which days and figures repairs are reckoned."""

    calendar: WorkCalendar
    policy: RepairPolicy


def load_policy(path: Path) -> RepairPolicy:
    """Read the policy.

    Raises:
        RepairPolicyNotValid: the file is missing, too large, not YAML, or a figure means nothing.
    """
    try:
        if path.stat().st_size > POLICY_BYTES_MAX:
            raise RepairPolicyNotValid(path=path, reason=f"larger than {POLICY_BYTES_MAX} bytes")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise RepairPolicyNotValid(path=path, reason=cause.strerror or "it cannot be read") from cause
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as cause:
        raise RepairPolicyNotValid(path=path, reason="it is not YAML") from cause
    clock, look_up = _table(content, "clock", path), _table(content, "look_up", path)
    escalate = _table(content, "escalate", path)
    policy = RepairPolicy(
        check_workdays=_count(clock, "check_workdays", path),
        correct_workdays=_count(clock, "correct_workdays", path),
        hard_workdays=_count(clock, "hard_workdays", path),
        answer_hours=_count(look_up, "answer_hours", path, most=HOURS_MOST),
        counter_workdays=_count(look_up, "counter_workdays", path),
        reopen_within_days=_count(_table(content, "reopen", path), "within_days", path),
        severity=_colours(_table(content, "severity", path), path),
        escalate_overdue_workdays=_count(escalate, "overdue_workdays", path),
        escalate_reopened_times=_count(escalate, "reopened_times", path),
        agencies=_names(content.get("agencies", {}), path),
        clock_basis=_basis(clock, path),
        look_up_basis=_basis(look_up, path),
    )
    if policy.hard_workdays < policy.check_workdays + policy.correct_workdays:
        raise RepairPolicyNotValid(path=path, reason="a hard case has less time than an ordinary one")
    return policy


def _table(content: object, name: str, path: Path) -> Mapping[str, Any]:
    table = content.get(name) if isinstance(content, dict) else None
    if not isinstance(table, dict):
        raise RepairPolicyNotValid(path=path, reason=f"{name} is missing")
    return table


def _count(table: Mapping[str, Any], name: str, path: Path, *, most: int = WORKDAYS_MOST) -> int:
    value = table.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise RepairPolicyNotValid(path=path, reason=f"{name} is not a number from 1 to {most}")
    return value


def _colours(table: Mapping[str, Any], path: Path) -> Mapping[str, Colour]:
    try:
        return {name: Colour(table[name]) for name in (*(each.value for each in Severity), IDENTIFIER)}
    except (KeyError, ValueError) as cause:
        raise RepairPolicyNotValid(path=path, reason="severity gives each level red, yellow or green") from cause


def _names(content: object, path: Path) -> Mapping[str, str]:
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(code, str) and code for name, code in content.items()
    ):
        raise RepairPolicyNotValid(path=path, reason="agencies is a table from names to codes")
    return dict(content)


def _basis(table: Mapping[str, Any], path: Path) -> str:
    source = table.get("source")
    if not isinstance(source, dict) or not isinstance(source.get("document"), str):
        raise RepairPolicyNotValid(path=path, reason="a clock names the document it rests on")
    article = f", {source['article']}" if source.get("article") else ""
    mark = "" if source.get("trust") == "official" else " (chưa kiểm chứng)"
    return f"{source['document']}{article}{mark}"
