"""From paths somebody proposes to drafts that keep the rules of a proposal (đọc đề xuất)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from lienthong.adapters import dictionary_folder as disk
from lienthong.dictionary.canonical import Item, item_hash, items
from lienthong.dictionary.changes import Impact
from lienthong.dictionary.code_tables import read_codes
from lienthong.dictionary.diff import greatest, item_changes, judged
from lienthong.dictionary.governance import History, ItemKey, version_key
from lienthong.dictionary.governance_refusals import NothingProposed, VersionTooLow
from lienthong.dictionary.load import FOLDERS, load
from lienthong.dictionary.model import CodeList, Dictionary, Ref, Status
from lienthong.dictionary.proposals import (
    CODES,
    ENDINGS,
    YAML,
    Draft,
    Given,
    Held,
    check_nothing_lost,
    check_version,
    draft_of,
    drafted,
    is_same,
    merge_codes,
    needed_version,
    not_valid,
)
from lienthong.dictionary.refusals import DictionaryNotValid, Problem
from lienthong.dictionary.writing import as_yaml

PROPOSED_FILES_MAX: Final = 20_000


def read_held(folder: Path) -> tuple[Dictionary, dict[ItemKey, Held]]:
    """Return the dictionary of a folder, and each item with its files."""
    dictionary, places = load(folder), disk.places(folder)
    held = {}
    for kind, item in items(dictionary):
        key = ItemKey(kind=kind, id=item.identity.id)
        files = {ending: content.decode() for ending, content in disk.files_at(folder, places[key]).items()}
        held[key] = Held(item=item, place=places[key], files=files)
    return dictionary, held


def read_drafts(
    folder: Path, paths: Sequence[Path], held: Mapping[ItemKey, Held], standing: Container[ItemKey]
) -> list[Draft]:
    """Return the drafts in some files, without what is in force already word for word."""
    found: dict[ItemKey, Draft] = {}
    for path in dict.fromkeys(_whole(path) for path in paths):
        if path.suffix == CODES:
            drafts, chosen = [_more_codes(path, held)], True
        else:
            drafts = [draft_of(given, held) for given in _given(path)]
            # An item nobody changed is proposed only when it is named, or the whole dictionary is.
            chosen = not path.is_dir() or path.resolve() == folder
        for draft in drafts:
            before = held.get(draft.key)
            same = before is not None and is_same(draft, before)
            if same and (draft.key in standing or not chosen):
                continue
            if draft.key in found:
                raise NothingProposed(path=path, reason=f"{draft.key} is given twice")
            found[draft.key] = draft
    return sorted(found.values(), key=lambda draft: draft.key)


def _whole(path: Path) -> Path:
    """Return the YAML file that a table stands beside: the two are one item."""
    beside = path.with_name(path.name.partition(".")[0] + YAML)
    return beside if path.suffix == CODES and beside.is_file() else path


def _given(path: Path) -> list[Given]:
    """Return the items whose files lie at a path."""
    if not path.exists():
        raise NothingProposed(path=path, reason="there is no such file or folder")
    if path.is_file():
        if path.suffix != YAML:
            raise NothingProposed(path=path, reason="only .yaml files, .csv files of codes, and folders are read")
        return [_files_of(path)]
    folders = [path / name for name in FOLDERS if (path / name).is_dir()] or [path]
    files = sorted(file for folder in folders for file in folder.rglob("*" + YAML))
    if not files or len(files) > PROPOSED_FILES_MAX:
        reason = f"it holds {len(files)} .yaml files; 1 to {PROPOSED_FILES_MAX} are expected"
        raise NothingProposed(path=path, reason=reason)
    return [_files_of(file) for file in files]


def _files_of(path: Path) -> Given:
    parts = path.with_suffix("").parts
    roots = [number for number, part in enumerate(parts) if part in FOLDERS]
    inside = parts[roots[-1] :] if roots else (path.stem,)
    beside = {ending: path.with_suffix(ending) for ending in ENDINGS}
    files = {ending: disk.read_text(file) for ending, file in beside.items() if file.is_file()}
    return Given(file=str(path), place="/".join(inside), files=files)


def _more_codes(path: Path, held: Mapping[ItemKey, Held]) -> Draft:
    """Return the draft of a code list with the rows of a file added; the version follows from what they change."""
    name = path.name.partition(".")[0]
    before = held.get(ItemKey(kind="code-list", id=name))
    if before is None or not isinstance(before.item, CodeList):
        raise NothingProposed(
            path=path, reason=f"the dictionary has no code list {name}, and no YAML file is beside it"
        )
    problems: list[Problem] = []
    additions, _ = read_codes(str(path), disk.read_text(path), problems)
    # A successor or parent may stand in the list as it is; the merged list is checked as a whole.
    real = [one for one in problems if one.rule != "unknown-code"]
    if real:
        raise not_valid(path, real)
    codes = merge_codes(before.item.codes, additions, file=str(path))
    merged = replace(before.item, codes=codes)
    impact = greatest(item_changes("code-list", before.item, merged))
    if impact is None:
        raise NothingProposed(path=path, reason="the list holds these rows already")
    version = needed_version(before.item.identity.version, impact)
    merged = replace(merged, identity=replace(merged.identity, version=version))
    return drafted(merged, files=before.files, place=before.place, held=before)


def check_drafts(
    drafts: Sequence[Draft],
    held: Mapping[ItemKey, Held],
    approved: Mapping[ItemKey, Draft],
    history: History,
) -> None:
    """Refuse what loses something, or has a version that does not say how much changed."""
    compared: list[tuple[Draft, Item]] = []
    for draft in drafts:
        before = held.get(draft.key)
        newest = history.newest_approved(draft.key)
        if before is not None:
            check_nothing_lost(before.item, draft.item)
            if newest is None and version_key(draft.version) < version_key(before.item.identity.version):
                needed = before.item.identity.version
                subject = f"{draft.key.id}@{draft.version}"
                raise VersionTooLow(subject=subject, needed=needed, reason="the folder holds that version")
        if newest is not None:
            compared.append((draft, approved[draft.key].item))
            check_nothing_lost(compared[-1][1], draft.item)
    changes = list(
        judged([change for draft, item in compared for change in item_changes(draft.key.kind, item, draft.item)])
    )
    for draft, item in compared:
        own = [one for one in changes if (one.kind, one.item) == (draft.key.kind, draft.key.id)]
        if draft.version != item.identity.version:  # the same version is refused by the history, in its own words
            check_version(item, draft.item, own)


def check_released(folder: Path, drafts: Sequence[Draft]) -> None:
    """Refuse a version that a preliminary release has already given to other content.

    Raises:
        VersionTooLow: names the next version.
    """
    latest = disk.latest_release(folder)
    if latest is None:
        return
    entries = {(one.kind, one.id): one for one in latest[0].entries}
    for draft in drafts:
        entry = entries.get((draft.key.kind, draft.key.id))
        if entry is None or entry.status != Status.PROPOSED.value or entry.version != draft.version:
            continue
        as_released = replace(draft.item, identity=replace(draft.item.identity, status=Status.PROPOSED))
        if item_hash(as_released) != entry.hash:
            needed = needed_version(draft.version, Impact.EDITORIAL)
            reason = f"release {latest[0].version} holds {draft.version} with other content"
            raise VersionTooLow(subject=f"{draft.key.id}@{draft.version}", needed=needed, reason=reason)


def tried(folder: Path, drafts: Sequence[Draft], held: Mapping[ItemKey, Held], *, path: object) -> None:
    """Refuse drafts with which the dictionary as a whole would not be valid.

    Raises:
        ProposalNotValid: with every problem.
    """
    files = {name: text for draft in drafts for name, text in draft.paths.items()}
    for draft in drafts:
        for key, one in held.items():
            heir = one.item.identity.superseded_by
            if heir is not None and ItemKey(kind=key.kind, id=heir.id) == draft.key:
                # What it succeeds names its new version from the same moment; publishing sees to that.
                moved = replace(one.item.identity, superseded_by=Ref(id=heir.id, version=draft.version))
                files.setdefault(one.place + YAML, as_yaml(replace(one.item, identity=moved)))
    try:
        disk.tried(folder, files)
    except DictionaryNotValid as cause:
        raise not_valid(path, cast("tuple[Problem, ...]", cause.facts["problems"])) from cause
