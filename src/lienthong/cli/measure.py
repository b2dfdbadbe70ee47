"""``lienthong measure``: evaluate the rules that look at other records, and say how the runs went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lienthong.centre.measuring import Extent, MeasuredRule, ResultState
from lienthong.cli.measured import run_as_json
from lienthong.cli.output import EXIT_FINDINGS, EXIT_OK, EXIT_REFUSED, console, print_json, print_table, refusals
from lienthong.dictionary.model import DatasetId
from lienthong.pipeline.recheck import Recheck, Standing
from lienthong.wiring.measuring import Measured, measure, measured_datasets
from lienthong.wiring.rechecking import recheck_dataset
from lienthong.wiring.services import build_services, read_knowledge
from lienthong.wiring.settings import settings_from_environment


def measure_command(
    dataset: Annotated[
        str | None, typer.Argument(help="Dataset, for example nhan-khau. Default: every one that a source fills.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Look at every record, not only at what changed since the last run.")
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Measure nothing: say how the newest runs ended and what they found.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--recheck", help="Judge every stored record again from its raw image; changes nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Measure datasets as they stand at the centre: references, agreement between databases, near-duplicates.

    A batch judges the records it carries; these rules need other records too. Findings are opened and closed by the
    run, and never by a batch. [bold]lienthong sync run[/] does this by itself every few minutes, and looks at every
    record once a night.

    Exit code: 0 nothing failed, 3 some record failed, 1 a run could not be carried out or is void.

    [bold]Examples[/]
      lienthong measure                     what changed, everywhere
      lienthong measure nhan-khau --whole   every record of one dataset
      lienthong measure nhan-khau --last    how the newest run ended
      lienthong measure nhan-khau --recheck prove that what is stored is what the rules say
    """
    if again:
        raise SystemExit(_recheck(dataset, as_json=as_json))
    with refusals(as_json=as_json):
        settings = settings_from_environment()
        if last:
            services = build_services(settings)
            names = _named(dataset) or measured_datasets(read_knowledge(settings))
            assert services.measurements is not None, "built with a centre"
            try:
                told = [
                    (
                        name,
                        services.measurements.measurements(name, limit=1),
                        services.measurements.measured_rules(name),
                    )
                    for name in names
                ]
            finally:
                services.reader.close()
            results = [Measured(dataset=name, run=runs[0] if runs else None) for name, runs, _ in told]
            rules = {name: tuple(each) for name, _, each in told}
        else:
            extent = Extent.WHOLE if whole else Extent.CHANGED
            with _progress(quiet=as_json) as say:
                results = list(
                    measure(settings, read_knowledge(settings), _named(dataset), extent=extent, progress=say)
                )
            rules = {}
    _tell(results, rules, as_json=as_json)
    raise SystemExit(_exit_code(results))


def _recheck(dataset: str | None, *, as_json: bool) -> int:
    """Prove that what is stored is what judging it again gives; return the exit code."""
    with refusals(as_json=as_json):
        settings = settings_from_environment()
        knowledge = read_knowledge(settings)
        names = _named(dataset) or tuple(dict.fromkeys(mapping.dataset for mapping in knowledge.mappings))
        with _progress(quiet=as_json) as say:
            found = {name: recheck_dataset(settings, knowledge, name, progress=say) for name in names}
    if as_json:
        print_json({"rechecks": [_recheck_as_json(name, each) for name, each in found.items()]})
    else:
        columns = [
            *("dataset", "standing", "records", "other rules", "no mapping", "differ", "would move"),
            *("counters", "by rule", "by value"),
        ]
        rows = [
            [
                *(name, each.standing.value, each.rows, each.earlier, each.without_way, each.damaged, each.moved),
                "equal" if each.counters_equal else "differ",
                ", ".join(f"{rule} {count}" for rule, count in each.letters.most_common()),
                ", ".join(f"{column} {count}" for column, count in each.values.most_common()),
            ]
            for name, each in found.items()
        ]
        print_table("Rechecks", columns, rows)
        if any(each.standing is Standing.CHANGED for each in found.values()):
            console.print("rules, dictionary or mapping changed: lienthong sync snapshot LINK has all judged anew")
    return EXIT_OK if all(each.standing is Standing.EQUAL for each in found.values()) else EXIT_FINDINGS


def _recheck_as_json(name: DatasetId, found: Recheck) -> dict[str, object]:
    return {
        "dataset": name,
        "standing": found.standing.value,
        "records": found.rows,
        "judged_with_other_rules": found.earlier,
        "without_mapping": found.without_way,
        "differ_with_the_same_rules": found.damaged,
        "would_move": found.moved,
        "counters_equal": found.counters_equal,
        "letters": dict(found.letters),
        "values": dict(found.values),
    }


def _named(dataset: str | None) -> tuple[DatasetId, ...] | None:
    return None if dataset is None else (DatasetId(dataset),)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("[progress.description]{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=None)
        yield lambda what: progress.update(task, description=what)


def _exit_code(results: list[Measured]) -> int:
    runs = [each.run for each in results]
    if any(run is None or run.error is not None for run in runs):
        return EXIT_REFUSED
    found = any(run is not None and run.result_state is ResultState.FOUND for run in runs)
    return EXIT_FINDINGS if found else EXIT_OK


def _tell(results: list[Measured], rules: dict[DatasetId, tuple[MeasuredRule, ...]], *, as_json: bool) -> None:
    if as_json:
        print_json({"measurements": [_as_json(each, rules.get(each.dataset)) for each in results]})
        return
    print_table(
        "Measurements",
        ["dataset", "looked at", "result", "records", "touched", "opened", "closed", "why"],
        [_row(each) for each in results],
    )
    for name, each in rules.items():
        print_table(
            f"Rules of {name}",
            ["rule", "passed", "failed", "not applicable", "not evaluated", "measured", "why"],
            [
                [
                    rule.count.rule,
                    rule.count.passed,
                    rule.count.failed,
                    rule.count.not_applicable,
                    rule.count.not_evaluated,
                    f"{rule.measured_at:%Y-%m-%d %H:%M:%S}",
                    rule.error,
                ]
                for rule in each
            ],
        )


def _row(result: Measured) -> list[object]:
    run = result.run
    if run is None:
        why = "no run yet" if result.error is None else f"{result.error.code} {result.error}"
        return [result.dataset, None, "failed" if result.error else None, *[None] * 4, why]
    return [
        result.dataset,
        run.extent.value,
        run.run_state.value if run.result_state is None or run.error is not None else run.result_state.value,
        f"{run.rows_examined} of {run.rows_present}",
        run.rows_touched,
        run.opened,
        run.closed,
        run.error,
    ]


def _as_json(result: Measured, rules: tuple[MeasuredRule, ...] | None) -> dict[str, object]:
    told: dict[str, object] = {"dataset": result.dataset}
    if result.run is not None:
        told |= run_as_json(result.run)
    elif result.error is not None:
        told["error"] = result.error.as_json()
    if rules is not None:
        told["rules"] = [
            {
                "rule": rule.count.rule,
                "passed": rule.count.passed,
                "failed": rule.count.failed,
                "not_applicable": rule.count.not_applicable,
                "not_evaluated": rule.count.not_evaluated,
                "measurement": rule.measurement,
                "measured_at": rule.measured_at,
                "error": rule.error,
            }
            for rule in rules
        ]
    return told
