"""Settings: one ``lienthong.toml``, overridden by ``LIENTHONG_…`` variables; the only reader of the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lienthong.errors import Actor, LienthongError

SETTINGS_BYTES_MAX = 1_000_000
ENVIRONMENT_PREFIX = "LIENTHONG_"
SETTINGS_NAME = "lienthong.toml"
SESSION_HOURS_MAX = 24
MEASURING_MINUTES_MAX = 1_440
RECONCILING_WAIT_MINUTES_MAX = 9  # a source ends a transaction that rests for ten


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
class SignIn:
    """How officers sign in to the portal."""

    role: DatabaseSettings  # role of the portal: accounts and drafts of the dictionary, nothing else
    session_max: timedelta = timedelta(hours=8)  # however busy
    session_idle_max: timedelta = timedelta(minutes=30)
    certificate: Path | None = None  # PEM with the chain; together with the key: the portal speaks TLS
    certificate_key: Path | None = None
    names: tuple[str, ...] = ()  # host names under which browsers reach the portal


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuringSettings:
    """When the records of the centre are measured by themselves."""

    every_minutes: int = 5  # what changed; 0: only when somebody asks
    whole_at_hour: int = 2  # of the night in Vietnam: every record
    limit_minutes: int = 15  # for one statement


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconcilingSettings:
    """When source and centre are compared by themselves."""

    nightly: bool = True  # False: only when somebody asks
    at_hour: int = 1  # of the night in Vietnam
    wait_minutes: int = 5  # for the link to reach the position the source was read at


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
    boundaries: Path | None = None  # boundaries of communes; None: coordinates decide nothing
    dictionary_key: Path | None = None  # PEM public key: only what its owner signed is used
    local_rules: Path | None = None  # folder of the operator's own rules, which show and do not score
    sign_in: SignIn | None = None  # None: the portal has no sign-in
    measuring: MeasuringSettings = MeasuringSettings()
    reconciling: ReconcilingSettings = ReconcilingSettings()


DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "gateway": {"host": "127.0.0.1", "port": 8215},
    "portal": {"host": "127.0.0.1", "port": 8214},
}
TABLES: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            "folder",
            "dictionary",
            "boundaries",
            "dictionary_key",
            "local_rules",
            "centre",
            "gateway",
            "portal",
            "measuring",
            "reconciling",
            "source",
        }
    ),
    "measuring": frozenset({"every_minutes", "whole_at_hour", "limit_minutes"}),
    "reconciling": frozenset({"nightly", "at_hour", "wait_minutes"}),
    "centre": frozenset({"writer", "reader", "gateway", "portal"}),
    "role": frozenset({"url", "password_file"}),
    "gateway": frozenset({"host", "port"}),
    "portal": frozenset(
        {"host", "port", "session_hours", "session_idle_minutes", "certificate", "certificate_key", "names"}
    ),
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

    def whole(self, name: str, default: int, *, most: int) -> int:
        value = self.content.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
            raise SettingNotValid(key=self.key(name), path=self.path, reason=f"must be a whole number, 1 to {most}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.content.get(name, [])
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise SettingNotValid(key=self.key(name), path=self.path, reason="must be a list of texts")
        return tuple(value)


def _override(content: dict[str, object], environment: Mapping[str, str]) -> None:
    """Put ``LIENTHONG_GATEWAY_PORT`` and the like over the file's values."""
    for table in ("gateway", "portal"):
        for key in TABLES["gateway"]:
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


def _sign_in(path: Path, folder: Path, role: object, portal: object) -> SignIn | None:
    """Return how officers sign in; None where the settings name no role for the portal."""
    table = _Table(path, "portal", "portal", portal)
    hours = table.whole("session_hours", 8, most=SESSION_HOURS_MAX)
    minutes = table.whole("session_idle_minutes", 30, most=SESSION_HOURS_MAX * 60)
    certificate, key = table.optional_text("certificate"), table.optional_text("certificate_key")
    if (certificate is None) != (key is None):
        reason = "certificate and certificate_key go together"
        raise SettingNotValid(key="portal.certificate", path=path, reason=reason)
    if role is None:
        return None
    return SignIn(
        role=_role(path, folder, "portal", role),
        session_max=timedelta(hours=hours),
        session_idle_max=timedelta(minutes=minutes),
        certificate=None if certificate is None else folder / certificate,
        certificate_key=None if key is None else folder / key,
        names=table.texts("names") if "names" in table.content else (),
    )


def _measuring(path: Path, content: object) -> MeasuringSettings:
    table, usual = _Table(path, "measuring", "measuring", content), MeasuringSettings()

    def number(name: str, default: int, *, most: int) -> int:
        # Here 0 means something; False does not, though Python takes it for 0.
        asked = table.content.get(name)
        return 0 if asked == 0 and not isinstance(asked, bool) else table.whole(name, default, most=most)

    return MeasuringSettings(
        every_minutes=number("every_minutes", usual.every_minutes, most=MEASURING_MINUTES_MAX),
        whole_at_hour=number("whole_at_hour", usual.whole_at_hour, most=23),
        limit_minutes=table.whole("limit_minutes", usual.limit_minutes, most=MEASURING_MINUTES_MAX),
    )


def _reconciling(path: Path, content: object) -> ReconcilingSettings:
    table, usual = _Table(path, "reconciling", "reconciling", content), ReconcilingSettings()
    nightly, hour = table.content.get("nightly", usual.nightly), table.content.get("at_hour", usual.at_hour)
    if not isinstance(nightly, bool):
        raise SettingNotValid(key=table.key("nightly"), path=path, reason="must be true or false")
    if not isinstance(hour, int) or isinstance(hour, bool) or not 0 <= hour <= 23:  # noqa: PLR2004 - hours of a day
        raise SettingNotValid(key=table.key("at_hour"), path=path, reason="must be a whole number, 0 to 23")
    return ReconcilingSettings(
        nightly=nightly,
        at_hour=hour,
        wait_minutes=table.whole("wait_minutes", usual.wait_minutes, most=RECONCILING_WAIT_MINUTES_MAX),
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
    dictionary, dictionary_key = top.optional_text("dictionary"), top.optional_text("dictionary_key")
    if dictionary_key is not None and dictionary is None:
        reason = "needs the setting dictionary too: the shipped dictionary has no releases"
        raise SettingNotValid(key="dictionary_key", path=path, reason=reason)
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
        boundaries=None if (boundaries := top.optional_text("boundaries")) is None else folder / boundaries,
        dictionary_key=None if dictionary_key is None else folder / dictionary_key,
        local_rules=None if (rules := top.optional_text("local_rules")) is None else folder / rules,
        sign_in=_sign_in(path, folder, centre.content.get("portal"), content.get("portal", {})),
        measuring=_measuring(path, content.get("measuring", {})),
        reconciling=_reconciling(path, content.get("reconciling", {})),
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
