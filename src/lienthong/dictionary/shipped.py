"""Where the data that travels with the product lies: inside the wheel, or in the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lienthong.dictionary.refusals import ShippedDataMissing

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_REPOSITORY: Final = _PACKAGE.parent.parent

_IN_REPOSITORY: Final = {
    "dictionary": "dictionary",
    "contracts": "contracts",
    "errors": "docs/reference/errors",
}


def shipped_folder(name: str) -> Path:
    """Return the folder of shipped data called ``name``: "dictionary", "contracts" or "errors"."""
    assert name in _IN_REPOSITORY, f"no shipped data is called {name}"
    places = (_PACKAGE / "shipped" / name, _REPOSITORY / _IN_REPOSITORY[name])
    for place in places:
        if place.is_dir():
            return place
    raise ShippedDataMissing(name=name, looked=" and ".join(str(place) for place in places))
