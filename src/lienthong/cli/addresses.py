"""``lienthong addresses``: from the text of an address to the codes of its units (phân giải địa chỉ)."""

from __future__ import annotations

import enum
import sys
from datetime import date
from itertools import islice
from typing import Annotated, Final

import polars as pl
import typer

from lienthong.cli.output import EXIT_FINDINGS, print_json, print_table, refusals
from lienthong.dictionary.code_refusals import NotADay
from lienthong.standardise.addresses import ONE, resolve

LINES_MAX: Final = 1_000_000

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Read addresses of three levels (until 30 June 2025) and of two (since), on this machine only.

[bold]Examples[/]

  lienthong addresses resolve "P. Bến Nghé, Q.1, TP.HCM" --on 2025-06-30

  lienthong addresses resolve - --on 2026-01-01 --json < addresses.txt      one address a line
""",
)


class StructureName(enum.StrEnum):
    """How many levels an address is expected to have."""

    OLD = "old"
    NEW = "new"
    AUTO = "auto"


@app.callback()
def _addresses() -> None:
    """Keep ``resolve`` a command of its own."""


@app.command(name="resolve")
def resolve_addresses(
    address: Annotated[str, typer.Argument(help="One address, or - for one a line from standard input.")],
    on: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Day of the record. Without it what changed its code is several."),
    ] = None,
    structure: Annotated[StructureName, typer.Option(help="old: three levels; new: two.")] = StructureName.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")] = False,
) -> None:
    """Resolve addresses to commune and province codes: ONE, SEVERAL or UNKNOWN. No service is called.

    Leaves with 3 when any address is not ONE.
    """
    with refusals(as_json=as_json):
        day = None if on is None else _day(on)
    lines = [line.rstrip("\n") for line in islice(sys.stdin, LINES_MAX)] if address == "-" else [address]
    answer = resolve(pl.Series("address", lines, dtype=pl.String), on=day, structure=structure.value)
    if as_json:
        print_json([{"address": line, **row} for line, row in zip(lines, answer.iter_rows(named=True), strict=True)])
    else:
        rows = [
            (line, row["outcome"], row["commune_code"], row["province_code"], row["list_date"], row["street"],
             f"{row['confidence']:.2f}", " ".join(row["alternatives"]))
            for line, row in zip(lines, answer.iter_rows(named=True), strict=True)
        ]  # fmt: skip
        columns = ("Address", "Outcome", "Commune", "Province", "List of", "Street", "Confidence", "Others")
        print_table(f"{len(rows)} address(es)", columns, rows)
    if (answer["outcome"] != ONE).any():
        raise typer.Exit(EXIT_FINDINGS)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotADay(given=text) from error
