"""The ``--file`` of ``lienthong codes lookup`` and ``convert``: many codes at once (chuyển đổi cả cột mã)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path

import typer
from rich.markup import escape

from lienthong.cli.output import EXIT_FINDINGS, console, print_json, print_table
from lienthong.dictionary.code_columns import NO_DAY, CodeColumns
from lienthong.dictionary.conversion import Reason
from lienthong.sources.file_refusals import OptionNotValid
from lienthong.wiring.code_files import Answered, CodeFile, answer_file

WHY = {
    Reason.NOT_IN_FORCE.value: "the list has no such code on the day of the row",
    Reason.MEANT_ANOTHER_UNIT.value: "the code meant another unit on that day, and no source tells its heir",
    Reason.BETWEEN_LISTS.value: "the code changed its meaning between two dated lists, and the day lies there",
    Reason.NO_CONVERSION.value: "the list has no conversion over these days",
    NO_DAY: "the row has no day written YYYY-MM-DD",
}


def code_file(
    file: Path,
    *,
    code: str | None,
    column: str | None,
    list_name: str | None,
    output: Path | None,
    force: bool,
    on: date | None,
    on_column: str | None,
) -> CodeFile:
    """Return what is asked of a file, refusing options that do not go together."""
    if code is not None:
        raise OptionNotValid(option="--file", reason="a code is given too", fix="give one code or one file")
    for option, value, why in (
        ("--column", column, "the column with the codes"),
        ("--list", list_name, "the list they belong to: the length of a code is no proof"),
        ("--output", output, "where the rows are to go"),
    ):
        if value is None:
            raise OptionNotValid(option=option, reason="with --file it is needed", fix=f"name {why}")
    assert column is not None, "looked at above"
    assert output is not None, "looked at above"
    return CodeFile(path=file, column=column, output=output, day=on, day_column=on_column, force=force)


def needed_code(code: str | None) -> str:
    """Return the code, or refuse."""
    if code is None:
        raise OptionNotValid(option="CODE", reason="nothing is asked", fix="give a code, or a file with --file")
    return code


def needed_day(day: date | None) -> date:
    """Return the day, or refuse."""
    if day is None:
        raise OptionNotValid(
            option="--from",
            reason="a code means nothing without the day it was written on",
            fix="give it, for example --from 2024-01-01",
        )
    return day


def show_answered(asked: CodeFile, columns: CodeColumns, *, as_json: bool) -> None:
    """Answer a file and say how many rows got which answer; leaves with 3 when one has several or none."""
    found = answer_file(asked, columns, progress=lambda *_: None)
    if as_json:
        print_json({**asdict(found), "file": str(asked.output)})
    else:
        _print(asked, found)
    if found.outcomes["one"] + found.empty < found.rows:
        raise typer.Exit(EXIT_FINDINGS)


def _print(asked: CodeFile, found: Answered) -> None:
    rows = [*found.outcomes.items(), ("without a code", found.empty)]
    print_table(f"{found.rows:,} rows", ("Answer", "Rows"), [(name, f"{count:,}") for name, count in rows])
    for reason, count in found.reasons.items():
        console.print(f"unknown: {count:,} × {escape(WHY.get(reason, reason))}", highlight=False, soft_wrap=True)
    if found.blank:
        console.print(f"{found.blank:,} empty lines left out", highlight=False)
    console.print(f"[bold green]written[/] {escape(str(asked.output))}", highlight=False, soft_wrap=True)
