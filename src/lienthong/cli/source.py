"""``lienthong source``: look at an agency's database, decide its mapping, see whether it can be followed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.output import (
    EXIT_FINDINGS,
    EXIT_USAGE,
    console,
    print_json,
    print_table,
    refusals,
    stderr,
)
from lienthong.sources.change import TableName
from lienthong.sources.mapping_file import read_table_name, render_mapping, write_table_name
from lienthong.sources.ports import Grade
from lienthong.sources.survey import notes
from lienthong.wiring.sources import Surveyed, read_password, readiness, survey, validate, working_dictionary

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""An agency's database: survey, mapping, readiness (cơ sở dữ liệu nguồn).

1. [bold]lienthong source survey URL -o mapping.yaml[/]   proposes which column means which element
2. a person decides every line of the file, writes the owner and the reasons
3. [bold]lienthong source validate mapping.yaml --url URL[/]   checks it against dictionary and table
4. [bold]lienthong source doctor URL --table s.t --publication p[/]   says what the server still lacks, with the SQL

Nothing is ever written at the source; values that are sampled are judged there and not shown.
""",
)

Url = Annotated[str, typer.Argument(help="postgresql://account@host:5432/database?sslmode=verify-full")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        help="File with the password, so that it does not stand in the list of processes. Else: PGPASSFILE."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Source = Annotated[str, typer.Option(help="Name of the link, ASCII.")]


def _tables(texts: list[str]) -> list[TableName]:
    found = []
    for text in texts:
        name = read_table_name(text)
        if name is None:
            stderr.print(f"table {text} must be written schema.table", markup=False)
            raise typer.Exit(EXIT_USAGE)
        found.append(name)
    return found


def _written(surveyed: Surveyed) -> str:
    assert surveyed.proposal is not None, "only a table with a proposal is written"
    head = "Proposed by the survey; a person decides every line.\nAbove each column: score, element, why."
    if surveyed.proposal.missing:
        head += f"\nRequired and not found: {', '.join(surveyed.proposal.missing)}"
    return render_mapping(surveyed.proposal.mapping, notes=notes(surveyed.proposal), head=head)


def _as_json(surveyed: Surveyed) -> dict[str, object]:
    profile, proposal = surveyed.profile, surveyed.proposal
    return {
        "table": write_table_name(profile.name),
        "rows_estimated": profile.rows_estimated,
        "key": profile.key,
        "dataset": None if proposal is None else proposal.mapping.dataset,
        "score": None if proposal is None else proposal.score,
        "missing": None if proposal is None else proposal.missing,
        "columns": [
            {
                "name": column.name,
                "type": column.type_name,
                "sampled": column.sampled,
                "null_share": round(column.null_share, 4),
                "distinct": column.distinct,
                "length_min": column.length_min,
                "length_max": column.length_max,
                "encoding": None
                if column.encoding is None
                else {
                    "encoding": column.encoding.encoding,
                    "confidence": round(column.encoding.confidence, 4),
                    "values": column.encoding.values,
                    "sure": column.encoding.sure,
                },
                "suggestions": []
                if proposal is None
                else [
                    {"element": each.element, "score": each.score, "reasons": each.reasons}
                    for each in proposal.suggestions[column.name]
                ],
            }
            for column in profile.columns
        ],
        "mapping": None if proposal is None else _written(surveyed),
    }


def _files(output: Path, surveyed: list[Surveyed]) -> list[tuple[Path, Surveyed]]:
    """Return where each proposal goes: one file, or one a table when there are several."""
    if len(surveyed) == 1:
        return [(output, surveyed[0])]
    return [
        (output.with_name(f"{output.stem}.{each.profile.name.schema}.{each.profile.name.table}{output.suffix}"), each)
        for each in surveyed
    ]


@app.command(name="survey")
def survey_command(
    url: Url,
    *,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="schema.table, several times. Default: all readable tables.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the proposal here; several tables: one file each.")
    ] = None,
    source: Source = "source",
    password_file: PasswordFile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that exist: a person may have edited them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Propose a mapping: look at names, types and a small sample of every table.

    At most 2,000 rows a table are sampled, with a time limit, read-only. What comes out are shares, lengths and
    counts, never values. Where text is of an old encoding (TCVN3, VNI …) the mapping says which, or mixed.

    [bold]Example[/]  lienthong source survey postgresql://reader@db/agency --table public.doanh_nghiep -o dn.yaml
    """
    with refusals(as_json=as_json):
        names = _tables(table or [])
        dictionary = working_dictionary()
        found: list[Surveyed] = []
        with stderr.status("connecting …") as status:
            for each in survey(
                url, password=read_password(password_file), source=source, tables=names, dictionary=dictionary
            ):
                found.append(each)
                status.update(f"{len(found)} tables surveyed, last {each.profile.name}")
        proposed = [each for each in found if each.proposal is not None]
        if output is not None:
            _write(_files(output, proposed), force=force)
    if as_json:
        print_json({"tables": [_as_json(each) for each in found]})
        return
    if output is None:
        for each in proposed:
            console.print(_written(each), markup=False, highlight=False, soft_wrap=True, end="")
    for each in found:
        if each.proposal is None:
            stderr.print(f"table {each.profile.name} is like no dataset of the dictionary", markup=False)


def _write(files: list[tuple[Path, Surveyed]], *, force: bool) -> None:
    taken = [path for path, _ in files if path.exists()]
    if taken and not force:
        stderr.print(f"{taken[0]} exists and may hold a person's decisions; use --force to overwrite", markup=False)
        raise typer.Exit(EXIT_USAGE)
    for path, each in files:
        path.write_text(_written(each), encoding="utf-8")
        stderr.print(f"wrote {path}", markup=False)


@app.command(name="validate")
def validate_command(
    mapping: Annotated[list[Path], typer.Argument(help="Mapping files.")],
    url: Annotated[str | None, typer.Option(help="Compare with the tables of this database too.")] = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Check mapping files: every mistake with its line, and what the table looks like now.

    Leaves with 0 when all are right, with 3 when something is wrong.

    [bold]Example[/]  lienthong source validate mappings/*.yaml --url postgresql://reader@db/agency
    """
    with refusals(as_json=as_json):
        results = validate(mapping, dictionary=working_dictionary(), url=url, password=read_password(password_file))
    if as_json:
        print_json(
            {
                "mappings": [
                    {
                        "path": str(each.path),
                        "valid": each.refusal is None,
                        "error": None if each.refusal is None else each.refusal.as_json(),
                        "unmapped_columns": each.unmapped,
                    }
                    for each in results
                ]
            }
        )
    for each in results if not as_json else ():
        if each.refusal is None:
            console.print(f"{each.path}: right", markup=False, highlight=False)
        else:
            stderr.print(f"{each.refusal.code} {each.refusal}\n  what to do: {each.refusal.remedy}", markup=False)
        if each.unmapped:
            console.print(
                f"  columns the mapping does not name: {', '.join(each.unmapped)} (kept in the raw image only)",
                markup=False,
                highlight=False,
            )
    if any(each.refusal is not None for each in results):
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def doctor(
    url: Url,
    *,
    table: Annotated[list[str], typer.Option("--table", help="schema.table, several times.")],
    publication: Annotated[str, typer.Option(help="Publication the link follows.")] = "lienthong",
    slot: Annotated[str, typer.Option(help="Name the link's replication slot will have.")] = "lienthong",
    source: Source = "source",
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a database can be followed, and the SQL that repairs what is missing; runs none of it.

    Leaves with 0 when nothing blocks, with 3 when something does.

    [bold]Example[/]  lienthong source doctor postgresql://reader@db/agency --table public.doanh_nghiep
    """
    with refusals(as_json=as_json):
        lines = readiness(
            url,
            password=read_password(password_file),
            source=source,
            publication=publication,
            slot=slot,
            tables=_tables(table),
        )
    blocked = any(line.grade is Grade.BLOCKING for line in lines)
    if as_json:
        print_json(
            {
                "ready": not blocked,
                "lines": [
                    {
                        "item": line.item,
                        "grade": line.grade.value,
                        "observed": line.observed,
                        "code": line.code,
                        "repair": line.repair,
                    }
                    for line in lines
                ],
            }
        )
    else:
        print_table(
            "Readiness",
            ["", "looked at", "found", "code", "repair"],
            [[_SIGNS[line.grade], line.item, line.observed, line.code, line.repair] for line in lines],
        )
    if blocked:
        raise typer.Exit(EXIT_FINDINGS)


_SIGNS = {Grade.OK: "ok", Grade.WARNING: "look", Grade.BLOCKING: "STOP"}
