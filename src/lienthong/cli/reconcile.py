"""``lienthong sync reconcile``: say whether source and centre are equal at a position."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from lienthong.centre.reconciling import Reconciliation
from lienthong.cli.output import EXIT_OK, EXIT_REFUSED, console, print_json, print_table, refusals, refuse
from lienthong.errors import Actor, LienthongError
from lienthong.wiring.reconciling import LinkReconciled
from lienthong.wiring.reconciling import reconcile as compare
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import settings_from_environment


class LinkNotInSettings(LienthongError, code="CLI-012", actor=Actor.OPERATOR):
    """The settings name no such link."""

    message = "the settings name no link {source}"
    hint = "the settings name these links: {known}"


def result_as_json(result: Reconciliation) -> dict[str, object]:
    """Return a result as plain values: names, counts, digests and masked ids, never values of records."""
    return {
        "reconciliation": result.number,
        "link": result.link,
        "table": str(result.table),
        "dataset": result.dataset,
        "equal": result.equal,
        "position": None if result.position is None else str(result.position),
        "moment": result.moment,
        "began_at": result.began_at,
        "ended_at": result.ended_at,
        "duration_s": (result.ended_at - result.began_at).total_seconds(),
        "rows_source": result.rows_source,
        "rows_centre": result.rows_centre,
        "buckets": result.buckets,
        "buckets_differing": result.buckets_differing,
        "buckets_unopened": result.buckets_unopened,
        "missing": result.missing,
        "surplus": result.surplus,
        "differing": result.differing,
        "columns": list(result.columns),
        "salt": result.salt,
        "digest_source": result.digest_source,
        "digest_centre": result.digest_centre,
        "error": result.error,
        "differences": [{"kind": each.kind.value, "record": each.shown} for each in result.differences],
    }


def reconciled_as_json(found: LinkReconciled) -> dict[str, object]:
    """Return what became of a link as plain values."""
    return {
        "link": found.link,
        "equal": found.equal,
        "results": [result_as_json(each) for each in found.results],
        "before_repair": [result_as_json(each) for each in found.before],
        "error": None if found.error is None else found.error.as_json(),
    }


def reconciled_as_line(found: LinkReconciled) -> dict[str, object]:
    """Return what became of a link as a log line."""
    line: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "source": found.link}
    if found.error is not None:
        return line | {"event": "reconciling.link.failed"} | found.error.as_json()
    names = ("reconciliation", "table", "equal", "position", "rows_source", "rows_centre", "missing", "surplus")
    tables = [
        {name: value for name, value in result_as_json(each).items() if name in {*names, "differing"}}
        for each in found.results
    ]
    return line | {"event": "reconciling.link.ended", "equal": found.equal, "tables": tables}


def results_table(title: str, results: list[Reconciliation]) -> None:
    """Write results as a table for people."""
    print_table(
        title,
        ["link", "table", "result", "position", "source stood there", "rows source", "rows centre", "differences"],
        [
            [
                each.link,
                each.table,
                word(each),
                each.position,
                each.moment,
                each.rows_source,
                each.rows_centre,
                each.error or _differences(each),
            ]
            for each in results
        ],
    )


def word(result: Reconciliation) -> str:
    """Return the result in one word."""
    return "no result" if result.equal is None else "equal" if result.equal else "differs"


def _differences(result: Reconciliation) -> str:
    if result.equal:
        return ""
    bound = "at least " if result.buckets_unopened else ""
    return (
        f"{bound}{result.missing} missing, {result.surplus} surplus, {result.differing} other content at the centre"
    )


def reconcile(
    source: Annotated[str | None, typer.Argument(help="Name of the link. Default: all links, one by one.")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Read the records that differ again, then compare once more.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Compare source and centre at one position of the source's log, row by row as digests, also while both change.

    The link must be running: what was committed before the position is waited for, what came later does not matter.
    Every result is kept. Leaves with 1 when something differs or could not be compared. Records are named by side
    with their key masked; values are never shown.

    [bold]Example[/]  lienthong --config .lienthong/lienthong.toml sync reconcile ca-mau
    """
    with refusals(as_json=as_json):
        settings = settings_from_environment()
        known = [each.name for each in settings.sources]
        if source is not None and source not in known:
            raise LinkNotInSettings(source=source, known=", ".join(known) or "none")
        found = list(compare(settings, read_knowledge(settings), only=source, repair=repair))
    if as_json:
        print_json({"links": [reconciled_as_json(each) for each in found]})
        raise SystemExit(EXIT_OK if all(each.equal for each in found) else EXIT_REFUSED)
    before = [result for each in found for result in each.before]
    if before:
        results_table("Before the repair", before)
    results_table("Source and centre", [result for each in found for result in each.results])
    for each in found:
        for result in each.results:
            for difference in result.differences:
                console.print(f"  {difference.kind.value}: {difference.shown}", markup=False, highlight=False)
    for each in found:
        if each.error is not None:
            refuse(each.error, as_json=False)
    raise SystemExit(EXIT_OK if all(each.equal for each in found) else EXIT_REFUSED)
