"""Who may see which elements of which dataset, for what, until when; deny by default."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from lienthong.dictionary.model import DatasetId
from lienthong.errors import Actor, LienthongError


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A written permission (quyền khai thác được cấp)."""

    agency: str
    dataset: DatasetId
    elements: frozenset[str]  # technical names
    purpose: str
    legal_basis: str
    valid_from: date
    valid_to: date  # half-open; a grant without an end does not exist


class KeyRefused(LienthongError, code="EX-001", actor=Actor.CONSUMER):
    """No agency is known by this key; said the same way whether it is missing, wrong or revoked."""

    message = "access key missing or not valid"
    hint = "send 'Authorization: Bearer <key>' with a key the operator issued: lienthong access issue"


class GrantMissing(LienthongError, code="EX-002", actor=Actor.CONSUMER):
    """The agency has no permission in force for this dataset."""

    message = "agency {agency} has no grant in force for dataset {dataset}"
    hint = "ask the owner of {dataset} for a grant that names elements, purpose and legal basis"


def is_in_force(grant: Grant, *, on: date) -> bool:
    """Return whether a grant holds on a day."""
    return grant.valid_from <= on < grant.valid_to


class AccessRegister(Protocol):
    """Know agencies by their keys, hold grants, and note every look."""

    def agency_of(self, key: str) -> str | None:
        """Return the agency a key was issued to, if the key is in force."""
        ...

    def grants(self, agency: str, dataset: DatasetId) -> tuple[Grant, ...]:
        """Return the agency's grants for a dataset, in force or not."""
        ...

    def note(self, *, agency: str, dataset: DatasetId, purpose: str, outcome: str, records: int) -> int:
        """Write a line to the access journal and return its number."""
        ...


def identify(register: AccessRegister, key: str | None) -> str:
    """Return the agency behind a key.

    Raises:
        KeyRefused: the key is missing, unknown or revoked.
    """
    agency = register.agency_of(key) if key else None
    if agency is None:
        raise KeyRefused
    return agency


def permitted(
    register: AccessRegister, *, agency: str, dataset: DatasetId, on: date, purpose: str | None = None
) -> Grant:
    """Return the grant that allows an agency a look, the one for a purpose if it is named.

    Raises:
        GrantMissing: no such grant for the dataset is in force on that day.
    """
    for grant in register.grants(agency, dataset):
        # The register is asked for this agency and dataset; that it answered so is not taken on trust.
        fits = grant.agency == agency and grant.dataset == dataset
        if fits and is_in_force(grant, on=on) and purpose in {None, grant.purpose}:
            return grant
    raise GrantMissing(agency=agency, dataset=dataset)


def decide(register: AccessRegister, *, key: str | None, dataset: DatasetId, on: date) -> Grant:
    """Return the grant that allows a look, or refuse.

    Raises:
        KeyRefused: the key is missing, unknown or revoked.
        GrantMissing: no grant for the dataset is in force on that day.
    """
    return permitted(register, agency=identify(register, key), dataset=dataset, on=on)
