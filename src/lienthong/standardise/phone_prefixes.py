"""The renumbering of Vietnam's telephones, 2017 and 2018, as shipped data; the only file the kernels read."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

PREFIX_DIGITS_MAX = 4


@functools.cache
def new_prefixes() -> Mapping[str, str]:
    """Return the new prefix of every old one (mã vùng và đầu số di động đã đổi)."""
    table = resources.files("lienthong.standardise").joinpath("data", "phone_prefixes.csv")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    prefixes = {row["old_prefix"]: row["new_prefix"] for row in rows}
    assert len(prefixes) == len(rows), "an old prefix stands twice in phone_prefixes.csv"
    return MappingProxyType(prefixes)
