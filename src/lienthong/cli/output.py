"""How the command line speaks: tables for people, JSON for programs, refusals with a remedy."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lienthong.errors import Actor, LienthongError

EXIT_OK = 0
EXIT_REFUSED = 1  # the world is wrong; the message says who can act
EXIT_USAGE = 2
EXIT_FINDINGS = 3  # the command worked and found something wrong in the data it was asked to check

ACTOR_VI: Mapping[Actor, str] = {
    Actor.OPERATOR: "operator (đơn vị vận hành)",
    Actor.AGENCY: "agency that owns the source (cơ quan chủ quản)",
    Actor.STEWARD: "data steward (cán bộ quản trị dữ liệu)",
    Actor.CONSUMER: "agency that asks (cơ quan khai thác)",
    Actor.DEVELOPER: "developers of Liên Thông",
}

console = Console()
stderr = Console(stderr=True)


def print_json(value: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table for people."""
    table = Table(title=escape(title), title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    console.print(table)


def refuse(error: LienthongError, *, as_json: bool) -> NoReturn:
    """Say what was refused, who can act and how; leave with ``EXIT_REFUSED``."""
    if as_json:
        print_json({"error": error.as_json()})
    else:
        stderr.print(f"[bold red]{error.code}[/] {escape(str(error))}")
        stderr.print(f"  who can act: {ACTOR_VI[error.actor]}")
        if error.remedy:
            stderr.print(f"  what to do:  {escape(error.remedy)}")
        stderr.print(f"  more:        docs/reference/errors/{error.code}.md")
    raise SystemExit(EXIT_REFUSED)


@contextmanager
def refusals(*, as_json: bool) -> Iterator[None]:
    """Turn refusals inside the block into a message and an exit code."""
    try:
        yield
    except LienthongError as error:
        refuse(error, as_json=as_json)
