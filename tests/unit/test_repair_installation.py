"""What an installation's folder says of repairs: the operator's files go before the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lienthong.oversight.repair_refusals import RepairStoreAway
from lienthong.testing.agency import load as agency_load
from lienthong.wiring import repair as wiring
from lienthong.wiring.installation import DEMO_OFFICERS, DEMO_OWNERS, _own_repair_policy
from lienthong.wiring.repair import CasesThread
from lienthong.wiring.repair_desk import POLICY_NAME, repair_rules


class Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder


def test_the_demonstrations_steward_owns_what_its_mapping_files_name(tmp_path: Path) -> None:
    _own_repair_policy(tmp_path)
    policy = repair_rules(Folder(tmp_path)).policy  # type: ignore[arg-type] # only the folder is looked at
    agencies = {officer.agency for officer in DEMO_OFFICERS}
    mappings = Path(agency_load.__file__).parent / "mappings"
    owners = {yaml.safe_load(path.read_text(encoding="utf-8"))["owner"] for path in mappings.glob("*.yaml")}
    assert owners == set(DEMO_OWNERS)
    assert {policy.agency_of(owner) for owner in owners} <= agencies


def test_without_files_of_its_own_an_installation_has_the_shipped_ones(tmp_path: Path) -> None:
    assert not (tmp_path / POLICY_NAME).exists()
    given = repair_rules(Folder(tmp_path)).policy  # type: ignore[arg-type] # only the folder is looked at
    assert given == repair_rules().policy


def test_trouble_that_can_pass_is_told_once_until_it_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    outcomes = iter(["away", "away", "fine", "away", "stop"])

    def refresh(*_: object, **__: object) -> tuple[()]:
        outcome = next(outcomes)
        if outcome == "stop":
            thread.stop.set()
        if outcome == "away":
            raise RepairStoreAway(sqlstate="08006")
        return ()

    monkeypatch.setattr(wiring, "refresh_cases", refresh)
    thread = CasesThread(settings=None, knowledge=None, watch=told.append, every_s=0)  # type: ignore[arg-type] # unused
    thread.run()
    assert [getattr(each, "code", each) for each in told] == ["OVS-121", "OVS-121"]
