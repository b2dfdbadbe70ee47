# ruff: noqa: INP001 - a script, run by its path, not a package
"""Write the files that follow from the dictionary and its rules; with --check, only say whether they are up to date.

python tools/generate.py            # write
python tools/generate.py --check    # exit 1 when a file would change
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Final

import rule_pages

from lienthong.dictionary.load import load
from lienthong.dictionary.model import Dictionary

ROOT: Final = Path(__file__).resolve().parent.parent
IDS: Final = ROOT / "src" / "lienthong" / "dictionary" / "ids.py"
RULE_PAGES: Final = ROOT / "docs" / "reference" / "rules"
BEGIN: Final = "# --- generated from dictionary/ by tools/generate.py: begin ---"
END: Final = "# --- generated from dictionary/ by tools/generate.py: end ---"


def constant(technical_name: str) -> str:
    """Return the name of the constant for an element."""
    return re.sub(r"[^A-Z0-9_]", "_", technical_name.upper())


def ids_block(dictionary: Dictionary) -> str:
    """Return the generated lines of ids.py, markers included."""
    pairs = sorted((constant(one.technical_name), name) for name, one in dictionary.elements.items())
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        sys.exit(f"two elements would share a constant: {', '.join(twice)}")
    lines = [BEGIN, *(f'{name} = ElementId("{element}")' for name, element in pairs), END]
    return "\n".join(lines)


def with_block(text: str, block: str) -> str:
    """Return a file's text with the part between the markers replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + block + after


def wanted(dictionary: Dictionary) -> dict[Path, str]:
    """Return the text of every generated file by its path."""
    ids = with_block(IDS.read_text(encoding="utf-8"), ids_block(dictionary))
    return {IDS: ids, **rule_pages.pages(dictionary, RULE_PAGES)}


def main() -> int:
    """Generate or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    check = parser.parse_args().check
    texts = wanted(load(ROOT / "dictionary"))
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        name = path.relative_to(ROOT)
        if check:
            sys.stderr.write(f"{name} is out of date: run python tools/generate.py\n")
            continue
        path.write_text(texts[path], encoding="utf-8")
        sys.stdout.write(f"wrote {name}\n")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
