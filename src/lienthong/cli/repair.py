"""``lienthong repair``: cases for the agencies that own the records, until a later measurement proves them mended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from lienthong.cli.output import console, print_json, print_table, refusals
from lienthong.clock import SystemClock
from lienthong.deadlines.workhours import VIETNAM
from lienthong.dictionary.model import DatasetId
from lienthong.oversight.officers import Officer, Role
from lienthong.oversight.repair import CaseState, Deadlines, RepairCase, Step, deadlines, most_urgent_first
from lienthong.oversight.repair_desk import CaseFilter, RepairDesk, Wish
from lienthong.oversight.repair_measures import measure_repairs
from lienthong.oversight.repair_policy import Colour, RepairRules
from lienthong.oversight.repair_sheets import COLOUR_VI, case_number
from lienthong.wiring.repair import refresh_cases
from lienthong.wiring.repair_desk import open_repair_desk, repair_rules
from lienthong.wiring.repair_files import answers_in, case_workbook, rule_of
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import settings_from_environment

MEMBERS_SHOWN: Final = 20
PERIOD_DAYS: Final = 92

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Repair cases (phiếu sửa dữ liệu): from a finding back to the agency that owns the record.

Nobody closes a case: a later passing measurement does, and a new finding on the same record reopens it. Officers work
in the portal; here whoever may run this command acts in the name that is given.

[bold]Examples[/]

  lienthong repair run

  lienthong repair list --agency H12

  lienthong repair acknowledge PS-000007 --as lan --agency H12

  lienthong repair export PS-000007 phieu.xlsx
""",
)

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]


def _number(text: str) -> int:
    number = case_number(text)
    if number is None:
        raise typer.BadParameter("write a number like PS-000007 or 7")
    return number


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise typer.BadParameter("write a day like 2027-01-01") from cause


Number = Annotated[int, typer.Argument(parser=_number, metavar="CASE", help="Number of the case: PS-000007.")]
Actor = Annotated[str, typer.Option("--as", metavar="PERSON", help="Who acts; taken on trust.")]
Agency = Annotated[str, typer.Option("--agency", metavar="CODE", help="The agency for which the person acts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in words somebody else can check; no values of records.")]


def _open() -> tuple[RepairDesk, RepairRules]:
    settings = settings_from_environment()
    rules = repair_rules(settings)
    return open_repair_desk(settings, rules=rules), rules


def _case(case: RepairCase, due: Deadlines, late: int, level: Colour) -> dict[str, object]:
    return {
        "case": case.name,
        "kind": case.kind.value,
        "state": case.state.value,
        "level": level.value,
        "agency": case.agency,
        "dataset": case.dataset,
        "rule": case.rule,
        "element": case.element,
        "source": case.source,
        "error_class": None if case.error_class is None else case.error_class.value,
        "records": {
            "open": case.counts.open,
            "passed": case.counts.passed,
            "withdrawn": case.counts.withdrawn,
            "rule_gone": case.counts.rule_gone,
            "excepted": case.counts.excepted,
        },
        "found_at": case.found_at,
        "opened_at": case.opened_at,
        "check_by": due.check_by,
        "correct_by": due.correct_by,
        "answer_by": due.answer_by,
        "reckoned": due.reckoned,
        "uncertain": due.uncertain,
        "overdue_workdays": late,
        "planned_on": case.planned_on,
        "reopened": case.reopen_count,
        "closed_at": case.closed_at,
    }


@app.command()
def run(
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Compare everything, not only what changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring all cases up to date with the findings: open, take in, close what a measurement proved, reopen."""
    with refusals(as_json=as_json):
        settings = settings_from_environment()
        results = refresh_cases(
            settings,
            read_knowledge(settings),
            at=SystemClock().now(),
            only=None if dataset is None else DatasetId(dataset),
            full=full,
        )
    names = ("dataset", "opened", "closed", "reopened", "joined", "ended", "reconciled")
    if as_json:
        print_json([{name: getattr(result, name) for name in names} for result in results])
        return
    print_table("Cases", names, [[getattr(result, name) for name in names] for result in results])


@app.command(name="list")
def list_(
    *,
    agency: Annotated[str | None, typer.Option(help="Only cases of this agency.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    state: Annotated[CaseState | None, typer.Option(help="Only this state.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show cases, the most urgent first."""
    with refusals(as_json=as_json):
        desk, rules = _open()
        wanted = CaseFilter(
            agency=agency,
            dataset=None if dataset is None else DatasetId(dataset),
            state=state,
            only_open=not every,
        )
        lines = most_urgent_first(
            desk.cases(wanted), calendar=rules.calendar, policy=rules.policy, now=SystemClock().now()
        )
    if as_json:
        print_json([_case(*line) for line in lines])
        return
    print_table(
        "Phiếu sửa dữ liệu",
        ["phiếu", "mức", "trạng thái", "cơ quan", "bộ dữ liệu", "quy tắc", "còn lỗi", "hạn", "quá hạn (ngày)"],
        [
            [
                *(case.name, COLOUR_VI[level], case.state.value, case.agency, case.dataset, case.rule),
                *(case.counts.open, due.correct_by, late or ""),
            ]
            for case, due, late, level in lines
        ],
    )


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one case: where it stands, when it is due and why, its record, and some of its rows."""
    with refusals(as_json=as_json):
        desk, rules = _open()
        view = desk.case(number)
        members = desk.members(number, limit=MEMBERS_SHOWN)
        ((case, due, late, level),) = most_urgent_first(
            [view.case], calendar=rules.calendar, policy=rules.policy, now=SystemClock().now()
        )
    events = [
        [event.at.astimezone(VIETNAM), event.what, event.after.value, event.actor or "hệ thống", event.reason or ""]
        for event in view.events
    ]
    if as_json:
        names = ("at", "what", "state", "actor", "reason")
        print_json(
            _case(case, due, late, level)
            | {
                "events": [dict(zip(names, event, strict=True)) for event in events],
                "members": [
                    {"record": each.record_id, "observed": each.observed, "quarantined": each.quarantined}
                    for each in members
                ],
            }
        )
        return
    print_table(case.name, ["", ""], [[name, value] for name, value in _case(case, due, late, level).items()])
    print_table("Diễn biến", ["lúc", "việc", "trạng thái", "ai", "lý do"], events)
    rows = [[each.record_id, each.observed, "có" if each.quarantined else ""] for each in members]
    print_table("Bản ghi còn lỗi", ["bản ghi", "giá trị (đã che)", "cách ly"], rows)


def _take(
    numbers: Sequence[int],
    step: Step,
    *,
    actor: str,
    agency: str,
    role: Role,
    as_json: bool,
    reason: str | None = None,
    planned_on: date | None = None,
    records: Sequence[str] = (),
) -> None:
    with refusals(as_json=as_json):
        desk, rules = _open()
        by = Officer(name=actor, full_name=actor, agency=agency, roles=frozenset({role}))
        done = []
        for number in numbers:
            version = 1
            if step is Step.CLAIM:
                found = rule_of(desk.case(number).case, read_knowledge(settings_from_environment()).rule_sets)
                version = 1 if found is None else found.version
            wish = Wish(
                step=step,
                by=by,
                reason=reason,
                planned_on=planned_on,
                records=tuple(records),
                rule_version=version,
            )
            done.append(desk.take(number, wish, at=SystemClock().now()))
    lines = [
        {
            "case": case.name,
            "state": case.state.value,
            "correct_by": deadlines(case, calendar=rules.calendar, policy=rules.policy).correct_by,
        }
        for case in done
    ]
    if as_json:
        print_json(lines)
        return
    for line in lines:
        console.print(f"{line['case']}: {line['state']}, due {line['correct_by']}", highlight=False)


@app.command()
def acknowledge(
    numbers: Annotated[list[int], typer.Argument(parser=_number, metavar="CASE…", help="One or more cases.")],
    actor: Actor,
    agency: Agency,
    as_json: AsJson = False,
) -> None:
    """Take cases on, as a steward of the agency that owns the records (tiếp nhận)."""
    _take(numbers, Step.ACKNOWLEDGE, actor=actor, agency=agency, role=Role.STEWARD, as_json=as_json)


@app.command()
def plan(
    number: Number,
    by_day: Annotated[date, typer.Option("--by", parser=_day, metavar="DAY", help="When it will be corrected.")],
    actor: Actor,
    agency: Agency,
    as_json: AsJson = False,
) -> None:
    """Say by which day the records will be corrected at the source (hẹn ngày)."""
    _take([number], Step.PLAN, actor=actor, agency=agency, role=Role.STEWARD, as_json=as_json, planned_on=by_day)


@app.command()
def sent(number: Number, actor: Actor, agency: Agency, as_json: AsJson = False) -> None:
    """Say that the records were corrected; the next measurement decides whether they were (báo đã sửa)."""
    _take([number], Step.SENT, actor=actor, agency=agency, role=Role.STEWARD, as_json=as_json)


@app.command()
def claim(
    number: Number,
    actor: Actor,
    agency: Agency,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it is no error; no values of records.")] = None,
    records: Annotated[
        list[str] | None, typer.Option("--record", help="Record id; repeat. Default: all open.")
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option("--from", help="The workbook of `export` with answers filled in.", exists=True, dir_okay=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say that records are no error; somebody of another agency decides, and the clock goes on (khiếu nại)."""
    named, why = tuple(records or ()), reason
    if answers is not None:
        with refusals(as_json=as_json):
            read = answers_in(answers)
        if read.number != number or not read.records:
            raise typer.BadParameter("the workbook is of another case, or claims nothing", param_hint="--from")
        named, why = read.records, reason or "; ".join(read.reasons)
    _take(
        [number],
        Step.CLAIM,
        actor=actor,
        agency=agency,
        role=Role.STEWARD,
        as_json=as_json,
        reason=why,
        records=named,
    )


@app.command()
def decide(
    number: Number,
    actor: Actor,
    agency: Agency,
    reason: Reason,
    accept: Annotated[bool, typer.Option("--accept/--reject", help="Whether it is no error.")],
    as_json: AsJson = False,
) -> None:
    """Decide a claim, as an assessor of another agency; accepted exceptions stay visible (kết luận)."""
    step = Step.ACCEPT if accept else Step.REJECT
    _take([number], step, actor=actor, agency=agency, role=Role.ASSESSOR, as_json=as_json, reason=reason)


@app.command()
def extend(number: Number, actor: Actor, agency: Agency, reason: Reason, as_json: AsJson = False) -> None:
    """Give a hard case its longer deadline, as an assessor of another agency (trường hợp khó)."""
    _take([number], Step.EXTEND, actor=actor, agency=agency, role=Role.ASSESSOR, as_json=as_json, reason=reason)


@app.command()
def export(
    number: Number,
    file: Annotated[Path, typer.Argument(help="The .xlsx to write.", dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Write a case with its open records as a workbook for the owner; codes stay texts, values stay masked."""
    with refusals(as_json=as_json):
        desk, rules = _open()
        knowledge = read_knowledge(settings_from_environment())
        content = case_workbook(
            desk,
            number,
            rules=rules,
            dictionary=knowledge.dictionary,
            rule_sets=knowledge.rule_sets,
            at=SystemClock().now(),
        )
    file.write_bytes(content)
    if as_json:
        print_json({"file": str(file), "bytes": len(content)})
        return
    console.print(f"written: {file}", highlight=False, markup=False)


@app.command()
def stats(
    *,
    since: Annotated[
        date | None, typer.Option(parser=_day, metavar="DAY", help=f"Default: {PERIOD_DAYS} days ago.")
    ] = None,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how fast, how lastingly and how punctually agencies repair."""
    now = SystemClock().now()
    begin = now - timedelta(days=PERIOD_DAYS)
    if since is not None:
        begin = datetime(since.year, since.month, since.day, tzinfo=VIETNAM)
    with refusals(as_json=as_json):
        desk, rules = _open()
        cases = desk.cases(CaseFilter(agency=agency, only_open=False, ended_since=begin))
    lines = measure_repairs(cases, calendar=rules.calendar, policy=rules.policy, since=begin, until=now)
    names = (
        *("agency", "dataset", "opened", "closed", "open_now", "open_records", "repair_days_p50", "repair_days_p90"),
        *("reopen_rate", "overdue", "overdue_share", "excepted_records", "withdrawn_records"),
    )
    rows = [[getattr(line, name) for name in names] for line in lines]
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    rounded = [[round(cell, 2) if isinstance(cell, float) else cell for cell in row] for row in rows]
    print_table(f"Sửa dữ liệu từ {begin:%d/%m/%Y}", names, rounded)
