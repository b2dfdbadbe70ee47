"""What was committed for certain: one JSON line per acknowledged commit, numbers and names, never values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Journal:
    """Append numbered lines to a file; numbers go on where an earlier run ended."""

    def __init__(self, path: Path | None) -> None:
        self.number = 0
        self._handle: int | None = None
        if path is None:
            return
        if path.exists():
            self.number = max((line["number"] for line in read_journal(path)), default=0)
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **line: Any) -> int:
        """Write one line and return its number; the line is with the system when this returns."""
        self.number += 1
        if self._handle is not None:
            text = json.dumps({"number": self.number, **line}, ensure_ascii=False) + "\n"
            # One write: a kill leaves the whole line or none of it.
            os.write(self._handle, text.encode())
        return self.number

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Return all whole lines; a last line cut off by a kill was not acknowledged and is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]
