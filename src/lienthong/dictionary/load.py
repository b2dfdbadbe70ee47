"""From a folder of YAML and CSV to an immutable dictionary, or to the list of everything wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from lienthong.dictionary import canonical, code_pasts, code_tables, cross_checks, items
from lienthong.dictionary.cross_checks import HasIdentity, Located
from lienthong.dictionary.documents import Document, read_document
from lienthong.dictionary.fields import Fields
from lienthong.dictionary.model import (
    CodeList,
    CodeListId,
    DatasetId,
    Dictionary,
    DomainId,
    ElementId,
    Status,
)
from lienthong.dictionary.refusals import DictionaryNotFound, DictionaryNotValid, Problem

RELEASE: Final = "release.yaml"
FOLDERS: Final = ("elements", "domains", "codelists", "datasets")

T = TypeVar("T", bound=HasIdentity)


def load(folder: Path) -> Dictionary:
    """Return the dictionary in ``folder``, validated as a whole.

    Vietnamese: nạp từ điển dữ liệu dùng chung.
    """
    dictionary, found = read(folder)
    if found or dictionary is None:
        raise DictionaryNotValid(folder=folder, count=len(found), first=str(found[0]), problems=found)
    return dictionary


def problems(folder: Path) -> tuple[Problem, ...]:
    """Return everything wrong in ``folder``, in order of file and line; empty when it loads."""
    return read(folder)[1]


def read(folder: Path) -> tuple[Dictionary | None, tuple[Problem, ...]]:
    """Return the dictionary and the problems; one of the two is empty."""
    for name in (RELEASE, *FOLDERS):
        if not (folder / name).exists():
            raise DictionaryNotFound(folder=folder, missing=name)
    found: list[Problem] = []
    version = _version(folder, found)
    code_lists = _read_all(folder, "codelists", _code_list_reader(folder, found), found)
    domains = _read_all(folder, "domains", items.value_domain, found)
    elements = _read_all(folder, "elements", items.element, found)
    datasets = _read_all(folder, "datasets", items.dataset, found)
    cross_checks.check(code_lists=code_lists, domains=domains, elements=elements, datasets=datasets)
    if found:
        return None, tuple(sorted(found))
    dictionary = Dictionary(
        version=version,
        digest="",
        elements={ElementId(one.item.identity.id): one.item for one in elements},
        domains={DomainId(one.item.identity.id): one.item for one in domains},
        code_lists={CodeListId(one.item.identity.id): one.item for one in code_lists},
        datasets={DatasetId(one.item.identity.id): one.item for one in datasets},
    )
    return replace(dictionary, digest=canonical.digest(canonical.items(dictionary))), ()


def _text(folder: Path, path: Path, found: list[Problem]) -> str | None:
    file = path.relative_to(folder).as_posix()
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        found.append(Problem(file=file, line=line, rule="not-utf-8", text="the file is not UTF-8"))
    return None


def _document(folder: Path, path: Path, found: list[Problem]) -> Document | None:
    text = _text(folder, path, found)
    return None if text is None else read_document(path.relative_to(folder).as_posix(), text, found)


def _version(folder: Path, found: list[Problem]) -> str:
    document = _document(folder, folder / RELEASE, found)
    if document is None:
        return ""
    fields = Fields(document, document.value)
    fields.only(frozenset({"version", "status", "sources"}), frozenset({"version", "status", "sources"}))
    fields.choice("status", Status)
    fields.sources()
    version = fields.needed("version")
    if version and not items.VERSION.fullmatch(version):
        fields.refuse("version", "not-a-version", "version must be written 1.0.0")
    return version


def _read_all(
    folder: Path, kind: str, parse: Callable[[Document, str], T], found: list[Problem]
) -> tuple[Located[T], ...]:
    """Read every YAML file of one kind; a file with problems still counts for the references of others."""
    read_items = []
    for path in _files(folder / kind, ".yaml"):
        document = _document(folder, path, found)
        if document is not None:
            read_items.append(Located(item=parse(document, path.stem), document=document))
    for path in _files(folder / kind, ".yml"):
        file = path.relative_to(folder).as_posix()
        found.append(Problem(file=file, line=1, rule="file-name", text="the ending must be .yaml"))
    return tuple(read_items)


def _files(folder: Path, ending: str) -> Iterable[Path]:
    return sorted(folder.rglob("*" + ending))


def _code_list_reader(folder: Path, found: list[Problem]) -> Callable[[Document, str], CodeList]:
    lists = folder / "codelists"
    known = {path.stem for path in _files(lists, ".yaml")}
    for path in _files(lists, ".csv"):
        if path.name.removesuffix(".csv").partition(".")[0] not in known or not _is_known_table(path.name):
            file = path.relative_to(folder).as_posix()
            found.append(
                Problem(file=file, line=1, rule="file-name", text="no code list of this name stands beside it")
            )

    def parse(document: Document, stem: str) -> CodeList:
        table, aliases = lists / f"{stem}.csv", lists / f"{stem}.aliases.csv"
        if not table.exists():
            document.refuse((), "no-codes", f"codelists/{stem}.csv is missing")
            return items.code_list(document, stem, (), ())
        text = _text(folder, table, found)
        file = table.relative_to(folder).as_posix()
        codes, _ = code_tables.read_codes(file, text, found) if text is not None else ((), ())
        if text is not None and not codes:
            found.append(Problem(file=file, line=1, rule="no-codes", text="the list has no usable code"))
        text = _text(folder, aliases, found) if aliases.exists() else None
        file = aliases.relative_to(folder).as_posix()
        spellings = code_tables.read_aliases(file, text, codes, found) if text is not None else ()
        code_list = items.code_list(document, stem, codes, spellings)
        return _with_past(folder, stem, code_list, found)

    return parse


def _is_known_table(name: str) -> bool:
    return name.removesuffix(".csv").partition(".")[2] in {"", "aliases", "conversion", "history"}


def _with_past(folder: Path, stem: str, code_list: CodeList, found: list[Problem]) -> CodeList:
    """Return the list with its conversion table and its sightings, where it has such files."""
    conversion, history = (folder / "codelists" / f"{stem}.{name}.csv" for name in ("conversion", "history"))
    if conversion.exists() and (text := _text(folder, conversion, found)) is not None:
        file = conversion.relative_to(folder).as_posix()
        successions = code_pasts.read_successions(file, text, code_list.codes, found)
        code_list = replace(code_list, successions=successions)
    if history.exists() and (text := _text(folder, history, found)) is not None:
        sightings = code_pasts.read_sightings(history.relative_to(folder).as_posix(), text, found)
        code_list = replace(code_list, sightings=sightings)
    return code_list
