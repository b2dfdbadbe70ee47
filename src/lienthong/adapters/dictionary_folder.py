"""The dictionary's files on disk: found, tried out beside, and replaced all together or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from lienthong.dictionary.governance import ItemKey, version_key
from lienthong.dictionary.governance_refusals import FolderNotOurs
from lienthong.dictionary.items import VERSION
from lienthong.dictionary.load import BESIDE, FOLDERS, RELEASE, load
from lienthong.dictionary.model import Dictionary
from lienthong.dictionary.proposals import ENDINGS, FOLDER_OF, YAML
from lienthong.dictionary.release import Release, read_release

RELEASES: Final = "releases"
VERSIONS: Final = "versions"  # files that were replaced, each under its hash
STAGE: Final = ".publishing"
PLAN: Final = "plan.json"
FILE_BYTES_MAX: Final = 50_000_000
SHORT_HASH: Final = 16

_KIND_OF: Final = {folder: kind for kind, folder in FOLDER_OF.items()}
_KEPT: Final = re.compile(r".*@([0-9a-f]{16})(\.[a-z]+)?\.(yaml|csv)")


def places(folder: Path) -> dict[ItemKey, str]:
    """Return where each item lies: path below the folder, without ending."""
    found = {}
    for name in FOLDERS:
        for path in sorted((folder / name).rglob("*" + YAML)):
            place = path.relative_to(folder).as_posix().removesuffix(YAML)
            found[ItemKey(kind=_KIND_OF[name], id=path.stem)] = place
    return found


def files_at(folder: Path, place: str) -> dict[str, bytes]:
    """Return the files of one item by their ending."""
    found = {}
    for ending in ENDINGS:
        path = folder / (place + ending)
        if path.is_file():
            found[ending] = path.read_bytes()
    return found


def files_beside(folder: Path) -> dict[str, bytes]:
    """Return the files that belong to the dictionary and to no item of it: path below the folder → bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in BESIDE
        for path in sorted((folder / name).rglob("*"))
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".md"  # read by nobody but people
    }


def read_text(path: Path) -> str:
    """Return a text that somebody proposes.

    Raises:
        FolderNotOurs: it cannot be read, or is too large or not UTF-8.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise FolderNotOurs(reason=f"{path} is larger than {FILE_BYTES_MAX} bytes")
        return path.read_bytes().decode("utf-8")
    except OSError as cause:
        raise FolderNotOurs(reason=f"{path}: {cause.strerror}") from cause
    except UnicodeDecodeError as cause:
        raise FolderNotOurs(reason=f"{path} is not UTF-8") from cause


def tried(folder: Path, files: Mapping[str, str]) -> Dictionary:
    """Return the dictionary as it would be with some files in place; the folder itself is not touched.

    Raises:
        DictionaryNotValid: with every problem.
    """
    with tempfile.TemporaryDirectory(prefix="lienthong-dictionary-") as name:
        place = Path(name)
        shutil.copy(folder / RELEASE, place / RELEASE)
        for kind in FOLDERS:
            shutil.copytree(folder / kind, place / kind)
        for kind in BESIDE:
            if (folder / kind).is_dir():
                shutil.copytree(folder / kind, place / kind)
        for path, text in files.items():
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        return load(place)


def built(files: Mapping[str, bytes], version: str) -> Dictionary:
    """Return the dictionary that some files make, such as those of a release."""
    with tempfile.TemporaryDirectory(prefix="lienthong-release-") as name:
        place = Path(name)
        for kind in FOLDERS:
            (place / kind).mkdir()
        head = f"sources:\n  - document: release\n    trust: own\nstatus: approved\nversion: {version}\n"
        (place / RELEASE).write_text(head, encoding="utf-8")
        for path, content in files.items():
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return load(place)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the folder for one writer, after finishing what a writer before may have left half done.

    Raises:
        FolderNotOurs: it is not there, not writable, or another writer holds it.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as cause:
        raise FolderNotOurs(reason=f"{folder}: {cause.strerror}") from cause
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise FolderNotOurs(reason=f"another command is writing {folder}") from cause
        if not os.access(folder, os.W_OK):
            raise FolderNotOurs(reason=f"{folder} is not writable")
        recover(folder)
        yield
    finally:
        os.close(handle)


def replace_files(folder: Path, files: Mapping[str, str]) -> None:
    """Put files in place, all or none; what they replace is kept under ``versions``.

    The plan file is the point of no return: before it nothing has changed, after it ``recover`` finishes.
    """
    stage = folder / STAGE
    try:
        stage.mkdir()
        for number, text in enumerate(files.values()):
            _write(stage / f"{number}.new", text.encode())
        _write(stage / "plan.tmp", json.dumps(list(files), ensure_ascii=False).encode())
        _sync(stage)
        (stage / "plan.tmp").rename(stage / PLAN)
        _sync(stage)
    except OSError as cause:
        shutil.rmtree(stage, ignore_errors=True)
        raise FolderNotOurs(reason=f"{folder}: {cause.strerror}; nothing was changed") from cause
    recover(folder)


def recover(folder: Path) -> None:
    """Finish, or take back, a replacement that was cut off."""
    stage = folder / STAGE
    if not stage.is_dir():
        return
    if (stage / PLAN).is_file():
        for number, path in enumerate(json.loads((stage / PLAN).read_bytes())):
            fresh = stage / f"{number}.new"
            if fresh.is_file():  # else it was put in place before the cut
                keep(folder, path)
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                fresh.replace(target)
                _sync(target.parent)
        (stage / PLAN).unlink()
    shutil.rmtree(stage)
    _sync(folder)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep(folder: Path, path: str) -> None:
    """Keep the bytes a file has now, named by their hash; release.yaml and releases have no versions."""
    present = folder / path
    if path.partition("/")[0] not in {*FOLDERS, *BESIDE} or not present.is_file():
        return
    content = present.read_bytes()
    stem, dot, ending = path.partition(".")
    kept = folder / VERSIONS / f"{stem}@{sha256(content).hexdigest()[:SHORT_HASH]}{dot}{ending}"
    if kept.is_file() and kept.read_bytes() == content:
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_name(kept.name + ".new")
    _write(fresh, content)
    fresh.replace(kept)
    _sync(kept.parent)


def find_released(folder: Path, files: Mapping[str, str]) -> tuple[dict[str, bytes], list[str]]:
    """Return the bytes of released files, by path, and the paths whose bytes are nowhere any more."""
    found: dict[str, bytes] = {}
    missing: list[str] = []
    for path, wanted in files.items():
        stem, dot, ending = path.partition(".")
        candidates = (folder / path, folder / VERSIONS / f"{stem}@{wanted[:SHORT_HASH]}{dot}{ending}")
        for candidate in candidates:
            content = candidate.read_bytes() if candidate.is_file() else None
            if content is not None and sha256(content).hexdigest() == wanted:
                found[path] = content
                break
        else:
            missing.append(path)
    return found, missing


def damaged_versions(folder: Path) -> list[str]:
    """Return kept files whose bytes are not those of their name."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted((folder / VERSIONS).rglob("*"))
        if (match := _KEPT.fullmatch(path.name)) and not sha256(path.read_bytes()).hexdigest().startswith(match[1])
    ]


def release_file(folder: Path, version: str) -> Path:
    """Return where the file of a release lies."""
    return folder / RELEASES / f"{version}.json"


def released_versions(folder: Path) -> list[str]:
    """Return the versions released so far, in no order."""
    return [path.stem for path in (folder / RELEASES).glob("*.json")]


def latest_release(folder: Path) -> tuple[Release, bytes] | None:
    """Return the newest release in a folder with its bytes, or None where there is none.

    Raises:
        ReleaseNotTrue: the file is no release.
    """
    versions = [one for one in released_versions(folder) if VERSION.fullmatch(one)]
    if not versions:
        return None
    name = max(versions, key=version_key)
    content = release_file(folder, name).read_bytes()
    return read_release(content, name=name), content


def read_optional(path: Path) -> bytes | None:
    """Return the bytes of a file, or None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
