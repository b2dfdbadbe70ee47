"""``lienthong report``: what was found about quality, for a leader and for other tools (báo cáo chất lượng)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.output import EXIT_FINDINGS, EXIT_USAGE, console, print_json, refusals, stderr
from lienthong.dictionary.exports.addresses import BASE_UNKNOWN, Addresses
from lienthong.wiring.measuring import open_score_keeper
from lienthong.wiring.quality import ReportFormat, gather, keep_scores, make_report, opened
from lienthong.wiring.settings import settings_from_environment

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""What was found about quality, for a leader and for other tools (báo cáo chất lượng).

Every number is computed from what the centre holds at this moment; what is unknown is said and counts as 0.
""",
)

PERCENT_MAX = 100
BY_ENDING = {
    ".xlsx": ReportFormat.XLSX,
    ".pdf": ReportFormat.PDF,
    ".json": ReportFormat.JSON,
    ".yaml": ReportFormat.ODCS,
    ".ttl": ReportFormat.DQV,
    ".jsonl": ReportFormat.OPENLINEAGE,
}
_BINARY = frozenset({ReportFormat.XLSX, ReportFormat.PDF})
Datasets = Annotated[list[str] | None, typer.Argument(metavar="[DATASET]...", help="Datasets. Default: all.")]


@app.command()
def quality(
    datasets: Datasets = None,
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write. Default: JSON to read.")
    ] = None,
    format_: Annotated[
        ReportFormat | None, typer.Option("--format", help="Default: by the ending of the file, else json.")
    ] = None,
    base: Annotated[
        str, typer.Option(help="With odcs and dqv: the address everything is published at.")
    ] = BASE_UNKNOWN,
    fail_under: Annotated[
        float,
        typer.Option(min=0, max=PERCENT_MAX, help="Leave with 3 when an index is lower or an identifier severe."),
    ] = 0,
) -> None:
    """Write a report: six words with what they rest on, trend, weak elements, repairs, and what nobody knows.

    [bold]Examples[/]

      lienthong report quality -o bao-cao.pdf

      lienthong report quality nhan-khau -o nhan-khau.xlsx

      lienthong report quality --format odcs -o hop-dong.yaml --base https://tudien.example.vn/

      lienthong report quality --fail-under 90
    """
    chosen = _format(format_, output)
    with refusals(as_json=False):
        addresses = Addresses(base=base)
        with opened(settings_from_environment()) as services:
            gathered = gather(services, datasets or ())
        content = make_report(gathered, chosen, addresses=addresses)
    if output is None:
        sys.stdout.write(content.decode())
    else:
        try:
            output.write_bytes(content)
        except OSError as error:
            stderr.print(f"{output}: {error.strerror}", markup=False)
            raise typer.Exit(EXIT_USAGE) from error
        console.print(f"{output}: {len(content)} bytes", markup=False, highlight=False)
    severe = any(word.severe for score in gathered.scores for word in score.criteria)
    if fail_under and (severe or any(score.total < fail_under for score in gathered.scores)):
        raise typer.Exit(EXIT_FINDINGS)


def _format(named: ReportFormat | None, output: Path | None) -> ReportFormat:
    if named is None and output is not None and output.suffix not in BY_ENDING:
        stderr.print(f"say the format of {output.name}: --format {', '.join(each.value for each in ReportFormat)}")
        raise typer.Exit(EXIT_USAGE)
    chosen = named or (ReportFormat.JSON if output is None else BY_ENDING[output.suffix])
    if output is None and chosen in _BINARY:
        stderr.print(f"a report as {chosen.value} is written to a file: -o report.{chosen.value}", markup=False)
        raise typer.Exit(EXIT_USAGE)
    return chosen


@app.command()
def record(
    datasets: Datasets = None, *, as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False
) -> None:
    """Keep the scores as they stand now, for the trend; the first ones ever are the baseline, kept for ever.

    Let a timer run it, once a day for example.
    """
    with refusals(as_json=as_json):
        settings = settings_from_environment()
        with opened(settings) as services:
            kept = keep_scores(services, open_score_keeper(settings), datasets or ())
    if as_json:
        print_json({"kept": kept})
        return
    console.print(f"{kept} numbers kept", highlight=False)
