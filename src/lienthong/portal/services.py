"""What the portal works with; given to it from outside, so that tests give fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lienthong.centre.reading import CentreReader
from lienthong.check.verdict import RuleSet
from lienthong.clock import Clock
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.oversight.plan import Plan
from lienthong.sources.mapping import Mapping as ColumnDecisions


class PortalServices(Protocol):
    """Name the part of ``wiring.services.Services`` that the portal uses."""

    @property
    def dictionary(self) -> Dictionary:
        """Return the dictionary."""
        ...

    @property
    def rule_sets(self) -> Mapping[DatasetId, RuleSet]:
        """Return the rules of each dataset."""
        ...

    @property
    def mappings(self) -> Sequence[ColumnDecisions]:
        """Return which source tables feed which datasets."""
        ...

    @property
    def plan(self) -> Plan:
        """Return the action plan."""
        ...

    @property
    def reader(self) -> CentreReader:
        """Return the centre, for reading only."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        ...


class _Given:
    services: PortalServices | None = None


def set_services(services: PortalServices) -> None:
    """Give the portal what it works with, in place of what it had."""
    _Given.services = services


def services() -> PortalServices:
    """Return what the portal works with."""
    assert _Given.services is not None, "set_services comes before the first request"
    return _Given.services
