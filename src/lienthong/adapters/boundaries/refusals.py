"""What can be refused about a file of boundaries."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class BoundaryFileNotReadable(LienthongError, code="STD-050", actor=Actor.OPERATOR):
    """The file is not there, too large, or neither GeoJSON nor Parquet."""

    message = "boundary file {path} cannot be read: {reason}"
    hint = "{fix}"


class BoundariesNotValid(LienthongError, code="STD-051", actor=Actor.OPERATOR):
    """Features of the file cannot be boundaries of communes."""

    message = "boundary file {path} has {count} fault(s):\n{faults}"
    hint = "mend the features in a map program and export again; nothing of the file is used until all are right"


class GeometryLibraryMissing(LienthongError, code="STD-052", actor=Actor.OPERATOR):
    """Coordinates need a library that is not installed."""

    message = "coordinates need the library shapely, which is not installed"
    hint = "install it with: pip install 'lienthong[geo]'"
