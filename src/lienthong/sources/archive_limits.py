"""What an XLSX file may unpack to, judged by its directory before anything is opened (chống tệp nén độc hại)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

ENTRIES_MAX: Final = 10_000
UNPACKED_BYTES_MAX: Final = 1_000_000_000  # of all parts; a million rows of twenty columns come near it
RATIO_MAX: Final = 150  # unpacked to packed; a sheet of one value all over stays near 100
RATIO_FROM_BYTES: Final = 10_000_000  # smaller parts may be packed as well as they like
NAME_CHARACTERS_MAX: Final = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveEntry:
    """One part of an archive, as its directory says."""

    name: str
    unpacked_bytes: int
    packed_bytes: int
    encrypted: bool = False


def refusal_of_archive(entries: Sequence[ArchiveEntry]) -> str | None:
    """Return why an archive must not be opened, or None."""
    return next(_reasons(entries), None)


def _reasons(entries: Sequence[ArchiveEntry]) -> Iterator[str]:
    if len(entries) > ENTRIES_MAX:
        yield f"it has {len(entries)} parts, more than {ENTRIES_MAX}"
    total = sum(entry.unpacked_bytes for entry in entries)
    if total > UNPACKED_BYTES_MAX:
        yield f"it unpacks to {total} bytes, more than {UNPACKED_BYTES_MAX}"
    if len({entry.name for entry in entries}) != len(entries):
        yield "two parts have the same name"
    for place, entry in enumerate(entries, start=1):
        if len(entry.name) > NAME_CHARACTERS_MAX or "\0" in entry.name:
            yield f"the name of part {place} is not usable"
        if entry.encrypted:
            yield f"part {place} is encrypted"
        ratio = entry.unpacked_bytes / max(1, entry.packed_bytes)
        if entry.unpacked_bytes >= RATIO_FROM_BYTES and ratio > RATIO_MAX:
            yield f"part {place} unpacks to {ratio:.0f} times its size, more than {RATIO_MAX}"
