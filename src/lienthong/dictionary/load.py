"""From a folder of YAML and CSV to an immutable dictionary, or to the list of everything wrong in it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from lienthong.dictionary import canonical, code_mappings, code_pasts, code_tables, cross_checks, items, rule_files
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
BESIDE: Final = (code_mappings.FOLDER, "rules")  # folders that may be missing; their files belong to a release too
FILE_BYTES_MAX: Final = 50_000_000

T = TypeVar("T", bound=HasIdentity)


def load(folder: Path) -> Dictionary:
    """Return the dictionary in ``folder``, validated as a whole.

    Vietnamese: nạp từ điển dữ liệu dùng chung.
    """
    dictionary, found = read(folder)
    if found or dictionary is None:
        raise DictionaryNotValid.of(folder, found)
    return dictionary


def problems(folder: Path) -> tuple[Problem, ...]:
    """Return everything wrong in ``folder``, in order of file and line; empty when it loads."""
    return read(folder)[1]


def read(folder: Path) -> tuple[Dictionary | None, tuple[Problem, ...]]:
    """Return the dictionary and the problems; one of the two is empty."""
    with _no_search_for_cycles():
        return _read(folder)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Put off Python's search for cyclic garbage: loading makes a hundred thousand objects and no cycle of them.

    Searched through again and again while they grow, they cost a fifth of the loading.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(folder: Path) -> tuple[Dictionary | None, tuple[Problem, ...]]:
    for name in (RELEASE, *FOLDERS):
        if not (folder / name).exists():
            raise DictionaryNotFound(folder=folder, missing=name)
    found: list[Problem] = []
    version = _version(folder, found)
    lines: dict[str, tuple[int, ...]] = {}
    code_lists = _read_all(folder, "codelists", _code_list_reader(folder, found, lines), found)
    domains = _read_all(folder, "domains", items.value_domain, found)
    elements = _read_all(folder, "elements", items.element, found)
    datasets = _read_all(folder, "datasets", items.dataset, found)
    cross_checks.check(code_lists=code_lists, domains=domains, elements=elements, datasets=datasets, code_lines=lines)
    _check_code_mappings(folder, [one.item for one in code_lists], found)
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
    rules = rule_files.read_rules(folder, dictionary, found)
    if found:
        return None, tuple(sorted(found))
    return replace(dictionary, digest=canonical.digest(canonical.items(dictionary)), rules=rules), ()


def _text(folder: Path, path: Path, found: list[Problem]) -> str | None:
    file = path.relative_to(folder).as_posix()
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            found.append(Problem(file=file, line=1, rule="too-large", text=f"over {FILE_BYTES_MAX} bytes"))
            return None
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        found.append(Problem(file=file, line=1, rule="unreadable", text=f"the file cannot be read: {reason}"))
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
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


def _check_code_mappings(folder: Path, code_lists: Iterable[CodeList], found: list[Problem]) -> None:
    """Note what is wrong in the tables between code lists; whoever needs the tables reads them."""
    texts: dict[str, str] = {}
    for path in sorted((folder / code_mappings.FOLDER).glob("*")):
        file = path.relative_to(folder).as_posix()
        if path.suffix != ".csv":
            found.append(Problem(file=file, line=1, rule="file-name", text="the ending must be .csv"))
        elif (text := _text(folder, path, found)) is not None:
            texts[file] = text
    code_mappings.read_tables(texts, {CodeListId(one.identity.id): one for one in code_lists}, found)


def _code_list_reader(
    folder: Path, found: list[Problem], lines: dict[str, tuple[int, ...]]
) -> Callable[[Document, str], CodeList]:
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
        codes, lines[document.file] = code_tables.read_codes(file, text, found) if text is not None else ((), ())
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
