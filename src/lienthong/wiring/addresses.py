"""What the command line asks of addresses: units named, units of a later day, and what coordinates decide."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from lienthong.adapters.boundaries.shapes import Shapes, load_boundaries
from lienthong.dictionary.conversion import Converter
from lienthong.dictionary.model import CodeList, CodeListId
from lienthong.standardise.addresses import resolve
from lienthong.standardise.addresses.coordinates import POINTS_SCHEMA
from lienthong.standardise.addresses.index import Structure
from lienthong.standardise.addresses.today import carried_over
from lienthong.wiring.settings import ENVIRONMENT_PREFIX, SETTINGS_NAME, load_settings
from lienthong.wiring.sources import working_dictionary

COMMUNES = CodeListId("don-vi-hanh-chinh-xa")


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A place in WGS84, degrees (toạ độ)."""

    lat: float
    lon: float


def configured_boundaries() -> Path | None:
    """Return the boundary file of the settings, when there are settings that name one."""
    path = Path(os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG", SETTINGS_NAME))
    return load_settings(path, os.environ).boundaries if path.is_file() else None


def resolve_and_carry(
    addresses: Sequence[str],
    *,
    on: date | None,
    structure: Structure,
    to: date,
    boundaries: Path | None = None,
    points: Sequence[Point | None] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what addresses name, and the units of the day ``to``; coordinates decide divided communes.

    Raises:
        LienthongError: the boundary file cannot be used.
    """
    communes = working_dictionary().code_lists[COMMUNES]
    resolved = resolve(pl.Series("address", list(addresses), dtype=pl.String), on=on, structure=structure)
    if boundaries is None or points is None:
        return resolved, carried_over(resolved, Converter.of(communes), on=to)
    places = pl.DataFrame(
        {
            "lat": [None if each is None else each.lat for each in points],
            "lon": [None if each is None else each.lon for each in points],
        },
        schema=POINTS_SCHEMA,
    )
    shapes = load(boundaries, communes, on=to)
    return resolved, carried_over(resolved, Converter.of(communes), on=to, boundaries=shapes, points=places)


def load(path: Path, communes: CodeList, *, on: date) -> Shapes:
    """Load boundaries of the communes in force on a day."""
    listed = frozenset(
        code.code
        for code in communes.codes
        if (code.valid_from is None or code.valid_from <= on) and (code.valid_to is None or on < code.valid_to)
    )
    return load_boundaries(path, known=listed)
