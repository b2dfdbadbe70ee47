"""``lienthong check``: what is wrong in a file, by the rules of the dictionary, on the engine of your choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from lienthong.check.verdict import Criterion, Severity
from lienthong.cli import check_dataset
from lienthong.cli.output import EXIT_FINDINGS, console, print_json, print_table, refusals, stderr
from lienthong.cli.standardise_report import WORDS_VI
from lienthong.pipeline.file_check import CheckReport, findings_of, tested
from lienthong.wiring import checking, files

MEGABYTE: Final = 1_000_000
MEMORY_DEFAULT_MB: Final = 1_000
RULES_SHOWN_MAX: Final = 20
WHOLE: Final = 100.0

Dataset = Annotated[str | None, typer.Option("--dataset", "-d", help="What the rows are: doanh-nghiep.")]
Mapping = Annotated[Path | None, typer.Option(help="Mapping file; without it a mapping is proposed.")]
Engine = Annotated[
    str, typer.Option(help=f"auto (by size) or one of {', '.join(checking.ENGINES)}: the findings are the same.")
]
Findings = Annotated[
    Path | None, typer.Option(help="File for every finding, masked: .parquet or .csv.", show_default=False)
]
FailUnder = Annotated[
    float | None,
    typer.Option(min=0, max=WHOLE, help="Leave with 3 when a word that a file can tell is below this percent."),
]
FailOn = Annotated[
    Severity | None,
    typer.Option(help="Leave with 3 when there is a finding of this severity or a worse one.", case_sensitive=False),
]
LimitMemory = Annotated[int, typer.Option(help="Megabytes for judging; what does not fit goes to the disk.")]
On = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Day on which codes must be valid. Default: today."),
]


def check(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="FILE|DATASET", help="CSV, XLSX or Parquet file, or a dataset at the centre.")
    ],
    dataset: Dataset = None,
    mapping: Mapping = None,
    engine: Engine = checking.AUTO,
    findings: Findings = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the workbook. Default: the only one filled.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of a CSV file that is not UTF-8: utf-16, cp1258, cp1252, iso8859-1.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV file: comma, semicolon, tab, pipe.")] = None,
    header_row: Annotated[int | None, typer.Option(min=1, help="Line or row with the names of the columns.")] = None,
    on: On = None,
    fail_under: FailUnder = None,
    fail_on: FailOn = None,
    limit_memory: LimitMemory = MEMORY_DEFAULT_MB,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the findings file if it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the report as one JSON document.")] = False,
) -> None:
    """Judge every row of a file by every rule of its dataset (kiểm tra chất lượng dữ liệu).

    Nothing is changed and nothing is sent. Values in findings are masked.

    The name of a dataset in place of a file checks that dataset at the centre: it is measured whole, as by lienthong
    measure DATASET --whole; --fail-under looks at its score, --fail-on and --findings at what is open against it.

    Leaves with 0 when the check came to its end, 1 when it was refused, 3 when --fail-under or --fail-on is not met.

    Example: lienthong check danh-sach.xlsx --dataset doanh-nghiep --fail-on blocking --findings findings.csv
    """
    with refusals(as_json=as_json):
        if not Path(target).exists() and checking.is_dataset(target):
            check_dataset.must_fit(context, dataset=dataset, target=target, engine=engine)
            check_dataset.run(
                target, findings=findings, force=force, fail_under=fail_under, fail_on=fail_on, as_json=as_json
            )
            return
        request = checking.CheckRequest(
            file=files.Request(
                path=Path(target),
                dataset=dataset,
                mapping=mapping,
                on=None if on is None else on.date(),
                force=force,
                reading=files.read_options(
                    sheet=sheet,
                    encoding=encoding,
                    delimiter=delimiter,
                    header_row=header_row,
                    memory_bytes=limit_memory * MEGABYTE,
                ),
            ),
            engine=engine,
            findings=findings,
            memory_bytes=limit_memory * MEGABYTE,
        )
        with _bar(quiet=as_json) as (progress, stage):
            report = checking.check_file(request, progress=progress, stage=stage)
    if as_json:
        print_json({**report.as_json(), "findings_file": None if findings is None else str(findings)})
    else:
        _show(report, findings)
    _leave(report, fail_under=fail_under, fail_on=fail_on)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[tuple[files.Progress, Callable[[str], None]]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]}"))
    with Progress(*columns, console=stderr, transient=True, disable=quiet or not stderr.is_terminal) as bar:
        task = bar.add_task("open", total=None, rows="")

        def progress(position: int, total: int, rows: int) -> None:
            bar.update(task, completed=min(position, total), total=total, rows=f"{rows:,} rows")

        def stage(name: str) -> None:
            bar.update(task, description=escape(name), total=None)

        yield progress, stage


def _show(report: CheckReport, findings: Path | None) -> None:
    rules = [each for each in report.outcomes if findings_of(each) or each.not_evaluated]
    rules.sort(key=lambda each: (list(Severity).index(each.rule.severity), -each.failed))
    if rules:
        rows = [
            (
                each.rule.name,
                each.rule.severity.value,
                *(f"{count:,}" for count in (tested(each), each.passed, each.failed, each.not_evaluated)),
                each.rule.sentence.vi,
            )
            for each in rules[:RULES_SHOWN_MAX]
        ]
        head = ("Rule", "Severity", "Tested", "Passed", "Failing", "Not evaluated", "Sentence")
        print_table(f"Rules with findings: {len(rules)} of {len(report.outcomes)}", head, rows)
        console.print()
    if report.sample.height:
        shown = report.sample.select("row", "rule", "observed").rows()
        print_table("Some of the rows, masked", ("Row", "Rule", "Observed"), shown)
        console.print()
    words = [
        (WORDS_VI[Criterion(each.criterion)], f"{each.percent:.2f}" if each.known else "unknown", each.rests_on_vi)
        for each in report.score.criteria
    ]
    print_table("Six words", ("Word", "Percent", "Rests on"), words)
    for name, why in report.broken.items():
        console.print(f"[yellow]could not run[/] {escape(name)}: {escape(why)}", highlight=False)
    console.print(
        f"[bold]{report.rows:,}[/] rows examined on {report.engine}; [bold]{report.faulty:,}[/] with an error, of "
        f"which {report.held:,} would be held back; {report.findings:,} findings; "
        f"{report.unreadable:,} lines could not be read ({report.blank:,} empty lines left out)",
        highlight=False,
    )
    console.print(f"run: {report.run_state.value} · result: {report.result_state.value}", highlight=False)
    if findings is not None:
        console.print(f"findings: {escape(str(findings))}", highlight=False, soft_wrap=True)


def _leave(report: CheckReport, *, fail_under: float | None, fail_on: Severity | None) -> None:
    lowest = report.lowest_percent
    under = fail_under is not None and (lowest is None or lowest < fail_under)
    if under or (fail_on is not None and report.found_from(fail_on)):
        raise typer.Exit(EXIT_FINDINGS)
