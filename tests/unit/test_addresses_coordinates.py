"""A coordinate decides a divided commune where one boundary alone holds it; the boundaries are squares made by hand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from lienthong.adapters.boundaries import shapes as shapes_module
from lienthong.adapters.boundaries.refusals import (
    BoundariesNotValid,
    BoundaryFileNotReadable,
    GeometryLibraryMissing,
)
from lienthong.adapters.boundaries.shapes import load_boundaries
from lienthong.cli.addresses import app
from lienthong.dictionary.conversion import Converter
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeListId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.addresses import resolve
from lienthong.standardise.addresses.today import carried_over

shapely = pytest.importorskip("shapely")

OLD, NEW = date(2025, 6, 30), date(2026, 1, 1)
ADDRESS = "Ngõ 5 Đội Cấn, Phường Cống Vị, Quận Ba Đình, Hà Nội"
SIDE = 0.02  # degrees: about two kilometres
LAT = 21.0


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter.of(load(shipped_folder("dictionary")).code_lists[CodeListId("don-vi-hanh-chinh-xa")])


@pytest.fixture(scope="module")
def candidates(converter: Converter) -> list[str]:
    resolved = resolve(pl.Series([ADDRESS]), on=OLD)
    return list(carried_over(resolved, converter, on=NEW)["candidates"][0])


def square(place: int, *, side: float = SIDE, lat: float = LAT) -> list[list[float]]:
    """Return the ring of one of a row of squares from west to east."""
    west = 105.0 + place * SIDE
    return [[west, lat], [west + side, lat], [west + side, lat + side], [west, lat + side], [west, lat]]


def feature(code: Any, ring: list[list[float]]) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"ma_xa": code}, "geometry": geometry}


def written(folder: Path, *features: dict[str, Any], **more: Any) -> Path:
    path = folder / "communes.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}), encoding="utf-8")
    return path


def ask(converter: Converter, path: Path, codes: list[str], lat: float | None, lon: float | None) -> dict[str, Any]:
    boundaries = load_boundaries(path, known=frozenset(codes))
    resolved = resolve(pl.Series([ADDRESS]), on=OLD)
    points = pl.DataFrame({"lat": [lat], "lon": [lon]}, schema={"lat": pl.Float64, "lon": pl.Float64})
    return carried_over(resolved, converter, on=NEW, boundaries=boundaries, points=points).row(0, named=True)


def row_of(folder: Path, codes: list[str]) -> Path:
    return written(folder, *(feature(code, square(place)) for place, code in enumerate(codes)))


def test_a_coordinate_inside_one_candidate_decides(tmp_path, converter, candidates):
    path = row_of(tmp_path, candidates)
    for place, code in enumerate(candidates):
        answer = ask(converter, path, candidates, LAT + SIDE / 2, 105.0 + (place + 0.5) * SIDE)
        assert (answer["kind"], answer["code"], answer["coordinate"]) == ("one", code, "decides")
        assert answer["candidates"] == candidates


@pytest.mark.parametrize(("metres", "told"), [(10, "near-border"), (49, "near-border"), (51, "decides")])
@pytest.mark.parametrize("across", ["lat", "lon"])
def test_a_coordinate_near_a_border_decides_nothing(tmp_path, converter, candidates, metres, told, across):
    lat, lon = LAT + SIDE / 2, 105.0 + SIDE / 2
    if across == "lat":
        lat = LAT + metres / 110_700  # metres of a degree of latitude here
    else:
        lon = 105.0 + metres / 103_970  # and of longitude, at 21 degrees
    answer = ask(converter, row_of(tmp_path, candidates), candidates, lat, lon)
    assert answer["coordinate"] == told
    assert answer["kind"] == ("one" if told == "decides" else "several")


def test_a_coordinate_outside_all_candidates_disagrees_with_the_text(tmp_path, converter, candidates):
    answer = ask(converter, row_of(tmp_path, candidates), candidates, 10.0, 106.0)
    assert (answer["kind"], answer["code"], answer["coordinate"]) == ("several", None, "outside")


def test_a_commune_that_is_no_candidate_never_wins(tmp_path, converter, candidates):
    path = written(tmp_path, *(feature(code, square(at)) for at, code in enumerate([*candidates, "26740"])))
    lon = 105.0 + (len(candidates) + 0.5) * SIDE
    answer = ask(converter, path, [*candidates, "26740"], LAT + SIDE / 2, lon)
    assert (answer["kind"], answer["coordinate"]) == ("several", "outside")


def test_boundaries_that_overlap_decide_nothing(tmp_path, converter, candidates):
    path = written(tmp_path, *(feature(code, square(0)) for code in candidates))
    answer = ask(converter, path, candidates, LAT + SIDE / 2, 105.0 + SIDE / 2)
    assert (answer["kind"], answer["coordinate"]) == ("several", "overlap")


def test_a_missing_boundary_is_told(tmp_path, converter, candidates):
    path = written(tmp_path, feature(candidates[0], square(0)))
    inside = ask(converter, path, candidates, LAT + SIDE / 2, 105.0 + SIDE / 2)
    elsewhere = ask(converter, path, candidates, LAT + SIDE / 2, 105.0 + 1.5 * SIDE)
    assert (inside["code"], inside["coordinate"]) == (candidates[0], "decides")
    assert (elsewhere["kind"], elsewhere["coordinate"]) == ("several", "no-boundary")


@pytest.mark.parametrize(("lat", "lon"), [(None, 105.0), (21.0, None), (float("nan"), 105.0), (210.0, 105.0)])
def test_no_coordinate_decides_nothing(tmp_path, converter, candidates, lat, lon):
    answer = ask(converter, row_of(tmp_path, candidates), candidates, lat, lon)
    assert (answer["kind"], answer["coordinate"]) == ("several", "no-coordinate")


def test_an_address_that_is_not_divided_is_left_as_it_is(tmp_path, converter, candidates):
    boundaries = load_boundaries(row_of(tmp_path, candidates), known=frozenset(candidates))
    resolved = resolve(pl.Series(["Phường Phúc Xá, Quận Ba Đình, Hà Nội", ADDRESS, None]), on=OLD)
    points = pl.DataFrame({"lat": [LAT + SIDE / 2] * 3, "lon": [105.0 + SIDE / 2] * 3})
    told = carried_over(resolved, converter, on=NEW, boundaries=boundaries, points=points)
    assert told["coordinate"].to_list() == [None, "decides", None]
    assert told["kind"].to_list() == ["one", "one", "unknown"]


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────


def parquet_of(folder: Path, codes: list[Any], *, geo: dict[str, Any] | None = None) -> Path:
    rings = [shapely.to_wkb(shapely.Polygon(square(place))) for place in range(len(codes))]
    table = pa.table({"ma_xa": codes, "geometry": rings})
    if geo is not None:
        table = table.replace_schema_metadata({"geo": json.dumps(geo)})
    path = folder / "communes.parquet"
    parquet.write_table(table, path)
    return path


GEO = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}


@pytest.mark.parametrize("geo", [None, GEO])
def test_parquet_is_read_like_geojson(tmp_path, converter, candidates, geo):
    path = parquet_of(tmp_path, candidates, geo=geo)
    answer = ask(converter, path, candidates, LAT + SIDE / 2, 105.0 + SIDE / 2)
    assert (answer["code"], answer["coordinate"]) == (candidates[0], "decides")


@pytest.mark.parametrize(
    ("features", "faults"),
    [
        ([feature("00001", square(0)), feature("99999", square(1))], ["feature 2: ma_xa 99999 is no commune"]),
        ([feature(1, square(0))], ["feature 1: has no text ma_xa"]),
        ([feature("00001", square(0)), feature("00001", square(1))], ["feature 2: ma_xa 00001 stands in feature 1"]),
        ([feature("00001", square(0)[:-1])], ["feature 1: its geometry cannot be read: a ring is not closed"]),
        (
            [feature("00001", [[105, 21], [105.1, 21.1], [105.1, 21], [105, 21.1], [105, 21]])],
            ["feature 1: its border is not valid: Self-intersection"],
        ),
        ([feature("00001", [[y, x] for x, y in square(0)])], ["feature 1: longitude and latitude are exchanged"]),
        (
            [feature("00001", [[x * 5_000, y * 90_000] for x, y in square(0)])],
            ["feature 1: coordinates are no degrees"],
        ),
        (
            [{"properties": {"ma_xa": "00001"}, "geometry": {"type": "Point", "coordinates": [105, 21]}}],
            ["feature 1: its geometry is no polygon"],
        ),
        ([{"properties": {"ma_xa": "00001"}, "geometry": None}], ["feature 1: has no geometry"]),
        ([], ["the file has no feature"]),
        (
            [feature("99998", square(0)), feature("00001", square(1)[:-1])],
            ["feature 1: ma_xa 99998", "feature 2: its"],
        ),
    ],
)
def test_faults_are_told_with_the_number_of_their_feature(tmp_path, features, faults):
    with pytest.raises(BoundariesNotValid) as caught:
        load_boundaries(written(tmp_path, *features), known=frozenset({"00001"}))
    for fault in faults:
        assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no json", "neither JSON nor Parquet"),
        ("[]", "no GeoJSON FeatureCollection"),
        (
            '{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:9210"}}}',
            "not in WGS84",
        ),
    ],
)
def test_another_file_is_refused(tmp_path, content, reason):
    path = tmp_path / "x.geojson"
    path.write_text(content)
    with pytest.raises(BoundaryFileNotReadable, match=reason):
        load_boundaries(path, known=frozenset())


def test_parquet_of_another_reference_system_is_refused(tmp_path):
    projected = {"id": {"authority": "EPSG", "code": 9210}}
    geo = {**GEO, "columns": {"geometry": {"encoding": "WKB", "crs": projected}}}
    with pytest.raises(BoundaryFileNotReadable, match="not in WGS84"):
        load_boundaries(parquet_of(tmp_path, ["00001"], geo=geo), known=frozenset({"00001"}))
    world = {"id": {"authority": "EPSG", "code": 4326}}
    geo = {**GEO, "columns": {"geometry": {"encoding": "WKB", "crs": world}}}
    assert load_boundaries(parquet_of(tmp_path, ["00001"], geo=geo), known=frozenset({"00001"})).codes == {"00001"}


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BoundaryFileNotReadable):
        load_boundaries(tmp_path / "gone.geojson", known=frozenset())


def test_without_the_library_the_remedy_is_told(tmp_path, monkeypatch):
    def missing() -> None:
        raise GeometryLibraryMissing

    monkeypatch.setattr(shapes_module, "_library", missing)
    with pytest.raises(GeometryLibraryMissing) as caught:
        load_boundaries(tmp_path / "x.geojson", known=frozenset())
    assert "lienthong[geo]" in caught.value.remedy


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────


def command(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["resolve", ADDRESS, "--on", "2025-06-30", "--json", *arguments])


@pytest.fixture
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIENTHONG_CONFIG", raising=False)


@pytest.mark.usefixtures("alone")
def test_the_command_decides_by_a_coordinate(tmp_path, candidates):
    path = row_of(tmp_path, candidates)
    undecided = command("--to", "2026-01-01")
    assert undecided.exit_code == 3
    assert json.loads(undecided.stdout)[0]["then"]["kind"] == "several"
    decided = command("--to", "2026-01-01", "--boundaries", str(path), "--at", f"{LAT + SIDE / 2},{105 + SIDE / 2}")
    assert decided.exit_code == 0, decided.output
    then = json.loads(decided.stdout)[0]["then"]
    assert (then["code"], then["coordinate"]) == (candidates[0], "decides")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--at", "21,105"),
        ("--to", "2026-01-01", "--at", "21;105"),
        ("--to", "2026-01-01", "--at", "105,21"),
        ("--to", "2026-01-01", "--at", "21,105"),  # and no boundaries anywhere
    ],
)
def test_the_command_says_what_is_missing(arguments):
    refused = command(*arguments)
    assert refused.exit_code == 1
    assert "FIL-016" in refused.output
