"""Serve the portal with the shipped dictionary over a made-up centre.

Usage: python portal_on_dictionary.py PORT
"""

from __future__ import annotations

import logging
import sys
from dataclasses import replace

from lienthong.check.rule_set import derive_rules
from lienthong.clock import SystemClock
from lienthong.dictionary.load import load
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.plan import load_plan
from lienthong.portal.serve import serve
from lienthong.portal.services import set_services
from lienthong.testing.fakes import fake_services, lively_reader


def run(port: int) -> None:
    logging.basicConfig(level=logging.WARNING)
    clock = SystemClock()
    dictionary = load(shipped_folder("dictionary"))
    plan = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
    made = fake_services(plan=plan, reader=lively_reader(now=clock.now()), clock=clock)
    rules = {name: derive_rules(dictionary, each) for name, each in dictionary.datasets.items()}
    set_services(replace(made, dictionary=dictionary, rule_sets=rules))
    serve(host="127.0.0.1", port=port)


if __name__ == "__main__":
    run(int(sys.argv[1]))
