"""Every fault somebody can make in the files is told with file, line and fix, and nothing of the folder is loaded."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from unicodedata import normalize

import pytest
from typer.testing import CliRunner

import lienthong.dictionary
from lienthong.cli.dictionary import app
from lienthong.dictionary.load import load
from lienthong.dictionary.refusals import DictionaryNotValid
from lienthong.dictionary.remedies import REMEDIES
from lienthong.dictionary.shipped import shipped_folder

NAME = "elements/con-nguoi/HoVaTen.yaml"
OTHER = "elements/con-nguoi/TenKhac.yaml"
DOMAIN = "domains/vd-gioi-tinh.yaml"
CODES = "codelists/gioi-tinh.csv"
MAPPINGS = "code_mappings/gioi-tinh.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "dictionary"
    shutil.copytree(shipped_folder("dictionary"), place)
    return place


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


def change(folder: Path, file: str, old: str, new: str, *, at: str) -> tuple[str, int]:
    """Change the first place in a file; return the file and the line where the fault now stands."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8", newline="")
    return file, line_of(text, at)


def duplicate_id(folder: Path) -> tuple[str, int]:
    shutil.copy(folder / NAME, folder / "elements/dia-chi/HoVaTen.yaml")
    return "elements/dia-chi/HoVaTen.yaml", line_of((folder / NAME).read_text("utf-8"), "id: HoVaTen")


def unknown_reference(folder: Path) -> tuple[str, int]:
    return change(folder, NAME, "vd-ho-ten@1.0.0", "vd-ho-va-ten@1.0.0", at="value_domain:")


def circle_of_succession(folder: Path) -> tuple[str, int]:
    for file, other in ((NAME, "TenKhac"), (OTHER, "HoVaTen")):
        change(folder, file, "status: proposed\n", f"status: superseded\nsuperseded_by: {other}@1.0.0\n", at="status")
        text = (folder / file).read_text("utf-8")
        line = "valid_to: 2026-01-01\n"
        at = text.index("value_domain:")
        (folder / file).write_text(text[:at] + line + text[at:], encoding="utf-8")
        # Keys stay in order: synonyms come after superseded_by.
        lines = (folder / file).read_text("utf-8").splitlines(keepends=True)
        moved = [one for one in lines if one.startswith("superseded_by")]
        rest = [one for one in lines if not one.startswith("superseded_by")]
        place = next(
            number for number, one in enumerate(rest) if one[0].isalpha() and one.partition(":")[0] > "superseded_by"
        )
        (folder / file).write_text("".join([*rest[:place], *moved, *rest[place:]]), encoding="utf-8")
    return NAME, line_of((folder / NAME).read_text("utf-8"), "superseded_by")


def overlapping_validity(folder: Path) -> tuple[str, int]:
    path = folder / CODES
    last = path.read_text("utf-8").rstrip("\n").splitlines()[-1]
    with path.open("a", encoding="utf-8") as file:
        file.write(last + "\n")
    return CODES, len(path.read_text("utf-8").splitlines())


def decomposed_text(folder: Path) -> tuple[str, int]:
    return change(folder, NAME, "Họ và tên", normalize("NFD", "Họ và tên"), at=normalize("NFD", "Họ và tên"))


def unknown_list(folder: Path) -> tuple[str, int]:
    return change(folder, DOMAIN, "code_list: gioi-tinh", "code_list: gioi-tinh-2030", at="code_list:")


def unknown_list_of_a_mapping(folder: Path) -> tuple[str, int]:
    return change(folder, MAPPINGS, "gioi-tinh,1,gioi-tinh-qd4750", "gioi-tinh,1,gioi-tinh-2030", at="gioi-tinh-2030")


def pair_decided_twice(folder: Path) -> tuple[str, int]:
    path = folder / MAPPINGS
    with path.open("a", encoding="utf-8") as file:
        file.write("gioi-tinh,1,gioi-tinh-qd4750,1,close,thử\n")
    return MAPPINGS, len(path.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (duplicate_id, "duplicate-id"),
        (unknown_reference, "unknown-reference"),
        (circle_of_succession, "succession-circle"),
        (overlapping_validity, "overlapping-periods"),
        (decomposed_text, "not-nfc"),
        (unknown_list, "unknown-reference"),
        (unknown_list_of_a_mapping, "unknown-reference"),
        (pair_decided_twice, "duplicate-value"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_fault_is_told_with_file_line_and_fix_and_nothing_is_loaded(folder: Path, *, fault, rule: str) -> None:  # type: ignore[no-untyped-def] # a table of functions
    file, line = fault(folder)
    done = CliRunner().invoke(app, ["check", "--folder", str(folder), "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert "counts" not in told, "nothing was loaded, so nothing is counted"
    found = [(one["file"], one["line"], one["rule"], one["fix"]) for one in told["problems"]]
    assert (file, line, rule, REMEDIES[rule]) in found
    with pytest.raises(DictionaryNotValid):
        load(folder)


def test_people_see_the_fix_below_the_fault(folder: Path) -> None:
    file, line = unknown_reference(folder)
    done = CliRunner().invoke(app, ["check", "--folder", str(folder)])
    assert f"{file}:{line} unknown-reference" in done.output
    assert f"→ {REMEDIES['unknown-reference']}" in done.output


def test_every_rule_of_the_files_says_how_to_mend_what_breaks_it() -> None:
    """Read the rules from the code: the argument of ``refuse`` and ``Problem`` that names one."""
    found: set[str] = set()
    for path in Path(lienthong.dictionary.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "refuse" and len(node.args) == 3:
                given = node.args[1]
            elif name == "Problem":
                given = next((one.value for one in node.keywords if one.arg == "rule"), None)
            else:
                continue
            if isinstance(given, ast.Constant):
                found.add(str(given.value))
    assert len(found) > 30
    assert found <= REMEDIES.keys()
