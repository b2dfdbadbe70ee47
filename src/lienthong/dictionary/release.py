"""A release: the signed list of every item, its version and its bytes (bản phát hành từ điển).

The list names the release before it by hash, so that releases make a chain; the signature is a detached JWS
(ES256) beside the file. Keys stay outside: whoever signs or verifies is given as an argument.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import orjson

from lienthong.dictionary.canonical import Item, item_hash, items
from lienthong.dictionary.changes import Impact
from lienthong.dictionary.governance import OPEN, ItemKey, version_key
from lienthong.dictionary.governance_refusals import ReleaseNotTrue, ReleaseRefused
from lienthong.dictionary.model import Dictionary, Status
from lienthong.dictionary.proposals import approved_form, needed_version, rests_on

FORMAT: Final = "lienthong-dictionary-release/1"
RELEASE_BYTES_MAX: Final = 64_000_000
SIGNATURE_BYTES: Final = 64  # ES256: r and s, 32 bytes each
ALGORITHM: Final = "ES256"
TYPE: Final = "lienthong-release"

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_PATH: Final = re.compile(
    r"(elements|domains|codelists|datasets)(/[A-Za-z0-9_-]+){1,4}(\.(aliases|conversion|history))?\.(yaml|csv)"
)
_PATH_BESIDE: Final = re.compile(r"(code_mappings|rules)(/[A-Za-z0-9_-]+){1,4}\.(yaml|csv)")


class Signer(Protocol):
    """Sign with a key that is kept elsewhere."""

    @property
    def key_id(self) -> str:
        """Return the thumbprint of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return an ES256 signature, 64 bytes."""
        ...


class Verifier(Protocol):
    """Verify with a public key."""

    @property
    def key_id(self) -> str:
        """Return the thumbprint of the public key."""
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Return whether the signature is this key's over the message."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One item of a release."""

    kind: str
    id: str
    version: str
    status: str
    hash: str  # of the item as canonical JSON
    files: tuple[tuple[str, str], ...]  # (path, SHA-256 of the bytes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """What was released, when, by whom, after what."""

    version: str
    released_at: datetime
    agency: str
    actor: str
    digest: str  # of the dictionary as a whole
    entries: tuple[Entry, ...]
    beside: tuple[tuple[str, str], ...] = ()  # (path, SHA-256) of what belongs to the whole and to no item of it
    previous_version: str | None = None
    previous_hash: str | None = None  # SHA-256 of the previous release file

    @property
    def preliminary(self) -> bool:
        """Return whether it may hold items nobody approved: every version before 1.0.0 may."""
        return version_key(self.version)[0] == 0

    @property
    def files(self) -> dict[str, str]:
        """Return path → SHA-256 of everything released."""
        return {**dict(pair for entry in self.entries for pair in entry.files), **dict(self.beside)}


def entries(dictionary: Dictionary, files: Mapping[ItemKey, Mapping[str, str]]) -> tuple[Entry, ...]:
    """Return the sorted entries of a dictionary; ``files`` gives path → SHA-256 for each item."""
    found = [
        Entry(
            kind=kind,
            id=item.identity.id,
            version=item.identity.version,
            status=item.identity.status.value,
            hash=item_hash(item),
            # An item without files of its own is told by its hash; its file stands beside.
            files=tuple(sorted(files.get(ItemKey(kind=kind, id=item.identity.id), {}).items())),
        )
        for kind, item in items(dictionary)
    ]
    return tuple(sorted(found, key=lambda entry: (entry.kind, entry.id)))


def check_releasable(
    dictionary: Dictionary,
    *,
    version: str,
    previous: str | None,
    impact: Impact | None,
    decided: Mapping[ItemKey, tuple[str, Status]],
) -> None:
    """Refuse to release what was not decided so.

    Args:
        dictionary: what the folder holds.
        version: version asked for.
        previous: version of the release before, if there is one.
        impact: greatest change since that release.
        decided: version and status of every item the register of decisions has approved.

    Raises:
        ReleaseRefused: the first reason.
    """
    if previous is not None:
        _check_next(version, previous, impact)
    preliminary = version_key(version)[0] == 0
    for kind, item in items(dictionary):
        key, status = ItemKey(kind=kind, id=item.identity.id), item.identity.status
        approved = decided.get(key)
        if status is Status.PROPOSED and approved is None and preliminary:
            continue  # ours until an authority approves it; the release says so of each
        remedy = f"take it through review, consultation and approval: lienthong dictionary propose {item.identity.id}"
        if status in OPEN or status is Status.REJECTED:
            raise ReleaseRefused(version=version, reason=f"{key} is {status.value}, a draft", remedy=remedy)
        if approved is None or approved != (item.identity.version, status):
            told = "nothing" if approved is None else f"{approved[0]} as {approved[1].value}"
            reason = f"{key} claims {item.identity.version} {status.value}, the register of decisions holds {told}"
            raise ReleaseRefused(
                version=version, reason=reason, remedy="bring the folder up to date: lienthong dictionary publish"
            )
        if status is Status.APPROVED:
            _check_rests(dictionary, item, version)
    known = {ItemKey(kind=kind, id=item.identity.id) for kind, item in items(dictionary)}
    for key in sorted(decided.keys() - known):
        raise ReleaseRefused(
            version=version,
            reason=f"{key} was approved and is not in the folder",
            remedy="bring the folder up to date: lienthong dictionary publish",
        )


def check_beside(paths: Iterable[str], *, version: str) -> None:
    """Refuse to release a file that nothing reads.

    Raises:
        ReleaseRefused: names the first.
    """
    for path in paths:
        if not _PATH_BESIDE.fullmatch(path):
            raise ReleaseRefused(
                version=version,
                reason=f"{path} is no file of a dictionary",
                remedy="take it out, or name it as the others in its folder are named",
            )


def check_versions(released: Dictionary, dictionary: Dictionary, *, version: str) -> None:
    """Refuse to release an item again under the same version with other content.

    Raises:
        ReleaseRefused: names the first.
    """
    now = dict(_by_key(dictionary))
    for key, item in _by_key(released):
        present = now.get(key)
        if present is not None and is_rewritten(item, present):
            raise ReleaseRefused(
                version=version,
                reason=f"{key} was released as {item.identity.version} with other content",
                remedy="give it a greater version in its file",
            )


def _by_key(dictionary: Dictionary) -> Iterator[tuple[ItemKey, Item]]:
    for kind, item in items(dictionary):
        yield ItemKey(kind=kind, id=item.identity.id), item


def is_rewritten(one: Item, other: Item) -> bool:
    """Return whether two items have one version and differ in more than what a decision may change."""
    return one.identity.version == other.identity.version and lasting_hash(one) != lasting_hash(other)


def lasting_hash(item: Item) -> str:
    """Return the hash of what no decision changes within a version: all but status, end and successor."""
    form = approved_form(item)
    return item_hash(replace(form, identity=replace(form.identity, valid_to=None)))


def _check_next(version: str, previous: str, impact: Impact | None) -> None:
    if version_key(version) <= version_key(previous):
        raise ReleaseRefused(
            version=version, reason=f"{previous} was released already", remedy="give a greater version"
        )
    if impact is None:
        raise ReleaseRefused(
            version=version, reason=f"nothing changed since {previous}", remedy="there is nothing to do"
        )
    needed = needed_version(previous, impact)
    if version_key(previous)[0] == 0 and impact is Impact.BREAKING:
        needed = needed_version(previous, Impact.EXTENDING)  # before 1.0.0 the second number counts as the first
    if version_key(version) < version_key(needed):
        raise ReleaseRefused(
            version=version,
            reason=f"the changes since {previous} are {impact.name.lower()} and need at least {needed}",
            remedy=f"see them: lienthong dictionary diff {previous}",
        )


def _check_rests(dictionary: Dictionary, item: Any, version: str) -> None:
    standing = {ItemKey(kind=kind, id=one.identity.id): one.identity.status for kind, one in items(dictionary)}
    for key in rests_on(item):
        if standing.get(key) in OPEN:
            raise ReleaseRefused(
                version=version,
                reason=f"{item.identity.id} is approved and rests on {key}, which is not",
                remedy="approve what it rests on first",
            )


def as_bytes(release: Release) -> bytes:
    """Return the file of a release: the bytes that are signed."""
    value: dict[str, Any] = {
        "format": FORMAT,
        "version": release.version,
        "preliminary": release.preliminary,
        "released_at": release.released_at.astimezone(UTC).isoformat(timespec="seconds"),
        "released_by": {"agency": release.agency, "actor": release.actor},
        "digest": release.digest,
        "previous": None
        if release.previous_version is None
        else {"version": release.previous_version, "hash": release.previous_hash},
        "items": [
            {
                "kind": entry.kind,
                "id": entry.id,
                "version": entry.version,
                "status": entry.status,
                "hash": entry.hash,
                "files": [{"path": path, "sha256": sha} for path, sha in entry.files],
            }
            for entry in release.entries
        ],
    }
    if release.beside:
        value["beside"] = [{"path": path, "sha256": sha} for path, sha in release.beside]
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_release(content: bytes, *, name: str) -> Release:
    """Return a release from its file; only the one spelling ``as_bytes`` gives is read.

    Raises:
        ReleaseNotTrue: it is not such a file.
    """
    try:
        value = orjson.loads(content) if len(content) <= RELEASE_BYTES_MAX else None
        release = _release(value)
        same = as_bytes(release) == content
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError) as cause:
        raise not_true(name, ["it cannot be read as a release"]) from cause
    if not same:
        raise not_true(name, ["it is not written as releases are"])
    return release


def _release(value: Any) -> Release:
    previous = value["previous"]
    beside = tuple((file["path"], file["sha256"]) for file in value.get("beside", ()))
    assert value["format"] == FORMAT
    listed = tuple(
        Entry(
            kind=one["kind"],
            id=one["id"],
            version=one["version"],
            status=Status(one["status"]).value,
            hash=one["hash"],
            files=tuple((file["path"], file["sha256"]) for file in one["files"]),
        )
        for one in value["items"]
    )
    for entry in listed:
        version_key(entry.version)
        for path, sha in entry.files:
            assert _PATH.fullmatch(path), "a path outside the dictionary"
            assert _HASH.fullmatch(sha), "not a hash"
    for path, sha in beside:
        assert _PATH_BESIDE.fullmatch(path), "a path outside the dictionary"
        assert _HASH.fullmatch(sha), "not a hash"
    return Release(
        version=value["version"],
        released_at=datetime.fromisoformat(value["released_at"]),
        agency=value["released_by"]["agency"],
        actor=value["released_by"]["actor"],
        digest=value["digest"],
        entries=listed,
        beside=beside,
        previous_version=None if previous is None else previous["version"],
        previous_hash=None if previous is None else previous["hash"],
    )


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes | None:
    """Return bytes, or None; a spelling with idle bits is refused, so that every flipped bit shows."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if _encoded(content) == text else None


def _header(key_id: str) -> str:
    return _encoded(orjson.dumps({"alg": ALGORITHM, "kid": key_id, "typ": TYPE}, option=orjson.OPT_SORT_KEYS))


def seal(content: bytes, signer: Signer) -> str:
    """Return the detached JWS of a release file, one line."""
    header = _header(signer.key_id)
    signature = signer.sign(f"{header}.{_encoded(content)}".encode("ascii"))
    assert len(signature) == SIGNATURE_BYTES, "ES256 gives 64 bytes"
    return f"{header}..{_encoded(signature)}\n"


def seal_problem(content: bytes, jws: str, verifier: Verifier) -> str | None:
    """Return why a signature does not hold for a release file, or None."""
    parts = jws.removesuffix("\n").split(".")
    if len(parts) != 3 or parts[1] or not jws.endswith("\n"):  # noqa: PLR2004 - header, nothing, signature
        return "the signature is not a detached JWS"
    header, _, written = parts
    if header != _header(verifier.key_id):
        return "the signature is of another key or algorithm"
    signature = _decoded(written)
    if signature is None or len(signature) != SIGNATURE_BYTES:
        return "the signature cannot be read"
    if not verifier.verify(f"{header}.{_encoded(content)}".encode("ascii"), signature):
        return "the signature does not fit the file"
    return None


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes, hex."""
    return hashlib.sha256(content).hexdigest()


def chain_problem(release: Release, previous: bytes | None) -> str | None:
    """Return why a release does not follow from the one it names, or None."""
    if release.previous_version is None:
        return None
    if previous is None:
        return f"the release before it, {release.previous_version}, is missing"
    if sha256(previous) != release.previous_hash:
        return f"the release before it, {release.previous_version}, is not the one it follows"
    return None


def content_problems(release: Release, dictionary: Dictionary) -> list[str]:
    """Return in what a dictionary built from a release's files differs from what the release says."""
    found = {(kind, item.identity.id): item for kind, item in items(dictionary)}
    problems = []
    for entry in release.entries:
        item = found.pop((entry.kind, entry.id), None)
        if item is None:
            problems.append(f"{entry.kind}/{entry.id} is not in its files")
        elif (item.identity.version, item.identity.status.value, item_hash(item)) != (
            entry.version,
            entry.status,
            entry.hash,
        ):
            problems.append(f"{entry.kind}/{entry.id}@{entry.version} is not what its files say")
    problems += [f"{kind}/{name} is in the files and not in the list" for kind, name in sorted(found)]
    if dictionary.digest != release.digest:
        problems.append("the digest of the whole differs")
    return problems


def not_true(version: str, problems: Sequence[str]) -> ReleaseNotTrue:
    """Return the refusal with all problems."""
    return ReleaseNotTrue(version=version, count=len(problems), first=problems[0], problems=tuple(problems))
