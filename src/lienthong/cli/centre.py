"""``lienthong centre``: make the centre's database ready, and show what is derived for it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lienthong.centre.tables import derive_table, render_ddl
from lienthong.cli import past
from lienthong.cli.output import console, print_json, refusals
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.services import dictionary_folder, read_knowledge
from lienthong.wiring.settings import settings_from_environment

app = typer.Typer(no_args_is_help=True)
app.command(name="at")(past.at)


@app.command()
def prepare(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Create or extend the centre's tables, and give the faces' roles exactly the rights they need.

    Runs as the role of [centre.writer]; the roles of [centre.reader] and [centre.gateway] must exist. Run it once for
    a new centre and again after every new dictionary; repeating it changes nothing.
    """
    with refusals(as_json=as_json):
        settings = settings_from_environment()
        knowledge = read_knowledge(settings)
        reader, gateway = ready_centre(settings, knowledge)
    datasets = sorted(knowledge.dictionary.datasets)
    if as_json:
        print_json({"datasets": datasets, "reader": reader, "gateway": gateway})
        return
    console.print(f"ready: tables of {', '.join(datasets)}; {reader} may read, {gateway} may use the access register")


@app.command()
def ddl(
    dataset: Annotated[str, typer.Argument(help="Dataset of the dictionary, for example doanh-nghiep.")],
) -> None:
    """Show the SQL of the tables derived from a dataset: typed columns, comments in Vietnamese, history.

    [bold]Example[/]  lienthong centre ddl doanh-nghiep
    """
    with refusals(as_json=False):
        dictionary = load(dictionary_folder())
        found = dictionary.datasets.get(DatasetId(dataset))
        if found is None:
            raise DatasetUnknown(wanted=dataset, known=", ".join(sorted(dictionary.datasets)))
        sys.stdout.write(render_ddl(derive_table(dictionary, found)))
