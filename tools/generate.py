# ruff: noqa: INP001 - a script, run by its path, not a package
"""Write the files that follow from the dictionary; with --check, only say whether they are up to date.

python tools/generate.py            # write
python tools/generate.py --check    # exit 1 when a file would change
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from lienthong.dictionary.load import load
from lienthong.dictionary.model import Dictionary

ROOT: Final = Path(__file__).resolve().parent.parent
IDS: Final = ROOT / "src" / "lienthong" / "dictionary" / "ids.py"
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


def main() -> int:
    """Generate or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    check = parser.parse_args().check
    old = IDS.read_text(encoding="utf-8")
    new = with_block(old, ids_block(load(ROOT / "dictionary")))
    if old == new:
        return 0
    if check:
        sys.stderr.write(f"{IDS.relative_to(ROOT)} is out of date: run python tools/generate.py\n")
        return 1
    IDS.write_text(new, encoding="utf-8")
    sys.stdout.write(f"wrote {IDS.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
