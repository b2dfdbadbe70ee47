"""Settings: one ``lienthong.toml``, overridden by ``LIENTHONG_…`` variables; the only reader of the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import Actor, LienthongError

SETTINGS_BYTES_MAX = 1_000_000
ENVIRONMENT_PREFIX = "LIENTHONG_"
SETTINGS_NAME = "lienthong.toml"


class SettingsNotFound(LienthongError, code="CFG-001", actor=Actor.OPERATOR):
    """There is no settings file where one was asked for."""

    message = "settings file {path} does not exist"
    hint = "run `lienthong demo` for a working example, or give the file with --config or LIENTHONG_CONFIG"


class SettingsNotReadable(LienthongError, code="CFG-002", actor=Actor.OPERATOR):
    """The settings file is not TOML, or too large."""

    message = "settings file {path} cannot be read: {reason}"
    hint = "correct the file; docs/reference/settings.md lists every key"


class SettingNotValid(LienthongError, code="CFG-003", actor=Actor.OPERATOR):
    """A key is missing, unknown or of the wrong type."""

    message = "setting {key} in {path}: {reason}"
    hint = "correct {key}; docs/reference/settings.md lists every key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Listen:
    """Where a face listens."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceSettings:
    """One link to an agency's database."""

    name: str
    url: str  # libpq URL; a password may stand in password_file instead
    password_file: Path | None
    publication: str
    slot: str
    mappings: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseSettings:
    """How to reach the centre's database in one role."""

    url: str
    password_file: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything the operator decides."""

    path: Path
    folder: Path  # data folder; relative paths of the file start here
    centre: DatabaseSettings  # role that writes
    centre_reader: DatabaseSettings  # role that only reads, for the faces
    centre_access: DatabaseSettings  # role of the gateway: reads and writes the access journal
    gateway: Listen
    portal: Listen
    sources: tuple[SourceSettings, ...]
    dictionary: Path | None  # None: the dictionary shipped with the product


DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "gateway": {"host": "127.0.0.1", "port": 8215},
    "portal": {"host": "127.0.0.1", "port": 8214},
}
TABLES: Mapping[str, frozenset[str]] = {
    "": frozenset({"folder", "dictionary", "centre", "gateway", "portal", "source"}),
    "centre": frozenset({"writer", "reader", "gateway"}),
    "role": frozenset({"url", "password_file"}),
    "gateway": frozenset({"host", "port"}),
    "portal": frozenset({"host", "port"}),
    "source": frozenset({"name", "url", "password_file", "publication", "slot", "mappings"}),
}


class _Table:
    """One table of the file: takes keys by type and refuses what it does not know."""

    def __init__(self, path: Path, name: str, kind: str, content: object) -> None:
        self.path, self.name = path, name
        if not isinstance(content, dict):
            raise SettingNotValid(key=name or "(file)", path=path, reason="must be a table")
        unknown = sorted(set(content) - TABLES[kind])
        if unknown:
            raise SettingNotValid(key=self.key(unknown[0]), path=path, reason="is not a known setting")
        self.content: dict[str, object] = content

    def key(self, name: str) -> str:
        return f"{self.name}.{name}" if self.name else name

    def text(self, name: str, default: str | None = None) -> str:
        value = self.content.get(name, default)
        if not isinstance(value, str) or not value:
            raise SettingNotValid(key=self.key(name), path=self.path, reason="must be a text that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self.content.get(name) is None else self.text(name)

    def port(self, name: str, default: object) -> int:
        value = self.content.get(name, default)
        if isinstance(value, str) and value.isdecimal():  # an override from the environment
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:  # noqa: PLR2004 - ports
            raise SettingNotValid(key=self.key(name), path=self.path, reason="must be a port number, 1 to 65535")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.content.get(name, [])
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise SettingNotValid(key=self.key(name), path=self.path, reason="must be a list of texts")
        return tuple(value)


def _override(content: dict[str, object], environment: Mapping[str, str]) -> None:
    """Put ``LIENTHONG_GATEWAY_PORT`` and the like over the file's values."""
    for table in ("gateway", "portal"):
        for key in TABLES[table]:
            value = environment.get(f"{ENVIRONMENT_PREFIX}{table}_{key}".upper())
            if value is not None:
                inner = content.setdefault(table, {})
                if isinstance(inner, dict):
                    inner[key] = value


def _role(path: Path, folder: Path, name: str, content: object) -> DatabaseSettings:
    table = _Table(path, f"centre.{name}", "role", content)
    password_file = table.optional_text("password_file")
    return DatabaseSettings(
        url=table.text("url"), password_file=None if password_file is None else folder / password_file
    )


def _source(path: Path, folder: Path, index: int, content: object) -> SourceSettings:
    table = _Table(path, f"source[{index}]", "source", content)
    name = table.text("name")
    if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
        raise SettingNotValid(key=table.key("name"), path=path, reason="must be ASCII letters, digits, '-' and '_'")
    password_file = table.optional_text("password_file")
    return SourceSettings(
        name=name,
        url=table.text("url"),
        password_file=None if password_file is None else folder / password_file,
        publication=table.text("publication", "lienthong"),
        slot=table.text("slot", "lienthong_" + name.replace("-", "_").lower()),
        mappings=tuple(folder / mapping for mapping in table.texts("mappings")),
    )


def load_settings(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read and check the settings file, with overrides from the environment.

    Raises:
        SettingsNotFound: there is no such file.
        SettingsNotReadable: it is not TOML, or larger than ``SETTINGS_BYTES_MAX``.
        SettingNotValid: a key is unknown, missing or of the wrong type.
    """
    if not path.is_file():
        raise SettingsNotFound(path=path)
    if path.stat().st_size > SETTINGS_BYTES_MAX:
        raise SettingsNotReadable(path=path, reason=f"larger than {SETTINGS_BYTES_MAX} bytes")
    try:
        content: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise SettingsNotReadable(path=path, reason=str(cause)) from cause
    _override(content, environment)
    top = _Table(path, "", "", content)
    folder = (path.parent / str(content.get("folder", "."))).resolve()
    centre = _Table(path, "centre", "centre", content.get("centre", {}))
    listens = {}
    for name in ("gateway", "portal"):
        table = _Table(path, name, name, content.get(name, {}))
        listens[name] = Listen(
            host=table.text("host", str(DEFAULTS[name]["host"])), port=table.port("port", DEFAULTS[name]["port"])
        )
    sources = content.get("source", [])
    if not isinstance(sources, list):
        raise SettingNotValid(key="source", path=path, reason="must be a list of tables: [[source]]")
    links = tuple(_source(path, folder, index, each) for index, each in enumerate(sources))
    if len({link.name for link in links}) != len(links):
        raise SettingNotValid(key="source", path=path, reason="two sources have the same name")
    dictionary = top.optional_text("dictionary")
    return Settings(
        path=path,
        folder=folder,
        centre=_role(path, folder, "writer", centre.content.get("writer")),
        centre_reader=_role(path, folder, "reader", centre.content.get("reader")),
        centre_access=_role(path, folder, "gateway", centre.content.get("gateway")),
        gateway=listens["gateway"],
        portal=listens["portal"],
        sources=links,
        dictionary=None if dictionary is None else folder / dictionary,
    )


def settings_from_environment() -> Settings:
    """Read the settings file named by ``LIENTHONG_CONFIG``, or ``lienthong.toml`` in the working folder."""
    return load_settings(Path(os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG", SETTINGS_NAME)), os.environ)


def password(url_settings: DatabaseSettings | SourceSettings) -> str | None:
    """Return the password kept beside the settings, if one is."""
    if url_settings.password_file is None:
        return None
    try:
        return url_settings.password_file.read_text(encoding="utf-8").strip()
    except OSError as cause:
        raise SettingNotValid(
            key="password_file", path=url_settings.password_file, reason=cause.strerror or "cannot be read"
        ) from cause
