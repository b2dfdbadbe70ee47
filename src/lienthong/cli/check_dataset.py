"""``lienthong check DATASET``: the same thresholds and the same findings file for a dataset at the centre."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import typer
from rich.markup import escape

from lienthong.check.verdict import Criterion, Severity
from lienthong.cli.measured import run_as_json
from lienthong.cli.output import EXIT_FINDINGS, EXIT_REFUSED, console, print_json, print_table, stderr
from lienthong.cli.standardise_report import WORDS_VI
from lienthong.dictionary.model import DatasetId
from lienthong.wiring import checking, checking_centre
from lienthong.wiring.checking_centre import CentreCheck, CentreCheckRequest
from lienthong.wiring.settings import settings_from_environment

RULES_SHOWN_MAX: Final = 20

_AT_THE_CENTRE: Final = "the records are at the centre already"
# Options that speak of a file, and what to use in their place for a dataset.
_OF_A_FILE: Final = {
    "mapping": "its link in lienthong.toml names the mapping; lienthong measure DATASET --recheck judges anew by it",
    "sheet": _AT_THE_CENTRE,
    "encoding": _AT_THE_CENTRE,
    "delimiter": _AT_THE_CENTRE,
    "header_row": _AT_THE_CENTRE,
    "on": "codes are judged on the day of each record; the past is told by lienthong as-of",
    "limit_memory": "the database of the centre has its own limits",
}


def must_fit(context: typer.Context, *, dataset: str | None, target: str, engine: str) -> None:
    """Refuse what cannot be asked of a dataset at the centre; nothing that was written is left out in silence.

    Raises:
        BadParameter: the command was written wrong.
    """
    for name, instead in _OF_A_FILE.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = "--" + name.replace("_", "-")
            raise typer.BadParameter(f"is for files, and {target} is a dataset: {instead}", param_hint=option)
    if dataset not in {None, target}:
        raise typer.BadParameter(
            f"names another dataset than {target}: leave it out, or write ./{target} for a file of that name",
            param_hint="--dataset",
        )
    if engine not in {checking.AUTO, checking_centre.ENGINE}:
        raise typer.BadParameter(
            f"a dataset at the centre is judged where its records are: use {checking_centre.ENGINE} or leave it out; "
            f"other engines read files (lienthong check FILE --engine {engine})",
            param_hint="--engine",
        )


def run(
    target: str,
    *,
    findings: Path | None,
    force: bool,
    fail_under: float | None,
    fail_on: Severity | None,
    as_json: bool,
) -> None:
    """Check a dataset at the centre, say what was found, and leave with the code that the thresholds ask for."""
    request = CentreCheckRequest(
        dataset=DatasetId(target), findings=findings, force=force, scored=fail_under is not None
    )
    settings = settings_from_environment()
    if as_json or not stderr.is_terminal:
        done = checking_centre.check_dataset(settings, request)
    else:
        with stderr.status("") as status:
            done = checking_centre.check_dataset(settings, request, progress=lambda what: status.update(escape(what)))
    if as_json:
        file = None if findings is None or done.void else str(findings)
        print_json({**done.as_json(), "measurement": run_as_json(done.run), "findings_file": file})
    else:
        _show(done, findings)
    if done.void:
        raise typer.Exit(EXIT_REFUSED)
    lowest = done.lowest_percent
    under = fail_under is not None and (lowest is None or lowest < fail_under)
    if under or (fail_on is not None and done.found_from(fail_on)):
        raise typer.Exit(EXIT_FINDINGS)


def _show(done: CentreCheck, findings: Path | None) -> None:
    measured = done.run
    if done.void:
        said = f"run: {measured.run_state.value} · no result: {measured.error}; see lienthong measure {done.dataset}"
        stderr.print(said, highlight=False, markup=False)
        return
    rules = sorted(done.open_by_rule, key=lambda each: -each[2])
    if rules:
        rows = [(rule, severity, f"{count:,}") for rule, severity, count in rules[:RULES_SHOWN_MAX]]
        print_table(f"Rules with open findings: {len(rules)}", ("Rule", "Severity", "Open"), rows)
        console.print()
    if done.score is None:
        console.print("no score: no source of this installation feeds the dataset")
    else:
        words = [
            (
                WORDS_VI[Criterion(each.criterion)],
                f"{each.percent:.2f}" if each.known else "unknown",
                each.rests_on_vi,
            )
            for each in done.score.criteria
        ]
        print_table("Six words", ("Word", "Percent", "Rests on"), words)
    console.print(
        f"[bold]{measured.rows_present or 0:,}[/] records at the centre; [bold]{done.findings:,}[/] open findings, "
        f"of which {done.found_from(Severity.BLOCKING):,} hold a record back",
        highlight=False,
    )
    result = "" if measured.result_state is None else measured.result_state.value
    console.print(f"run: {measured.run_state.value} · result of the measurement: {result}", highlight=False)
    if findings is not None:
        console.print(f"findings: {escape(str(findings))}", highlight=False, soft_wrap=True)
