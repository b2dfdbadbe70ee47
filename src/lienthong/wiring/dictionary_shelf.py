"""What has been released of a dictionary, read for showing: a file that cannot be read is shown as such."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from lienthong.adapters.signing import load_verifier
from lienthong.dictionary.governance import version_key
from lienthong.dictionary.items import VERSION
from lienthong.dictionary.load import RELEASE
from lienthong.dictionary.model import Dictionary, Status
from lienthong.dictionary.release import RELEASE_BYTES_MAX, Release, Verifier, chain_problem, read_release
from lienthong.errors import LienthongError
from lienthong.oversight.dictionary_releases import Seal, Shelved
from lienthong.wiring.releases import SIGNATURE, resolve, seal_state

RELEASES: Final = "releases"
RELEASES_MAX: Final = 100
HEAD_BYTES_MAX: Final = 100_000
EARLIER_MAX: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """The releases of a folder, newest first, and what the folder's head says of itself."""

    status: Status | None
    releases: tuple[Shelved, ...]
    key_id: str | None = None  # thumbprint of the key signatures were checked with


def read_shelf(folder: Path, *, public_key: Path | None = None) -> Shelf:
    """Return what was released; nothing that is missing or damaged raises.

    With a key every signature is checked with it.
    """
    verifier = _verifier(public_key)
    paths = [path for path in (folder / RELEASES).glob("*.json") if VERSION.fullmatch(path.stem)]
    paths.sort(key=lambda path: version_key(path.stem), reverse=True)
    return Shelf(
        status=_status(folder / RELEASE),
        releases=tuple(_shelved(path, verifier) for path in paths[:RELEASES_MAX]),
        key_id=None if verifier is None else verifier.key_id,
    )


def _verifier(public_key: Path | None) -> Verifier | None:
    if public_key is None:
        return None
    try:
        return load_verifier(public_key)
    except LienthongError:
        return None  # the platform did not start with such a key; lost since, the page says that nothing is checked


def earlier_dictionaries(folder: Path, current: Dictionary) -> tuple[Dictionary, ...]:
    """Return the dictionaries of the newest releases that differ from the current one, oldest first."""
    found: list[Dictionary] = []
    for one in read_shelf(folder).releases:
        if len(found) == EARLIER_MAX:
            break
        if one.release is None or one.release.digest == current.digest:
            continue
        try:
            found.append(resolve(one.name, folder))
        except LienthongError:
            continue  # the release page shows the damage; here there is nothing to compare with
    return tuple(reversed(found))


def _shelved(path: Path, verifier: Verifier | None) -> Shelved:
    release: Release | None = None
    follows, seal = False, Seal.UNCHECKED
    try:
        if path.stat().st_size <= RELEASE_BYTES_MAX:
            seal = seal_state(path, verifier)
            release = read_release(path.read_bytes(), name=path.stem)
    except (OSError, LienthongError):
        release = None
    if release is not None:
        previous = path.with_name(f"{release.previous_version}{path.suffix}")
        content = previous.read_bytes() if release.previous_version is not None and previous.is_file() else None
        follows = chain_problem(release, content) is None
    sealed = path.with_suffix(SIGNATURE).is_file()
    return Shelved(name=path.stem, release=release, sealed=sealed, follows=follows, seal=seal)


def _status(path: Path) -> Status | None:
    try:
        head = yaml.safe_load(path.read_bytes()[:HEAD_BYTES_MAX])
        return Status(head["status"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return None
