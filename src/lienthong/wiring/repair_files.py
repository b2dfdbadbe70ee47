"""Workbooks of repair cases: written for the owner of the records, and its answers read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from lienthong.adapters.spreadsheet import read_workbook, write_workbook
from lienthong.check.verdict import Rule, RuleSet
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.oversight.repair import RepairCase, deadlines, today_of
from lienthong.oversight.repair_desk import MEMBERS_MAX, CaseMember, RepairDesk
from lienthong.oversight.repair_policy import RepairRules
from lienthong.oversight.repair_sheets import RECORDS_MAX, Answers, case_sheets, read_answers


def rule_of(case: RepairCase, rule_sets: Mapping[DatasetId, RuleSet]) -> Rule | None:
    """Return the rule a case is about; None where it no longer exists, and for look-ups."""
    rule_set = rule_sets.get(case.dataset)
    return None if rule_set is None else next((rule for rule in rule_set.rules if rule.name == case.rule), None)


def all_members(desk: RepairDesk, number: int, *, limit: int = RECORDS_MAX) -> Iterator[CaseMember]:
    """Return the open records of a case, page after page."""
    after = 0
    while limit > 0:
        page = desk.members(number, after=after, limit=min(limit, MEMBERS_MAX))
        yield from page
        if not page:
            return
        after, limit = page[-1].finding, limit - len(page)


def case_workbook(
    desk: RepairDesk,
    number: int,
    *,
    rules: RepairRules,
    dictionary: Dictionary,
    rule_sets: Mapping[DatasetId, RuleSet],
    at: datetime,
) -> bytes:
    """Return a case with its open records as a workbook; codes stay texts, values stay masked.

    Raises:
        CaseUnknown: there is none of this number.
    """
    case = desk.case(number).case
    dataset = dictionary.datasets.get(case.dataset)
    sheets = case_sheets(
        case,
        tuple(all_members(desk, number)),
        due=deadlines(case, calendar=rules.calendar, policy=rules.policy),
        rule=rule_of(case, rule_sets),
        dataset_vi=case.dataset if dataset is None else dataset.label.vi,
    )
    return write_workbook(sheets, created=today_of(at))


def answers_in(path: Path) -> Answers:
    """Read an agency's answers from a workbook.

    Raises:
        AnswersNotRead: it is not one of ours, or an answer means nothing.
        SpreadsheetNotRead: it is no workbook, or damaged.
        SpreadsheetUnsafe: reading it would need more than it may.
    """
    return read_answers(read_workbook(path), file=path.name)
