"""``lienthong codes``: what a code meant on a day, and what became of it (tra cứu, chuyển đổi mã)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from lienthong.cli.code_files import code_file, needed_code, needed_day, show_answered
from lienthong.cli.output import EXIT_FINDINGS, console, print_json, print_table, refusals
from lienthong.dictionary.code_columns import CodeColumns
from lienthong.dictionary.code_mappings import CodeMapping, read_code_mappings
from lienthong.dictionary.code_refusals import (
    CodeListUnknown,
    CodeNeedsDate,
    CodeNotInForce,
    ConversionUnknown,
    CounterpartUndecided,
    NotADay,
)
from lienthong.dictionary.conversion import Answer, Converter, One, Reason, Several
from lienthong.dictionary.load import load
from lienthong.dictionary.meanings import Meaning, MeaningIndex
from lienthong.dictionary.model import CodeList, CodeListId, Dictionary
from lienthong.dictionary.searching import search as search_list
from lienthong.dictionary.shipped import shipped_folder

SHORT_NAMES: Final[Mapping[str, str]] = {
    "commune": "don-vi-hanh-chinh-xa",
    "district": "don-vi-hanh-chinh-huyen",
    "province": "don-vi-hanh-chinh-tinh",
}
BY_LENGTH: Final[Mapping[int, str]] = {5: "commune", 3: "district", 2: "province"}  # digits of a unit's code
SEARCH_ROWS_MAX: Final = 20
ISO_DAY_CHARACTERS: Final = 10
EXAMPLE_DAY: Final = "2024-01-01"

WHY: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.NOT_IN_FORCE: ("it was not in force on that day", "check the code and the day: lienthong codes lookup"),
    Reason.MEANT_ANOTHER_UNIT: (
        "it was another unit then, abolished before the conversion of 2025-07-01, and no source here tells its heir",
        "ask the agency for the resolution that abolished it, or resolve the record by its address",
    ),
    Reason.BETWEEN_LISTS: (
        "its meaning changed between two dated lists and the day lies between them",
        "find out which unit was meant: lienthong codes lookup shows both",
    ),
    Reason.NO_CONVERSION: ("the list has no conversion over these days", "add the rows to <list>.conversion.csv"),
}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Codes have dates: the same commune code meant Liễu Giai in 2024 and means Ngọc Hà since July 2025.

[bold]Examples[/]

  lienthong codes lookup 00008 --on 2024-01-01

  lienthong codes search "ngoc ha" --on 2026-01-01      diacritics are not needed

  lienthong codes convert 00004 --from 2025-01-10 --to 2026-01-01

  lienthong codes list province --on 2025-07-01

  lienthong codes counterpart 12 --list dan-toc-1979 --in dan-toc-tong-dieu-tra

  lienthong codes convert --file a.csv --column xa --list commune --from-column ngay --to 2026-01-01 -o b.csv

Leaves with 0 for one answer, 3 for several, 1 for none.
""",
)

OnDay = Annotated[str | None, typer.Option("--on", metavar="DATE", help="Day (YYYY-MM-DD) the code was written on.")]
ListName = Annotated[
    str | None, typer.Option("--list", help="commune, district, province or the id of a list. Default: by length.")
]
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder of another dictionary.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]

AskedFile = Annotated[Path | None, typer.Option("--file", help="CSV, XLSX or Parquet file with a column of codes.")]
CodeColumn = Annotated[str | None, typer.Option(help="With --file: the column that holds the codes.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="With --file: where the rows go, .csv or .parquet.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")]


def _dictionary(folder: Path | None) -> Dictionary:
    return load(shipped_folder("dictionary") if folder is None else folder)


def _day(text: str) -> date:
    try:
        if len(text) == ISO_DAY_CHARACTERS:
            return date.fromisoformat(text)
    except ValueError as error:
        raise NotADay(given=text) from error
    raise NotADay(given=text)


def _list(dictionary: Dictionary, name: str | None, code: str = "") -> CodeList:
    wanted = name or BY_LENGTH.get(len(code), "")
    found = dictionary.code_lists.get(CodeListId(SHORT_NAMES.get(wanted, wanted)))
    if found is None:
        known = ", ".join([*SHORT_NAMES, *sorted(dictionary.code_lists)])
        raise CodeListUnknown(wanted=wanted or "for this code without --list", known=known)
    return found


def _period(meaning: Meaning) -> str:
    """Return from when to when, in words; both days included."""
    if meaning.seen_to is not None:
        return f"in the lists up to {meaning.seen_to}, no longer in that of {meaning.valid_to}"
    since = f"from {meaning.valid_from}" if meaning.valid_from else ""
    until = f"until {meaning.valid_to - timedelta(days=1)}" if meaning.valid_to else ""
    return f"{since} {until}".strip() or "at all times"


def _labels(dictionary: Dictionary, code_list: CodeList, meaning: Meaning, on: date) -> tuple[str, str]:
    """Return the names of the units above on the same day: district and province."""
    within = _label(dictionary, code_list.within_list, meaning.within, on)
    parent = _label(dictionary, code_list.parent_list, meaning.parent, on)
    if parent == "" and meaning.within is not None and code_list.within_list is not None:
        between = dictionary.code_lists[code_list.within_list]
        district = next((one for one in between.codes if one.code == meaning.within), None)
        parent = _label(dictionary, between.parent_list, None if district is None else district.parent, on)
    return within, parent


def _label(dictionary: Dictionary, name: CodeListId | None, code: str | None, on: date) -> str:
    if name is None or code is None:
        return ""
    return " or ".join(one.label for one in MeaningIndex.of(dictionary.code_lists[name]).on(code, on))


def _meaning_json(meaning: Meaning, *, within: str = "", parent: str = "") -> dict[str, Any]:
    return {
        "code": meaning.code,
        "label": meaning.label,
        "parent": meaning.parent,
        "parent_label": parent or None,
        "within": meaning.within,
        "within_label": within or None,
        "valid_from": meaning.valid_from,
        "valid_to": meaning.valid_to,
        "seen_to": meaning.seen_to,
        "source": meaning.source,
    }


@app.command()
def lookup(
    code: Annotated[
        str | None, typer.Argument(help="Code, leading zeros included. Without --file it is needed.")
    ] = None,
    *,
    on: OnDay = None,
    on_column: Annotated[
        str | None, typer.Option("--on-column", help="With --file: column with the day of each row, YYYY-MM-DD.")
    ] = None,
    list_name: ListName = None,
    file: AskedFile = None,
    column: CodeColumn = None,
    output: Output = None,
    force: Force = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what a code meant on a day, or write it beside every row of a file.

    Without a day it refuses and shows what the code has meant when.

    Example: lienthong codes lookup 00008 --on 2024-01-01
    """
    with refusals(as_json=as_json):
        dictionary = _dictionary(folder)
        if file is not None:
            asked = code_file(
                file,
                code=code,
                column=column,
                list_name=list_name,
                output=output,
                force=force,
                on=on if on is None else _day(on),
                on_column=on_column,
            )
            show_answered(asked, CodeColumns.meanings(_list(dictionary, list_name)), as_json=as_json)
            return
        code = needed_code(code)
        code_list = _list(dictionary, list_name, code)
        index = MeaningIndex.of(code_list)
        ever = index.all_of(code)
        day = None if on is None else _day(on)
        told = "; ".join(f"{one.label} ({_period(one)})" for one in ever)
        if day is None and _never_changes(ever):
            day = date.max
        if day is None and ever:
            raise CodeNeedsDate(code=code, code_list=code_list.identity.id, periods=told, day=EXAMPLE_DAY)
        found = () if day is None else index.on(code, day)
        if day is None or not found:
            known = f"it has been: {told}" if ever else "the list has never had it"
            raise CodeNotInForce(code=code, code_list=code_list.identity.id, on=on or "any day", known=known)
    above = [_labels(dictionary, code_list, one, day) for one in found]
    if as_json:
        rows = [_meaning_json(one, within=names[0], parent=names[1]) for one, names in zip(found, above, strict=True)]
        outcome = "one" if len(rows) == 1 else "several"
        print_json({"outcome": outcome, "list": code_list.identity.id, "on": on, "meanings": rows})
    else:
        for one, names in zip(found, above, strict=True):
            place = ", ".join(name for name in (one.label, *names) if name)
            console.print(f"{one.code}  {place}  ({_period(one)})", markup=False, highlight=False, soft_wrap=True)
        if len(found) > 1:
            console.print("one of these: the lists between which the code changed leave the day open", soft_wrap=True)
    if len(found) > 1:
        raise typer.Exit(EXIT_FINDINGS)


def _never_changes(ever: tuple[Meaning, ...]) -> bool:
    return len(ever) == 1 and ever[0].valid_from is None and ever[0].valid_to is None


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Name or part of it; diacritics are not needed.")],
    *,
    on: OnDay = None,
    list_name: ListName = "commune",
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = SEARCH_ROWS_MAX,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Find codes by name; exact diacritics first. Without a day every unit there has been is searched.

    Example: lienthong codes search "ngọc hà" --on 2026-01-01
    """
    with refusals(as_json=as_json):
        day = None if on is None else _day(on)
        code_list = _list(_dictionary(folder), list_name)
        found = search_list(code_list, text, on=day)
    if as_json:
        rows = [_meaning_json(one) for one in found[:limit]]
        print_json({"list": code_list.identity.id, "on": on, "found": len(found), "codes": rows})
    else:
        listed = [(one.code, one.label, one.parent or one.within, _period(one)) for one in found[:limit]]
        title = f"{len(found)} found in {code_list.identity.id}" + (f", the first {limit}" * (len(found) > limit))
        print_table(title, ("Code", "Name", "In", "When"), listed)


@app.command()
def convert(
    code: Annotated[str | None, typer.Argument(help="Code as it was written. Without --file it is needed.")] = None,
    *,
    from_day: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Day the code was written on.")
    ] = None,
    from_column: Annotated[
        str | None, typer.Option("--from-column", help="With --file: column with the day of each row, YYYY-MM-DD.")
    ] = None,
    to_day: Annotated[str, typer.Option("--to", metavar="DATE", help="Day for which the code is wanted.")],
    for_people: Annotated[
        bool,
        typer.Option("--people", help="For a person: take the unit to which all inhabitants of a divided one went."),
    ] = False,
    list_name: ListName = None,
    file: AskedFile = None,
    column: CodeColumn = None,
    output: Output = None,
    force: Force = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say what became of a code: one, several candidates, or unknown; never a silent pick.

    With --file the same for every row of a CSV, XLSX or Parquet file: its columns, and then answer, candidates,
    outcome and reason.

    Example: lienthong codes convert 00004 --from 2025-01-10 --to 2026-01-01
    """
    with refusals(as_json=as_json):
        end = _day(to_day)
        start = None if from_day is None else _day(from_day)
        if file is not None:
            asked = code_file(
                file,
                code=code,
                column=column,
                list_name=list_name,
                output=output,
                force=force,
                on=start,
                on_column=from_column,
            )
            columns = CodeColumns.conversions(
                _list(_dictionary(folder), list_name), to_date=end, for_people=for_people
            )
            show_answered(asked, columns, as_json=as_json)
            return
        code, start = needed_code(code), needed_day(start)
        code_list = _list(_dictionary(folder), list_name, code)
        converter = Converter.of(code_list)
        answer = converter.convert(code, from_date=start, to_date=end, for_people=for_people)
        rows = _answered(answer, code, code_list, start=start, end=end)
        listed = [
            (name, " or ".join(one.label for one in converter.meanings.on(name, end)), kind) for name, kind in rows
        ]
    if as_json:
        candidates = [{"code": name, "label": label, "kind": kind} for name, label, kind in listed]
        outcome = "one" if len(listed) == 1 else "several"
        print_json({"outcome": outcome, "list": code_list.identity.id, "code": code, "candidates": candidates})
    else:
        title = "one answer" if len(listed) == 1 else f"{len(listed)} candidates: something else must decide"
        print_table(title, ("Code", "Name", "What went there"), listed)
    if len(listed) > 1:
        raise typer.Exit(EXIT_FINDINGS)


def _answered(answer: Answer, code: str, code_list: CodeList, *, start: date, end: date) -> list[tuple[str, str]]:
    """Return codes and kinds, or refuse where nothing is known."""
    if isinstance(answer, One):
        return [(answer.code, answer.kind)]
    if isinstance(answer, Several):
        return [(one.code, one.kind) for one in answer.candidates]
    reason, remedy = WHY[answer.reason]
    raise ConversionUnknown(
        code=code, code_list=code_list.identity.id, from_date=start, to_date=end, reason=reason, remedy=remedy
    )


@app.command(name="list")
def list_codes(
    name: Annotated[str, typer.Argument(help="commune, district, province or the id of a list.")],
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="Day (YYYY-MM-DD) on which codes are in force.")],
    parent: Annotated[str | None, typer.Option(help="Only codes of this parent: a province's code.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List the codes of a list in force on a day.

    Example: lienthong codes list commune --on 2026-01-01 --parent 96
    """
    with refusals(as_json=as_json):
        day = _day(on)
        code_list = _list(_dictionary(folder), name)
        index = MeaningIndex.of(code_list)
        codes = sorted({*index.codes, *index.sightings})
        found = [one for code in codes for one in index.on(code, day) if parent is None or one.parent == parent]
    if as_json:
        print_json({"list": code_list.identity.id, "on": on, "codes": [_meaning_json(one) for one in found]})
    else:
        rows = [(one.code, one.label, one.parent or one.within, _period(one)) for one in found]
        print_table(f"{len(rows)} codes of {code_list.identity.id} on {on}", ("Code", "Name", "In", "When"), rows)


@app.command()
def counterpart(
    code: Annotated[str, typer.Argument(help="Code as it stands in --list.")],
    list_name: Annotated[str, typer.Option("--list", help="Id of the list the code is of.")],
    other_name: Annotated[str, typer.Option("--in", help="Id of another list of the same thing.")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show which code of another list of the same thing a code is; that there is none is an answer too.

    Example: lienthong codes counterpart 12 --list dan-toc-1979 --in dan-toc-tong-dieu-tra
    """
    with refusals(as_json=as_json):
        dictionary = _dictionary(folder)
        mine, other = _list(dictionary, list_name), _list(dictionary, other_name)
        tables = read_code_mappings(shipped_folder("dictionary") if folder is None else folder, dictionary)
        found = _counterparts(tables, mine, code, other)
    if as_json:
        print_json([{"code": one.other_code, "relation": one.relation.value, "source": one.source} for one in found])
    else:
        rows = [
            (one.other_code or "none", _any_label(other, one.other_code), one.relation.value, one.source)
            for one in found
        ]
        title = f"{code} {_any_label(mine, code)} of {mine.identity.id} in {other.identity.id}"
        print_table(title, ("Code", "Name", "Relation", "Source"), rows)
    if len(found) != 1 or found[0].other_code is None:
        raise typer.Exit(EXIT_FINDINGS)


def _counterparts(tables: Iterable[CodeMapping], mine: CodeList, code: str, other: CodeList) -> list[CodeMapping]:
    own = [one for one in tables if one.code_list == mine.identity.id]
    found = [one for one in own if one.code == code and one.other_list == other.identity.id]
    if not found:
        known = ", ".join(sorted({one.other_list for one in own})) or "no list"
        raise CounterpartUndecided(code=code, code_list=mine.identity.id, other_list=other.identity.id, known=known)
    return found


def _any_label(code_list: CodeList, code: str | None) -> str:
    return " or ".join(dict.fromkeys(one.label.vi for one in code_list.codes if one.code == code))
