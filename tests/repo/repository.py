"""What the repository holds, read once for the tests of its promises."""

from __future__ import annotations

import ast
import functools
import os
import re
import string
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "lienthong"
NEVER_OURS = {
    ".git",
    ".venv",
    ".lienthong",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    "__pycache__",
    "dist",
    "build",
}


@functools.cache
def files() -> tuple[Path, ...]:
    """Return every file that is or would be committed; without git, every file that is not a by-product."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=False,
        capture_output=True,
    )
    if listed.returncode == 0:
        names = [name.decode() for name in listed.stdout.split(b"\0") if name]
        return tuple(sorted(path for path in (ROOT / name for name in names) if path.is_file()))
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [each for each in folders if each not in NEVER_OURS and not each.endswith(".egg-info")]
        found += [Path(folder) / name for name in names]
    return tuple(sorted(found))


def files_ending(*suffixes: str) -> tuple[Path, ...]:
    return tuple(path for path in files() if path.suffix in suffixes)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=named(path))


@functools.cache
def source_files() -> tuple[Path, ...]:
    return tuple(path for path in files_ending(".py") if path.is_relative_to(SRC))


def package_of(path: Path) -> str:
    """Return the top-level package or module a source file belongs to: "dictionary", "clock"."""
    first = path.relative_to(SRC).parts[0]
    return first.removesuffix(".py")


def top_level_names() -> set[str]:
    packages = {
        path.parent.name for path in source_files() if path.name == "__init__.py" and path.parent.parent == SRC
    }
    modules = {path.stem for path in source_files() if path.parent == SRC and path.name != "__init__.py"}
    return packages | modules


@dataclass(frozen=True)
class Refusal:
    """An error class as it stands in the source."""

    name: str
    code: str
    path: Path
    message: str | None
    hint: str | None

    @property
    def fields(self) -> set[str]:
        return fields_of(self.message) | fields_of(self.hint)


def fields_of(template: str | None) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template or "") if name is not None}


def _text(node: ast.ClassDef, attribute: str) -> str | None:
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == attribute for target in targets):
            value = statement.value  # type: ignore[union-attr] # both kinds of assignment have one
            assert isinstance(value, ast.Constant), f"{node.name}.{attribute} must be one plain text"
            assert isinstance(value.value, str)
            return value.value
    return None


@functools.cache
def refusals() -> tuple[Refusal, ...]:
    """Return every class with an error code, in order of the codes."""
    found = []
    for path in source_files():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ClassDef):
                continue
            codes = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if codes and isinstance(codes[0], ast.Constant) and isinstance(codes[0].value, str):
                found.append(
                    Refusal(
                        name=node.name,
                        code=codes[0].value,
                        path=path,
                        message=_text(node, "message"),
                        hint=_text(node, "hint"),
                    )
                )
    return tuple(sorted(found, key=lambda refusal: refusal.code))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def docstrings(path: Path) -> set[int]:
    """Return the ids of the nodes that are docstrings."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


def without_code(markdown: str) -> str:
    """Return the text without fenced blocks."""
    return re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def code_of(markdown: str) -> list[str]:
    """Return every piece of code of a document: lines of fenced blocks, and inline code."""
    fenced = re.findall(r"^(?:```|~~~)[^\n]*\n(.*?)^(?:```|~~~)\s*$", markdown, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", without_code(markdown))
