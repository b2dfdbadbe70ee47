"""Serve the portal over a made-up centre whose state stands in a small file that a test may change.

Usage: python portal_on_fakes.py PORT STATE_FILE
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from lienthong.centre.ports import LinkState
from lienthong.centre.reading import DatasetCount
from lienthong.centre.refusals import CentreUnreachable
from lienthong.clock import SystemClock
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.plan import load_plan
from lienthong.portal.serve import serve
from lienthong.portal.services import set_services
from lienthong.testing.fakes import CITIZENS, FakeReader, fake_services, lively_reader, streaming_link


@dataclass(kw_only=True)
class SteeredReader(FakeReader):
    state_file: Path

    def links(self) -> tuple[LinkState, ...]:
        now = SystemClock().now()
        if json.loads(self.state_file.read_text())["away"]:
            raise CentreUnreachable(sqlstate="08006")
        return (streaming_link(now=now, quiet_s=120.0, heartbeat_age_s=0.5),)

    def counts(self) -> Mapping[DatasetId, DatasetCount]:
        rows = json.loads(self.state_file.read_text())["rows"]
        return {**self.dataset_counts, CITIZENS: replace(self.dataset_counts[CITIZENS], rows=rows)}


def run(port: int, state_file: Path) -> None:
    logging.basicConfig(level=logging.WARNING)
    lively = lively_reader(now=SystemClock().now() - timedelta(minutes=2))
    reader = SteeredReader(
        state_file=state_file,
        dataset_counts=lively.dataset_counts,
        counts_by_rule=lively.counts_by_rule,
        lag=lively.lag,
        failing=lively.failing,
        journal=lively.journal,
    )
    plan = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
    set_services(fake_services(plan=plan, reader=reader, clock=SystemClock()))
    serve(host="127.0.0.1", port=port)


if __name__ == "__main__":
    run(int(sys.argv[1]), Path(sys.argv[2]))
