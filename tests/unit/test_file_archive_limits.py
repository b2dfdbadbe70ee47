"""A workbook is judged by its directory before it is opened."""

from __future__ import annotations

import pytest

from lienthong.sources.archive_limits import (
    ENTRIES_MAX,
    RATIO_FROM_BYTES,
    RATIO_MAX,
    UNPACKED_BYTES_MAX,
    ArchiveEntry,
    refusal_of_archive,
)


def entry(name: str = "xl/sheet.xml", *, unpacked: int = 1_000, packed: int = 500, encrypted: bool = False):
    return ArchiveEntry(name=name, unpacked_bytes=unpacked, packed_bytes=packed, encrypted=encrypted)


def test_an_ordinary_workbook_is_let_in():
    assert refusal_of_archive([entry("a"), entry("b", unpacked=200_000_000, packed=20_000_000)]) is None


def test_a_small_part_may_be_packed_as_well_as_it_likes():
    assert refusal_of_archive([entry(unpacked=RATIO_FROM_BYTES - 1, packed=1)]) is None


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry(unpacked=RATIO_FROM_BYTES, packed=RATIO_FROM_BYTES // (RATIO_MAX + 10))], "times its size"),
        ([entry(unpacked=RATIO_FROM_BYTES, packed=0)], "times its size"),
        ([entry(str(n), unpacked=UNPACKED_BYTES_MAX // 4, packed=10**8) for n in range(5)], "unpacks to"),
        ([entry(str(n), unpacked=0, packed=0) for n in range(ENTRIES_MAX + 1)], "parts"),
        ([entry("a"), entry("a")], "same name"),
        ([entry("a\0b")], "name of part 1"),
        ([entry("a"), entry("b", encrypted=True)], "part 2 is encrypted"),
    ],
)
def test_what_no_spreadsheet_of_people_is_gets_refused(entries: list[ArchiveEntry], told: str):
    refused = refusal_of_archive(entries)
    assert refused is not None
    assert told in refused
