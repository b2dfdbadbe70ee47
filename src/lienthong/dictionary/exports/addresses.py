"""Stable addresses of items: ``<base>id/<kind>/<code>/<version>`` (địa chỉ bền vững)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from lienthong.dictionary.exports.refusals import BaseNotValid
from lienthong.dictionary.model import CodeList, Dataset, Element, ValueDomain

# A name that never resolves (RFC 2606): whoever publishes must say where, nothing is invented here.
BASE_UNKNOWN: Final = "https://lienthong.invalid/"
SINCE_EVER: Final = "-"  # stands for the first day of a code that was in force before every source

_BASE: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?/")
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def escaped(text: str) -> str:
    """Return a text as one segment of an address, other characters as %XX of their UTF-8 bytes."""
    return "".join(sign if sign in _PLAIN else "".join(f"%{byte:02X}" for byte in sign.encode()) for sign in text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """Where items are said to live."""

    base: str = BASE_UNKNOWN

    def __post_init__(self) -> None:
        """Refuse a base that could break out of an address."""
        if not _BASE.fullmatch(self.base):
            reason = "it must begin with http:// or https://, end with '/' and hold no blanks, '?' or '#'"
            raise BaseNotValid(base=self.base, reason=reason)

    def item(self, item: Element | ValueDomain | CodeList | Dataset) -> str:
        """Return the address of a version of an item."""
        return f"{self.base}id/{_kind(item)}/{escaped(item.identity.id)}/{item.identity.version}"

    def scheme(self, code_list: CodeList) -> str:
        """Return the address of a list, whatever its version: codes are named within it."""
        return f"{self.base}id/code-list/{escaped(code_list.identity.id)}"

    def code(self, code_list: CodeList, code: str, valid_from: date | None) -> str:
        """Return the address of what a code means since a day."""
        since = SINCE_EVER if valid_from is None else valid_from.isoformat()
        return f"{self.base}id/code/{escaped(code_list.identity.id)}/{escaped(code)}/{since}"

    def records(self, dataset: Dataset) -> str:
        """Return where the gateway answers for records of a dataset."""
        return f"{self.gateway}/datasets/{escaped(dataset.identity.id)}/records"

    def json_schema(self, dataset: Dataset) -> str:
        """Return where the gateway answers with the schema of a dataset."""
        return f"{self.gateway}/datasets/{escaped(dataset.identity.id)}/schema"

    @property
    def gateway(self) -> str:
        """Return the root of the interface."""
        return f"{self.base}api/v1"

    @property
    def contract(self) -> str:
        """Return where the interface describes itself."""
        return f"{self.gateway}/openapi.json"


def _kind(item: Element | ValueDomain | CodeList | Dataset) -> str:
    match item:
        case Element():
            return "data-element"
        case ValueDomain():
            return "value-domain"
        case CodeList():
            return "code-list"
        case Dataset():
            return "dataset"
