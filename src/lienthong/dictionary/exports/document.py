"""One file of an export."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportFile:
    """A file by name and content (tệp kết xuất)."""

    name: str  # relative, ASCII, with '/' between folders
    content: bytes
    is_text: bool = True  # may be shown on a terminal
