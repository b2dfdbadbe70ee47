"""The analytical copy in a folder: Parquet segments by bucket, a manifest replaced in one step.

Order of every change: new files are written and flushed to the disk, then the manifest is replaced, and what the new
one no longer names is removed by the next run, so that a reader that began with the old one can finish. A process
killed anywhere leaves a manifest whose files are all there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from lienthong.centre.copying import (
    BUCKET,
    BUCKETS,
    MANIFEST,
    SEGMENTS_MAX,
    ChangeFeed,
    Manifest,
    Segment,
    copied_schema,
    crowded,
    live,
    parse_manifest,
    render_manifest,
)
from lienthong.centre.copying_refusals import (
    CopyAhead,
    CopyDamaged,
    CopyFolderRefused,
    CopyMissing,
    CopyShapeDiffers,
    CopyUnderWay,
)
from lienthong.centre.tables import TableSpec
from lienthong.dictionary.model import DatasetId

OWNER_ONLY: Final = 0o700
LOCK: Final = ".lock"
UNFINISHED: Final = ".new"
CHUNK_BYTES: Final = 1 << 20


def nothing_happens(step: str) -> None:
    """Stand where a test ends the process between two steps."""
    del step


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyFolder:
    """The copy of one dataset; personal data lies in it, so only its owner may open the folder."""

    folder: Path  # of all copies
    spec: TableSpec
    buckets: int = BUCKETS
    segments_max: int = SEGMENTS_MAX
    between: Callable[[str], None] = nothing_happens

    @property
    def place(self) -> Path:
        """Return the folder of this dataset's copy."""
        return self.folder / self.spec.dataset

    def manifest(self) -> Manifest:
        """Return what the copy consists of.

        Raises:
            CopyMissing: there is none.
            CopyDamaged: the manifest or a file is not what it was.
        """
        try:
            text = (self.place / MANIFEST).read_bytes()
        except FileNotFoundError as cause:
            raise CopyMissing(dataset=self.spec.dataset, path=self.folder) from cause
        except OSError as cause:
            raise CopyFolderRefused(path=self.folder, reason=cause.strerror or "cannot be read") from cause
        found = parse_manifest(text, path=str(self.place))
        for segment in found.segments:
            path = self.place / segment.path
            if not path.is_file() or path.stat().st_size != segment.size:
                raise CopyDamaged(path=str(self.place), reason=f"{segment.path} is missing or has another size")
        return found

    def paths(self) -> list[str]:
        """Return the files that readers read."""
        return [str(self.place / segment.path) for segment in self.manifest().segments]

    def verify(self) -> Manifest:
        """Return the manifest after every file was compared with its digest.

        Raises:
            CopyDamaged: a file is not what was written.
        """
        found = self.manifest()
        for segment in found.segments:
            if _sha256(self.place / segment.path) != segment.sha256:
                raise CopyDamaged(path=str(self.place), reason=f"{segment.path} has another content")
        return found

    def run(self, feed: ChangeFeed, *, at: datetime, rebuild: bool = False) -> Manifest:
        """Append what happened since the last run, put crowded buckets together; return the new manifest.

        Raises:
            CopyShapeDiffers, CopyAhead, CopyDamaged: only a rebuild helps.
            CopyUnderWay: another process writes here.
        """
        _require_private(self.folder)
        with self._locked():
            known = None if rebuild else self._known()
            if known is not None:
                self._require_fitting(known)
            self._remove_others(self._named())
            watermark, newest_at = feed.newest(DatasetId(self.spec.dataset))
            after = 0 if known is None else known.watermark
            if watermark < after:
                raise CopyAhead(dataset=self.spec.dataset, copied=after, centre=watermark)
            fresh = [] if watermark == after else self._append(feed, after=after, up_to=watermark)
            if known is None and not fresh:  # a reader finds the columns even of a dataset without a record
                fresh = [self._write(_nothing(self.spec), 0, f"{0:012}-{secrets.token_hex(4)}", after=0, up_to=0)]
            made = Manifest(
                dataset=DatasetId(self.spec.dataset), columns=self._columns(), buckets=self.buckets,
                watermark=watermark, newest_at=newest_at, written_at=at,
                segments=((() if known is None else known.segments) + tuple(fresh)),
            )  # fmt: skip
            made = self._put_together(made)
            self._publish(made)
        return made

    # -- inside ------------------------------------------------------------------------------------------------

    def _known(self) -> Manifest | None:
        try:
            return self.manifest()
        except CopyMissing:
            return None

    def _named(self) -> set[str]:
        """Return the files readers may be reading; of a damaged copy nothing is worth keeping."""
        try:
            found = parse_manifest((self.place / MANIFEST).read_bytes(), path=str(self.place))
        except (FileNotFoundError, CopyDamaged):
            return set()
        return {each.path for each in found.segments}

    def _columns(self) -> tuple[str, ...]:
        return tuple(f"{name} {dtype}" for name, dtype in copied_schema(self.spec).items())

    def _require_fitting(self, known: Manifest) -> None:
        if known.columns != self._columns() or known.buckets != self.buckets:
            raise CopyShapeDiffers(dataset=self.spec.dataset)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.place.mkdir(mode=OWNER_ONLY, exist_ok=True)
        handle = os.open(self.place / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as cause:
                raise CopyUnderWay(path=self.place) from cause
            yield
        finally:
            os.close(handle)

    def _remove_others(self, kept: set[str]) -> None:
        """Remove what no manifest names: left by a killed run, or replaced by the last one."""
        for path in sorted(self.place.glob("bucket-*/*")):
            if path.relative_to(self.place).as_posix() not in kept:
                path.unlink()

    def _append(self, feed: ChangeFeed, *, after: int, up_to: int) -> list[Segment]:
        made: list[Segment] = []
        run = secrets.token_hex(4)  # no run ever writes over a file that a reader may have open
        for place, block in enumerate(feed.versions(DatasetId(self.spec.dataset), after=after, buckets=self.buckets)):
            for (bucket,), rows in sorted(block.partition_by(BUCKET, as_dict=True).items()):
                name = f"{up_to:012}-{place:06}-{run}"
                made.append(self._write(rows.drop(BUCKET), int(bucket), name, after=after, up_to=up_to))
        return made

    def _put_together(self, manifest: Manifest) -> Manifest:
        """Write each crowded bucket as one segment without open versions that have ended."""
        run = secrets.token_hex(4)
        for bucket in crowded(manifest.segments, limit=self.segments_max):
            old = [each for each in manifest.segments if each.bucket == bucket]
            rows = live(pl.concat([pl.read_parquet(self.place / each.path) for each in old]))
            whole = self._write(
                rows.sort("_record_id", "_valid_from", "_batch"), bucket,
                f"{manifest.watermark:012}-whole-{run}",
                after=0, up_to=manifest.watermark,
            )  # fmt: skip
            rest = tuple(each for each in manifest.segments if each.bucket != bucket)
            manifest = replace(manifest, segments=(*rest, whole))
        return manifest

    def _write(self, rows: pl.DataFrame, bucket: int, name: str, *, after: int, up_to: int) -> Segment:
        folder = self.place / f"bucket-{bucket:02}"
        folder.mkdir(mode=OWNER_ONLY, exist_ok=True)
        path = folder / f"{name}.parquet"
        fresh = path.with_suffix(UNFINISHED)
        rows.select(list(copied_schema(self.spec))).write_parquet(fresh)
        fresh.chmod(0o600)
        self.between("written")
        _flush(fresh)
        fresh.replace(path)
        _flush(folder)
        self.between("named")
        return Segment(
            path=path.relative_to(self.place).as_posix(), bucket=bucket, after_batch=after, up_to_batch=up_to,
            rows=rows.height, size=path.stat().st_size, sha256=_sha256(path),
        )  # fmt: skip

    def _publish(self, manifest: Manifest) -> None:
        fresh = self.place / f"{MANIFEST}{UNFINISHED}"
        fresh.write_bytes(render_manifest(manifest))
        fresh.chmod(0o600)
        _flush(fresh)
        self.between("manifest written")
        fresh.replace(self.place / MANIFEST)
        _flush(self.place)
        self.between("manifest named")


def _require_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as cause:
        raise CopyFolderRefused(path=folder, reason=cause.strerror or "cannot be made") from cause
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise CopyFolderRefused(path=folder, reason="others than its owner may open it")
    if found.st_uid != os.geteuid():
        raise CopyFolderRefused(path=folder, reason="it belongs to somebody else")


def _nothing(spec: TableSpec) -> pl.DataFrame:
    return pl.DataFrame(schema=copied_schema(spec))


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
