"""What the gateway works with; given to it from outside, so that tests give fakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lienthong.centre.reading import CentreReader
from lienthong.clock import Clock
from lienthong.dictionary.model import Dictionary
from lienthong.exchange.grants import AccessRegister


class GatewayServices(Protocol):
    """Name the part of ``wiring.services.Services`` that the gateway uses."""

    @property
    def dictionary(self) -> Dictionary:
        """Return the dictionary."""
        ...

    @property
    def reader(self) -> CentreReader:
        """Return the centre, for reading only."""
        ...

    @property
    def access(self) -> AccessRegister:
        """Return the register of keys, grants and looks."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """What a request says of who asks and why; the key is never shown."""

    key: str | None
    purpose: str | None = None

    def __repr__(self) -> str:
        return "Caller()"
