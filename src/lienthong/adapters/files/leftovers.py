"""Files of a run that was killed: recognised by the next run with the same output, and removed.

Beside every file that grows stands a marker, ``.<name>.<pid>.part.run``: its first line says whose it is, and the
process that writes the file holds a lock on it as long as it lives. A marker that nobody holds is of a run that ended
without tidying up; only then are it and the files of the same name and process removed. Nothing without a marker is
touched, nor what another process is writing.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARKER: Final = b"lienthong unfinished output 1\n"
PART: Final = ".part"
SECOND: Final = ".2"  # of a file that is written anew
RUN: Final = ".run"
TRIES_MAX: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to write beside a place; held until it is given back or the process ends."""

    fresh: Path
    marker: Path
    handle: int

    def give_back(self) -> None:
        """Remove the marker; the file itself is wherever the run has put it."""
        self.marker.unlink(missing_ok=True)
        os.close(self.handle)


def claim(path: Path) -> Claim:
    """Remove what killed runs left beside a place, and claim a name of this process there.

    Raises:
        OSError: the folder cannot be written.
    """
    remove_leftovers(path)
    fresh = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    marker = fresh.with_name(fresh.name + RUN)
    for _ in range(TRIES_MAX):
        handle = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            continue
        if _is_there(marker, handle):
            os.write(handle, MARKER)
            return Claim(fresh=fresh, marker=marker, handle=handle)
        os.close(handle)  # another process took it for a leftover before it was locked
    raise OSError(f"{marker.name} is locked by another process")


def remove_leftovers(path: Path) -> int:
    """Remove the unfinished files of killed runs with this output; return how many runs they were of."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9]+{re.escape(PART + RUN)}")
    try:
        names = [each.name for each in path.parent.iterdir() if pattern.fullmatch(each.name)]
    except OSError:
        return 0  # writing will say what is wrong with the folder
    return sum(_removed(path.with_name(name)) for name in names)


def _removed(marker: Path) -> bool:
    try:
        handle = os.open(marker, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.read(handle, len(MARKER)) not in (MARKER, b"") or not _is_there(marker, handle):
            return False  # not ours, or just replaced
        fresh = marker.with_name(marker.name.removesuffix(RUN))
        for left in (fresh, fresh.with_name(fresh.name + SECOND), marker):
            left.unlink(missing_ok=True)
    except OSError:
        return False  # a running process holds it, or the folder may not be written: left as it is
    else:
        return True
    finally:
        with suppress(OSError):
            os.close(handle)


def _is_there(marker: Path, handle: int) -> bool:
    """Say whether the file that is open still has its name."""
    try:
        return os.path.samestat(os.fstat(handle), marker.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False
