"""Releases of the dictionary as a page shows them (trang bản phát hành): plain values for the faces."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lienthong.dictionary.canonical import item_hash, items
from lienthong.dictionary.model import Dictionary
from lienthong.dictionary.release import Release

Content = dict[tuple[str, str], tuple[str, str]]  # (kind, id) → (version, hash)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemChange:
    """An item that differs between two states of the dictionary."""

    kind: str
    id: str
    before: str | None  # version; None: it is new
    after: str | None  # None: it is gone


class Seal(enum.Enum):
    """How the signature of a release stands to the key the platform was given (tình trạng chữ ký)."""

    MISSING = "missing"
    UNCHECKED = "unchecked"  # no key is configured
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelved:
    """One release file; ``release`` is None when it cannot be read as one."""

    name: str  # version, as the file is called
    release: Release | None
    sealed: bool  # a signature stands beside it; whether it holds, only who has the public key can say
    follows: bool  # it names the release before it as that one is
    seal: Seal = Seal.UNCHECKED


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseLine:
    """One release; without ``digest`` its file cannot be read."""

    version: str
    released_at: datetime | None
    agency: str | None
    preliminary: bool
    digest: str | None
    items: int
    sealed: bool
    seal: str  # a value of ``Seal``
    follows: bool
    in_use: bool  # its content is what the portal works with
    added: int
    changed: int
    gone: int
    first: bool  # it names none before it: there is nothing to compare with


def kind_counts(dictionary: Dictionary) -> dict[str, int]:
    """Return how many items of each kind there are."""
    return dict(Counter(kind for kind, _ in items(dictionary)))


def content_of(dictionary: Dictionary) -> Content:
    """Return version and hash of every item."""
    return {(kind, item.identity.id): (item.identity.version, item_hash(item)) for kind, item in items(dictionary)}


def content_released(release: Release) -> Content:
    """Return version and hash of every item of a release."""
    return {(entry.kind, entry.id): (entry.version, entry.hash) for entry in release.entries}


def item_changes(before: Content, after: Content) -> tuple[ItemChange, ...]:
    """Return what differs between two states, by kind and id."""
    return tuple(
        ItemChange(
            kind=key[0],
            id=key[1],
            before=before[key][0] if key in before else None,
            after=after[key][0] if key in after else None,
        )
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    )


def release_lines(shelved: Sequence[Shelved], *, digest: str) -> tuple[ReleaseLine, ...]:
    """Return releases given newest first with what each changed; ``digest`` is that of the dictionary in use."""
    by_version = {one.name: one.release for one in shelved}
    return tuple(_line(one, by_version, digest) for one in shelved)


def _line(one: Shelved, by_version: Mapping[str, Release | None], digest: str) -> ReleaseLine:
    release = one.release
    previous = None if release is None else by_version.get(release.previous_version or "")
    changes = item_changes(content_released(previous), content_released(release)) if release and previous else ()
    return ReleaseLine(
        version=one.name,
        released_at=None if release is None else release.released_at,
        agency=None if release is None else release.agency,
        preliminary=release is not None and release.preliminary,
        digest=None if release is None else release.digest,
        items=0 if release is None else len(release.entries),
        sealed=one.sealed,
        seal=one.seal.value,
        follows=one.follows,
        in_use=release is not None and release.digest == digest,
        added=sum(change.before is None for change in changes),
        changed=sum(None not in {change.before, change.after} for change in changes),
        gone=sum(change.after is None for change in changes),
        first=release is not None and release.previous_version is None,
    )
