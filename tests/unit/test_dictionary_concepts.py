"""A concept written two ways is two elements; written the same way twice it is one element too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance_dictionary import write_dictionary
from lienthong.dictionary.concepts import CONCEPT, same_concept, same_object
from lienthong.dictionary.load import load, read
from lienthong.dictionary.model import ElementId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.dictionary_pages import element_page

NAME, COLOUR = ElementId("TenXe"), ElementId("MauXe")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dictionary(tmp_path / "dictionary")
    return tmp_path / "dictionary"


def say_the_same(folder: Path, *, one: ElementId, other: ElementId, also: tuple[str, ...] = ()) -> int:
    """Give one element the concept of the other, and the lines named; return the line of the concept."""
    paths = {path.stem: path for path in folder.rglob("elements/**/*.yaml")}
    given = {
        line.partition(":")[0]: line
        for line in paths[other].read_text("utf-8").splitlines()
        if line.startswith(("concept", "value_domain"))
    }
    lines = paths[one].read_text("utf-8").splitlines()
    lines = [given[key] if (key := line.partition(":")[0]) in ("concept", *also) else line for line in lines]
    paths[one].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 + next(number for number, line in enumerate(lines) if line.startswith("concept"))


def test_every_concept_of_the_shipped_dictionary_names_an_object_and_a_property() -> None:
    shipped = load(shipped_folder("dictionary"))
    assert [one.identity.id for one in shipped.elements.values() if not CONCEPT.fullmatch(one.concept)] == []


def test_elements_of_one_concept_know_each_other(folder: Path) -> None:
    say_the_same(folder, one=COLOUR, other=NAME)
    dictionary = load(folder)
    assert [one.identity.id for one in same_concept(dictionary, NAME)] == [COLOUR]
    assert [one.identity.id for one in same_concept(dictionary, COLOUR)] == [NAME]
    assert NAME not in [one.identity.id for one in same_object(dictionary, COLOUR)]
    assert element_page(dictionary, NAME, mappings=()).same_concept == (
        (COLOUR, dictionary.elements[COLOUR].label.vi),
    )


def test_elements_of_one_object_know_each_other(folder: Path) -> None:
    dictionary = load(folder)
    assert [one.identity.id for one in same_object(dictionary, NAME)] == [COLOUR]
    assert same_concept(dictionary, NAME) == ()


def test_the_same_concept_in_the_same_value_domain_is_refused_with_file_and_line(folder: Path) -> None:
    say_the_same(folder, one=NAME, other=COLOUR, also=("value_domain",))
    dictionary, problems = read(folder)
    assert dictionary is None
    assert [(one.rule, one.line) for one in problems] == [("same-element", 1)]
    assert NAME in problems[0].file
    assert COLOUR in problems[0].text
