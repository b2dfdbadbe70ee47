"""The analytical copy of an installation: the centre's changes into a folder, and how fresh the folder is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lienthong.adapters.analytical_copy import CopyFolder
from lienthong.adapters.copy_views import duckdb_views
from lienthong.adapters.postgres.copy_feed import opened
from lienthong.centre.copying import Manifest
from lienthong.centre.tables import derive_table
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.wiring.services import read_dictionary
from lienthong.wiring.settings import Settings, password

__all__ = ["CopyState", "copied_datasets", "copy_states", "duckdb_views", "write_copies"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyState:
    """How a copy stands beside the centre."""

    dataset: DatasetId
    manifest: Manifest
    paths: tuple[str, ...]
    centre_batch: int  # the newest batch that changed the dataset at the centre
    age: timedelta | None  # since the newest batch of the copy was applied; None: it holds none

    @property
    def fresh(self) -> bool:
        """Return whether the copy has everything the centre has."""
        return self.manifest.watermark == self.centre_batch


def copied_datasets(dictionary: Dictionary, only: str | None) -> tuple[DatasetId, ...]:
    """Return the dataset of a name, or all of them.

    Raises:
        DatasetUnknown: there is none of this name.
    """
    if only is None:
        return tuple(sorted(dictionary.datasets))
    if DatasetId(only) not in dictionary.datasets:
        raise DatasetUnknown(wanted=only, known=", ".join(sorted(dictionary.datasets)))
    return (DatasetId(only),)


def write_copies(
    settings: Settings, folder: Path, *, only: str | None, rebuild: bool, clock: Clock | None = None
) -> tuple[CopyState, ...]:
    """Bring copies up to the centre, each with one transaction that reads one state."""
    dictionary = read_dictionary(settings)
    now = clock or SystemClock()
    states = []
    for name in copied_datasets(dictionary, only):
        copies = CopyFolder(folder=folder, spec=derive_table(dictionary, dictionary.datasets[name]))
        with opened(settings.centre_reader.url, dictionary, password=password(settings.centre_reader)) as feed:
            manifest = copies.run(feed, at=now.now(), rebuild=rebuild)
        states.append(_state(copies, manifest, manifest.watermark, now.now()))
    return tuple(states)


def copy_states(
    settings: Settings, folder: Path, *, only: str | None, verify: bool, clock: Clock | None = None
) -> tuple[CopyState, ...]:
    """Say how fresh copies are; with ``verify`` every file is compared with its digest."""
    dictionary = read_dictionary(settings)
    now = clock or SystemClock()
    states = []
    with opened(settings.centre_reader.url, dictionary, password=password(settings.centre_reader)) as feed:
        for name in copied_datasets(dictionary, only):
            copies = CopyFolder(folder=folder, spec=derive_table(dictionary, dictionary.datasets[name]))
            if only is None and not copies.place.exists():
                continue  # nobody asked for a copy of it
            manifest = copies.verify() if verify else copies.manifest()
            states.append(_state(copies, manifest, feed.newest(name)[0], now.now()))
    return tuple(states)


def _state(copies: CopyFolder, manifest: Manifest, centre_batch: int, at: datetime) -> CopyState:
    return CopyState(
        dataset=manifest.dataset,
        manifest=manifest,
        paths=tuple(str(copies.place / each.path) for each in manifest.segments),
        centre_batch=centre_batch,
        age=None if manifest.newest_at is None else at - manifest.newest_at,
    )
