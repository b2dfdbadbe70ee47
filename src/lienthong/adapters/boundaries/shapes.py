"""Boundaries in memory: which commune holds a point, and how far its border is."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from lienthong.adapters.boundaries.reading import CODE, Features, read_features
from lienthong.adapters.boundaries.refusals import BoundariesNotValid, GeometryLibraryMissing
from lienthong.standardise.addresses.coordinates import CONTAINING_SCHEMA

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

FAULTS_SHOWN_MAX: Final = 20
LONGITUDE_MAX: Final = 180
LATITUDE_MAX: Final = 90
TURNED_MAX: Final = 30  # Vietnam lies south of it, so a longitude below it beside a latitude beyond 90 is turned
# Metres of a degree on the ellipsoid of WGS84, by the usual series; right to centimetres over a commune.
_LAT_METRES: Final = (111_132.954, -559.822, 1.175)
_LON_METRES: Final = (111_412.84, -93.5, 0.118)


def _library() -> tuple[Any, Any]:
    """Return shapely and numpy, which only those need who use coordinates."""
    try:
        import numpy as np  # noqa: PLC0415 - optional
        import shapely  # noqa: PLC0415 - optional
    except ImportError as cause:
        raise GeometryLibraryMissing from cause
    return shapely, np


@dataclass(frozen=True, kw_only=True, slots=True)
class Shapes:
    """Boundaries with an index over them; built once."""

    names: tuple[str, ...]
    tree: Any  # shapely.STRtree over the shapes, in degrees
    borders: Array  # the same borders in metres, each by the scale at its own middle
    scales: Array  # metres of a degree of longitude and latitude, by shape

    @property
    def codes(self) -> AbstractSet[str]:
        """Return the communes whose boundary is known."""
        return frozenset(self.names)

    def containing(self, points: pl.DataFrame) -> pl.DataFrame:
        """Return which communes hold each point, and the distance to their border in metres."""
        shapely, _ = _library()
        if points.is_empty():
            return pl.DataFrame(schema=CONTAINING_SCHEMA)
        lon, lat = points["lon"].to_numpy(), points["lat"].to_numpy()
        which, shape = self.tree.query(shapely.points(lon, lat), predicate="within")
        scaled = shapely.points(lon[which] * self.scales[shape, 0], lat[which] * self.scales[shape, 1])
        return pl.DataFrame(
            {
                "at": points["at"].gather(which),
                "code": [self.names[each] for each in shape],
                "border_m": shapely.distance(self.borders[shape], scaled),
            },
            schema=CONTAINING_SCHEMA,
        )


def load_boundaries(path: Path, *, known: AbstractSet[str]) -> Shapes:
    """Read boundaries of communes; ``known`` are the codes of the list that the file speaks of.

    Raises:
        BoundaryFileNotReadable: the file cannot be read.
        BoundariesNotValid: with every fault and the number of its feature, not only the first.
        GeometryLibraryMissing: shapely is not installed.
    """
    shapely, np = _library()
    features = read_features(path)
    read = shapely.from_geojson if features.is_text else shapely.from_wkb
    given = np.array(features.geometries, dtype=object)
    shapes = read(given, on_invalid="ignore")
    faults = _faults(features, shapes, known, shapely)
    if not features.codes:
        faults = [(0, "the file has no feature")]
    if faults:
        shown = [f"  feature {number}: {fault}" for number, fault in faults[:FAULTS_SHOWN_MAX]]
        if len(faults) > FAULTS_SHOWN_MAX:
            shown.append(f"  and {len(faults) - FAULTS_SHOWN_MAX} more")
        raise BoundariesNotValid(path=path, count=len(faults), faults="\n".join(shown))
    shapes = shapely.force_2d(shapes)
    shapely.prepare(shapes)
    names = tuple(code for code in features.codes if code is not None)
    borders, scales = _in_metres(shapes, shapely, np)
    return Shapes(names=names, tree=shapely.STRtree(shapes), borders=borders, scales=scales)


def _faults(features: Features, shapes: Array, known: AbstractSet[str], shapely: Any) -> list[tuple[int, str]]:
    """Return what is wrong with each feature; features are counted from one, as people count."""
    faults: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    kinds = shapely.get_type_id(shapes)
    bounds = shapely.bounds(shapes)
    valid = shapely.is_valid(shapes)
    for place, (code, shape) in enumerate(zip(features.codes, shapes, strict=True)):
        number = place + 1
        if code is None:
            faults.append((number, f"has no text {CODE}; a code is a text of five digits"))
        elif code not in known:
            faults.append((number, f"{CODE} {code} is no commune of the list"))
        elif code in seen:
            faults.append((number, f"{CODE} {code} stands in feature {seen[code]} too; join them into one"))
        else:
            seen[code] = number
        if features.geometries[place] is None:
            faults.append((number, "has no geometry"))
        elif shape is None:
            faults.append(
                (number, "its geometry cannot be read: a ring is not closed, or has fewer than four points")
            )
        elif kinds[place] not in _AREAS or shape.is_empty:
            faults.append((number, "its geometry is no polygon"))
        elif (fault := _out_of_place(*bounds[place])) is not None:
            faults.append((number, fault))
        elif not valid[place]:
            faults.append((number, f"its border is not valid: {shapely.is_valid_reason(shape)}"))
    return faults


_AREAS: Final = (3, 6)  # polygon, polygon of several parts


def _out_of_place(west: float, south: float, east: float, north: float) -> str | None:
    """Say what speaks against degrees of longitude and latitude in and about Vietnam."""
    if west >= 0 and east <= TURNED_MAX and south > LATITUDE_MAX and north <= LONGITUDE_MAX:
        return "longitude and latitude are exchanged"
    if -LONGITUDE_MAX <= west <= east <= LONGITUDE_MAX and -LATITUDE_MAX <= south <= north <= LATITUDE_MAX:
        return None
    return "coordinates are no degrees; is the file in VN-2000? export it in WGS84"


def _in_metres(shapes: Array, shapely: Any, np: Any) -> tuple[Array, Array]:
    """Return borders in metres by the scale at the middle of each shape, and these scales."""
    bounds = shapely.bounds(shapes)
    middle = np.radians((bounds[:, 1] + bounds[:, 3]) / 2)
    one, two, three = _LON_METRES
    lon = one * np.cos(middle) + two * np.cos(3 * middle) + three * np.cos(5 * middle)
    one, two, three = _LAT_METRES
    lat = one + two * np.cos(2 * middle) + three * np.cos(4 * middle)
    scales = np.column_stack([lon, lat])
    borders = shapely.boundary(shapes)
    coordinates, index = shapely.get_coordinates(borders, return_index=True)
    return shapely.set_coordinates(borders, coordinates * scales[index]), scales
