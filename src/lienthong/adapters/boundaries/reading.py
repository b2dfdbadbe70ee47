"""Features of a boundary file: GeoJSON, or Parquet with well-known binary (GeoParquet)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
from pyarrow import parquet

from lienthong.adapters.boundaries.refusals import BoundaryFileNotReadable

CODE: Final = "ma_xa"
GEOJSON_BYTES_MAX: Final = 400_000_000  # read at once; a larger file belongs into Parquet
PARQUET_BYTES_MAX: Final = 2_000_000_000
_PARQUET: Final = b"PAR1"
_WGS84: Final = ("CRS84", "EPSG::4326", "EPSG:4326", "WGS 84")
_EXPORT: Final = "export it as GeoJSON or GeoParquet in WGS84 (EPSG:4326) with a column ma_xa"


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """Codes and geometries in the order of the file; each geometry as GeoJSON text or well-known binary."""

    codes: Sequence[str | None]
    geometries: Sequence[str | bytes | None]
    is_text: bool


def read_features(path: Path) -> Features:
    """Read a boundary file by its content.

    Raises:
        BoundaryFileNotReadable: it is not there, too large, of another kind or of another reference system.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(len(_PARQUET))
    except OSError as cause:
        raise _refused(path, cause.strerror or "the system refused", "check the name and the rights") from cause
    limit = PARQUET_BYTES_MAX if start == _PARQUET else GEOJSON_BYTES_MAX
    if size > limit:
        raise _refused(path, f"larger than {limit // 1_000_000} MB", "simplify the borders, or use Parquet")
    return _from_parquet(path) if start == _PARQUET else _from_geojson(path)


def _refused(path: Path, reason: str, fix: str) -> BoundaryFileNotReadable:
    return BoundaryFileNotReadable(path=path, reason=reason, fix=fix)


def _from_geojson(path: Path) -> Features:
    try:
        content: Any = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as cause:
        raise _refused(path, "is neither JSON nor Parquet", _EXPORT) from cause
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        raise _refused(path, "is no GeoJSON FeatureCollection", _EXPORT)
    system = content.get("crs")
    if system is not None and not _is_wgs84(json.dumps(system)):
        raise _refused(path, "is not in WGS84", _EXPORT)
    codes: list[str | None] = []
    geometries: list[str | bytes | None] = []
    for feature in features:
        inside: Mapping[str, Any] = feature if isinstance(feature, dict) else {}
        code = (inside.get("properties") or {}).get(CODE)
        geometry = inside.get("geometry")
        codes.append(code if isinstance(code, str) else None)
        geometries.append(None if geometry is None else orjson.dumps(geometry).decode())
    return Features(codes=codes, geometries=geometries, is_text=True)


def _from_parquet(path: Path) -> Features:
    try:
        schema = parquet.read_schema(path)
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as cause:
        raise _refused(path, "is damaged", "copy or export the file again") from cause
    described = (schema.metadata or {}).get(b"geo")
    column, system = _geometry_column(path, described)
    for needed in (CODE, column):
        if needed not in table.column_names:
            raise _refused(path, f"has no column {needed}", _EXPORT)
    if system is not None and not _is_wgs84(json.dumps(system)):
        raise _refused(path, "is not in WGS84", _EXPORT)
    codes = [code if isinstance(code, str) else None for code in table.column(CODE).to_pylist()]
    geometries = table.column(column).to_pylist()
    if any(not isinstance(each, bytes | None) for each in geometries):
        raise _refused(path, f"column {column} is not well-known binary", _EXPORT)
    return Features(codes=codes, geometries=geometries, is_text=False)


def _geometry_column(path: Path, described: bytes | None) -> tuple[str, object]:
    """Return the column of the geometries and its reference system; None where the standard's own, WGS84, holds."""
    if described is None:
        return "geometry", None
    try:
        told = orjson.loads(described)
        column = str(told["primary_column"])
        facts = told["columns"][column]
        encoding = facts["encoding"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as cause:
        raise _refused(path, "its description of geometries is damaged", _EXPORT) from cause
    if encoding != "WKB":
        raise _refused(path, f"geometries are encoded as {encoding}, not WKB", _EXPORT)
    return column, facts.get("crs")


def _is_wgs84(system: str) -> bool:
    if any(name in system for name in _WGS84):
        return True
    return '"authority": "EPSG"' in system and '"code": 4326' in system
