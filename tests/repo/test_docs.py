"""Documents point to things that exist: files, sections, commands, settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
from repository import ROOT, code_of, files, files_ending, named, refusals, without_code

from lienthong.cli.main import app
from lienthong.wiring.settings import TABLES

MARKDOWN = files_ending(".md")
KINDS = ("tutorials", "how-to", "reference", "explanation", "decisions")
END_OF_COMMAND = {"|", ">", "&&", ";", "…", "..."}
each_document = pytest.mark.parametrize("path", MARKDOWN, ids=named)


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@each_document
def test_docs_links_lead_somewhere(path: Path):
    text = without_code(path.read_text(encoding="utf-8"))
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        goal = (path.parent / name).resolve() if name else path
        if not goal.exists():
            found.append(f"{target}: no such file")
        elif anchor and goal.suffix == ".md" and anchor not in _anchors(goal.read_text(encoding="utf-8")):
            found.append(f"{target}: no such section")
    assert not found, "\n".join(found)


def test_docs_are_all_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {
        (ROOT / "docs" / target.partition("#")[0]).resolve() for target in re.findall(r"\]\(([^)\s]+)\)", index)
    }
    # A folder, or its README, stands for its pages: errors and rules have one page each.
    folders = {goal if goal.is_dir() else goal.parent for goal in linked if goal.is_dir() or goal.name == "README.md"}
    found = [
        named(path)
        for path in MARKDOWN
        if path.is_relative_to(ROOT / "docs")
        and path.parent != ROOT / "docs"
        and path.resolve() not in linked
        and path.resolve().parent not in folders
    ]
    assert not found, "not in docs/README.md:\n" + "\n".join(found)


def test_docs_stand_in_one_of_the_kinds():
    found = [
        named(path)
        for path in MARKDOWN
        if path.is_relative_to(ROOT / "docs")
        and len(path.relative_to(ROOT / "docs").parts) > 1
        and path.relative_to(ROOT / "docs").parts[0] not in KINDS
    ]
    assert not found


def _refusal_of_command(line: str) -> str | None:
    """Return why a command line as a document writes it would not be understood, or None."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None  # not a command: a sentence with an apostrophe
    current = typer.main.get_command(app)
    value_follows = False
    for word in words[words.index("lienthong") + 1 :]:
        if word in END_OF_COMMAND:
            return None
        if value_follows:
            value_follows = False
        elif word.startswith("--"):
            parameters = [
                each for each in current.params if word.partition("=")[0] in (*each.opts, *each.secondary_opts)
            ]
            if not parameters and word != "--help":
                return f"{current.name} has no option {word}"
            value_follows = bool(parameters) and "=" not in word and not getattr(parameters[0], "is_flag", False)
        elif hasattr(current, "commands"):
            if word not in current.commands:
                return f"{current.name} has no command {word}"
            current = current.commands[word]
    return None


def _commands(pieces: list[str]) -> list[str]:
    return [
        re.sub(r"^.*?(?=\blienthong )", "", piece)
        for piece in pieces
        if re.match(r"(.*[\s/&])?lienthong [a-z-]", piece)
    ]


@each_document
def test_docs_name_commands_that_exist(path: Path):
    found = [
        f"{line}: {why}"
        for line in _commands(code_of(path.read_text(encoding="utf-8")))
        if (why := _refusal_of_command(line)) is not None
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("refusal", refusals(), ids=lambda refusal: refusal.code)
def test_docs_hints_name_commands_that_exist(refusal):
    for piece in re.findall(r"lienthong (?:--?[a-z]|[a-z]+ )[^,;()]*", refusal.hint or ""):
        assert _refusal_of_command(re.sub(r"['`]", "", piece)) is None, piece


def test_a_command_that_is_not_there_would_be_seen():
    assert _refusal_of_command("lienthong dictionary list") is None
    assert _refusal_of_command("lienthong dictionary no-such-thing") is not None
    assert _refusal_of_command("lienthong nothing") is not None
    assert _refusal_of_command("lienthong demo --no-such-option") is not None


def test_docs_list_every_setting():
    text = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    lacking = [key for keys in TABLES.values() for key in keys if f"{key}" not in text]
    assert not lacking


def test_every_change_note_is_one_paragraph_about_users():
    notes = [
        path for path in files() if path.parent == ROOT / "changes" and path.suffix == ".md" and path.stem != "README"
    ]
    assert notes
    for path in notes:
        text = path.read_text(encoding="utf-8")
        assert re.match(r"# [A-Z]", text), f"{named(path)} begins with a title"
