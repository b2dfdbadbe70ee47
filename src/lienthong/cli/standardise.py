"""``lienthong standardise``: any CSV, XLSX or Parquet file in the words of the dictionary (chuẩn hoá tệp dữ liệu)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from lienthong.check.verdict import Criterion, Severity
from lienthong.cli.output import EXIT_FINDINGS, console, print_json, print_table, refusals, stderr
from lienthong.cli.standardise_report import REASON_VI, WORDS_VI, render
from lienthong.pipeline.file_mapping import Decision
from lienthong.pipeline.file_summary import FileSummary
from lienthong.standardise.batch import Outcome
from lienthong.wiring import files

MEGABYTE: Final = 1_000_000
MEMORY_DEFAULT_MB: Final = 2_000
RULES_SHOWN_MAX: Final = 10
REASONS_SHOWN_MAX: Final = 10
WHOLE: Final = 100.0

LimitMemory = Annotated[
    int, typer.Option(help="Megabytes: of the process that unpacks a workbook, and for the size of blocks.")
]
FailUnder = Annotated[
    float, typer.Option(min=0, max=WHOLE, help="Leave with 3 when less than this percent of rows can be used.")
]


def standardise(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet file, of any size.", show_default=False)],
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="What the rows are: doanh-nghiep.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Parquet file to write. Default: FILE.standard.parquet.")
    ] = None,
    quarantine: Annotated[
        Path | None, typer.Option(help="Parquet file for rows held back. Default: OUTPUT.quarantine.parquet.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="HTML report to write; examples in it are masked.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping file; its table name does not matter. Default: proposed.")
    ] = None,
    propose: Annotated[
        Path | None, typer.Option(help="Write the proposed mapping to this file and stop, to decide on it.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the workbook. Default: the only one filled.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of a CSV file that is not UTF-8: utf-16, cp1258, cp1252, iso8859-1.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV file: comma, semicolon, tab, pipe.")] = None,
    header_row: Annotated[int | None, typer.Option(min=1, help="Line or row with the names of the columns.")] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day on which codes must be valid. Default: today."),
    ] = None,
    fail_under: FailUnder = 0.0,
    limit_memory: LimitMemory = MEMORY_DEFAULT_MB,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the summary as one JSON document.")] = False,
) -> None:
    """Standardise and check a file, without any database (chuẩn hoá tệp dữ liệu).

    Rows that cannot be used go to the quarantine file with their reasons; nothing is lost: rows read = rows written +
    rows quarantined. Files appear whole or not at all.

    Leaves with 0 when the file was processed, 1 when it was refused, 3 when --fail-under is not reached.

    Example: lienthong standardise danh-sach.xlsx --dataset doanh-nghiep -o out.parquet --report report.html
    """
    with refusals(as_json=as_json):
        request = files.Request(
            path=file,
            dataset=dataset,
            mapping=mapping,
            output=output,
            quarantine=quarantine,
            report=report,
            on=None if on is None else on.date(),
            force=force,
            reading=files.read_options(
                sheet=sheet,
                encoding=encoding,
                delimiter=delimiter,
                header_row=header_row,
                memory_bytes=limit_memory * MEGABYTE,
            ),
        )
        if propose is not None:
            _propose(request, propose, as_json=as_json)
            return
        with _bar(file.name, quiet=as_json) as progress:
            summary = files.standardise_file(request, progress=progress, render=render)
    if as_json:
        print_json({**summary.as_json(), "files": _files(request)})
    else:
        _show(summary, request)
    if summary.kept_percent < fail_under:
        raise typer.Exit(EXIT_FINDINGS)


def _files(request: files.Request) -> dict[str, str | None]:
    return {
        "output": str(request.kept_path),
        "quarantine": str(request.quarantine_path),
        "report": None if request.report is None else str(request.report),
    }


@contextmanager
def _bar(name: str, *, quiet: bool) -> Iterator[files.Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=quiet or not stderr.is_terminal) as bar:
        task = bar.add_task(escape(name), total=None, rows=0)

        def told(position: int, total: int, rows: int) -> None:
            bar.update(task, completed=min(position, total), total=total, rows=f"{rows:,}")

        yield told


def _propose(request: files.Request, target: Path, *, as_json: bool) -> None:
    proposal = files.propose_mapping(request, target)
    if as_json:
        columns = [{"column": each.column, "element": each.element} for each in proposal.mapping.columns]
        print_json({"mapping": str(target), "columns": columns, "missing": list(proposal.missing)})
        return
    rows = [
        (each.column, each.element or "none", "" if not found else f"{found[0].score:.2f}")
        for each in proposal.mapping.columns
        for found in [proposal.suggestions.get(each.column, ())]
    ]
    print_table(f"Proposed for {proposal.mapping.dataset}", ("Column", "Element", "Score"), rows)
    if proposal.missing:
        console.print(f"[yellow]no column found for[/] {escape(', '.join(proposal.missing))}", highlight=False)
    console.print(f"written to {escape(str(target))}: decide on every line", highlight=False, soft_wrap=True)


def _show(summary: FileSummary, request: files.Request) -> None:
    title = f"Columns: {'proposed, look at them' if summary.proposed else 'as the mapping says'}"
    print_table(title, ("Column", "Element", "Why"), [_decision(each) for each in summary.decisions])
    console.print()
    rows = [
        (each.label, each.column or "-", *(f"{each.outcomes[outcome]:,}" for outcome in Outcome))
        for each in summary.columns
    ]
    print_table("Values", ("Element", "Column", "Unchanged", "Changed", "Ambiguous", "Refused", "Empty"), rows)
    failing = [each for each in summary.rules if each.measured and each.failed]
    failing.sort(key=lambda each: (each.rule.severity is not Severity.BLOCKING, -each.failed))
    if failing:
        console.print()
        found = [
            (each.rule.name, each.rule.severity.value, f"{each.failed:,}", each.rule.sentence.vi)
            for each in failing[:RULES_SHOWN_MAX]
        ]
        print_table("Rules broken", ("Rule", "Severity", "Rows", "Sentence"), found)
    console.print()
    words = [(WORDS_VI[word], _percent(summary.words.get(word))) for word in Criterion if word in summary.words]
    print_table("Of the six words a file can tell four", ("Word", "Percent"), words)
    for note in summary.notes:
        console.print(f"note: {escape(note.text.en or note.text.vi)}", highlight=False, soft_wrap=True)
    reasons = list(summary.reasons.items())[:REASONS_SHOWN_MAX]
    for reason, count in reasons:
        console.print(f"quarantined: {count:,} × {escape(REASON_VI.get(reason, reason))}", highlight=False)
    console.print(
        f"[bold]{summary.read:,}[/] rows read = [bold]{summary.kept:,}[/] written + "
        f"[bold]{summary.quarantined:,}[/] quarantined ({summary.blank:,} empty lines left out)",
        highlight=False,
    )
    for name, path in _files(request).items():
        if path is not None:
            console.print(f"{name}: {escape(path)}", highlight=False, soft_wrap=True)


def _decision(each: Decision) -> tuple[str, str, str]:
    score = "" if each.score is None else f"{each.score:.2f} "
    ways = ", ".join(way for way in (each.form, each.encoding) if way)
    return each.column, (each.element or "none") + (f" ({ways})" if ways else ""), score + each.reason


def _percent(percent: float | None) -> str:
    return "not measured" if percent is None else f"{percent:.2f}"
