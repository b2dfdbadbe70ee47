"""Release the dictionary, check a release, and say what differs between two of them and for whom it breaks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from lienthong.adapters import dictionary_folder as disk
from lienthong.adapters.postgres import access as access_register
from lienthong.adapters.signing import load_signer, load_verifier
from lienthong.centre.tables import SCHEMA, derive_table
from lienthong.clock import Clock
from lienthong.dictionary.affected import Affected, Usage, Using, affected
from lienthong.dictionary.canonical import Item, items
from lienthong.dictionary.changes import Impact
from lienthong.dictionary.diff import Difference, compare
from lienthong.dictionary.governance import ItemKey, version_key
from lienthong.dictionary.governance_refusals import DictionaryNotTrusted, ReleaseRefused, ReleaseUnknown
from lienthong.dictionary.items import VERSION
from lienthong.dictionary.load import RELEASE, load
from lienthong.dictionary.model import Dictionary, Status
from lienthong.dictionary.refusals import DictionaryNotValid
from lienthong.dictionary.release import (
    Release,
    Verifier,
    as_bytes,
    chain_problem,
    check_beside,
    check_releasable,
    check_versions,
    content_problems,
    entries,
    is_rewritten,
    not_true,
    read_release,
    seal,
    seal_problem,
    sha256,
)
from lienthong.oversight.dictionary_releases import Seal
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.wiring.governance import VIETNAM, Desk, Who, decided
from lienthong.wiring.settings import Settings, password

SIGNATURE: Final = ".jws"
CENTRE_VI: Final = "Trung tâm dữ liệu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Released:
    """A release that was written."""

    release: Release
    path: Path
    key_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnChange:
    """A column of the centre whose type follows from the dictionary and would be another."""

    table: str  # "dataset.doanh_nghiep"
    column: str
    before: str | None  # PostgreSQL type; None: the column is new
    after: str | None  # None: it would be gone


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What differs, and who is touched by it."""

    difference: Difference
    affected: tuple[Affected, ...]
    columns: tuple[ColumnChange, ...]


def release(folder: Path, *, version: str, key: Path, who: Who, desk: Desk | None, clock: Clock) -> Released:
    """Sign the list of everything in the folder as a version and write it down (phát hành).

    Without a register (``desk``) only what nobody approved can be released, as a preliminary version.

    Raises:
        ReleaseRefused: the folder holds what was not decided so, or the version does not fit the changes.
        SigningKeyRefused: the key cannot be used.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseRefused(
            version=version, reason="a version is three numbers", remedy="give a version such as 0.2.0"
        )
    signer = load_signer(key)
    with disk.writing(folder):
        dictionary = load(folder)
        beside = _beside(folder)
        check_beside(dict(beside), version=version)
        before = disk.latest_release(folder)
        impact = None
        if before is not None:
            earlier = _restored(folder, before[0])
            check_versions(earlier, dictionary, version=version)
            impact = _impact(compare(earlier, dictionary).impact, before[0].beside, beside)
        check_releasable(
            dictionary,
            version=version,
            previous=None if before is None else before[0].version,
            impact=impact,
            decided={} if desk is None else decided(desk),
        )
        made = Release(
            version=version,
            released_at=clock.now().replace(microsecond=0),
            agency=who.agency,
            actor=who.actor,
            digest=dictionary.digest,
            entries=entries(dictionary, _hashes(folder)),
            beside=beside,
            previous_version=None if before is None else before[0].version,
            previous_hash=None if before is None else sha256(before[1]),
        )
        for entry in made.entries:
            if entry.status == Status.PROPOSED.value:
                # Until they are approved, files are edited by hand: a copy keeps the release checkable afterwards.
                for file, _ in entry.files:
                    disk.keep(folder, file)
        for file, _ in beside:
            disk.keep(folder, file)  # these have no versions of their own
        content = as_bytes(made)
        path = disk.release_file(folder, version)
        head = _head(disk.read_text(folder / RELEASE), made)
        disk.replace_files(
            folder,
            {
                path.relative_to(folder).as_posix(): content.decode(),
                path.with_suffix(SIGNATURE).relative_to(folder).as_posix(): seal(content, signer),
                RELEASE: head,
            },
        )
    return Released(release=made, path=path, key_id=signer.key_id)


def _head(text: str, made: Release) -> str:
    """Return ``release.yaml`` with the new version; everything else in it stays."""
    status = Status.PROPOSED if made.preliminary else Status.APPROVED
    text = re.sub(r"^version:.*$", f"version: {made.version}", text, flags=re.MULTILINE)
    return re.sub(r"^status:.*$", f"status: {status.value}", text, flags=re.MULTILINE)


def _hashes(folder: Path) -> dict[ItemKey, dict[str, str]]:
    return {
        key: {place + ending: sha256(content) for ending, content in disk.files_at(folder, place).items()}
        for key, place in disk.places(folder).items()
    }


Paths = tuple[tuple[str, str], ...]  # (path, SHA-256)


def _beside(folder: Path) -> Paths:
    return tuple((path, sha256(content)) for path, content in disk.files_beside(folder).items())


def _impact(impact: Impact | None, before: Paths, now: Paths) -> Impact | None:
    """Return the greatest change, files without an item counted as content that was extended."""
    if before == now:
        return impact
    return Impact.EXTENDING if impact is None else max(impact, Impact.EXTENDING)


def _restored(folder: Path, wanted: Release) -> Dictionary:
    """Return the dictionary as it was released, from the files now and those kept.

    Raises:
        ReleaseNotTrue: files of it are nowhere any more.
    """
    found, missing = disk.find_released(folder, wanted.files)
    if missing:
        raise not_true(wanted.version, [f"{path} is not what was released" for path in missing])
    return disk.built(found, wanted.version)


def release_path(wanted: str, folder: Path | None) -> Path:
    """Return the file of a release named by its version or by its path.

    Raises:
        ReleaseUnknown: there is none.
    """
    is_version = VERSION.fullmatch(wanted) is not None
    path = disk.release_file(folder, wanted) if folder is not None and is_version else Path(wanted)
    if not path.is_file() or path.suffix != ".json":
        raise ReleaseUnknown(wanted=wanted, folder="." if folder is None else folder)
    return path.resolve()


def verify(path: Path, *, public_key: Path) -> Release:
    """Check a release file, its signature, the release before it, and every file it lists (kiểm tra bản phát hành).

    The dictionary's folder is the one the ``releases`` folder lies in.

    Raises:
        ReleaseNotTrue: with every problem found.
    """
    verifier = load_verifier(public_key)
    folder, content = path.parent.parent, path.read_bytes()
    problems = _seal_problems(path, content, verifier)
    if problems:
        raise not_true(path.stem, problems)  # what nobody signed is not read
    made = read_release(content, name=path.stem)
    if made.version != path.stem:
        problems.append(f"the file is called {path.stem} and says {made.version}")
    problems += _chain_problems(folder, made)
    found, missing = disk.find_released(folder, made.files)
    problems += [f"{name} is not what was released" for name in missing]
    problems += [f"{name} was changed after it was put away" for name in disk.damaged_versions(folder)]
    if not missing:
        try:
            released = disk.built(found, made.version)
        except DictionaryNotValid as cause:
            problems.append(f"its files make no dictionary: {cause}")
        else:
            problems += [*content_problems(made, released), *_rewritten(folder, made, released)]
        problems += _changed_beside(folder, made)
    if problems:
        raise not_true(made.version, problems)
    return made


def in_force(folder: Path, *, public_key: Path) -> Dictionary:
    """Return the dictionary of the newest release in a folder, after checking that the key's owner signed it.

    What was edited or approved since and is in no release has no effect: the files are taken by their hashes.

    Raises:
        DictionaryNotTrusted: with the first reason.
        SigningKeyRefused: the key cannot be used.
    """
    verifier = load_verifier(public_key)

    def refused(reason: str) -> DictionaryNotTrusted:
        return DictionaryNotTrusted(folder=folder, key=verifier.key_id, reason=reason)

    versions = [one for one in disk.released_versions(folder) if VERSION.fullmatch(one)]
    if not versions:
        raise refused("there is no release in it")
    path = disk.release_file(folder, max(versions, key=version_key))
    content = path.read_bytes()
    problems = _seal_problems(path, content, verifier)
    if problems:
        raise refused(f"release {path.stem}: {problems[0]}")  # what nobody signed is not read
    made = read_release(content, name=path.stem)
    if made.version != path.stem:
        raise refused(f"the file is called {path.stem} and says {made.version}")
    found, missing = disk.find_released(folder, made.files)
    if missing:
        raise refused(f"{missing[0]} is not what was released as {made.version}")
    dictionary = disk.built(found, made.version)
    problems = content_problems(made, dictionary)
    if problems:
        raise refused(f"release {made.version}: {problems[0]}")
    return dictionary


def seal_state(path: Path, verifier: Verifier | None) -> Seal:
    """Return how the signature beside a release file stands to a key."""
    if not path.with_suffix(SIGNATURE).is_file():
        return Seal.MISSING
    if verifier is None:
        return Seal.UNCHECKED
    return Seal.WRONG if _seal_problems(path, path.read_bytes(), verifier) else Seal.RIGHT


def _seal_problems(path: Path, content: bytes, verifier: Verifier) -> list[str]:
    signature = disk.read_optional(path.with_suffix(SIGNATURE))
    if signature is None:
        return [f"the signature {path.stem}{SIGNATURE} is missing"]
    try:
        problem = seal_problem(content, signature.decode("ascii"), verifier)
    except UnicodeDecodeError:
        problem = "the signature is not a detached JWS"
    return [] if problem is None else [problem]


def _chain_problems(folder: Path, made: Release) -> list[str]:
    previous = None
    if made.previous_version is not None:
        previous = disk.read_optional(disk.release_file(folder, made.previous_version))
    problem = chain_problem(made, previous)
    return [] if problem is None else [problem]


def _rewritten(folder: Path, made: Release, released: Dictionary) -> list[str]:
    """Return items that the folder holds under the released version with other bytes, or no longer.

    What has a greater version since, or was ended by a decision, has moved on; that is no fault of the release.
    """
    try:
        now = {(kind, item.identity.id): item for kind, item in items(load(folder))}
    except DictionaryNotValid as cause:
        return [f"the folder holds no dictionary any more: {cause}"]
    released_items = {(kind, item.identity.id): item for kind, item in items(released)}
    problems = []
    for entry in made.entries:
        item, present = released_items.get((entry.kind, entry.id)), now.get((entry.kind, entry.id))
        name = f"{entry.kind}/{entry.id}@{entry.version}"
        if item is None:
            continue  # told already
        if present is None:
            problems.append(f"{name} is gone from the folder")
        elif is_rewritten(item, present):
            problems.append(f"{name} has changed since under the same version")
        elif _is_as_released(item, present):
            problems += [
                f"{path} is not what was released" for path, sha in entry.files if _differs(folder, path, sha)
            ]
    return problems


def _changed_beside(folder: Path, made: Release) -> list[str]:
    """Return files without a version that are no longer what the newest release says; only a release changes them."""
    newest = max((one for one in disk.released_versions(folder) if VERSION.fullmatch(one)), key=version_key)
    if made.version != newest:
        return []
    return [f"{path} is not what was released" for path, sha in made.beside if _differs(folder, path, sha)]


def _is_as_released(item: Item, present: Item) -> bool:
    """Return whether nothing was decided about an item since, so that every byte must be the same.

    The file of a superseded item names its successor, which may have moved on.
    """
    same = (item.identity.version, item.identity.status) == (present.identity.version, present.identity.status)
    return same and item.identity.status is not Status.SUPERSEDED


def _differs(folder: Path, path: str, sha: str) -> bool:
    content = disk.read_optional(folder / path)
    return content is None or sha256(content) != sha


def resolve(wanted: str, folder: Path) -> Dictionary:
    """Return the dictionary in a folder, or as a release had it.

    Raises:
        ReleaseUnknown: the name is neither.
    """
    if Path(wanted).is_dir():
        return load(Path(wanted))
    path = release_path(wanted, folder)
    return _restored(path.parent.parent, read_release(path.read_bytes(), name=path.stem))


def contrast(
    one: Dictionary,
    other: Dictionary,
    *,
    mappings: Sequence[ColumnDecisions] = (),
    settings: Settings | None = None,
    clock: Clock,
    least: Impact = Impact.BREAKING,
) -> Comparison:
    """Return what differs and for whom it breaks: mappings given, grants of the register, columns of the centre."""
    difference = compare(one, other)
    usages = [usage for mapping in mappings for usage in _columns(mapping)]
    if settings is not None:
        usages += _grants(settings, one, clock.now().astimezone(VIETNAM).date())
    return Comparison(
        difference=difference,
        affected=affected(difference.changes, usages, before=one, after=other, least=least),
        columns=column_changes(one, other),
    )


def _columns(mapping: ColumnDecisions) -> list[Usage]:
    return [
        Usage(
            using=Using.MAPPING,
            name=f"{mapping.source}: {mapping.table}.{column.column}",
            who=mapping.owner,
            dataset=mapping.dataset,
            elements=frozenset({column.element}),
        )
        for column in mapping.columns
        if column.element is not None
    ]


def _grants(settings: Settings, dictionary: Dictionary, today: date) -> list[Usage]:
    """Return the grants in force; a name the dictionary does not know is no element of it."""
    elements = {one.technical_name: name for name, one in dictionary.elements.items()}
    held = access_register.held_grants(settings.centre.url, password=password(settings.centre))
    return [
        Usage(
            using=Using.GRANT,
            name=f"grant {one.number}",
            who=one.grant.agency,
            dataset=one.grant.dataset,
            elements=frozenset(elements[name] for name in one.grant.elements if name in elements),
        )
        for one in held
        if one.withdrawn_at is None and one.grant.valid_to > today
    ]


def column_changes(one: Dictionary, other: Dictionary) -> tuple[ColumnChange, ...]:
    """Return the columns of the centre that would have another type, come or go."""
    found = []
    for name, dataset in one.datasets.items():
        later = other.datasets.get(name)
        before = {column.name: column.type for column in derive_table(one, dataset).columns}
        after: dict[str, str] = {}
        if later is not None:
            after = {column.name: column.type for column in derive_table(other, later).columns}
        found += [
            ColumnChange(
                table=f"{SCHEMA}.{dataset.table}", column=column, before=before.get(column), after=after.get(column)
            )
            for column in (*before, *(each for each in after if each not in before))
            if before.get(column) != after.get(column)
        ]
    return tuple(found)
