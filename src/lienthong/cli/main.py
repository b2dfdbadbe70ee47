"""The command line: ``lienthong …``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

import lienthong
from lienthong.cli import (
    access,
    addresses,
    centre,
    check,
    codes,
    copying,
    demo,
    dictionary,
    measure,
    officers,
    rating,
    references,
    repair,
    report,
    sample,
    source,
    standardise,
    sync,
)
from lienthong.cli.output import console

app = typer.Typer(
    name="lienthong",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals may hold personal data
    help="""[bold]Liên Thông[/]: an agency's database becomes shared national data.

Sources → standardise → check → centre → exchange → portal.

[bold]Begin with[/]  lienthong demo          the whole way on real data, on this machine
            lienthong dictionary list   what every field means
            lienthong source --help     bring a database of your own
""",
)
app.add_typer(dictionary.app, name="dictionary", help="The Common Data Dictionary (từ điển dữ liệu dùng chung).")
app.add_typer(source.app, name="source")
app.add_typer(centre.app, name="centre", help="The centre's database: tables and rights (Trung tâm dữ liệu).")
app.add_typer(copying.app, name="copy")
app.add_typer(sync.app, name="sync", help="Follow the sources and keep the centre up to date (đồng bộ).")
app.add_typer(access.app, name="access", help="Keys and grants of agencies that read data (quyền khai thác).")
app.add_typer(officers.app, name="officer", help="Accounts and roles of the people in the portal (tài khoản cán bộ).")
app.add_typer(repair.app, name="repair")
app.add_typer(codes.app, name="codes", help="What a code meant on a day, and what became of it (tra cứu mã).")
app.add_typer(addresses.app, name="addresses", help="From the text of an address to codes (phân giải địa chỉ).")
app.add_typer(
    references.app,
    name="references",
    help="Names of databases and agencies, matched with registries (đối chiếu tên).",
)
app.add_typer(sample.app, name="sample")
app.add_typer(report.app, name="report")
app.command(name="rate")(rating.rate)
app.command(name="demo")(demo.demo)
app.command(name="standardise")(standardise.standardise)
app.command(name="check")(check.check)
app.command(name="measure")(measure.measure_command)


def _version(asked: bool) -> None:
    if asked:
        console.print(f"lienthong {lienthong.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def common(
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file; also LIENTHONG_CONFIG. Default: lienthong.toml in this folder."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Take the options that every command shares."""
    del version
    if config is not None:
        os.environ["LIENTHONG_CONFIG"] = str(config)


def run() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    run()
