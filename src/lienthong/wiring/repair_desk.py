"""The desk at which officers work on repair cases, and where look-ups without a good answer are noted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lienthong.adapters.postgres.repair import PostgresRepairDesk
from lienthong.adapters.postgres.repair_looks import PostgresLookUpCases
from lienthong.deadlines import load_calendar
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.repair_policy import RepairRules, load_policy
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.wiring.settings import DatabaseSettings, Settings, password

CALENDAR_NAME: Final = "holidays.yaml"
POLICY_NAME: Final = "repair.yaml"


def repair_rules(settings: Settings | None = None) -> RepairRules:
    """Read calendar and policy: the shipped ones, with the operator's files of the same names over them."""
    shipped = shipped_folder("dictionary") / "plan"
    own = None if settings is None else settings.folder
    return RepairRules(
        calendar=load_calendar(shipped / CALENDAR_NAME, more=_own(own, CALENDAR_NAME)),
        policy=load_policy(_own(own, POLICY_NAME) or shipped / POLICY_NAME),
    )


def _own(folder: Path | None, name: str) -> Path | None:
    return folder / name if folder is not None and (folder / name).is_file() else None


def open_repair_desk(
    settings: Settings, *, database: DatabaseSettings | None = None, rules: RepairRules | None = None
) -> PostgresRepairDesk:
    """Open the desk in the role of ``database``; without one, as the role that writes the centre."""
    where = database or settings.centre
    known = rules or repair_rules(settings)
    return PostgresRepairDesk(where.url, calendar=known.calendar, policy=known.policy, password=password(where))


def open_look_ups(
    settings: Settings, mappings: Sequence[ColumnDecisions], *, rules: RepairRules | None = None
) -> PostgresLookUpCases:
    """Open the cases of look-ups in the gateway's role."""
    known = rules or repair_rules(settings)
    owner_of = {f"{each.source}/{each.table}": known.policy.agency_of(each.owner) for each in mappings}
    owners: dict[str, tuple[str, ...]] = {}
    for each in mappings:
        agency = known.policy.agency_of(each.owner)
        owners[each.dataset] = tuple(dict.fromkeys((*owners.get(each.dataset, ()), agency)))
    return PostgresLookUpCases(
        settings.centre_access.url,
        calendar=known.calendar,
        policy=known.policy,
        owners=owners,
        owner_of=owner_of,
        password=password(settings.centre_access),
    )
