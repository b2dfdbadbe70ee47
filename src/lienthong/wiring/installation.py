"""A whole installation in one folder: embedded PostgreSQL, an agency's database, the centre, settings, keys."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from lienthong.adapters.postgres import access as access_store
from lienthong.adapters.postgres import dictionary_drafts, time_travel
from lienthong.adapters.postgres import officers as officer_store
from lienthong.adapters.postgres import provision as provisioning
from lienthong.adapters.postgres import reconciling as reconciliation_store
from lienthong.adapters.postgres import repair as repair_store
from lienthong.adapters.postgres import sampling as sample_store
from lienthong.adapters.postgres.provision import Database, allow_reading, provision, user_of
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.exchange.grants import Grant
from lienthong.oversight.officers import Officer, Role
from lienthong.wiring.officers import make_password, open_accounts
from lienthong.wiring.repair_desk import POLICY_NAME
from lienthong.wiring.services import Knowledge, open_store, read_knowledge
from lienthong.wiring.settings import SettingNotValid, Settings, load_settings, password

AGENCY_DATABASE = "agency"
CENTRE_DATABASE = "centre"
AGENCY_OWNER = "agency_owner"
SOURCE_READER = "lienthong_source"
CENTRE_WRITER = "centre_owner"
CENTRE_READER = "centre_reader"
GATEWAY = "lienthong_gateway"
PORTAL = "lienthong_portal"
SOURCE_NAME = "ca-mau"
PUBLICATION = "lienthong"
DEMO_CONSUMER = "demo-consumer"
GRANT_DAYS = 365

DICTIONARY = "demo-dictionary"  # a name that no folder of a source tree has: it is replaced and removed
DEMO_OFFICERS_FILE = "demo-officers"
DEMO_OFFICERS = tuple(
    Officer(name=name, full_name=full_name, agency=agency, roles=frozenset({role}))
    for name, full_name, agency, role in (
        ("de.xuat", "Trần An", "G12", Role.PROPOSER),
        ("ra.soat", "Lê Bình", "G01", Role.REVIEWER),
        ("phe.duyet", "Vũ Chi", "G01", Role.APPROVER),
        ("phat.hanh", "Phạm Dung", "G01", Role.PUBLISHER),
        ("du.lieu", "Ngô Giang", "G12", Role.STEWARD),
        ("danh.gia", "Đỗ Hà", "G01", Role.ASSESSOR),
        ("lanh.dao", "Bùi Khang", "G01", Role.LEADER),
        ("quan.tri", "Hồ Linh", "G01", Role.ADMINISTRATOR),
    )
)

DEMO_OWNERS = ("Sở Tài chính tỉnh Cà Mau", "Công an tỉnh Cà Mau")  # as the demonstration's mapping files name them

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A running installation."""

    folder: Path
    server: PostgresServer
    settings_path: Path

    def agency_url(self) -> str:
        """Return the agency owner's URL, password included; for the agency's own process only."""
        host = quote(str(self.server.socket_folder), safe="")
        secret = quote(_secret(self.folder, AGENCY_OWNER), safe="")
        return f"postgresql://{AGENCY_OWNER}:{secret}@/{AGENCY_DATABASE}?host={host}&port={self.server.port}"

    def mappings_folder(self) -> Path:
        """Return where the mapping files lie."""
        return self.folder / "mappings"

    def demo_officers_file(self) -> Path:
        """Return where names and passwords of the demonstration's officers stand, for its owner only."""
        return _secret_path(self.folder, DEMO_OFFICERS_FILE)

    def demo_key(self) -> str:
        """Return the demonstration consumer's access key."""
        return _secret_path(self.folder, "demo-access-key").read_text(encoding="utf-8").strip()


def _secret_path(folder: Path, name: str) -> Path:
    return folder / "secrets" / name


def _write_secret(folder: Path, name: str, value: str) -> None:
    path = _secret_path(folder, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written beside and renamed, so that a crash leaves the old secret or the new one, never half of one.
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _secret(folder: Path, name: str) -> str:
    path = _secret_path(folder, name)
    if not path.exists():
        _write_secret(folder, name, secrets.token_urlsafe(24))
    return path.read_text(encoding="utf-8").strip()


def _url(server: PostgresServer, role: str, database: str) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(server.socket_folder), safe='')}&port={server.port}"


def _settings_text(server: PostgresServer, *, gateway_port: int, portal_port: int) -> str:
    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    roles = "".join(
        f"\n[centre.{name}]\nurl = {quoted(_url(server, role, CENTRE_DATABASE))}\n"
        f"password_file = {quoted(f'secrets/{role}')}\n"
        for name, role in (
            *(("writer", CENTRE_WRITER), ("reader", CENTRE_READER)),
            *(("gateway", GATEWAY), ("portal", PORTAL)),
        )
    )
    return (
        "# Written by `lienthong demo` at each start; docs/reference/settings.md lists every key.\n"
        f"dictionary = {quoted(DICTIONARY)}\n"
        f"{roles}\n"
        "[measuring]\nevery_minutes = 1\n\n"
        f'[gateway]\nhost = "127.0.0.1"\nport = {gateway_port}\n\n'
        f'[portal]\nhost = "127.0.0.1"\nport = {portal_port}\n\n'
        f"[[source]]\nname = {quoted(SOURCE_NAME)}\nurl = {quoted(_url(server, SOURCE_READER, AGENCY_DATABASE))}\n"
        f"password_file = {quoted(f'secrets/{SOURCE_READER}')}\npublication = {quoted(PUBLICATION)}\n"
        'mappings = ["mappings/doanh_nghiep.yaml", "mappings/nhan_khau.yaml"]\n'
    )


def start_installation(
    folder: Path, *, gateway_port: int, portal_port: int, progress: Progress, extra: dict[str, str] | None = None
) -> Installation:
    """Start (or go on with) the installation in a folder: server, roles, databases, settings file.

    Every step can be repeated: a start that was killed half-way is finished by the next one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = PostgresServer.start(ServerConfig(folder=folder / "postgresql", extra=extra or {}), progress=progress)
    progress("roles and databases")
    provision(
        server.url("postgres", server.superuser),
        password=server.password,
        roles=[
            provisioning.Role(name=AGENCY_OWNER, password=_secret(folder, AGENCY_OWNER)),
            provisioning.Role(name=SOURCE_READER, password=_secret(folder, SOURCE_READER), replication=True),
            provisioning.Role(name=CENTRE_WRITER, password=_secret(folder, CENTRE_WRITER)),
            provisioning.Role(name=CENTRE_READER, password=_secret(folder, CENTRE_READER)),
            provisioning.Role(name=GATEWAY, password=_secret(folder, GATEWAY)),
            provisioning.Role(name=PORTAL, password=_secret(folder, PORTAL)),
        ],
        databases=[
            Database(name=AGENCY_DATABASE, owner=AGENCY_OWNER, guests=(SOURCE_READER,)),
            Database(name=CENTRE_DATABASE, owner=CENTRE_WRITER, guests=(CENTRE_READER, GATEWAY, PORTAL)),
        ],
    )
    _own_dictionary(folder, server)
    _own_repair_policy(folder)
    settings_path = folder / "lienthong.toml"
    settings_path.write_text(
        _settings_text(server, gateway_port=gateway_port, portal_port=portal_port), encoding="utf-8"
    )
    return Installation(folder=folder, server=server, settings_path=settings_path)


def _own_dictionary(folder: Path, server: PostgresServer) -> None:
    """Keep a copy of the dictionary for its officers to change: the shipped one until they proposed something."""
    place, fresh = folder / DICTIONARY, folder / f"{DICTIONARY}.new"
    url, secret = _url(server, CENTRE_WRITER, CENTRE_DATABASE), _secret(folder, CENTRE_WRITER)
    with dictionary_drafts.looking(url, password=secret) as register:
        decided = bool(register.history.by_item)
    if decided and place.is_dir():
        return
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(shipped_folder("dictionary"), fresh)
    shutil.rmtree(place, ignore_errors=True)
    fresh.replace(place)


def _own_repair_policy(folder: Path) -> None:
    """Name the code under which the demonstration's steward acts for the owners its mapping files name."""
    code = next(officer.agency for officer in DEMO_OFFICERS if Role.STEWARD in officer.roles)
    names = "".join(f"  {json.dumps(owner, ensure_ascii=False)}: {code}\n" for owner in DEMO_OWNERS)
    shipped = (shipped_folder("dictionary") / "plan" / POLICY_NAME).read_text(encoding="utf-8")
    text = shipped.replace("agencies: {}", f"# Minh họa: mã cơ quan của tài khoản mẫu.\nagencies:\n{names}".rstrip())
    (folder / POLICY_NAME).write_text(text, encoding="utf-8")


def ready_centre(settings: Settings, knowledge: Knowledge) -> tuple[str, str]:
    """Create or extend the centre's tables and give the faces' roles their rights; repeating it changes nothing else.

    Returns the names of the reading role and of the gateway's role.
    """
    secret = password(settings.centre)
    reader, gateway = user_of(settings.centre_reader.url), user_of(settings.centre_access.url)
    for key, role in (("centre.reader.url", reader), ("centre.gateway.url", gateway)):
        if not role:
            raise SettingNotValid(key=key, path=settings.path, reason="must name the role: postgresql://role@…")
    open_store(settings, knowledge).close()
    time_travel.install(settings.centre.url, password=secret, dictionary=knowledge.dictionary)
    allow_reading(settings.centre.url, password=secret, role=reader)
    access_store.install(settings.centre.url, password=secret, gateway_role=gateway, reader_role=reader)
    dictionary_drafts.install(settings.centre.url, password=secret)
    sample_store.install(settings.centre.url, password=secret, reader_role=reader)
    reconciliation_store.install(settings.centre.url, password=secret, reader_role=reader)
    officer_store.install(settings.centre.url, password=secret, portal_role=_portal_role(settings))
    repair_store.install(
        settings.centre.url, password=secret, officer_role=_portal_role(settings), gateway_role=gateway
    )
    return reader, gateway


def _portal_role(settings: Settings) -> str | None:
    """Return the role of the portal; None where nobody signs in."""
    if settings.sign_in is None:
        return None
    role = user_of(settings.sign_in.role.url)
    if not role:
        raise SettingNotValid(
            key="centre.portal.url", path=settings.path, reason="must name the role: postgresql://role@…"
        )
    return role


def prepare_centre(installation: Installation, *, today: date) -> None:
    """Create the centre's tables, the rights of the faces' roles, and one consumer with a grant to try the API."""
    settings = load_settings(installation.settings_path, {})
    knowledge = read_knowledge(settings)
    ready_centre(settings, knowledge)
    _make_demo_officers(installation, settings)
    if _secret_path(installation.folder, "demo-access-key").exists():
        return
    dataset = DatasetId("doanh-nghiep")
    elements = {
        knowledge.dictionary.elements[member.element].technical_name
        for member in knowledge.dictionary.datasets[dataset].members
    }
    key = access_store.issue(
        settings.centre.url,
        password=_secret(installation.folder, CENTRE_WRITER),
        random=secrets.token_bytes(32),
        grant=Grant(
            agency=DEMO_CONSUMER,
            dataset=dataset,
            elements=frozenset(elements),
            purpose="demonstration on this machine",
            legal_basis="none: public register extract",
            valid_from=today,
            valid_to=today + timedelta(days=GRANT_DAYS),
        ),
    )
    _write_secret(installation.folder, "demo-access-key", key)


def _make_demo_officers(installation: Installation, settings: Settings) -> None:
    """Make an officer of every role with a password that only the demo's own folder knows."""
    if _secret_path(installation.folder, DEMO_OFFICERS_FILE).exists():
        return
    accounts = open_accounts(settings, actor="lienthong demo")
    known = {account.officer.name for account in accounts.listed(every=True)}
    lines = ["# name  password  agency  full name  roles (đăng nhập tại cổng thông tin của bản thử)"]
    for officer in DEMO_OFFICERS:
        secret = make_password()
        if officer.name in known:
            # Made by a start that was killed before the file was written.
            accounts.reset(officer.name, password=secret)
        else:
            accounts.add(officer, password=secret, one_time=False)
        roles = ",".join(sorted(role.value for role in officer.roles))
        lines.append(f"{officer.name}  {secret}  {officer.agency}  {officer.full_name}  {roles}")
    _write_secret(installation.folder, DEMO_OFFICERS_FILE, "\n".join(lines))


def remove_installation(folder: Path) -> None:
    """Stop the server of an installation and delete everything it made; refuses a folder that is not one."""
    remove(folder / "postgresql")
    for name in ("lienthong.toml", "truth.parquet", POLICY_NAME):
        (folder / name).unlink(missing_ok=True)
    for name in (DICTIONARY, f"{DICTIONARY}.new"):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
    for name in ("secrets", "mappings", "logs"):
        part = folder / name
        if part.is_dir():
            for file in part.iterdir():
                file.unlink()
            part.rmdir()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
