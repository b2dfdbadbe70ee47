"""``lienthong dictionary export`` and ``import-terms``: the dictionary in the formats of others (kết xuất, nhập)."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import date, timedelta, timezone
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from lienthong.cli.output import EXIT_FINDINGS, console, print_json, refusals
from lienthong.clock import SystemClock
from lienthong.dictionary.exports.addresses import BASE_UNKNOWN, Addresses
from lienthong.dictionary.exports.document import ExportFile
from lienthong.dictionary.exports.refusals import ExportNeedsPlace, ProposalsInTheWay
from lienthong.dictionary.exports.term_reading import CellFault, TermImport
from lienthong.dictionary.load import load
from lienthong.dictionary.model import UNKNOWN_VI
from lienthong.dictionary.shipped import shipped_folder
from lienthong.wiring.exporting import ExportFormat, ExportOrder, export, import_terms

VIETNAM: Final = timezone(timedelta(hours=7))
FAULTS_SHOWN_MAX: Final = 50

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Folder of another dictionary. Default: the one shipped with the product."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``lienthong dictionary``."""
    app.command(name="export")(export_command)
    app.command(name="import-terms")(import_command)


def _folder(folder: Path | None) -> Path:
    return shipped_folder("dictionary") if folder is None else folder


def _day(text: str | None) -> date:
    if text is None:
        return SystemClock().now().astimezone(VIETNAM).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write the day as YYYY-MM-DD", param_hint="--on") from None


def export_command(
    format_: Annotated[ExportFormat, typer.Argument(metavar="FORMAT", help="What to export to; see the list above.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[DATASET]...", help="Datasets; for skos code lists too. None: all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File, or folder for several files. Default: the terminal.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Day (YYYY-MM-DD) on which codes must be in force.")
    ] = None,
    base: Annotated[
        str, typer.Option(help="Web address under which items are published; the default never resolves.")
    ] = BASE_UNKNOWN,
    publisher: Annotated[str, typer.Option(help="Name of the publisher in the DCAT catalogue.")] = UNKNOWN_VI,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Export the dictionary to a format of others.

    json-schema · sql (PostgreSQL with lookup tables) · odcs (data contract 3.1) · skos (code lists) · dcat (DCAT-AP 3
    catalogue) · frictionless (CSV package) · html (to read and print) · xlsx (25 columns, for officers)

    Example: lienthong dictionary export sql doanh-nghiep -o doanh-nghiep.sql
    """
    day = _day(on)
    with refusals(as_json=as_json):
        order = ExportOrder(
            format=format_, names=tuple(names or ()), on=day, addresses=Addresses(base=base), publisher=publisher
        )
        files = export(load(_folder(folder)), order)
        if out is None:
            _to_terminal(files, format_)
            return
        written = _to_place(files, out, format_)
    if as_json:
        print_json({"format": format_.value, "files": [str(path) for path in written]})
    else:
        for path in written:
            console.print(f"[bold green]written[/] {escape(str(path))}", soft_wrap=True, highlight=False)


def _to_terminal(files: tuple[ExportFile, ...], format_: ExportFormat) -> None:
    if len(files) != 1:
        raise ExportNeedsPlace(format=format_.value, reason=f"it has {len(files)} files")
    if not files[0].is_text:
        raise ExportNeedsPlace(format=format_.value, reason="it is not a text")
    sys.stdout.write(files[0].content.decode())


def _to_place(files: tuple[ExportFile, ...], out: Path, format_: ExportFormat) -> list[Path]:
    if len(files) > 1 and out.exists() and not out.is_dir():
        raise ExportNeedsPlace(format=format_.value, reason=f"it has {len(files)} files and {out} is one")
    is_folder = len(files) > 1 or out.is_dir()
    paths = [out / one.name if is_folder else out for one in files]
    try:
        for one, path in zip(files, paths, strict=True):
            _write(path, one.content)
    except OSError as cause:
        raise ExportNeedsPlace(format=format_.value, reason=cause.strerror or "the place refuses") from cause
    return paths


def _write(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a reader finds the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def import_command(
    file: Annotated[Path, typer.Argument(help="Workbook (.xlsx) with the 25 columns, as `export xlsx` writes it.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="New folder for the proposed files. Without it the sheet is only checked."),
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check a term sheet and write what it proposes as files of the dictionary.

    Every fault is told with its row and column. While there is one, nothing is written; the command leaves with 3.

    Example: lienthong dictionary import-terms terms.xlsx -o proposals
    """
    with refusals(as_json=as_json):
        dictionary = load(_folder(folder))
        if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ProposalsInTheWay(folder=out)
        found = import_terms(dictionary, file)
        if out is not None and not found.faults:
            for one in found.proposals:
                _write(out / one.path, one.text.encode())
    if as_json:
        print_json(_told(found, out))
    else:
        _show(found, out)
    if found.faults:
        raise typer.Exit(EXIT_FINDINGS)


def _told(found: TermImport, out: Path | None) -> dict[str, object]:
    return {
        "sound": not found.faults,
        "terms": len(found.elements),
        "code_lists": len(found.code_lists),
        "unchanged": found.unchanged,
        "proposals": [one.path for one in found.proposals],
        "written_to": None if out is None or found.faults else str(out),
        "not_read": list(found.not_read),
        "faults": [asdict(fault) for fault in found.faults],
    }


def _show(found: TermImport, out: Path | None) -> None:
    for fault in found.faults[:FAULTS_SHOWN_MAX]:
        console.print(_fault(fault), soft_wrap=True, highlight=False)
    if len(found.faults) > FAULTS_SHOWN_MAX:
        console.print(f"… and {len(found.faults) - FAULTS_SHOWN_MAX} more; --json lists them all")
    if found.faults:
        console.print(f"[bold red]{len(found.faults)} fault(s)[/]: nothing was written", highlight=False)
        return
    place = "only checked" if out is None else f"written to {escape(str(out))}"
    console.print(
        f"[bold green]sound[/]: {len(found.proposals)} proposal(s) {place}, {found.unchanged} unchanged",
        soft_wrap=True,
        highlight=False,
    )
    for one in found.proposals:
        console.print(f"  {escape(one.path)}", soft_wrap=True, highlight=False)
    if found.not_read:
        console.print(f"not read: {escape(', '.join(found.not_read))}", soft_wrap=True, highlight=False)


def _fault(fault: CellFault) -> str:
    title = f" ({escape(fault.title)})" if fault.title else ""
    value = f" {escape(repr(fault.observed))}" if fault.observed else ""
    return (
        f"[bold]{escape(fault.sheet)}!{fault.column}{fault.row}[/]{title} {fault.rule}: {escape(fault.text)} "
        f"[dim]({fault.kind}{value})[/]\n    → {escape(fault.remedy)}"
    )
