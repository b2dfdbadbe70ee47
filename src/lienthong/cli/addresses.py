"""``lienthong addresses``: from the text of an address to the codes of its units (phân giải địa chỉ)."""

from __future__ import annotations

import enum
import sys
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import polars as pl
import typer

from lienthong.cli.output import EXIT_FINDINGS, print_json, print_table, refusals
from lienthong.dictionary.code_refusals import NotADay
from lienthong.sources.file_refusals import OptionNotValid
from lienthong.standardise.addresses import ONE, resolve
from lienthong.standardise.addresses.coordinates import (
    DECIDES,
    NEAR_BORDER,
    NO_BOUNDARY,
    NO_COORDINATE,
    OUTSIDE,
    OVERLAP,
)
from lienthong.wiring.addresses import Point, configured_boundaries, resolve_and_carry

LINES_MAX: Final = 1_000_000
LATITUDE_MAX: Final = 90
LONGITUDE_MAX: Final = 180

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Read addresses of three levels (until 30 June 2025) and of two (since), on this machine only.

[bold]Examples[/]

  lienthong addresses resolve "P. Bến Nghé, Q.1, TP.HCM" --on 2025-06-30

  lienthong addresses resolve - --on 2026-01-01 --json < addresses.txt      one address a line

  lienthong addresses resolve "Phường Cống Vị, Quận Ba Đình, Hà Nội" --on 2025-06-30 --to 2026-01-01 \\
      --boundaries communes.geojson --at 21.0352,105.8087
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
    to: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Say too which unit of that day it is, through the conversion table."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="LAT,LON", help="Where it is, in degrees (WGS84): decides divided communes, with --to."),
    ] = None,
    boundaries: Annotated[
        Path | None,
        typer.Option(help="GeoJSON or GeoParquet with ma_xa and a polygon each. Default: the one of the settings."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")] = False,
) -> None:
    """Resolve addresses to commune and province codes: ONE, SEVERAL or UNKNOWN. No service is called.

    Leaves with 3 when any address is not ONE, or not one unit of the day of --to.
    """
    lines = [line.rstrip("\n") for line in islice(sys.stdin, LINES_MAX)] if address == "-" else [address]
    with refusals(as_json=as_json):
        day = None if on is None else _day(on)
        carried = None
        if to is None:
            _only_with_to(at, boundaries)
            answer = resolve(pl.Series("address", lines, dtype=pl.String), on=day, structure=structure.value)
        else:
            point = None if at is None else _point(at, several=address == "-")
            answer, carried = resolve_and_carry(
                lines,
                on=day,
                structure=structure.value,
                to=_day(to),
                boundaries=None if point is None else _boundaries(boundaries),
                points=None if point is None else [point],
            )
    _print(lines, answer, carried, as_json=as_json)
    open_ = carried is not None and bool((carried["kind"] != "one").any())
    if open_ or (answer["outcome"] != ONE).any():
        raise typer.Exit(EXIT_FINDINGS)


def _print(lines: list[str], answer: pl.DataFrame, carried: pl.DataFrame | None, *, as_json: bool) -> None:
    found = answer.to_dicts()
    then = [{} for _ in found] if carried is None else [{"then": row} for row in carried.to_dicts()]
    if as_json:
        print_json([{"address": line, **row, **more} for line, row, more in zip(lines, found, then, strict=True)])
        return
    rows = [
        (line, row["outcome"], row["commune_code"], row["province_code"], row["list_date"], row["street"],
         f"{row['confidence']:.2f}", " ".join(row["alternatives"]))
        for line, row in zip(lines, found, strict=True)
    ]  # fmt: skip
    columns = ("Address", "Outcome", "Commune", "Province", "List of", "Street", "Confidence", "Others")
    print_table(f"{len(rows)} address(es)", columns, rows)
    if carried is None:
        return
    units = [
        (line, row["kind"], row["code"], " ".join(row["candidates"]), row["reason"] or "",
         COORDINATE_WORDS.get(row.get("coordinate") or "", ""))
        for line, row in zip(lines, carried.to_dicts(), strict=True)
    ]  # fmt: skip
    print_table("Unit of the day of --to", ("Address", "Kind", "Commune", "Candidates", "Why", "Coordinate"), units)


COORDINATE_WORDS: Final = {
    DECIDES: "decides",
    NEAR_BORDER: "too near a border to decide",
    OUTSIDE: "in none of the candidates: text and coordinate disagree",
    OVERLAP: "in two boundaries: look at the boundary file",
    NO_BOUNDARY: "the file has not the boundaries of all candidates",
    NO_COORDINATE: "no coordinate",
}


def _only_with_to(at: str | None, boundaries: Path | None) -> None:
    if at is not None or boundaries is not None:
        raise OptionNotValid(
            option="--at and --boundaries",
            reason="decide which part of a divided commune is meant on a later day",
            fix="add --to with that day",
        )


def _boundaries(given: Path | None) -> Path:
    found = given or configured_boundaries()
    if found is None:
        raise OptionNotValid(
            option="--at",
            reason="no boundaries are shipped, since none has a source",
            fix="give a file with --boundaries, or set boundaries in lienthong.toml",
        )
    return found


def _point(text: str, *, several: bool) -> Point:
    parts = text.split(",")
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError as cause:
        raise OptionNotValid(option="--at", reason="is not written LAT,LON", fix="write 21.0352,105.8087") from cause
    if several:
        raise OptionNotValid(option="--at", reason="is of one address", fix="give the address itself instead of -")
    if not (-LATITUDE_MAX <= lat <= LATITUDE_MAX and -LONGITUDE_MAX <= lon <= LONGITUDE_MAX):
        raise OptionNotValid(
            option="--at", reason="is no place in degrees", fix="write latitude first: 21.0352,105.8087"
        )
    return Point(lat=lat, lon=lon)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotADay(given=text) from error
