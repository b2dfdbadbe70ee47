"""Every refusal says what, why and who, and has a page that says what to do."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT, Refusal, named, refusals, source_files, tree

PAGES = ROOT / "docs" / "reference" / "errors"
SECTIONS = ["## What it means", "## Why it happens", "## What to do"]
FAMILIES = {"DIC", "CFG", "SRC", "STD", "CHK", "CEN", "EX", "GW", "PRT", "OVS", "PGS", "CLI", "FIL"}
CODE = re.compile(r"[A-Z]{2,3}-\d{3}")
# Proper names a message may begin with although it begins in lower case otherwise.
PROPER = ("PostgreSQL", "SQLSTATE", "SQL", "UTF-8", "JSON", "YAML", "TOML", "CSV", "TLS", "GET /")
ACTORS = ("operator", "agency", "steward", "consumer", "developer")

each_refusal = pytest.mark.parametrize("refusal", refusals(), ids=lambda refusal: refusal.code)


def _begins_well(text: str) -> bool:
    return not text[0].isupper() or text.startswith(PROPER)


def test_there_are_refusals():
    assert len(refusals()) > 20


def test_no_code_is_used_twice():
    assert [code for code, times in Counter(refusal.code for refusal in refusals()).items() if times > 1] == []


@each_refusal
def test_a_code_is_of_a_known_family(refusal: Refusal):
    assert CODE.fullmatch(refusal.code)
    assert refusal.code.partition("-")[0] in FAMILIES


@each_refusal
def test_a_message_and_a_hint_are_written_in_the_house_style(refusal: Refusal):
    assert refusal.message, f"{refusal.name} says nothing"
    assert refusal.hint, f"{refusal.name} does not say what to do"
    for text in (refusal.message, refusal.hint):
        assert _begins_well(text), f"begins with a capital: {text}"
        assert not text.rstrip().endswith((".", "!")), f"ends like a sentence: {text}"
        assert "!" not in re.sub(r"\{[^}]*\}", "", text)


@each_refusal
def test_a_message_renders(refusal: Refusal):
    facts = dict.fromkeys(refusal.fields, "x")
    assert "{" not in (refusal.message or "").format(**facts)
    assert all(name.isidentifier() for name in refusal.fields), "a field is a plain name"


def _raised() -> Iterator[tuple[Path, int, str, set[str]]]:
    """Yield (file, line, class, facts given) of every call of an error class that spells its facts out."""
    names = {refusal.name for refusal in refusals()}
    for path in source_files():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or any(keyword.arg is None for keyword in node.keywords):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called in names:
                yield path, node.lineno, called, {keyword.arg for keyword in node.keywords if keyword.arg}


def _meant(name: str, path: Path) -> list[Refusal]:
    """Return the classes a name may stand for in a file: its own, else all of that name."""
    known = [refusal for refusal in refusals() if refusal.name == name]
    return [refusal for refusal in known if refusal.path == path] or known


def test_every_refusal_is_given_the_facts_it_renders():
    found = [
        f"{named(path)}:{line} {name}"
        for path, line, name, facts in _raised()
        if not any(refusal.fields <= facts for refusal in _meant(name, path))
    ]
    assert not found, "\n".join(found)


@each_refusal
def test_a_code_has_a_page_with_its_sections(refusal: Refusal):
    page = PAGES / f"{refusal.code}.md"
    assert page.is_file(), f"write {named(page)}"
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert re.fullmatch(rf"# {refusal.code}: \S.*[^.]", lines[0]), lines[0]
    assert [line for line in lines if line.startswith("## ")] == SECTIONS
    for section in SECTIONS:
        body = text.partition(section)[2].partition("\n## ")[0].strip()
        assert len(body) >= 10, f"{section} says nothing"


@each_refusal
def test_a_page_has_a_vietnamese_title(refusal: Refusal):
    page = PAGES / f"{refusal.code}.md"
    titles = re.findall(r"^Tiêu đề: (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(titles) == 1
    assert re.search(r"[à-ỹđ]", titles[0].lower()), f"not Vietnamese: {titles[0]}"


@each_refusal
def test_a_page_says_who_can_act(refusal: Refusal):
    text = (PAGES / f"{refusal.code}.md").read_text(encoding="utf-8")
    what_to_do = text.partition("## What to do")[2].lower()
    assert any(actor in what_to_do for actor in ACTORS), "name operator, agency, steward, consumer or developer"


def test_every_page_belongs_to_a_code():
    known = {refusal.code for refusal in refusals()}
    assert sorted({path.stem for path in PAGES.glob("*.md")} - {"README"} - known) == []


def test_the_index_names_every_family_and_no_other():
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    families = {refusal.code.partition("-")[0] for refusal in refusals()}
    listed = set(re.findall(r"^\| `([A-Z]{2,3})-` ", text, flags=re.MULTILINE))
    assert families <= listed <= FAMILIES
