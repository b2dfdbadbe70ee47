"""``lienthong dictionary``: read and check the Common Data Dictionary (từ điển dữ liệu dùng chung)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from lienthong.check.rule_set import rule_problems
from lienthong.cli import exporting, governance, release
from lienthong.cli.output import EXIT_REFUSED, console, print_json, print_table, refusals
from lienthong.clock import SystemClock
from lienthong.dictionary.canonical import item_hash
from lienthong.dictionary.codes import codes_on
from lienthong.dictionary.concepts import object_of, same_concept, same_object
from lienthong.dictionary.descriptors import DATATYPE_VI, cited, datasets_with, descriptors
from lienthong.dictionary.finding import find, folded
from lienthong.dictionary.json_schema import json_schema
from lienthong.dictionary.load import load, read
from lienthong.dictionary.model import Code, CodeList, DatasetId, Dictionary, Element, ElementId, Source, Trust
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.dictionary.shipped import shipped_folder

CODES_SAMPLE_MAX: Final = 10
VIETNAM: Final = timezone(timedelta(hours=7))

TRUST_VI: Final[Mapping[Trust, str]] = {
    Trust.OFFICIAL: "văn bản chính thức",
    Trust.SUMMARY: "bản tóm tắt",
    Trust.VENDOR: "mã nguồn đang chạy",
    Trust.SECONDARY: "chưa kiểm chứng",
    Trust.OWN: "dự án tự đặt",
}

DATASETS_SHOWN_MAX = 2

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Read and check the Common Data Dictionary (từ điển dữ liệu dùng chung).

[bold]Examples[/]

  lienthong dictionary list --dataset nhan-khau

  lienthong dictionary show HoVaTen           code, technical name or label

  lienthong dictionary show "ngay sinh"       diacritics are not needed

  lienthong dictionary schema nhan-khau --on 2025-06-30

  lienthong dictionary check --folder ./dictionary
""",
)

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Folder of another dictionary. Default: the one shipped with the product."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]


def _folder(folder: Path | None) -> Path:
    return shipped_folder("dictionary") if folder is None else folder


@app.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Check every file of a dictionary and show all problems at once.

    Leaves with 0 when the dictionary loads, with 1 when anything is wrong.

    Example: lienthong dictionary check --folder ./dictionary
    """
    with refusals(as_json=as_json):
        place = _folder(folder)
        dictionary, problems = read(place)
        if dictionary is not None and (problems := rule_problems(dictionary)):
            dictionary = None
    if as_json:
        listed = [
            {"file": one.file, "line": one.line, "rule": one.rule, "text": one.text, "fix": one.remedy}
            for one in problems
        ]
        print_json({"folder": str(place), "valid": not problems, "problems": listed, **_counts(dictionary)})
    elif dictionary is None:
        for one in problems:
            console.print(
                f"[bold]{escape(one.file)}:{one.line}[/] {escape(one.rule)}: {escape(one.text)}\n"
                f"    → {escape(one.remedy)}",
                soft_wrap=True,
                highlight=False,
            )
        console.print(f"[bold red]{len(problems)} problem(s)[/] in {escape(str(place))}", soft_wrap=True)
    else:
        told = ", ".join(f"{count} {name}" for name, count in _counts(dictionary)["counts"].items())
        console.print(f"[bold green]valid[/] {escape(str(place))}", soft_wrap=True, highlight=False)
        console.print(f"version {dictionary.version}: {told}", soft_wrap=True, highlight=False)
        console.print(f"digest {dictionary.digest}", soft_wrap=True, highlight=False)
    if dictionary is None:
        raise typer.Exit(EXIT_REFUSED)


def _counts(dictionary: Dictionary | None) -> dict[str, Any]:
    if dictionary is None:
        return {}
    return {
        "version": dictionary.version,
        "digest": dictionary.digest,
        "counts": {
            "elements": len(dictionary.elements),
            "domains": len(dictionary.domains),
            "code lists": len(dictionary.code_lists),
            "codes": sum(len(code_list.codes) for code_list in dictionary.code_lists.values()),
            "datasets": len(dictionary.datasets),
        },
    }


@app.command()
def show(
    element: Annotated[str, typer.Argument(help="Code (HoVaTen), technical name (ho_va_ten) or label (họ và tên).")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show one element: its 25 descriptors, sources, disputes, codes and where it is used.

    Example: lienthong dictionary show "giới tính"
    """
    with refusals(as_json=as_json):
        dictionary = load(_folder(folder))
        name = find(dictionary, element)
    if as_json:
        print_json(_element_json(dictionary, name))
        return
    one = dictionary.elements[name]
    rows = [(each.n, each.title, each.value) for each in descriptors(dictionary, name)]
    print_table(f"{one.label.vi} ({name}@{one.identity.version})", ("", "Descriptor", "Value"), rows)
    print_table("Concept (khái niệm)", ("", ""), _concept_rows(dictionary, name))
    print_table("Sources (nguồn)", ("Document", "Trust", "Note"), [_source_row(source) for source in one.sources])
    if one.conflicts:
        disputes = [(each.descriptor, each.value, *_source_row(each.source)[:2]) for each in one.conflicts]
        print_table(
            "Sources disagree (mâu thuẫn giữa các nguồn)", ("Descriptor", "Says", "Document", "Trust"), disputes
        )
    used = [(each.identity.id, each.table, each.label.vi) for each in datasets_with(dictionary, name)]
    print_table("Used in (nơi dùng)", ("Dataset", "Table", "Label"), used or [("-", "-", "no dataset yet")])
    code_list = dictionary.code_list_of(name)
    if code_list is not None:
        now = codes_on(code_list, _today())
        title = f"Codes in force today: {len(now)} of {len(code_list.codes)} rows of {code_list.identity.id}"
        print_table(title, ("Code", "Label", "From"), [_code_row(code) for code in now[:CODES_SAMPLE_MAX]])


def _today() -> date:
    return SystemClock().now().astimezone(VIETNAM).date()


def _concept_rows(dictionary: Dictionary, name: ElementId) -> list[tuple[str, str]]:
    one = dictionary.elements[name]
    same = ", ".join(_ids(same_concept(dictionary, name)))
    return [
        (one.concept, same or "no other element of it"),
        (object_of(one), f"{len(same_object(dictionary, name))} other elements say something of it"),
    ]


def _ids(elements: Iterable[Element]) -> list[str]:
    return [one.identity.id for one in elements]


def _source_row(source: Source) -> tuple[str, str, str]:
    return cited(source), TRUST_VI[source.trust], source.note or ""


def _code_row(code: Code) -> tuple[str, str, str]:
    return code.code, code.label.vi, "" if code.valid_from is None else code.valid_from.isoformat()


def _source_json(source: Source) -> dict[str, object]:
    return {
        "document": source.document,
        "trust": source.trust.value,
        "article": source.article,
        "address": source.address,
        "note": source.note,
    }


def _element_json(dictionary: Dictionary, name: ElementId) -> dict[str, Any]:
    one = dictionary.elements[name]
    code_list = dictionary.code_list_of(name)
    return {
        "id": name,
        "version": one.identity.version,
        "status": one.identity.status.value,
        "technical_name": one.technical_name,
        "concept": {
            "id": one.concept,
            "object": object_of(one),
            "same_concept": _ids(same_concept(dictionary, name)),
            "same_object": _ids(same_object(dictionary, name)),
        },
        "value_domain": str(one.value_domain),
        "sensitivity": one.sensitivity.value,
        "hash": item_hash(one),
        "descriptors": [
            {"n": each.n, "key": each.key, "title": each.title, "value": each.value}
            for each in descriptors(dictionary, name)
        ],
        "sources": [_source_json(source) for source in one.sources],
        "conflicts": [
            {"descriptor": each.descriptor, "value": each.value, "source": _source_json(each.source)}
            for each in one.conflicts
        ],
        "datasets": [each.identity.id for each in datasets_with(dictionary, name)],
        "code_list": None if code_list is None else _code_list_json(code_list),
    }


def _code_list_json(code_list: CodeList) -> dict[str, Any]:
    now = codes_on(code_list, _today())
    return {
        "id": code_list.identity.id,
        "complete": code_list.complete,
        "rows": len(code_list.codes),
        "in_force_today": len(now),
        "sample": [{"code": code.code, "label": code.label.vi} for code in now[:CODES_SAMPLE_MAX]],
    }


@app.command(name="list")
def list_elements(
    group: Annotated[str | None, typer.Option(help="Only elements whose group holds these words.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only the members of this dataset, in its order.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List the elements of the dictionary.

    Example: lienthong dictionary list --dataset doanh-nghiep
    """
    with refusals(as_json=as_json):
        dictionary = load(_folder(folder))
        chosen = _chosen(dictionary, group, dataset)
    if as_json:
        print_json([_listed_json(dictionary, one) for one in chosen])
        return
    rows = [
        (
            one.identity.id,
            one.technical_name,
            one.label.vi,
            DATATYPE_VI[dictionary.domain_of(ElementId(one.identity.id)).datatype],
            _few([each.identity.id for each in datasets_with(dictionary, ElementId(one.identity.id))]),
        )
        for one in chosen
    ]
    columns = ("Code", "Technical name", "Label", "Type", "Datasets")
    print_table(f"Dictionary {dictionary.version}: {len(rows)} element(s)", columns, rows)


def _few(names: list[str]) -> str:
    """Name the first few and count the rest, so that a line stays a line; --json has them all."""
    shown = ", ".join(names[:DATASETS_SHOWN_MAX])
    return shown if len(names) <= DATASETS_SHOWN_MAX else f"{shown} +{len(names) - DATASETS_SHOWN_MAX}"


def _chosen(dictionary: Dictionary, group: str | None, dataset: str | None) -> list[Element]:
    if dataset is not None and dataset not in dictionary.datasets:
        raise DatasetUnknown(wanted=dataset, known=", ".join(sorted(dictionary.datasets)))
    names = list(dictionary.elements)
    if dataset is not None:
        names = [member.element for member in dictionary.datasets[DatasetId(dataset)].members]
    elements = [dictionary.elements[name] for name in names]
    if group is None:
        return elements
    return [one for one in elements if one.group is not None and folded(group) in folded(one.group.vi)]


def _listed_json(dictionary: Dictionary, one: Element) -> dict[str, object]:
    name = ElementId(one.identity.id)
    return {
        "id": name,
        "version": one.identity.version,
        "technical_name": one.technical_name,
        "label": one.label.vi,
        "datatype": dictionary.domain_of(name).datatype.value,
        "group": None if one.group is None else one.group.vi,
        "datasets": [each.identity.id for each in datasets_with(dictionary, name)],
        "status": one.identity.status.value,
    }


@app.command()
def schema(
    dataset: Annotated[str, typer.Argument(help="Id of a dataset: doanh-nghiep, nhan-khau.")],
    on: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Day (YYYY-MM-DD) on which codes must be in force. Default: today."),
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write the JSON Schema (2020-12) of one record of a dataset.

    Example: lienthong dictionary schema nhan-khau --on 2025-06-30 > nhan-khau.schema.json
    """
    try:
        day = _today() if on is None else date.fromisoformat(on)
    except ValueError:
        raise typer.BadParameter("write the day as YYYY-MM-DD", param_hint="--on") from None
    with refusals(as_json=as_json):
        print_json(json_schema(load(_folder(folder)), DatasetId(dataset), on=day))


exporting.register(app)
governance.register(app)
release.register(app)
