"""``lienthong rate``: what a schema makes of data before anybody types a value (đánh giá lược đồ)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.output import EXIT_FINDINGS, EXIT_USAGE, console, print_json, print_table, refusals, stderr
from lienthong.oversight.schema_rating.rate import Rating
from lienthong.oversight.schema_rating.reading import DIALECTS
from lienthong.sources.change import TableName
from lienthong.sources.mapping_file import read_table_name
from lienthong.wiring.quality import rate_dataset, rate_live, rate_sql
from lienthong.wiring.sources import read_password, working_dictionary

POINTS_MAX = 100


def _names(texts: list[str]) -> list[TableName]:
    found = []
    for text in texts:
        name = read_table_name(text)
        if name is None:
            stderr.print(f"table {text} must be written schema.table", markup=False)
            raise typer.Exit(EXIT_USAGE)
        found.append(name)
    return found


def rate(
    target: Annotated[
        str, typer.Argument(help="A dataset of the dictionary, a file of CREATE TABLE statements, or postgresql://…")
    ],
    *,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="With a URL: schema.table, several times. Default: all.")
    ] = None,
    dialect: Annotated[
        str | None, typer.Option(help=f"With a file: {', '.join(DIALECTS)}. Default: the first that reads it.")
    ] = None,
    password_file: Annotated[Path | None, typer.Option(help="With a URL: file with the password.")] = None,
    fail_under: Annotated[
        float, typer.Option(min=0, max=POINTS_MAX, help="Leave with 3 when the rating is lower.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Rate a schema from 0 to 100, with every reason: mandatory fax numbers, a position in one number, lost zeros.

    Nothing is written at a source; of a live database a small sample is looked at, and no value comes out.

    [bold]Examples[/]

      lienthong rate co-so-giao-duc

      lienthong rate schema.sql --dialect mysql --fail-under 80

      lienthong rate postgresql://reader@db/agency --table public.doanh_nghiep
    """
    if dialect is not None and dialect not in DIALECTS:
        stderr.print(f"dialect {dialect} is not one of {', '.join(DIALECTS)}", markup=False)
        raise typer.Exit(EXIT_USAGE)
    with refusals(as_json=as_json):
        dictionary = working_dictionary()
        if target.startswith(("postgresql://", "postgres://")):
            rating = rate_live(
                dictionary,
                target,
                password=read_password(password_file),
                source="source",
                tables=_names(table or []),
            )
        elif Path(target).suffix or "/" in target:
            rating = rate_sql(dictionary, Path(target), dialect=dialect)
        else:
            rating = rate_dataset(dictionary, target)
    if as_json:
        print_json(rating.as_json())
    else:
        _show(rating)
    if rating.points < fail_under:
        raise typer.Exit(EXIT_FINDINGS)


def _show(rating: Rating) -> None:
    console.print(
        f"{rating.schema}: {rating.points:g} of 100 ({rating.tables} tables, {rating.columns} columns)",
        markup=False,
        highlight=False,
    )
    for lost in rating.lost:
        remarks = [remark for remark in rating.remarks if remark.rule == lost.rule]
        console.print(
            f"\n{lost.rule}  -{lost.points:g}  {remarks[0].sentence.vi}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        print_table(
            "",
            ["table", "columns", "seen"],
            [[each.place.table, ", ".join(each.place.columns), each.place.seen] for each in remarks],
        )
