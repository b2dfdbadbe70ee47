"""``lienthong references``: names as officers write them, matched with registries (đối chiếu tên)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import polars as pl
import typer

from lienthong.cli.output import EXIT_FINDINGS, print_json, print_table, refusals
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeListId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.references.matching import Answer, match
from lienthong.standardise.references.refusals import NamesColumnMissing, NamesFileUnreadable, RegistryUnknown
from lienthong.standardise.references.registry import Registry

REGISTRIES: Final = ("co-so-du-lieu", "co-quan-chu-quan")
FILE_BYTES_MAX: Final = 1_000_000_000
ANSWER_VI: Final = {
    Answer.ONE.value: "one (một)",
    Answer.SEVERAL.value: "several (nhiều)",
    Answer.NONE.value: "none (chưa rõ)",
}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Match names of databases and agencies as they are really written (đối chiếu tên cơ quan, CSDL).

[bold]Examples[/]

  lienthong references match "CSDLQG về dân cư và CSDL hộ tịch"

  lienthong references match phu-luc.csv --column csdl

  lienthong references match phu-luc.csv --column bo_chu_quan --registry co-quan-chu-quan
""",
)


@app.callback()
def references() -> None:
    """Keep the noun before the verb, with one command as with many."""


@app.command(name="match")
def match_names(
    subject: Annotated[str, typer.Argument(help="A text, or a CSV file together with --column.")],
    column: Annotated[str | None, typer.Option(help="Column of the CSV file that holds the names.")] = None,
    registry: Annotated[
        str, typer.Option(help="Code list to match with: " + ", ".join(REGISTRIES) + ".")
    ] = REGISTRIES[0],
    folder: Annotated[Path | None, typer.Option("--folder", help="Folder of another dictionary.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")] = False,
) -> None:
    """Say which entries each name means: one, several, or none with the reason; nothing is picked silently.

    Leaves with 3 when a name could not be settled.

    Example: lienthong references match phu-luc.csv --column csdl
    """
    with refusals(as_json=as_json):
        entries = _registry(registry, folder)
        names = pl.Series([subject], dtype=pl.String) if column is None else _column(Path(subject), column)
    counted = names.to_frame("value").group_by("value", maintain_order=True).len("rows")
    found = match(counted["value"], entries).with_columns(counted["rows"])
    if as_json:
        print_json({"registry": entries.id, "names": found.to_dicts()})
    else:
        rows = [
            (
                line["value"],
                line["rows"],
                ANSWER_VI[line["answer"]],
                ", ".join(line["ids"]) or "; ".join(f"? {entry}" for entry in line["candidates"]),
                f"{line['confidence']:.2f}",
                line["reason"],
            )
            for line in found.iter_rows(named=True)
        ]
        title = f"{len(rows)} name(s) matched with {entries.id}"
        print_table(title, ("Name", "Rows", "Answer", "Entries", "Sure", "Reason"), rows)
    if (found["answer"] == Answer.NONE.value).any():
        raise typer.Exit(EXIT_FINDINGS)


def _registry(wanted: str, folder: Path | None) -> Registry:
    dictionary = load(shipped_folder("dictionary") if folder is None else folder)
    if wanted not in dictionary.code_lists:
        raise RegistryUnknown(wanted=wanted, known=", ".join(REGISTRIES))
    return Registry.of(dictionary.code_lists[CodeListId(wanted)])


def _column(file: Path, column: str) -> pl.Series:
    try:
        size = file.stat().st_size
        if size > FILE_BYTES_MAX:
            raise NamesFileUnreadable(file=file, reason=f"it is larger than {FILE_BYTES_MAX} bytes")
        lazy = pl.scan_csv(file, infer_schema=False)
        columns = lazy.collect_schema().names()
        if column not in columns:
            raise NamesColumnMissing(file=file, column=column, columns=", ".join(columns))
        return lazy.select(column).collect().to_series()
    except OSError as cause:
        raise NamesFileUnreadable(file=file, reason=cause.strerror or "it is not there") from cause
    except pl.exceptions.PolarsError as cause:
        raise NamesFileUnreadable(file=file, reason="its lines do not have one shape, or it is not UTF-8") from cause
