"""An installation with a small dictionary and officers of every role, for tests of the portal with sign-in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from governance_dictionary import write_dictionary
from lienthong.oversight.officers import Officer, Role
from lienthong.wiring.installation import ready_centre
from lienthong.wiring.officers import Accounts, open_accounts
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import Settings, load_settings

PASSWORD = "bốn từ không dính nhau"
OFFICERS = tuple(
    Officer(name=name, full_name=full_name, agency=agency, roles=frozenset(roles))
    for name, full_name, agency, roles in (
        ("de.xuat", "Trần An", "G12", {Role.PROPOSER}),
        ("ra.soat", "Lê Bình", "G01", {Role.REVIEWER}),
        ("phe.duyet", "Vũ Chi", "G01", {Role.APPROVER}),
        ("phat.hanh", "Phạm Dung", "G01", {Role.PUBLISHER}),
        ("moi.vai", "Ngô Giang", "G01", {Role.PROPOSER, Role.REVIEWER, Role.APPROVER}),
        ("lanh.dao", "Bùi Khang", "G01", {Role.LEADER}),
    )
)


@dataclass(frozen=True, kw_only=True)
class Office:
    settings: Settings
    accounts: Accounts
    owner_url: str

    @property
    def dictionary(self) -> Path:
        assert self.settings.dictionary is not None
        return self.settings.dictionary

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.owner_url) as connection:
            return connection.execute(query, values).fetchall()


def make_office(database: Any, folder: Path, *, portal: str = "", with_sign_in: bool = True) -> Office:
    """Make the tables, roles, settings file, dictionary and officers of an installation."""
    write_dictionary(folder / "dictionary")
    roles = {"writer": database.url}
    names = ("reader", "gateway", "portal") if with_sign_in else ("reader", "gateway")
    roles |= {name: database.role(name) for name in names}
    tables = "".join(f"[centre.{name}]\nurl = {json.dumps(url)}\n" for name, url in roles.items())
    path = folder / "lienthong.toml"
    path.write_text(f'dictionary = "dictionary"\n{tables}[portal]\n{portal}\n', encoding="utf-8")
    settings = load_settings(path, {})
    ready_centre(settings, read_knowledge(settings))
    accounts = open_accounts(settings, actor="bài kiểm tra")
    if with_sign_in:
        for officer in OFFICERS:
            accounts.add(officer, password=PASSWORD, one_time=False)
    return Office(settings=settings, accounts=accounts, owner_url=database.url)
