"""Accounts of the portal for the command line, and the desk at which signed-in officers govern the dictionary."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from lienthong.adapters.postgres import officers as store
from lienthong.adapters.postgres.officers import Owner, PostgresOfficers
from lienthong.clock import Clock, SystemClock
from lienthong.oversight.officers import Account, Officer, OfficerRegister, Role
from lienthong.wiring.governance import Desk
from lienthong.wiring.settings import Settings, password

# Letters and digits that nobody mixes up when reading them to somebody else.
_SIGNS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LETTERS = 4, 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """The register of accounts as an administrator works with it, as the owner of the centre's database."""

    owner: Owner
    clock: Clock

    def now(self) -> datetime:
        """Return the moment that is written down."""
        return self.clock.now()

    def add(self, officer: Officer, *, password: str, one_time: bool = True) -> None:
        """Make an account; a one-time password must be changed at the first sign-in."""
        store.add_officer(self.owner, officer, password=password, one_time=one_time, at=self.now())

    def change_roles(
        self, name: str, *, add: Collection[Role] = (), remove: Collection[Role] = ()
    ) -> frozenset[Role]:
        """Give and take roles, and return those the officer has now; their sessions end if anything changed."""
        account = next((each for each in self.listed() if each.officer.name == name), None)
        before: frozenset[Role] = frozenset() if account is None else account.officer.roles
        after = (before | frozenset(add)) - frozenset(remove)
        if account is None or after != before:
            store.set_roles(self.owner, name, after, at=self.now())
        return after

    def reset(self, name: str, *, password: str) -> None:
        """Set a one-time password and end every lock and session."""
        store.reset_password(self.owner, name, password=password, at=self.now())

    def lock(self, name: str, *, undo: bool = False) -> None:
        """Lock an account, or unlock it."""
        store.lock(self.owner, name, undo=undo, at=self.now())

    def close(self, name: str) -> None:
        """Close an account for good."""
        store.close_account(self.owner, name, at=self.now())

    def listed(self, *, every: bool = False) -> tuple[Account, ...]:
        """Return the accounts by name."""
        return store.accounts(self.owner, every=every)


def open_accounts(settings: Settings, *, actor: str, clock: Clock | None = None) -> Accounts:
    """Return the register of accounts, its tables made ready."""
    owner = Owner(url=settings.centre.url, password=password(settings.centre), actor=actor)
    store.install(owner.url, password=owner.password)
    return Accounts(owner=owner, clock=clock or SystemClock())


def make_password() -> str:
    """Return a password nobody knows, in groups that can be read out: about 99 bits of chance."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def portal_settings(settings: Settings) -> Settings | None:
    """Return the settings with the portal's own role in place of the owner's; None where nobody signs in."""
    return None if settings.sign_in is None else replace(settings, centre=settings.sign_in.role)


def portal_desk(settings: Settings, *, clock: Clock) -> Desk | None:
    """Return where signed-in officers govern the dictionary, as the portal's own role.

    None: nobody signs in, or the dictionary is the shipped one, which nobody may change.
    """
    own = portal_settings(settings)
    if own is None or settings.dictionary is None:
        return None
    folder: Path = settings.dictionary.resolve()
    return Desk(url=own.centre.url, password=password(own.centre), folder=folder, clock=clock)


def full_names(register: OfficerRegister | None) -> Mapping[str, str]:
    """Return the full name behind every name that decisions may bear."""
    return register.full_names() if isinstance(register, PostgresOfficers) else {}
