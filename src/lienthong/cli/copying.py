"""``lienthong copy``: the analytical copy of the centre as Parquet, read by DuckDB and by Spark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.output import EXIT_FINDINGS, EXIT_OK, console, print_json, print_table, refusals
from lienthong.wiring.copying import CopyState, copy_states, duckdb_views, write_copies
from lienthong.wiring.settings import settings_from_environment

app = typer.Typer(
    no_args_is_help=True, help="The analytical copy of the centre as Parquet (bản sao phân tích), for its operator."
)

Dataset = Annotated[str | None, typer.Argument(help="Dataset, for example doanh-nghiep. Default: every one.")]
Folder = Annotated[Path, typer.Option("--to", help="Folder of the copies; only its owner may open it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command()
def run(to: Folder, dataset: Dataset = None, as_json: AsJson = False) -> None:
    """Append what the centre changed since the last run; the first run copies everything.

    Reads with the role that can only read. Killed at any moment it leaves the copy of before or the new one.

    [bold]Example[/]  lienthong copy run doanh-nghiep --to copies
    """
    with refusals(as_json=as_json):
        states = write_copies(settings_from_environment(), to, only=dataset, rebuild=False)
    _tell(states, as_json=as_json)


@app.command()
def rebuild(to: Folder, dataset: Dataset = None, as_json: AsJson = False) -> None:
    """Build copies anew from the centre, after a change of the dictionary or when one is damaged.

    Readers keep the old copy until the new one is whole.
    """
    with refusals(as_json=as_json):
        states = write_copies(settings_from_environment(), to, only=dataset, rebuild=True)
    _tell(states, as_json=as_json)


@app.command()
def status(
    to: Folder,
    dataset: Dataset = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compare every file with its digest.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say how fresh the copies are: their newest batch, its age, and whether the centre has newer ones.

    Exit code: 0 everything of the centre is there, 3 the centre has newer batches.
    """
    with refusals(as_json=as_json):
        states = copy_states(settings_from_environment(), to, only=dataset, verify=verify)
    _tell(states, as_json=as_json)
    raise SystemExit(EXIT_OK if all(each.fresh for each in states) else EXIT_FINDINGS)


@app.command(name="sql")
def show_sql(to: Folder, dataset: Annotated[str, typer.Argument(help="Dataset, for example doanh-nghiep.")]) -> None:
    """Show DuckDB's SQL for two views: all versions, and the records as they are."""
    with refusals(as_json=False):
        (state,) = copy_states(settings_from_environment(), to, only=dataset, verify=False)
    typer.echo(duckdb_views(dataset.replace("-", "_"), state.paths), nl=False)


def _tell(states: Sequence[CopyState], *, as_json: bool) -> None:
    if as_json:
        print_json({"copies": [_as_json(each) for each in states]})
        return
    if not states:
        console.print("there is no copy yet: lienthong copy run --to FOLDER")
        return
    print_table(
        "Analytical copies",
        ["dataset", "batch", "centre", "applied", "age", "files", "versions", "fresh"],
        [
            [
                *(each.dataset, each.manifest.watermark, each.centre_batch, each.manifest.newest_at),
                *(None if each.age is None else str(each.age).partition(".")[0], len(each.manifest.segments)),
                *(sum(segment.rows for segment in each.manifest.segments), "yes" if each.fresh else "no"),
            ]
            for each in states
        ],
    )


def _as_json(state: CopyState) -> dict[str, object]:
    return {
        "dataset": state.dataset,
        "batch": state.manifest.watermark,
        "centre_batch": state.centre_batch,
        "newest_at": None if state.manifest.newest_at is None else state.manifest.newest_at.isoformat(),
        "age_s": None if state.age is None else round(state.age.total_seconds(), 3),
        "fresh": state.fresh,
        "written_at": state.manifest.written_at.isoformat(),
        "versions": sum(segment.rows for segment in state.manifest.segments),
        "files": list(state.paths),
    }
