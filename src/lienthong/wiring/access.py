"""What the command line asks of the access register: issue, list, take back."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta, timezone

from lienthong.adapters.postgres import access as register
from lienthong.adapters.postgres.access import HeldGrant, HeldKey
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.exchange.granting import check_grant, element_names
from lienthong.exchange.grants import Grant
from lienthong.wiring.settings import Settings, password

ALL_ELEMENTS = "all"
KEY_RANDOM_BYTES = 32
VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedAccess:
    """What issuing made: the grant, and the key this one time; None when the agency keeps the key it has."""

    grant: Grant
    key: str | None = field(repr=False)


def _dictionary(settings: Settings) -> Dictionary:
    return load(settings.dictionary or shipped_folder("dictionary"))


def issue_access(
    settings: Settings,
    *,
    agency: str,
    dataset: str,
    elements: Sequence[str],
    purpose: str,
    legal_basis: str,
    until: date,
    with_key: bool = True,
    clock: Clock | None = None,
) -> IssuedAccess:
    """Write a grant down from today until a day, that day not included, with a new key or for the keys held.

    Raises:
        GrantNotValid: a part of it means nothing.
        AgencyUnknown: no new key was wanted, and the agency has none.
    """
    dictionary = _dictionary(settings)
    today = (clock or SystemClock()).now().astimezone(VIETNAM).date()
    grant = Grant(
        agency=agency,
        dataset=DatasetId(dataset),
        elements=frozenset(elements),
        purpose=purpose.strip(),
        legal_basis=legal_basis.strip(),
        valid_from=today,
        valid_to=until,
    )
    every = element_names(dictionary, grant)
    if list(elements) == [ALL_ELEMENTS]:
        # Spelled out now, so that an element added to the dictionary later is not granted by an old decision.
        grant = Grant(
            agency=grant.agency,
            dataset=grant.dataset,
            elements=frozenset(every),
            purpose=grant.purpose,
            legal_basis=grant.legal_basis,
            valid_from=grant.valid_from,
            valid_to=grant.valid_to,
        )
    check_grant(grant, dictionary)
    url, secret = settings.centre.url, password(settings.centre)
    if with_key:
        random = secrets.token_bytes(KEY_RANDOM_BYTES)
        return IssuedAccess(grant=grant, key=register.issue(url, password=secret, random=random, grant=grant))
    register.add_grant(url, password=secret, grant=grant)
    return IssuedAccess(grant=grant, key=None)


def list_access(settings: Settings) -> tuple[tuple[HeldKey, ...], tuple[HeldGrant, ...]]:
    """Return all keys and all grants, newest first."""
    url, secret = settings.centre.url, password(settings.centre)
    return register.held_keys(url, password=secret), register.held_grants(url, password=secret)


def revoke_keys(settings: Settings, *, agency: str, mark: str | None = None) -> int:
    """Revoke all keys of an agency, or the one whose fingerprint begins with a mark."""
    return register.revoke(settings.centre.url, password=password(settings.centre), agency=agency, mark=mark)


def withdraw_grants(settings: Settings, *, agency: str, dataset: str | None = None) -> int:
    """Withdraw all grants of an agency, or those for one dataset."""
    wanted = None if dataset is None else DatasetId(dataset)
    return register.withdraw(settings.centre.url, password=password(settings.centre), agency=agency, dataset=wanted)
