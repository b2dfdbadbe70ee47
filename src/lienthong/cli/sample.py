"""``lienthong sample``: records drawn by lot and judged by people against the original papers (đánh giá mẫu)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.output import EXIT_USAGE, console, print_json, print_table, refusals, stderr
from lienthong.oversight.sampling import Judgement, Opinion, Sample, Tally
from lienthong.wiring.sampling import open_samples
from lienthong.wiring.settings import settings_from_environment

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Records drawn by lot and judged by people against the original papers (đánh giá mẫu).

1. [bold]lienthong sample commit nhan-khau --records 200 --by "Trung tâm CNTT"[/]  publishes a hash over all records
2. [bold]lienthong sample seed 1 --seed "…" --origin "…"[/]  a public random text, made after the commitment
3. [bold]lienthong sample draw 1[/]  the records with the smallest SHA-256 of seed, record and hash
4. [bold]lienthong sample sheet 1 -o sheet.csv --reader NAME[/]  their committed values, for an assessor
5. [bold]lienthong sample judge 1 --sheet sheet.csv --assessor NAME[/]
6. [bold]lienthong sample result nhan-khau[/]  the share that is right, with its interval

Changing records after the commitment helps nobody: the committed version is judged. No step is taken twice.
""",
)

Number = Annotated[int, typer.Argument(help="Number of the sample.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


def _tally(tally: Tally) -> dict[str, object]:
    low, high = tally.interval
    return {
        "right": tally.right,
        "wrong": tally.wrong,
        "undecided": tally.undecided,
        "percent": None if not tally.judged else 100 * tally.right / tally.judged,
        "low": low,
        "high": high,
    }


def _as_json(sample: Sample) -> dict[str, object]:
    committed = sample.commitment
    return {
        "sample": committed.number,
        "dataset": committed.dataset,
        "state": sample.state.value,
        "snapshot": committed.snapshot,
        "records": committed.records,
        "up_to_batch": committed.up_to_batch,
        "wanted": committed.wanted,
        "assessors": committed.assessors,
        "committed_at": committed.committed_at,
        "committed_by": committed.committed_by,
        "seed": sample.seed,
        "seed_origin": sample.seed_origin,
        "seeded_at": sample.seeded_at,
        "drawn_at": sample.drawn_at,
        "drawn": list(sample.drawn),
        "settled": sample.settled,
        "finished_at": sample.finished_at,
        "result": _tally(sample.records),
        "elements": {name: _tally(tally) for name, tally in sample.elements.items()},
    }


def _show(sample: Sample, *, as_json: bool) -> None:
    facts = _as_json(sample)
    if as_json:
        print_json(facts)
        return
    hidden = {"drawn", "result", "elements"}
    print_table("Sample", ["", ""], [[name, value] for name, value in facts.items() if name not in hidden])


@app.command()
def commit(
    dataset: Annotated[str, typer.Argument(help="Dataset, such as nhan-khau.")],
    *,
    records: Annotated[int, typer.Option(help="How many to draw; decided now, before the seed is known.")],
    by: Annotated[str, typer.Option(help="Who commits.")],
    assessors: Annotated[int, typer.Option(help="Opinions each record needs: 1, or 2 by different people.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Publish a hash over every record of a dataset as it stands now."""
    with refusals(as_json=as_json):
        samples = open_samples(settings_from_environment())
        number = samples.commit(dataset, wanted=records, assessors=assessors, by=by).number
        _show(samples.store.sample(number), as_json=as_json)


@app.command()
def seed(
    number: Number,
    *,
    seed: Annotated[str | None, typer.Option(help="Public random text. Default: one is made now.")] = None,
    origin: Annotated[str | None, typer.Option(help="Where the seed comes from: a lottery, a beacon.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the seed of a sample, once, after its commitment."""
    if (seed is None) != (origin is None):
        stderr.print("give --seed and --origin together, or neither", markup=False)
        raise typer.Exit(EXIT_USAGE)
    with refusals(as_json=as_json):
        _show(open_samples(settings_from_environment()).seed(number, seed=seed, origin=origin), as_json=as_json)


@app.command()
def draw(number: Number, *, as_json: AsJson = False) -> None:
    """Draw the records, after proving that they are those that were committed."""
    with refusals(as_json=as_json):
        sample = open_samples(settings_from_environment()).draw(number)
    _show(sample, as_json=as_json)
    if not as_json:
        print_table("Drawn", ["place", "record"], list(enumerate(sample.drawn, 1)))


@app.command()
def verify(number: Number, *, as_json: AsJson = False) -> None:
    """Compute the committed hash anew from the records and their history."""
    with refusals(as_json=as_json):
        open_samples(settings_from_environment()).store.verify(number)
    if as_json:
        print_json({"sample": number, "unchanged": True})
        return
    console.print("the committed records are all there, as they were", highlight=False)


@app.command()
def sheet(
    number: Number,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="CSV to write; must not exist.")],
    reader: Annotated[str, typer.Option(help="Who looks; it is written down.")],
) -> None:
    """Write the committed values of the drawn records to a CSV that an assessor fills in.

    The file holds personal values: keep it where the papers are kept, and delete it after use.
    """
    if output.exists():
        stderr.print(f"{output} exists", markup=False)
        raise typer.Exit(EXIT_USAGE)
    with refusals(as_json=False):
        count = open_samples(settings_from_environment()).write_sheet(number, output, reader=reader)
    console.print(f"{count} records written to {output}", highlight=False, markup=False)


@app.command()
def judge(
    number: Number,
    *,
    assessor: Annotated[str, typer.Option(help="Who judges.")],
    sheet: Annotated[Path | None, typer.Option(help="Filled sheet; lines without an opinion are left.")] = None,
    record: Annotated[str | None, typer.Option(help="One record, instead of a sheet.")] = None,
    opinion: Annotated[Opinion | None, typer.Option(help="Of the one record.")] = None,
    wrong: Annotated[str, typer.Option(help="Its wrong elements, with ',' between.")] = "",
    undecided: Annotated[str, typer.Option(help="Its elements that cannot be decided.")] = "",
    note: Annotated[str | None, typer.Option(help="Why; no values of the record.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep what an assessor says: right, wrong with the wrong elements, or undecided."""
    if (sheet is None) == (record is None or opinion is None):
        stderr.print("give --sheet, or --record with --opinion", markup=False)
        raise typer.Exit(EXIT_USAGE)
    with refusals(as_json=as_json):
        samples = open_samples(settings_from_environment())
        if sheet is not None:
            judgements = samples.read_sheet(sheet, assessor=assessor)
        else:
            assert record is not None and opinion is not None, "asked above"  # noqa: PT018 - one question
            judgements = (
                Judgement(
                    record_id=record,
                    assessor=assessor,
                    opinion=opinion,
                    wrong=frozenset(name.strip() for name in wrong.split(",") if name.strip()),
                    undecided=frozenset(name.strip() for name in undecided.split(",") if name.strip()),
                    note=note,
                    judged_at=samples.clock.now(),
                ),
            )
        _show(samples.judge(number, judgements), as_json=as_json)


@app.command()
def result(
    dataset: Annotated[str, typer.Argument(help="Dataset, such as nhan-khau.")], *, as_json: AsJson = False
) -> None:
    """Show what the samples of a dataset say together, and every sample with how far it has come."""
    with refusals(as_json=as_json):
        standing, found = open_samples(settings_from_environment()).standing(dataset)
    if as_json:
        print_json(
            {
                "dataset": dataset,
                "state": standing.kind.value,
                "samples_in_force": list(standing.samples),
                "measured_at": standing.measured_at,
                "result": _tally(standing.records),
                "elements": {name: _tally(tally) for name, tally in standing.elements.items()},
                "samples": [_as_json(sample) for sample in found],
            }
        )
        return
    low, high = standing.records.interval
    print_table(
        f"{dataset}: {standing.kind.value}",
        ["", "right", "wrong", "undecided", "95 % interval"],
        [
            ["records", standing.records.right, standing.records.wrong, standing.records.undecided,
             f"{low:.1f} to {high:.1f} %" if standing.records.judged else ""],
            *(
                [name, tally.right, tally.wrong, tally.undecided,
                 f"{tally.interval[0]:.1f} to {tally.interval[1]:.1f} %" if tally.judged else ""]
                for name, tally in standing.elements.items()
            ),
        ],
    )  # fmt: skip
    print_table(
        "Samples",
        ["number", "state", "records", "wanted", "settled", "committed", "by"],
        [
            [
                each.commitment.number,
                each.state.value,
                each.commitment.records,
                each.commitment.wanted,
                each.settled,
                each.commitment.committed_at,
                each.commitment.committed_by,
            ]
            for each in found
        ],
    )
