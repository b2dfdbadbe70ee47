"""The import contracts hold, and each is shown to bite: it is broken on purpose once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from repository import ROOT

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

ONE = "1 data flows one way"
TWO = "2 the core does no I/O"
THREE = "3 adapters do not know each other"
FOUR = "4 rules do not know each other"
FIVE = "5 faces reach storage only through wiring"
SIX = "6 only exchange and its adapters touch keys"
SEVEN = "7 no cycles anywhere"

# name → (files to plant, contracts that must break)
PLANTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "a stage imports a later one": ({"standardise/planted.py": "import lienthong.centre.batch"}, {ONE, SEVEN}),
    "a package without a place": ({"leftovers/__init__.py": ""}, {ONE}),
    "a face imports another face": ({"gateway/planted.py": "import lienthong.portal"}, {ONE}),
    "an import for types only": (
        {
            "dictionary/planted.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lienthong.centre.batch"
        },
        {ONE, SEVEN},
    ),
    "a rule opens a connection": ({"check/rules/correct/zz99_planted.py": "import socket"}, {TWO}),
    "a stage uses a driver": ({"centre/planted.py": "import psycopg"}, {TWO}),
    "an adapter imports another": (
        {
            "adapters/planted_one/__init__.py": "import lienthong.adapters.planted_two",
            "adapters/planted_two/__init__.py": "",
        },
        {THREE},
    ),
    "a rule imports a rule of its folder": (
        {
            "check/rules/correct/zz98_planted.py": "import lienthong.check.rules.correct.zz99_planted",
            "check/rules/correct/zz99_planted.py": "",
        },
        {FOUR},
    ),
    "a rule imports a rule of another folder": (
        {
            "check/rules/clean/zz98_planted.py": "import lienthong.check.rules.correct.zz99_planted",
            "check/rules/correct/zz99_planted.py": "",
        },
        {FOUR},
    ),
    "the portal imports an adapter": ({"portal/planted.py": "import lienthong.adapters.postgres"}, {FIVE}),
    "the pipeline touches keys": ({"pipeline/planted.py": "import lienthong.exchange.keys"}, {SIX}),
    "two files of a package need each other": (
        {
            "sources/planted_one.py": "import lienthong.sources.planted_two",
            "sources/planted_two.py": "import lienthong.sources.planted_one",
        },
        {SEVEN},
    ),
}


def lint(folder: Path) -> tuple[int, dict[str, bool]]:
    """Return the exit code and, for each contract, whether it is kept."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        check=False,
        cwd=folder,
        # Before the installed package: what is looked at is the copy.
        env={
            **os.environ,
            "PYTHONPATH": str(folder / "src"),
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "XDG_RUNTIME_DIR": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = re.findall(r"^(\d .+?) (KEPT|BROKEN)", done.stdout, flags=re.MULTILINE)
    assert lines, done.stdout + done.stderr
    return done.returncode, {name: verdict == "KEPT" for name, verdict in lines}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.gz"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept():
    code, verdicts = lint(ROOT)
    assert code == 0, verdicts
    assert all(verdicts.values())


def test_every_contract_of_the_project_is_broken_here_once():
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    broken = set().union(*(expected for _, expected in PLANTS.values()))
    assert {contract["name"] for contract in contracts} == broken


@pytest.mark.parametrize("plant", PLANTS, ids=lambda name: name.replace(" ", "-"))
def test_an_offending_import_breaks_exactly_its_contracts(copy: Path, plant: str):
    planted, expected = PLANTS[plant]
    for name, content in planted.items():
        path = copy / "src" / "lienthong" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists()
        path.write_text(content + "\n", encoding="utf-8")
    code, verdicts = lint(copy)
    assert code != 0
    assert {name for name, kept in verdicts.items() if not kept} == expected
