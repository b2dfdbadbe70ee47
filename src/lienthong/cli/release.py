"""``lienthong dictionary release | verify | diff``: signed lists of what was approved, and what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from lienthong.cli.governance import (
    Actor,
    Agency,
    AsJson,
    Folder,
    changes_table,
    folder_of,
    settings_if_any,
)
from lienthong.cli.output import EXIT_FINDINGS, console, print_json, print_table, refusals
from lienthong.clock import SystemClock
from lienthong.dictionary.affected import Affected
from lienthong.dictionary.changes import Impact
from lienthong.dictionary.model import AgencyId
from lienthong.wiring import governance, releases
from lienthong.wiring.governance import Who
from lienthong.wiring.services import read_mapping

AFFECTED_SHOWN_MAX: Final = 60


def register(app: typer.Typer) -> None:
    """Mount the commands of releases on ``lienthong dictionary``."""
    app.command()(release)
    app.command()(verify)
    app.command()(diff)


def release(
    *,
    version: Annotated[str, typer.Option(help="Version of the dictionary, such as 0.2.0.")],
    key: Annotated[Path, typer.Option(help="PEM file with an EC key on P-256, mode 0600.")],
    actor: Actor,
    agency: Agency,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign the list of all items, their versions and bytes, as a release (phát hành).

    Written to releases/VERSION.json and .jws, and never changed afterwards. Versions before 1.0.0 are preliminary:
    they may hold items nobody approved, and say so of each. Everything else must have been decided.

    Example: lienthong dictionary release --version 0.2.0 --key release.pem --as "Vũ Chi" --agency G01
    """
    with refusals(as_json=as_json):
        settings = settings_if_any()
        place = folder_of(folder, settings)
        made = releases.release(
            place,
            version=version,
            key=key,
            who=Who(actor=actor, agency=AgencyId(agency)),
            desk=None if settings is None else governance.open_desk(settings, folder=place),
            clock=SystemClock(),
        )
    told = {
        "version": made.release.version,
        "preliminary": made.release.preliminary,
        "items": len(made.release.entries),
        "digest": made.release.digest,
        "previous": made.release.previous_version,
        "file": str(made.path),
        "key": made.key_id,
    }
    if as_json:
        print_json(told)
        return
    print_table(f"Release {made.release.version}", ("", ""), list(told.items()))


def verify(
    wanted: Annotated[str, typer.Argument(metavar="RELEASE", help="Version or file of a release.")],
    *,
    public_key: Annotated[Path, typer.Option(help="PEM file with the public key of whoever releases.")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check the signature of a release, the release before it, and every byte of every file it lists.

    Needs no database and no private key. Leaves with 1 when anything is not what was signed.

    Example: lienthong dictionary verify dictionary/releases/0.2.0.json --public-key release.pub.pem
    """
    with refusals(as_json=as_json):
        place = folder or (None if (settings := settings_if_any()) is None else settings.dictionary)
        made = releases.verify(releases.release_path(wanted, place), public_key=public_key)
    if as_json:
        print_json({"version": made.version, "valid": True, "items": len(made.entries), "digest": made.digest})
        return
    console.print(
        f"[bold green]valid[/] release {made.version}: {len(made.entries)} items, {len(made.files)} files",
        highlight=False,
        soft_wrap=True,
    )


def diff(
    one: Annotated[str, typer.Argument(metavar="A", help="Version of a release, release file, or folder.")],
    other: Annotated[
        str | None, typer.Argument(metavar="B", help="The same. Default: the dictionary's folder as it is now.")
    ] = None,
    *,
    mappings: Annotated[
        list[Path] | None, typer.Option(help="Mapping files to look for breakage in, beside those of the settings.")
    ] = None,
    without_grants: Annotated[bool, typer.Option("--without-grants", help="Do not ask the access register.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Leave with 3 when a change is breaking.")] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say what differs between two states of the dictionary, how much it matters, and what breaks for whom.

    For a git revision, check it out beside: git worktree add ../before v0.1.0

    Example: lienthong dictionary diff 0.1.0 --mappings mappings/doanh_nghiep.yaml
    """
    with refusals(as_json=as_json):
        settings = settings_if_any()
        place = folder_of(folder, settings) if folder or other is None or settings else Path.cwd()
        before = releases.resolve(one, place)
        after = releases.resolve(str(place) if other is None else other, place)
        files = [
            *(mappings or ()),
            *(path for link in (() if settings is None else settings.sources) for path in link.mappings),
        ]
        compared = releases.contrast(
            before,
            after,
            mappings=[read_mapping(path, before) for path in files],
            settings=None if without_grants else settings,
            clock=SystemClock(),
        )
    if as_json:
        print_json(_json(compared))
    else:
        _print(compared)
    if exit_code and compared.difference.impact is Impact.BREAKING:
        raise typer.Exit(EXIT_FINDINGS)


def _json(compared: releases.Comparison) -> dict[str, Any]:
    impact = compared.difference.impact
    return {
        "before": compared.difference.before,
        "after": compared.difference.after,
        "impact": None if impact is None else impact.name.lower(),
        "changes": [governance.told(change) for change in compared.difference.changes],
        "breaks": [_affected(one) for one in compared.affected],
        "columns": [
            {"table": one.table, "column": one.column, "before": one.before, "after": one.after}
            for one in compared.columns
        ],
    }


def _affected(one: Affected) -> dict[str, Any]:
    return {
        "what": one.usage.using.value,
        "name": one.usage.name,
        "who": one.usage.who,
        "dataset": one.usage.dataset,
        "element": one.element,
        "because": f"{one.change.kind}/{one.change.item}: {one.change.text}",
        "effective": None if one.change.effective is None else one.change.effective.isoformat(),
    }


def _print(compared: releases.Comparison) -> None:
    told = compared.difference
    counts = ", ".join(f"{len(told.of(impact))} {impact.name.lower()}" for impact in reversed(Impact))
    ordered = sorted(told.changes, key=lambda change: -change.impact)
    changes_table(f"{told.before} → {told.after}: {counts}", [governance.told(change) for change in ordered])
    if compared.affected:
        shown = [_affected(one) for one in compared.affected[:AFFECTED_SHOWN_MAX]]
        more = len(compared.affected) - len(shown)
        print_table(
            "What breaks for whom" + (f" (the first {len(shown)}; {more} more with --json)" if more else ""),
            ("", "Name", "Who", "Element", "Because"),
            [(one["what"], one["name"], one["who"], one["element"], one["because"]) for one in shown],
        )
    if compared.columns:
        print_table(
            "Columns of the centre",
            ("Table", "Column", "Type before", "Type after"),
            [(one.table, one.column, one.before or "-", one.after or "-") for one in compared.columns],
        )
